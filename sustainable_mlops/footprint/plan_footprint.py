"""Footprint of a plan: each resource before and after, the change, and the unknown items."""

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cached_property
from types import MappingProxyType
from typing import Any, NamedTuple

from sustainable_mlops.footprint.activities import FleetActivity, JobActivity
from sustainable_mlops.footprint.coverage import find_uncovered, is_billed_by_usage
from sustainable_mlops.footprint.figures import (
    METRICS,
    UNITS,
    ZERO_ESTIMATE,
    FootprintEstimate,
    FootprintFigure,
    UnknownItem,
    UnknownKind,
    collect_texts,
    sum_estimates,
    sum_figures,
)
from sustainable_mlops.footprint.model import estimate_change, find_highest_cost
from sustainable_mlops.footprint.resource_parts import ResourcePart, make_part
from sustainable_mlops.footprint.services import fixed_prices
from sustainable_mlops.footprint.services.plan_side import PlanSide
from sustainable_mlops.footprint.services.readers import READERS, find_reader
from sustainable_mlops.footprint.sizes import (
    Size,
    describe_size,
    is_cost_neutral,
    is_size_attribute,
    may_grow,
    read_size,
)
from sustainable_mlops.footprint.usage import ResourceUsage
from sustainable_mlops.plan import UNKNOWN, Plan, Resource
from sustainable_mlops.plan.resource_pairs import match_resources, pair_results

#: Actions that create or change a resource.
_CHANGING = frozenset({"create", "replace", "update"})
_ZERO_FIGURES = ZERO_ESTIMATE.figures


class PartChange(NamedTuple):
    """One part before and after the plan; None if it does not exist on that side."""

    name: str
    before: ResourcePart | None
    after: ResourcePart | None

    def get_figures(self, metric: str) -> tuple[FootprintFigure, FootprintFigure] | None:
        """Return the figure before and after; None if either is unknown, because then the change is unknown."""
        before = _ZERO_FIGURES[metric] if self.before is None else _get_figure(self.before, metric)
        after = _ZERO_FIGURES[metric] if self.after is None else _get_figure(self.after, metric)
        return None if before is None or after is None else (before, after)

    def has_metric(self, metric: str) -> bool:
        """Return False for the carbon of a service with a known price only: sums do not contain it."""
        sides = [part for part in (self.before, self.after) if part is not None]
        return metric == "cost" or not all(part.estimate is not None and part.estimate.is_cost_only for part in sides)

    @property
    def is_changed(self) -> bool:
        """True if both sides differ."""
        before, after = self.before, self.after
        return before is not after and (before is None or after is None or not before.is_same(after))

    @property
    def fallback_cost(self) -> float:
        """Added cost in USD if each instance pool uses its most expensive type; 0 without a pool."""
        delta = self.delta.get("cost")
        costs = [_find_highest_cost(part) for part in (self.before, self.after)]
        if delta is None or costs[0] is None or costs[1] is None:
            return 0.0
        return max(costs[1] - costs[0] - delta.central, 0.0)

    @property
    def is_reduction(self) -> bool:
        """True if the part becomes smaller or not much larger, by its size or its instance type."""
        sizes = [_find_size(part) for part in (self.before, self.after)]
        return all(sizes) and not may_grow(*sizes)

    @property
    def partial(self) -> frozenset[str]:
        """The metrics for which either side leaves out something without a known bound."""
        sides = (part for part in (self.before, self.after) if part is not None)
        return frozenset(metric for part in sides for metric in part.partial)

    @property
    def partial_delta(self) -> frozenset[str]:
        """The metrics whose change may be much larger than its figure; empty if both sides are equal."""
        partial = self.partial
        return partial if partial and self.is_changed else frozenset()

    @property
    def delta(self) -> Mapping[str, FootprintFigure]:
        """After - before, by metric, without unknown metrics."""
        before, after = self.before, self.after
        if before is None:
            return {} if after is None or after.estimate is None else after.estimate.figures
        if before.estimate is None or before.activity is None:
            return {}
        if after is None:
            return before.estimate.multiply(-1).figures
        return (
            estimate_change(before.activity, after.activity)
            if after.estimate is not None and after.activity is not None
            else {}
        )

    @property
    def unknowns(self) -> tuple[UnknownItem, ...]:
        """The unknown items of both sides."""
        sides = (part for part in (self.before, self.after) if part is not None)
        return tuple(dict.fromkeys(unknown for part in sides for unknown in part.unknowns))


