"""What modules say that their resources need, as one policy of each role that is concerned."""

from typing import Any

from modules.access import policy
from modules.access.inputs import Inputs
from sustainable_mlops.authoring.expressions import (
    Dynamic,
    contains,
    distinct,
    each_of,
    flatten,
    list_of,
    map_of,
    set_of,
)
from sustainable_mlops.authoring.resources import Module


def add(module: Module[Inputs]) -> None:
    """Add the policy `needed`."""
    var, local = module.var, module.locals
    needed = each_of(
        map_of(
            var.role_statements,
            lambda _phase, statements: statements,
            where=lambda phase, _: contains(local.phases, phase),
        )
    )

    def of(sid: str, what: str) -> list[Any]:
        return list_of(needed.value, lambda one: getattr(one, what), where=lambda one: one.sid == sid)

    policy.add(
        module,
        "needed",
        why="What modules need besides; of one sid all statements are alike but for their resources.",
        phases=needed,
        statement=Dynamic(
            set_of(list_of(needed.value, lambda one: one.sid)),
            lambda statement: {
                "sid": statement.value,
                "actions": of(statement.value, "actions")[0],
                "resources": distinct(flatten(of(statement.value, "resources"))),
                "condition": Dynamic(
                    of(statement.value, "condition")[0],
                    lambda condition: {
                        "test": condition.value.test,
                        "variable": condition.value.variable,
                        "values": condition.value.values,
                    },
                ),
            },
        ),
    )
