"""Detection of idle instances: the utilization floor of a job file, compared with CloudWatch.

Source: SageMaker AI job metrics, in the developer guide. One data point per minute, 100 for each busy processor.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Literal

from sustainable_mlops import aws
from sustainable_mlops.aws import Client
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.catalogue import instances
from sustainable_mlops.jobs.specs.common import UtilizationFloor

_METRICS = {"cpu": "CPUUtilization", "gpu": "GPUUtilization"}
#: Minutes after which CloudWatch may still lack a data point.
_MAX_DELAY_MINUTES = 5


class UtilizationWatch:
    """A watch over jobs on `count` instances each. Raises UserError if the instances have no such processors.

    `namespace` is the namespace of their metrics; `period` is the number of seconds between two data points.
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
        self._floor, self._processor, self._count = floor, floor.processor, count
        self._processors = count_processors(instance_type, floor.processor)
        self._namespace, self._cloudwatch, self._period = namespace, cloudwatch, period
        self._read_at: dict[str, datetime] = {}

    def find_idle_reason(self, job_name: str, since: datetime, now: datetime) -> str | None:
        """Return the reason to stop the job, if every instance was below the floor for the floor's minutes; else None.

        `since` is the start of the work: earlier time, such as the download of data, does not count. The method reads
        at most once per period. Raises UserError if CloudWatch does not respond.
        """
        if (now - since).total_seconds() < self._floor.minutes * self._period:
            return None
        read_at = self._read_at.get(job_name)
        if read_at is not None and (now - read_at).total_seconds() < self._period:
            return None
        self._read_at[job_name] = now
        with aws.translate_aws_errors(
            f"{job_name} continues, but its utilization cannot be read (cloudwatch:GetMetricStatistics)"
        ):
            points = [list(self._read_points(f"{job_name}/algo-{n + 1}", since, now)) for n in range(self._count)]
        latest = [instance[-self._floor.minutes :] for instance in points]
        if any(len(instance) < self._floor.minutes or max(instance) >= self._floor.percent for instance in latest):
            return None
        busiest = max(max(instance) for instance in latest)
        return (
            f"{self._processor.upper()} utilization was at most {busiest:.1f} % for {self._floor.minutes} min, below "
            f"limits.utilization_floor ({self._floor.percent:g} %)"
        )

    def _read_points(self, instance: str, since: datetime, now: datetime) -> Iterator[float]:
        """Yield the utilization of the instance's processors in percent, the newest last."""
        window = timedelta(seconds=(self._floor.minutes + _MAX_DELAY_MINUTES) * self._period)
        response = self._cloudwatch.get_metric_statistics(
            Namespace=self._namespace,
            MetricName=_METRICS[self._processor],
            Dimensions=[{"Name": "Host", "Value": instance}],
            StartTime=max(since, now - window),
            EndTime=now,
            Period=self._period,
            Statistics=["Average"],
        )
        for point in sorted(response["Datapoints"], key=lambda point: point["Timestamp"]):
            if point["Timestamp"] >= since:  # CloudWatch starts with the full minute before
                yield point["Average"] / self._processors


def count_processors(instance_type: str, of: Literal["cpu", "gpu"]) -> int:
    """Return the number of processors of an instance. Raises UserError if it has none."""
    instance = instances.find(instance_type)
    if instance is None:
        raise UserError(f"limits.utilization_floor: the processors of {instance_type} are unknown; remove the floor")
    if of == "gpu" and (not instance.accelerators or instance.family.startswith(("trn", "inf"))):
        raise UserError(f"limits.utilization_floor.gpu_percent: {instance_type} has no GPU; set cpu_percent")
    return instance.vcpu if of == "cpu" else instance.accelerators
