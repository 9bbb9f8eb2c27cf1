"""Many concurrent requests and jobs."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from sagemaker_sandbox import Sandbox
from sagemaker_sandbox.base.client import make_client
from tests.sandbox.job_runs import extract_tar
from tests.sandbox.support import IMAGE, ROLE, WAIT_SECONDS, wait_until
from tests.sandbox.test_lifecycles import make_feature_group

CONCURRENT_REQUESTS = 500


@pytest.mark.slow
def test_five_hundred_concurrent_records_are_all_stored(
    sandbox: Sandbox, sagemaker: Any, fresh: Callable[[str], str]
) -> None:
    group, barrier = fresh("load"), Barrier(CONCURRENT_REQUESTS)
    make_feature_group(sagemaker, group)
    store = make_client(
        "sagemaker-featurestore-runtime",
        "eu-north-1",
        sandbox.endpoint,
        max_pool_connections=CONCURRENT_REQUESTS,
        retries={"total_max_attempts": 1},
        connect_timeout=WAIT_SECONDS,
        read_timeout=WAIT_SECONDS,
    )

    def put(number: int) -> int:
        values = {"id": str(number), "at": "2026-01-01T00:00:00Z"}
        record = [{"FeatureName": name, "ValueAsString": value} for name, value in values.items()]
        barrier.wait()
        response = store.put_record(FeatureGroupName=group, Record=record)
        return int(response["ResponseMetadata"]["HTTPStatusCode"])

    with ThreadPoolExecutor(CONCURRENT_REQUESTS) as threads:
        assert set(threads.map(put, range(CONCURRENT_REQUESTS))) == {200}
    identifiers = [
        {
            "FeatureGroupName": group,
            "RecordIdentifiersValueAsString": [str(number) for number in range(start, start + 100)],
        }
        for start in range(0, CONCURRENT_REQUESTS, 100)
    ]
    assert len(store.batch_get_record(Identifiers=identifiers)["Records"]) == CONCURRENT_REQUESTS


@pytest.mark.slow
def test_fifty_concurrent_jobs_have_separate_outputs(
    sagemaker: Any, s3: Any, bucket: str, fresh: Callable[[str], str], tmp_path: Path
) -> None:
    """All jobs run at the same time: none ends before all have started."""
    prefix, hold = fresh("fifty"), tmp_path / "hold"
    hold.touch()
    script = f"while [ -e {hold} ]; do sleep 0.2; done; echo $TRAINING_JOB_NAME > /opt/ml/model/name"
    names = [f"{prefix}-{number}" for number in range(50)]

    def start(name: str) -> None:
        algorithm = {"TrainingImage": IMAGE, "TrainingInputMode": "File", "ContainerEntrypoint": ["sh", "-c", script]}
        sagemaker.create_training_job(
            TrainingJobName=name,
            RoleArn=ROLE,
            AlgorithmSpecification=algorithm,
            OutputDataConfig={"S3OutputPath": f"s3://{bucket}/models"},
            ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
            StoppingCondition={"MaxRuntimeInSeconds": 3600},
        )

    def list_values(member: str) -> set[str]:
        return {sagemaker.describe_training_job(TrainingJobName=name)[member] for name in names}

    with ThreadPoolExecutor(len(names)) as threads:
        list(threads.map(start, names))
    wait_until(lambda: list_values("SecondaryStatus") == {"Training"})
    hold.unlink()
    wait_until(lambda: "InProgress" not in list_values("TrainingJobStatus"))
    assert list_values("TrainingJobStatus") == {"Completed"}
    models = (s3.get_object(Bucket=bucket, Key=f"models/{name}/output/model.tar.gz")["Body"].read() for name in names)
    assert [extract_tar(model)["name"].strip() for model in models] == names
