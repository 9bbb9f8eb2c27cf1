"""The CreateTrainingJob request."""

import re
from datetime import datetime, timedelta, timezone
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from sustainable_mlops.aws.service_model import list_enum_values
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.settings import validate
from sustainable_mlops.jobs.channels import Channel
from sustainable_mlops.jobs.kinds import TRAINING
from sustainable_mlops.jobs.platform import Platform
from sustainable_mlops.jobs.run import Run
from sustainable_mlops.jobs.source import name_archive_folder
from sustainable_mlops.jobs.specs.training import TrainingSpec
from tests.cases import check_cases
from tests.jobs.support import JOB, PLATFORM, merge_changes

KEY = PLATFORM["kms_key_arn"]


def build_request(**changes: Any) -> dict[str, Any]:
    job = validate(merge_changes(JOB, changes), TrainingSpec, "job")
    checkpoints = None if job.checkpoints == "none" else "s3://acme-dev-artifacts/c/"
    channels = (Channel("train", "s3://acme-dev-data/flight_delay/train/", 1, 7, "d"),)
    run = Run(job, validate(PLATFORM, Platform, "platform"), "image", "digest", channels)
    return TRAINING.build_named_request(run, "flight-delay-1", checkpoints, {})


def test_the_defaults_are_spot_checkpoints_a_cap_isolation_encryption_and_no_profiling() -> None:
    request = build_request()
    assert request["EnableManagedSpotTraining"]
    assert request["CheckpointConfig"] == {"S3Uri": "s3://acme-dev-artifacts/c/", "LocalPath": "/opt/ml/checkpoints"}
    assert request["Environment"] == {"CHECKPOINT_DIR": "/opt/ml/checkpoints", "SMLOPS_ENTRY_POINT": "train.py"}
    assert request["StoppingCondition"] == {"MaxRuntimeInSeconds": 1800, "MaxWaitTimeInSeconds": 3600}
    assert request["EnableNetworkIsolation"]
    assert request["ResourceConfig"]["VolumeKmsKeyId"] == KEY == request["OutputDataConfig"]["KmsKeyId"]
    assert request["ProfilerConfig"] == {"DisableProfiler": True}
    assert not {"RetryStrategy", "DebugHookConfig", "VpcConfig"} & request.keys()
    assert "KeepAlivePeriodInSeconds" not in request["ResourceConfig"]


def test_botocore_accepts_the_request() -> None:
    client = boto3.client("sagemaker", region_name="eu-north-1", aws_access_key_id="x", aws_secret_access_key="x")  # noqa: S106 - not a secret
    arn = "arn:aws:sagemaker:eu-north-1:123456789012:training-job/flight-delay-1"
    with Stubber(client) as stub:
        stub.add_response("create_training_job", {"TrainingJobArn": arn}, build_request())
        assert client.create_training_job(**build_request())["TrainingJobArn"] == arn


def test_a_channel_is_sharded_if_the_job_file_says_so() -> None:
    request = build_request(compute={"instance_count": 2}, sharding={"train": "by_key"})
    distribution = {
        channel["ChannelName"]: channel["DataSource"]["S3DataSource"]["S3DataDistributionType"]
        for channel in request["InputDataConfig"]
    }
    assert distribution == {"train": "ShardedByS3Key", "code": "FullyReplicated"}


def test_on_demand_has_no_maximum_wait_and_can_have_a_warm_pool() -> None:
    request = build_request(compute={"spot": False, "keep_alive_minutes": 10}, checkpoints="none")
    assert request["StoppingCondition"] == {"MaxRuntimeInSeconds": 1800}
    assert request["ResourceConfig"]["KeepAlivePeriodInSeconds"] == 600
    assert "CheckpointConfig" not in request


def test_the_code_is_a_channel_that_an_isolated_container_can_read() -> None:
    request = build_request()
    code = next(channel for channel in request["InputDataConfig"] if channel["ChannelName"] == "code")
    assert (
        code["DataSource"]["S3DataSource"]["S3Uri"]
        == f"s3://acme-dev-artifacts/source/flight-delay/{name_archive_folder('digest')}/source.tar.gz"
    )
    assert request["HyperParameters"]["sagemaker_submit_directory"] == "/opt/ml/input/data/code/source.tar.gz"
    assert request["HyperParameters"]["sagemaker_program"] == "smlops_measure.py"


def test_the_maximum_number_of_variables_fits_beside_the_launchers() -> None:
    limit = TrainingSpec.model_json_schema()["properties"]["environment"]["maxProperties"]
    assert len(build_request(environment={f"V{number}": "x" for number in range(limit)})["Environment"]) <= 100


def test_the_maximum_number_of_metrics_fits_beside_the_counters() -> None:
    limit = TrainingSpec.model_json_schema()["properties"]["metrics"]["maxProperties"]
    definitions = build_request(
        metrics={"validation:auc": ..., **{f"m{number}": f"m{number}=(.)" for number in range(limit)}}
    )["AlgorithmSpecification"]["MetricDefinitions"]
    assert len(definitions) == 40, "SageMaker's limit"
    assert len({definition["Name"] for definition in definitions}) == 40


