"""Batch transform: validation of the file, the request and its model, the record."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from sustainable_mlops.aws import Clients
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.settings import load_yaml
from sustainable_mlops.commands import _job
from sustainable_mlops.jobs import serving
from sustainable_mlops.jobs.estimate import estimate_launch
from sustainable_mlops.jobs.kinds import TRAINING, TRANSFORM
from sustainable_mlops.jobs.kinds.transform import TransformKind
from sustainable_mlops.jobs.launch import JobLaunch, prepare, start, store
from sustainable_mlops.jobs.record import RunRecord, write_record
from sustainable_mlops.jobs.register import approve, register
from sustainable_mlops.jobs.specs.transform import TransformSpec
from sustainable_mlops.jobs.wait import wait_for_job
from tests.jobs.support import PLATFORM, WriteJob

Moments = Iterator[datetime]
KEY = PLATFORM["kms_key_arn"]

INVALID_FILES: dict[str, dict[str, Any]] = {
    "compute.spot: SageMaker has managed spot for training and tuning only, not for batch transform": {
        "compute": {"spot": True}
    },
    "compute.volume_gb: SageMaker chooses the volumes of batch transform": {"compute": {"volume_gb": 5}},
    "compute.elastic_inference: Elastic Inference is no longer available": {"compute": {"elastic_inference": "x"}},
    "data_capture: the job stores its predictions": {"data_capture": True},
    "source: the model has its own code": {"source": {"entry_point": "x.py"}},
    "strategy: without a split, an object is one record; set strategy: single_record": {"input": {"split": "none"}},
    "max_concurrent: 20 requests of 6 MB are more than the 100 MB": {"max_concurrent": 20},
    "input.content_type: a join or filter needs text/csv, application/json, application/jsonlines, not image/png": {
        "input": {"content_type": "image/png"},
        "output": {"join": True},
    },
    "output.accept: a join or filter needs": {"output": {"filter": "$[0]", "accept": "application/x-npy"}},
    "input.data: https://x/y is not in S3": {"input": {"data": "https://x/y"}},
    "input.content_type: is missing; add it": {"input": {"content_type": ...}},
    "input.split: must be 'none', 'line', 'recordio' or 'tfrecord', not 'lines'": {"input": {"split": "lines"}},
    "limits: is missing; add it": {"limits": ...},
}


@pytest.mark.parametrize(("message", "changes"), INVALID_FILES.items(), ids=INVALID_FILES)
def test_an_invalid_file_is_rejected_with_file_field_and_remedy(
    write_transform: WriteJob, message: str, changes: dict[str, Any]
) -> None:
    path = write_transform(**changes)
    with pytest.raises(UserError) as error:
        load_yaml(path, TransformSpec)
    assert str(error.value).startswith(f"{path}: ")
    assert message in str(error.value)


@pytest.fixture
def model(cloud: Clients) -> None:
    """Write the model.tar.gz of the job file."""
    cloud.s3.put_object(Bucket="acme-dev-artifacts", Key="models/flight_delay/one/output/model.tar.gz", Body=b"weights")


@pytest.mark.usefixtures("cloud", "model")
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model": ...}, "model: is missing; set model, or pass --model"),
        ({"image": ...}, "image: is missing; set the image that serves the model.tar.gz"),
        ({"model": "flight-delay-1"}, "/flight-delay-1 is invalid; write the path of a run's record (….json)"),
        ({"model": "gone.json", "image": ...}, "gone.json: no such file"),
        ({"model": "s3://acme-dev-artifacts/x.tar.gz"}, "data.model: no object under s3://acme-dev-artifacts/x"),
        ({"input": {"data": "nothing/"}}, "data.input: no object under s3://acme-dev-data/nothing/"),
        ({"compute": {"instance_type": "ml.inf1.xlarge"}}, "cannot transform: Inf1 is legacy; use for example ml.inf2"),
        ({"compute": {"instance_type": "ml.c7g.large"}}, "cannot transform: SageMaker has Graviton only for endpoints"),
        (
            {"compute": {"instance_type": "ml.inf2.xlarge"}},
            "xgboost:3.0-5 has no Neuron SDK, so the chips of ml.inf2.xlarge would be idle",
        ),
    ],
)
def test_a_missing_or_unsuitable_input_is_named_with_the_file(
    write_transform: WriteJob, changes: dict[str, Any], message: str
) -> None:
    path = write_transform(**changes)
    with pytest.raises(UserError, match=f"^{re.escape(str(path))}: .*{re.escape(message)}"):
        prepare(TRANSFORM, path)


def read_model_request(launch: JobLaunch) -> dict[str, Any]:
    (prerequisite,) = launch.prerequisites
    return {"ModelName": prerequisite.name, **prerequisite.request}


@pytest.mark.usefixtures("cloud", "model")
def test_the_request_has_split_batching_assembly_join_and_encryption(write_transform: WriteJob) -> None:
    plain = prepare(TRANSFORM, write_transform()).request
    assert (plain["BatchStrategy"], plain["MaxPayloadInMB"], plain["MaxConcurrentTransforms"]) == ("MultiRecord", 6, 1)
    assert plain["TransformInput"]["SplitType"] == "Line"
    assert plain["TransformOutput"]["AssembleWith"] == "Line"
    assert plain["TransformOutput"]["KmsKeyId"] == plain["TransformResources"]["VolumeKmsKeyId"] == KEY
    assert not {"DataCaptureConfig", "DataProcessing", "Environment"} & plain.keys()

    changes: dict[str, Any] = {
        "compute": {"instance_type": "ml.g5.xlarge", "instance_count": 3},
        "input": {"content_type": "application/jsonlines", "filter": "$.features", "compression": "gzip"},
        "output": {"join": True, "filter": "$['id','SageMakerOutput']", "accept": "application/jsonlines"},
        "strategy": "single_record",
        "environment": {"THREADS": "2"},
    }
    request = prepare(TRANSFORM, write_transform(**changes)).request
    assert request["DataProcessing"] == {
        "InputFilter": "$.features",
        "OutputFilter": "$['id','SageMakerOutput']",
        "JoinSource": "Input",
    }
    assert request["BatchStrategy"] == "SingleRecord"
    assert request["TransformInput"]["CompressionType"] == "Gzip"
    assert request["TransformResources"] == {"InstanceType": "ml.g5.xlarge", "InstanceCount": 3}
    assert request["Environment"] == {"THREADS": "2"}


@pytest.mark.usefixtures("cloud", "model")
def test_botocore_accepts_the_model_and_the_job(write_transform: WriteJob) -> None:
    launch = prepare(TRANSFORM, write_transform())
    client = boto3.client("sagemaker", region_name="eu-north-1", aws_access_key_id="x", aws_secret_access_key="x")  # noqa: S106 - not a secret
    arn = "arn:aws:sagemaker:eu-north-1:123456789012:"
    with Stubber(client) as stub:
        stub.add_response("create_model", {"ModelArn": f"{arn}model/m"}, read_model_request(launch))
        stub.add_response("create_transform_job", {"TransformJobArn": f"{arn}transform-job/p"}, launch.request)
        launch.prerequisites[0].create(client)
        assert TRANSFORM.create(launch.request, client).endswith("transform-job/p")


@pytest.mark.usefixtures("model")
def test_the_model_is_named_by_its_content_created_once_and_isolated(
    cloud: Clients, write_transform: WriteJob, moments: Moments
) -> None:
    first = prepare(TRANSFORM, write_transform(), now=next(moments))
    start(first)
    repeated = prepare(TRANSFORM, write_transform(max_payload_mb=1, tags={"owner": "me"}), now=next(moments))
    start(repeated)
    (name,) = cloud.sagemaker.models
    assert re.fullmatch(r"predict-[0-9a-f]{12}", name)
    assert first.record.sagemaker_model == repeated.record.sagemaker_model == name
    model_request = cloud.sagemaker.models[name]
    assert model_request["EnableNetworkIsolation"]
    assert model_request["ExecutionRoleArn"] == "arn:aws:iam::123456789012:role/acme-dev-inference"
    assert model_request["PrimaryContainer"]["Environment"]["SAGEMAKER_PROGRAM"] == "inference.py"
    assert {tag["Key"] for tag in model_request["Tags"]} >= {"workload", "environment"}
    other = prepare(TRANSFORM, write_transform(entry_point="serve.py"), now=next(moments))
    assert other.record.sagemaker_model != name
    assert other.record.run_key != first.record.run_key


def test_a_record_and_its_package_name_the_same_model_unless_the_package_is_rejected(
    cloud: Clients, write_job: WriteJob, write_transform: WriteJob, moments: Moments, tmp_path: Path
) -> None:
    record = start(prepare(TRAINING, write_job(), now=next(moments)))
    cloud.sagemaker.complete(record.job_name)
    record = wait_for_job(record, cloud.sagemaker, show=lambda _: None)
    local = write_record(record, tmp_path)
    package = register(record, cloud)

    by_record = prepare(TRANSFORM, write_transform(image=..., model=f"runs/{local.name}"))
    by_package = prepare(TransformKind(package.arn), write_transform(image=..., model=...))
    assert read_model_request(by_record) == read_model_request(by_package)
    assert by_record.record.run_key == by_package.record.run_key
    assert read_model_request(by_record)["PrimaryContainer"]["ModelDataUrl"] == record.model
    assert by_record.record.data["model"].address == record.model
    with pytest.raises(UserError, match="image: the model has its own image; remove the field"):
        prepare(TRANSFORM, write_transform(model=package.arn))
    approve(package, "fine", cloud.sagemaker)
    cloud.sagemaker.update_model_package(package.arn, ModelApprovalStatus="Rejected")
    with pytest.raises(UserError, match=f"model: {package.arn} was rejected; use another version"):
        prepare(TRANSFORM, write_transform(image=..., model=package.arn))


def end_job(launch: JobLaunch) -> RunRecord:
    record, sagemaker = start(launch), launch.clients.sagemaker
    sagemaker.complete_transform(record.job_name)
    record = wait_for_job(record, sagemaker, show=lambda _: None)
    store(record, launch)
    return record


@pytest.mark.usefixtures("model")
def test_predictions_are_repeated_only_for_other_records_or_another_model(
    cloud: Clients, write_transform: WriteJob, moments: Moments, tmp_path: Path
) -> None:
    launch = prepare(TRANSFORM, write_transform(compute={"instance_count": 2}), now=next(moments))
    assert estimate_launch(launch, tmp_path).duration.value == pytest.approx(70), "the start, for a few bytes"
    record = end_job(launch)
    assert record.outputs == {"predictions": f"s3://acme-dev-data/re-creatable/predictions/predict/{record.run_key}/"}
    measured = {name: figure.value for name, figure in record.figures.items() if figure.basis == "measured"}
    assert measured == {"transform_seconds": 600, "billable_seconds": 600, "instance_seconds": 1200}
    more = {"compute": {"instance_count": 5}, "max_concurrent": 4}
    next_launch = prepare(TRANSFORM, write_transform(**more), now=next(moments))
    assert (next_launch.decision, next_launch.record.job_name) == ("done", record.job_name)
    for bucket, key in (
        ("acme-dev-data", "flight_delay/train/part-1.csv"),
        ("acme-dev-artifacts", "models/flight_delay/one/output/model.tar.gz"),
    ):
        cloud.s3.put_object(Bucket=bucket, Key=key, Body=b"other")
        other = prepare(TRANSFORM, write_transform(), now=next(moments))
        assert other.decision == "start"
        assert other.record.run_key != record.run_key


@pytest.mark.usefixtures("model")
def test_the_follower_stops_a_job_that_exceeds_its_cap(
    cloud: Clients, write_transform: WriteJob, moments: Moments
) -> None:
    record = start(prepare(TRANSFORM, write_transform(), now=next(moments)))
    job = cloud.sagemaker.jobs[record.job_name]
    statuses: list[str] = []

    def sleep(_: float) -> None:
        statuses.append(job["TransformJobStatus"])
        minutes = 31 if len(statuses) == 3 else 29
        job["TransformStartTime"] = datetime.now(UTC) - timedelta(minutes=minutes)

    record = wait_for_job(record, cloud.sagemaker, lambda _: None, sleep)
    assert (record.status, statuses) == ("Stopped", ["InProgress"] * 3 + ["Stopped"])
    assert record.stopped == {record.job_name: "it ran longer than the 30 min of limits.max_runtime_minutes"}


def test_the_stop_command_is_the_aws_clis_command() -> None:
    command = "aws sagemaker stop-transform-job --transform-job-name p-1 --region eu-north-1"
    assert TRANSFORM.format_stop_command("p-1", "eu-north-1") == command


@pytest.mark.usefixtures("model")
def test_a_job_that_nobody_follows_has_no_runtime_limit(write_transform: WriteJob) -> None:
    prepared = prepare(TRANSFORM, write_transform())
    (note,) = _job.list_unwatched_limits(prepared)
    assert note.startswith("limits.max_runtime_minutes needs a client that follows the job")
    started = prepared.record.model_copy(update={"status": "InProgress"})
    assert _job._describe_job(prepared, started).endswith("eu-north-1); nothing stops it at its runtime limit")


def test_an_https_address_of_a_model_is_converted_to_s3() -> None:
    assert serving.find_model_address({"ModelDataUrl": "https://b.s3.eu-north-1.amazonaws.com/m"}) == "s3://b/m"
    assert serving.find_model_address({"Image": "alone"}) is None
