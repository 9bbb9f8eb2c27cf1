"""What modules say that they need of a role is what its resources do, and what `access` grants: no less and no more."""

import fnmatch
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from modules.iam_statements import build_statement, merge_phases, via_services
from sustainable_mlops.authoring import bind_inputs
from sustainable_mlops.plan import iam
from sustainable_mlops.review.privileges.grants import EffectivePolicy, find_new_permissions, merge_statements
from sustainable_mlops.terraform import ROOT
from tests.modules.examples import Example, examples, plan, summary, terraform

MODULES = [path.parent.name for path in sorted(ROOT.glob("modules/*/iam_statements.py")) if path.parent.name != "access"]

#: What a service does as the role that it is handed, by the type of the resource and the argument that asks for it.
DONE = {
    "aws_sagemaker_endpoint": {
        "deployment_config.auto_rollback_configuration.alarms.alarm_name": ["cloudwatch:DescribeAlarms"],
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
    "aws_sagemaker_pipeline": {
        "role_arn": [
            f"sagemaker:{verb}{noun}Job"
            for noun in ("HyperParameterTuning", "Processing", "Training", "Transform")
            for verb in ("Create", "Describe", "Stop")
        ],
    },
    "aws_sagemaker_model": {
        "execution_role_arn": [
            *("logs:CreateLogStream", "logs:PutLogEvents", "cloudwatch:PutMetricData", "ecr:GetAuthorizationToken"),
        ],
        "primary_container.image": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
        "primary_container.model_data_url": ["s3:GetObject"],
        "primary_container.multi_model_config": ["s3:ListBucket"],
    },
}
#: Beside a configuration with notifications, publishing to a topic with a key takes the key.
ENCRYPTED = ["kms:Decrypt", "kms:GenerateDataKey"]
ROLE = re.compile(r"(.*_)?role(_arn)?")

PLACE = "eu-north-1:123456789012"


def _unsaid(body: dict[str, Any]) -> set[str]:
    """What a module's resources do as their role and its statements do not say."""
    said = re.findall(r"[a-z0-9-]+:[A-Z][A-Za-z]+\*?", json.dumps(body["output"].get("role_statements", {})))
    return {action for action in _done(body["resource"]) if not any(fnmatch.fnmatchcase(action, one) for one in said)}


def _done(resources: dict[str, Any]) -> Iterator[str]:
    notifies = False
    for kind, instances in resources.items():
        for path in {path for body in instances.values() for path in _paths(body)}:
            yield from DONE.get(kind, {}).get(path, ())
            notifies |= path.endswith("notification_config")
            acts = ROLE.fullmatch(path.rpartition(".")[2]) and not kind.startswith("aws_iam_")
            assert not acts or kind in DONE, f"say in DONE what {kind} does as its role"
    if notifies and any("kms_master_key_id" in topic for topic in resources.get("aws_sns_topic", {}).values()):
        yield from ENCRYPTED


def _paths(body: Any, path: str = "") -> Iterator[str]:
    """The paths of what is set in a resource, through lists and dynamic blocks."""
    if isinstance(body, list):
        for item in body:
            yield from _paths(item, path)
    elif isinstance(body, dict):
        for name, item in body.items():
            if name == "dynamic":
                yield from _paths({label: block["content"] for label, block in item.items()}, path)
            else:
                yield (inner := f"{path}.{name}".removeprefix("."))
                yield from _paths(item, inner)


def test_no_module_leaves_unsaid_what_its_resources_do_as_their_role(synthesized: dict[str, Any]) -> None:
    assert {name: found for name, body in synthesized.items() if (found := _unsaid(body))} == {}


def test_an_encrypted_topic_of_an_endpoint_that_nobody_speaks_of_is_noticed() -> None:
    output = {"notification_config": {"success_topic": "${aws_sns_topic.results.arn}"}}
    body = {
        "output": {},
        "resource": {
            "aws_sagemaker_endpoint_configuration": {"this": {"async_inference_config": {"output_config": output}}},
            "aws_sns_topic": {"results": {"name": "results", "kms_master_key_id": "${var.kms_key_arn}"}},
        },
    }
    written = {"s3:AbortMultipartUpload", "s3:PutObject"}
    assert _unsaid(body) == {*written, "sns:Publish", "kms:Decrypt", "kms:GenerateDataKey"}


def test_a_resource_with_a_role_that_nobody_knows_is_noticed() -> None:
    notebook = {"aws_sagemaker_notebook_instance": {"this": {"role_arn": "${var.role_arn}"}}}
    with pytest.raises(AssertionError, match="say in DONE what aws_sagemaker_notebook_instance does as its role"):
        _unsaid({"output": {}, "resource": notebook})


@dataclass(frozen=True)
class Settings:
    account_id: str = "123456789012"
    region: str = "cn-north-1"
    partition: str = "aws-cn"


def test_needs_are_composed_where_all_is_known_in_python() -> None:
    from modules.feature_store import iam_statements
    from modules.feature_store.inputs import Inputs

    at, key = Settings(), "${module.storage.kms_key_arn}"
    groups = {"all_orders": {"record_identifier": "order_id"}}
    inputs = bind_inputs(
        Inputs, name_prefix="shop", feature_groups=groups, offline_store_s3_uri="s3://lake/store", kms_key_arn=key
    )
    features = iam_statements.build_statements(inputs, at)
    topic = build_statement(
        "Publish", ["sns:Publish"], ["arn:aws-cn:sns:cn-north-1:123456789012:done"], via_services(at, "sns")
    )
    found = merge_phases(features, {"inference": [topic]})
    group = "arn:aws-cn:sagemaker:cn-north-1:123456789012:feature-group/shop-all-orders"
    assert found["training"] == [build_statement("Records", iam_statements.READ, [group])]
    assert found["inference"] == [*found["training"], topic]
    by_sid = {one["sid"]: one for one in found["data_preparation"]}
    assert by_sid["StoreRecords"]["resources"] == ["arn:aws-cn:s3:::lake/store/*"]
    assert by_sid["EncryptOfflineStore"] == build_statement("EncryptOfflineStore", ["kms:GenerateDataKey"], [key])
    assert by_sid["ReadEncryptedMetadata"]["resources"] == [key]
    assert by_sid["ReadEncryptedMetadata"]["condition"] == [
        {"test": "StringEquals", "variable": "kms:ViaService", "values": ["s3.cn-north-1.amazonaws.com.cn"]}
    ]


# What access grants, read in one plan of all examples, each with two callers of access: one is given the statements,
# the other only what access takes besides, names of groups among it.

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

module "{id}-said" {{
  {common}
  role_statements = module.{id}.role_statements
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
#: Modules for which access needs no statements: it has names for them, or gives all containers what they need.
ENOUGH = ("feature_store", "model_registry", "pipeline", "serverless_endpoint")
#: Where each module is given to access by name; the outputs that hold the names.
NAMES = {"feature_store": "feature_groups", "model_registry": "model_package_groups"}
#: Where each module says that callers put what its resources read.
READ = {"async_endpoint": "requests_s3_uri"}


@dataclass(frozen=True)
class Found:
    """What one example says, what the two roles of a phase are granted, by policy, and what is done with it all."""

    said: dict[str, EffectivePolicy]
    given: dict[str, dict[str, EffectivePolicy]]
    named: dict[str, dict[str, EffectivePolicy]]
    done: list[iam.PolicyStatement]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory, terraform_environment: dict[str, str]) -> dict[str, Found]:
    folder = tmp_path_factory.mktemp("needs")
    text = "\n".join(_call(example, folder) for example in CASES)
    Example("access", "needs", text).write(folder)
    planned = plan(terraform(folder, terraform_environment))
    outputs, values = (summary(planned)[part] for part in ("outputs", "values"))
    return {
        str(example): _found(str(example), outputs[str(example)], outputs[f"{example}-read"], values)
        for example in CASES
    }


def _call(example: Example, folder: Path) -> str:
    """The example as a module of its own, and two calls of access."""
    (label,) = re.findall(rf'^module "(\w+)" {{\n *source *= "./modules/{example.module}"', example.text, re.M)
    outputs = [f'output "role_statements" {{\n value = module.{label}.role_statements\n}}']
    names = f"module.{example}.names"
    if held := NAMES.get(example.module):
        outputs.append(f'output "names" {{\n value = [for group in module.{label}.{held} : group.name]\n}}')
    if read := READ.get(example.module):
        outputs.append(f'output "read" {{\n value = module.{label}.{read}\n}}')
    Example(example.module, example.case, "\n".join([example.text, *outputs])).write(folder / str(example))
    pulled = re.findall(r'image_uri *= "(\d+)\.dkr\.ecr\.([^.]+)\.[^/]+/([^:"]+)', example.text)
    (prefix,) = set(re.findall(r'name_prefix *= "((?:shop|flights-dev))', example.text))
    return CALLS.format(
        id=example,
        read=f"module.{example}.read" if read else "null",
        common=COMMON.format(prefix=prefix),
        repositories=json.dumps([f"arn:aws:ecr:{place}:{owner}:repository/{name}" for owner, place, name in pulled]),
        features=names if example.module == "feature_store" else "[]",
        packages=names if example.module == "model_registry" else "[]",
    )


def _found(case: str, said: dict[str, Any], read: str | None, values: dict[str, Any]) -> Found:
    granted: dict[str, dict[str, dict[str, EffectivePolicy]]] = {"said": {}, "named": {}}
    done = [_does("s3:GetObject", f"{_objects(read)}/one")] if read else []
    for address, held in values.items():
        if role := re.fullmatch(rf'module\.{case}-(\w+)\.aws_iam_role_policy\.(\w+)\["(\w+)"\]', address):
            caller, concern, phase = role.groups()
            if "policy" in held:  # pass_role names roles that are not there yet
                granted[caller].setdefault(phase, {})[concern] = merge_statements(
                    iam.parse_statements(held["policy"]) or ()
                )
        elif address.startswith(f"module.{case}."):
            done += _done_with(address.split(".")[-2], held)
    iam_statements = {phase: merge_statements(map(_statement, statements)) for phase, statements in said.items()}
    return Found(iam_statements, granted["said"], granted["named"], done)


def _done_with(kind: str, held: dict[str, Any]) -> Iterator[iam.PolicyStatement]:
    """What a role does with a resource of a plan, where it does anything."""
    match kind:
        case "aws_cloudwatch_log_group":
            yield _does("logs:PutLogEvents", f"arn:aws:logs:{PLACE}:log-group:{held['name']}:log-stream:one")
        case "aws_sagemaker_endpoint" | "aws_sagemaker_endpoint_configuration":
            yield from _done_for_endpoint(held)
        case "aws_sagemaker_feature_group":
            yield _does("sagemaker:GetRecord", f"arn:aws:sagemaker:{PLACE}:feature-group/{held['feature_group_name']}")
            (storage,) = held["offline_store_config"][0]["s3_storage_config"]
            table = f"{_objects(storage['s3_uri'])}/123456789012/sagemaker/eu-north-1/offline-store/table"
            yield from _stores(f"{table}/data/one.parquet", storage["kms_key_id"])
            yield _does("s3:GetObject", f"{table}/metadata/one.json")
        case "aws_sagemaker_model_package_group":
            package = f"arn:aws:sagemaker:{PLACE}:model-package/{held['model_package_group_name']}/1"
            yield _does("sagemaker:CreateModelPackage", package)
        case "aws_sagemaker_pipeline":
            job = f"arn:aws:sagemaker:{PLACE}:processing-job/pipelines-x1y2-Sort-z3"
            yield _does("sagemaker:CreateProcessingJob", job)
        case "aws_sns_topic":
            yield _does("sns:Publish", f"arn:aws:sns:{PLACE}:{held['name']}")
            for action in ("kms:Decrypt", "kms:GenerateDataKey"):
                yield _does(action, held["kms_master_key_id"], service="sns")


def _done_for_endpoint(held: dict[str, Any]) -> Iterator[iam.PolicyStatement]:
    for deployment in held.get("deployment_config", ()):
        for alarm in deployment["auto_rollback_configuration"][0]["alarms"]:
            yield _does("cloudwatch:DescribeAlarms", f"arn:aws:cloudwatch:{PLACE}:alarm:{alarm['alarm_name']}")
    for capture in held.get("data_capture_config", ()):
        yield from _stores(f"{_objects(capture['destination_s3_uri'])}/one", capture["kms_key_id"])
    for each in held.get("async_inference_config", ()):
        (output,) = each["output_config"]
        for path in (output["s3_output_path"], output["s3_failure_path"]):
            yield from _stores(f"{_objects(path)}/one", output["kms_key_id"])


def _stores(arn: str, key: str) -> Iterator[iam.PolicyStatement]:
    yield _does("s3:PutObject", arn)
    yield _does("kms:GenerateDataKey", key, service="s3")


def _objects(address: str) -> str:
    return address.replace("s3://", "arn:aws:s3:::")


def _does(action: str, arn: str, service: str = "") -> iam.PolicyStatement:
    """Return a statement that allows one action, for a key only through `service`."""
    endpoints = (f"{service}.eu-north-1.amazonaws.com",)
    conditions = (iam.PolicyCondition("StringEquals", "kms:ViaService", endpoints),) if service else ()
    return iam.PolicyStatement("", "Allow", (action,), (), (arn,), (), (), (), conditions)


def _statement(said: dict[str, Any]) -> iam.PolicyStatement:
    conditions = (iam.PolicyCondition(one["test"], one["variable"], tuple(one["values"])) for one in said["condition"])
    return iam.PolicyStatement(
        said["sid"], "Allow", tuple(said["actions"]), (), tuple(said["resources"]), (), (), (), tuple(conditions)
    )


def _lacking(wanted: EffectivePolicy, granted: EffectivePolicy) -> list[str]:
    """What of `wanted` is not granted."""
    return [str(one.grant) for one in find_new_permissions(wanted.allows, granted, wanted)]


def _all(policies: dict[str, EffectivePolicy]) -> EffectivePolicy:
    return EffectivePolicy(tuple(grant for one in policies.values() for grant in one.allows), (), is_complete=True)


@pytest.mark.plan
@pytest.mark.parametrize("case", [str(example) for example in CASES])
def test_access_grants_what_is_said_and_nothing_else(case: str, found: dict[str, Found]) -> None:
    said = found[case].said
    given = {phase: policies["needed"] for phase, policies in found[case].given.items() if "needed" in policies}
    assert said.keys() == given.keys()
    for phase, needed in said.items():
        assert _lacking(needed, given[phase]) == [], "access grants less than is said"
        assert _lacking(given[phase], needed) == [], "access grants more than is said"


@pytest.mark.plan
@pytest.mark.parametrize("case", [str(example) for example in CASES if example.module in ENOUGH])
def test_what_access_grants_by_names_and_paths_is_enough(case: str, found: dict[str, Found]) -> None:
    lacking = {phase: _lacking(needed, _all(found[case].named[phase])) for phase, needed in found[case].said.items()}
    # Access takes no names of topics: publishing to one has to be said.
    unsaid = {phase: [one for one in some if "sns" not in one] for phase, some in lacking.items()}
    assert {phase: some for phase, some in unsaid.items() if some} == {}


@pytest.mark.plan
@pytest.mark.parametrize("case", [str(example) for example in CASES])
def test_a_name_grants_nothing_that_is_not_said(case: str, found: dict[str, Found]) -> None:
    for phase, policies in found[case].named.items():
        # Not the offline store's: a name does not say where it is.
        for concern in policies.keys() & {"features", "registration"}:
            assert _lacking(policies[concern], found[case].said[phase]) == []


@pytest.mark.plan
@pytest.mark.parametrize("case", [str(example) for example in CASES])
def test_statements_name_what_is_made(case: str, found: dict[str, Found]) -> None:
    said = _all(found[case].said)
    speaking = {str(action) for grant in said.allows for action in grant.actions.patterns}
    for done in found[case].done:
        # Whether a module speaks of it at all is held above: nobody publishes to its own topic of approvals.
        if any(fnmatch.fnmatchcase(str(done.actions[0]), each) for each in speaking):
            assert _lacking(merge_statements([done]), said) == []
