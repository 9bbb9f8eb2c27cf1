"""Registration of a run's model."""

import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sustainable_mlops import aws
from sustainable_mlops.aws import Clients
from sustainable_mlops.aws.s3 import S3Uri
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.catalogue.images import detect_framework
from sustainable_mlops.jobs.compilation import compile_model
from sustainable_mlops.jobs.kinds import TRAINING
from sustainable_mlops.jobs.launch import prepare, start
from sustainable_mlops.jobs.model_card import build_model_card
from sustainable_mlops.jobs.record import RunRecord, write_record
from sustainable_mlops.jobs.register import approve, find_record, register
from sustainable_mlops.jobs.wait import wait_for_job
from tests.jobs.support import REGION, WriteJob
from tests.sandbox.support import create_tar

Trained = Callable[..., RunRecord]


@pytest.fixture
def train_job(cloud: Clients, write_job: WriteJob) -> Trained:
    """Return a function that trains a model; arguments are changes to the job."""

    def train(**changes: Any) -> RunRecord:
        record = start(prepare(TRAINING, write_job(**changes)))
        cloud.sagemaker.complete(record.job_name)
        return wait_for_job(record, cloud.sagemaker, show=lambda _: None)

    return train


def test_a_model_is_registered_pending_approval_with_its_origin(cloud: Clients, train_job: Trained) -> None:
    record = train_job()
    package = register(record, cloud)
    assert (package.status, package.is_new) == ("PendingManualApproval", True)
    request = cloud.sagemaker.describe_model_package(package.arn)
    assert request["ModelPackageGroupName"] == "acme-dev-flight-delay"
    container = request["InferenceSpecification"]["Containers"][0]
    assert (container["ModelDataUrl"], container["Image"]) == (record.model, record.image)
    assert (container["Framework"], container["FrameworkVersion"]) == detect_framework(record.image)
    assert container["Environment"]["SAGEMAKER_PROGRAM"] == "inference.py"
    assert request["InferenceSpecification"]["SupportedContentTypes"] == ["text/csv"]
    assert request["CustomerMetadataProperties"].items() >= {
        ("run_key", record.run_key),
        ("validation:auc", "0.75"),
        ("source_digest", record.source_digest),
        ("data_digest:train", record.data["train"].digest),
        ("model_etag", aws.read_object_etag(cloud.s3, record.model or "")),
    }


def test_the_model_card_has_the_training_and_its_footprint(cloud: Clients, train_job: Trained) -> None:
    """Check that texts of the footprint have unit, interval and basis, so that the card is clear without the record."""
    record = train_job()
    card = cloud.sagemaker.describe_model_package(register(record, cloud).arn)["ModelCard"]
    assert card["ModelCardStatus"] == "Draft"
    content = json.loads(card["ModelCardContent"])
    training = content["training_details"]["training_job_details"]
    assert training["training_arn"] == record.job_arn
    assert training["training_environment"] == {"container_image": [record.image]}
    assert training["training_datasets"] == [data.address for data in record.data.values()]
    assert {"name": "validation:auc", "value": 0.75} in training["user_provided_training_metrics"]
    details = content["additional_information"]["custom_details"]
    carbon = record.figures["co2e"]
    expected = f"{carbon.value:.3g} kgCO2e ({carbon.low:.3g} to {carbon.high:.3g}), estimated"
    assert details["Environment: carbon, operational and embodied"] == expected
    assert details["Environment: energy"].endswith("estimated")
    assert "instance-hours of ml." in details["Environment: instance time"]
    assert details["Environment: Region"] == REGION


def test_a_model_card_omits_values_that_its_schema_refuses(train_job: Trained) -> None:
    record = train_job().model_copy(
        update={"metrics": {"loss": float("nan")}, "hyperparameters": {"long": "x" * 256, "empty": "", "depth": 3}}
    )
    content = json.loads(build_model_card(record)["ModelCardContent"])
    training = content["training_details"]["training_job_details"]
    assert training["user_provided_training_metrics"] == []
    assert training["user_provided_hyper_parameters"] == [{"name": "depth", "value": "3"}]


