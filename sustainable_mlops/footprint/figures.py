"""Results: a figure with its interval, an estimate of all figures, and the unknown parts."""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from math import floor, isfinite, log10
from types import MappingProxyType
from typing import Any, NamedTuple

from sustainable_mlops.catalogue.tables import Grade

#: Metrics of an estimate, in display order.
METRICS = ("energy", "operational", "market_based", "embodied", "total", "water", "cost")
UNITS = {
    "energy": "kWh",
    "operational": "kgCO2e",
    "market_based": "kgCO2e",
    "embodied": "kgCO2e",
    "total": "kgCO2e",
    "water": "L",
    "cost": "USD",
}


#: Smaller units of a unit, with the number of each in it.
_SMALLER_UNITS = {"kgCO2e": (("gCO2e", 1e3), ("mgCO2e", 1e6)), "kWh": (("Wh", 1e3), ("mWh", 1e6))}
#: Least number shown in a unit; a smaller one is shown in a smaller unit.
_LEAST_NUMBER = 0.1
#: Least amount of money shown as a number.
_LEAST_USD = 1e-6


class FormattedFigure(NamedTuple):
    """A value and its bounds as text, in a unit that suits the value."""

    value: str
    low: str
    high: str
    unit: str

    @property
    def interval(self) -> str:
        """The bounds, such as `0.17 to 0.37`."""
        return f"{self.low} to {self.high}"

    def __str__(self) -> str:
        return f"{self.value} {self.unit}"


def format_figure(value: float, low: float, high: float, unit: str) -> FormattedFigure:
    """Return the numbers with the precision of an estimate, in kg, g or mg and kWh, Wh or mWh by the size of `value`.

    Money has three significant digits from 1 USD.
    """
    factor, format_value = 1.0, _format_usd if unit == "USD" else format_number
    for smaller_unit, number in _SMALLER_UNITS.get(unit, ()):
        if value and abs(value * factor) < _LEAST_NUMBER:
            unit, factor = smaller_unit, number
    text, low_text, high_text = (format_value(one * factor) for one in (value, low, high))
    return FormattedFigure(text, low_text, high_text, unit)


def _format_usd(value: float) -> str:
    size = abs(value)
    if size < 1 or not isfinite(value):
        return f"{'-' if value < 0 else ''}under {_LEAST_USD:f}" if 0 < size < _LEAST_USD else format_number(value)
    digits = min(2, 2 - floor(log10(size)))
    return f"{round(value, digits):,.{max(digits, 0)}f}"


class FootprintFigure(NamedTuple):
    """A result between `low` and `high`.

    `grade` is the class of the result. `driver` is the text of the assumption with the largest effect on it.
    """

    low: float
    central: float
    high: float
    grade: Grade
    driver: str
    unit: str

    def multiply(self, factor: float) -> "FootprintFigure":
        """Return the figure multiplied by an exact factor, for example to convert the unit."""
        ends = sorted((self.low * factor, self.high * factor))
        return FootprintFigure(ends[0], self.central * factor, ends[1], self.grade, self.driver, self.unit)

    def format(self) -> FormattedFigure:
        """Return the figure as text, in a unit that suits its size."""
        return format_figure(self.central, self.low, self.high, self.unit)

    def to_dict(self) -> dict[str, Any]:
        """Return the exact values for JSON."""
        return {
            "low": self.low,
            "central": self.central,
            "high": self.high,
            "unit": self.unit,
            "class": self.grade,
            "driver": self.driver,
        }

    def __str__(self) -> str:
        low, central, high = (format_number(value) for value in (self.low, self.central, self.high))
        return f"{central} {self.unit} ({low} to {high}, class {self.grade})"


class UnknownKind(StrEnum):
    """Classification of an unknown item by its possible size."""

    #: An instance or store that the estimate does not count, or whose cost is unknown: its size has no bound.
    UNCOUNTED = "uncounted"
    #: Usage that a plan does not contain: stored bytes, hours in which people work.
    USAGE = "usage"
    #: The carbon of a service with a known price and unknown energy.
    CARBON = "carbon"
    #: A small part of a counted resource, such as the embodied carbon of the network.
    DETAIL = "detail"


