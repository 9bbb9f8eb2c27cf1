"""The limit for the monthly cost that a change adds."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.lazy_pattern import LazyPattern
from sustainable_mlops.footprint.figures import format_amount, format_compared
from sustainable_mlops.footprint.plan_footprint import PartChange, PlanFootprint
from sustainable_mlops.review.budgets import LIMITS, Budget, PlanUnderReview, is_covered, join_plan_names, read_tags


class CostLimit(NamedTuple):
    """A limit for the monthly cost that a change adds. An increase above both `usd` and `percent` exceeds it."""

    usd: float
    percent: float
    #: True if the limit excludes resources whose cost a budget limits.
    excludes_budgeted: bool = False

    def __str__(self) -> str:
        values = ((self.usd, "USD"), (self.percent, "%"))
        return " and ".join(f"{format_amount(value)} {unit}" for value, unit in values if value)


_FALLBACK = "if each instance pool uses its most expensive type"
_UNKNOWN_BEFORE = "because the cost before the change is unknown"
#: The limit without `--limit`.
DEFAULT_COST_LIMIT = CostLimit(100, 20, excludes_budgeted=True)
_LIMIT_PART = LazyPattern(r"\s*(?:\$\s*)?(\d+(?:\.\d+)?)\s*(|usd|\$|%)\s*", re.IGNORECASE)


def parse_cost_limit(text: str) -> CostLimit | None:
    """Return the limit in `500`, `500USD`, `10%` or `500USD,10%`; None for `0`, which turns the limit off."""
    parts = [_LIMIT_PART.fullmatch(part) for part in text.split(",")]
    values = {"%" if part[2] == "%" else "USD": float(part[1]) for part in parts if part}
    if len(values) != len(parts):
        raise UserError(f"--limit: must be like 500, 500USD, 10% or 500USD,10%, or 0 for no limit, not {text!r}")
    return CostLimit(values.get("USD", 0), values.get("%", 0)) if any(values.values()) else None


class CostIncrease(NamedTuple):
    """The cost that a change adds, compared with a limit."""

    limit: CostLimit
    usd: float  # a month
    before: float | None  # the cost before, in USD a month; None if it is unknown
    plans: tuple[str, ...] = ()  # the plans that are added up, if there are several
    #: The reason why it is an upper bound; empty for the expected increase.
    bound: str = ""

    @property
    def percent(self) -> float | None:
        """The increase relative to the cost before; None if that is zero or unknown."""
        return self.usd / self.before * 100 if self.before else None

    @property
    def is_over(self) -> bool:
        """True if the limit is exceeded. An increase from zero or from an unknown cost exceeds any percentage."""
        percent = self.percent
        return self.usd > self.limit.usd and (percent is None or percent > self.limit.percent)

    @property
    def summary(self) -> str:
        """A short text with the increase and the limit."""
        if not self.is_over:
            return f"within the limit of {self.limit} a month"
        percent = ""
        if self.percent is not None and _UNKNOWN_BEFORE not in self.bound:
            percent = f" (+{format_compared(self.percent, self.limit.percent)} %)"
        prefix = f"{join_plan_names(self.plans)}: " if self.plans else ""
        usd = format_compared(self.usd, self.limit.usd)
        start, end = ("up to ", f" {self.bound}") if self.bound else ("", "")
        return f"{prefix}{start}+{usd} USD{percent} a month{end}, over the limit of {self.limit}"


def measure_cost_increases(
    limit: CostLimit | None, budgets: Sequence[Budget], plans: Sequence[PlanUnderReview]
) -> list[CostIncrease | None]:
    """Compare the cost that each plan adds with the limit.

    If the sum over several plans exceeds it, so does each plan that adds to the sum. A plan has no result without a
    limit, or if budgets limit the cost of all its resources.
    """
    if limit is None:
        return [None] * len(plans)
    if limit.excludes_budgeted:
        budgets = [budget for budget in budgets if any(LIMITS[name][0] == "cost" for name in budget.limits)]
    else:
        budgets = []
    footprints = [_select_unlimited(budgets, plan) for plan in plans]
    increases = [_measure_cost_increase(limit, [footprint]) for footprint in footprints]
    if len(plans) > 1:
        total = _measure_cost_increase(limit, footprints, tuple(plan.name for plan in plans))
        increases = [
            total if total.is_over and increase.usd > 0 and not increase.is_over else increase for increase in increases
        ]
    return [
        increase if footprint.resources or not plan.footprint.resources else None
        for increase, footprint, plan in zip(increases, footprints, plans, strict=True)
    ]


def _select_unlimited(budgets: Sequence[Budget], plan: PlanUnderReview) -> PlanFootprint:
    """Return the footprint of the resources that none of the budgets covers."""
    if not budgets:
        return plan.footprint
    tags = read_tags(plan)
    return PlanFootprint(
        tuple(
            resource
            for resource in plan.footprint.resources
            if not any(is_covered(budget, tags.get(resource.address, {})) for budget in budgets)
        )
    )


def _measure_cost_increase(
    limit: CostLimit, footprints: Sequence[PlanFootprint], plans: tuple[str, ...] = ()
) -> CostIncrease:
    """Return the expected increase, or an upper bound if only that exceeds the limit.

    The bound uses the most expensive type of each instance pool. A part that grows from an unknown cost counts with
    its whole cost.
    """
    figures = [(footprint.delta.get("cost"), footprint.before.get("cost")) for footprint in footprints]
    usd = sum(delta.central for delta, _ in figures if delta is not None)
    before = sum(figure.central for _, figure in figures if figure is not None) or None
    changes = [change for footprint in footprints for change in footprint.changes if change.is_changed]
    bounds = {
        _FALLBACK: sum(footprint.fallback_cost for footprint in footprints),
        _UNKNOWN_BEFORE: sum(map(_find_cost_without_before, changes)),
    }
    expected = CostIncrease(limit, usd, before, plans)
    if expected.is_over or not any(bounds.values()):
        return expected
    reasons = " and ".join(reason for reason, value in bounds.items() if value)
    return CostIncrease(limit, usd + sum(bounds.values()), before, plans, reasons)


def _find_cost_without_before(change: PartChange) -> float:
    """Return the new cost of a part whose old cost is unknown; 0 for other parts and for a reduction."""
    after = change.after.estimate.get("cost") if change.after is not None and change.after.estimate else None
    if after is None or change.get_figures("cost") is not None or change.is_reduction:
        return 0.0
    return after.central
