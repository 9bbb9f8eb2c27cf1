"""The guard over data, the same in every module that holds some."""

from collections.abc import Mapping
from typing import TypeVar

from modules.common import ProtectedInputs
from sustainable_mlops.authoring.cdktn import DataResource
from sustainable_mlops.authoring.expressions import each_of, when
from sustainable_mlops.authoring.resources import Module

Guarded = TypeVar("Guarded", bound=ProtectedInputs)


def protect(module: Module[Guarded], arns: Mapping[str, str]) -> None:
    """Guard data behind an object that Terraform may not destroy; `arns` are ARNs by key.

    `prevent_destroy` takes no expression, so it cannot stand on the data and follow an input. A guard for each piece of
    data can: it exists where `deletion_protection` is true, and a plan that deletes or replaces the data (its ARN
    becomes unknown) has to replace the guard, which Terraform refuses. Leaving takes two keys: the input set to false
    and the guard removed from the state.
    """
    nothing: dict[str, str] = {}
    guard = each_of(when(module.var.deletion_protection, arns, nothing))
    module.add(
        DataResource,
        "deletion_protection",
        why="Terraform refuses to destroy or replace these, and with them any plan that deletes or replaces the data. "
        "prevent_destroy takes no variable, hence a guard for each piece of data and not an argument of it.",
        for_each=guard,
        triggers_replace=guard.value,
        lifecycle={"prevent_destroy": True},
    )
