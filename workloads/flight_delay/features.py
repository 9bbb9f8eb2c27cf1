"""The features of a flight: one list for data preparation, training, serving and the feature group.

The serving code uses this file too, so it needs Python 3.8 and numpy only (see trees.py).
"""

from __future__ import annotations

from typing import Any, Iterable, Literal, Mapping, NamedTuple

import numpy as np

FeatureType = Literal["Integral", "Fractional", "String"]


class InputError(ValueError):
    """Invalid input: one line with the problem, its location and the remedy. The scripts exit with code 2."""


class Feature(NamedTuple):
    """A column of the data set, as SageMaker Feature Store types it."""

    name: str
    type: FeatureType
    #: Source of the value: the schedule, the weather or the history. A value of the schedule is never missing.
    source: Literal["schedule", "weather", "history"]
    meaning: str

    @property
    def is_nullable(self) -> bool:
        """True if the value may be missing: a weather station can be silent, a carrier can be new."""
        return self.source != "schedule"


RECORD_IDENTIFIER = "flight_id"
EVENT_TIME = "event_time"
LABEL = "arrived_late"

FEATURES = (
    Feature("carrier", "String", "schedule", "Airline, IATA code."),
    Feature("origin", "String", "schedule", "Airport of departure: EWR, JFK or LGA."),
    Feature("destination", "String", "schedule", "Airport of arrival, FAA code."),
    Feature("distance_miles", "Integral", "schedule", "Distance between the airports."),
    Feature("day_of_week", "Integral", "schedule", "1 is Monday, 7 is Sunday; local date of the scheduled departure."),
    Feature("departure_minute", "Integral", "schedule", "Scheduled departure, in minutes after local midnight."),
    Feature(
        "arrival_minute", "Integral", "schedule", "Scheduled arrival, in minutes after midnight at the destination."
    ),
    Feature(
        "departures_same_hour", "Integral", "schedule", "Departures scheduled at the origin in the same clock hour."
    ),
    Feature("temperature_f", "Fractional", "weather", "Air temperature at the origin, °F."),
    Feature("dew_point_f", "Fractional", "weather", "Dew point, °F."),
    Feature("humidity_percent", "Fractional", "weather", "Relative humidity."),
    Feature("wind_direction_degrees", "Fractional", "weather", "Where the wind comes from; 0 also means calm."),
    Feature("wind_speed_mph", "Fractional", "weather", "Wind speed."),
    Feature("wind_gust_mph", "Fractional", "weather", "Gust speed; missing when there were no gusts."),
    Feature("precipitation_inches", "Fractional", "weather", "Precipitation within the hour."),
    Feature("pressure_millibars", "Fractional", "weather", "Pressure at sea level."),
    Feature("visibility_miles", "Fractional", "weather", "Visibility."),
    Feature("carrier_late_rate", "Fractional", "history", "Share of the carrier's flights that arrived late."),
    Feature("flight_late_rate", "Fractional", "history", "The same for this flight number, drawn toward all flights'."),
)


def build_schema() -> dict[str, FeatureType]:
    """Return name and type of every feature of the feature group, with its identifier and event time."""
    return {RECORD_IDENTIFIER: "String", EVENT_TIME: "String", **{f.name: f.type for f in FEATURES}}


def list_names() -> list[str]:
    """Return the names of the model's inputs, in the order of its columns."""
    return [f.name for f in FEATURES]


def list_xgboost_types() -> list[str]:
    """Return XGBoost's feature types in the order of the columns: c for categories, q for quantities."""
    return ["c" if f.type == "String" else "q" for f in FEATURES]


def list_categories(flights: Any) -> dict[str, list[str]]:
    """Return the sorted values of each categorical feature of a frame. A model trained on it knows these."""
    return {f.name: sorted(set(flights[f.name])) for f in FEATURES if f.type == "String"}


def build_matrix(flights: Any, known: Mapping[str, Iterable[str]]) -> np.ndarray:
    """Return the model's inputs as float32: one row per flight, one column per feature.

    `flights` is a frame or a dictionary of columns. `known` is the result of `list_categories` for the training data. A
    category that `known` lacks becomes a missing value, as XGBoost expects. Raises InputError naming a feature with
    values that are not numbers.
    """
    columns = []
    for feature in FEATURES:
        column = flights[feature.name]
        if feature.type == "String":
            codes = {value: code for code, value in enumerate(known[feature.name])}
            column = [codes.get(value, np.nan) for value in column]
        try:
            columns.append(np.asarray(column, np.float32))
        except (TypeError, ValueError):
            raise InputError(f"feature {feature.name} must be a number ({feature.type})") from None
    return np.column_stack(columns)
