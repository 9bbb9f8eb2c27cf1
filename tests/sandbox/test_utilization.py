"""Utilization metrics of job instances in CloudWatch during the run."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sagemaker_sandbox import Sandbox
from tests.sandbox.support import IMAGE, ROLE, wait_until

#: The first instance is busy, the second waits.
HALF_BUSY = (
    "import json, time; resources = json.load(open('/opt/ml/config/resourceconfig.json')); "
    "busy = resources['current_host'] == resources['hosts'][0]; "
    "any(False for _ in iter(lambda: busy, False)); time.sleep(600)"
)


@pytest.mark.slow
def test_utilization_distinguishes_a_busy_from_a_waiting_instance(
    sandbox: Sandbox, sagemaker: Any, fresh: Callable[[str], str]
) -> None:
    name, cloudwatch = fresh("half-busy"), sandbox.client("cloudwatch")
    sagemaker.create_processing_job(
        ProcessingJobName=name,
        RoleArn=ROLE,
        AppSpecification={"ImageUri": IMAGE, "ContainerEntrypoint": ["python3", "-c", HALF_BUSY]},
        ProcessingResources={"ClusterConfig": {"InstanceCount": 2, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}},
    )

    def get_values(metric: str, host: str, statistic: str = "Maximum") -> list[float]:
        datapoints = cloudwatch.get_metric_statistics(
            Namespace="/aws/sagemaker/ProcessingJobs",
            MetricName=metric,
            Dimensions=[{"Name": "Host", "Value": f"{name}/{host}"}],
            StartTime=datetime.now(UTC) - timedelta(hours=1),
            EndTime=datetime.now(UTC) + timedelta(hours=1),
            Period=3600,
            Statistics=[statistic, "SampleCount"],
            Unit="Percent",
        )["Datapoints"]
        return [point[statistic] for point in datapoints if point["SampleCount"] >= 2]

    wait_until(lambda: max(get_values("CPUUtilization", "algo-1"), default=0) > 10)
    # Minimum, because its Python was busy during the start.
    wait_until(lambda: min(get_values("CPUUtilization", "algo-2", "Minimum"), default=100) < 10)
    assert 0 < max(get_values("MemoryUtilization", "algo-1")) < 100
    sagemaker.stop_processing_job(ProcessingJobName=name)
    wait_until(lambda: sagemaker.describe_processing_job(ProcessingJobName=name)["ProcessingJobStatus"] == "Stopped")
