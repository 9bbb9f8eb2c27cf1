"""Drift: resources that were deleted or changed outside Terraform.

`terraform plan -refresh-only` accepts all drift. Any other plan accepts drift in attributes that its configuration
does not set or ignores. Its changes start from the values that Terraform found, so nothing else reports that drift.
"""

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from sustainable_mlops.base.errors import UserError
from sustainable_mlops.plan.document import SHOW_COMMAND, name_json_type
from sustainable_mlops.plan.resources import list_entries
from sustainable_mlops.plan.values import is_same_value

_BUCKET = "aws_s3_bucket"
#: Attributes that repeat the values of a companion resource, such as `aws_s3_bucket_acl`. By type: the attribute with
#: which the companion names the resource, and the companion type of each attribute. A change of the companion in the
#: last apply looks like drift of these attributes.
_COMPANIONS: dict[str, tuple[str, dict[str, str]]] = {
    _BUCKET: (
        "bucket",
        {
            "acceleration_status": f"{_BUCKET}_accelerate_configuration",
            "acl": f"{_BUCKET}_acl",
            "cors_rule": f"{_BUCKET}_cors_configuration",
            "grant": f"{_BUCKET}_acl",
            "lifecycle_rule": f"{_BUCKET}_lifecycle_configuration",
            "logging": f"{_BUCKET}_logging",
            "object_lock_configuration": f"{_BUCKET}_object_lock_configuration",
            "policy": f"{_BUCKET}_policy",
            "replication_configuration": f"{_BUCKET}_replication_configuration",
            "request_payer": f"{_BUCKET}_request_payment_configuration",
            "server_side_encryption_configuration": f"{_BUCKET}_server_side_encryption_configuration",
            "versioning": f"{_BUCKET}_versioning",
            "website": f"{_BUCKET}_website_configuration",
        },
    ),
    "aws_kms_key": ("key_id", {"policy": "aws_kms_key_policy"}),
    "aws_sns_topic": ("arn", {"policy": "aws_sns_topic_policy"}),
    "aws_sqs_queue": ("queue_url", {"policy": "aws_sqs_queue_policy"}),
    "aws_vpc_endpoint": ("vpc_endpoint_id", {"policy": "aws_vpc_endpoint_policy"}),
}
_IDENTIFIERS = ("arn", "bucket", "id", "key_id", "url")


class Drift:
    """The `resource_drift` of a plan."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        """Read the drift of a plan document. Raises UserError if it is malformed."""
        self._document = document
        #: The entries of deleted resources, with their location in the document.
        self.deletions: list[tuple[Mapping[str, Any], str]] = []
        self._updates: dict[str, Mapping[str, Any]] = {}
        for entry, location in _list_entries(document):
            actions = entry["change"].get("actions")
            if actions == ["delete"]:
                self.deletions.append((entry, location))
            elif actions == ["update"] and "deposed" not in entry:
                self._updates[str(entry.get("address"))] = entry

    @property
    def is_only_change(self) -> bool:
        """True if the plan only accepts drift and changes nothing."""
        return bool(self.deletions or self._updates) and not self._document.get("resource_changes")

    def undo_accepted_drift(self, entry: Mapping[str, Any]) -> tuple[Mapping[str, Any], tuple[str, ...]]:
        """Return an entry with its values from before the accepted drift, and the names of the changed attributes."""
        drift_entry = self._updates.get(str(entry.get("address"))) if self._updates else None
        change = entry.get("change")
        if drift_entry is None or not isinstance(change, dict) or "deposed" in entry:
            return entry, ()
        sides = [source.get(side) for source in (change, drift_entry["change"]) for side in ("before", "after")]
        if not all(isinstance(side, dict) for side in sides) or change.get("actions") not in (["no-op"], ["update"]):
            return entry, ()
        before, after, old, new = map(_get_object, sides)
        names = tuple(
            name
            for name in sorted({*old, *new} - self._list_repeated(drift_entry.get("type"), new))
            if not _is_equivalent(old.get(name), new.get(name)) and is_same_value(before.get(name), after.get(name))
        )
        if not names:
            return entry, ()
        hidden, found_hidden = (
            _get_object(source.get("before_sensitive")) for source in (change, drift_entry["change"])
        )
        former = {
            "before": {**before, **{name: old.get(name) for name in names}},
            "before_sensitive": {**hidden, **{name: found_hidden.get(name, False) for name in names}},
        }
        return {**entry, "change": {**change, **former, "actions": ["update"]}}, names

    def _list_repeated(self, type_: object, values: Mapping[str, Any]) -> set[str]:
        """Return the attributes that only repeat values which other resources of the plan manage."""
        _, repeated = _COMPANIONS.get(str(type_), ("", {}))
        own = {values[name] for name in _IDENTIFIERS if isinstance(values.get(name), str)} if repeated else set()
        return {
            "tags_all",
            *(name for name, type_ in repeated.items() if own & self._companion_names.get(type_, set())),
        }

    @cached_property
    def _companion_names(self) -> dict[str, set[str]]:
        """Names of the objects that companion resources configure, by the type of the companion resource."""
        names_by_type: dict[str, set[str]] = {}
        names = {type_: attribute for attribute, repeated in _COMPANIONS.values() for type_ in repeated.values()}
        for entry in self._document.get("resource_changes") or []:
            change = _get_object(_get_object(entry).get("change"))
            _add_name(names_by_type, names, _get_object(entry).get("type"), change.get("after") or change.get("before"))
        for state_entry in list_entries(
            _get_object(self._document.get("prior_state")).get("values"), "prior_state.values"
        ):
            _add_name(names_by_type, names, state_entry.values.get("type"), state_entry.values.get("values"))
        return names_by_type


def _is_equivalent(old: object, new: object) -> bool:
    """Return whether two values are the same; empty, false and 0 count as not set."""
    if isinstance(old, dict) and isinstance(new, dict):
        return all(_is_equivalent(old.get(name), new.get(name)) for name in {*old, *new})
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        return all(map(_is_equivalent, old, new))
    return is_same_value(old, new) or (old is None and isinstance(new, int) and new == 0)


def _add_name(names_by_type: dict[str, set[str]], names: Mapping[str, str], type_: object, values: object) -> None:
    name = _get_object(values).get(names.get(str(type_), ""))
    if isinstance(name, str):
        names_by_type.setdefault(str(type_), set()).add(name)


def _get_object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list_entries(document: Mapping[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    drift = document.get("resource_drift") or []
    if not isinstance(drift, list):
        raise UserError(f"resource_drift: must be a list, not {name_json_type(drift)}; {SHOW_COMMAND}")
    for position, entry in enumerate(drift):
        location = f"resource_drift[{position}]"
        if not isinstance(entry, dict):
            raise UserError(f"{location}: must be an object, not {name_json_type(entry)}; {SHOW_COMMAND}")
        if not isinstance(entry.get("change"), dict):
            kind = name_json_type(entry.get("change"))
            raise UserError(f"{location}.change: must be an object, not {kind}; {SHOW_COMMAND}")
        yield entry, location
