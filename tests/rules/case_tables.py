"""Tables of cases in `cases/`. Each file covers one concern, in the folder of its rules.

Each file has `CASES`: plans by rule ID, by expected outcome and by description. The outcomes are `pass`, `fail`,
`unknown` and `not_applicable`. A plan is the resources for `plan_builder.build_plan`, or a `RuleCase` with more. For
an outcome that a rule cannot have, the table has the reason. Waivers need no cases: each failing case is also tested
with a valid and an invalid waiver.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from sustainable_mlops.plan import Plan, load
from sustainable_mlops.rules import BY_ID, Outcome, evaluate
from tests.rules import plan_builder

OUTCOMES = ("pass", "fail", "unknown", "not_applicable")


@dataclass(frozen=True)
class RuleCase:
    """A plan with more than new resources.

    `dynamic` has blocks made by `dynamic`, by address: the configuration does not record them. Also by address:
    `replaces`, the paths of attributes that force a replacement, and `sensitive`, the marks of `after_sensitive`.
    `conditions` are addresses of resources with a precondition or postcondition.
    """

    resources: Mapping[str, Mapping[str, Any]]
    actions: Mapping[str, str] = field(default_factory=dict)
    before: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    region: str = "eu-north-1"
    dynamic: Mapping[str, str] = field(default_factory=dict)
    replaces: Mapping[str, Sequence[Sequence[str | int]]] = field(default_factory=dict)
    sensitive: Mapping[str, Any] = field(default_factory=dict)
    conditions: Sequence[str] = ()

    def document(self) -> dict[str, Any]:
        """Return the plan as `terraform show -json` writes it."""
        document = plan_builder.build_document(
            self.resources, actions=self.actions, before=self.before, region=self.region
        )
        for resource in document["configuration"]["root_module"]["resources"]:
            resource["expressions"].pop(self.dynamic.get(resource["address"]), None)
        for entry in document["resource_changes"]:
            change, address = entry["change"], entry["address"]
            change |= {"replace_paths": self.replaces[address]} if address in self.replaces else {}
            change |= {"after_sensitive": self.sensitive[address]} if address in self.sensitive else {}
        document["checks"] = [_build_check(address) for address in self.conditions]
        return document

    def plan(self) -> Plan:
        """Return the loaded plan."""
        return load(json.dumps(self.document()).encode())


def _build_check(address: str) -> dict[str, Any]:
    """Return a check of a resource with conditions, unknown until apply, as Terraform 1.11 writes it."""
    kind, name = address.split(".")
    where = {"kind": "resource", "mode": "managed", "type": kind, "name": name, "to_display": address}
    instance = {"address": {"to_display": address}, "status": "unknown"}
    return {"address": where, "status": "unknown", "instances": [instance]}


CaseTable = Mapping[str, Mapping[str, str | Mapping[str, RuleCase | Mapping[str, Mapping[str, Any]]]]]


class CaseRow(NamedTuple):
    """One case of one rule. `concern` is the file of its table."""

    concern: str
    rule: str
    outcome: str
    title: str
    case: RuleCase


@cache
def load_concerns() -> dict[str, Any]:
    """Return the tables by concern. Each table has the cases of a few rules."""
    folder = Path(__file__).parent
    files = sorted((folder / "cases").rglob("*.py"), key=lambda file: file.stem)
    names = {file.stem: ".".join(file.relative_to(folder).with_suffix("").parts) for file in files}
    return {concern: import_module(f"tests.rules.{name}").CASES for concern, name in names.items()}


def load_tables() -> dict[str, Any]:
    """Return the cases of every rule."""
    return {rule: table for tables in load_concerns().values() for rule, table in tables.items()}


def list_rows(*outcomes: str) -> Iterator[CaseRow]:
    """Yield every case with one of these outcomes."""
    for concern, tables in load_concerns().items():
        for rule, table in tables.items():
            for outcome in outcomes:
                cases = table.get(outcome, {})
                for title, case in {} if isinstance(cases, str) else cases.items():
                    yield CaseRow(concern, rule, outcome, title, case if isinstance(case, RuleCase) else RuleCase(case))


def add_waiver(row: CaseRow, value: str) -> RuleCase:
    """Return the case with a waiver on the failing resource, or on a referenced one if its type has no tags."""
    plan = row.case.plan()
    failing = {f.address for f in evaluate(plan, [BY_ID[row.rule]]) if f.outcome is Outcome.FAIL}
    bearers: set[str] = set()
    for address in failing:
        resource = plan.find_resource(address)
        assert resource is not None
        values = resource.after or resource.before or {}
        references = [referenced.address for referenced in plan.find_references(resource).resources]
        bearers.update([address] if "tags" in values else references)
    assert bearers, f"no resource can have a waiver of {row.rule}"
    tagged: dict[str, Any] = dict(row.case.resources)
    for address in bearers:
        tags = {**tagged[address].get("tags", {}), f"sust_waiver:{row.rule}": value}
        tagged[address] = {**tagged[address], "tags": tags}
    return replace(row.case, resources=tagged)
