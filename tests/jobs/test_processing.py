"""Processing jobs: validation of their files, the request, the record."""

import os
import re
import subprocess
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from sustainable_mlops.aws import Clients
from sustainable_mlops.aws.s3 import S3Uri
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.settings import load_yaml, validate
from sustainable_mlops.jobs.channels import Channel
from sustainable_mlops.jobs.estimate import estimate_launch
from sustainable_mlops.jobs.image import find_image_address
from sustainable_mlops.jobs.kinds import PROCESSING
from sustainable_mlops.jobs.kinds.kind import JobReferences
from sustainable_mlops.jobs.launch import JobLaunch, prepare, start, store
from sustainable_mlops.jobs.platform import Platform
from sustainable_mlops.jobs.record import RunRecord
from sustainable_mlops.jobs.run import Run
from sustainable_mlops.jobs.source import pack_source_folder
from sustainable_mlops.jobs.specs.common import FrameworkImage, SourceSpec
from sustainable_mlops.jobs.specs.processing import ProcessingSpec
from sustainable_mlops.jobs.wait import wait_for_job
from tests.cases import check_cases
from tests.jobs.support import PLATFORM, PROCESSING_JOB, WriteJob, merge_changes

Moments = Iterator[datetime]
KEY = PLATFORM["kms_key_arn"]
SPARK: dict[str, Any] = {
    "image": "330188676905.dkr.ecr.eu-north-1.amazonaws.com/sagemaker-spark-processing:3.5-cpu-py312",
    "inputs": {"flights": {"sharding": "replicated"}},
    "network": {"isolation": False},
}


def make_run(changes: dict[str, Any]) -> Run[ProcessingSpec]:
    spec = validate(merge_changes(PROCESSING_JOB, changes), ProcessingSpec, "job")
    channels = tuple(
        Channel(name, f"s3://acme-dev-data/{job_input.data}", 1, 7, "d") for name, job_input in spec.inputs.items()
    )
    return Run(spec, validate(PLATFORM, Platform, "platform"), "image", "digest", channels)


def build_request(**changes: Any) -> dict[str, Any]:
    run = make_run(changes)
    return PROCESSING.build_named_request(run, "prepare-1", None, PROCESSING.list_outputs(run, ""))


INVALID_FILES: dict[str, dict[str, Any]] = {
    "compute.spot: SageMaker has managed spot for training and tuning only, not for processing; remove it": {
        "compute": {"spot": True}
    },
    "compute.keep_alive_minutes: SageMaker has no warm pools for processing": {"compute": {"keep_alive_minutes": 5}},
    "compute.instance_count: each of 4 instances would receive every object": {
        "compute": {"instance_count": 4},
        "inputs": {"flights": {"sharding": "replicated"}},
    },
    "inputs.flights.sharding: must be 'replicated' or 'by_key', not 'by_row'": {
        "inputs": {"flights": {"sharding": "by_row"}}
    },
    "the channel 'code' is reserved for the source code": {"inputs": {"code": {"data": "x/"}}},
    "channel 'web': https://x/y is not in S3": {"inputs": {"web": {"data": "https://x/y"}}},
    "outputs.train: must be 're-creatable' or 'runs', not 'raw'": {"outputs": {"train": "raw"}},
    "outputs: is missing; add it": {"outputs": ...},
    "environment: the launcher sets INPUT_DIR": {"environment": {"INPUT_DIR": "/x"}},
    "limits.max_runtime_minutes: must be less than or equal to 12960": {"limits": {"max_runtime_minutes": 20000}},
    "limits.max_wait_minutes: unknown key": {"limits": {"max_wait_minutes": 60}},
    "inputs.flights.sharding: Spark divides the records itself": {**SPARK, "inputs": {}},
    "network.isolation: Spark needs a network to read S3": {**SPARK, "network": {"isolation": True}},
}


@pytest.mark.parametrize(("message", "changes"), INVALID_FILES.items(), ids=INVALID_FILES)
def test_an_invalid_file_is_rejected_with_file_field_and_remedy(
    write_processing: WriteJob, message: str, changes: dict[str, Any]
) -> None:
    path = write_processing(**changes)
    with pytest.raises(UserError) as error:
        load_yaml(path, ProcessingSpec)
    assert str(error.value).startswith(f"{path}: ")
    assert message in str(error.value)


