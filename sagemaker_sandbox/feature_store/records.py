"""Records of one feature group: their types, their event time and their expiry."""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sagemaker_sandbox.base.errors import ApiError

#: A value of the offline store.
Value = str | int | float | list[str] | list[int] | list[float] | None

# ISO-8601 in UTC, to the second or the millisecond. Source: event time in the Feature Store developer guide.
_EVENT_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z")
#: Half of a surrogate pair, which JSON can hold but a store cannot.
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_INTEGRAL = (-(2**63), 2**63 - 1)


class RecordError(ApiError):
    """Feature Store Runtime's error for a bad request."""

    code = "ValidationError"


@dataclass(frozen=True)
class FeatureSchema:
    """The features that a feature group expects of a record."""

    group: str
    definitions: Mapping[str, Mapping[str, Any]]
    identifier: str
    event_time: str

    @classmethod
    def from_description(cls, fields: Mapping[str, Any]) -> "FeatureSchema":
        """Return the schema from the response of DescribeFeatureGroup."""
        return cls(
            fields["FeatureGroupName"],
            {definition["FeatureName"]: definition for definition in fields["FeatureDefinitions"]},
            fields["RecordIdentifierFeatureName"],
            fields["EventTimeFeatureName"],
        )

    def parse_features(self, features: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Return features of a record by name. Raises RecordError for invalid ones."""
        record: dict[str, Any] = {}
        for feature in features:
            name = feature["FeatureName"]
            if name not in self.definitions:
                raise RecordError(
                    f"Validation Error: FeatureGroup {self.group} does not contain a feature with name {name}."
                )
            if name in record:
                raise RecordError(f"Validation Error: Feature {name} is repeated in the record.")
            record[name] = self._check_value(name, feature)
        return record

    def parse_record(self, features: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Return the features of a whole record by name. Raises RecordError for invalid ones."""
        record = self.parse_features(features)
        for role, name in (("record identifier", self.identifier), ("event time", self.event_time)):
            if record.get(name) in (None, ""):
                raise RecordError(f"Validation Error: The value of the {role} feature {name} is missing.")
        self.parse_event_time(record[self.event_time])
        return record

    def _check_value(self, name: str, feature: Mapping[str, Any]) -> str | list[str] | None:
        values = feature.get("ValueAsStringList")
        if ("CollectionType" in self.definitions[name]) != (values is not None):
            raise RecordError(
                f"Validation Error: Feature {name} takes "
                f"{'ValueAsString' if values is not None else 'ValueAsStringList'}."
            )
        if values is not None:
            for value in values:
                self.convert_value(name, value)
            return list(values)
        single: str | None = feature.get("ValueAsString")
        self.convert_value(name, single)
        return single

    def convert_value(self, name: str, text: str | None) -> str | int | float | None:
        """Return one value in its feature's type. Raises RecordError if it has another type."""
        kind = self.definitions[name]["FeatureType"]
        if text is not None and _SURROGATE.search(text):
            raise RecordError(f"Validation Error: The value of feature {name} is not valid Unicode.")
        if text is None or kind == "String":
            return text
        try:
            number = int(text) if kind == "Integral" else float(text)
        except ValueError:
            number = None
        if number is None or (kind == "Integral" and not _INTEGRAL[0] <= number <= _INTEGRAL[1]):
            raise RecordError(
                f"Validation Error: The value of feature {name} must be of type {kind}; got '{text[:100]}'."
            )
        return number

    def parse_event_time(self, text: str) -> datetime:
        """Return an event time as a moment. Raises RecordError for an invalid one."""
        is_fractional = self.definitions[self.event_time]["FeatureType"] == "Fractional"
        expected = (
            "seconds since the epoch" if is_fractional else "yyyy-MM-dd'T'HH:mm:ssZ or yyyy-MM-dd'T'HH:mm:ss.SSSZ"
        )
        with suppress(ValueError, OverflowError, OSError):  # not a number, or not a moment of the calendar
            if is_fractional:
                return datetime.fromtimestamp(float(text), UTC)
            if _EVENT_TIME.fullmatch(text):
                return datetime.fromisoformat(text.replace("Z", "+00:00"))
        raise RecordError(
            f"Validation Error: The value of the event time feature {self.event_time} must be in the format "
            f"{expected}; got '{text[:100]}'."
        )

    def convert_record(self, record: Mapping[str, Any]) -> dict[str, Value]:
        """Return a record for the offline store, in the features' types."""
        row: dict[str, Any] = {}
        for name, value in record.items():
            row[name] = (
                [self.convert_value(name, item) for item in value]
                if isinstance(value, list)
                else self.convert_value(name, value)
            )
        return row


def compute_expiry(moment: datetime, ttl: Mapping[str, Any]) -> datetime:
    """Return the moment at which a record expires. Raises RecordError for a TtlDuration beyond the calendar."""
    try:
        return moment + timedelta(**{ttl["Unit"].lower(): ttl["Value"]})
    except OverflowError:
        raise RecordError(f"Validation Error: TtlDuration of {ttl['Value']} {ttl['Unit']} is too long.") from None
