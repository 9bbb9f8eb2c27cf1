"""The plans of all cases and of their reverse changes, by two runs of Terraform with the real provider and no account.

All cases share one root module. The first run plans the configurations before the changes. Its planned values, with
texts in place of what only AWS knows, are the state for the second run. Each case gets its part of the second plan.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from sustainable_mlops.base.terraform import Terraform
from tests.provider import serving_offline
from tests.review.adversarial.cases import ACCOUNT, EVERYDAY, REGION, Case, add_prefix
from tests.review.adversarial.state import build_state

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


def plan_cases(cases: Iterable[Case], folder: Path) -> Iterator[tuple[Case, bool, dict[str, Any]]]:
    """Yield each case with False and the plan of its change, then with True and the plan of its reverse."""
    sides = [(case, is_reverse) for case in cases for is_reverse in (False, True) if _is_planned(case, is_reverse)]
    (folder / "root.tf").write_text(_ROOT)
    _write(folder, {_format_prefix(*side): side[0].after if side[1] else side[0].before for side in sides})
    with serving_offline("--whole-schema") as environment:
        terraform = Terraform(folder, environment)
        terraform.init()
        created = terraform.plan(folder / "before.tfplan", "-refresh=false")
        schemas = json.loads(terraform.run("providers", "schema", "-json"))["provider_schemas"]
        (folder / "terraform.tfstate").write_text(json.dumps(build_state(created, schemas)))
        _write(folder, {_format_prefix(*side): side[0].before if side[1] else side[0].after for side in sides})
        changed = terraform.plan(folder / "after.tfplan", "-refresh=false")
    for case, is_reverse in sides:
        yield case, is_reverse, _cut(changed, _format_prefix(case, is_reverse))


def _is_planned(case: Case, is_reverse: bool) -> bool:
    return not is_reverse or (case.cause != EVERYDAY and not case.reverse)


def _format_prefix(case: Case, is_reverse: bool) -> str:
    return f"{'reverse' if is_reverse else 'change'}_{str(case).replace('-', '_')}__"


def _write(folder: Path, configurations: Mapping[str, str]) -> None:
    for prefix, configuration in configurations.items():
        (folder / f"{prefix}.tf").write_text(add_prefix(configuration, prefix))


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
