"""The IAM statements of modules equal the actions of their resources and the permissions that `access` grants."""

import fnmatch
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from modules.iam_statements import build_statement
from sustainable_mlops.authoring import bind_inputs
from sustainable_mlops.authoring.expressions.evaluation import fold_constants
from sustainable_mlops.base.terraform import ROOT
from sustainable_mlops.plan import iam
from sustainable_mlops.review.privileges.grants import EffectivePolicy, find_new_permissions, merge_statements
from tests.modules.examples import Example, examples, plan, summary, terraform

MODULES = [
    file.parent.name for file in sorted(ROOT.glob("modules/*/iam_statements.py")) if file.parent.name != "access"
]

#: Actions of services with the role of a resource, by type of the resource and argument that causes them.
ROLE_ACTIONS = {
    "aws_sagemaker_endpoint": {
        "deployment_config.auto_rollback_configuration.alarms.alarm_name": ["cloudwatch:DescribeAlarms"]
    },
    "aws_sagemaker_endpoint_configuration": {
        "async_inference_config.output_config": ["s3:AbortMultipartUpload", "s3:PutObject"],
        "async_inference_config.output_config.notification_config": ["sns:Publish"],
        "data_capture_config": ["s3:PutObject"],
    },
    "aws_sagemaker_feature_group": {
        "role_arn": ["s3:GetBucketAcl", "s3:PutObject", "s3:PutObjectAcl", "glue:GetTable", "glue:UpdateTable"],
        "offline_store_config.s3_storage_config.kms_key_id": ["kms:GenerateDataKey"],
        "offline_store_config.table_format": ["s3:GetObject"],  # Iceberg's metadata, which each write follows
    },
    # As the starter, which the module makes itself.
    "aws_cloudwatch_event_target": {},
    "aws_scheduler_schedule": {},
    # As the role of the optimizers, which the module makes itself.
    "aws_glue_catalog_table_optimizer": {},
    # The code that people run decides.
    "aws_sagemaker_domain": {},
    "aws_sagemaker_mlflow_tracking_server": {},
    "aws_sagemaker_user_profile": {},
    "aws_sagemaker_pipeline": {
        "role_arn": [
            f"sagemaker:{verb}{noun}Job"
            for noun in ("HyperParameterTuning", "Processing", "Training", "Transform")
            for verb in ("Create", "Describe", "Stop")
        ]
    },
    "aws_sagemaker_model": {
        "execution_role_arn": [
            *("logs:CreateLogStream", "logs:PutLogEvents", "cloudwatch:PutMetricData", "ecr:GetAuthorizationToken")
        ],
        "primary_container.image": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
        "primary_container.model_data_url": ["s3:GetObject"],
        "primary_container.multi_model_config": ["s3:ListBucket"],
    },
}
#: Additional actions of a configuration with notifications, if the topic has a KMS key.
ENCRYPTED_TOPIC_ACTIONS = ["kms:Decrypt", "kms:GenerateDataKey"]
ROLE = re.compile(r"(.*_)?role(_arn)?")

REGION_AND_ACCOUNT = "eu-north-1:123456789012"


def find_uncovered_actions(body: dict[str, Any]) -> set[str]:
    """Return the actions of a module's resources with their role that its statements do not cover."""
    covered = re.findall(r"[a-z0-9-]+:[A-Z][A-Za-z]+\*?", json.dumps(body["output"].get("role_statements", {})))
    return {
        action
        for action in list_role_actions(body["resource"])
        if not any(fnmatch.fnmatchcase(action, one) for one in covered)
    }


def list_role_actions(resources: dict[str, Any]) -> Iterator[str]:
    notifies = False
    for kind, instances in resources.items():
        for path in {path for body in instances.values() for path in list_paths(body)}:
            yield from ROLE_ACTIONS.get(kind, {}).get(path, ())
            notifies |= path.endswith("notification_config")
            uses_role = ROLE.fullmatch(path.rpartition(".")[2]) and not kind.startswith("aws_iam_")
            assert not uses_role or kind in ROLE_ACTIONS, f"add the actions of {kind} with its role to ROLE_ACTIONS"
    if notifies and any("kms_master_key_id" in topic for topic in resources.get("aws_sns_topic", {}).values()):
        yield from ENCRYPTED_TOPIC_ACTIONS


