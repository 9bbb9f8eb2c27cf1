"""Hyperparameter ranges of a tuning job.

A numeric range is searched evenly along a scaled coordinate. Source: Define Hyperparameter Ranges, Hyperparameter
Scaling, in the SageMaker developer guide.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from sagemaker_sandbox.base.errors import ValidationError

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

#: Position in a range: a scaled number, or one of the values of a categorical range.
Coordinate = float | str

#: Ratio of a range's ends from which `Auto` scales logarithmically. AWS publishes no rule; assumed.
_AUTO_RATIO = 100.0


class _Scale(NamedTuple):
    to_coordinate: Callable[[float], float]
    to_value: Callable[[float], float]
    #: Lower bound, whether it is allowed, and the upper bound, which is not allowed.
    minimum: float = -math.inf
    includes_minimum: bool = False
    upper_bound: float = math.inf
    rule: str = ""

    def accepts(self, value: float) -> bool:
        is_above = value > self.minimum or (self.includes_minimum and value == self.minimum)
        return is_above and value < self.upper_bound


_LINEAR = _Scale(float, float)
_SCALES = {
    "Linear": _LINEAR,
    "Logarithmic": _Scale(math.log, math.exp, minimum=0, rule="greater than 0"),
    "ReverseLogarithmic": _Scale(
        lambda value: -math.log1p(-value),
        lambda coordinate: -math.expm1(-coordinate),
        minimum=0,
        includes_minimum=True,
        upper_bound=1,
        rule="within the range 0<=x<1.0",
    ),
}


@dataclass(frozen=True)
class NumericRange:
    """Numbers from `low` to `high`, both included; integers only with `is_integer`."""

    name: str
    low: float
    high: float
    scale: _Scale
    is_integer: bool

    @property
    def kind(self) -> str:
        """Kind of the range in messages."""
        return "integer" if self.is_integer else "continuous"

    @property
    def size(self) -> float:
        """Number of values."""
        return self.high - self.low + 1 if self.is_integer or self.low == self.high else math.inf

    def build_distribution(self) -> "BaseDistribution":
        """Return optuna's distribution of the coordinates."""
        from optuna.distributions import FloatDistribution

        low, high = map(self.scale.to_coordinate, self._ends)
        return FloatDistribution(low, high)

    @property
    def _ends(self) -> tuple[float, float]:
        """Ends of the search. Integers get half a step more on each side, so that all values are equally likely."""
        half = 0.5 if self.is_integer and self.low < self.high else 0
        upper = self.high + half
        # The scale must accept the extended end.
        return (self.low - half, upper) if self.scale.accepts(upper) else (self.low, self.high)

    def draw(self, random: Random) -> Coordinate:
        """Return a random coordinate."""
        return random.uniform(*map(self.scale.to_coordinate, self._ends))

    def to_text(self, coordinate: Coordinate) -> str:
        """Return the hyperparameter at a coordinate."""
        value = self.scale.to_value(float(coordinate))
        value = min(max(round(value) if self.is_integer else value, self.low), self.high)
        return str(int(value)) if self.is_integer else repr(float(value))

    def find_coordinate(self, text: str) -> Coordinate | None:
        """Return the coordinate of a hyperparameter, or None outside the range."""
        try:
            value = float(text)
        except ValueError:
            return None
        return self.scale.to_coordinate(value) if self.low <= value <= self.high else None


@dataclass(frozen=True)
class CategoricalRange:
    """A range of texts."""

    name: str
    values: tuple[str, ...]
    kind: ClassVar[str] = "categorical"

    @property
    def size(self) -> float:
        """Number of values."""
        return len(self.values)

    def build_distribution(self) -> "BaseDistribution":
        """Return optuna's distribution of the values."""
        from optuna.distributions import CategoricalDistribution

        return CategoricalDistribution(self.values)

    def draw(self, random: Random) -> Coordinate:
        """Return a random value."""
        return random.choice(self.values)

    def to_text(self, coordinate: Coordinate) -> str:
        """Return the value itself."""
        return str(coordinate)

    def find_coordinate(self, text: str) -> Coordinate | None:
        """Return the value itself, or None if the range does not have it."""
        return text if text in self.values else None


Range = NumericRange | CategoricalRange


def parse_ranges(ranges: Mapping[str, Any]) -> list[Range]:
    """Return the ranges of a ParameterRanges structure. Raises ValidationError for an invalid range."""
    parsed_ranges: list[Range] = []
    for member, is_integer in (("IntegerParameterRanges", True), ("ContinuousParameterRanges", False)):
        parsed_ranges += [_parse_numeric(structure, is_integer) for structure in ranges.get(member, [])]
    parsed_ranges += [_parse_categorical(structure) for structure in ranges.get("CategoricalParameterRanges", [])]
    for name in _list_duplicates([item.name for item in parsed_ranges]):
        raise ValidationError(f"Hyperparameter {name} has more than one range. Names must be unique.")
    return parsed_ranges


def _parse_numeric(structure: Mapping[str, Any], is_integer: bool) -> NumericRange:
    name, kind = structure["Name"], "integer" if is_integer else "continuous"
    low, high = (_parse_number(name, member, structure[member], is_integer) for member in ("MinValue", "MaxValue"))
    if low > high:
        raise ValidationError(
            f"The {kind} hyperparameter range {name} is invalid: MinValue {structure['MinValue']} must be less than or "
            f"equal to MaxValue {structure['MaxValue']}."
        )
    scaling = structure.get("ScalingType", "Auto")
    scale = _find_auto_scale(low, high) if scaling == "Auto" else _SCALES[scaling]
    if not (scale.accepts(low) and scale.accepts(high)):
        raise ValidationError(
            f"The {kind} hyperparameter range {name} is invalid: {scaling} scaling works only for ranges whose values "
            f"are {scale.rule}."
        )
    return NumericRange(name, low, high, scale, is_integer)


def _parse_number(name: str, member: str, text: str, is_integer: bool) -> float:
    try:
        value: float = int(text) if is_integer else float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValidationError(
            f"{member} of hyperparameter {name} is not {'an integer' if is_integer else 'a number'}: '{text}'."
        )
    return value


def _find_auto_scale(low: float, high: float) -> _Scale:
    return _SCALES["Logarithmic"] if low > 0 and high / low >= _AUTO_RATIO else _LINEAR


def _parse_categorical(structure: Mapping[str, Any]) -> CategoricalRange:
    name, values = structure["Name"], structure["Values"]
    for value in _list_duplicates(values):
        raise ValidationError(f"The categorical hyperparameter {name} has the value '{value}' more than once.")
    return CategoricalRange(name, tuple(values))


def _list_duplicates(names: Sequence[str]) -> Iterator[str]:
    return (name for index, name in enumerate(names) if name in names[:index])
