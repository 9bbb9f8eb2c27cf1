"""Inline policies of the roles, one for each concern."""

from typing import Any

from cdktn_provider_aws.data_aws_iam_policy_document import DataAwsIamPolicyDocument
from cdktn_provider_aws.iam_role_policy import IamRolePolicy

from modules.access.inputs import Inputs
from sustainable_mlops.authoring.expressions import Each, each_of
from sustainable_mlops.authoring.resources import Module


def add(module: Module[Inputs], label: str, *, why: str, phases: Each[Any, Any], **document: Any) -> None:
    """Add a policy document for each phase (a set of phases, or a map by phase), and attach it to the role."""
    module.add(DataAwsIamPolicyDocument, label, why=why, for_each=phases, **document)
    attach(module, label)


def attach(module: Module[Inputs], label: str, **meta: Any) -> None:
    """Attach the policy documents of a label to the roles of their phases."""
    document = each_of(getattr(module.data.aws_iam_policy_document, label))
    module.add(
        IamRolePolicy,
        label,
        for_each=document,
        name=label.replace("_", "-"),
        role=module.resources.aws_iam_role.this[document.key].name,
        policy=document.value.json,
        **meta,
    )