class UnknownItem(NamedTuple):
    """Something that no estimate counts, and the reason."""

    subject: str
    reason: str
    kind: UnknownKind = UnknownKind.DETAIL

    def describe(self, address: str, size: str = "") -> str:
        """Return the item of a resource in one line, without a subject that repeats the type in its address."""
        subject = "" if f".{self.subject}." in f".{address}" else self.subject
        return ": ".join(filter(None, (subject, size, self.reason)))

    def to_dict(self) -> dict[str, str]:
        """Return the subject and the reason for JSON."""
        return {"what": self.subject, "reason": self.reason}


class FootprintEstimate(NamedTuple):
    """All figures of an activity; `unknowns` gives the reason for each missing figure.

    `operational` is location-based (average of the grid). `market_based` uses the energy purchases of the operator
    instead and is not part of `total`. `total` is operational + embodied (numerator of the SCI, ISO/IEC 21031:2024).
    """

    figures: Mapping[str, FootprintFigure] = MappingProxyType({})
    unknowns: tuple[UnknownItem, ...] = ()
    #: Text and interval of every uncertain input, for the list of assumptions.
    assumptions: tuple[str, ...] = ()
    #: Metrics whose figure leaves out an unknown part.
    partial: tuple[str, ...] = ()

    @property
    def is_cost_only(self) -> bool:
        """True for a service with a known price and unknown energy. Sums of carbon stay complete without it."""
        return self.figures.keys() == {"cost"}

    def get(self, metric: str) -> FootprintFigure | None:
        """Return the figure of a metric (see `METRICS`), or None if it is unknown."""
        return self.figures.get(metric)

    def multiply(self, factor: float) -> "FootprintEstimate":
        """Return the estimate of `factor` such activities."""
        return self._replace(figures={metric: figure.multiply(factor) for metric, figure in self.figures.items()})

    def to_dict(self) -> dict[str, Any]:
        """Return the exact values for JSON."""
        figures: dict[str, Any] = {m: self.figures[m].to_dict() if m in self.figures else None for m in METRICS}
        return figures | {
            "unknown": [unknown.to_dict() for unknown in self.unknowns],
            "assumptions": list(self.assumptions),
            "partial": list(self.partial),
        }


ZERO_ESTIMATE = FootprintEstimate(
    {metric: FootprintFigure(0.0, 0.0, 0.0, "A", "", UNITS[metric]) for metric in METRICS}
)


def sum_estimates(estimates: Iterable[FootprintEstimate]) -> FootprintEstimate:
    """Return the sum of the estimates; each figure is summed over the estimates that have it.

    Low ends add to low ends and high ends to high ends, because the estimates share their errors.
    """
    parts = list(estimates)
    if not parts:
        return ZERO_ESTIMATE
    known = {metric: [figure for part in parts if (figure := part.get(metric)) is not None] for metric in METRICS}
    cost_only = sum(part.is_cost_only for part in parts)
    return FootprintEstimate(
        {metric: sum_figures(figures, UNITS[metric]) for metric, figures in known.items() if figures},
        *collect_texts(parts),
        partial=tuple(
            metric
            for metric, figures in known.items()
            if 0 < len(figures) < len(parts) - (0 if metric == "cost" else cost_only)
            or any(metric in part.partial for part in parts)
        ),
    )


def span_estimates(estimates: Sequence[FootprintEstimate], text: str) -> FootprintEstimate:
    """Return one estimate for several alternatives, the expected one first. `text` is the reason."""
    return FootprintEstimate(
        span_figures([one.figures for one in estimates], text),
        collect_texts(estimates)[0],
        tuple(dict.fromkeys((text, *collect_texts(estimates)[1]))),
        tuple(metric for metric in METRICS if any(metric in one.partial for one in estimates)),
    )


def span_figures(alternatives: Sequence[Mapping[str, FootprintFigure]], text: str) -> Mapping[str, FootprintFigure]:
    """Return the figures of the first alternative with intervals over all, for the metrics that all have."""
    expected = alternatives[0]
    return {
        metric: _span_figure([one[metric] for one in alternatives], text)
        for metric in expected
        if all(metric in one for one in alternatives)
    }