def test_a_package_has_an_image_for_each_architecture(cloud: Clients, train_job: Trained) -> None:
    graviton = "662702820516.dkr.ecr.eu-north-1.amazonaws.com/sagemaker-scikit-learn:1.0-1-arm64-cpu-py3"
    additional_serving = {"graviton": {"image": graviton, "realtime_instance_types": ["ml.c7g.large"]}}
    record = train_job(serving={"additional": additional_serving, "image": "own.registry/serve:1"})
    request = cloud.sagemaker.describe_model_package(register(record, cloud).arn)
    own, [additional] = request["InferenceSpecification"], request["AdditionalInferenceSpecifications"]
    assert own["Containers"][0]["Image"] == "own.registry/serve:1"
    assert "Framework" not in own["Containers"][0], "the name of the image does not say it"
    assert additional["Containers"][0]["Framework"] == "SAGEMAKER-SCIKIT-LEARN"
    assert (additional["Name"], additional["Containers"][0]["Image"]) == ("graviton", graviton)
    assert additional["SupportedRealtimeInferenceInstanceTypes"] == ["ml.c7g.large"]
    assert "SupportedTransformInstanceTypes" not in additional  # SageMaker has no Graviton for batch
    for member in ("ModelDataUrl", "Environment"):
        assert additional["Containers"][0][member] == own["Containers"][0][member]
    assert additional["SupportedContentTypes"] == own["SupportedContentTypes"]


def test_a_run_is_registered_once_and_another_run_separately(cloud: Clients, train_job: Trained) -> None:
    first = register(train_job(), cloud)
    other = register(train_job(hyperparameters={"num_round": 300}), cloud)
    repeated = register(train_job(), cloud)
    assert (repeated.arn, repeated.is_new) == (first.arn, False)
    assert other.arn != first.arn
    assert len(cloud.sagemaker.packages) == 2


