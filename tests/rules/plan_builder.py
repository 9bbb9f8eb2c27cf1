"""Plans from plain dictionaries that look like HCL, in the JSON of `terraform show -json`.

    build_plan({
        "aws_sagemaker_model.m": {"name": "delay"},
        "aws_sagemaker_endpoint_configuration.c": {
            "production_variants": {"model_name": "${aws_sagemaker_model.m.name}", "instance_type": "ml.m5.large"},
        },
    })

* A dictionary is a block (Terraform writes a list of one), and a list of dictionaries is several blocks. Keys in
  `MAPS` are maps. `pipeline_definition` and policies may be dictionaries: they become JSON text.
* `"${aws_sagemaker_model.m.name}"` is a reference. It is known if the other resource sets its `name`, else unknown
  until apply. `"(known after apply)"` is unknown without a reference.
* `actions` sets other actions than `create`, by address. `before` sets values before the plan, if they differ.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from sustainable_mlops.plan import UNKNOWN, Plan, load

Values = Mapping[str, Any]

MAPS = frozenset(
    {
        "configuration", "container_environment_variables", "default_arguments", "dimensions", "environment",
        "hyper_parameters", "rule_parameters", "static_hyper_parameters", "tags", "tags_all",
    }
)  # fmt: skip
_JSON = frozenset({"pipeline_definition", "policy", "assume_role_policy", "event_pattern", "content"})
_REFERENCE = re.compile(r"\$\{([^}]+)\}")
_ACTIONS = {"replace": ["delete", "create"], "create-replace": ["create", "delete"]}


def build_plan(
    resources: Mapping[str, Values],
    *,
    actions: Mapping[str, str] | None = None,
    before: Mapping[str, Values] | None = None,
    region: str = "eu-north-1",
) -> Plan:
    """Return a plan with these resources, by address; see the module's docstring."""
    return load(json.dumps(build_document(resources, actions=actions, before=before, region=region)).encode())


def build_document(
    resources: Mapping[str, Values],
    *,
    actions: Mapping[str, str] | None = None,
    before: Mapping[str, Values] | None = None,
    region: str = "eu-north-1",
) -> dict[str, Any]:
    """Return the plan as `terraform show -json` writes it."""
    entries = [
        _PlanResource(address, values, resources, (actions or {}).get(address, "create"), (before or {}).get(address))
        for address, values in resources.items()
    ]
    return {
        "format_version": "1.2",
        "terraform_version": "1.11.0",
        "planned_values": {"root_module": {"resources": [w.planned for w in entries if w.action != "delete"]}},
        "resource_changes": [w.change for w in entries],
        "configuration": {
            "provider_config": {"aws": {"name": "aws", "expressions": {"region": {"constant_value": region}}}},
            "root_module": {"resources": [w.configuration for w in entries if w.action != "delete"]},
        },
    }


class _PlanResource:
    """One resource in the three sections of a plan that contain it."""

    def __init__(
        self, address: str, values: Values, resources: Mapping[str, Values], action: str, before: Values | None
    ) -> None:
        self._resources = resources
        self.action = action
        kind, name = address.split(".", 1)
        self._identity = {"address": address, "mode": "managed", "type": kind, "name": name}
        after = {key: self._shape(key, value) for key, value in {"tags": None, **values}.items()}
        if kind in _WITHOUT_TAGS:
            after.pop("tags")
        else:
            after.setdefault("tags_all", after["tags"] or {})
        known, marks, expressions = _split_marks(after)
        old = known if before is None else {**known, **{key: self._shape(key, v) for key, v in before.items()}}
        is_deleted, is_created = action == "delete", action == "create"
        provider = {"provider_name": "registry.terraform.io/hashicorp/aws"}
        self.planned = {**self._identity, **provider, "values": known}
        self.change = {
            **self._identity,
            **provider,
            "change": {
                "actions": _ACTIONS.get(action, [action]),
                "before": None if is_created else old,
                "after": None if is_deleted else known,
                "after_unknown": {} if is_deleted else marks,
            },
        }
        self.configuration = {**self._identity, "provider_config_key": "aws", "expressions": expressions}

    def _shape(self, key: str, value: Any) -> Any:
        """Return the value in Terraform's form, with `_Text` for every text with a reference or of unknown value."""
        if key in _JSON and isinstance(value, dict):
            return json.dumps(value)
        if isinstance(value, dict):
            inner = {k: self._shape(k, v) for k, v in value.items()}
            return inner if key in MAPS else [inner]
        if isinstance(value, list):
            return [
                {k: self._shape(k, v) for k, v in item.items()} if isinstance(item, dict) else self._shape("", item)
                for item in value
            ]
        return self._text(value) if isinstance(value, str) else value

    def _text(self, value: str) -> "str | _Text":
        if value == str(UNKNOWN):
            return _Text(None, [])
        references = _REFERENCE.findall(value)
        if not references:
            return value
        known: str | None = value
        for reference in references:
            address, attribute = reference.rsplit(".", 1)
            target_value = self._resources[address].get(attribute)
            if not isinstance(target_value, str) or target_value == str(UNKNOWN) or _REFERENCE.search(target_value):
                known = None
            elif known is not None:
                known = known.replace(f"${{{reference}}}", target_value)
        return _Text(known, [name for reference in references for name in (reference, reference.rsplit(".", 1)[0])])