@check_cases(
    ("instance_type", "message"),
    [
        ("ml.c7g.xlarge", "cannot process: SageMaker has Graviton only for endpoints; use for example ml.c7i.xlarge"),
        ("ml.inf2.xlarge", "cannot process: Inferentia serves models only; use for example ml.m7i.large"),
        ("ml.m5.larg", "cannot process: SageMaker has no such processing instance; did you mean 'ml.m5.large'?"),
    ],
)
def test_an_instance_type_that_cannot_process_is_rejected(instance_type: str, message: str) -> None:
    with pytest.raises(UserError, match=re.escape(message)):
        PROCESSING.check(make_run({"compute": {"instance_type": instance_type}}).spec)


def test_a_job_is_capped_isolated_encrypted_and_has_the_data_preparation_role() -> None:
    request = build_request()
    assert request["RoleArn"] == "arn:aws:iam::123456789012:role/acme-dev-data-preparation"
    assert request["StoppingCondition"] == {"MaxRuntimeInSeconds": 1800}
    assert request["NetworkConfig"] == {"EnableNetworkIsolation": True}
    cluster = request["ProcessingResources"]["ClusterConfig"]
    assert (cluster["VolumeKmsKeyId"], request["ProcessingOutputConfig"]["KmsKeyId"]) == (KEY, KEY)
    local = build_request(compute={"instance_type": "ml.g5.xlarge"})
    assert "VolumeKmsKeyId" not in local["ProcessingResources"]["ClusterConfig"]


@check_cases("changes", [{}, {"arguments": {}}, SPARK, {"compute": {"instance_count": 4}}])
def test_botocore_accepts_the_request(changes: dict[str, Any]) -> None:
    client = boto3.client("sagemaker", region_name="eu-north-1", aws_access_key_id="x", aws_secret_access_key="x")  # noqa: S106 - not a secret
    arn = "arn:aws:sagemaker:eu-north-1:123456789012:processing-job/prepare-1"
    with Stubber(client) as stub:
        stub.add_response("create_processing_job", {"ProcessingJobArn": arn}, build_request(**changes))
        assert client.create_processing_job(**build_request(**changes))["ProcessingJobArn"] == arn


def test_the_maximum_number_of_variables_fits_beside_the_launchers() -> None:
    limit = ProcessingSpec.model_json_schema()["properties"]["environment"]["maxProperties"]
    assert len(build_request(environment={f"V{number}": "x" for number in range(limit)})["Environment"]) == 100


def test_inputs_are_sharded_or_replicated_and_include_the_code() -> None:
    sharding = {
        item["InputName"]: (item["S3Input"]["LocalPath"], item["S3Input"]["S3DataDistributionType"])
        for item in build_request()["ProcessingInputs"]
    }
    assert sharding == {
        "flights": ("/opt/ml/processing/input/flights", "ShardedByS3Key"),
        "airports": ("/opt/ml/processing/input/airports", "FullyReplicated"),
        "code": ("/opt/ml/processing/input/code", "FullyReplicated"),
    }


def test_outputs_are_under_the_run_key_in_the_bucket_of_their_data_class() -> None:
    key = make_run({}).key
    outputs = {
        output["OutputName"]: output["S3Output"]["S3Uri"]
        for output in build_request()["ProcessingOutputConfig"]["Outputs"]
    }
    assert outputs == {
        "train": f"s3://acme-dev-data/re-creatable/prepare/{key}/train/",
        "report": f"s3://acme-dev-artifacts/runs/prepare/{key}/report/",
    }


