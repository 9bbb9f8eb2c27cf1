"""`smlops adopt` on accounts with resources that Terraform did not create, and its root module in Terraform."""

import json
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from sustainable_mlops.commands import adopt
from sustainable_mlops.operations.adopt import list_actions
from sustainable_mlops.operations.adopt.adoption import (
    DATA_KINDS,
    AdoptedObject,
    AdoptionReport,
    ExclusionError,
    ImportedResource,
)
from sustainable_mlops.operations.adopt.fields import add_tags, convert, escape_template
from sustainable_mlops.operations.adopt.secrets import list_secrets, may_be_secret
from sustainable_mlops.operations.adopt.selection import parse_selection
from sustainable_mlops.operations.adopt.verification import describe_differences, drop_changed
from sustainable_mlops.program import run
from sustainable_mlops.terraform import ROOT, Terraform
from tests.deployer.calls import BOTO3, FREE, action, by_terraform
from tests.operations.adopt.seeded_account import PREFIX, REGION, SECRET, SeededAccount
from tests.review_checks import check_review

#: Resource types that an adoption may write, and the objects that one of a kind has without settings.
TYPES = {
    "aws_appautoscaling_policy",
    "aws_appautoscaling_target",
    "aws_cloudwatch_log_group",
    "aws_kms_alias",
    "aws_kms_key",
    "aws_s3_bucket",
    "aws_s3_bucket_cors_configuration",
    "aws_s3_bucket_lifecycle_configuration",
    "aws_s3_bucket_logging",
    "aws_s3_bucket_notification",
    "aws_s3_bucket_ownership_controls",
    "aws_s3_bucket_policy",
    "aws_s3_bucket_public_access_block",
    "aws_s3_bucket_server_side_encryption_configuration",
    "aws_s3_bucket_versioning",
    "aws_sagemaker_endpoint",
    "aws_sagemaker_endpoint_configuration",
    "aws_sagemaker_feature_group",
    "aws_sagemaker_model",
    "aws_sagemaker_model_package_group",
    "aws_sagemaker_model_package_group_policy",
    "aws_sagemaker_pipeline",
}
#: Objects of the seeded account that hold data.
DATA = {
    ("KMS key", "acme-main"),
    ("KMS key", "acme-second"),
    *(("bucket", f"acme-{name}") for name in ("plain", "logs", "data")),
    *(("feature group", f"acme-{name}") for name in ("online", "offline", "both")),
    *(("model package group", f"acme-{name}") for name in ("churn", "fraud")),
    ("log group", "/acme/jobs"),
    *(("log group", f"/aws/sagemaker/Endpoints/acme-{name}") for name in ("web", "serverless", "async")),
}
MACHINES = {("endpoint", f"acme-{name}") for name in ("web", "serverless", "async")} | {("pipeline", "acme-train")}
SELECTED = ("--region", REGION, "--prefix", PREFIX)


@pytest.fixture
def smlops(
    own: tuple[Any, dict[str, str]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str]]:
    """Return a function that runs `smlops adopt` on the sandbox, and returns its exit code and its output."""
    for name, value in own[1].items():
        monkeypatch.setenv(name, value)

    def call(*arguments: str) -> tuple[int, str]:
        capsys.readouterr()
        with pytest.raises(SystemExit) as exit_info:
            run(lambda: get_command(adopt.app)(list(arguments), prog_name="smlops"))
        return int(exit_info.value.code or 0), capsys.readouterr().out

    return call


