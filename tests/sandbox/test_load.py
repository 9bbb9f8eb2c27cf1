"""Many at once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from sagemaker_sandbox import Sandbox
from sagemaker_sandbox.client import make_client
from tests.sandbox.running import untar
from tests.sandbox.support import IMAGE, ROLE, until
from tests.sandbox.test_lives import make_feature_group

AT_ONCE = 500


@pytest.mark.slow
def test_five_hundred_records_put_at_once_are_all_there(
    sandbox: Sandbox, sagemaker: Any, fresh: Callable[[str], str]
) -> None:
    group, together = fresh("load"), Barrier(AT_ONCE)
    make_feature_group(sagemaker, group)
    retries = {"total_max_attempts": 1}
    store = make_client(
        "sagemaker-featurestore-runtime", "eu-north-1", sandbox.endpoint, max_pool_connections=AT_ONCE, retries=retries
    )

    def put(number: int) -> int:
        values = {"id": str(number), "at": "2026-01-01T00:00:00Z"}
        record = [{"FeatureName": name, "ValueAsString": value} for name, value in values.items()]
        together.wait()
        answer = store.put_record(FeatureGroupName=group, Record=record)
        return int(answer["ResponseMetadata"]["HTTPStatusCode"])

    with ThreadPoolExecutor(AT_ONCE) as threads:
        assert set(threads.map(put, range(AT_ONCE))) == {200}
    wanted = [
        {"FeatureGroupName": group, "RecordIdentifiersValueAsString": [str(one) for one in range(start, start + 100)]}
        for start in range(0, AT_ONCE, 100)
    ]
    assert len(store.batch_get_record(Identifiers=wanted)["Records"]) == AT_ONCE


@pytest.mark.slow
def test_fifty_jobs_at_once_each_leave_their_own(
    sagemaker: Any, s3: Any, bucket: str, fresh: Callable[[str], str], tmp_path: Path
) -> None:
    """None is over before all are at work."""
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

    def now(member: str) -> set[str]:
        return {sagemaker.describe_training_job(TrainingJobName=name)[member] for name in names}

    with ThreadPoolExecutor(len(names)) as threads:
        list(threads.map(start, names))
    until(lambda: now("SecondaryStatus") == {"Training"}, seconds=400)
    hold.unlink()
    until(lambda: "InProgress" not in now("TrainingJobStatus"), seconds=400)
    assert now("TrainingJobStatus") == {"Completed"}
    models = (s3.get_object(Bucket=bucket, Key=f"models/{name}/output/model.tar.gz")["Body"].read() for name in names)
    assert [untar(model)["name"].strip() for model in models] == names
