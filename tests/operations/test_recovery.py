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
from sustainable_mlops.commands.recover import app
from sustainable_mlops.program import run
from sustainable_mlops.terraform import Terraform, find_engine, make_environment
from tests.operations.chaos.case import Case, FaultKind, Operation
from tests.operations.chaos.run import Chaos
from tests.provider import alone
from tests.sandbox.support import wait_until

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
