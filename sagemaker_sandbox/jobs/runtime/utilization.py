"""Utilization metrics of job instances: CPUUtilization and MemoryUtilization, as SageMaker publishes them.

Source: SageMaker developer guide, "Metrics for monitoring SageMaker AI with CloudWatch": the namespace of the job kind,
the dimension Host, and CPUUtilization up to 100 for each CPU. AWS publishes a value each minute. Jobs in the sandbox
are short, so there is up to one value each second. GPUs are not measured.
"""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from sagemaker_sandbox.jobs.runtime.job_log import CloudWatchMetrics

#: Shortest time between two measurements.
_MIN_INTERVAL_SECONDS = 1.0
#: Largest share of the time spent on measurements.
_MAX_TIME_SHARE = 0.02


class Utilization:
    """Utilization of one job. `publish` can be called as often as needed."""

    def __init__(self, client: Any, namespace: str, job: str) -> None:
        self._client = client
        self._namespace = namespace
        self._job = job
        self._due = 0.0
        self._previous: dict[str, tuple[float, float]] = {}

    def publish(self, pids: Mapping[str, Sequence[int]]) -> None:
        """Publish the utilization of each host since the previous call.

        `pids` are the processes of each host. Calls within the shortest interval do nothing.
        """
        start = time.monotonic()
        if self._client is None or start < self._due:
            return
        for host, processes in pids.items():
            moment, (cpu, memory) = time.monotonic(), _measure_processes(processes)
            previous = self._previous.get(host)
            self._previous[host] = moment, cpu
            if previous is not None and processes:
                percent = 100 * max(cpu - previous[1], 0.0) / (moment - previous[0])
                self._publish_host(host, {"CPUUtilization": percent, "MemoryUtilization": memory})
        end = time.monotonic()
        self._due = end + max(_MIN_INTERVAL_SECONDS, (end - start) / _MAX_TIME_SHARE)

    def _publish_host(self, host: str, values: Mapping[str, float]) -> None:
        metrics = CloudWatchMetrics(self._client, self._namespace, {"Host": f"{self._job}/{host}"}, unit="Percent")
        metrics.put([(time.time(), name, value) for name, value in values.items()])


def _measure_processes(pids: Sequence[int]) -> tuple[float, float]:
    """Return CPU seconds and the share of memory in percent of processes and their descendants."""
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
