"""Tests of `smlops teardown`."""

import json
import re
import shlex
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.main import get_command

from sagemaker_sandbox.client import make_client
from sustainable_mlops.commands.teardown import app
from sustainable_mlops.errors import UserError
from sustainable_mlops.operations import teardown
from sustainable_mlops.program import run
from sustainable_mlops.terraform import ROOT, Progress, Terraform
from tests.provider import alone

SANDBOX = "smlops sandbox exec -- "
GROUP = "smlops-test-fraud"
STATE = "state-of-smlops-test"
TRUST = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
#: A domain with one user. People add spaces, apps and users that the state does not have.
STUDIO = {
    "aws_iam_role": {
        "studio": {
            "name": "smlops-test-studio",
            "assume_role_policy": json.dumps({"Version": "2012-10-17", "Statement": [TRUST]}),
        }
    },
    "aws_sagemaker_domain": {
        "team": {
            "domain_name": "smlops-test",
            "auth_mode": "IAM",
            "vpc_id": "vpc-1",
            "subnet_ids": ["subnet-1"],
            "default_user_settings": {"execution_role": "${aws_iam_role.studio.arn}"},
        }
    },
    "aws_sagemaker_user_profile": {"ana": {"domain_id": "${aws_sagemaker_domain.team.id}", "user_profile_name": "ana"}},
}


def synthesize(folder: Path) -> None:
    """Stands for `smlops synth`: the setting reaches the modules."""
    protected = "deletion_protection: false" not in (folder / "settings.yaml").read_text().splitlines()
    settings = {"name_prefix": "smlops-test", "account_id": "123456789012", "region": "eu-north-1"}
    registry = {"model_package_groups": {"fraud": {"description": "Is it fraud?"}}}
    modules = {
        name: {"source": f"./modules/{name}", **settings, "deletion_protection": protected, **more}
        for name, more in {"storage": {}, "model_registry": registry}.items()
    }
    platform = {"region": "eu-north-1", "model_package_groups": {"fraud": GROUP}}
    backend = {"bucket": STATE, "key": "terraform.tfstate", "region": "eu-north-1", "use_lockfile": True}
    body = {
        "terraform": {"backend": {"s3": backend}},
        "provider": {"aws": {"region": "eu-north-1"}},
        "module": modules,
        "resource": STUDIO,
        "output": {"platform": {"value": platform}},
    }
    (folder / "main.tf.json").write_text(json.dumps(body))


