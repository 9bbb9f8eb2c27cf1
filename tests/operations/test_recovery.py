"""Interrupted operations: the lock of the state, `smlops recover`, and random faults with the documented commands."""

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from sagemaker_sandbox import Sandbox
from sustainable_mlops.authoring.resource_table import IMPORT_IDS
from sustainable_mlops.commands.recover import app
from sustainable_mlops.errors import UserError
from sustainable_mlops.operations import recovery
from sustainable_mlops.program import run
from sustainable_mlops.terraform import Diagnostic, Terraform, find_engine, make_environment
from tests.cases import check_cases
from tests.operations.chaos.case import Case, FaultKind, Operation
from tests.operations.chaos.run import Chaos
from tests.provider import alone
from tests.sandbox.support import IMAGE, make_role, wait_until

STATE = "state-of-recovery"
LOCK = "terraform.tfstate.tflock"
#: An apply without a provider, which lasts until the file `go` exists.
WAITING = """
terraform {
  backend "s3" {
    bucket       = "state-of-recovery"
    key          = "terraform.tfstate"
    region       = "eu-north-1"
    use_lockfile = true
  }
}

variable "version_name" {
  type    = string
  default = "one"
}

resource "terraform_data" "slow" {
  triggers_replace = var.version_name
  provisioner "local-exec" {
    command = "touch started; until [ -e go ]; do sleep 0.05; done"
  }
}
"""
ROLE = """
provider "aws" {
  region = "eu-north-1"
  default_tags {
    tags = { environment = "lab" }
  }
}

resource "aws_iam_role" "this" {
  name               = "lab-training"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [] })
}

resource "aws_cloudwatch_log_group" "this" {
  name = "lab"
}

resource "aws_sagemaker_model_package_group" "this" {
  model_package_group_name = "lab"
}
"""
MODEL = (
    ROLE.replace(
        "Statement = []",
        """Statement = [
    { Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "sagemaker.amazonaws.com" } }
  ]""",
    )
    + """
resource "aws_sagemaker_model" "this" {
  execution_role_arn = aws_iam_role.this.arn
  primary_container {
    image = "IMAGE"
  }
}
"""
)
#: Name that the provider generates for a model.
GENERATED_MODEL = "terraform-2026010210304012340000000a"
#: A seed for each operation, whose program is killed.
SEEDS = {Operation.APPLY: 14, Operation.LAUNCH: 3311645098, Operation.PIPELINE: 30, Operation.PROMOTION: 9}


def recover(*arguments: str) -> int:
    """Run `smlops recover` and return its exit code."""
    with pytest.raises(SystemExit) as ended:
        run(lambda: get_command(app)(list(arguments), prog_name="smlops recover"))
    return int(ended.value.code or 0)


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Sandbox, dict[str, str]]]:
    """Yield a sandbox with a bucket for states, and the variables for Terraform."""
    with alone(tmp_path_factory.mktemp("recovery") / "log") as (sandbox, variables):
        sandbox.client("s3").create_bucket(Bucket=STATE, CreateBucketConfiguration={"LocationConstraint": "eu-north-1"})
        yield sandbox, variables


