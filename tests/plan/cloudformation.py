"""Plans of CloudFormation types, written by hand: no provider here can plan them.

Each resource is given as `aws_*` writes it and as CloudFormation does, in snake case; `written` makes a whole plan of
them in one of three ways: `aws`, `awscc` or `cloudcontrol`.
"""

import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from tests.plan.build import document
from tests.rules import plans

WAYS = ("aws", "awscc", "cloudcontrol")
_ACTIONS = {"replace": ["delete", "create"]}
#: Words that CloudFormation writes in capitals.
_CAPITALS = {"sse": "SSE", "gb": "GB", "mb": "MB", "kms_master": "KMSMaster"}


class Twins(NamedTuple):
    """One resource in both writings, after the plan and, where it was another one, before it."""

    kind: str  # AWS::SageMaker::Model
    aws: Mapping[str, Any]
    awscc: Mapping[str, Any]
    aws_before: Mapping[str, Any] = {}
    awscc_before: Mapping[str, Any] = {}

    @property
    def name(self) -> str:
        """The name of the resource's block."""
        return self.kind.rsplit("::", 1)[1].lower()


AWS_TYPES = {
    "AWS::IAM::ManagedPolicy": "aws_iam_policy",
    "AWS::IAM::Role": "aws_iam_role",
    "AWS::KMS::Key": "aws_kms_key",
    "AWS::S3::Bucket": "aws_s3_bucket",
    "AWS::SageMaker::Domain": "aws_sagemaker_domain",
    "AWS::SageMaker::Endpoint": "aws_sagemaker_endpoint",
    "AWS::SageMaker::EndpointConfig": "aws_sagemaker_endpoint_configuration",
    "AWS::SageMaker::FeatureGroup": "aws_sagemaker_feature_group",
    "AWS::SageMaker::Model": "aws_sagemaker_model",
    "AWS::SageMaker::ModelPackageGroup": "aws_sagemaker_model_package_group",
    "AWS::SageMaker::NotebookInstance": "aws_sagemaker_notebook_instance",
}


def address(kind: str, name: str, way: str) -> str:
    """Where a resource of this CloudFormation type stands in a plan."""
    if way == "aws":
        return f"{AWS_TYPES[kind]}.{name}"
    if way == "cloudcontrol":
        return f"aws_cloudcontrolapi_resource.{name}"
    _, service, type_ = kind.split("::")
    return f"awscc_{service.lower()}_{re.sub('(?<!^)(?=[A-Z])', '_', type_).lower()}.{name}"


def written(*resources: Twins, way: str, action: str = "create") -> dict[str, Any]:
    """A plan that does `action` to all these resources."""
    if way == "aws":
        values = {address(one.kind, one.name, way): one.aws for one in resources}
        before = {address(one.kind, one.name, way): one.aws_before for one in resources}
        return plans.document(values, actions=dict.fromkeys(values, action), before=before)
    entries = [_entry(one, way, action) for one in resources]
    provider = {"name": way, "expressions": {"region": {"constant_value": "eu-north-1"}}}
    configuration = {
        "provider_config": {"provider": provider},
        "root_module": {"resources": [] if action == "delete" else [declared for _, declared in entries]},
    }
    return document(*(change for change, _ in entries), configuration=configuration)


def _entry(one: Twins, way: str, action: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The resource's change and its configuration."""
    values = one.awscc if way == "awscc" else _desired(one.kind, one.awscc)
    old = {**one.awscc, **one.awscc_before}
    before = old if way == "awscc" else _desired(one.kind, old)
    where = address(one.kind, one.name, way)
    identity = {"address": where, "mode": "managed", "type": where.partition(".")[0], "name": one.name}
    change = {
        "actions": _ACTIONS.get(action, [action]),
        "before": None if action == "create" else before,
        "after": None if action == "delete" else values,
        "after_unknown": {},
    }
    expressions = {name: {"constant_value": value} for name, value in values.items()}
    return {**identity, "change": change}, {**identity, "provider_config_key": "provider", "expressions": expressions}


def _desired(kind: str, values: Mapping[str, Any]) -> dict[str, Any]:
    return {"type_name": kind, "desired_state": json.dumps(camel(values))}


def camel(values: Any) -> Any:
    """Snake case as CloudFormation writes it. Text that is JSON becomes the object that CloudFormation takes."""
    if isinstance(values, list):
        return [camel(value) for value in values]
    if isinstance(values, dict):
        return {_camel(name): camel(value) for name, value in values.items()}
    return json.loads(values) if isinstance(values, str) and values.startswith("{") else values


def _camel(name: str) -> str:
    name = re.sub("^kms_master_key_id$", "KMSMasterKeyID", name)
    return "".join(_CAPITALS.get(word, word[:1].upper() + word[1:]) for word in name.split("_"))
