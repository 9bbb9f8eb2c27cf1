"""Whether a running job leaves its machines idle: what its file calls too little, held against CloudWatch.

Source: SageMaker AI job metrics, in the developer guide. A data point a minute, 100 for each processor that is busy.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Literal

from sustainable_mlops import aws
from sustainable_mlops.aws import Client
from sustainable_mlops.catalogue import instances
from sustainable_mlops.errors import UserError
from sustainable_mlops.jobs.specs.common import UtilizationFloor

_METRICS = {"cpu": "CPUUtilization", "gpu": "GPUUtilization"}
#: Minutes after which CloudWatch may still not have a data point.
_LATE = 5


class Watch:
    """Of jobs on `count` instances each. Raises UserError where the machines have no such processors.

    `namespace` is where its instances publish; `period` seconds pass between two of their data points.
    """

    def __init__(
        self,
        floor: UtilizationFloor,
        instance_type: str,
        count: int,
        namespace: str,
        cloudwatch: Client,
        *,
        period: int = 60,
    ) -> None:
        self._floor, self._of, self._count = floor, floor.of, count
        self._processors = processors(instance_type, floor.of)
        self._namespace, self._cloudwatch, self._period = namespace, cloudwatch, period
        self._looked: dict[str, datetime] = {}

    def idle(self, job_name: str, since: datetime, now: datetime) -> str | None:
        """Why the job is to be stopped, if it is: every instance was below the floor all the last minutes.

        `since` is when it began to work: what came before, such as the download of its data, does not count. Looks at
        most as often as there is news. Raises UserError where CloudWatch does not answer.
        """
        if (now - since).total_seconds() < self._floor.minutes * self._period:
            return None
        looked = self._looked.get(job_name)
        if looked is not None and (now - looked).total_seconds() < self._period:
            return None
        self._looked[job_name] = now
        with aws.translate_aws_errors(
            f"{job_name} goes on, but its utilisation cannot be read (cloudwatch:GetMetricStatistics)"
        ):
            points = [list(self._points(f"{job_name}/algo-{n + 1}", since, now)) for n in range(self._count)]
        last = [instance[-self._floor.minutes :] for instance in points]
        if any(len(instance) < self._floor.minutes or max(instance) >= self._floor.percent for instance in last):
            return None
        busiest = max(max(instance) for instance in last)
        return (
            f"{self._of.upper()} utilisation was at most {busiest:.1f} % for {self._floor.minutes} min, below "
            f"limits.utilization_floor ({self._floor.percent:g} %)"
        )

    def _points(self, instance: str, since: datetime, now: datetime) -> Iterator[float]:
        """Percent of the instance's processors, the newest last."""
        window = timedelta(seconds=(self._floor.minutes + _LATE) * self._period)
        answer = self._cloudwatch.get_metric_statistics(
            Namespace=self._namespace,
            MetricName=_METRICS[self._of],
            Dimensions=[{"Name": "Host", "Value": instance}],
            StartTime=max(since, now - window),
            EndTime=now,
            Period=self._period,
            Statistics=["Average"],
        )
        for point in sorted(answer["Datapoints"], key=lambda point: point["Timestamp"]):
            if point["Timestamp"] >= since:  # CloudWatch begins with the whole minute before
                yield point["Average"] / self._processors


def processors(instance_type: str, of: Literal["cpu", "gpu"]) -> int:
    """How many an instance has. Raises UserError where it has none."""
    found = instances.find(instance_type)
    if found is None:
        raise UserError(f"limits.utilization_floor: the processors of {instance_type} are not known; remove it")
    if of == "gpu" and (not found.accelerators or found.family.startswith(("trn", "inf"))):
        raise UserError(f"limits.utilization_floor.gpu_percent: {instance_type} has no GPU; give cpu_percent")
    return found.vcpu if of == "cpu" else found.accelerators
