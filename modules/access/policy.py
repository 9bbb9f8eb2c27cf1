"""Inline policies of the roles, one for each concern."""

from typing import Any

from cdktn_provider_aws.iam_role_policy import IamRolePolicy

from modules.access.inputs import Inputs
from modules.policies import encode_policy, show_policy
from sustainable_mlops.authoring.expressions import Each, each_of, jsonencode
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


def add_shown_policy(module: Module[Inputs], label: str, *statements: Any, why: str, phases: Each[Any, Any]) -> None:
    """Add a policy with the ARN of a key or a role (see `show_policy`) to the role of each phase."""
    attach_shown_policies(module, label, show_policy(module, label, *statements, for_each=phases, why=why))


def attach_shown_policies(module: Module[Inputs], label: str, policies: Any, **meta: Any) -> None:
    """Attach the policies that `show_policy` returned to the roles of their phases."""
    policy = each_of(policies)
    _attach(module, label, policy, jsonencode(policy.value.input), **meta)


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
