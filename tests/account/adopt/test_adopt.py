"""`smlops adopt` on accounts with resources that Terraform did not create, and its root module in Terraform."""

import json
import re
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import jsonschema
import pytest
import yaml
from rich.console import Console
from typer.main import get_command

from envs.settings import parse
from sustainable_mlops.account.adopt import buckets, check_folder, list_actions, log_groups, verification, write_files
from sustainable_mlops.account.adopt.adoption import (
    DATA_KINDS,
    AdoptedObject,
    AdoptionReport,
    ExcludedObject,
    ExclusionError,
    ImportedResource,
)
from sustainable_mlops.account.adopt.display import print_report
from sustainable_mlops.account.adopt.fields import add_tags, convert, escape_template
from sustainable_mlops.account.adopt.reader import Reader
from sustainable_mlops.account.adopt.scan import PARTS
from sustainable_mlops.account.adopt.secrets import list_secrets, may_be_secret
from sustainable_mlops.account.adopt.selection import parse_selection
from sustainable_mlops.account.adopt.verification import describe_differences, describe_errors, drop_changed
from sustainable_mlops.account.idle import AccountReader, SkippedPart
from sustainable_mlops.account.preflight.account import DeniedError
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.program import run
from sustainable_mlops.base.terraform import ROOT, Terraform
from sustainable_mlops.catalogue.deployer_actions import load_deployer_actions
from sustainable_mlops.commands import adopt
from tests.account.adopt.seeded_account import ACCOUNT, PREFIX, REGION, SECRET, SeededAccount
from tests.cases import check_cases
from tests.clone.deployer.calls import BOTO3, FREE, get_action, select_calls
from tests.modules.prerequisites import create_prerequisites
from tests.provider import SANDBOX_LOGS, serving
from tests.review_checks import check_review
from tests.sandbox.support import IMAGE, ROLE

#: Resource types that an adoption may write.
TYPES = {name for part in PARTS.values() for name in part.types}
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
INSTANCES = {("endpoint", f"acme-{name}") for name in ("web", "serverless", "async")} | {("pipeline", "acme-train")}
SELECTED = ("--region", REGION, "--prefix", PREFIX)
TOKEN = "ghp_0123456789abcdefghijABCDEFGHIJ012345"  # noqa: S105 - not a secret


@pytest.fixture
def smlops(
    own: tuple[Any, dict[str, str]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str]]:
    """Return a function that runs `smlops adopt` on the sandbox, and returns its exit code and its output."""
    for name, value in own[1].items():
        monkeypatch.setenv(name, value)

    return partial(run_adopt, capsys)


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
    assert {(one["kind"], one["name"]) for one in report["adopted"]} == DATA | INSTANCES
    assert [(one["name"], one["reason"].partition(";")[0]) for one in report["excluded"]] == [
        ("acme-leaving", "its state is PendingDeletion"),
        ("acme-secret", "its definition may have secrets: Parameters[DbPassword].DefaultValue"),
    ]
    assert SECRET not in output
    assert [file for file in folder.rglob("*") if file.is_file() and SECRET in file.read_text()] == []
    check_calls(list(select_calls(calls, BOTO3)))
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
    assert {get_action(call) for call in calls} <= known


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

    code, output = smlops("--region", REGION, "--name", "typo", "--name", "acme-plain", "--check")
    assert code == 1
    assert "not found: --name typo: no resource of eu-north-1 has this name" in " ".join(output.split())
    assert "--name acme-plain" not in output
    assert smlops("--region", REGION, "--prefix", "a", "--tag", "x=1", "--tag", "x=2")[0] == 2

    code, output = smlops(*SELECTED)
    assert (code, list(tmp_path.glob("**/*.tf"))) == (0, [])
    assert "excluded: KMS key acme-leaving: its state is PendingDeletion" in output
    assert "nothing was written; pass --into FOLDER" in output