def list_paths(body: Any, path: str = "") -> Iterator[str]:
    """Return the paths of all arguments of a resource, including lists and dynamic blocks."""
    if isinstance(body, list):
        for item in body:
            yield from list_paths(item, path)
    elif isinstance(body, dict):
        for name, item in body.items():
            if name == "dynamic":
                yield from list_paths({label: block["content"] for label, block in item.items()}, path)
            else:
                yield (inner := f"{path}.{name}".removeprefix("."))
                yield from list_paths(item, inner)


def test_statements_cover_all_actions_of_the_resources(synthesized: dict[str, Any]) -> None:
    assert {
        name: permissions for name, body in synthesized.items() if (permissions := find_uncovered_actions(body))
    } == {}


def test_a_missing_statement_for_an_encrypted_topic_is_detected() -> None:
    output = {"notification_config": {"success_topic": "${aws_sns_topic.results.arn}"}}
    body = {
        "output": {},
        "resource": {
            "aws_sagemaker_endpoint_configuration": {"this": {"async_inference_config": {"output_config": output}}},
            "aws_sns_topic": {"results": {"name": "results", "kms_master_key_id": "${var.kms_key_arn}"}},
        },
    }
    actions = {"s3:AbortMultipartUpload", "s3:PutObject"}
    assert find_uncovered_actions(body) == {*actions, "sns:Publish", "kms:Decrypt", "kms:GenerateDataKey"}


def test_unknown_resources_with_a_role_are_detected() -> None:
    notebook = {"aws_sagemaker_notebook_instance": {"this": {"role_arn": "${var.role_arn}"}}}
    with pytest.raises(AssertionError, match="add the actions of aws_sagemaker_notebook_instance with its role"):
        find_uncovered_actions({"output": {}, "resource": notebook})


@dataclass(frozen=True)
class Location:
    account_id: str = "123456789012"
    region: str = "cn-north-1"
    partition: str = "aws-cn"


def test_statements_can_be_composed_from_python_values() -> None:
    from modules.feature_store import iam_statements
    from modules.feature_store.inputs import Inputs

    at, key = Location(), "${module.storage.kms_key_arn}"
    groups = {"all_orders": {"record_identifier": "order_id"}}
    inputs = bind_inputs(
        Inputs, name_prefix="shop", feature_groups=groups, offline_store_s3_uri="s3://lake/store", kms_key_arn=key
    )
    permissions = fold_constants(iam_statements.build_statements(inputs, at))
    group = "arn:aws-cn:sagemaker:cn-north-1:123456789012:feature-group/shop-all-orders"
    assert permissions["training"] == [build_statement("Records", iam_statements.READ, [group])]
    assert permissions["inference"] == permissions["training"]
    by_sid = {one["sid"]: one for one in permissions["data_preparation"]}
    assert by_sid["StoreRecords"]["resources"] == ["arn:aws-cn:s3:::lake/store/*"]
    assert by_sid["EncryptOfflineStore"] == build_statement("EncryptOfflineStore", ["kms:GenerateDataKey"], [key])
    assert by_sid["ReadEncryptedMetadata"]["resources"] == [key]
    assert by_sid["ReadEncryptedMetadata"]["condition"] == [
        {"test": "StringEquals", "variable": "kms:ViaService", "values": ["s3.cn-north-1.amazonaws.com.cn"]}
    ]


# Permissions granted by access, from one plan of all examples. Each example has two calls of access: one with the
# statements, the other only with names of groups and repositories.

