"""The ranges that a tuning job searches.

A numeric range is searched evenly along a scaled coordinate. Source: Define Hyperparameter Ranges, Hyperparameter
Scaling, in the SageMaker developer guide.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from sagemaker_sandbox.errors import ValidationError

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

#: Where a search stands in a range: a scaled number, or one of the values of a categorical range.
Coordinate = float | str

#: `Auto` searches a range of positive numbers logarithmically from this ratio of its ends on. AWS publishes no rule.
_AUTO_RATIO = 100.0


class _Scale(NamedTuple):
    to_coordinate: Callable[[float], float]
    to_value: Callable[[float], float]
    #: The least value, whether it is allowed, and the value that every value is below.
    least: float = -math.inf
    including: bool = False
    below: float = math.inf
    rule: str = ""

    def takes(self, value: float) -> bool:
        return (value > self.least or (self.including and value == self.least)) and value < self.below


_LINEAR = _Scale(float, float)
_SCALES = {
    "Linear": _LINEAR,
    "Logarithmic": _Scale(math.log, math.exp, least=0, rule="greater than 0"),
    "ReverseLogarithmic": _Scale(
        lambda value: -math.log1p(-value),
        lambda coordinate: -math.expm1(-coordinate),
        least=0,
        including=True,
        below=1,
        rule="within the range 0<=x<1.0",
    ),
}


@dataclass(frozen=True)
class NumericRange:
    """Numbers from `low` to `high`, both included; with `whole`, integers alone."""

    name: str
    low: float
    high: float
    scale: _Scale
    whole: bool

    @property
    def kind(self) -> str:
        """As its ranges are called."""
        return "integer" if self.whole else "continuous"

    @property
    def size(self) -> float:
        """How many values there are."""
        return self.high - self.low + 1 if self.whole or self.low == self.high else math.inf

    def distribution(self) -> "BaseDistribution":
        """What optuna searches: the coordinates."""
        from optuna.distributions import FloatDistribution

        low, high = map(self.scale.to_coordinate, self._ends)
        return FloatDistribution(low, high)

    @property
    def _ends(self) -> tuple[float, float]:
        """Integers have half a step more on either side, so that the first and the last are as likely as any."""
        half = 0.5 if self.whole and self.low < self.high else 0
        most = self.high + half
        # Half a step must not leave what the scale takes.
        return (self.low - half, most) if self.scale.takes(most) else (self.low, self.high)

    def anywhere(self, random: Random) -> Coordinate:
        """A coordinate, each as likely as any other."""
        return random.uniform(*map(self.scale.to_coordinate, self._ends))

    def text(self, coordinate: Coordinate) -> str:
        """The hyperparameter at this coordinate."""
        value = self.scale.to_value(float(coordinate))
        value = min(max(round(value) if self.whole else value, self.low), self.high)
        return str(int(value)) if self.whole else repr(float(value))

    def coordinate(self, text: str) -> Coordinate | None:
        """Where this hyperparameter is; None outside of the range."""
        try:
            value = float(text)
        except ValueError:
            return None
        return self.scale.to_coordinate(value) if self.low <= value <= self.high else None


@dataclass(frozen=True)
class CategoricalRange:
    """One of several texts."""

    name: str
    values: tuple[str, ...]
    kind: ClassVar[str] = "categorical"

    @property
    def size(self) -> float:
        """How many values there are."""
        return len(self.values)

    def distribution(self) -> "BaseDistribution":
        """What optuna searches."""
        from optuna.distributions import CategoricalDistribution

        return CategoricalDistribution(self.values)

    def anywhere(self, random: Random) -> Coordinate:
        """A value, each as likely as any other."""
        return random.choice(self.values)

    def text(self, coordinate: Coordinate) -> str:
        """The value itself."""
        return str(coordinate)

    def coordinate(self, text: str) -> Coordinate | None:
        """The value itself; None where the range has not got it."""
        return text if text in self.values else None


Range = NumericRange | CategoricalRange


def read(ranges: Mapping[str, Any]) -> list[Range]:
    """The ranges of a ParameterRanges structure. Raises ValidationError for one that holds nothing."""
    found: list[Range] = []
    for member, whole in (("IntegerParameterRanges", True), ("ContinuousParameterRanges", False)):
        found += [_numeric(given, whole) for given in ranges.get(member, [])]
    found += [_categorical(given) for given in ranges.get("CategoricalParameterRanges", [])]
    for name in _repeated([one.name for one in found]):
        raise ValidationError(f"Hyperparameter {name} is given more than one range. Names must be unique.")
    return found


def _numeric(given: Mapping[str, Any], whole: bool) -> NumericRange:
    name, kind = given["Name"], "integer" if whole else "continuous"
    low, high = (_number(name, member, given[member], whole) for member in ("MinValue", "MaxValue"))
    if low > high:
        raise ValidationError(
            f"The {kind} hyperparameter range {name} is invalid: MinValue {given['MinValue']} must be less than or "
            f"equal to MaxValue {given['MaxValue']}."
        )
    scaling = given.get("ScalingType", "Auto")
    scale = _auto(low, high) if scaling == "Auto" else _SCALES[scaling]
    if not (scale.takes(low) and scale.takes(high)):
        raise ValidationError(
            f"The {kind} hyperparameter range {name} is invalid: {scaling} scaling works only for ranges whose values "
            f"are {scale.rule}."
        )
    return NumericRange(name, low, high, scale, whole)


def _number(name: str, member: str, text: str, whole: bool) -> float:
    try:
        value: float = int(text) if whole else float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValidationError(f"{member} of hyperparameter {name} is no {'integer' if whole else 'number'}: '{text}'.")
    return value


def _auto(low: float, high: float) -> _Scale:
    return _SCALES["Logarithmic"] if low > 0 and high / low >= _AUTO_RATIO else _LINEAR


def _categorical(given: Mapping[str, Any]) -> CategoricalRange:
    name, values = given["Name"], given["Values"]
    for value in _repeated(values):
        raise ValidationError(f"The categorical hyperparameter {name} has the value '{value}' more than once.")
    return CategoricalRange(name, tuple(values))


def _repeated(names: Sequence[str]) -> Iterator[str]:
    return (name for index, name in enumerate(names) if name in names[:index])
