"""The features of a flight: one list, used to prepare the data, to train, to serve and to fill the feature group.

It serves too, so it keeps to Python 3.8 and numpy (see trees.py).
"""

from __future__ import annotations

from typing import Any, Iterable, Literal, Mapping, NamedTuple

import numpy as np

FeatureType = Literal["Integral", "Fractional", "String"]


class InputError(ValueError):
    """Bad input: one line that says what, where and what to do. The scripts exit 2 on it."""


class Feature(NamedTuple):
    """A column of the data set, as SageMaker Feature Store types it."""

    name: str
    type: FeatureType
    #: What makes it known at the prediction time. Only what is published with the schedule can never be missing.
    known: Literal["schedule", "weather", "history"]
    meaning: str

    @property
    def nullable(self) -> bool:
        """Whether a flight may lack it: a station can be silent, a carrier can be new."""
        return self.known != "schedule"


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
    Feature(
        "flight_late_rate", "Fractional", "history", "The same for this flight number, drawn towards all flights'."
    ),
)


def schema() -> dict[str, FeatureType]:
    """Name and type of every feature of the feature group, with its identifier and event time."""
    return {RECORD_IDENTIFIER: "String", EVENT_TIME: "String", **{f.name: f.type for f in FEATURES}}


def names() -> list[str]:
    """The names of the model's inputs, in the order of its columns."""
    return [f.name for f in FEATURES]


def xgboost_types() -> list[str]:
    """XGBoost's feature types, in the order of the columns: c is categorical, q a quantity."""
    return ["c" if f.type == "String" else "q" for f in FEATURES]


def categories(flights: Any) -> dict[str, list[str]]:
    """The values of each categorical feature in a frame, sorted: what a model trained on it knows."""
    return {f.name: sorted(set(flights[f.name])) for f in FEATURES if f.type == "String"}


def matrix(flights: Any, known: Mapping[str, Iterable[str]]) -> np.ndarray:
    """The model's inputs, float32: a row a flight, a column a feature.

    `flights` is a frame, or a dictionary of columns; `known` is what `categories` gave for the training data. A
    category it lacks becomes missing, as XGBoost wants it. Raises InputError naming a feature whose values are not
    numbers where they must be.
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