def test_the_entry_command_unpacks_the_source_and_runs_the_script(tmp_path: Path) -> None:
    application = build_request()["AppSpecification"]
    folder = tmp_path / "opt" / "ml" / "processing" / "input" / "code"
    folder.mkdir(parents=True)
    (tmp_path / "prepare.py").write_text("import sys, helper; print(*sys.argv[1:]); raise SystemExit(helper.CODE)")
    (tmp_path / "helper.py").write_text("CODE = 7")
    (folder / "source.tar.gz").write_bytes(
        pack_source_folder(SourceSpec(entry_point="prepare.py", include=["*.py"]), tmp_path).archive
    )
    command = [*application["ContainerEntrypoint"], *application["ContainerArguments"]]
    local_command = [part.replace("/opt/ml", str(tmp_path / "opt" / "ml")) for part in command]
    message = tmp_path / "message"
    environment = {**os.environ, **build_request()["Environment"], "SMLOPS_MEASURED_MESSAGE": str(message)}
    completed = subprocess.run(local_command, capture_output=True, text=True, check=False, env=environment)
    assert completed.returncode == 7
    assert completed.stdout.startswith("--months 12 --late 15.5 --verbose true --unit min\n")
    description = {"ExitMessage": message.read_text(), "FailureReason": "exit code: 7"}
    assert PROCESSING.read_counters(description)["wall_seconds"] > 0
    assert PROCESSING.read_record_fields(description)["failure_reason"] == "exit code: 7"
    # The exit message is a reason only if the job failed.
    assert PROCESSING.read_record_fields({"ExitMessage": "12 months"})["failure_reason"] is None
    own = {"ExitMessage": "no flights", "FailureReason": "exit code: 7"}
    assert (PROCESSING.read_counters(own), PROCESSING.read_record_fields(own)["failure_reason"]) == ({}, "no flights")
    (folder / "source.tar.gz").write_bytes(b"no archive")
    assert subprocess.run(local_command, capture_output=True, check=False).returncode not in (0, 7)


def test_spark_submits_the_script_and_transfers_the_data_itself() -> None:
    request = build_request(**SPARK, compute={"instance_count": 3})
    assert request["AppSpecification"]["ContainerEntrypoint"][-2:] == [
        "smspark-submit",
        "/opt/ml/processing/input/code/prepare.py",
    ]
    by_itself = {item["InputName"]: item["AppManaged"] for item in request["ProcessingInputs"]}
    assert by_itself == {"flights": True, "airports": True, "code": False}
    assert all(output["AppManaged"] for output in request["ProcessingOutputConfig"]["Outputs"])


@pytest.mark.slow
def test_spark_has_a_processing_image_and_other_frameworks_use_the_training_image() -> None:
    def find_address(framework: str, version: str) -> str:
        image = FrameworkImage(framework=framework, version=version)
        return find_image_address(image, "eu-north-1", "ml.m5.large", "processing").partition("/")[2]

    assert find_address("spark", "3.5") == "sagemaker-spark-processing:3.5-cpu-py312"
    assert find_address("sklearn", "1.4-2") == "sagemaker-scikit-learn:1.4-2-cpu-py3"
    assert make_run({"image": {"framework": "sklearn", "version": "1"}}).spec.uses_spark is False
    spark = {**SPARK, "image": {"framework": "spark", "version": "3.5"}}
    assert make_run(spark).spec.uses_spark is True


def test_a_request_can_contain_references_of_a_pipeline() -> None:
    reference = {"Get": "Parameters.ProcessingImage"}
    references = JobReferences(
        reference, reference, None, "s3://b/s", dict.fromkeys(("flights", "airports"), reference), "", None
    )
    outputs = {"train": reference, "report": reference}
    request = PROCESSING.build_request(make_run({}).spec, JobReferences(**{**vars(references), "outputs": outputs}))
    assert request["AppSpecification"]["ImageUri"] == reference
    assert request["ProcessingInputs"][0]["S3Input"]["S3Uri"] == reference
    assert request["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3Uri"] == reference
    assert not {"ProcessingJobName", "Tags"} & request.keys()


@check_cases(
    "changes",
    [
        {"arguments": {"months": 11}},
        {"inputs": {"flights": {"sharding": "replicated"}}},
        {"compute": {"instance_count": 2}},
        {"outputs": {"test": "re-creatable"}},
        {"environment": {"SEED": "1"}},
    ],
)
def test_the_run_key_depends_only_on_what_decides_the_outputs(changes: dict[str, Any]) -> None:
    same = {"name": "x", "limits": {"max_runtime_minutes": 9}, "compute": {"volume_gb": 99}, "tags": {"owner": "me"}}
    assert make_run(same).key == make_run({}).key
    assert make_run(changes).key != make_run({}).key


