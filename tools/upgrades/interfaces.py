"""Interface of a module: everything that module calls and states refer to."""

import json
import operator
import re
from collections.abc import Iterator, Mapping
from typing import Any

from tools.upgrades.input_types import list_type_changes, parse_type

#: Interface of one module, as `describe_interface` returns it.
Interface = Mapping[str, Any]
_REPETITIONS = ("count", "for_each")
_CONDITION = re.compile(r"(?P<sign>[<>]=?|=|!=)?\s*(?P<version>\d+(?:\.\d+)*)")
_SIGNS = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "=": operator.eq,
    "": operator.eq,
    "!=": operator.ne,
}


def describe_interface(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the interface of a module in Terraform's JSON syntax."""
    settings = body["terraform"]
    providers = {name: provider["version"] for name, provider in settings["required_providers"].items()}
    return {
        "requirements": {"terraform": settings["required_version"], **providers},
        "inputs": {name: _describe_input(variable) for name, variable in body["variable"].items()},
        "outputs": {name: {"sensitive": output.get("sensitive", False)} for name, output in body["output"].items()},
        "resources": {
            f"{kind}.{name}": next((word for word in _REPETITIONS if word in arguments), "")
            for kind, instances in body["resource"].items()
            for name, arguments in instances.items()
        },
        "moved": sorted(block["from"] for block in body.get("moved", [])),
    }


def _describe_input(variable: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": variable["type"],
        "nullable": variable.get("nullable", True),
        "validations": sorted(validation["condition"] for validation in variable.get("validation", [])),
        **({"default": variable["default"]} if "default" in variable else {}),
    }


def list_breaking_changes(before: Interface, after: Interface) -> list[str]:
    """Return a line for each change that breaks a module call or a state of `before`."""
    return [
        *_list_requirement_changes(before["requirements"], after["requirements"]),
        *_list_input_changes(before["inputs"], after["inputs"]),
        *_list_output_changes(before["outputs"], after["outputs"]),
        *_list_address_changes(before, after),
    ]


def list_stricter_inputs(before: Interface, after: Interface) -> list[str]:
    """Return the inputs with new or changed validations, which may refuse a value that was valid."""
    return sorted(
        name
        for name, one in after["inputs"].items()
        if name in before["inputs"] and set(one["validations"]) - set(before["inputs"][name]["validations"])
    )


def _list_requirement_changes(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[str]:
    for name, constraint in after.items():
        old = before.get(name)
        if old is None:
            yield f"requirement {name}: new ({constraint})"
        elif any(
            _accepts(old, version) and not _accepts(constraint, version) for version in _list_versions(old, constraint)
        ):
            yield f"requirement {name}: {constraint} instead of {old}"


def _list_versions(*constraints: str) -> list[str]:
    return [match["version"] for constraint in constraints for match in _CONDITION.finditer(constraint)]


def _accepts(constraint: str, version: str) -> bool:
    def parse_version(text: str) -> tuple[int, ...]:
        parts = [int(part) for part in text.split(".")]
        return (*parts, *[0] * (3 - len(parts)))

    return all(
        _SIGNS[match["sign"] or ""](parse_version(version), parse_version(match["version"]))
        for match in _CONDITION.finditer(constraint)
    )


def _list_input_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    for name, old in before.items():
        path, new = f"input {name}", after.get(name)
        if new is None:
            yield f"{path}: removed"
            continue
        yield from list_type_changes(path, parse_type(old["type"]), parse_type(new["type"]))
        if old["nullable"] and not new["nullable"]:
            yield f"{path}: null is refused"
        if "default" in old and "default" not in new:
            yield f"{path}: required"
        elif "default" in old and old["default"] != new["default"]:
            yield f"{path}: default {json.dumps(new['default'])} instead of {json.dumps(old['default'])}"
    for name in after.keys() - before.keys():
        if "default" not in after[name]:
            yield f"input {name}: new and required"


def _list_output_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    for name, old in before.items():
        if name not in after:
            yield f"output {name}: removed"
        elif after[name]["sensitive"] and not old["sensitive"]:
            yield f"output {name}: sensitive"


def _list_address_changes(before: Interface, after: Interface) -> Iterator[str]:
    moved = {re.sub(r"\[.*", "", address) for address in after["moved"]}
    for address, repetition in before["resources"].items():
        now = after["resources"].get(address)
        if address in moved:
            continue
        if now is None:
            yield f"address {address}: removed without a moved block"
        # Terraform itself moves between a single instance and `count`.
        elif now != repetition and "for_each" in (now, repetition):
            yield f"address {address}: {now or 'a single instance'} instead of {repetition or 'a single instance'}"
    for address in sorted(set(before["moved"]) - set(after["moved"])):
        yield f"address {address}: its moved block is removed"
