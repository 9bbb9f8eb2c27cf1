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

from sagemaker_sandbox.base.client import make_client
from sustainable_mlops.account import teardown
from sustainable_mlops.account.applied_environment import make_terraform
from sustainable_mlops.account.teardown import destruction, state_bucket
from sustainable_mlops.account.teardown.deletion_protection import list_setting_commands
from sustainable_mlops.account.teardown.late_log_groups import JobMarks, LateLogGroups, LogGroup
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.program import run
from sustainable_mlops.base.terraform import ROOT, Progress, Terraform
from sustainable_mlops.base.terraform_state import State
from sustainable_mlops.commands.teardown import app
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
    instance = {"ResourceSpec": {"InstanceType": "ml.t3.medium"}}
    sagemaker.create_app(**domain, UserProfileName="ben", AppType="KernelGateway", AppName="kernel", **instance)


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
    assert "pass --yes to delete everything" in refused
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
        terraform = make_terraform(folder)
        for command in (partial(terraform.run, "plan"), terraform.apply):
            with pytest.raises(UserError) as refused:
                command()
            assert re.fullmatch(r"envs/x is not initialized: run `\S+ -chdir=envs/x init`", str(refused.value)), text


def test_guards_are_found_in_modules_of_any_name_and_author(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = 'module.team["data science"].module.storage'
    guard = {"mode": "managed", "type": "terraform_data", "name": "deletion_protection", "module": module}
    instances = [{"index_key": "data", "attributes": {}}]
    monkeypatch.setattr(Terraform, "read_state", lambda _: State({"resources": [{**guard, "instances": instances}]}))
    with pytest.raises(UserError, match="set deletion_protection = false in its modules, and run") as refused:
        teardown.destroy(Terraform(tmp_path))
    forget = next(command for command in refused.value.remedy if " state rm " in command)
    assert shlex.split(forget)[-1] == f"{module}.terraform_data.deletion_protection"


def test_a_setting_is_turned_off_wherever_it_stands(tmp_path: Path) -> None:
    settings = tmp_path / "settings.yaml"
    for text in ("a: 1", "a: 1\ndeletion_protection: true # data\nb: 2\n", "deletion_protection : true\n"):
        settings.write_text(text)
        (command,) = list_setting_commands(settings)
        subprocess.run(command, shell=True, check=True)  # noqa: S602
        assert "deletion_protection: false" in settings.read_text().splitlines()
        assert not list(list_setting_commands(settings)), "that key is turned"
        assert [path.name for path in tmp_path.iterdir()] == ["settings.yaml"]


OTHER, PREFIX = "222222222222", "smlops-late"
SHARED, OWN = "/aws/sagemaker/TrainingJobs", f"/aws/sagemaker/Endpoints/{PREFIX}-fraud"


class Destroyed(Terraform):
    """An environment whose state has these log groups; `apply` destroys nothing and then runs `late`."""

    def __init__(self, folder: Path, account: str, late: Callable[[], None] = lambda: None) -> None:
        super().__init__(folder)
        self.account, self.late, self.applied, self.commands = account, late, 0, list[tuple[str, ...]]()
        text = f"account_id: '{account}'\nregion: eu-north-1\nname_prefix: {PREFIX}\n"
        (folder / "settings.yaml").write_text(text)

    def run(self, *arguments: str) -> str:
        self.commands.append(arguments)
        return ""

    def read_state(self) -> State:
        arns = [f"arn:aws:logs:eu-north-1:{self.account}:log-group:{name}" for name in (SHARED, OWN)]
        instances = [{"index_key": arn, "attributes": {"arn": arn}} for arn in arns]
        group = {"mode": "managed", "type": "aws_cloudwatch_log_group", "name": "this", "instances": instances}
        return State({"resources": [group]})

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
    with pytest.raises(UserError, match=f"belong to account 123456789012 .* in account {OTHER}. Nothing was"):
        teardown.destroy(terraform, late_seconds=0.1)
    assert (terraform.applied, group_names(here), group_names(there)) == (0, {SHARED}, {SHARED})

    with (tmp_path / "settings.yaml").open("a") as file:
        file.write(f"assume_role_arn: arn:aws:iam::{OTHER}:role/OrganizationAccountAccessRole\n")
    assert teardown.destroy(terraform, late_seconds=0.1) == 2
    assert (terraform.applied, group_names(here), group_names(there)) == (1, {SHARED}, set())


@pytest.mark.slow
def test_a_shared_log_group_with_a_job_of_another_environment_stays(own: Any, tmp_path: Path) -> None:
    logs, messages = own.client("logs"), list[str]()
    terraform = Destroyed(tmp_path, "123456789012", lambda: log_in(logs, f"{PREFIX}-job", "theirs"))
    logs.create_log_group(logGroupName=OWN)
    teardown.destroy(terraform, late_seconds=0.1, report_line=messages.append)
    assert group_names(logs) == {SHARED}
    (line,) = messages
    assert line.startswith(f"log group {SHARED} stays, because theirs/algo-1-1 belongs to a job of another environment")


@pytest.mark.slow
def test_a_shared_log_group_with_a_job_of_another_environment_leaves_the_state_before_the_destruction(
    own: Any, tmp_path: Path
) -> None:
    log_in(own.client("logs"), f"{PREFIX}-job", "theirs")
    terraform, messages = Destroyed(tmp_path, "123456789012"), list[str]()
    assert teardown.destroy(terraform, report_line=messages.append) == 2
    removed = [command for command in terraform.commands if command[:2] == ("state", "rm")]
    arn = f"arn:aws:logs:eu-north-1:123456789012:log-group:{SHARED}"
    assert removed == [("state", "rm", f'aws_cloudwatch_log_group.this["{arn}"]')]
    assert len(messages) == 1


@pytest.mark.slow
@pytest.mark.parametrize("exists", [True, False])
def test_queues_are_deleted_before_the_destruction_and_leave_the_state_with_their_policies(
    own: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, exists: bool
) -> None:
    sqs, terraform = own.client("sqs"), Destroyed(tmp_path, "123456789012")
    urls = {name: sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("failed-starts", "of-another-account")}
    if not exists:
        sqs.delete_queue(QueueUrl=urls["failed-starts"])
    accounts = {"failed-starts": "123456789012", "of-another-account": OTHER}
    instances = [
        ("aws_sqs_queue", name, {"arn": f"arn:aws:sqs:eu-north-1:{account}:{name}", "name": name, "url": urls[name]})
        for name, account in accounts.items()
    ] + [("aws_sqs_queue_policy", name, {"queue_url": url}) for name, url in urls.items()]
    resources = [
        {"mode": "managed", "type": kind, "name": name, "instances": [{"attributes": attributes}]}
        for kind, name, attributes in instances
    ]
    monkeypatch.setattr(terraform, "read_state", lambda: State({"resources": resources}))
    teardown.destroy(terraform)
    addresses = ("aws_sqs_queue.failed-starts", "aws_sqs_queue_policy.failed-starts")
    assert [command[:1] for command in terraform.commands] == [("plan",), ("state",), ("plan",)]
    assert terraform.commands[1] == ("state", "rm", *addresses)
    assert terraform.applied == 1
    assert list(sqs.list_queues()["QueueUrls"]) == [urls["of-another-account"]]


def make_state(region: str) -> State:
    """Return a state of plain HCL whose creation was interrupted: only the package group has an ARN."""
    group_arn = f"arn:aws:sagemaker:{region}:123456789012:model-package-group/{GROUP}"
    attributes: dict[str, dict[str, Any]] = {
        "aws_sagemaker_model_package_group": {"arn": group_arn, "model_package_group_name": GROUP},
        "aws_sagemaker_domain": {"arn": None, "id": "d-1"},
        "aws_sagemaker_mlflow_tracking_server": {"arn": None, "tracking_server_name": "runs"},
        "aws_cloudwatch_log_group": {"arn": None, "name": OWN},
    }
    resources = [
        {"mode": "managed", "type": type_, "name": "this", "instances": [{"status": "tainted", "attributes": one}]}
        for type_, one in attributes.items()
    ]
    return State({"resources": resources})


@pytest.mark.slow
@pytest.mark.parametrize("exists", [True, False])
def test_a_state_of_plain_hcl_without_arns_is_taken_down(
    own: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, exists: bool
) -> None:
    sagemaker = make_client("sagemaker", "eu-west-1", own.endpoint)
    if exists:
        sagemaker.create_model_package_group(ModelPackageGroupName=GROUP)
        sagemaker.create_model_package(ModelPackageGroupName=GROUP, ModelPackageDescription="a version")
    terraform, steps = Destroyed(tmp_path, "123456789012"), list[str]()
    (tmp_path / "settings.yaml").unlink()
    monkeypatch.setattr(terraform, "read_state", lambda: make_state("eu-west-1"))
    monkeypatch.setattr(destruction, "wait_for_servers", lambda _, names, *__: steps.extend(names))
    teardown.destroy(terraform)
    assert (steps, terraform.applied) == (["runs"], 1)
    assert not exists or not sagemaker.list_model_packages(ModelPackageGroupName=GROUP)["ModelPackageSummaryList"]


@pytest.mark.slow
def test_no_package_is_deleted_if_the_plan_of_the_destruction_fails(
    own: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sagemaker, terraform = own.client("sagemaker"), Destroyed(tmp_path, "123456789012")
    sagemaker.create_model_package_group(ModelPackageGroupName=GROUP)
    sagemaker.create_model_package(ModelPackageGroupName=GROUP, ModelPackageDescription="a version")
    monkeypatch.setattr(terraform, "read_state", lambda: make_state("eu-north-1"))

    def refuse(*arguments: str) -> str:
        raise UserError("Error acquiring the state lock" if arguments[0] == "plan" else str(arguments))

    monkeypatch.setattr(terraform, "run", refuse)
    with pytest.raises(UserError, match="state lock"):
        teardown.destroy(terraform)
    assert (
        terraform.applied,
        len(sagemaker.list_model_packages(ModelPackageGroupName=GROUP)["ModelPackageSummaryList"]),
    ) == (0, 1)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("key", "end"),
    [
        ("dev/terraform.tfstate.tflock", 'b.delete()"'),
        ("qa/terraform.tfstate", "It also has qa/terraform.tfstate."),
        ("bootstrap/terraform.tfstate", "README.md#after-the-first-apply has the steps that delete the bucket."),
    ],
)
def test_the_command_that_deletes_the_state_bucket_is_printed_only_for_a_bucket_without_other_states(
    own: Any, tmp_path: Path, key: str, end: str
) -> None:
    s3 = own.client("s3")
    s3.create_bucket(Bucket=STATE, CreateBucketConfiguration={"LocationConstraint": "eu-north-1"})
    for one in ("dev/terraform.tfstate", key):
        s3.put_object(Bucket=STATE, Key=one, Body=b"{}")
    (tmp_path / ".terraform").mkdir()
    config = {"bucket": STATE, "key": "dev/terraform.tfstate", "region": "eu-north-1"}
    backend = {"backend": {"type": "s3", "config": config}}
    (tmp_path / ".terraform" / "terraform.tfstate").write_text(json.dumps(backend))
    assert str(teardown.describe_state_bucket(Terraform(tmp_path))).endswith(end)


def test_a_state_bucket_of_a_backend_without_a_region_is_in_the_region_of_the_shell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".terraform").mkdir()
    backend = {"backend": {"type": "s3", "config": {"bucket": STATE, "key": "dev/terraform.tfstate"}}}
    (tmp_path / ".terraform" / "terraform.tfstate").write_text(json.dumps(backend))
    hosts = list[str]()

    def list_keys(s3: Any, _: str) -> set[str]:
        hosts.append(s3.meta.endpoint_url)
        return {"dev/terraform.tfstate"}

    monkeypatch.setattr(state_bucket, "_list_keys", list_keys)
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    assert f"boto3.resource('s3', 'eu-west-1').Bucket('{STATE}')" in str(
        teardown.describe_state_bucket(Terraform(tmp_path))
    )
    assert hosts == ["https://s3.eu-west-1.amazonaws.com"]


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
    group = LogGroup("123456789012", "eu-north-1", SHARED)
    for roles, is_own in ((frozenset(described.values()), True), (frozenset[str](), False)):
        late = LateLogGroups(account, JobMarks(PREFIX, roles), print, has_settings=True)
        assert late._is_own(group, "pipelines-abc-Train") is is_own


def test_an_environment_of_plain_hcl_adopts_a_shared_log_group_with_an_import_block(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    account: Any = None
    monkeypatch.setattr(LateLogGroups, "_find_foreign_stream", lambda *_: "theirs")
    messages = list[str]()
    for has_settings in (True, False):
        late = LateLogGroups(account, JobMarks(PREFIX, frozenset()), messages.append, has_settings=has_settings)
        assert late.report_foreign_stream(LogGroup("123456789012", "eu-north-1", SHARED))
    with_settings, without = messages
    assert with_settings.endswith("add the group to existing_log_groups in settings.yaml.")
    assert without.endswith("adopt the group with an `import` block.")
