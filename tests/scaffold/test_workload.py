"""A new workload passes the tests unedited and trains on its platform."""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from sustainable_mlops.aws.s3 import S3Uri
from sustainable_mlops.errors import UserError
from sustainable_mlops.scaffold import workload
from sustainable_mlops.scaffold.framework import Framework
from tests.cases import check_cases
from tests.jobs.support import PLATFORM, merge_changes
from tests.sandbox.support import make_role
from tests.scaffold.conftest import Clone, commands

PARAMETER = "/sustainable-mlops/dev/platform"
BUCKETS = {purpose: f"smlops-dev-{purpose}-123456789012-eu-north-1" for purpose in ("data", "artifacts")}


@pytest.fixture
def platform(sandbox: Any) -> Iterator[dict[str, str]]:
    """Create the resources of an environment that launchers use; return environment variables for processes."""
    s3, ssm = sandbox.client("s3"), sandbox.client("ssm")
    for bucket in BUCKETS.values():
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-north-1"})
    published = json.dumps(merge_changes(PLATFORM, {"buckets": BUCKETS, "kms_key_arn": None}))
    ssm.put_parameter(Name=PARAMETER, Value=published, Type="String")
    for phase in ("training", "inference"):
        make_role(sandbox, f"acme-dev-{phase}")
    yield sandbox.environment
    ssm.delete_parameter(Name=PARAMETER)
    for bucket in BUCKETS.values():
        for entry in s3.list_objects_v2(Bucket=bucket).get("Contents", []):
            s3.delete_object(Bucket=bucket, Key=entry["Key"])
        s3.delete_bucket(Bucket=bucket)


@pytest.mark.slow
@pytest.mark.parametrize("framework", Framework)
def test_new_workloads_pass_the_tests_unedited_train_and_predict(
    framework: Framework, scratch: Clone, sandbox: Any, platform: dict[str, str]
) -> None:
    printed = scratch.run("scripts/new.py", "workload", "newcomer", "--framework", framework)
    own = {"README.md", "features.py", "inference.py", "job.yaml", "predict.yaml", "train.py"}
    own |= {"checkpoints.py"} if framework is Framework.XGBOOST else set()
    assert set(scratch.new_files()) == {f"workloads/newcomer/{name}" for name in own} | {
        "tests/workloads/newcomer/test_newcomer.py"
    }
    scratch.lint("workloads/newcomer", "tests/workloads/newcomer")
    assert "skipped" not in scratch.python("-m", "pytest", "-q", "-p", "no:xdist", "tests/workloads/newcomer")

    chance = np.random.default_rng(1)
    rows = [f"{number:.3f},{int(number > 0)}" for number in chance.normal(size=200)]
    (scratch.folder / "train.csv").write_text("\n".join(["amount,label", *rows]))
    (scratch.folder / "ask.csv").write_text("amount\n-3\n3\n")
    *copies, dry_run, train, predict = commands(printed)
    scratch.shell(copies, **platform)
    output = json.loads(scratch.shell([f"{dry_run} --json"], **platform))
    assert output["request"]["EnableManagedSpotTraining"]
    assert output["source"]["left_out"] == []
    scratch.shell([train], **platform)
    (record,) = (scratch.folder / "out" / "runs").glob("*.json")
    run = json.loads(record.read_text())
    assert run["status"] == "Completed"
    assert run["metrics"]["held_out:auc"] > 0.9
    predicted = json.loads(scratch.shell([f"{predict} --json"], **platform))["record"]
    assert predicted["status"] == "Completed"
    bucket, key = S3Uri.parse(f"{predicted['outputs']['predictions']}ask.csv.out")
    low, high = map(float, sandbox.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read().split())
    assert low < 0.2 < 0.8 < high


@check_cases(
    ("name", "environment", "message"),
    [
        ("Churn", "dev", "'Churn' must be 3 to 24 lower-case letters, digits and single underscores"),
        (
            "class",
            "dev",
            "'class' must be 3 to 24 lower-case letters, digits and single underscores, and not a Python keyword",
        ),
        ("flight_delay", "dev", "workloads/flight_delay: already exists; choose another name"),
        ("flight_delay", "dve", "--environment: no environment is named dve; did you mean 'dev'?"),
    ],
)
def test_invalid_options_are_one_line_errors(name: str, environment: str, message: str) -> None:
    with pytest.raises(UserError) as error:
        workload.create(name, environment)
    assert message in str(error.value)
