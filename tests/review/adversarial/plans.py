"""The plans of all cases and of their mirrors, by two runs of Terraform with the real provider and no account.

All cases share one root module. The first run plans the configurations before the changes. Its planned values, with
texts in place of what only AWS knows, are the state for the second run. Each case gets its part of the second plan.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from sustainable_mlops.terraform import Terraform
from tests.provider import serving_offline
from tests.review.adversarial.cases import ACCOUNT, EVERYDAY, Case, add_prefix

REGION = "eu-north-1"
_ROOT = f"""terraform {{
  required_providers {{
    aws = {{
      source = "hashicorp/aws"
    }}
  }}
}}

provider "aws" {{
  region                      = "{REGION}"
  access_key                  = "no-account"
  secret_key                  = "no-account"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
  skip_region_validation      = true
}}
"""
#: The provider as teams configure it, so that a plan shows the own account. Without an account it would refuse this.
PROVIDERS = {
    "aws": {
        "name": "aws",
        "full_name": "registry.terraform.io/hashicorp/aws",
        "expressions": {
            "region": {"constant_value": REGION},
            "allowed_account_ids": {"constant_value": [ACCOUNT]},
        },
    }
}
#: Texts that follow neither from the name of an attribute nor from its type.
_TEXTS = {
    ("bedrock_guardrail", "status"): "READY",
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


def plan_cases(cases: Iterable[Case], folder: Path) -> Iterator[tuple[Case, bool, dict[str, Any]]]:
    """Yield each case with False and the plan of its change, then with True and the plan of its mirror."""
    sides = [(case, is_mirror) for case in cases for is_mirror in (False, True) if _is_planned(case, is_mirror)]
    (folder / "root.tf").write_text(_ROOT)
    _write(folder, {_prefix(*side): side[0].after if side[1] else side[0].before for side in sides})
    with serving_offline("--whole-schema") as environment:
        terraform = Terraform(folder, environment)
        terraform.init()
        created = terraform.plan(folder / "before.tfplan", "-refresh=false")
        schemas = json.loads(terraform.run("providers", "schema", "-json"))["provider_schemas"]
        (folder / "terraform.tfstate").write_text(json.dumps(_build_state(created, schemas)))
        _write(folder, {_prefix(*side): side[0].before if side[1] else side[0].after for side in sides})
        changed = terraform.plan(folder / "after.tfplan", "-refresh=false")
    for case, is_mirror in sides:
        yield case, is_mirror, _cut(changed, _prefix(case, is_mirror))


def _is_planned(case: Case, is_mirror: bool) -> bool:
    return not is_mirror or (case.cause != EVERYDAY and not case.mirror)


def _prefix(case: Case, is_mirror: bool) -> str:
    return f"{'mirror' if is_mirror else 'change'}_{case.cause}_{case.name}__"


def _write(folder: Path, configurations: Mapping[str, str]) -> None:
    for prefix, configuration in configurations.items():
        (folder / f"{prefix}.tf").write_text(add_prefix(configuration, prefix))


def _build_state(plan: Mapping[str, Any], schemas: Mapping[str, Any]) -> dict[str, Any]:
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
            complete[name] = _empty(attribute["type"])
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


def _empty(type_: Any) -> Any:
    """Return the empty value of a type in the provider's schema."""
    if isinstance(type_, list):
        return {} if type_[0] == "map" else []
    return {"string": "", "number": 0, "bool": False}[type_]


def _invent(name: str, attribute: Mapping[str, Any], owner: tuple[str, str]) -> Any:
    """Return a plausible value of an attribute that only AWS knows."""
    type_, (kind, resource) = attribute.get("type", ["list", "string"]), owner
    if type_ == "dynamic":
        return {"value": "migrate", "type": "string"}
    if type_ != "string":
        return _empty(type_)
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
        references = expression.get("references", ()) if isinstance(expression, dict) else ()
        if len(references) == 2 and changes[address]["change"]["after_unknown"].get(name) is True:
            target, _, attribute = references[0].rpartition(".")
            values[address][name] = values[target][attribute]


def _cut(plan: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """Return the part of a plan with this prefix, without the prefix."""

    def pick(items: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        return [item for item in items if item["name"].startswith(prefix)]

    prior = plan.get("prior_state", {}).get("values", {}).get("root_module", {}).get("resources", [])
    document = {
        key: value
        for key, value in plan.items()
        if key in ("format_version", "terraform_version", "applyable", "complete", "errored", "timestamp")
    }
    document |= {
        "planned_values": {"root_module": {"resources": pick(plan["planned_values"]["root_module"]["resources"])}},
        "resource_changes": pick(plan["resource_changes"]),
        "prior_state": {
            "format_version": "1.0",
            "terraform_version": plan["terraform_version"],
            "values": {"root_module": {"resources": pick(prior)}},
        },
        "configuration": {
            "provider_config": PROVIDERS,
            "root_module": {"resources": pick(plan["configuration"]["root_module"]["resources"])},
        },
    }
    cut: dict[str, Any] = json.loads(json.dumps(document).replace(prefix, ""))
    return cut