CALLS = """
module "{id}" {{
  source = "./{id}"
}}

output "{id}" {{
  value = module.{id}.role_statements
}}

output "{id}-read" {{
  value = {read}
}}

module "{id}-statements" {{
  {common}
  role_statements = [module.{id}.role_statements]
}}

module "{id}-named" {{
  {common}
  image_repository_arns     = {repositories}
  feature_group_names       = {features}
  model_package_group_names = {packages}
}}
"""
COMMON = """source      = "./modules/access"
  name_prefix = "{prefix}"
  account_id  = "123456789012"
  region      = "eu-north-1"
  kms_key_arn = "arn:aws:kms:eu-north-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
  buckets = {{
    artifacts = {{ arn = "arn:aws:s3:::{prefix}-artifacts-123456789012-eu-north-1" }}
    data      = {{ arn = "arn:aws:s3:::{prefix}-data-123456789012-eu-north-1" }}
  }}
"""
CASES = [example for example in examples() if example.module in MODULES]
#: Modules whose permissions access grants without statements: by names, or because all containers have them.
MODULES_WITH_NAMES = ("feature_store", "model_registry", "pipeline", "serverless_endpoint")
#: The outputs with the names that access takes.
NAME_OUTPUTS = {"feature_store": "feature_groups", "model_registry": "model_package_groups"}
#: The outputs with the locations where callers write and resources read.
READ_OUTPUTS = {"async_endpoint": "requests_s3_uri"}


@dataclass(frozen=True)
class ExamplePermissions:
    """Statements of an example, permissions of both roles of a phase by policy, and actions of its resources."""

    stated: dict[str, EffectivePolicy]
    granted: dict[str, dict[str, EffectivePolicy]]
    named: dict[str, dict[str, EffectivePolicy]]
    expected: list[iam.PolicyStatement]


@pytest.fixture(scope="module")
def permissions(
    tmp_path_factory: pytest.TempPathFactory, terraform_environment: dict[str, str]
) -> dict[str, ExamplePermissions]:
    folder = tmp_path_factory.mktemp("statements")
    text = "\n".join(render_calls(example, folder) for example in CASES)
    Example("access", "statements", text).write(folder)
    planned = plan(terraform(folder, terraform_environment))
    outputs, values = (summary(planned)[part] for part in ("outputs", "values"))
    return {
        str(example): collect_permissions(str(example), outputs[str(example)], outputs[f"{example}-read"], values)
        for example in CASES
    }


def render_calls(example: Example, folder: Path) -> str:
    """Write the example as a module, and render its call and two calls of access."""
    (label,) = re.findall(rf'^module "(\w+)" {{\n *source *= "./modules/{example.module}"', example.text, re.M)
    outputs = [f'output "role_statements" {{\n value = module.{label}.role_statements\n}}']
    names = f"module.{example}.names"
    if name_output := NAME_OUTPUTS.get(example.module):
        outputs.append(f'output "names" {{\n value = [for group in module.{label}.{name_output} : group.name]\n}}')
    if read_output := READ_OUTPUTS.get(example.module):
        outputs.append(f'output "read" {{\n value = module.{label}.{read_output}\n}}')
    Example(example.module, example.case, "\n".join([example.text, *outputs])).write(folder / str(example))
    images = re.findall(r'image_uri *= "(\d+)\.dkr\.ecr\.([^.]+)\.[^/]+/([^:"]+)', example.text)
    (prefix,) = set(re.findall(r'name_prefix *= "((?:shop|flights-dev))', example.text))
    return CALLS.format(
        id=example,
        read=f"module.{example}.read" if read_output else "null",
        common=COMMON.format(prefix=prefix),
        repositories=json.dumps([f"arn:aws:ecr:{place}:{owner}:repository/{name}" for owner, place, name in images]),
        features=names if example.module == "feature_store" else "[]",
        packages=names if example.module == "model_registry" else "[]",
    )


