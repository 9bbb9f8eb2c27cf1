"""Inline policies of the roles, one for each concern."""

from typing import Any

from cdktn_provider_aws.data_aws_iam_policy_document import DataAwsIamPolicyDocument
from cdktn_provider_aws.iam_role_policy import IamRolePolicy

from modules.access.inputs import Inputs
from modules.policies import encode_policy
from sustainable_mlops.authoring.expressions import Each, each_of
from sustainable_mlops.authoring.resources import Module


def add(
    module: Module[Inputs],
    label: str,
    *statements: Any,
    why: str,
    phases: Each[Any, Any],
    extra_elements: Any = (),
    **meta: Any,
) -> None:
    """Add a policy of these statements to the role of each phase (a set of phases, or a map by phase).

    `extra_elements` is an expression of statements that `encode_statement` returned.
    """
    policy = encode_policy(*statements, extra_elements=extra_elements)
    _attach(module, label, phases, policy, why=why, **meta)


def add_document(module: Module[Inputs], label: str, *, phases: Each[Any, Any], **document: Any) -> None:
    """Add a policy with the ARN of a key or a role (see `modules.policies`) to the role of each phase."""
    module.add(DataAwsIamPolicyDocument, label, for_each=phases, **document)
    attach_document(module, label)


def attach_document(module: Module[Inputs], label: str, **meta: Any) -> None:
    """Attach the policy documents of a label to the roles of their phases."""
    documents = each_of(getattr(module.data.aws_iam_policy_document, label))
    _attach(module, label, documents, documents.value.json, **meta)


def _attach(module: Module[Inputs], label: str, phases: Each[Any, Any], policy: str, **meta: Any) -> None:
    module.add(
        IamRolePolicy,
        label,
        for_each=phases,
        name=label.replace("_", "-"),
        role=module.resources.aws_iam_role.this[phases.key].name,
        policy=policy,
        **meta,
    )
