"""Check of an adoption with a plan. Resources that the plan would change are excluded, with the difference."""

import json
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from sustainable_mlops.errors import UserError
from sustainable_mlops.operations.adopt.adoption import AdoptedObject, AdoptionReport, ExcludedObject
from sustainable_mlops.operations.adopt.files import render_files, write_files
from sustainable_mlops.operations.adopt.secrets import hide_values
from sustainable_mlops.terraform import Terraform

#: Maximum length of a value in a difference.
_LONGEST_VALUE = 60
#: Number of plans. The first one drops resources, and the second one confirms the rest.
_ROUNDS = 3
_HARMLESS = (["no-op"], ["read"])


def verify_adoption(report: AdoptionReport, progress: Callable[[str], None] = lambda _: None) -> None:
    """Plan the root module, and exclude the resources that the plan would change.

    Terraform plans in a temporary folder and changes nothing. Raises UserError if it cannot plan.
    """
    for attempt in range(1, _ROUNDS + 1):
        if not report.adopted_objects:
            return
        progress(f"plan {attempt}")
        differences = describe_differences(_plan(report))
        if not differences:
            return
        drop_changed(report, differences)
    raise UserError("the plan still changes resources; pass --no-plan, and remove their import blocks by hand")


def _plan(report: AdoptionReport) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="smlops-adopt-") as name:
        folder = Path(name)
        write_files(folder, render_files(report))
        terraform = Terraform(folder)
        try:
            terraform.init("-backend=false")
            return terraform.plan(folder / "tfplan")
        except UserError as error:
            raise UserError(f"{error}; --no-plan writes the root module without this check") from None


def describe_differences(plan: Mapping[str, Any]) -> dict[str, str]:
    """Return what a plan would do to each resource that it changes, by address."""
    return {
        one["address"]: _describe_change(one["change"])
        for one in plan.get("resource_changes", [])
        if one["change"]["actions"] not in _HARMLESS
    }


def _describe_change(change: Mapping[str, Any]) -> str:
    actions = {"update": "update it in place", "create": "create it"}
    verb = actions.get("/".join(change["actions"]), "replace it")
    before, after, unknown = (change.get(name) or {} for name in ("before", "after", "after_unknown"))
    values = {
        name: "known after apply" if unknown.get(name) else _show(name, after.get(name)) for name in {*before, *after}
    }
    parts = [
        f"{name}: {_show(name, before.get(name))} → {values[name]}"
        for name in sorted({*before, *after})
        if before.get(name) != after.get(name) and name != "tags_all"
    ]
    return f"the plan would {verb}: {'; '.join(parts)}"


def _show(name: str, value: Any) -> str:
    """Return the value of an attribute, without secrets and shortened."""
    text = json.dumps(hide_values(name, value), ensure_ascii=False, default=str)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}…"


def drop_changed(report: AdoptionReport, differences: Mapping[str, str]) -> None:
    """Exclude the resources that a plan would change, and those that refer to them."""
    reasons = dict(differences)
    while True:
        size = len(reasons)
        for adopted_object in report.adopted_objects:
            for resource in adopted_object.resources:
                if resource.address not in reasons and (other := _find_reference(resource.body, reasons)):
                    reasons[resource.address] = f"it refers to {other}, which is excluded"
        if len(reasons) == size:
            break
    remaining = []
    for adopted_object in report.adopted_objects:
        resources = tuple(one for one in adopted_object.resources if one.address not in reasons)
        texts = [f"{one.address}: {reasons[one.address]}" for one in adopted_object.resources if one.address in reasons]
        if texts:
            report.excluded_objects.append(ExcludedObject(adopted_object.kind, adopted_object.name, ". ".join(texts)))
        if resources:
            remaining.append(_keep(adopted_object, resources))
    report.adopted_objects[:] = remaining


def _keep(adopted_object: AdoptedObject, resources: tuple[Any, ...]) -> AdoptedObject:
    files = {
        path: text for path, text in adopted_object.files.items() if any(path in str(one.body) for one in resources)
    }
    return replace(adopted_object, resources=resources, files=files)


def _find_reference(value: Any, addresses: Iterable[str]) -> str:
    """Return the first address that a body refers to, or empty text."""
    text = json.dumps(value, default=str)
    return next((address for address in addresses if f"{address}." in text or f"{address}}}" in text), "")
