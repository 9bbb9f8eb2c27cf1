"""Records of one feature group: their types, their time, and which of two writes wins."""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sagemaker_sandbox.errors import ApiError

#: A value as the offline store holds it.
Value = str | int | float | list[str] | list[int] | list[float] | None

# ISO-8601 in UTC, to the second or the millisecond. Source: event time in the Feature Store developer guide.
_EVENT_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z")
#: Half a character, which JSON can hold and no store can.
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_INTEGRAL = (-(2**63), 2**63 - 1)


class RecordError(ApiError):
    """Feature Store Runtime's own name for a bad request."""

    code = "ValidationError"


@dataclass(frozen=True)
class Schema:
    """What a feature group expects of a record, from its description."""

    group: str
    definitions: Mapping[str, Mapping[str, Any]]
    identifier: str
    event_time: str

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> "Schema":
        """From what DescribeFeatureGroup answers."""
        return cls(
            fields["FeatureGroupName"],
            {definition["FeatureName"]: definition for definition in fields["FeatureDefinitions"]},
            fields["RecordIdentifierFeatureName"],
            fields["EventTimeFeatureName"],
        )

    def check(self, features: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """A record's features by name, as sent. Raises RecordError that names the feature and what is wrong."""
        record: dict[str, Any] = {}
        for feature in features:
            name = feature["FeatureName"]
            if name not in self.definitions:
                raise RecordError(
                    f"Validation Error: FeatureGroup {self.group} does not contain a feature with name {name}."
                )
            if name in record:
                raise RecordError(f"Validation Error: Feature {name} is repeated in the record.")
            record[name] = self._as_sent(name, feature)
        for role, name in (("record identifier", self.identifier), ("event time", self.event_time)):
            if record.get(name) in (None, ""):
                raise RecordError(f"Validation Error: The value of the {role} feature {name} is missing.")
        self.time_of(record[self.event_time])
        return record

    def _as_sent(self, name: str, feature: Mapping[str, Any]) -> str | list[str] | None:
        values = feature.get("ValueAsStringList")
        if ("CollectionType" in self.definitions[name]) != (values is not None):
            raise RecordError(
                f"Validation Error: Feature {name} takes "
                f"{'ValueAsString' if values is not None else 'ValueAsStringList'}."
            )
        if values is not None:
            for value in values:
                self.typed(name, value)
            return list(values)
        single: str | None = feature.get("ValueAsString")
        self.typed(name, single)
        return single

    def typed(self, name: str, sent: str | None) -> str | int | float | None:
        """One value in its feature's type. Raises RecordError where it has another."""
        kind = self.definitions[name]["FeatureType"]
        if sent is not None and _SURROGATE.search(sent):
            raise RecordError(f"Validation Error: The value of feature {name} is not valid Unicode.")
        if sent is None or kind == "String":
            return sent
        try:
            number = int(sent) if kind == "Integral" else float(sent)
        except ValueError:
            number = None
        if number is None or (kind == "Integral" and not _INTEGRAL[0] <= number <= _INTEGRAL[1]):
            raise RecordError(
                f"Validation Error: The value of feature {name} must be of type {kind}; got '{sent[:100]}'."
            )
        return number

    def time_of(self, sent: str) -> datetime:
        """An event time as a moment. Raises RecordError where it is none."""
        fractional = self.definitions[self.event_time]["FeatureType"] == "Fractional"
        wanted = "seconds since the epoch" if fractional else "yyyy-MM-dd'T'HH:mm:ssZ or yyyy-MM-dd'T'HH:mm:ss.SSSZ"
        with suppress(ValueError, OverflowError, OSError):  # no number, or no moment that a calendar has
            if fractional:
                return datetime.fromtimestamp(float(sent), UTC)
            if _EVENT_TIME.fullmatch(sent):
                return datetime.fromisoformat(sent.replace("Z", "+00:00"))
        raise RecordError(
            f"Validation Error: The value of the event time feature {self.event_time} must be in the format {wanted}; "
            f"got '{sent[:100]}'."
        )

    def row(self, record: Mapping[str, Any]) -> dict[str, Value]:
        """A record for the offline store, in the features' types."""
        row: dict[str, Any] = {}
        for name, sent in record.items():
            row[name] = [self.typed(name, one) for one in sent] if isinstance(sent, list) else self.typed(name, sent)
        return row


def expiry(moment: datetime, ttl: Mapping[str, Any]) -> datetime:
    """When a record of that moment expires. Raises RecordError for a TtlDuration beyond the calendar."""
    try:
        return moment + timedelta(**{ttl["Unit"].lower(): ttl["Value"]})
    except OverflowError:
        raise RecordError(f"Validation Error: TtlDuration of {ttl['Value']} {ttl['Unit']} is too long.") from None
