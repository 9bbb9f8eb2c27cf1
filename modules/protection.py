"""Deletion protection for the data of a module."""

from collections.abc import Mapping
from typing import TypeVar

from modules.common import ProtectedInputs
from sustainable_mlops.authoring.cdktn import DataResource
from sustainable_mlops.authoring.expressions import each_of, when
from sustainable_mlops.authoring.resources import Module

Guarded = TypeVar("Guarded", bound=ProtectedInputs)


def protect(module: Module[Guarded], arns: Mapping[str, str]) -> None:
    """Guard data behind an object that Terraform may not destroy; `arns` are ARNs by key.

    `prevent_destroy` takes no expression, so on the data itself it could not follow an input. A separate guard for each
    data resource can. It exists if `deletion_protection` is true. A plan that deletes or replaces the data (its ARN
    becomes unknown) must replace the guard, and Terraform refuses that. To delete the data, set the input to false and
    remove the guard from the state.
    """
    nothing: dict[str, str] = {}
    guard = each_of(when(module.var.deletion_protection, arns, nothing))
    module.add(
        DataResource,
        "deletion_protection",
        why="Terraform refuses to destroy or replace these guards, and so any plan that deletes or replaces the data. "
        "prevent_destroy takes no variable, so it is not an argument of the data itself.",
        for_each=guard,
        triggers_replace=guard.value,
        lifecycle={"prevent_destroy": True},
    )