def _span_figure(figures: Sequence[FootprintFigure], text: str) -> FootprintFigure:
    """Return the first figure with an interval over all. A wider interval makes `text` its driver and its class C."""
    expected = figures[0]
    low, high = min(one.low for one in figures), max(one.high for one in figures)
    if (low, high) == (expected.low, expected.high):
        return expected
    is_wide = high - low > 2 * (expected.high - expected.low)
    grade: Grade = "C"
    return expected._replace(low=low, high=high, grade=grade, driver=text if is_wide else expected.driver)


def collect_texts(estimates: Sequence[FootprintEstimate]) -> tuple[tuple[UnknownItem, ...], tuple[str, ...]]:
    """Return the unknowns and the assumptions of all estimates without duplicates."""
    unknowns = dict.fromkeys(unknown for one in estimates for unknown in one.unknowns)
    assumptions = dict.fromkeys(text for one in estimates for text in one.assumptions)
    return tuple(unknowns), tuple(assumptions)


def sum_figures(figures: Iterable[FootprintFigure], unit: str) -> FootprintFigure:
    """Return the sum of the figures.

    Its class is the worst class of the figures that make up a tenth of it or more. Its driver is from the widest
    figure.
    """
    parts = list(figures)
    if len(parts) < 2:
        return parts[0] if parts else FootprintFigure(0.0, 0.0, 0.0, "A", "", unit)
    widest = max(parts, key=lambda part: part.high - part.low)
    whole = sum(abs(part.central) for part in parts)
    grades = [part.grade for part in parts if abs(part.central) >= whole / 10] or [part.grade for part in parts]
    return FootprintFigure(
        low=sum(part.low for part in parts),
        central=sum(part.central for part in parts),
        high=sum(part.high for part in parts),
        grade=max(grades),
        driver=widest.driver,
        unit=unit,
    )


def format_number(value: float) -> str:
    """Return `value` with two significant digits, which is the precision of an estimate."""
    if value == 0 or not isfinite(value):
        return "0" if value == 0 else "unknown"
    return _format_rounded(value, _count_decimals(value))


def format_consistent_pair(before: float, after: float) -> tuple[str, str]:
    """Return two numbers, rounded so that their difference reads as the change with two significant digits.

    With two digits each, 2,310 → 11,510 would be 2,300 → 12,000, but the change is +9,200; so it is 2,300 → 11,500.
    """
    change = abs(after - before)
    if change == 0 or not isfinite(change):
        return format_number(before), format_number(after)
    small, large = sorted((before, after), key=abs)
    decimals = _count_decimals(change if change >= abs(large) / 10 else large)
    small_decimals = max(decimals, _count_decimals(small)) if change >= abs(large) / 10 and small else decimals
    small = round(small, small_decimals)
    signed_change = change if large > small else -change
    large = round(small + round(signed_change, _count_decimals(change)), decimals)
    texts = _format_rounded(small, small_decimals), _format_rounded(large, decimals)
    return texts if abs(before) <= abs(after) else texts[::-1]


def _count_decimals(value: float) -> int:
    """Return the decimals of two significant digits; they are negative for hundreds and more."""
    digits = 1 - floor(log10(abs(value)))
    # Rounding may carry into the next power of ten: 0.0996 is 0.10, 99.6 is 100.
    return 1 - floor(log10(abs(round(value, digits))))


def _format_rounded(value: float, decimals: int) -> str:
    return f"{round(value, decimals):,.{max(decimals, 0)}f}" if value else "0"


def format_amount(value: float) -> str:
    """Return `value` with four significant digits or more, for numbers that a person wrote."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def format_compared(value: float, limit: float) -> str:
    """Return `value` as an estimate, or precisely if rounding hides which side of `limit` it is on."""
    text = format_number(value)
    rounded = float(text.replace(",", "")) if isfinite(value) else value
    return text if rounded != limit and (rounded > limit) == (value > limit) else format_amount(value)
