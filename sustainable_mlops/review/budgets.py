"""Budgets of carbon and cost, for all resources or for resources with certain tags.

budgets:
  - name: flight delay, production      # name in reports
    workload: flight_delay              # only resources with these tags; without both, all resources
    environment: prod
    kg_per_month: 50                    # kgCO2e, operational (location-based) and embodied
    usd_per_month: 400
    kg_increase: 5                      # maximum increase by one change
    usd_increase: 40
    hold: expected                      # or high: compare the upper bound of the interval with the limits

If several plans are reviewed together, a limit applies to the sum over all of them. It stops only plans that add to it.
"""

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from math import isfinite
from pathlib import Path
from typing import Any, NamedTuple

from sustainable_mlops.base.errors import UserError
from sustainable_mlops.footprint.figures import FootprintFigure
from sustainable_mlops.footprint.plan_footprint import PlanFootprint, ResourceFootprint
from sustainable_mlops.plan import UNKNOWN, Sensitive
from sustainable_mlops.review import input_files
from sustainable_mlops.review.comparison import Comparison
from sustainable_mlops.review.coverage_gaps import CoverageGap, GapKind
from sustainable_mlops.review.risk import Level

#: Each limit: its metric, whether it limits the increase, and its description.
LIMITS = {
    "kg_per_month": ("total", False, "carbon a month"),
    "usd_per_month": ("cost", False, "cost a month"),
    "kg_increase": ("total", True, "carbon added a month"),
    "usd_increase": ("cost", True, "cost added a month"),
}
_TAGS = ("workload", "environment")


class BudgetStatus(StrEnum):
    """The state of a budget."""

    WITHIN = "within"
    OVER = "over"  # and the plan adds to it
    OVER_BEFORE = "over_before"  # no plan adds to it
    OVER_ELSEWHERE = "over_elsewhere"  # only other plans add to it
    UNKNOWN = "unknown"  # the known part is within, but some resources have no estimate or a partial one
    NOTHING = "nothing"  # the budget covers no resource of the plan


_LEVELS = {
    BudgetStatus.OVER: Level.STOP,
    BudgetStatus.OVER_BEFORE: Level.LOOK,
    BudgetStatus.UNKNOWN: Level.LOOK,
    BudgetStatus.OVER_ELSEWHERE: Level.NOTE,
    BudgetStatus.NOTHING: Level.NOTE,
}


class Budget(NamedTuple):
    """Limits for the resources with certain tags."""

    name: str
    tags: Mapping[str, str]
    limits: Mapping[str, float]
    uses_high_end: bool = False


class BudgetResult(NamedTuple):
    """The result of one limit of a budget."""

    budget: str
    limit: str
    allowed: float
    status: BudgetStatus
    figure: FootprintFigure | None
    uses_high_end: bool
    unknown: tuple[str, ...] = ()  # addresses of resources without an estimate, or with a partial one
    plans: tuple[str, ...] = ()  # the plans that are added up, if there are several
    is_complete: bool = True  # False if -target or similar left changes out, which the budget may cover
    added_by: tuple[str, ...] = ()  # the plans that add to an exceeded limit

    @property
    def level(self) -> Level | None:
        """Effect of the result on the verdict; None within the limit."""
        return _LEVELS.get(self.status)

    @property
    def description(self) -> str:
        """The limited quantity, with the plans that are added up."""
        text = LIMITS[self.limit][2]
        return f"{text}, {join_plan_names(self.plans)}" if self.plans else text

    @property
    def unit(self) -> str:
        """The unit of the limit."""
        return "kgCO2e" if self.limit.startswith("kg") else "USD"

    @property
    def value(self) -> float | None:
        """The value that is compared with the limit."""
        return None if self.figure is None else self.figure.high if self.uses_high_end else self.figure.central


def read_budgets(path: Path) -> list[Budget]:
    """Return the budgets in a file. Raises UserError with the location of an invalid entry."""
    return [_parse_budget(entry, location) for entry, location in input_files.read_entries(path, "budgets")]


def _parse_budget(entry: dict[str, Any], location: str) -> Budget:
    input_files.check_keys(entry, {"name", "hold", *_TAGS, *LIMITS}, location)
    tags = {tag: value for tag in _TAGS if (value := input_files.get_text(entry, tag, location)) is not None}
    name = input_files.get_text(entry, "name", location) or ", ".join(tags.values()) or "everything"
    limits = {key: _parse_limit(entry[key], f"{location}.{key}") for key in LIMITS if key in entry}
    if not limits:
        raise UserError(f"{location}: sets no limit; set at least one of {', '.join(LIMITS)}")
    hold = entry.get("hold", "expected")
    if hold not in ("expected", "high"):
        raise UserError(f"{location}.hold: must be expected or high, not {hold!r}")
    return Budget(name, tags, limits, hold == "high")


def _parse_limit(value: Any, location: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value) or value < 0:
        raise UserError(f"{location}: must be a number of at least 0, not {value!r}")
    return float(value)


class PlanUnderReview(NamedTuple):
    """One of the plans that are reviewed together."""

    name: str
    footprint: PlanFootprint
    comparison: Comparison
    coverage_gaps: tuple[CoverageGap, ...]

    @property
    def unreviewed_addresses(self) -> list[str]:
        """The addresses of changed resources that no check reads; their usage is unknown."""
        changed = (gap for gap in self.coverage_gaps if gap.level is Level.LOOK)
        return [gap.address for gap in changed if gap.kind is GapKind.NOT_REVIEWED]


class _BudgetShare(NamedTuple):
    """The resources of one plan that a budget covers, and the addresses of those it may cover."""

    plan: str
    resources: tuple[ResourceFootprint, ...]
    undetermined: tuple[str, ...]


