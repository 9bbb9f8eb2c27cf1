"""Breaking changes in the plan of an upgrade: replaced and deleted resources, and changed outputs."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

_INDEX = re.compile(r'\["(?:\\.|[^"\\])*"\]|\[\d+\]')


def list_plan_changes(plan: Mapping[str, Any], module: str) -> list[str]:
    """Return replaced and deleted resources of the module at `module`, with the attributes that force a replacement."""
    return sorted(
        {
            line
            for change in plan.get("resource_changes", [])
            if change["address"].startswith(f"{module}.")
            for line in _describe_change(change, change["address"].removeprefix(f"{module}."))
        }
    )


def _describe_change(change: Mapping[str, Any], address: str) -> Iterator[str]:
    actions = change["change"]["actions"]
    if "delete" not in actions:
        return
    paths = {
        ".".join(part for part in path if isinstance(part, str)) for path in change["change"].get("replace_paths", [])
    }
    reason = f" ({', '.join(sorted(paths))})" if paths else ""
    yield f"plan: {'replaces' if 'create' in actions else 'deletes'} {_INDEX.sub('', address)}{reason}"


def list_output_changes(before: Any, after: Any, unknown: Any = None, path: str = "") -> list[str]:
    """Return the parts of an output that an upgrade removes or changes, except parts that are unknown until apply."""
    if unknown is True or before == after:
        return []
    if not isinstance(before, dict) or not isinstance(after, dict):
        return [f"plan: changes output {path}"]
    unknowns = unknown if isinstance(unknown, dict) else {}
    return [
        line
        for key, value in before.items()
        for line in list_output_changes(value, after.get(key), unknowns.get(key), f"{path}.{key}".lstrip("."))
    ]