def _mark_partial(part: ResourcePart) -> FootprintEstimate:
    """Return the estimate of the part with its partial metrics."""
    estimate = part.estimate or FootprintEstimate()
    return estimate._replace(partial=part.partial) if part.partial else estimate


def _find_highest_cost(part: ResourcePart | None) -> float | None:
    """Return the cost on the most expensive instance type; 0 without a part, None if the cost is unknown."""
    if part is None:
        return 0.0
    return find_highest_cost(part.activity) if part.estimate is not None and part.activity is not None else None


def _find_size(part: ResourcePart | None) -> Size:
    if part is None or part.size or not isinstance(part.activity, FleetActivity | JobActivity):
        return part.size if part is not None else ()
    return (("instance_type", part.activity.instance_type),)


def _get_figure(part: ResourcePart, metric: str) -> FootprintFigure | None:
    return part.estimate.get(metric) if part.estimate is not None else None


class _ChangeSums:
    """Sums over changes; each figure covers the parts that are known on both sides, so that after - before = delta.

    If no part of a figure is known on both sides, each side is the sum of its known parts. There is no figure without a
    known part. There is no figure for the change if only unknown parts change.
    """

    changes: Sequence[PartChange]

    def list_changes(self, metric: str) -> list[PartChange]:
        """Return the changes that may have a figure of `metric`."""
        return self._changes_by_metric[metric]

    @cached_property
    def _changes_by_metric(self) -> dict[str, list[PartChange]]:
        with_carbon = [one for one in self.changes if one.has_metric("total")]
        return {metric: list(self.changes) if metric == "cost" else with_carbon for metric in METRICS}

    @cached_property
    def _pairs(self) -> dict[str, list[tuple[FootprintFigure, FootprintFigure]]]:
        """The figures before and after of the parts that are known on both sides, by metric."""
        return {
            metric: [pair for one in changes if (pair := one.get_figures(metric))]
            for metric, changes in self._changes_by_metric.items()
        }

    @cached_property
    def _partial(self) -> tuple[str, ...]:
        return self._find_partial_metrics(frozenset().union(*(one.partial for one in self.changes)))

    def _find_partial_metrics(self, partial: frozenset[str]) -> tuple[str, ...]:
        """Return the metrics that some change lacks, and those of `partial`."""
        return tuple(
            metric
            for metric, pairs in self._pairs.items()
            if len(pairs) < len(self.list_changes(metric)) or metric in partial
        )

    @cached_property
    def before(self) -> FootprintEstimate:
        """The estimate before the plan, as far as it is comparable."""
        return self._sum_side([part for one in self.changes if (part := one.before)], 0)

    @cached_property
    def after(self) -> FootprintEstimate:
        """The estimate after the plan, as far as it is comparable; its assumptions begin with one-time usage."""
        parts = [part for one in self.changes if (part := one.after)]
        estimate = self._sum_side(parts, 1)
        apply_notes = (part.apply_note for part in parts if part.apply_note)
        return estimate._replace(assumptions=(*apply_notes, *estimate.assumptions))

    def _sum_side(self, parts: list[ResourcePart], side: int) -> FootprintEstimate:
        figures = {}
        for metric, pairs in self._pairs.items():
            known = [pair[side] for pair in pairs]
            if not pairs:
                known = [figure for part in parts if (figure := _get_figure(part, metric)) is not None]
            if known:
                figures[metric] = sum_figures(known, UNITS[metric])
        estimates = [part.estimate for part in parts if part.estimate is not None]
        return FootprintEstimate(
            figures, *collect_texts(estimates), partial=tuple(one for one in self._partial if one in figures)
        )

    def has_figure(self, metric: str) -> bool:
        """Return whether any part has a figure of `metric`."""
        parts = (part for one in self.changes for part in (one.before, one.after) if part is not None)
        return any(_get_figure(part, metric) is not None for part in parts)

    def find_delta(self, metric: str) -> FootprintFigure | None:
        """Return the difference after - before of one metric."""
        known = [(one, delta[metric]) for one, delta in self._deltas if metric in delta]
        may_change = any(one.is_changed for one in self.list_changes(metric))
        if known and (not may_change or any(one.is_changed for one, _ in known)):
            return sum_figures([figure for _, figure in known], UNITS[metric])
        return None

    @cached_property
    def _deltas(self) -> list[tuple[PartChange, Mapping[str, FootprintFigure]]]:
        return [(one, one.delta) for one in self.changes]

    @cached_property
    def delta(self) -> FootprintEstimate:
        """The difference after - before."""
        figures = {metric: figure for metric in METRICS if (figure := self.find_delta(metric)) is not None}
        unknowns = tuple(dict.fromkeys(unknown for one in self.changes for unknown in one.unknowns))
        partial = self._find_partial_metrics(frozenset().union(*(one.partial_delta for one in self.changes)))
        return FootprintEstimate(figures, unknowns, partial=tuple(one for one in partial if one in figures))


