"""The features of a flight: one list, used to prepare the data, to train, to serve and to fill the feature group."""

from collections.abc import Iterable, Mapping
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd

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


def categories(frame: pd.DataFrame) -> dict[str, list[str]]:
    """The values of each categorical feature in `frame`, sorted: what a model trained on it knows."""
    return {f.name: sorted(frame[f.name].unique()) for f in FEATURES if f.type == "String"}


def matrix(frame: pd.DataFrame, known: Mapping[str, Iterable[str]]) -> np.ndarray[Any, np.dtype[np.float32]]:
    """The model's inputs for the flights of `frame`: a row a flight, a column a feature.

    `known` is what `categories` gave for the training data. A category it lacks becomes missing, as XGBoost wants it.
    Raises InputError naming a feature whose values are not numbers where they must be.
    """
    columns = []
    for feature in FEATURES:
        column = frame[feature.name]
        if feature.type == "String":
            codes = pd.Index(list(known[feature.name])).get_indexer(pd.Index(column))
            columns.append(np.where(codes < 0, np.nan, codes).astype(np.float32))
        else:
            try:
                columns.append(column.to_numpy(dtype=np.float32, na_value=np.nan))
            except (TypeError, ValueError):
                raise InputError(f"feature {feature.name} must be a number ({feature.type})") from None
    return np.column_stack(columns)
