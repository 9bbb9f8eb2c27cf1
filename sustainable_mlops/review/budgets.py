"""Budgets of carbon and cost, for everything or for the resources with certain tags.

budgets:
  - name: flight delay, production      # what reports call it
    workload: flight_delay              # of the resources whose tags say so; without both, of all
    environment: prod
    kg_per_month: 50                    # kgCO2e, operational (location-based) and embodied
    usd_per_month: 400
    kg_increase: 5                      # the most that one change may add
    usd_increase: 40
    hold: expected                      # or high: hold the high end of the range against the limits
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import isfinite
from pathlib import Path
from typing import Any

from sustainable_mlops.errors import UserError
from sustainable_mlops.footprint.figures import Figure
from sustainable_mlops.footprint.from_plan import Change, PlanFootprint, ResourceFootprint
from sustainable_mlops.plan import UNKNOWN, Sensitive
from sustainable_mlops.review import files
from sustainable_mlops.review.comparison import Comparison

#: Each limit: the figure it holds, whether it holds the change, and what it is.
LIMITS = {
    "kg_per_month": ("total", False, "carbon a month"),
    "usd_per_month": ("cost", False, "cost a month"),
    "kg_increase": ("total", True, "carbon added a month"),
    "usd_increase": ("cost", True, "cost added a month"),
}
_TAGS = ("workload", "environment")


class Held(StrEnum):
    """How a budget stands."""

    WITHIN = "within"
    OVER = "over"
    UNKNOWN = "unknown"  # what is known is within, but something is not known
    NOTHING = "nothing"  # no resource of the plan falls under it


@dataclass(frozen=True, slots=True)
class Budget:
    """Limits for the resources with certain tags."""

    name: str
    tags: Mapping[str, str]
    limits: Mapping[str, float]
    high: bool = False


@dataclass(frozen=True, slots=True)
class BudgetResult:
    """One limit of a budget, held against the plan."""

    budget: str
    limit: str
    allowed: float
    held: Held
    figure: Figure | None
    high: bool
    unknown: tuple[str, ...] = ()  # addresses of what is not counted

    @property
    def what(self) -> str:
        """What is limited."""
        return LIMITS[self.limit][2]

    @property
    def unit(self) -> str:
        """The limit's unit."""
        return "kgCO2e" if self.limit.startswith("kg") else "USD"

    @property
    def value(self) -> float | None:
        """The value that is held against the limit."""
        return None if self.figure is None else self.figure.high if self.high else self.figure.central


def read_budgets(path: Path) -> list[Budget]:
    """The budgets in a file. Raises UserError naming the place of anything that cannot be used."""
    return [_budget(entry, place) for entry, place in files.entries(path, "budgets")]


def _budget(entry: dict[str, Any], place: str) -> Budget:
    files.only(entry, {"name", "hold", *_TAGS, *LIMITS}, place)
    tags = {tag: value for tag in _TAGS if (value := files.text(entry, tag, place)) is not None}
    name = files.text(entry, "name", place) or ", ".join(tags.values()) or "everything"
    limits = {key: _limit(entry[key], f"{place}.{key}") for key in LIMITS if key in entry}
    if not limits:
        raise UserError(f"{place}: sets no limit; give one of {', '.join(LIMITS)}")
    hold = entry.get("hold", "expected")
    if hold not in ("expected", "high"):
        raise UserError(f"{place}.hold: must be expected or high, not {hold!r}")
    return Budget(name, tags, limits, hold == "high")


def _limit(value: Any, place: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value) or value < 0:
        raise UserError(f"{place}: must be a number from 0 up, not {value!r}")
    return float(value)


def hold(budgets: list[Budget], footprint: PlanFootprint, comparison: Comparison) -> list[BudgetResult]:
    """Every limit of `budgets` held against the plan's footprint."""
    return [result for budget in budgets for result in _held(budget, footprint, comparison)]


def _held(budget: Budget, footprint: PlanFootprint, comparison: Comparison) -> Iterator[BudgetResult]:
    # An object that a replacement left stands at the address of the one that took its place, whose tags count.
    pairs = sorted(comparison.pairs, key=lambda pair: pair.resource.deposed is None)
    tags = {pair.address: pair.resource.tags(before=not pair.resource.exists()) for pair in pairs}
    answers = [(one, _under(budget, tags.get(one.address, {}))) for one in footprint.resources]
    found = PlanFootprint(tuple(one for one, under in answers if under is True))
    untold = [one.address for one, under in answers if under is None]
    for limit, allowed in budget.limits.items():
        metric, of_change, _ = LIMITS[limit]
        figure = (found.delta if of_change else found.running).get(metric)
        unknown = (*untold, *(one.address for one in found.resources if _lacks(one, metric, of_change)))
        held = Held.WITHIN
        if not found.resources and not untold:
            held = Held.NOTHING
        elif figure is not None and (figure.high if budget.high else figure.central) > allowed:
            held = Held.OVER
        elif unknown or figure is None:
            held = Held.UNKNOWN
        yield BudgetResult(budget.name, limit, allowed, held, figure, budget.high, tuple(dict.fromkeys(unknown)))


def _under(budget: Budget, tags: Any) -> bool | None:
    """Whether a resource with `tags` falls under a budget. Tag keys are taken in any case, as accounts differ."""
    if not budget.tags:
        return True
    if tags is UNKNOWN:
        return None
    lowered = {str(key).lower(): UNKNOWN if isinstance(value, Sensitive) else value for key, value in tags.items()}
    values = [(lowered.get(key), wanted) for key, wanted in budget.tags.items()]
    if any(value is not UNKNOWN and value != wanted for value, wanted in values):
        return False
    return None if any(value is UNKNOWN for value, _ in values) else True


def _lacks(one: ResourceFootprint, metric: str, of_change: bool) -> bool:
    def lacks(change: Change) -> bool:
        if of_change:
            return change.figures(metric) is None
        part = change.after
        return part is not None and (part.estimate is None or part.estimate.get(metric) is None)

    return any(map(lacks, one.changes))