def test_hyperparameters_keep_their_types() -> None:
    hyperparameters = {
        "n": 240,
        "eta": 0.06,
        "flag": True,
        "text": "auc",
        "digits": "007",
        "word": "true",
        "quoted": '"x"',
    }
    encoded = build_request(hyperparameters=hyperparameters)["HyperParameters"]
    assert (encoded["n"], encoded["flag"], encoded["text"], encoded["digits"]) == ("240", "true", "auc", "007")
    assert (encoded["word"], encoded["quoted"]) == ('"true"', '"\\"x\\""')


@check_cases("family", ["g4dn", "g5", "g6e", "p3dn", "p4d", "p5", "p6-b200", "r5d", "trn1", "trn2"])
def test_local_disks_have_no_volume_key(family: str) -> None:
    types = list_enum_values("TrainingInstanceType")
    instance_type = next(name for name in types if name.startswith(f"ml.{family}."))
    assert "VolumeKmsKeyId" not in build_request(compute={"instance_type": instance_type})["ResourceConfig"]


@check_cases("instance_type", ["ml.m5.large", "ml.c5n.xlarge", "ml.m7i-flex.large", "ml.p3.2xlarge", "ml.t3.large"])
def test_volumes_are_encrypted_with_the_platforms_key(instance_type: str) -> None:
    assert build_request(compute={"instance_type": instance_type})["ResourceConfig"]["VolumeKmsKeyId"] == KEY


@check_cases(
    ("instance_type", "message"),
    [
        (
            "ml.c7g.xlarge",
            "compute.instance_type: ml.c7g.xlarge cannot train: SageMaker has Graviton only for endpoints",
        ),
        ("ml.m8gd.medium", "Graviton only for endpoints; use for example ml.m7i.xlarge"),
        ("ml.inf2.xlarge", "cannot train: Inferentia serves models only; use for example ml.trn1.2xlarge"),
        ("ml.eia2.medium", "cannot train: Elastic Inference is no longer available; use an ml.inf2 type"),
        ("ml.m5.larg", "SageMaker has no such training instance; did you mean 'ml.m5.large'?"),
    ],
)
def test_an_instance_type_that_cannot_train_is_rejected(instance_type: str, message: str) -> None:
    with pytest.raises(UserError, match=re.escape(message)):
        TRAINING.check(validate(merge_changes(JOB, {"compute": {"instance_type": instance_type}}), TrainingSpec, "job"))


@check_cases(
    ("serving", "message"),
    [
        (
            {"realtime_instance_types": ["ml.m7g.large"]},
            "serving.realtime_instance_types: SageMaker has no instance type ml.m7g.large",
        ),
        (
            {"transform_instance_types": ["ml.c7g.large"]},
            "serving.transform_instance_types: SageMaker has no instance type ml.c7g.large",
        ),
        (
            {"realtime_instance_types": ["ml.inf1.xlarge"]},
            "serving.realtime_instance_types: ml.inf1.xlarge is legacy; use ml.inf2.xlarge",
        ),
        (
            {"realtime_instance_types": ["ml.c7i.large", "ml.c7g.large"]},
            "serving: ml.c7g.large is Arm and ml.c7i.large is x86, and no image runs on both; "
            "move ml.c7g.large to an entry of serving.additional",
        ),
        (
            {"additional": {"graviton": {"realtime_instance_types": ["ml.m7g.large"]}}},
            "serving.additional.graviton.realtime_instance_types: SageMaker has no instance type ml.m7g.large",
        ),
    ],
)
def test_an_instance_type_that_cannot_serve_is_rejected(serving: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        TRAINING.check(validate(merge_changes(JOB, {"serving": serving}), TrainingSpec, "job"))


def test_a_request_that_the_service_model_forbids_is_rejected_before_sending() -> None:
    with pytest.raises(UserError, match=r"x…' at hyperParameters.text: Map value .* length less than or equal to 2500"):
        build_request(hyperparameters={"text": "x" * 2501})
    platform = validate(
        merge_changes(PLATFORM, {"roles": {"training": "a-role-by-its-bare-name"}}), Platform, "platform"
    )
    run = Run(validate(JOB, TrainingSpec, "job"), platform, "image", "digest", ())
    with pytest.raises(UserError, match=r"'a-role-by-its-bare-name' at roleArn: .* write each role in platform.roles"):
        TRAINING.build_named_request(run, "n", "s3://b/c/", {})


def test_tags_identify_the_run_and_include_the_platforms_tags() -> None:
    tags = {tag["Key"]: tag["Value"] for tag in build_request(tags={"expires_on": "2026-12-31", "owner": "me"})["Tags"]}
    assert tags.items() >= {
        ("owner", "me"),
        ("environment", "dev"),
        ("workload", "flight-delay"),
        ("expires_on", "2026-12-31"),
    }
    assert re.fullmatch(r"[0-9a-f]{64}", tags["run_key"])


def test_the_longest_job_name_fits_and_contains_utc() -> None:
    noon_in_stockholm = datetime(2026, 11, 24, 12, 0, tzinfo=timezone(timedelta(hours=1)))
    name = TRAINING.make_job_name("n" * 40, "abcdef0123", noon_in_stockholm)
    assert name == f"{'n' * 40}-20261124-110000-abcdef"
    assert len(name) == 63
