"""One concern as an inline policy of the roles that it concerns."""

from typing import Any

from cdktn_provider_aws.data_aws_iam_policy_document import DataAwsIamPolicyDocument
from cdktn_provider_aws.iam_role_policy import IamRolePolicy

from sustainable_mlops.authoring.resources import Module


def add(module: Module[Any], label: str, *, why: str, phases: str, **document: Any) -> None:
    """Add a document for each of `phases` (an expression: a set, or a map by phase), and attach it to its role."""
    policy = module.add(DataAwsIamPolicyDocument, label, why=why, for_each=f"${{{phases}}}", **document)
    module.add(
        IamRolePolicy,
        label,
        for_each=str(policy),
        name=label.replace("_", "-"),
        role="${aws_iam_role.this[each.key].name}",
        policy="${each.value.json}",
    )