class _ResourceFields(NamedTuple):
    address: str
    type: str
    action: str
    changes: tuple[PartChange, ...]
    #: True if the plan changes more than its tags.
    is_changed: bool = True
    #: True if only the attributes that determine the size can change the cost.
    is_only_resized: bool = False


class ResourceFootprint(_ResourceFields, _ChangeSums):  # type: ignore[misc]
    """A resource of the plan and its parts."""

    @property
    def unknowns(self) -> tuple[UnknownItem, ...]:
        """The unknown items of the resource."""
        return tuple(dict.fromkeys(unknown for change in self.changes for unknown in change.unknowns))

    def may_cost_more(self, change: PartChange) -> bool:
        """Return whether the plan adds or changes a part, unless only its size changes and does not grow much."""
        before, after = change.before, change.after
        if self.is_only_resized and before is not None and after is not None and before.size and after.size:
            has_price = before.activity is not None or after.activity is not None
            if not has_price or before.size == after.size:
                is_other = not before._replace(size=()).is_same(after._replace(size=()))
                return is_other or may_grow(before.size, after.size)
            return may_grow(before.size, after.size)
        return self.is_changed or change.is_changed

    def has_unknown_delta(self, metric: str) -> bool:
        """Return whether the change of a metric is unknown, or may be much larger than its figure."""
        return any(
            change.is_changed
            or (self.may_cost_more(change) and any(one.kind is UnknownKind.UNCOUNTED for one in change.unknowns))
            for change in self.changes
            if change.has_metric(metric) and (change.get_figures(metric) is None or metric in change.partial)
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the exact values for JSON."""
        return {
            "address": self.address,
            "type": self.type,
            "action": self.action,
            "before": self.before.to_dict(),
            "after": self.after.to_dict(),
            "delta": self.delta.to_dict(),
            "parts": [_convert_part(change) for change in self.changes],
            "unknown": [unknown.to_dict() for unknown in self.unknowns],
        }


class UncountedResource(NamedTuple):
    """An instance or store that exists after the plan and is in no figure."""

    address: str
    type: str
    #: Part of the resource, and the reason.
    unknown: UnknownItem
    #: True if the plan creates or changes it. Unchanged resources are listed for information.
    is_changed: bool
    #: The size or the change of the size, such as `db.t4g.micro → db.r6i.32xlarge`; empty if it is unknown.
    size: str = ""


def _convert_part(change: PartChange) -> dict[str, Any]:
    part = change.after or change.before
    count = part.count if part else None
    per_thousand = part.per_thousand_requests if part and part.estimate else None
    per_run = part.per_run if part else None
    delta = change.delta
    return {
        "name": change.name,
        "kind": part.kind if part else "",
        "count": None if count is None else {"min": count.low, "expected": count.central, "max": count.high},
        "before": _estimate_to_dict(change.before),
        "after": _estimate_to_dict(change.after),
        "delta": {metric: delta[metric].to_dict() if metric in delta else None for metric in METRICS},
        "per_1000_requests": per_thousand.to_dict() if per_thousand else None,
        "per_run": per_run.to_dict() if per_run else None,
    }


def _estimate_to_dict(part: ResourcePart | None) -> dict[str, Any] | None:
    """Return the estimate for JSON; None if there is no such part. Unknown figures are None."""
    if part is None:
        return None
    estimate = (
        _mark_partial(part) if part.estimate else FootprintEstimate(unknowns=(part.unknown,) if part.unknown else ())
    )
    return estimate.to_dict()


class PlanFootprint(_ChangeSums):
    """All resources of a plan that have a footprint, in the order of the plan; `unknowns` has what no sum contains."""

    def __init__(
        self, resources: tuple[ResourceFootprint, ...], billed_by_usage: Mapping[str, int] = MappingProxyType({})
    ) -> None:
        """Set the resources, and the number of created or changed resources billed by usage only, by type."""
        self.resources, self.billed_by_usage = resources, billed_by_usage

    @cached_property
    def changes(self) -> tuple[PartChange, ...]:  # type: ignore[override]
        """The changes of all resources."""
        return tuple(change for resource in self.resources for change in resource.changes)

    @cached_property
    def fallback_cost(self) -> float:
        """The cost in USD that the most expensive types of all instance pools add to the change."""
        return sum(change.fallback_cost for change in self.changes if change.is_changed)

    @cached_property
    def total_after(self) -> FootprintEstimate:
        """The sum of all known figures after the plan, comparable or not; budgets are compared with it."""
        estimate = sum_estimates(_mark_partial(one.after) for one in self.changes if one.after is not None)
        figures = {metric: figure for metric, figure in estimate.figures.items() if self.list_changes(metric)}
        return estimate._replace(figures=figures)

    @property
    def unknowns(self) -> list[tuple[str, UnknownItem]]:
        """The address and the unknown item of everything that is not counted."""
        return [(resource.address, unknown) for resource in self.resources for unknown in resource.unknowns]

    @cached_property
    def uncounted(self) -> tuple[UncountedResource, ...]:
        """Instances and stores after the plan that no figure counts, or whose cost is unknown.

        Items that only the usage file can give (`UnknownKind.USAGE`), details of counted resources, types without a
        footprint and deleted resources are not included. If none of them is changed by the plan, the figures cover
        everything that it runs.
        """
        return tuple(
            UncountedResource(
                resource.address,
                resource.type,
                unknown,
                resource.may_cost_more(one),
                describe_size(one.before.size if one.before is not None else None, one.after.size),
            )
            for resource in self.resources
            for one in resource.changes
            if one.after is not None
            for unknown in dict.fromkeys(one.after.unknowns)
            if unknown.kind is UnknownKind.UNCOUNTED
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the exact values for JSON."""
        return {
            "period": "month of 730 h",
            "before": self.before.to_dict(),
            "after": self.after.to_dict(),
            "delta": self.delta.to_dict(),
            "running": self.total_after.to_dict(),
            "resources": [resource.to_dict() for resource in self.resources],
            "unknown": [{"address": address, **unknown.to_dict()} for address, unknown in self.unknowns],
        }


def estimate_plan(plan: Plan, usage: ResourceUsage | None = None, base: Plan | None = None) -> PlanFootprint:
    """Return the footprint of `plan`.

    The state before the plan is its own prior state. With `base`, a plan of the target branch for example, it is the
    state that `base` leads to. Attributes that cannot be used are unknown; the function raises no errors for them.
    """
    resource_usage = usage or ResourceUsage()
    pairs = match_resources(plan, base) if base is not None else [(one, one) for one in plan.resources]
    moved = {old.address: new.address for old, new in pairs if old and new and old.address != new.address}
    after = PlanSide(plan, resource_usage, before=False, other=base)
    before = (
        PlanSide(plan, resource_usage, before=True)
        if base is None
        else PlanSide(base, resource_usage, before=False, other=plan, moved=moved)
    )
    footprints = (_make_resource_footprint(old, new, before, after) for old, new in pairs if _has_footprint(old, new))
    billed_by_usage = Counter(
        new.type for _, new in pairs if new is not None and new.action in _CHANGING and is_billed_by_usage(new.type)
    )
    return PlanFootprint(tuple(resource for resource in footprints if resource.changes), billed_by_usage)


def estimate_job_footprint(job: JobActivity, name: str = "job") -> PlanFootprint:
    """Return the footprint of one planned job, for example to find its alternatives."""
    return PlanFootprint(
        (ResourceFootprint(name, "job", "create", (PartChange(name, None, make_part(name, "job", job)),)),)
    )


def _has_footprint(old: Resource | None, new: Resource | None) -> bool:
    resource = new or old
    return resource is not None and (
        resource.type in READERS
        or fixed_prices.has_fixed_price(resource.type)
        or find_uncovered(resource.type) is not None
    )


def _make_resource_footprint(
    old: Resource | None, new: Resource | None, before: PlanSide, after: PlanSide
) -> ResourceFootprint:
    resource = new or old
    assert resource is not None
    action = resource.action if old is new else pair_results(old, new).action
    old_parts, new_parts = _read_parts(old, before), _read_parts(new, after)
    if old_parts and "forget" in resource.actions:
        # A resource that Terraform forgets keeps running, also beside its replacement.
        changes = [*_pair_parts(old_parts, old_parts), *_pair_parts([], new_parts)]
    else:
        changes = _pair_parts(old_parts, new_parts)
    is_update = action in ("update", "replace")
    changed_names = _list_changed_attributes(old, new) if is_update else None
    if resource.type not in READERS and changed_names and all(map(is_cost_neutral, changed_names)):
        changed_names = []
    is_changed = action != "no-op" and (action != "update" or changed_names is None or bool(changed_names))
    is_only_resized = is_update and (resource.type not in READERS or all(map(is_size_attribute, changed_names or [""])))
    return ResourceFootprint(resource.address, resource.type, action, tuple(changes), is_changed, is_only_resized)


def _list_changed_attributes(old: Resource | None, new: Resource | None) -> list[str] | None:
    """Return the attributes that differ, or may differ, without tags; None if the whole resource may differ."""
    if old is None or new is None:
        return None
    before, after = (old.old if old is new else old.new).values, new.new.values
    if before is UNKNOWN or after is UNKNOWN:
        return None
    return [name for name in {*before, *after} - {"tags", "tags_all"} if before.get(name) != after.get(name)]


def _read_parts(resource: Resource | None, side: PlanSide) -> list[ResourcePart]:
    if resource is None or not side.exists(resource):
        return []
    if (reader := find_reader(resource.type)) is not None:
        return [_add_size(part, resource, side) for part in reader(resource, side)]
    size = read_size(resource, side)
    parts = [part._replace(size=size) for part in fixed_prices.read_fixed_prices(resource, side)]
    if (unknown := find_uncovered(resource.type)) is not None:
        parts.append(_add_size(ResourcePart(resource.type, "other", unknown=unknown), resource, side))
    return parts


def _add_size(part: ResourcePart, resource: Resource, side: PlanSide) -> ResourcePart:
    """Return the part with the size of its resource if the part has no estimate."""
    if part.unknown is None or part.activity is not None or part.unknown.kind is UnknownKind.USAGE:
        return part
    return part._replace(size=read_size(resource, side))


def _pair_parts(before: list[ResourcePart], after: list[ResourcePart]) -> list[PartChange]:
    """Return the changes of the parts; parts of one name are the same part, and so are two single parts.

    If the parts of one side are unknown, it is also unknown whether a part of the other side is added or removed.
    """
    if len(before) == len(after) == 1:
        return [PartChange(after[0].name, before[0], after[0])]
    old, new = _number_names(before), _number_names(after)
    unknown_before = next((part for part in before if part.is_whole_resource), None)
    unknown_after = next((part for part in after if part.is_whole_resource), None)
    changes = [
        PartChange(name, old.pop(name, unknown_before), part)
        for name, part in new.items()
        if part is not unknown_after or name in old or not before
    ]
    return changes + [
        PartChange(name, part, unknown_after) for name, part in old.items() if part is not unknown_before or not after
    ]


def _number_names(parts: list[ResourcePart]) -> dict[str, ResourcePart]:
    """Return the parts by name; parts of the same name are numbered."""
    by_name: dict[str, ResourcePart] = {}
    for part in parts:
        same = sum(1 for name, other in by_name.items() if other.name == part.name)
        by_name[f"{part.name} ({same + 1})" if same else part.name] = part
    return by_name
