"""Policy `needed` with the IAM statements of other modules, one for each role."""

from typing import Any

from cdktn_provider_aws.data_aws_iam_policy_document import DataAwsIamPolicyDocument

from modules.access import policy
from modules.access.inputs import Inputs, list_statements
from sustainable_mlops.authoring.expressions import (
    Dynamic,
    Each,
    concat,
    contains,
    distinct,
    each_of,
    flatten,
    intersection,
    join,
    keys,
    length,
    list_of,
    map_of,
    set_of,
)
from sustainable_mlops.authoring.resources import Module
from sustainable_mlops.catalogue.limits import get_limit

MOST_CHARACTERS = get_limit("role_inline_policies_characters")


def add(module: Module[Inputs]) -> None:
    """Add the policy `needed` after all others, with a check that all policies fit in the limit."""
    var, local = module.var, module.locals
    phases = flatten(list_of(var.role_statements, lambda statements: keys(statements)))
    by_phase = module.local(
        "role_statements",
        map_of(
            intersection(local.phases, phases),
            lambda phase: list_statements(var, phase),
            key=lambda phase: phase,
        ),
        why="Statements of all modules, by phase.",
    )
    phase = each_of(by_phase)
    module.add(
        DataAwsIamPolicyDocument,
        "needed",
        why="Statements of other modules. Statements with the same sid differ only in their resources.",
        for_each=phase,
        statement=_statements(phase),
    )
    labels = [entry.path[2] for entry in module.entries if entry.path[1] == "aws_iam_role_policy"]
    others = module.local(
        "policies",
        [getattr(module.resources.aws_iam_role_policy, label) for label in labels],
        why="All other policies of the roles.",
    )
    texts = list_of(
        others,
        lambda by_phase: by_phase[phase.key].policy,
        where=lambda by_phase: contains(keys(by_phase), phase.key),
    )
    own = module.data.aws_iam_policy_document.needed[phase.key].minified_json
    policy.attach_document(
        module,
        "needed",
        lifecycle={
            "precondition": {
                "condition": length(join("", concat(texts, [own]))) <= MOST_CHARACTERS,
                "error_message": f"IAM allows {MOST_CHARACTERS} characters of inline policies for a role, and those of "
                f"{phase.key} are longer; attach some of its role_statements to role_names as a managed policy",
            }
        },
    )


def _statements(phase: Each[Any, Any]) -> Dynamic[Any, Any]:
    """Return one statement for each sid of a phase."""

    def list_fields(sid: str, field: str) -> list[Any]:
        return list_of(phase.value, lambda one: getattr(one, field), where=lambda one: one.sid == sid)

    return Dynamic(
        set_of(list_of(phase.value, lambda one: one.sid)),
        lambda statement: {
            "sid": statement.value,
            "actions": list_fields(statement.value, "actions")[0],
            "resources": distinct(flatten(list_fields(statement.value, "resources"))),
            "condition": Dynamic(
                list_fields(statement.value, "condition")[0],
                lambda condition: {
                    "test": condition.value.test,
                    "variable": condition.value.variable,
                    "values": condition.value.values,
                },
            ),
        },
    )
