"""Interrupted operations: the lock of the state, `smlops recover`, and random faults with the documented commands."""

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest
from botocore.exceptions import ClientError
from typer.main import get_command

from sagemaker_sandbox import Sandbox
from sustainable_mlops.account.recovery import recovery
from sustainable_mlops.account.recovery.ownership import EnvironmentIdentity, explain_missing_proof
from sustainable_mlops.authoring.resource_table import IMPORT_IDS
from sustainable_mlops.aws import AccountClients
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.program import run
from sustainable_mlops.base.terraform import ROOT, Diagnostic, Terraform, find_engine, make_environment
from sustainable_mlops.base.terraform_state import State
from sustainable_mlops.commands.recover import app
from tests.account.chaos.case import Case, FaultKind, Operation, Result
from tests.account.chaos.run import Chaos
from tests.account.chaos.table import draw_seeds, format_table
from tests.cases import check_cases
from tests.provider import alone
from tests.sandbox.support import IMAGE, make_role, wait_until

STATE, REGION = "state-of-recovery", "eu-north-1"
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
ALIAS = """
resource "aws_kms_key" "this" {
}

resource "aws_kms_alias" "this" {
  name          = "alias/lab"
  target_key_id = aws_kms_key.this.id
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
#: Seed of a launch whose program is killed.
KILLED_LAUNCH = 3311645098


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
    error = " ".join(capsys.readouterr().err.split())
    assert "may belong to something else: it has other tags than the environment" in error
    assert f"-chdir={tmp_path} import aws_iam_role.this lab-training" in error
    assert "aws_iam_role.this" not in terraform.run("state", "list")
    iam.delete_role(RoleName="lab-training")
    assert recover(str(tmp_path), "--yes") == 0
    terraform.apply("-destroy")


@pytest.mark.apply
def test_an_alias_of_another_workload_is_neither_imported_nor_changed(
    tmp_path: Path, own: tuple[Sandbox, dict[str, str]], variables: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    del variables
    kms = own[0].client("kms")
    foreign = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName="alias/lab", TargetKeyId=foreign)
    (tmp_path / "main.tf").write_text(ROLE + ALIAS)
    terraform = Terraform(tmp_path)
    terraform.init()
    assert recover(str(tmp_path), "--yes") == 2
    error = " ".join(capsys.readouterr().err.split())
    assert f"aws_kms_alias.this: alias/lab exists in AWS and may belong to something else: its key {foreign}" in error
    assert "import aws_kms_alias.this alias/lab" in error
    assert kms.describe_key(KeyId="alias/lab")["KeyMetadata"]["KeyId"] == foreign
    kms.delete_alias(AliasName="alias/lab")
    assert recover(str(tmp_path), "--yes") == 0
    terraform.run("state", "rm", "aws_kms_alias.this")
    assert recover(str(tmp_path), "--yes") == 0, "its key has the tags of the environment"
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
    (model,) = terraform.read_state().list_attributes("aws_sagemaker_model")
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


def test_the_imports_of_a_killed_recovery_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    leftover = tmp_path / "recover_imports.tf.json"
    leftover.write_text('{"import": [{"to": "aws_s3_bucket.data", "id": "bucket-of-another-team"}]}')
    planned_with_imports = list[bool]()

    def plan(*_: object) -> dict[str, Any]:
        planned_with_imports.append(leftover.exists())
        return {}

    monkeypatch.setattr(Terraform, "read_state", lambda _: State())
    monkeypatch.setattr(Terraform, "plan", plan)
    monkeypatch.setattr(Terraform, "list_apply_errors", lambda *_: [])
    recovery.recover(Terraform(tmp_path), AccountClients(REGION), None)
    assert planned_with_imports == [False]


def test_an_import_needs_a_common_tag() -> None:
    change = make_change("aws_kms_alias", ["update"], after={"name": "alias/lab"})
    change["change"] |= {"before": {"name": "alias/lab"}, "importing": {"id": "alias/lab"}}
    with pytest.raises(
        UserError, match=r"nothing proves that it belongs to .*, because the resources of .* share no tag"
    ):
        recovery._check_imports(Terraform(Path("envs/dev")), AccountClients(REGION), [change], [change["address"]])


@pytest.mark.slow
def test_a_resource_without_tags_needs_other_proof_of_its_owner(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in sandbox.environment.items():
        monkeypatch.setenv(name, value)
    kms, iam, s3, scheduler = (sandbox.client(service) for service in ("kms", "iam", "s3", "scheduler"))
    tag = {"Key": "environment", "Value": "lab"}
    own_key, foreign_key = (
        kms.create_key(Tags=tags)["KeyMetadata"]["KeyId"]
        for tags in ([{"TagKey": "environment", "TagValue": "lab"}], [])
    )
    for name, tags in {"owner-lab": [tag], "owner-foreign": [], "owner-listed": []}.items():
        iam.create_role(RoleName=name, AssumeRolePolicyDocument="{}", Tags=tags)
        scheduler.create_schedule_group(Name=name, Tags=tags)
    for name in ("owner-empty", "owner-full", "owner-versions"):
        s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_object(Bucket="owner-full", Key="one", Body=b"one")
    s3.put_bucket_versioning(Bucket="owner-versions", VersioningConfiguration={"Status": "Enabled"})
    listed = [
        ("aws_iam_role", {"name": "owner-listed"}),
        ("aws_scheduler_schedule_group", {"name": "owner-listed"}),
        ("aws_cloudwatch_event_connection", {"arn": "arn:listed"}),
    ]
    resources = [
        {"mode": "managed", "type": type_, "name": "this", "instances": [{"attributes": attributes}]}
        for type_, attributes in listed
    ]
    environment = EnvironmentIdentity(State({"resources": resources}), {"environment": "lab"}, AccountClients(REGION))
    other = "has other tags than the environment"
    cases: list[tuple[str, dict[str, Any], str | None]] = [
        ("aws_kms_alias", {"target_key_id": own_key}, None),
        ("aws_kms_alias", {"target_key_id": foreign_key}, other),
        ("aws_iam_role_policy", {"role": "owner-lab"}, None),
        ("aws_iam_role_policy", {"role": "owner-listed"}, None),
        ("aws_iam_role_policy", {"role": "owner-foreign"}, other),
        ("aws_iam_role_policy", {"role": "owner-missing"}, "NoSuchEntity"),
        ("aws_scheduler_schedule", {"group_name": "owner-lab"}, None),
        ("aws_scheduler_schedule", {"group_name": "owner-listed"}, None),
        ("aws_scheduler_schedule", {"group_name": "owner-foreign"}, other),
        ("aws_s3_bucket", {"bucket": "owner-empty", "tags_all": {}}, None),
        ("aws_s3_bucket", {"bucket": "owner-full", "tags_all": {}}, "has objects or versions"),
        ("aws_s3_bucket", {"bucket": "owner-versions", "tags_all": {}}, "has objects or versions"),
        ("aws_s3_bucket", {"bucket": "owner-full", "tags_all": {"environment": "lab"}}, None),
        ("aws_s3_bucket", {"bucket": "owner-empty", "tags_all": {"environment": "other"}}, other),
        ("aws_cloudwatch_event_api_destination", {"connection_arn": "arn:listed"}, None),
        ("aws_cloudwatch_event_api_destination", {"connection_arn": "arn:other"}, "is not in the state"),
        ("aws_cloudwatch_event_connection", {"name": "lab"}, "it has no tags"),
        ("aws_cloudwatch_log_group", {"name": "lab", "tags_all": {}}, other),
    ]
    for type_, before, expected in cases:
        change = make_change(type_, ["update"])
        change["change"]["before"] = before
        doubt = explain_missing_proof(change, environment)
        assert (expected in doubt) if doubt and expected else doubt == expected, (type_, before, doubt)
    unchanged = make_change("aws_kms_alias", ["no-op"], after={"target_key_id": foreign_key})
    unchanged["change"]["before"] = {"target_key_id": foreign_key}
    assert explain_missing_proof(unchanged, environment) is None


def test_a_busy_resource_is_no_existing_one() -> None:
    changes = [make_change("aws_sagemaker_pipeline", ["update"]), make_change("aws_iam_role", ["create"])]
    errors = [
        Diagnostic("aws_sagemaker_pipeline.this", "ResourceInUse: Cannot update in-progress pipeline"),
        Diagnostic("aws_iam_role.this", "EntityAlreadyExists: Role with name lab already exists."),
    ]
    assert recovery._list_existing(errors, changes) == ["aws_iam_role.this"]


def test_deleted_resources_of_the_tagging_api_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    role, start = "arn:aws:iam::123456789012:role/lab", f"arn:aws:sagemaker:{REGION}:123456789012"
    tagged = [f"{start}:{kind}/{GENERATED_MODEL}" for kind in ("endpoint-config", "model")]
    tagged.append(f"arn:aws:kms:{REGION}:123456789012:key/gone")
    attributes = {"tags_all": {"environment": "lab"}, "execution_role_arn": role, "name_prefix": "terraform-"}
    resources = [
        {"mode": "managed", "type": type_, "name": "this", "instances": [{"attributes": attributes}]}
        for type_ in ("aws_sagemaker_model", "aws_sagemaker_endpoint_configuration")
    ]

    def make_error(code: str) -> ClientError:
        return ClientError({"Error": {"Code": code, "Message": "Could not find it."}}, "Describe")

    tagging, sagemaker, kms = Mock(), Mock(), Mock()
    tagging.get_paginator().paginate.return_value = [
        {"ResourceTagMappingList": [{"ResourceARN": arn} for arn in tagged]}
    ]
    sagemaker.delete_endpoint_config.side_effect = sagemaker.describe_model.side_effect = make_error(
        "ValidationException"
    )
    kms.describe_key.side_effect = make_error("NotFoundException")
    clients = {"resourcegroupstaggingapi": tagging, "sagemaker": sagemaker, "kms": kms}
    account: Any = SimpleNamespace(client=clients.__getitem__, region=REGION, role_arn=None)
    monkeypatch.setattr(Terraform, "read_state", lambda _: State({"resources": resources}))
    monkeypatch.setattr(recovery, "_list_used", lambda _: set())
    result = recovery.Recovery()
    recovery._delete_generated(Terraform(Path("envs/dev")), account, result, print)
    assert (result.deleted, result.unlisted) == ([], [])
    kms.describe_key.side_effect = make_error("AccessDeniedException")
    with pytest.raises(UserError, match="AccessDenied"):
        recovery._delete_generated(Terraform(Path("envs/dev")), account, result, print)


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


def list_cases_of_page() -> list[Case]:
    """Return the cases of the command on the page."""
    page = (ROOT / "docs" / "environments.md").read_text()
    ((count, seed),) = re.findall(r"chaos --count (\d+) --seed (\d+)$", page, re.M)
    return [Case.draw(one) for one in draw_seeds(int(seed), int(count))]


def test_the_table_of_the_page_has_the_cases_of_its_seed() -> None:
    cases = list_cases_of_page()
    assert {(case.operation, case.kind) for case in cases} == set(product(Operation, FaultKind))
    drawn = [Result(one.seed, str(one.operation), str(one.kind), converged=True) for one in cases]
    header, ruler, *rows = (line.split(" | ") for line in format_table(drawn))
    page = (ROOT / "docs" / "environments.md").read_text()
    table = page.partition(" | ".join(header))[2].splitlines()[1 : 2 + len(rows)]
    assert table[:1] == [" | ".join(ruler)]
    completed_by_retries = -2  # only a run has this column
    for shown, row in zip((line.split(" | ") for line in table[1:]), rows, strict=True):
        del shown[completed_by_retries], row[completed_by_retries]
        assert shown == row


def run_case(case: Case, chaos: Chaos) -> Result:
    """Run a case; raise AssertionError unless it converges."""
    result = chaos.run(case)
    assert result.converged, result
    assert not result.problem, result
    return result


@pytest.mark.slow
def test_a_killed_launch_is_completed_by_the_same_command() -> None:
    case = Case.draw(KILLED_LAUNCH)
    assert (case.operation, case.kind) == (Operation.LAUNCH, FaultKind.KILLED)
    with Chaos() as chaos:
        run_case(case, chaos)


@pytest.mark.release
@pytest.mark.parametrize("operation", list(Operation), ids=str)
def test_random_faults_are_repaired_by_the_documented_command(operation: Operation) -> None:
    with Chaos() as chaos:
        results = [run_case(case, chaos) for case in list_cases_of_page() if case.operation is operation]
    assert {result.kind for result in results if result.is_reached} == set(FaultKind)
