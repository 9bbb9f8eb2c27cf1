"""Policy `needed` with the IAM statements of other modules, one for each role."""

from typing import Any

from modules.access import policy
from modules.access.inputs import Inputs, list_statements
from modules.policies import encode_statement, show_policy
from sustainable_mlops.authoring.expressions import (
    Each,
    concat,
    contains,
    distinct,
    each_of,
    flatten,
    intersection,
    join,
    jsonencode,
    keys,
    length,
    list_of,
    map_of,
    merge,
    set_of,
    when,
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
    policies = show_policy(
        module,
        "needed",
        for_each=phase,
        extra_elements=_build_elements(phase),
        why="Statements of other modules. Statements with the same sid differ only in their resources.",
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
    own = jsonencode(policies[phase.key].input)
    policy.attach_shown_policies(
        module,
        "needed",
        policies,
        lifecycle={
            "precondition": {
                "condition": length(join("", concat(texts, [own]))) <= MOST_CHARACTERS,
                "error_message": f"IAM allows {MOST_CHARACTERS} characters of inline policies for a role, and "
                f"the policies of {phase.key} are longer; attach some of its role_statements to role_names as a "
                "managed policy",
            }
        },
    )


def _build_elements(phase: Each[Any, Any]) -> Any:
    """Return one statement of a policy for each sid of a phase."""

    def list_fields(sid: str, field: str) -> list[Any]:
        return list_of(phase.value, lambda one: getattr(one, field), where=lambda one: one.sid == sid)

    def build_element(sid: str) -> Any:
        conditions = list_fields(sid, "condition")[0]
        by_test = map_of(
            set_of(list_of(conditions, lambda one: one.test)),
            lambda test: map_of(
                conditions,
                lambda one: one["values"],
                where=lambda one: one.test == test,
                key=lambda one: one.variable,
            ),
            key=lambda test: test,
        )
        element = {
            "sid": sid,
            "actions": list_fields(sid, "actions")[0],
            "resources": distinct(flatten(list_fields(sid, "resources"))),
        }
        nothing: dict[str, Any] = {}
        return merge(encode_statement(element), when(length(conditions) > 0, {"Condition": by_test}, nothing))

    return list_of(set_of(list_of(phase.value, lambda one: one.sid)), build_element)
