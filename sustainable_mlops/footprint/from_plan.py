"""The footprint of a plan: each resource before and after, the change, and what nobody knows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sustainable_mlops.footprint import endpoints, jobs, stores, studio
from sustainable_mlops.footprint.coverage import why_uncovered
from sustainable_mlops.footprint.figures import (
    METRICS,
    NOTHING,
    UNITS,
    Estimate,
    Figure,
    Unknown,
    add,
    difference,
    texts,
    total,
)
from sustainable_mlops.footprint.parts import Part, Reader, Side, known, unknown
from sustainable_mlops.footprint.things import Job
from sustainable_mlops.footprint.usage import Usage
from sustainable_mlops.plan import Plan, Resource

#: Every type that is estimated, and what reads it.
READERS: dict[str, Reader] = {
    "aws_sagemaker_endpoint": endpoints.of_endpoint,
    "aws_sagemaker_endpoint_configuration": endpoints.of_configuration,
    "aws_sagemaker_pipeline": jobs.of_pipeline,
    "aws_sagemaker_training_job": jobs.of_training_job,
    "aws_sagemaker_hyper_parameter_tuning_job": jobs.of_tuning_job,
    "aws_sagemaker_data_quality_job_definition": jobs.of_monitoring,
    "aws_sagemaker_monitoring_schedule": jobs.of_schedule,
    "aws_sagemaker_algorithm": jobs.of_algorithm,
    "aws_sagemaker_notebook_instance": studio.of_notebook,
    "aws_sagemaker_app": studio.of_app,
    "aws_sagemaker_domain": studio.of_domain,
    "aws_sagemaker_space": studio.of_space,
    "aws_s3_bucket": stores.of_bucket,
    "aws_s3_bucket_replication_configuration": stores.of_replication,
    "aws_sagemaker_feature_group": stores.of_feature_group,
}

_NOTHING = NOTHING.figures


@dataclass(frozen=True, slots=True)
class Change:
    """One part before and after; None where it is not there."""

    name: str
    before: Part | None
    after: Part | None

    def figures(self, metric: str) -> tuple[Figure, Figure] | None:
        """The figure before and after; None where either side's is unknown, as then nobody knows the change."""
        before = _NOTHING[metric] if self.before is None else _figure(self.before, metric)
        after = _NOTHING[metric] if self.after is None else _figure(self.after, metric)
        return None if before is None or after is None else (before, after)

    @property
    def unknowns(self) -> tuple[Unknown, ...]:
        """What cannot be known of it, on either side."""
        found: list[Unknown] = []
        for part in (self.before, self.after):
            if part is not None:
                found += [part.unknown] if part.unknown else []
                found += [*part.left_out, *(part.estimate.unknowns if part.estimate else ())]
        return tuple(dict.fromkeys(found))


def _figure(part: Part, metric: str) -> Figure | None:
    return part.estimate.get(metric) if part.estimate is not None else None


class _Compared:
    """Sums over changes. They hold, figure by figure, what is known on both sides, so that after - before = delta."""

    changes: Sequence[Change]

    @cached_property
    def _pairs(self) -> dict[str, list[tuple[Figure, Figure]]]:
        """Before and after by metric; without the metrics of which nothing is known, as their sum is unknown, not 0."""
        if not self.changes:
            return {metric: [] for metric in METRICS}
        found = {metric: [pair for one in self.changes if (pair := one.figures(metric))] for metric in METRICS}
        return {metric: pairs for metric, pairs in found.items() if pairs}

    @cached_property
    def before(self) -> Estimate:
        """What it uses before the plan, as far as that is comparable."""
        return self._side([part for one in self.changes if (part := one.before)], 0)

    @cached_property
    def after(self) -> Estimate:
        """What it uses after the plan, as far as that is comparable."""
        return self._side([part for one in self.changes if (part := one.after)], 1)

    def _side(self, parts: list[Part], side: int) -> Estimate:
        estimates = [part.estimate for part in parts if part.estimate is not None]
        figures = {metric: add([pair[side] for pair in pairs], UNITS[metric]) for metric, pairs in self._pairs.items()}
        return Estimate(figures, *texts(estimates))

    @cached_property
    def delta(self) -> Estimate:
        """After - before."""
        figures = {
            metric: add([difference(*pair) for pair in pairs], UNITS[metric]) for metric, pairs in self._pairs.items()
        }
        return Estimate(figures, tuple(dict.fromkeys(unknown for one in self.changes for unknown in one.unknowns)))