def end_job(launch: JobLaunch, **fields: Any) -> RunRecord:
    """Start the job, complete it with `fields` in its description, and return the stored record."""
    record, sagemaker = start(launch), launch.clients.sagemaker
    sagemaker.complete_processing(record.job_name, **fields)
    record = wait_for_job(record, sagemaker, show=lambda _: None)
    store(record, launch)
    return record


def test_a_run_is_followed_then_done_and_repeated_if_an_output_is_missing(
    cloud: Clients, write_processing: WriteJob, moments: Moments
) -> None:
    path = write_processing()
    first = prepare(PROCESSING, path, now=next(moments))
    assert first.decision == "start"
    start(first)
    assert prepare(PROCESSING, path, now=next(moments)).decision == "attach"
    cloud.sagemaker.complete_processing(first.record.job_name)
    repeated = prepare(PROCESSING, path, now=next(moments))
    assert (repeated.decision, repeated.record.status, len(cloud.sagemaker.jobs)) == ("done", "Completed", 1)

    forced = end_job(prepare(PROCESSING, path, force=True, now=next(moments)))
    assert forced.run_key == first.record.run_key
    assert forced.outputs["train"] == first.record.outputs["train"].replace("/train/", "-20261124-120003/train/")
    next_launch = prepare(PROCESSING, path, now=next(moments))
    assert (next_launch.decision, next_launch.record.outputs) == ("done", forced.outputs)
    bucket, prefix = S3Uri.parse(forced.outputs["report"])
    cloud.s3.delete_object(Bucket=bucket, Key=f"{prefix}part-0")
    assert prepare(PROCESSING, path, now=next(moments)).decision == "start"


@pytest.mark.usefixtures("cloud")
def test_the_record_counts_wall_time_per_instance_and_the_next_estimate_uses_it(
    write_processing: WriteJob, moments: Moments, tmp_path: Path
) -> None:
    launch = prepare(PROCESSING, write_processing(compute={"instance_count": 2}), now=next(moments))
    before = estimate_launch(launch, tmp_path)
    assert before.duration.value == pytest.approx(70)
    assert before.duration.basis == "assumed"
    assert not any("spot" in alternative.title for alternative in (before.cheapest, *before.others) if alternative)
    record = end_job(launch)
    assert record.kind == "processing"
    measured = {name: figure.value for name, figure in record.figures.items() if figure.basis == "measured"}
    assert measured == {"processing_seconds": 600, "billable_seconds": 600, "instance_seconds": 1200}
    assert record.figures["cost"].value > 0
    repeated = prepare(PROCESSING, write_processing(compute={"instance_count": 2}), force=True, now=next(moments))
    after = estimate_launch(repeated, tmp_path).duration
    assert (after.value, after.basis) == (600, "estimated")
    assert "measured in 1 earlier job of this run" in after.source


@pytest.mark.usefixtures("cloud")
def test_the_scripts_exit_message_is_the_reason_of_the_failure(write_processing: WriteJob, moments: Moments) -> None:
    launch = prepare(PROCESSING, write_processing(), now=next(moments))
    failed = {"ProcessingJobStatus": "Failed", "FailureReason": "exit code: 1"}
    record = end_job(launch, **failed, ExitMessage="no flights in March")
    assert (record.status, record.failure_reason) == ("Failed", "no flights in March")


@pytest.mark.usefixtures("cloud")
def test_a_missing_role_of_the_platform_is_named(write_processing: WriteJob) -> None:
    platform = {"region": "eu-north-1", "roles": {"training": "arn:aws:iam::123456789012:role/t"}}
    inline = {**platform, "buckets": {"data": "acme-dev-data", "artifacts": "acme-dev-artifacts"}}
    path = write_processing(platform=inline)
    with pytest.raises(UserError, match=r"platform\.roles\.data_preparation: is missing; set the role"):
        prepare(PROCESSING, path)
