"""Conversion of responses of AWS to arguments of Terraform resources.

A table has the argument for each member of a response, or None for a member that no configuration sets. A member that
is not in the table may be a setting that the resource type does not have, so the object is excluded.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sustainable_mlops.account.adopt.adoption import ExclusionError
from sustainable_mlops.authoring.hcl import BlockLayout


@dataclass(frozen=True)
class Nested:
    """A nested block and the table of its members. With `keep_empty`, an empty member is an empty block."""

    name: str
    fields: "Fields"
    keep_empty: bool = False


Fields = Mapping[str, str | Nested | None]


def convert(response: Mapping[str, Any], fields: Fields, where: str = "") -> dict[str, Any]:
    """Return the arguments for a response. Raises ExclusionError for a setting without an argument."""
    body: dict[str, Any] = {}
    for member, value in response.items():
        target = fields.get(member, "")
        if target is None:
            continue
        if isinstance(target, Nested):
            values = value if isinstance(value, list) else [value]
            blocks = [convert(one, target.fields, f"{where}{member}.") for one in values if one is not None]
            if blocks := [block for block in blocks if block or target.keep_empty]:
                body[target.name] = blocks
        elif value not in (None, "", {}, []):
            if target:
                body[target] = escape_template(value)
            elif value is not False:
                raise ExclusionError(
                    f"{where}{member} has no argument in the AWS provider, so a replacement would lose it"
                )
    return body


def make_layout(fields: Fields) -> BlockLayout:
    """Return the layout of the blocks of a table."""
    blocks = [target for target in fields.values() if isinstance(target, Nested)]
    return BlockLayout({target.name: make_layout(target.fields) for target in blocks})


def escape_template(value: Any) -> Any:
    """Return a value for HCL in which `${` and `%{` are literal text."""
    if isinstance(value, str):
        return value.replace("${", "$${").replace("%{", "%%{")
    if isinstance(value, Mapping):
        return {escape_template(key): escape_template(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [escape_template(item) for item in value]
    return value


def read_tags(
    pairs: list[Mapping[str, str]] | Mapping[str, str], key: str = "Key", value: str = "Value"
) -> dict[str, str]:
    """Return tags as a map."""
    return dict(pairs) if isinstance(pairs, Mapping) else {pair[key]: pair[value] for pair in pairs}


def add_tags(body: dict[str, Any], tags: Mapping[str, str]) -> dict[str, Any]:
    """Return the arguments with the tags that a configuration may set. Raises ExclusionError for a stack's resource."""
    if stack := tags.get("aws:cloudformation:stack-name"):
        raise ExclusionError(
            f"CloudFormation stack {stack} manages it; remove it from the stack with DeletionPolicy Retain"
        )
    own = {key: text for key, text in sorted(tags.items()) if not key.startswith("aws:")}
    return {**body, "tags": escape_template(own)} if own else body
