"""Meta-arguments that every resource takes: for_each, lifecycle, depends_on."""

from collections.abc import Iterable, Mapping
from typing import Any

from sustainable_mlops.authoring.author_errors import make_author_error
from sustainable_mlops.authoring.entries import list_addresses
from sustainable_mlops.authoring.expressions import types
from sustainable_mlops.authoring.expressions.scopes import Each
from sustainable_mlops.authoring.expressions.tokens import to_json_syntax, to_template
from sustainable_mlops.base.errors import did_you_mean

#: Arguments of a `lifecycle` block.
_LIFECYCLE = (
    "create_before_destroy",
    "ignore_changes",
    "postcondition",
    "precondition",
    "prevent_destroy",
    "replace_triggered_by",
)


def build_meta_arguments(
    cls: type, for_each: Each[Any, Any] | None, lifecycle: Mapping[str, Any] | None, depends_on: Iterable[Any]
) -> dict[str, Any]:
    """Return the meta-arguments in Terraform's JSON syntax. Raises UserError for an unknown meta-argument."""
    meta: dict[str, Any] = {}
    if for_each is not None:
        if not isinstance(for_each, Each):
            raise make_author_error("for_each takes each_of(a map or a set); the arguments then use its key and value")
        meta["for_each"] = to_template(for_each.collection)
    if lifecycle:
        for name in lifecycle:
            if name not in _LIFECYCLE:
                raise make_author_error(f"lifecycle has no '{name}'{did_you_mean(name, _LIFECYCLE)}")
        for name in lifecycle.get("ignore_changes", ()):
            # A path, such as block[0].attribute: its first part is an attribute of the resource.
            attribute = name.partition("[")[0]
            if attribute not in (known := types.list_attributes(cls)):
                raise make_author_error(
                    f"lifecycle: ignore_changes: {cls.__name__} has no '{attribute}'{did_you_mean(attribute, known)}"
                )
        meta["lifecycle"] = to_json_syntax(lifecycle)
        if triggers := lifecycle.get("replace_triggered_by"):
            meta["lifecycle"]["replace_triggered_by"] = list_addresses(triggers)
    if depends_on:
        meta["depends_on"] = list_addresses(depends_on)
    return meta