@pytest.mark.slow
def test_settings_for_an_environment_are_valid_and_have_only_what_it_can_use(
    own: tuple[Any, dict[str, str]], smlops: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    sandbox, _ = own
    images = {"own": f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/team/churn:1", "aws": IMAGE}
    create_prerequisites(sandbox, f"{ROLE} {images}")
    keys = [make_alias(sandbox, f"team-{number}") for number in (1, 2)]
    make_alias(sandbox, "team-signing", KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")
    jobs = "/aws/sagemaker/TrainingJobs"
    for name in (jobs, "/team/web"):
        sandbox.client("logs").create_log_group(logGroupName=name)
    repository = f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/team/churn"
    for name, image in images.items():
        make_endpoint(sandbox, f"team-{name}", image)
    selected = ("--region", REGION, "--prefix", "team", "--name", jobs)
    folder = tmp_path / "adopted"
    code, output = smlops(*selected, "--into", str(folder), "--no-plan")
    assert code == 0
    assert f"settings for an environment: {folder / 'environment_settings.yaml'}" in output
    block = (folder / "environment_settings.yaml").read_text(encoding="utf-8")
    assert block in smlops(*selected)[1], "without --into, the command prints the block"
    first = yaml.safe_load(block)["storage"]["existing_kms_key"]["arn"]
    (second,) = {*keys} - {first}
    expected: dict[str, Any] = {
        "existing_log_groups": [jobs],
        "storage": {"existing_kms_key": {"arn": first}},
        "access": {"image_repository_arns": [repository]},
    }
    assert yaml.safe_load(block) == expected
    assert json.loads(smlops(*selected, "--json")[1])["environment_settings"] == expected
    assert f"# {second}\n" in block

    pasted = yaml.safe_load((ROOT / "envs" / "dev" / "settings.yaml").read_text(encoding="utf-8"))
    for key, value in expected.items():
        pasted[key] = {**pasted.get(key, {}), **value} if isinstance(value, dict) else value
    jsonschema.validate(pasted, json.loads((ROOT / "envs" / "settings.schema.json").read_text()))
    settings: Any = parse(yaml.safe_dump(pasted), "settings.yaml", ROOT / "envs" / "catalogue")
    assert settings.storage.existing_kms_key.arn == first
    assert smlops("--region", REGION, "--name", "/team/web", "--json")[1].count('"environment_settings": {}') == 1


def make_alias(sandbox: Any, name: str, **options: str) -> str:
    """Create a KMS key with an alias, and return its ARN."""
    arn: str = sandbox.client("kms").create_key(**options)["KeyMetadata"]["Arn"]
    sandbox.client("kms").create_alias(AliasName=f"alias/{name}", TargetKeyId=arn)
    return arn


def make_endpoint(sandbox: Any, name: str, image: str) -> None:
    """Create a serverless endpoint of an image."""
    sagemaker, serverless = sandbox.client("sagemaker"), {"MemorySizeInMB": 1024, "MaxConcurrency": 1}
    variant = {"VariantName": "AllTraffic", "ModelName": name, "ServerlessConfig": serverless}
    sagemaker.create_model(ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer={"Image": image})
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)


@pytest.mark.plan
@pytest.mark.slow
def test_the_actions_of_the_page_suffice_and_an_object_without_a_read_is_excluded(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Adopt on a sandbox that enforces IAM, with the actions of the page. One bucket denies a read of the provider."""
    from sagemaker_sandbox import Sandbox

    SANDBOX_LOGS.append(tmp_path / "sandbox.log")
    with Sandbox.start(log=tmp_path / "sandbox.log", enforce_iam=True) as sandbox:
        account = SeededAccount(sandbox, 3)
        key = account.add_keys()
        account.add_buckets(PREFIX, key)
        account.add_package_groups(PREFIX)
        account.add_log_groups(PREFIX, key)
        actions = sorted({action for actions in list_actions().values() for action in actions})
        variables = sandbox.environment | create_credentials(
            sandbox,
            {"Effect": "Allow", "Action": actions, "Resource": "*"},
            {"Effect": "Deny", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::acme-plain"},
            {"Effect": "Deny", "Action": "s3:GetBucketAcl", "Resource": "arn:aws:s3:::acme-logs"},
        )
        with serving(sandbox.process_environment() | variables) as address:
            for name, value in (variables | {"TF_REATTACH_PROVIDERS": address}).items():
                monkeypatch.setenv(name, value)
            code, output = run_adopt(capsys, *SELECTED, "--into", str(tmp_path / "adopted"), "--json")
    report = json.loads(output)
    assert (code, report["skipped"]) == (0, [])
    reasons = {one["name"]: one["reason"] for one in report["excluded"] if one["kind"] == "bucket"}
    assert reasons["acme-plain"].startswith("aws_s3_bucket.acme_plain: Terraform does not find it: somebody deleted it")
    assert "reading S3 Bucket (acme-logs) ACL: operation error S3: GetBucketAcl, AccessDenied" in reasons["acme-logs"]
    excluded_names = {"acme-plain", "acme-logs"}
    selected = {one for one in DATA if one[0] in ("KMS key", "bucket", "model package group", "log group")}
    created = selected - {("log group", f"/aws/sagemaker/Endpoints/acme-{name}") for name in ("serverless", "async")}
    adopted = {(one["kind"], one["name"]) for one in report["adopted"]}
    assert adopted == {(kind, name) for kind, name in created if name not in excluded_names}
    assert (tmp_path / "adopted" / "model_package_groups.tf").is_file()


def create_credentials(sandbox: Any, *statements: dict[str, Any]) -> dict[str, str]:
    """Return the variables with the credentials of a role that has these statements."""
    trust = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}
    documents = [json.dumps({"Version": "2012-10-17", "Statement": part}) for part in ([trust], statements)]
    iam, arn = sandbox.client("iam"), f"arn:aws:iam::{ACCOUNT}:role/adopter"
    iam.create_role(RoleName="adopter", AssumeRolePolicyDocument=documents[0])
    iam.put_role_policy(RoleName="adopter", PolicyName="read", PolicyDocument=documents[1])
    issued = sandbox.client("sts").assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
    members = ("AccessKeyId", "SecretAccessKey", "SessionToken")
    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
    return {name: issued[member] for name, member in zip(names, members, strict=True)}


def run_adopt(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """Run `smlops adopt` and return its exit code and its output."""
    capsys.readouterr()
    with pytest.raises(SystemExit) as exit_info:
        run(lambda: get_command(adopt.app)(list(arguments), prog_name="smlops"))
    return int(exit_info.value.code or 0), capsys.readouterr().out


def test_the_list_of_actions_has_every_read_of_the_provider() -> None:
    table, actions = load_deployer_actions(), list_actions()
    for name, part in PARTS.items():
        reads = {read for one in part.types for row in table.get(one, []) for read in row.read}
        assert reads <= {*actions[name]}
    assert TYPES - table.keys() == {"aws_s3_bucket_cors_configuration"}
    assert {"s3:GetBucketAcl", "s3:GetBucketWebsite", "s3:ListBucket"} <= {*actions["buckets"]}


def make_resource(address: str, body: dict[str, Any], import_id: str = "id") -> ImportedResource:
    resource_type, _, label = address.partition(".")
    return ImportedResource(resource_type, label, import_id, body)


def test_resources_that_terraform_cannot_import_are_excluded_and_the_others_stay(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bucket = make_resource("aws_s3_bucket.acme_data", {}, "acme-data")
    policy = make_resource("aws_s3_bucket_policy.acme_data", {"bucket": "${aws_s3_bucket.acme_data.id}"}, "acme-data")
    group = make_resource("aws_sagemaker_model_package_group.acme_churn", {}, "acme-churn")
    report = AdoptionReport(ACCOUNT, REGION)
    report.adopted_objects = [
        AdoptedObject("bucket", "acme-data", (bucket, policy)),
        AdoptedObject("model package group", "acme-churn", (group,)),
    ]

    def plan_adoption(current: AdoptionReport) -> dict[str, Any]:
        if len(current.adopted_objects) == 2:
            raise UserError(f"terraform plan in x: {MISSING_BUCKET}")
        return {}

    monkeypatch.setattr(verification, "_plan_adoption", plan_adoption)
    verification.verify_adoption(report)
    assert [one.name for one in report.adopted_objects] == ["acme-churn"]
    (excluded_object,) = report.excluded_objects
    assert excluded_object.reason.startswith("aws_s3_bucket.acme_data: Terraform does not find it: somebody deleted it")
    assert excluded_object.reason.endswith("it refers to aws_s3_bucket.acme_data, which is excluded")


@pytest.mark.parametrize(
    "error",
    [
        "https response error StatusCode: 400, RequestID: r, api error ExpiredToken: The token has expired",
        "exceeded maximum number of attempts, 25, https response error StatusCode: 503, api error SlowDown: Slow down",
        "https response error StatusCode: 400, RequestID: r, ThrottlingException: Rate exceeded",
        "request send failed, dial tcp: lookup s3.eu-north-1.amazonaws.com: no such host",
    ],
)
def test_an_error_that_passes_excludes_no_resource(error: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text = f"Error: reading S3 Bucket Versioning (acme-data): operation error S3: GetBucketVersioning, {error}"

    def plan_adoption(_: AdoptionReport) -> dict[str, Any]:
        raise UserError(f"terraform plan in x: {MISSING_BUCKET}\n{text}")

    report = AdoptionReport(ACCOUNT, REGION)
    bucket = make_resource("aws_s3_bucket.acme_data", {}, "acme-data")
    report.adopted_objects = [AdoptedObject("bucket", "acme-data", (bucket,))]
    monkeypatch.setattr(verification, "_plan_adoption", plan_adoption)
    with pytest.raises(UserError, match="; check the credentials and the network, and run again"):
        verification.verify_adoption(report)
    assert not report.excluded_objects


def test_an_error_without_a_resource_ends_the_check(monkeypatch: pytest.MonkeyPatch) -> None:
    def plan_adoption(_: AdoptionReport) -> dict[str, Any]:
        raise UserError("terraform plan in x: Error: No valid credential sources found")

    report = AdoptionReport(ACCOUNT, REGION)
    report.adopted_objects = [AdoptedObject("bucket", "a", (make_resource("aws_s3_bucket.a", {}),))]
    monkeypatch.setattr(verification, "_plan_adoption", plan_adoption)
    with pytest.raises(UserError, match="No valid credential sources found; --no-plan writes the root module"):
        verification.verify_adoption(report)


MISSING_BUCKET = """Error: Cannot import non-existent remote object

While attempting to import an existing object to "aws_s3_bucket.acme_data",
the provider detected that no object exists with the given id."""


@pytest.mark.parametrize(
    ("text", "address", "reason"),
    [
        (MISSING_BUCKET, "aws_s3_bucket.acme_data", "Terraform does not find it"),
        (
            "Error: bad value\n\n  with aws_s3_bucket_policy.acme_data,\n  on buckets.tf line 9:\n"
            "   9:   bucket = aws_s3_bucket.acme_data_2.id\n",
            "aws_s3_bucket_policy.acme_data",
            "Terraform cannot plan it: bad value",
        ),
        (
            "Error: Instance cannot be destroyed\n\n  on buckets.tf line 1:\n\nResource aws_s3_bucket.acme_data has "
            "lifecycle.prevent_destroy set, but the plan calls for this resource to be destroyed.",
            "aws_s3_bucket.acme_data",
            "the plan would replace it",
        ),
        (
            "Error: reading S3 Bucket (acme-data) ACL: operation error S3: GetBucketAcl, https response error "
            "StatusCode: 403, RequestID: r, HostID: h, api error AccessDenied: Access Denied",
            "aws_s3_bucket.acme_data",
            "Terraform cannot plan it: reading S3 Bucket (acme-data) ACL: operation error S3: GetBucketAcl, "
            "AccessDenied: Access Denied",
        ),
        (
            "Error: reading S3 Bucket Policy (acme-data): operation error S3: GetBucketPolicy",
            "aws_s3_bucket_policy.acme_data",
            "Terraform cannot plan it: reading S3 Bucket Policy",
        ),
        (
            "Error: reading SageMaker AI Model Package Group (acme-data): operation error SageMaker",
            "aws_sagemaker_model_package_group.acme_data",
            "Terraform cannot plan it: reading SageMaker AI Model Package Group",
        ),
    ],
)
def test_an_error_of_a_plan_names_its_resource(text: str, address: str, reason: str) -> None:
    types = ("s3_bucket", "s3_bucket_policy", "s3_bucket_logging", "sagemaker_model", "sagemaker_model_package_group")
    resources = [make_resource(f"aws_{one}.{name}", {}, name.replace("_", "-")) for one in types for name in NAMES]
    ((found, description),) = describe_errors(f"terraform plan in x: {text}", resources).items()
    assert found == address
    assert description.startswith(reason)


NAMES = ("acme_data", "acme_data_2")


def test_resources_that_a_plan_would_change_are_excluded_with_the_difference() -> None:
    bucket = make_resource("aws_s3_bucket.data", {"bucket": "data"})
    policy = make_resource("aws_s3_bucket_policy.data", {"bucket": "${aws_s3_bucket.data.id}"})
    model = make_resource("aws_sagemaker_model.web", {"name": "web"})
    endpoint = make_resource("aws_sagemaker_endpoint.web", {"name": "${aws_sagemaker_model.web.name}"})
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
    revision = "03b4d196c19d0a73c7e0322684e97db1ec397613"
    more = {
        "HF_MODEL_REVISION": revision,
        "MODEL_ID": "TheBloke/Mistral-7B-Instruct-v0.2-GPTQ",
        "OPTION_ENTRYPOINT": "djl_python.transformers_neuronx",
        "OPTION_ROLLING_BATCH": "lmi-dist",
        "SAGEMAKER_MODEL_SERVER_WORKERS": "2",
        "SAGEMAKER_SAFE_PORT_RANGE": "9000-9999",
        "SAGEMAKER_TRITON_DEFAULT_MODEL_NAME": "f5_tts",
        "TS_INFERENCE_ADDRESS": "http://0.0.0.0:8080",
    }
    assert [name for name, value in more.items() if may_be_secret(name, value)] == []
    assert may_be_secret("SAGEMAKER_PROGRAM", revision)
    assert may_be_secret("SAGEMAKER_PROGRAM", "hf_abcdefghijklmnopqrstuvwxyz")


@pytest.mark.parametrize("name", ["SAGEMAKER_TS_URL", "SAGEMAKER_X", "OPTION_X", "TS_X", "MMS_X", "PYTHON_X", "HF_X"])
def test_a_name_that_only_starts_like_a_setting_is_not_written(name: str) -> None:
    assert may_be_secret(name, "hunter2")


@pytest.mark.parametrize(
    "value",
    [
        "https://hooks.slack.com/services/T0/B0/x",
        "https://hooks.example.com/x",
        "https://acme.s3.amazonaws.com?X-Amz-Signature=abc",
        "http://abc@example.com",
        "test=https://acme.s3.amazonaws.com/model.tar.gz?X-Amz-Signature=abc",
        "Bearer eyJh",
        "Basic dXNlcjp4",
        "sk-proj-aB3dE5fG7hJ9kL1mN3pQ5",
        "a1b2c3d4e5f6a7b8c9d0e1f2",
        "AbCdEfGhIjKlMnOpQrStUvWxYzAbCdEfGh",
        "123e4567-e89b-12d3-a456-426614174000",
    ],
)
def test_a_setting_of_a_container_with_the_value_of_a_secret_is_not_written(value: str) -> None:
    assert may_be_secret("SAGEMAKER_PROGRAM", value)


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
        ({"HyperParameters": {"header": "Bearer hunter2hunter2hunter2"}}, "HyperParameters.header"),
        ({"HyperParameters": {"data": "https://a.s3.amazonaws.com/x?X-Amz-Signature=hunter2"}}, "HyperParameters.data"),
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
    assert parse_selection(["/aws/sage"], [], [], everything=False).includes("/aws/sagemaker/x", read_tags=dict)


@pytest.mark.parametrize("identifier", ["alias/churn", "arn:aws:kms:eu-north-1:123456789012:key/1"])
def test_a_prefix_matches_names_only(identifier: str) -> None:
    by_prefix = parse_selection(["a"], [], [], everything=False)
    assert not by_prefix.includes("churn", identifiers=[identifier], read_tags=dict)
    by_name = parse_selection([], [], [identifier], everything=False)
    assert by_name.includes("churn", identifiers=[identifier], read_tags=dict)


class Account:
    """Account of one bucket and one log group, which refuses to read the tags of a bucket."""

    region = REGION

    def __init__(self, bucket_region: str | None = None) -> None:
        self._bucket = {"Name": "acme", **({"BucketRegion": bucket_region} if bucket_region else {})}

    def client(self, _: str) -> Any:
        return Mock(meta=Mock(partition="aws"))

    def list_all(self, service: str, *_: str, **__: Any) -> list[dict[str, str]]:
        group = {"logGroupName": "/acme/jobs", "arn": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/acme/jobs:*"}
        return [self._bucket] if service == "s3" else [group]

    def call(self, _: str, operation: str, **__: Any) -> dict[str, Any]:
        if operation == "get_bucket_tagging":
            raise DeniedError("s3:GetBucketTagging", "s3:GetBucketTagging: AccessDenied", denied=True)
        return {"LocationConstraint": "eu-west-1"}


def test_a_name_can_be_the_arn_of_a_bucket_or_of_a_log_group() -> None:
    bucket, group = "arn:aws:s3:::acme", f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/acme/jobs"
    selection = parse_selection([], [], [bucket, group, f"{group}:*", "arn:aws:s3:::other"], everything=False)
    reader: Any = Reader(Account(REGION), ACCOUNT, selection)  # type: ignore[arg-type] # has what the reader uses
    names = [name for part in (buckets, log_groups) for name, _ in part._list_candidates(reader)]
    assert names == ["acme", "/acme/jobs"]
    assert reader.unmatched_names == ["arn:aws:s3:::other"]


@pytest.mark.parametrize("bucket_region", ["eu-west-1", None])
def test_a_bucket_of_another_region_is_not_found(bucket_region: str | None) -> None:
    arn = "arn:aws:s3:::acme"
    reader: Any = Reader(Account(bucket_region), ACCOUNT, parse_selection([], [], [arn], everything=False))  # type: ignore[arg-type]
    assert list(buckets.read_buckets(reader)) == []
    assert reader.unmatched_names == [arn]


def test_tags_of_a_bucket_of_another_region_are_not_read() -> None:
    reader: Any = Reader(Account("eu-west-1"), ACCOUNT, parse_selection([], ["a=b"], [], everything=False))  # type: ignore[arg-type]
    assert list(buckets.read_buckets(reader)) == []
    assert (reader.excluded_objects, reader.unselected) == ([], {})


@check_cases(
    ("body", "location"),
    [
        ({"tags": {"team": "ml", "github_token": TOKEN}}, "the tag github_token"),
        ({"tags": {"api_key": "hunter2"}}, "the tag api_key"),
        ({"tags": {TOKEN: "1"}, "rule": [{"filter": [{"and": [{"tags": {"note": TOKEN}}]}]}]}, "the tag note"),
        ({"description": f"push with {TOKEN}"}, "description"),
        ({"model_package_group_description": "password=hunter2"}, "model_package_group_description"),
        ({"tags": {"secret": "prod/db", "cost-key": "a-12"}, "description": "keys of the tokenizer"}, None),
    ],
)
def test_a_tag_or_description_that_may_be_a_secret_excludes_the_resource(
    body: dict[str, Any], location: str | None
) -> None:
    adopted = AdoptedObject("bucket", "acme", (make_resource("aws_s3_bucket.acme", body),))
    reader = Reader(Account(), ACCOUNT, parse_selection([], [], [], everything=True))  # type: ignore[arg-type]
    (result,) = reader.read_each("bucket", [("acme", lambda: adopted)])
    if location is None:
        assert result is adopted
    else:
        assert isinstance(result, ExcludedObject)
        assert result.reason.startswith(f"{location} of aws_s3_bucket may be a secret; move it")
        assert TOKEN not in result.reason


def make_link(folder: Path) -> None:
    folder.symlink_to("nowhere")


def make_parent_file(folder: Path) -> None:
    folder.parent.rmdir()
    folder.parent.write_text("")


def make_full_folder(folder: Path) -> None:
    folder.mkdir()
    (folder / "main.tf").touch()


@pytest.mark.parametrize(
    ("prepare", "message"),
    [(make_link, "is a broken link"), (make_parent_file, "is a file"), (make_full_folder, "is not empty")],
)
def test_a_folder_that_cannot_be_written_is_refused_before_the_scan(
    prepare: Callable[[Path], None], message: str, tmp_path: Path
) -> None:
    folder = tmp_path / "parent" / "adopted"
    folder.parent.mkdir()
    check_folder(folder)
    prepare(folder)
    with pytest.raises(UserError, match=f"--into {folder}: .*{message}"):
        check_folder(folder)


def test_a_folder_below_one_that_cannot_be_entered_is_refused_before_the_scan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> bool:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "exists", refuse)
    with pytest.raises(UserError, match=r"--into .*: cannot be written: Permission denied; pass another folder"):
        check_folder(tmp_path / "closed" / "adopted")


def test_files_that_cannot_be_written_leave_no_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own").touch()
    write_bytes = Path.write_bytes

    def fill_disk(path: Path, content: bytes) -> int:
        if path.name == "b.tf":
            raise OSError(28, "No space left on device", str(path))
        return write_bytes(path, content)

    monkeypatch.setattr(Path, "write_bytes", fill_disk)
    with pytest.raises(UserError, match=r"b\.tf: cannot be written: No space left on device"):
        write_files(tmp_path, {"a.tf": "", "x/a.tf": "", "b.tf": ""})
    assert [path.name for path in tmp_path.iterdir()] == ["own"]


def test_two_values_for_one_tag_are_refused() -> None:
    with pytest.raises(UserError, match=r"^--tag team=b: team already has the value a"):
        parse_selection([], ["team=a", "team=b"], [], everything=False)
    assert parse_selection([], ["team=a", "team=a"], [], everything=False).tags == {"team": "a"}


def test_a_name_that_matches_nothing_makes_the_report_incomplete() -> None:
    selection = parse_selection([], [], ["churn", "typo", "elsewhere"], everything=False)
    reader = Reader(AccountReader(REGION), ACCOUNT, selection)
    assert reader.check_selection("endpoint", "churn", identifiers=["arn:1"], tags=dict)
    assert reader.check_selection("bucket", "elsewhere", tags=dict)
    assert list(reader.read_each("bucket", [("elsewhere", lambda: None)])) == []
    assert reader.unmatched_names == ["typo", "elsewhere"]
    report = AdoptionReport(ACCOUNT, REGION)
    assert report.is_complete
    report.unmatched_names = reader.unmatched_names
    assert not report.is_complete
    assert report.to_dict()["not_found"] == ["typo", "elsewhere"]


@pytest.mark.parametrize(
    ("skipped", "scope"),
    [([], "of eu-north-1"), ([SkippedPart("buckets", "denied", "")], "in the parts of eu-north-1 that were read")],
)
def test_a_name_that_matches_nothing_is_reported_for_the_parts_that_were_read(
    skipped: list[SkippedPart], scope: str, capsys: pytest.CaptureFixture[str]
) -> None:
    report = AdoptionReport(ACCOUNT, REGION, skipped=skipped, unmatched_names=["typo"])
    print_report(report, Console(width=200), None)
    assert f"not found: --name typo: no resource {scope} has this name, alias or ARN" in capsys.readouterr().out


def test_the_page_names_the_actions_of_each_part() -> None:
    page = (ROOT / "docs" / "adopting.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| ([\w ]+) \| (`\w[\w-]*:.+`) \|$", page, re.MULTILINE))
    assert {part: tuple(re.findall(r"`([^`]+)`", actions)) for part, actions in rows.items()} == list_actions()