def collect_permissions(
    case: str, statements_by_phase: dict[str, Any], read: str | None, values: dict[str, Any]
) -> ExamplePermissions:
    granted: dict[str, dict[str, dict[str, EffectivePolicy]]] = {"statements": {}, "named": {}}
    expected = [allow("s3:GetObject", f"{to_object_arn(read)}/one")] if read else []
    for address, planned in values.items():
        if role := re.fullmatch(rf'module\.{case}-(\w+)\.aws_iam_role_policy\.(\w+)\["(\w+)"\]', address):
            caller, concern, phase = role.groups()
            if "policy" in planned:  # pass_role names roles that are not there yet
                granted[caller].setdefault(phase, {})[concern] = merge_statements(
                    iam.parse_statements(planned["policy"]) or ()
                )
        elif address.startswith(f"module.{case}."):
            expected += list_actions_with(address.split(".")[-2], planned)
    iam_statements = {
        phase: merge_statements(map(parse_statement, statements)) for phase, statements in statements_by_phase.items()
    }
    return ExamplePermissions(iam_statements, granted["statements"], granted["named"], expected)


def list_actions_with(kind: str, planned: dict[str, Any]) -> Iterator[iam.PolicyStatement]:
    """Return the actions of a role with a planned resource."""
    match kind:
        case "aws_cloudwatch_log_group":
            yield allow(
                "logs:PutLogEvents", f"arn:aws:logs:{REGION_AND_ACCOUNT}:log-group:{planned['name']}:log-stream:one"
            )
        case "aws_sagemaker_endpoint" | "aws_sagemaker_endpoint_configuration":
            yield from list_endpoint_actions(planned)
        case "aws_sagemaker_feature_group":
            yield allow(
                "sagemaker:GetRecord",
                f"arn:aws:sagemaker:{REGION_AND_ACCOUNT}:feature-group/{planned['feature_group_name']}",
            )
            (storage,) = planned["offline_store_config"][0]["s3_storage_config"]
            table = f"{to_object_arn(storage['s3_uri'])}/123456789012/sagemaker/eu-north-1/offline-store/table"
            yield from store_object(f"{table}/data/one.parquet", storage["kms_key_id"])
            yield allow("s3:GetObject", f"{table}/metadata/one.json")
        case "aws_sagemaker_model_package_group":
            package = f"arn:aws:sagemaker:{REGION_AND_ACCOUNT}:model-package/{planned['model_package_group_name']}/1"
            pending = iam.PolicyCondition("StringEquals", "sagemaker:ModelApprovalStatus", ("PendingManualApproval",))
            yield allow("sagemaker:CreateModelPackage", package)._replace(conditions=(pending,))
        case "aws_sagemaker_pipeline":
            job = f"arn:aws:sagemaker:{REGION_AND_ACCOUNT}:processing-job/pipelines-x1y2-Sort-z3"
            yield allow("sagemaker:CreateProcessingJob", job)
        case "aws_sns_topic":
            yield allow("sns:Publish", f"arn:aws:sns:{REGION_AND_ACCOUNT}:{planned['name']}")
            for action in ("kms:Decrypt", "kms:GenerateDataKey"):
                yield allow(action, planned["kms_master_key_id"], service="sns")


def list_endpoint_actions(planned: dict[str, Any]) -> Iterator[iam.PolicyStatement]:
    for deployment in planned.get("deployment_config", ()):
        for alarm in deployment["auto_rollback_configuration"][0]["alarms"]:
            yield allow(
                "cloudwatch:DescribeAlarms", f"arn:aws:cloudwatch:{REGION_AND_ACCOUNT}:alarm:{alarm['alarm_name']}"
            )
    for capture in planned.get("data_capture_config", ()):
        yield from store_object(f"{to_object_arn(capture['destination_s3_uri'])}/one", capture["kms_key_id"])
    for each in planned.get("async_inference_config", ()):
        (output,) = each["output_config"]
        for path in (output["s3_output_path"], output["s3_failure_path"]):
            yield from store_object(f"{to_object_arn(path)}/one", output["kms_key_id"])