@pytest.fixture
def variables(own: tuple[Sandbox, dict[str, str]], monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Return the variables for Terraform, which are those of this process too."""
    for name, value in own[1].items():
        monkeypatch.setenv(name, value)
    return make_environment(own[1])


@pytest.mark.apply
def test_a_second_apply_fails_by_the_lock_or_waits_and_a_killed_one_is_recovered(
    tmp_path: Path, own: tuple[Sandbox, dict[str, str]], variables: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "main.tf").write_text(WAITING)
    terraform, s3 = Terraform(tmp_path), own[0].client("s3")
    terraform.init()

    def start(*options: str) -> "subprocess.Popen[str]":
        command = [find_engine().path, "apply", "-auto-approve", "-no-color", *options]
        streams: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        return subprocess.Popen(command, cwd=tmp_path, env=variables, start_new_session=True, **streams)

    def is_locked() -> bool:
        return any(item["Key"] == LOCK for item in s3.list_objects_v2(Bucket=STATE).get("Contents", []))

    first = start()
    wait_until((tmp_path / "started").exists)
    second = start()
    output = second.communicate()[0]
    assert second.returncode == 1
    assert "Error acquiring the state lock" in output
    assert "PreconditionFailed" in output
    waiting = start("-lock-timeout=10m")
    (tmp_path / "go").touch()
    assert "Apply complete! Resources: 1 added" in first.communicate()[0]
    assert "Apply complete! Resources: 0 added" in waiting.communicate()[0]
    assert not is_locked()

    for name in ("started", "go"):
        (tmp_path / name).unlink()
    killed = start("-var=version_name=two")
    wait_until((tmp_path / "started").exists)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.communicate()
    assert is_locked()
    (tmp_path / "go").touch()
    assert recover(str(tmp_path), "--yes") == 2
    problem, command = capsys.readouterr().err.splitlines()[-2:]
    assert re.search(r"the state is locked by \S+@\S+ \(OperationTypeApply\) since 20\S+ \S+ UTC", problem)
    _, _, folder, unlock, lock_id = command.split()
    assert (folder, unlock) == (str(tmp_path), "--unlock")
    terraform.run("force-unlock", "-force", lock_id)  # as on the page; `--unlock` does the same
    assert not is_locked()
    assert recover(str(tmp_path), "--yes") == 0
    assert terraform.is_up_to_date(tmp_path / "tfplan")


@pytest.mark.apply
def test_resources_of_a_lost_state_are_imported_unless_they_belong_to_something_else(
    tmp_path: Path, own: tuple[Sandbox, dict[str, str]], variables: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    del variables
    sandbox = own[0]
    (tmp_path / "main.tf").write_text(ROLE)
    terraform = Terraform(tmp_path)
    terraform.init()
    terraform.apply()
    created_at = sandbox.client("iam").get_role(RoleName="lab-training")["Role"]["CreateDate"]
    terraform.run("state", "rm", "aws_iam_role.this", "aws_cloudwatch_log_group.this")
    assert recover(str(tmp_path), "--yes") == 0
    assert "2 resources imported" in " ".join(capsys.readouterr().err.split())
    assert terraform.is_up_to_date(tmp_path / "tfplan")
    assert sandbox.client("iam").get_role(RoleName="lab-training")["Role"]["CreateDate"] == created_at

    terraform.run("state", "rm", "aws_iam_role.this")
    iam = sandbox.client("iam")
    iam.delete_role(RoleName="lab-training")
    iam.create_role(RoleName="lab-training", AssumeRolePolicyDocument="{}")
    assert recover(str(tmp_path), "--yes") == 2
    assert "exists in AWS with other tags than the environment" in " ".join(capsys.readouterr().err.split())
    assert "aws_iam_role.this" not in terraform.run("state", "list")
    iam.delete_role(RoleName="lab-training")
    assert recover(str(tmp_path), "--yes") == 0
    terraform.apply("-destroy")


@pytest.mark.apply
def test_a_recovery_deletes_only_what_the_interrupted_apply_left(
    tmp_path: Path, own: tuple[Sandbox, dict[str, str]], variables: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    del variables
    sandbox, file = own[0], tmp_path / "main.tf"
    sagemaker, logs = sandbox.client("sagemaker"), sandbox.client("logs")
    file.write_text(MODEL.replace("IMAGE", IMAGE))
    terraform = Terraform(tmp_path)
    terraform.init()
    terraform.apply()
    (model,) = terraform.list_attributes("aws_sagemaker_model")
    role, other_role = model["execution_role_arn"], make_role(sandbox, "other")
    models = {
        GENERATED_MODEL: role,
        GENERATED_MODEL[:-1] + "b": other_role,  # of another root module
        "scores-0a1b2c3d": role,  # of a transform job
    }
    for name, arn in models.items():
        tags = [{"Key": "environment", "Value": "lab"}]
        sagemaker.create_model(ModelName=name, ExecutionRoleArn=arn, PrimaryContainer={"Image": IMAGE}, Tags=tags)

    created_at = sagemaker.describe_model_package_group(ModelPackageGroupName="lab")["CreationTime"]
    terraform.run("taint", "aws_sagemaker_model_package_group.this")
    group = 'resource "aws_cloudwatch_log_group" "this" {\n  name = "lab"\n}\n'
    assert group in file.read_text()
    file.write_text(file.read_text().replace(group, ""))
    assert recover(str(tmp_path), "--yes") == 2
    problem, command = capsys.readouterr().err.splitlines()[-2:]
    assert "the plan deletes aws_cloudwatch_log_group.this; nothing was applied" in problem
    assert command == f"smlops recover {tmp_path} --allow-deletes"
    assert logs.describe_log_groups(logGroupNamePrefix="lab")["logGroups"]
    assert GENERATED_MODEL in str(sagemaker.list_models()["Models"])

    assert recover(str(tmp_path), "--yes", "--allow-deletes") == 0
    assert not logs.describe_log_groups(logGroupNamePrefix="lab")["logGroups"]
    assert {one["ModelName"] for one in sagemaker.list_models()["Models"]} == {model["name"], *list(models)[1:]}
    assert sagemaker.describe_model_package_group(ModelPackageGroupName="lab")["CreationTime"] == created_at

    terraform.run("state", "rm", "aws_sagemaker_model_package_group.this")
    group = 'model_package_group_name = "lab"'
    file.write_text(file.read_text().replace(group, f'{group}\n  model_package_group_description = "new"'))
    assert recover(str(tmp_path), "--yes", "--allow-deletes") == 2
    assert "exists in AWS with other settings, and the plan would replace it" in capsys.readouterr().err
    assert "model_package_group" not in terraform.run("state", "list")
    sagemaker.delete_model_package_group(ModelPackageGroupName="lab")
    terraform.apply("-destroy")
    for name in list(models)[1:]:
        sagemaker.delete_model(ModelName=name)


def make_change(type_: str, actions: list[str], **fields: Any) -> dict[str, Any]:
    """Return a planned change of a resource `this`, as Terraform shows it."""
    values = fields.pop("after", {})
    return {"address": f"{type_}.this", "type": type_, "change": {"actions": actions, "after": values}, **fields}


@check_cases(
    "change, is_left",
    [
        (make_change("aws_sagemaker_model", ["create", "delete"]), True),
        (make_change("aws_sagemaker_model", ["delete"]), False),
        (make_change("aws_sagemaker_endpoint_configuration", ["delete"], deposed="1a2b3c4d"), True),
        (make_change("aws_sagemaker_endpoint", ["delete", "create"], action_reason="replace_because_tainted"), True),
        (make_change("aws_sagemaker_endpoint", ["delete", "create"]), False),
        (make_change("aws_s3_bucket", ["delete", "create"], action_reason="replace_because_tainted"), False),
        (make_change("aws_sagemaker_feature_group", ["delete"], deposed="1a2b3c4d"), False),
        (make_change("aws_sagemaker_model_package_group", ["create", "delete"]), False),
    ],
)
def test_only_resources_without_data_are_replaced(change: dict[str, Any], is_left: bool) -> None:
    assert recovery._is_left_by_apply(change) is is_left


@check_cases(
    "type_, after, identifier",
    [
        ("aws_iam_role_policy", {"role": "lab-training", "name": "read"}, "lab-training:read"),
        ("aws_scheduler_schedule", {"group_name": "lab", "name": "stop"}, "lab/stop"),
        ("aws_sagemaker_endpoint", {}, None),  # the name is known after apply
        ("aws_iam_policy", {"name": "lab"}, None),
        ("aws_security_group", {"name": "lab"}, None),
        ("aws_budgets_budget", {"name": "lab"}, None),
        ("aws_sns_topic", {"name": "lab"}, None),
        ("aws_sqs_queue", {"name": "lab"}, None),
    ],
)
def test_an_existing_resource_is_imported_only_by_a_known_id(
    type_: str, after: dict[str, str], identifier: str | None
) -> None:
    terraform, change = Terraform(Path("envs/dev")), make_change(type_, ["create"], after=after)
    if identifier:
        assert recovery._find_ids(terraform, [change], [change["address"]]) == {change["address"]: identifier}
    else:
        with pytest.raises(UserError, match="the plan does not know its ID; import it"):
            recovery._find_ids(terraform, [change], [change["address"]])


def test_imports_use_the_ids_of_the_pages() -> None:
    forms = {("name",): "name", ("bucket",): "bucket", ("role", "name"): "role:policy"}
    forms |= {("group_name", "name"): "group/name"}
    for type_, names in recovery._ID_ATTRIBUTES.items():
        if type_ in IMPORT_IDS:
            page = IMPORT_IDS[type_].replace("alias/name", "name")
            assert page == forms.get(names, "name"), type_


def test_an_import_needs_a_common_tag() -> None:
    change = make_change("aws_kms_alias", ["update"], after={"name": "alias/lab"})
    change["change"] |= {"before": {"name": "alias/lab"}, "importing": {"id": "alias/lab"}}
    with pytest.raises(UserError, match="have no common tag"):
        recovery._check_imports(Terraform(Path("envs/dev")), [change], [change["address"]])


def test_a_busy_resource_is_no_existing_one() -> None:
    changes = [make_change("aws_sagemaker_pipeline", ["update"]), make_change("aws_iam_role", ["create"])]
    errors = [
        Diagnostic("aws_sagemaker_pipeline.this", "ResourceInUse: Cannot update in-progress pipeline"),
        Diagnostic("aws_iam_role.this", "EntityAlreadyExists: Role with name lab already exists."),
    ]
    assert recovery._list_existing(errors, changes) == ["aws_iam_role.this"]


@check_cases(
    "name, is_generated",
    [
        ("lab-2026010210304012340000000b", True),
        ("lab-report", False),
        ("lab-2026010210304012340000000b-copy", False),
        ("other-2026010210304012340000000b", False),
    ],
)
def test_generated_names_have_a_prefix_of_the_state(name: str, is_generated: bool) -> None:
    assert recovery._is_generated(name, {"lab-"}) is is_generated


def run_case(seed: int) -> None:
    """Run the case of a seed, which kills; raise AssertionError unless it converges."""
    case = Case.draw(seed)
    assert (SEEDS[case.operation], case.kind) == (seed, FaultKind.KILLED)
    with Chaos() as chaos:
        result = chaos.run(Case.draw(seed))
    assert result.converged, result
    assert not result.problem, result


@pytest.mark.slow
def test_a_killed_launch_is_completed_by_the_same_command() -> None:
    run_case(SEEDS[Operation.LAUNCH])


@pytest.mark.release
@pytest.mark.parametrize("operation", list(Operation), ids=str)
def test_a_random_fault_is_repaired_by_the_documented_command(operation: Operation) -> None:
    run_case(SEEDS[operation])
