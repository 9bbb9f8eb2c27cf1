"""Comparison of the current modules with the last release, and with the declared changes."""

from collections.abc import Iterable, Mapping
from typing import Any

from tools.upgrades import releases
from tools.upgrades.interfaces import describe_interface, list_breaking_changes, list_stricter_inputs

#: Start of the changes that only the plan of an upgrade contains.
PLAN_PREFIX = "plan: "


def list_changes_since_release(bodies: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the breaking changes by released module; `bodies` are the current modules in JSON syntax."""
    return {
        module: list_breaking_changes(before, describe_interface(bodies[module])) if module in bodies else ["removed"]
        for module, before in releases.read_interfaces().items()
    }


def list_stricter_inputs_since_release(bodies: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the inputs with new or changed validations, by released module."""
    return {
        module: list_stricter_inputs(before, describe_interface(bodies[module]))
        for module, before in releases.read_interfaces().items()
        if module in bodies
    }


def find_differences(module: str, changes: Iterable[str], declared: Iterable[str]) -> list[str]:
    """Return a line for each undeclared change, and for each declared change that did not occur."""
    changes, declared = set(changes), set(declared)
    return [
        *(f"{module}: not declared: {change}" for change in sorted(changes - declared)),
        *(f"{module}: declared, but not a change: {change}" for change in sorted(declared - changes)),
    ]