@pytest.mark.apply
@pytest.mark.parametrize(
    "seed",
    [
        pytest.param(3, marks=pytest.mark.toolchain),
        *(pytest.param(seed, marks=pytest.mark.release) for seed in (1, 2, 4, 5, 6)),
    ],
)
def test_the_first_plan_changes_nothing(
    seed: int, own: tuple[Any, dict[str, str]], smlops: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    sandbox, variables = own
    account = SeededAccount(sandbox, seed)
    account.seed()
    account.add_scaling()
    before = sandbox.inventory()
    folder = tmp_path / "adopted"
    with sandbox.record_calls() as calls:
        code, output = smlops(*SELECTED, "--into", str(folder), "--json")
    report = json.loads(output)
    assert code == 0
    assert {(one["kind"], one["name"]) for one in report["adopted"]} == DATA | MACHINES
    assert [(one["name"], one["reason"].partition(";")[0]) for one in report["excluded"]] == [
        ("acme-leaving", "its state is PendingDeletion"),
        ("acme-secret", "its definition may have secrets: Parameters[DbPassword].DefaultValue"),
    ]
    assert SECRET not in output
    assert [file for file in folder.rglob("*") if file.is_file() and SECRET in file.read_text()] == []
    check_calls(list(by_terraform(calls, BOTO3)))
    assert sandbox.inventory() == before

    terraform = Terraform(folder, variables)
    terraform.init()
    plan = terraform.plan(folder / "tfplan")
    check_plan(plan, report)
    review = check_review(plan)
    assert {change.action for change in review.changes} == {"import"}
    assert [*review.risks, *(gate for gate in review.gates if gate.name == "data" and gate.level is not None)] == []
    terraform.apply()
    assert terraform.is_up_to_date(folder / "second.tfplan")
    assert sandbox.inventory() == before
    check_refusal(terraform, folder)


def check_calls(calls: list[Any]) -> None:
    """Check that the command only reads, and that the page names each action."""
    assert all(re.match(r"Get|List|Describe", call["operation"]) for call in calls)
    known = {name for actions in list_actions().values() for name in actions} | FREE
    assert {action(call) for call in calls} <= known


def check_plan(plan: dict[str, Any], report: dict[str, Any]) -> None:
    """Check that the plan imports each announced resource and changes none, and print the share by kind."""
    kinds = {item["address"]: one["kind"] for one in report["adopted"] for item in one["imports"]}
    changes = {one["address"]: one["change"] for one in plan["resource_changes"]}
    assert changes.keys() == kinds.keys()
    assert {one["type"] for one in plan["resource_changes"]} <= TYPES
    assert all("importing" in change for change in changes.values())
    unchanged = Counter(kinds[address] for address, change in changes.items() if change["actions"] == ["no-op"])
    for kind, count in Counter(kinds.values()).items():
        data = " (holds data)" if kind in DATA_KINDS else ""
        print(f"{kind}{data}: {unchanged[kind]} of {count} resources without a change")
    assert unchanged == Counter(kinds.values())


def check_refusal(terraform: Terraform, folder: Path) -> None:
    """Check that Terraform refuses to destroy the data."""
    with pytest.raises(Exception, match="prevent_destroy"):
        terraform.plan(folder / "destroy.tfplan", "-destroy")


@pytest.mark.slow
def test_a_denied_read_excludes_only_objects_that_need_it(
    own: tuple[Any, dict[str, str]], smlops: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    sandbox, _ = own
    account = SeededAccount(sandbox, 1)
    account.add_buckets(PREFIX, account.add_keys())
    sandbox.fault("logs:DescribeLogGroups", error="AccessDeniedException")
    sandbox.fault("s3:GetBucketPolicy", error="AccessDenied", times=1)
    code, output = smlops(*SELECTED, "--check", "--json")
    sandbox.clear_faults()
    report = json.loads(output)
    assert code == 1
    assert [one["missing_action"] for one in report["skipped"]] == ["logs:DescribeLogGroups"]
    excluded_objects = [one for one in report["excluded"] if one["kind"] == "bucket"]
    assert [one["reason"] for one in excluded_objects] == [
        "s3:GetBucketPolicy: AccessDenied; allow s3:GetBucketPolicy and run again"
    ]
    assert len([one for one in report["adopted"] if one["kind"] == "bucket"]) == 2

    code, output = smlops(*SELECTED)
    assert (code, list(tmp_path.glob("**/*.tf"))) == (0, [])
    assert "excluded: KMS key acme-leaving: its state is PendingDeletion" in output
    assert "nothing was written; pass --into FOLDER" in output


def test_resources_that_a_plan_would_change_are_excluded_with_the_difference() -> None:
    def make(address: str, body: dict[str, Any]) -> ImportedResource:
        resource_type, _, label = address.partition(".")
        return ImportedResource(resource_type, label, "id", body)

    bucket = make("aws_s3_bucket.data", {"bucket": "data"})
    policy = make("aws_s3_bucket_policy.data", {"bucket": "${aws_s3_bucket.data.id}"})
    model = make("aws_sagemaker_model.web", {"name": "web"})
    endpoint = make("aws_sagemaker_endpoint.web", {"name": "${aws_sagemaker_model.web.name}"})
    report = AdoptionReport("123456789012", REGION)
    report.adopted_objects = [
        AdoptedObject("bucket", "data", (bucket, policy)),
        AdoptedObject("endpoint", "web", (model, endpoint)),
    ]
    changes = {
        "aws_s3_bucket.data": (["no-op"], {}, {}),
        "aws_s3_bucket_policy.data": (["update"], {"policy": "a", "tags_all": {}}, {"policy": "b"}),
        "aws_sagemaker_model.web": (["delete", "create"], {"name": "web", "mode": "x"}, {"name": "web", "mode": None}),
    }
    plan = {
        "resource_changes": [
            {"address": address, "change": {"actions": actions, "before": before, "after": after}}
            for address, (actions, before, after) in changes.items()
        ]
    }
    drop_changed(report, describe_differences(plan))
    assert [(one.name, one.resources) for one in report.adopted_objects] == [("data", (bucket,))]
    assert [one.reason for one in report.excluded_objects] == [
        'aws_s3_bucket_policy.data: the plan would update it in place: policy: "a" → "b"',
        'aws_sagemaker_model.web: the plan would replace it: mode: "x" → null. '
        "aws_sagemaker_endpoint.web: it refers to aws_sagemaker_model.web, which is excluded",
    ]


def test_a_setting_without_an_argument_excludes_the_resource() -> None:
    fields = {"Name": "name", "Arn": None}
    assert convert({"Name": "a", "Arn": "arn", "New": None, "Off": False}, fields) == {"name": "a"}
    with pytest.raises(ExclusionError, match="New has no argument in the AWS provider"):
        convert({"Name": "a", "New": {"Size": 1}}, fields)


def test_a_resource_of_a_stack_is_excluded() -> None:
    with pytest.raises(ExclusionError, match="CloudFormation stack web manages it"):
        add_tags({}, {"aws:cloudformation:stack-name": "web"})
    assert add_tags({}, {"aws:owner": "x", "b": "2", "a": "1"}) == {"tags": {"a": "1", "b": "2"}}


@pytest.mark.parametrize(
    "name",
    [
        *(
            "HF_API_TOKEN",
            "db_password",
            "AWS_SECRET_ACCESS_KEY",
            "apiKey",
            "DB_PASS",
            "PGPASS",
            "DB_PWD",
            "DATABASE_URL",
        ),
        *("SENTRY_DSN", "SLACK_WEBHOOK_URL", "AZURE_CONNECTION_STRING", "PASSPHRASE", "OPENAI_KEY", "SIGNING_KEY"),
        *("API_KEY_V2", "TOKEN_VALUE", "SAGEMAKER_DB_PASS", "ANY_OTHER_NAME"),
    ],
)
def test_a_value_that_may_be_a_secret_is_not_written(name: str) -> None:
    assert may_be_secret(name, "hunter2")


def test_settings_of_containers_and_plain_values_are_written() -> None:
    settings = {
        "MAX_TOKENS": "512",
        "TOKENIZERS_PARALLELISM": "false",
        "SECRET_ARN": "arn:aws:secretsmanager:eu-north-1:123456789012:secret:db",
        "HF_TASK": "text-classification",
        "HF_MODEL_ID": "acme/churn",
        "SAGEMAKER_PROGRAM": "inference.py",
        "OMP_NUM_THREADS": "4",
        "BASELINE": "s3://acme-data/baseline.csv",
    }
    assert [name for name, value in settings.items() if may_be_secret(name, value)] == []
    assert may_be_secret("DB_PASS", "12345678")
    assert may_be_secret("SAGEMAKER_PROGRAM", "hf_abcdefghijklmnopqrstuvwxyz")


def make_definition(**arguments: Any) -> str:
    """Return the definition of a pipeline with one step."""
    kms = {"OutputDataConfig": {"KmsKeyId": "alias/acme"}, "Tags": [{"Key": "team", "Value": "ml"}]}
    steps = [{"Name": "Train", "Type": "Training", "Arguments": {**kms, **arguments}}]
    parameters = [{"Name": "Threshold", "Type": "Float", "DefaultValue": 0.5}]
    return json.dumps({"Version": "2020-12-01", "Parameters": parameters, "Steps": steps})


@pytest.mark.parametrize(
    ("arguments", "location"),
    [
        ({"Environment": {"DB_PASS": "hunter2"}}, "Environment.DB_PASS"),
        ({"Environment": {"ACME_LOGIN": "hunter2"}}, "Environment.ACME_LOGIN"),
        ({"HyperParameters": {"signing_key": '"hunter2"'}}, "HyperParameters.signing_key"),
        ({"HyperParameters": {"dsn": "https://abc@sentry.example.com/1"}}, "HyperParameters.dsn"),
        ({"HyperParameters": {"store": "postgres://me:hunter2@db/x"}}, "HyperParameters.store"),
        ({"AppSpecification": {"ContainerArguments": ["--api-key", "hunter2"]}}, "ContainerArguments.api-key"),
    ],
)
def test_a_definition_names_the_values_that_may_be_secrets(arguments: dict[str, Any], location: str) -> None:
    (found,) = list_secrets(make_definition(**arguments))
    assert found.startswith("Steps[Train].Arguments.")
    assert found.endswith(location)
    assert "hunter2" not in found


def test_a_definition_without_secrets_has_no_findings() -> None:
    definition = make_definition(
        Environment={"THRESHOLD": {"Get": "Parameters.Threshold"}, "OMP_NUM_THREADS": "4"},
        HyperParameters={"objective": '"binary:logistic"', "max_tokens": "512", "num_round": 12},
        AppSpecification={"ContainerArguments": ["--data", "/opt/ml/processing/input"]},
    )
    assert list_secrets(definition) == []


def test_the_default_of_a_parameter_counts_by_the_name_of_the_parameter() -> None:
    parameters = [{"Name": "DbPassword", "Type": "String", "DefaultValue": "hunter2"}]
    definition = json.dumps({"Version": "2020-12-01", "Parameters": parameters, "Steps": []})
    assert list_secrets(definition) == ["Parameters[DbPassword].DefaultValue"]


def test_a_difference_hides_the_values_of_the_environment() -> None:
    container = {"environment": {"DB_PASS": "hunter2"}, "mode": "SingleModel"}
    change = {
        "actions": ["update"],
        "before": {"primary_container": [container], "pipeline_definition": "hunter2"},
        "after": {"primary_container": [], "pipeline_definition": ""},
    }
    ((_, text),) = describe_differences({"resource_changes": [{"address": "a.b", "change": change}]}).items()
    assert "hunter2" not in text
    assert 'primary_container: [{"environment": {"DB_PASS": "(hidden)"}' in text


def test_text_that_looks_like_a_template_stays_text() -> None:
    assert escape_template({"${a}": ["%{b}", 1]}) == {"$${a}": ["%%{b}", 1]}


def test_a_selection_takes_prefixes_of_each_part_of_a_name_and_all_tags() -> None:
    def read_tags() -> dict[str, str]:
        return {"team": "ml", "stage": "dev"}

    by_prefix = parse_selection(["acme"], [], [], everything=False)
    assert by_prefix.includes("/aws/sagemaker/Endpoints/acme-web", read_tags=dict)
    assert not by_prefix.includes("other-acme", read_tags=read_tags)
    assert parse_selection([], ["team=ml", "stage=dev"], [], everything=False).includes("x", read_tags=read_tags)
    assert not parse_selection([], ["team=ml", "stage=prod"], [], everything=False).includes("x", read_tags=read_tags)
    assert parse_selection([], [], ["x"], everything=False).includes("y", "x", read_tags=dict)


def test_the_page_names_the_actions_of_each_part() -> None:
    page = (ROOT / "docs" / "adopting.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| ([\w ]+) \| (`\w[\w-]*:.+`) \|$", page, re.MULTILINE))
    assert {part: tuple(re.findall(r"`([^`]+)`", actions)) for part, actions in rows.items()} == list_actions()