def test_a_compiled_copy_of_the_model_is_registered(cloud: Clients, train_job: Trained, tmp_path: Path) -> None:
    record = train_job()
    model = S3Uri.parse(record.model or "")
    cloud.s3.put_object(Bucket=model.bucket, Key=model.key, Body=create_tar(code__inference_py="", trees="arrays"))
    script = tmp_path / "compile.py"
    script.write_text("import pathlib, sys\npathlib.Path(sys.argv[2], 'trees.so').write_text('machine code')\n")
    compiled = compile_model(record, script, cloud.s3)
    package = register(compiled, cloud)
    description = cloud.sagemaker.describe_model_package(package.arn)
    copy = S3Uri.parse(description["InferenceSpecification"]["Containers"][0]["ModelDataUrl"])
    assert copy.key.startswith(f"{model.key.removesuffix('.tar.gz')}-compiled-")
    body = cloud.s3.get_object(Bucket=copy.bucket, Key=copy.key)["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(body)) as archive:
        assert archive.getnames() == ["code/inference.py", "trees", "trees.so"]
    etag = aws.read_object_etag(cloud.s3, str(copy))
    assert description["CustomerMetadataProperties"]["model_etag"] == etag
    assert register(compile_model(record, script, cloud.s3), cloud).arn == package.arn, "the copy is compiled once"

    script.write_text("import sys\nsys.exit('error: no compiler')\n")
    with pytest.raises(UserError, match=r"--compile: .*compile\.py: no compiler"):
        compile_model(record, script, cloud.s3)


def test_approval_is_explicit_and_keeps_its_reason(cloud: Clients, train_job: Trained) -> None:
    approved = approve(register(train_job(), cloud), "AUC above the last", cloud.sagemaker)
    assert approved.status == "Approved"
    stored = cloud.sagemaker.packages[0]
    assert (stored["ModelApprovalStatus"], stored["ApprovalDescription"]) == ("Approved", "AUC above the last")
    repeated = approve(register(train_job(), cloud), "another reason", cloud.sagemaker)
    assert (repeated.status, stored["ApprovalDescription"]) == ("Approved", "AUC above the last")


def test_a_metrics_report_is_attached_if_it_exists(cloud: Clients, train_job: Trained) -> None:
    report = "s3://acme-dev-artifacts/reports/quality.json"
    record = train_job()
    with pytest.raises(UserError, match=f"--metrics: {report} is missing, or may not be read"):
        register(record, cloud, metrics=report)
    cloud.s3.put_object(Bucket="acme-dev-artifacts", Key="reports/quality.json", Body=b"{}")
    register(record, cloud, metrics=report)
    assert cloud.sagemaker.packages[0]["ModelMetrics"]["ModelQuality"]["Statistics"]["S3Uri"] == report


def test_a_run_without_a_servable_model_is_rejected(cloud: Clients, train_job: Trained) -> None:
    record = train_job()
    with pytest.raises(UserError, match="is Failed; pass the record of a Completed run"):
        register(record.model_copy(update={"status": "Failed"}), cloud)
    with pytest.raises(UserError, match=f"^{record.job_name} has no model; pass the record of a training or tuning"):
        register(record.model_copy(update={"model": None}), cloud)
    with pytest.raises(UserError, match="add `serving:` to the job file"):
        register(record.model_copy(update={"serving": None}), cloud)
    assert record.model is not None
    bucket, key = S3Uri.parse(record.model)
    cloud.s3.delete_object(Bucket=bucket, Key=key)
    with pytest.raises(UserError, match=r"model.tar.gz is missing, or may not be read; run smlops train again"):
        register(record, cloud)
    assert cloud.sagemaker.packages == []


def test_a_missing_group_is_reported_and_the_next_launch_finds_a_new_group(
    cloud: Clients, train_job: Trained, write_job: WriteJob
) -> None:
    buckets = {"data": "acme-dev-data", "artifacts": "acme-dev-artifacts"}
    roles = {"training": "arn:aws:iam::123456789012:role/t"}
    inline = {"environment": "dev", "region": REGION, "buckets": buckets, "roles": roles}
    with pytest.raises(UserError, match=r"describe it in envs/catalogue/models/flight_delay\.yaml, run smlops synth"):
        register(train_job(platform=inline), cloud)
    repeated = prepare(TRAINING, write_job())
    assert repeated.decision == "done"
    assert register(repeated.record, cloud).is_new


def test_a_model_cannot_enter_the_group_of_another_workload(cloud: Clients, train_job: Trained) -> None:
    package_of_other = register(train_job(), cloud)
    other = train_job(name="breast-cancer")
    assert other.model_package_group is None
    for group in ("acme-dev-flight-delay", "arn:aws:sagemaker:eu-north-1:1:model-package-group/acme-dev-flight-delay"):
        with pytest.raises(UserError, match=f"--group: {group} belongs to another workload"):
            register(other, cloud, group=group)
    with pytest.raises(UserError, match="contains models of the workload flight-delay; pass the group of delay"):
        register(train_job(name="delay"), cloud, group="acme-dev-flight-delay")
    assert [package["ModelPackageArn"] for package in cloud.sagemaker.packages] == [package_of_other.arn]
    for group in ("acme-prod-breast-cancer", "Acme-Breast-Cancer"):
        assert register(other, cloud, group=group).is_new


def test_a_record_is_found_by_file_by_job_name_and_in_s3(cloud: Clients, train_job: Trained, tmp_path: Path) -> None:
    record = train_job()
    path = write_record(record, tmp_path)
    cloud.s3.put_object(Bucket="acme-dev-artifacts", Key="record.json", Body=path.read_bytes())
    for run in (str(path), record.job_name, path.name, "s3://acme-dev-artifacts/record.json"):
        assert find_record(run, tmp_path) == record
    for run in ("nope", "nope.json"):
        with pytest.raises(UserError) as error:
            find_record(run, Path("out"))
        assert f"{run}: there is no such record file, and no out/runs/nope.json;" in str(error.value)
    with pytest.raises(UserError, match=r"^reading s3://acme-dev-artifacts/nothing: .*NoSuchKey"):
        find_record("s3://acme-dev-artifacts/nothing", tmp_path)


@pytest.mark.parametrize(
    ("package", "text"),
    [
        ("arn:aws:sagemaker:x:1:model-package/m/2", r"--model-package-arn arn:aws:sagemaker:x:1:model-package/m/2 "),
        (None, "the execution registered no model"),
    ],
)
def test_a_record_of_an_execution_is_rejected_with_the_command_that_approves(
    package: str | None, text: str, tmp_path: Path
) -> None:
    """Its record is in the same folder as records of jobs, and may be the newest."""
    file = tmp_path / "execution.json"
    file.write_text(json.dumps({"kind": "pipeline", "model_package": package}))
    with pytest.raises(UserError, match=f"is the record of a pipeline execution, not of a job; .*{text}"):
        find_record(str(file), tmp_path)
