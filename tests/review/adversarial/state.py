"""The state after the apply of a plan, with invented values for those that AWS sets."""

import json
from collections.abc import Mapping
from typing import Any

from tests.review.adversarial.cases import ACCOUNT, REGION

#: Texts that cannot be derived from the name or the type of an attribute.
_TEXTS = {
    ("bedrock_guardrail", "status"): "READY",
    ("paymentcryptography_key", "key_state"): "CREATE_COMPLETE",
    ("paymentcryptography_key", "key_origin"): "AWS_PAYMENT_CRYPTOGRAPHY",
    ("paymentcryptography_key", "key_check_value_algorithm"): "CMAC",
    ("instance", "arn"): f"arn:aws:ec2:{REGION}:{ACCOUNT}:instance/i-0123456789abcdef0",
    ("kms_key", "policy"): json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Action": "kms:*",
                    "Resource": "*",
                    "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
                }
            ],
        }
    ),
}


def build_state(plan: Mapping[str, Any], schemas: Mapping[str, Any]) -> dict[str, Any]:
    """Return the state after the apply of a plan that creates everything."""
    changes = {change["address"]: change for change in plan["resource_changes"] if change["mode"] == "managed"}
    configurations = {part["address"]: part for part in plan["configuration"]["root_module"].get("resources", [])}
    values = {
        address: _complete(
            change["change"]["after"],
            change["change"]["after_unknown"],
            schemas[change["provider_name"]]["resource_schemas"][change["type"]]["block"],
            (change["type"].partition("_")[2], change["name"].partition("__")[2]),
        )
        for address, change in changes.items()
    }
    for address, configuration in configurations.items():
        if address in changes:
            _resolve(values, address, configuration.get("expressions", {}), changes)
    versions = {
        part["address"]: part["schema_version"] for part in plan["planned_values"]["root_module"].get("resources", [])
    }
    return {
        "version": 4,
        "terraform_version": plan["terraform_version"],
        "serial": 1,
        "lineage": "11111111-1111-1111-1111-111111111111",
        "outputs": {},
        "resources": [
            {
                "mode": "managed",
                "type": change["type"],
                "name": change["name"],
                "provider": f'provider["{change["provider_name"]}"]',
                "instances": [{"schema_version": versions[address], "attributes": values[address]}],
            }
            for address, change in changes.items()
        ],
    }


def _complete(
    values: Any, unknown: Any, block: Mapping[str, Any], owner: tuple[str, str], stores_zeros: bool = False
) -> dict[str, Any]:
    """Return the values of a block, with values in place of the unknown ones.

    Most types store an empty value for what a nested block does not set.
    """
    complete = dict(values or {})
    for name, attribute in block.get("attributes", {}).items():
        if unknown.get(name) is True or (name not in complete and name in unknown):
            complete[name] = _invent(name, attribute, owner)
        elif attribute.get("type") == "dynamic" and complete.get(name) is not None:
            complete[name] = {"value": complete[name], "type": "string"}
        elif stores_zeros and complete.get(name) is None and not attribute.get("computed"):
            complete[name] = _make_empty(attribute["type"])
    stores_zeros = stores_zeros or bool(block.get("attributes", {}).get("id", {}).get("optional"))
    for name, nested in block.get("block_types", {}).items():
        inner, is_unknown = complete.get(name), unknown.get(name)
        if isinstance(inner, list):
            parts = is_unknown if isinstance(is_unknown, list) else [{}] * len(inner)
            complete[name] = [
                _complete(part, part_unknown or {}, nested["block"], owner, stores_zeros)
                for part, part_unknown in zip(inner, parts, strict=False)
            ]
        elif isinstance(inner, dict):
            complete[name] = _complete(inner, is_unknown or {}, nested["block"], owner, stores_zeros)
        elif is_unknown is True:
            complete[name] = []
    return complete


def _make_empty(type_: Any) -> Any:
    """Return the empty value of a type in the provider's schema."""
    if isinstance(type_, list):
        return {} if type_[0] == "map" else []
    return {"string": "", "number": 0, "bool": False}[type_]


def _invent(name: str, attribute: Mapping[str, Any], owner: tuple[str, str]) -> Any:
    """Return a plausible value of an attribute that AWS sets."""
    type_ = attribute.get("type", ["list", "string"])
    kind, resource = owner
    if type_ == "dynamic":
        return {"value": "migrate", "type": "string"}
    if type_ != "string":
        return _make_empty(type_)
    if (kind, name) in _TEXTS:
        return _TEXTS[kind, name]
    if "account" in name or "owner" in name:
        return ACCOUNT
    if name == "arn" or name.endswith("_arn"):
        return f"arn:aws:{kind.partition('_')[0]}:{REGION}:{ACCOUNT}:{kind}/{resource}"
    if name.endswith(("_at", "date", "time")):
        return "2026-01-01T00:00:00Z"
    if attribute.get("optional") and name not in ("id", "name"):
        return ""
    return f"{kind.replace('_', '-')}-{resource}"


def _resolve(
    values: dict[str, dict[str, Any]], address: str, expressions: Mapping[str, Any], changes: Mapping[str, Any]
) -> None:
    """Give an attribute that is a reference to an unknown value the value of that reference."""
    for name, expression in expressions.items():
        references: list[str] = expression.get("references", []) if isinstance(expression, dict) else []
        if len(references) == 2 and changes[address]["change"]["after_unknown"].get(name) is True:
            target, _, attribute = references[0].rpartition(".")
            values[address][name] = values[target][attribute]