def store_object(arn: str, key: str) -> Iterator[iam.PolicyStatement]:
    yield allow("s3:PutObject", arn)
    yield allow("kms:GenerateDataKey", key, service="s3")


def to_object_arn(address: str) -> str:
    return address.replace("s3://", "arn:aws:s3:::")


def allow(action: str, arn: str, service: str = "") -> iam.PolicyStatement:
    """Return a statement that allows one action, for a key only through `service`."""
    endpoints = (f"{service}.eu-north-1.amazonaws.com",)
    conditions = (iam.PolicyCondition("StringEquals", "kms:ViaService", endpoints),) if service else ()
    return iam.PolicyStatement("", "Allow", (action,), (), (arn,), (), (), (), conditions)


def parse_statement(stated: dict[str, Any]) -> iam.PolicyStatement:
    conditions = (
        iam.PolicyCondition(one["test"], one["variable"], tuple(one["values"])) for one in stated["condition"]
    )
    return iam.PolicyStatement(
        stated["sid"], "Allow", tuple(stated["actions"]), (), tuple(stated["resources"]), (), (), (), tuple(conditions)
    )


def find_missing(expected: EffectivePolicy, granted: EffectivePolicy) -> list[str]:
    """Return the permissions of `expected` that `granted` lacks."""
    return [str(one.grant) for one in find_new_permissions(expected.allows, granted, expected)]


def merge_all(policies: dict[str, EffectivePolicy]) -> EffectivePolicy:
    return EffectivePolicy(tuple(grant for one in policies.values() for grant in one.allows), (), is_complete=True)


@pytest.mark.plan
@pytest.mark.parametrize("case", [str(example) for example in CASES])
def test_access_grants_exactly_the_statements(case: str, permissions: dict[str, ExamplePermissions]) -> None:
    stated = permissions[case].stated
    granted = {
        phase: policies["needed"] for phase, policies in permissions[case].granted.items() if "needed" in policies
    }
    assert stated.keys() == granted.keys()
    for phase, expected in stated.items():
        assert find_missing(expected, granted[phase]) == [], "access grants less than the statements"
        assert find_missing(granted[phase], expected) == [], "access grants more than the statements"


@pytest.mark.plan
@pytest.mark.parametrize("case", [str(example) for example in CASES if example.module in MODULES_WITH_NAMES])
def test_permissions_by_names_and_paths_suffice(case: str, permissions: dict[str, ExamplePermissions]) -> None:
    missing = {
        phase: find_missing(expected, merge_all(permissions[case].named[phase]))
        for phase, expected in permissions[case].stated.items()
    }
    # Access takes no names of topics, so publishing needs a statement.
    without_topics = {phase: [one for one in some if "sns" not in one] for phase, some in missing.items()}
    assert {phase: some for phase, some in without_topics.items() if some} == {}


@pytest.mark.plan
@pytest.mark.parametrize("case", [str(example) for example in CASES])
def test_names_grant_no_more_than_the_statements(case: str, permissions: dict[str, ExamplePermissions]) -> None:
    for phase, policies in permissions[case].named.items():
        # Except the policy of the offline store: its location does not follow from the name.
        for concern in policies.keys() & {"features", "registration"}:
            excess = find_missing(policies[concern], permissions[case].stated[phase])
            # Only `access` knows the repositories of the images that a registration may read.
            assert [one for one in excess if "ecr:" not in one] == []


@pytest.mark.plan
@pytest.mark.parametrize("case", [str(example) for example in CASES])
def test_statements_reference_planned_resources(case: str, permissions: dict[str, ExamplePermissions]) -> None:
    stated = merge_all(permissions[case].stated)
    stated_actions = {str(action) for grant in stated.allows for action in grant.actions.patterns}
    for statement in permissions[case].expected:
        # Actions without any statement are covered above: no role publishes to the topic of approvals.
        if any(fnmatch.fnmatchcase(str(statement.actions[0]), each) for each in stated_actions):
            assert find_missing(merge_statements([statement]), stated) == []