def run_teardown(*arguments: str) -> int | str | None:
    """Return the exit code of `smlops teardown` without a terminal."""
    with pytest.raises(SystemExit) as ended:
        run(lambda: get_command(app)(list(arguments), prog_name="smlops teardown"))
    return ended.value.code


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Start a sandbox for this test alone, and direct the AWS clients of this process to it."""
    with alone(tmp_path / "log") as (sandbox, variables):
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        yield sandbox


@pytest.fixture
def environment(tmp_path: Path, own: Any) -> Terraform:
    """Apply a protected environment on the sandbox, with an object and a model package."""
    folder = tmp_path / "prod env"  # a path that a shell has to be given in quotes
    folder.mkdir()
    (folder / "modules").symlink_to(ROOT / "modules")
    (folder / "settings.yaml").write_text("environment: prod")
    (folder / "main.tf").touch()
    synthesize(folder)
    s3 = own.client("s3")
    s3.create_bucket(Bucket=STATE, CreateBucketConfiguration={"LocationConstraint": "eu-north-1"})
    s3.put_bucket_versioning(Bucket=STATE, VersioningConfiguration={"Status": "Enabled"})
    terraform = Terraform(folder)
    terraform.init()
    terraform.apply()
    bucket = next(name for name in own.inventory()["s3"]["bucket"] if name.startswith("smlops-test-"))
    s3.put_object(Bucket=bucket, Key="model", Body=b"model")
    sagemaker = own.client("sagemaker")
    sagemaker.create_model_package(ModelPackageGroupName=GROUP, ModelPackageDescription="a version")
    open_studio(sagemaker)
    return terraform


def open_studio(sagemaker: Any) -> None:
    """Create the resources that people create in Studio: a user, a space with its app, and an app of a user."""
    domain = {"DomainId": sagemaker.list_domains()["Domains"][0]["DomainId"]}
    sagemaker.create_user_profile(**domain, UserProfileName="ben")
    sagemaker.create_space(
        **domain,
        SpaceName="lab",
        SpaceSettings={"AppType": "JupyterLab"},
        OwnershipSettings={"OwnerUserProfileName": "ana"},
        SpaceSharingSettings={"SharingType": "Private"},
    )
    sagemaker.create_app(**domain, SpaceName="lab", AppType="JupyterLab", AppName="default")
    machine = {"ResourceSpec": {"InstanceType": "ml.t3.medium"}}
    sagemaker.create_app(**domain, UserProfileName="ben", AppType="KernelGateway", AppName="kernel", **machine)


@pytest.mark.apply
def test_the_commands_printed_for_a_protected_environment_take_it_down(
    environment: Terraform, own: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, before = environment.folder, own.inventory()
    assert (run_teardown(str(folder)), own.inventory()) == (2, before), "nothing is deleted"
    reason, *commands = capsys.readouterr().err.splitlines()
    assert "deletion_protection is on, so nothing was deleted" in reason
    assert "Instance cannot be destroyed" not in reason
    turn_off, synth, forget, apply, last = (command.removesuffix(" &&").removeprefix(SANDBOX) for command in commands)
    assert (synth, last) == ("smlops synth 'prod env'", f"smlops teardown '{folder}'")

    def paste(command: str) -> None:
        subprocess.run(command, shell=True, check=True, input="yes\n", text=True, capture_output=True)  # noqa: S602

    paste(turn_off)
    synthesize(folder)
    paste(forget)
    paste(apply)
    capsys.readouterr()
    assert run_teardown(str(folder)) == 2, "asked for, and nobody to ask"
    (refused,) = capsys.readouterr().err.splitlines()
    assert "--yes deletes everything" in refused
    assert run_teardown(str(folder), "--yes") == 0
    assert "sagemaker" not in own.inventory(), "no group, domain, user, space or app"
    assert [name for name in own.inventory()["s3"]["bucket"] if "smlops-test" in name] == [STATE]

    *_, stays, remove = capsys.readouterr().err.splitlines()
    assert f"The state bucket {STATE} stays" in stays
    paste(remove.removeprefix(SANDBOX))
    assert STATE not in str(own.inventory())


@pytest.mark.plan
def test_an_uninitialized_environment_is_reported_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("AWS_ACCESS_KEY_ID", raising=False)
    folder = Path("envs/x")
    folder.mkdir(parents=True)
    backend = '{"terraform": {"backend": {"s3": {"bucket": "b", "key": "k", "region": "eu-north-1"}}}}'
    for text in (backend, '{"module": {"x": {"source": "./x"}}}', '{"resource": {"aws_s3_bucket": {"x": {}}}}'):
        (folder / "main.tf.json").write_text(text)
        terraform = teardown.make_terraform(folder)
        for command in (partial(terraform.run, "plan"), terraform.apply):
            with pytest.raises(UserError) as refused:
                command()
            assert re.fullmatch(r"envs/x is not initialized: run `\S+ -chdir=envs/x init`", str(refused.value)), text


def test_guards_are_found_in_modules_of_any_name_and_author(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    address = 'module.team["data science"].module.storage.terraform_data.deletion_protection'
    monkeypatch.setattr(Terraform, "run", lambda *_: f'module.storage.aws_s3_bucket.this\n{address}["data"]\n')
    with pytest.raises(UserError, match="set deletion_protection = false in its modules, and run") as refused:
        teardown.destroy(Terraform(tmp_path))
    forget = next(command for command in refused.value.remedy if " state rm " in command)
    assert shlex.split(forget)[-1] == address


def test_a_setting_is_turned_off_wherever_it_stands(tmp_path: Path) -> None:
    settings = tmp_path / "settings.yaml"
    for text in ("a: 1", "a: 1\ndeletion_protection: true # data\nb: 2\n", "deletion_protection : true\n"):
        settings.write_text(text)
        (command,) = teardown.list_setting_commands(settings)
        subprocess.run(command, shell=True, check=True)  # noqa: S602
        assert "deletion_protection: false" in settings.read_text().splitlines()
        assert not list(teardown.list_setting_commands(settings)), "that key is turned"
        assert [path.name for path in tmp_path.iterdir()] == ["settings.yaml"]


OTHER, PREFIX = "222222222222", "smlops-late"
SHARED, OWN = "/aws/sagemaker/TrainingJobs", f"/aws/sagemaker/Endpoints/{PREFIX}-fraud"


class Destroyed(Terraform):
    """An environment whose state has these log groups; `apply` destroys nothing and then runs `late`."""

    def __init__(self, folder: Path, account: str, late: Callable[[], None] = lambda: None) -> None:
        super().__init__(folder)
        self.account, self.late, self.applied = account, late, 0
        text = f"account_id: '{account}'\nregion: eu-north-1\nname_prefix: {PREFIX}\n"
        (folder / "settings.yaml").write_text(text)

    def run(self, *_: str) -> str:
        return ""

    def read_outputs(self) -> dict[str, Any]:
        return {}

    def list_attributes(self, resource_type: str) -> list[dict[str, Any]]:
        names = [SHARED, OWN] if resource_type == "aws_cloudwatch_log_group" else []
        return [{"arn": f"arn:aws:logs:eu-north-1:{self.account}:log-group:{name}"} for name in names]

    def apply(self, *_: str, progress: Callable[[Progress], None] = lambda _: None) -> Progress:
        self.applied += 1
        self.late()
        progress(Progress(2, 2))
        return Progress(2, 2)


def log_in(logs: Any, *jobs: str) -> None:
    """Write what jobs write: the group first, then a stream each."""
    with suppress(logs.exceptions.ResourceAlreadyExistsException):
        logs.create_log_group(logGroupName=SHARED)
    for job in jobs:
        logs.create_log_stream(logGroupName=SHARED, logStreamName=f"{job}/algo-1-1")


def group_names(logs: Any) -> set[str]:
    return {group["logGroupName"] for group in logs.describe_log_groups()["logGroups"]} & {SHARED, OWN}


@pytest.mark.slow
def test_late_log_groups_are_deleted_with_the_role_and_in_its_account_alone(own: Any, tmp_path: Path) -> None:
    here = own.client("logs")
    there = make_client("logs", "eu-north-1", own.endpoint, account=OTHER)
    for logs in (here, there):
        log_in(logs, f"{PREFIX}-job")
    terraform = Destroyed(tmp_path, OTHER)
    with pytest.raises(UserError, match=f"credentials are of account 123456789012 .* in account {OTHER}: nothing was"):
        teardown.destroy(terraform, late_seconds=0.1)
    assert (terraform.applied, group_names(here), group_names(there)) == (0, {SHARED}, {SHARED})

    with (tmp_path / "settings.yaml").open("a") as file:
        file.write(f"assume_role_arn: arn:aws:iam::{OTHER}:role/OrganizationAccountAccessRole\n")
    assert teardown.destroy(terraform, late_seconds=0.1) == 2
    assert (terraform.applied, group_names(here), group_names(there)) == (1, {SHARED}, set())


@pytest.mark.slow
def test_a_shared_log_group_with_a_job_of_somebody_else_stays(own: Any, tmp_path: Path) -> None:
    logs, messages = own.client("logs"), list[str]()
    terraform = Destroyed(tmp_path, "123456789012", lambda: log_in(logs, f"{PREFIX}-job", "theirs"))
    logs.create_log_group(logGroupName=OWN)
    teardown.destroy(terraform, late_seconds=0.1, say=messages.append)
    assert group_names(logs) == {SHARED}
    (line,) = messages
    assert line.startswith(f"log group {SHARED} stays: theirs/algo-1-1 belongs to a job of another environment")


@pytest.mark.slow
def test_no_late_logs_are_looked_for_within_0_seconds_and_a_refusal_is_one_line(own: Any, tmp_path: Path) -> None:
    logs = own.client("logs")
    terraform = Destroyed(tmp_path, "123456789012", lambda: log_in(logs))
    assert teardown.destroy(terraform, late_seconds=0) == 2
    assert group_names(logs) == {SHARED}
    own.fault("logs:DeleteLogGroup", error="AccessDeniedException")
    with pytest.raises(UserError, match=f"everything of the environment is destroyed; its log group {SHARED} may"):
        teardown.destroy(terraform, late_seconds=0.1)


def test_a_job_is_the_environments_own_by_its_role() -> None:
    described = {"RoleArn": "arn:aws:iam::123456789012:role/smlops-late-training"}
    sagemaker = SimpleNamespace(describe_training_job=lambda **_: described)
    account: Any = SimpleNamespace(client=lambda *_: sagemaker)
    group = teardown.LogGroup("123456789012", "eu-north-1", SHARED)
    for roles, is_own in ((frozenset(described.values()), True), (frozenset[str](), False)):
        late = teardown.LateLogGroups(account, teardown.Owner(PREFIX, roles), print)
        assert late._is_own(group, "pipelines-abc-Train") is is_own
