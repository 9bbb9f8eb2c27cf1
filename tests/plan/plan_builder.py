"""Manually written plans in Terraform's JSON format."""

import json
from typing import Any

from sustainable_mlops.plan import Plan, load


def build_change(
    address: str,
    after: dict[str, Any] | None = None,
    *,
    before: dict[str, Any] | None = None,
    unknown: dict[str, Any] | None = None,
    sensitive: dict[str, Any] | None = None,
    actions: list[str] | None = None,
    **entry: Any,
) -> dict[str, Any]:
    """Return an entry of `resource_changes`.

    `address` is in the root module or below `module.<name>.`, without an index.
    """
    *module, kind, name = address.split(".")
    if module and module[-1] == "data":
        module, entry["mode"] = module[:-1], "data"
    if actions is None:
        actions = ["create"] if before is None else ["delete"] if after is None else ["update"]
        actions = ["no-op"] if before is not None and before == after else actions
    index = entry.get("index")
    return {
        "address": address if index is None else f"{address}[{json.dumps(index)}]",
        "mode": "managed",
        "type": kind,
        "name": name,
        **({"module_address": ".".join(module)} if module else {}),
        **entry,
        "change": {
            "actions": actions,
            "before": before,
            "after": after,
            "after_unknown": unknown or {},
            "before_sensitive": sensitive or {},
            "after_sensitive": sensitive or {},
        },
    }


def build_configuration(address: str, **references: Any) -> dict[str, Any]:
    """Return the configuration of a resource: each attribute with the references of its expression."""
    kind, name = address.split(".")[-2:]
    expressions = {
        key: {"references": value} if isinstance(value, list) else value for key, value in references.items()
    }
    return {"address": address, "mode": "managed", "type": kind, "name": name, "expressions": expressions}


def build_document(*changes: dict[str, Any], root: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """Return a complete plan with these changes; `root` is the configuration of the root module."""
    return {
        "format_version": "1.2",
        "terraform_version": "1.11.4",
        "planned_values": {"root_module": {}},
        "resource_changes": list(changes),
        "configuration": {"root_module": root or {}},
        **more,
    }


def build_plan(*changes: dict[str, Any], root: dict[str, Any] | None = None, **more: Any) -> Plan:
    """Return such a plan, loaded."""
    return load(json.dumps(build_document(*changes, root=root, **more)).encode())
