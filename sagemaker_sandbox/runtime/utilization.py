"""How busy a job's instances are, in CloudWatch as SageMaker publishes it: CPUUtilization and MemoryUtilization.

Source: SageMaker developer guide, "Metrics for monitoring SageMaker AI with CloudWatch": the namespace of the job's
kind, the dimension Host, CPUUtilization up to 100 for each CPU. AWS has a value a minute; the jobs here are short, so
that there is one as often as each second. No GPU is looked for.
"""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from sagemaker_sandbox.runtime.job_log import CloudWatchMetrics

_LEAST_SECONDS = 1.0
#: At most this share of the time goes into looking.
_SHARE = 0.02


class Utilization:
    """That of one job. Call `look` as often as you like."""

    def __init__(self, client: Any, namespace: str, job: str) -> None:
        self._client = client
        self._namespace = namespace
        self._job = job
        self._due = 0.0
        self._before: dict[str, tuple[float, float]] = {}

    def publish(self, pids: Mapping[str, Sequence[int]]) -> None:
        """Publish how busy each host was since the last time; `pids` are the processes of its container."""
        began = time.monotonic()
        if self._client is None or began < self._due:
            return
        for host, processes in pids.items():
            moment, (cpu, memory) = time.monotonic(), _used(processes)
            before = self._before.get(host)
            self._before[host] = moment, cpu
            if before is not None and processes:
                percent = 100 * max(cpu - before[1], 0.0) / (moment - before[0])
                self._publish(host, {"CPUUtilization": percent, "MemoryUtilization": memory})
        ended = time.monotonic()
        self._due = ended + max(_LEAST_SECONDS, (ended - began) / _SHARE)

    def _publish(self, host: str, values: Mapping[str, float]) -> None:
        metrics = CloudWatchMetrics(self._client, self._namespace, {"Host": f"{self._job}/{host}"}, unit="Percent")
        metrics.put([(time.time(), name, value) for name, value in values.items()])


def _used(pids: Sequence[int]) -> tuple[float, float]:
    """CPU seconds so far, and the share of this machine's memory in percent, of processes and their descendants."""
    import psutil

    cpu = resident = 0.0
    for pid in pids:
        try:
            command = psutil.Process(pid)
            family = [command, *command.children(recursive=True)]
        except psutil.Error:
            continue
        for process in family:
            try:
                times, memory = process.cpu_times(), process.memory_info()
            except psutil.Error:
                continue
            cpu += times.user + times.system + times.children_user + times.children_system
            resident += memory.rss
    return cpu, 100 * resident / psutil.virtual_memory().total