@dataclass(frozen=True)
class ResourceFootprint(_Compared):
    """A resource of the plan and its parts."""

    address: str
    type: str
    action: str
    changes: tuple[Change, ...]

    @property
    def unknowns(self) -> tuple[Unknown, ...]:
        """What cannot be known of it."""
        return tuple(dict.fromkeys(unknown for change in self.changes for unknown in change.unknowns))

    def to_dict(self) -> dict[str, Any]:
        """Exact, for JSON."""
        return {
            "address": self.address,
            "type": self.type,
            "action": self.action,
            "before": self.before.to_dict(),
            "after": self.after.to_dict(),
            "delta": self.delta.to_dict(),
            "parts": [_part_dict(change) for change in self.changes],
            "unknown": [unknown.to_dict() for unknown in self.unknowns],
        }


def _part_dict(change: Change) -> dict[str, Any]:
    part = change.after or change.before
    count = part.count if part else None
    per_thousand = part.per_thousand_requests if part and part.estimate else None
    return {
        "name": change.name,
        "kind": part.kind if part else "",
        "count": None if count is None else {"min": count.low, "expected": count.central, "max": count.high},
        "per_1000_requests": per_thousand.to_dict() if per_thousand else None,
    }


@dataclass(frozen=True)
class PlanFootprint(_Compared):
    """All resources of a plan that use something, in the plan's order. What no sum holds is in `unknowns`."""

    resources: tuple[ResourceFootprint, ...]

    @cached_property
    def changes(self) -> tuple[Change, ...]:  # type: ignore[override]
        """Those of all resources."""
        return tuple(change for resource in self.resources for change in resource.changes)

    @cached_property
    def running(self) -> Estimate:
        """Everything that is known after the plan, comparable or not: what a budget is held against."""
        parts = [change.after for change in self.changes if change.after is not None]
        return total(part.estimate for part in parts if part.estimate is not None)

    @property
    def unknowns(self) -> list[tuple[str, Unknown]]:
        """What is counted nowhere: the address, what and why."""
        return [(resource.address, unknown) for resource in self.resources for unknown in resource.unknowns]

    def to_dict(self) -> dict[str, Any]:
        """Exact, for JSON."""
        return {
            "period": "month of 730 h",
            "before": self.before.to_dict(),
            "after": self.after.to_dict(),
            "delta": self.delta.to_dict(),
            "running": self.running.to_dict(),
            "resources": [resource.to_dict() for resource in self.resources],
            "unknown": [{"address": address, **unknown.to_dict()} for address, unknown in self.unknowns],
        }


def of_plan(plan: Plan, usage: Usage | None = None, base: Plan | None = None) -> PlanFootprint:
    """The footprint of `plan`.

    Before is what the plan itself says was there; with `base`, a plan of the state that the change is compared with,
    it is what that plan leads to. Raises nothing for what a plan may hold: what cannot be used is unknown.
    """
    used = usage or Usage()
    after = Side(plan, used, before=False, other=base)
    before = Side(plan, used, before=True) if base is None else Side(base, used, before=False, other=plan)
    found = [_of_resource(resource, before, after, base) for resource in plan.resources if _counts(resource)]
    if base is not None:
        found += [
            _of_resource(resource, before, after, base)
            for resource in base.resources
            if _counts(resource) and plan.resource(resource.address) is None
        ]
    return PlanFootprint(tuple(resource for resource in found if resource.changes))


def of_job(job: Job, name: str = "job") -> PlanFootprint:
    """The footprint of one job that is about to run, for instance to ask for its `alternatives`."""
    return PlanFootprint((ResourceFootprint(name, "job", "create", (Change(name, None, known(name, "job", job)),)),))


def _counts(resource: Resource) -> bool:
    return resource.type in READERS or why_uncovered(resource.type) is not None


def _of_resource(resource: Resource, before: Side, after: Side, base: Plan | None) -> ResourceFootprint:
    old: Resource | None = resource
    new: Resource | None = resource
    if base is not None:
        old, new = base.resource(resource.address), after.plan.resource(resource.address)
    parts = _parts(old, before)
    # What Terraform forgets keeps running.
    changes = _match(parts, parts if resource.action == "forget" else _parts(new, after))
    return ResourceFootprint(resource.address, resource.type, resource.action, tuple(changes))


def _parts(resource: Resource | None, side: Side) -> list[Part]:
    if resource is None or not side.exists(resource):
        return []
    reader = READERS.get(resource.type)
    if reader is None:
        why = why_uncovered(resource.type)
        return [] if why is None else [unknown(resource.type, "other", why)]
    return reader(resource, side)


def _match(before: list[Part], after: list[Part]) -> Iterator[Change]:
    """Parts of the same name are the same part; a lone part is the same whatever its name."""
    if len(before) == len(after) == 1:
        yield Change(after[0].name, before[0], after[0])
        return
    old = {part.name: part for part in before}
    for part in after:
        yield Change(part.name, old.pop(part.name, None), part)
    for name, part in old.items():
        yield Change(name, part, None)