class _Text:
    """A text, None where it is unknown, and what it refers to."""

    def __init__(self, known: str | None, references: list[str]) -> None:
        self.known = known
        self.references = references


def _split_marks(value: Any, *, is_map: bool = False) -> tuple[Any, Any, Any]:
    """Return the known values, the marks of `after_unknown`, and the expressions of the configuration."""
    if isinstance(value, _Text):
        return value.known, value.known is None, {"references": value.references} if value.references else {}
    if isinstance(value, dict):
        parts = {key: _split_marks(inner, is_map=key in MAPS) for key, inner in value.items()}
        known = {key: part[0] for key, part in parts.items() if part[1] is not True}
        marks = {key: part[1] for key, part in parts.items() if part[1] not in (False, {}, [])}
        expressions: Any = {key: part[2] for key, part in parts.items() if part[2] is not None}
        return known, marks, _merge_expressions(list(parts.values()), value) if is_map else expressions
    if isinstance(value, list):
        items = [_split_marks(inner) for inner in value]
        marks_of_items = [part[1] for part in items]
        unknown = any(mark not in (False, {}, []) for mark in marks_of_items)
        blocks = any(isinstance(inner, dict) for inner in value)
        expressions = [part[2] for part in items] if blocks else _merge_expressions(items, value)
        return [part[0] for part in items], marks_of_items if unknown else [], expressions
    return value, False, None if value is None else {"constant_value": value}


def _merge_expressions(parts: list[tuple[Any, Any, Any]], value: Any) -> dict[str, Any]:
    """Return one expression for a whole map or list, as Terraform records it."""
    references = [name for part in parts for name in (part[2] or {}).get("references", [])]
    if not references and any(part[1] is True for part in parts):
        return {}
    return {"references": references} if references else {"constant_value": value}


#: Checked types without tags of their own.
_WITHOUT_TAGS = frozenset(
    {
        "aws_appautoscaling_policy",
        "aws_appautoscaling_scheduled_action",
        "aws_ce_cost_allocation_tag",
        "aws_cloudwatch_dashboard",
        "aws_cloudwatch_event_target",
        "aws_ecr_lifecycle_policy",
        "aws_glue_catalog_table_optimizer",
        "aws_iam_role_policy",
        "aws_iam_role_policy_attachment",
        "aws_s3_bucket_intelligent_tiering_configuration",
        "aws_s3_bucket_lifecycle_configuration",
        "aws_s3_bucket_notification",
        "aws_s3_bucket_policy",
        "aws_s3_bucket_public_access_block",
        "aws_s3_bucket_replication_configuration",
        "aws_s3_bucket_server_side_encryption_configuration",
        "aws_s3_bucket_versioning",
        "aws_sagemaker_device",
        "aws_sagemaker_model_package_group_policy",
        "aws_sagemaker_servicecatalog_portfolio_status",
    }
)