def evaluate_budgets(budgets: Sequence[Budget], plans: Sequence[PlanUnderReview]) -> list[list[BudgetResult]]:
    """Compare each limit with the sum over all plans, and return the results of each plan.

    A plan gets no result for a budget that covers resources of other plans only.
    """
    results_by_plan: list[list[BudgetResult]] = [[] for _ in plans]
    tags = [read_tags(plan) for plan in plans] if budgets else []
    are_complete = all(plan.comparison.plan.is_complete for plan in plans)
    for budget in budgets:
        shares = [_select_share(budget, plan, plan_tags) for plan, plan_tags in zip(plans, tags, strict=True)]
        concerned_flags = [bool(share.resources or share.undetermined) for share in shares]
        results = list(
            _evaluate_budget(
                budget,
                [share for share, is_concerned in zip(shares, concerned_flags, strict=True) if is_concerned],
                are_complete,
            )
        )
        for plan_results, share, is_concerned in zip(results_by_plan, shares, concerned_flags, strict=True):
            if is_concerned or not any(concerned_flags):
                plan_results += [_attribute_excess(result, share.plan) for result in results]
    return results_by_plan


def _attribute_excess(result: BudgetResult, plan: str) -> BudgetResult:
    """Return the result for one plan: only a plan that adds to an exceeded limit is over it."""
    if result.status is not BudgetStatus.OVER or plan in result.added_by:
        return result
    return result._replace(status=BudgetStatus.OVER_ELSEWHERE if result.added_by else BudgetStatus.OVER_BEFORE)


def read_tags(plan: PlanUnderReview) -> dict[str, Any]:
    """Return the tags of each resource by its address."""
    # A deposed object has the address of its replacement. The tags of the replacement count.
    pairs = sorted(plan.comparison.pairs, key=lambda pair: pair.resource.deposed is None)
    return {pair.address: pair.resource.read_tags(before=not pair.resource.exists()) for pair in pairs}


def _select_share(budget: Budget, plan: PlanUnderReview, tags: Mapping[str, Any]) -> _BudgetShare:
    matches = [(resource, is_covered(budget, tags.get(resource.address, {}))) for resource in plan.footprint.resources]
    undetermined = tuple(resource.address for resource, is_match in matches if is_match is None)
    undetermined += tuple(
        address for address in plan.unreviewed_addresses if is_covered(budget, tags.get(address, UNKNOWN)) is not False
    )
    return _BudgetShare(plan.name, tuple(resource for resource, is_match in matches if is_match is True), undetermined)


def _evaluate_budget(budget: Budget, shares: Sequence[_BudgetShare], are_complete: bool) -> Iterator[BudgetResult]:
    footprint = PlanFootprint(tuple(resource for share in shares for resource in share.resources))
    plans = tuple(share.plan for share in shares) if len(shares) > 1 else ()
    for limit, allowed in budget.limits.items():
        metric, is_increase, _ = LIMITS[limit]
        figure = (footprint.delta if is_increase else footprint.total_after).get(metric)
        unknown = dict.fromkeys(
            f"{share.plan}: {address}" if plans else address
            for share in shares
            for address in (
                *share.undetermined,
                *(resource.address for resource in share.resources if _is_incomplete(resource, metric, is_increase)),
            )
        )
        status = BudgetStatus.WITHIN
        if not shares or (not unknown and not footprint.list_changes(metric)):
            status = BudgetStatus.NOTHING
        elif figure is not None and (figure.high if budget.uses_high_end else figure.central) > allowed:
            status = BudgetStatus.OVER
        elif unknown or figure is None or not are_complete:
            status = BudgetStatus.UNKNOWN
        added_by = (share.plan for share in shares if status is BudgetStatus.OVER and _adds_to(share, budget, metric))
        yield BudgetResult(
            budget.name,
            limit,
            allowed,
            status,
            figure,
            budget.uses_high_end,
            tuple(unknown),
            plans,
            are_complete,
            tuple(added_by),
        )


def _adds_to(share: _BudgetShare, budget: Budget, metric: str) -> bool:
    """Return whether a plan adds to a metric, or may add to it."""
    if share.undetermined or any(resource.has_unknown_delta(metric) for resource in share.resources):
        return True
    delta = PlanFootprint(share.resources).delta.get(metric)
    return delta is not None and (delta.high if budget.uses_high_end else delta.central) > 0


def join_plan_names(plans: Sequence[str]) -> str:
    """Return `dev, test and prod together`."""
    return f"{', '.join(plans[:-1])} and {plans[-1]} together"


def is_covered(budget: Budget, tags: Any) -> bool | None:
    """Return whether a budget covers a resource with `tags`; None if the tags are unknown.

    Upper and lower case of tag keys is ignored.
    """
    if not budget.tags:
        return True
    if tags is UNKNOWN:
        return None
    lowered = {str(key).lower(): UNKNOWN if isinstance(value, Sensitive) else value for key, value in tags.items()}
    values = [(lowered.get(key), expected) for key, expected in budget.tags.items()]
    if any(value is not UNKNOWN and value != expected for value, expected in values):
        return False
    return None if any(value is UNKNOWN for value, _ in values) else True


def _is_incomplete(resource: ResourceFootprint, metric: str, is_increase: bool) -> bool:
    if is_increase:
        return resource.has_unknown_delta(metric)
    changes = [change for change in resource.changes if change.has_metric(metric)]
    parts = [change.after for change in changes if change.after is not None]
    return any(part.estimate is None or part.estimate.get(metric) is None or metric in part.partial for part in parts)
