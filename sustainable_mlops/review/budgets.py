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

Of several plans that are reviewed together, a limit holds the sum of what falls under it in all of them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import isfinite
from pathlib import Path
from typing import Any, NamedTuple

from sustainable_mlops.errors import UserError
from sustainable_mlops.footprint.figures import Figure
from sustainable_mlops.footprint.plan_footprint import Change, PlanFootprint, ResourceFootprint
from sustainable_mlops.plan import UNKNOWN, Sensitive
from sustainable_mlops.review import files
from sustainable_mlops.review.comparison import Comparison
from sustainable_mlops.review.risk import Level
from sustainable_mlops.review.coverage_gaps import Unseen, Why

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
    UNKNOWN = "unknown"  # what is counted is within, but not all is counted, or not in full
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
    unknown: tuple[str, ...] = ()  # addresses of what is not counted, or not in full
    plans: tuple[str, ...] = ()  # those that it sums up, where they are several
    whole: bool = True  # whether the plans are: what -target leaves out may fall under it

    @property
    def what(self) -> str:
        """What is limited, and in which plans together."""
        what = LIMITS[self.limit][2]
        return f"{what}, {_together(self.plans)}" if self.plans else what

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


class Planned(NamedTuple):
    """One of the plans that are reviewed together."""

    name: str
    footprint: PlanFootprint
    comparison: Comparison
    unseen: tuple[Unseen, ...]

    @property
    def unread(self) -> list[str]:
        """The addresses of what the plan changes and nothing here reads: it may use anything."""
        changed = (one for one in self.unseen if one.level is Level.LOOK)
        return [one.address for one in changed if one.why is Why.NOT_REVIEWED]


class _Share(NamedTuple):
    """What of one plan falls under a budget, and the addresses of what may."""

    plan: str
    resources: tuple[ResourceFootprint, ...]
    untold: tuple[str, ...]


def hold(budgets: Sequence[Budget], plans: Sequence[Planned]) -> list[list[BudgetResult]]:
    """Every limit of `budgets` held against the sum of what falls under it in all `plans`; for each plan its results.

    A plan has no result of a budget that only other plans have something of: its limit holds there.
    """
    found: list[list[BudgetResult]] = [[] for _ in plans]
    tags = [_tags(plan) for plan in plans] if budgets else []
    whole = all(plan.comparison.plan.whole for plan in plans)
    for budget in budgets:
        shares = [_share(budget, plan, of_plan) for plan, of_plan in zip(plans, tags, strict=True)]
        concerned = [bool(share.resources or share.untold) for share in shares]
        results = list(_held(budget, [share for share, its in zip(shares, concerned, strict=True) if its], whole))
        for mine, its in zip(found, concerned, strict=True):
            mine += results if its or not any(concerned) else []
    return found


def _tags(plan: Planned) -> dict[str, Any]:
    # An object that a replacement left stands at the address of the one that took its place, whose tags count.
    pairs = sorted(plan.comparison.pairs, key=lambda pair: pair.resource.deposed is None)
    return {pair.address: pair.resource.tags(before=not pair.resource.exists()) for pair in pairs}


def _share(budget: Budget, plan: Planned, tags: Mapping[str, Any]) -> _Share:
    answers = [(one, _under(budget, tags.get(one.address, {}))) for one in plan.footprint.resources]
    untold = tuple(one.address for one, under in answers if under is None)
    untold += tuple(one for one in plan.unread if _under(budget, tags.get(one, UNKNOWN)) is not False)
    return _Share(plan.name, tuple(one for one, under in answers if under is True), untold)


def _held(budget: Budget, shares: Sequence[_Share], whole: bool) -> Iterator[BudgetResult]:
    found = PlanFootprint(tuple(one for share in shares for one in share.resources))
    plans = tuple(share.plan for share in shares) if len(shares) > 1 else ()
    for limit, allowed in budget.limits.items():
        metric, of_change, _ = LIMITS[limit]
        figure = (found.delta if of_change else found.running).get(metric)
        unknown = dict.fromkeys(
            f"{share.plan}: {address}" if plans else address
            for share in shares
            for address in (*share.untold, *(one.address for one in share.resources if _lacks(one, metric, of_change)))
        )
        held = Held.WITHIN
        if not shares:
            held = Held.NOTHING
        elif figure is not None and (figure.high if budget.high else figure.central) > allowed:
            held = Held.OVER
        elif unknown or figure is None or not whole:
            held = Held.UNKNOWN
        yield BudgetResult(budget.name, limit, allowed, held, figure, budget.high, tuple(unknown), plans, whole)


def _together(plans: Sequence[str]) -> str:
    return f"{', '.join(plans[:-1])} and {plans[-1]} together"


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
            return change.figures(metric) is None or metric in change.partial_delta
        part = change.after
        if part is None:
            return False
        return part.estimate is None or part.estimate.get(metric) is None or metric in part.partial

    return any(map(lacks, one.changes))
