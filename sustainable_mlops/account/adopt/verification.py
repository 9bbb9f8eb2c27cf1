"""Check of an adoption with a plan. Resources that it would change or cannot import are excluded, with the reason."""

import json
import re
import tempfile
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from sustainable_mlops.account.adopt.adoption import AdoptedObject, AdoptionReport, ExcludedObject, ImportedResource
from sustainable_mlops.account.adopt.files import render_files, write_files
from sustainable_mlops.account.adopt.secrets import hide_values
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.terraform import Terraform

#: Maximum length of a value in a difference.
_LONGEST_VALUE = 60
#: Number of plans with differences. The first one drops resources, and the second one confirms the rest.
_ROUNDS = 3
#: Reasons for errors of Terraform whose own text does not help.
_ERRORS = {
    "Cannot import non-existent remote object": (
        "Terraform does not find it: somebody deleted it after the scan, or AWS denies a read of the AWS provider; "
        "allow the actions of docs/adopting.md, Permissions, and run again"
    ),
    "Instance cannot be destroyed": "the plan would replace it",
}
#: Part of an error of the provider without information: status code and IDs of the request.
_REQUEST = re.compile(r"https response error .*?api error |User: \S+ is ")
#: Parts of errors that pass, and so do not exclude the resource that they name.
_TRANSIENT = re.compile(
    r"\b(?:ExpiredToken\w*|RequestExpired|SlowDown|\w*Throttl\w+|TooManyRequests\w*|RequestLimitExceeded"
    r"|RequestTimeout\w*|ServiceUnavailable\w*|Internal\w*(?:Error|Failure)\w*): "
    r"|exceeded maximum number of attempts|deadline exceeded|(?:i/o|handshake) timeout|no such host"
    r"|connection (?:reset|refused)"
)
_HARMLESS = (["no-op"], ["read"])


def verify_adoption(report: AdoptionReport, progress: Callable[[str], None] = lambda _: None) -> None:
    """Plan the root module, and exclude the resources that the plan would change or cannot import.

    Terraform plans in a temporary folder and changes nothing. Raises UserError for an error that names no resource
    or that passes.
    """
    attempts = rounds = 0
    while report.adopted_objects:
        attempts += 1
        progress(f"plan {attempts}")
        try:
            reasons = describe_differences(_plan_adoption(report))
            rounds += 1
        except UserError as error:
            if _TRANSIENT.search(str(error)):
                raise UserError(
                    f"{error}; check the credentials and the network, and run again, or later if AWS throttles requests"
                ) from None
            reasons = describe_errors(str(error), [*report.list_resources()])
            if not reasons:
                raise UserError(f"{error}; --no-plan writes the root module without this check") from None
        if not reasons:
            return
        drop_changed(report, reasons)
        if rounds == _ROUNDS:
            raise UserError("the plan still changes resources; pass --no-plan, and remove their import blocks manually")


def _plan_adoption(report: AdoptionReport) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="smlops-adopt-") as name:
        folder = Path(name)
        write_files(folder, render_files(report))
        terraform = Terraform(folder)
        terraform.init("-backend=false")
        return terraform.plan(folder / "tfplan")


def describe_errors(text: str, resources: Collection[ImportedResource]) -> dict[str, str]:
    """Return the reason why Terraform cannot plan each resource that its errors name, by address."""
    reasons: dict[str, str] = {}
    for error in re.split(r"(?:^|\s)Error: ", text)[1:]:
        summary = " ".join(error.partition("\n\n")[0].split())
        reason = _ERRORS.get(summary) or f"Terraform cannot plan it: {_REQUEST.sub('', summary)}"
        for resource in _find_by_address(error, resources) or _find_by_id(summary, resources):
            reasons.setdefault(resource.address, reason)
    return reasons


def _find_by_address(error: str, resources: Iterable[ImportedResource]) -> list[ImportedResource]:
    """Return the resources whose addresses are in an error."""
    addresses = {*re.findall(r"(?<![\w.])aws_\w+\.[\w-]+(?![\w-]|\.\w)", error)}
    return [one for one in resources if one.address in addresses]


def _find_by_id(summary: str, resources: Iterable[ImportedResource]) -> list[ImportedResource]:
    """Return the resources that an error of the provider names by type and ID: `reading S3 Bucket (acme-data) ACL`.

    The provider's errors during an import have no address.
    """
    found = [one for one in resources if f"({one.import_id})" in summary]
    words = {*re.findall(r"[a-z0-9]+", summary.partition(" (")[0].lower())}
    types = {one.type: one.type.split("_")[1:] for one in found}
    named = [name for name, parts in types.items() if words.issuperset(parts)]
    longest = max(named, key=lambda name: len(types[name]), default=None)
    return [one for one in found if longest in (None, one.type)]


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
        name: "known after apply" if unknown.get(name) else _format_value(name, after.get(name))
        for name in {*before, *after}
    }
    parts = [
        f"{name}: {_format_value(name, before.get(name))} → {values[name]}"
        for name in sorted({*before, *after})
        if before.get(name) != after.get(name) and name != "tags_all"
    ]
    return f"the plan would {verb}: {'; '.join(parts)}"


def _format_value(name: str, value: Any) -> str:
    """Return the text of an attribute, shortened and without secrets."""
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
            remaining.append(_select_resources(adopted_object, resources))
    report.adopted_objects[:] = remaining


def _select_resources(adopted_object: AdoptedObject, resources: tuple[Any, ...]) -> AdoptedObject:
    files = {
        path: text for path, text in adopted_object.files.items() if any(path in str(one.body) for one in resources)
    }
    return replace(adopted_object, resources=resources, files=files)


def _find_reference(value: Any, addresses: Iterable[str]) -> str:
    """Return the first address that a body refers to, or empty text."""
    text = json.dumps(value, default=str)
    return next((address for address in addresses if f"{address}." in text or f"{address}}}" in text), "")
