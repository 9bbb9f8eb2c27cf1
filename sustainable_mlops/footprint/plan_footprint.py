"""The footprint of a plan: each resource before and after, the change, and what nobody knows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from sustainable_mlops.footprint.activities import Job
from sustainable_mlops.footprint.coverage import uncovered
from sustainable_mlops.footprint.figures import (
    METRICS,
    NOTHING,
    UNITS,
    Estimate,
    Figure,
    Lack,
    Unknown,
    add,
    texts,
    total,
)
from sustainable_mlops.footprint.model import change
from sustainable_mlops.footprint.resource_parts import Part, known
from sustainable_mlops.footprint.services import (
    autoscaling_groups,
    batch,
    ec2,
    eks,
    emr,
    endpoints,
    external_scaling,
    external_triggers,
    hyperpod,
    jobs,
    stores,
    studio,
)
from sustainable_mlops.footprint.services.plan_side import Reader, Side
from sustainable_mlops.footprint.usage import Usage
from sustainable_mlops.plan import UNKNOWN, Plan, Resource
from sustainable_mlops.plan.pairs import match_resources, pair_results

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
    "aws_sagemaker_cluster": hyperpod.of_cluster,
    "aws_dynamodb_table": stores.of_table,
    "aws_ebs_volume": ec2.of_volume,
    "aws_instance": ec2.of_instance,
    "aws_spot_instance_request": ec2.of_spot_request,
    "aws_ec2_capacity_reservation": ec2.of_reservation,
    "aws_ec2_capacity_block_reservation": ec2.of_capacity_block,
    "aws_ec2_host": ec2.of_host,
    "aws_autoscaling_group": autoscaling_groups.of_group,
    "aws_ec2_fleet": autoscaling_groups.of_fleet,
    "aws_spot_fleet_request": autoscaling_groups.of_spot_fleet,
    "aws_eks_node_group": eks.of_node_group,
    "aws_batch_compute_environment": batch.of_environment,
    "aws_emr_cluster": emr.of_cluster,
    "aws_emr_instance_group": emr.of_group,
    "aws_emr_instance_fleet": emr.of_fleet,
    "aws_sfn_state_machine": external_triggers.of_state_machine,
    "aws_scheduler_schedule": external_triggers.of_schedule,
    "aws_cloudwatch_event_target": external_triggers.of_rule_target,
    "aws_appautoscaling_target": external_scaling.of_scalable_target,
    "aws_appautoscaling_scheduled_action": external_scaling.of_scalable_target,
    "aws_autoscaling_schedule": external_scaling.of_group_schedule,
    "aws_emr_managed_scaling_policy": external_scaling.of_managed_scaling,
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
    def partial(self) -> frozenset[str]:
        """The figures of which a side leaves out what may be much."""
        sides = (part for part in (self.before, self.after) if part is not None)
        return frozenset(metric for part in sides for metric in part.partial)

    @property
    def partial_delta(self) -> frozenset[str]:
        """Those of which the change may be much more than it says; what stays as it is does not change."""
        found = self.partial
        return found if found and self.before != self.after else frozenset()

    @property
    def delta(self) -> Mapping[str, Figure]:
        """After - before, by metric; without those that nobody knows."""
        before, after = self.before, self.after
        if before is None:
            return {} if after is None or after.estimate is None else after.estimate.figures
        if before.estimate is None or before.activity is None:
            return {}
        if after is None:
            return before.estimate.times(-1).figures
        return (
            change(before.activity, after.activity) if after.estimate is not None and after.activity is not None else {}
        )

    @property
    def unknowns(self) -> tuple[Unknown, ...]:
        """What cannot be known of it, on either side."""
        sides = (part for part in (self.before, self.after) if part is not None)
        return tuple(dict.fromkeys(unknown for part in sides for unknown in part.unknowns))


def _in_part(part: Part) -> Estimate:
    """Its estimate, which says what it leaves out."""
    found = part.estimate or Estimate()
    return replace(found, partial=part.partial) if part.partial else found


def _figure(part: Part, metric: str) -> Figure | None:
    return part.estimate.get(metric) if part.estimate is not None else None


class _Compared:
    """Sums over changes. They hold, figure by figure, what is known on both sides, so that after - before = delta.

    A figure of which nothing is known on both sides is on either side the sum of what is known there.
    """

    changes: Sequence[Change]

    @cached_property
    def _pairs(self) -> dict[str, list[tuple[Figure, Figure]]]:
        """Before and after of what is known on both sides, by metric."""
        return {metric: [pair for one in self.changes if (pair := one.figures(metric))] for metric in METRICS}

    @cached_property
    def _partial(self) -> tuple[str, ...]:
        return self._lacking(frozenset().union(*(one.partial for one in self.changes)))

    def _lacking(self, partial: frozenset[str]) -> tuple[str, ...]:
        """The figures that not all changes have, and those of `partial`."""
        return tuple(
            metric for metric, pairs in self._pairs.items() if len(pairs) < len(self.changes) or metric in partial
        )

    @cached_property
    def before(self) -> Estimate:
        """What it uses before the plan, as far as that is comparable."""
        return self._side([part for one in self.changes if (part := one.before)], 0)

    @cached_property
    def after(self) -> Estimate:
        """What it uses after the plan, as far as that is comparable. First is assumed what its apply uses once."""
        parts = [part for one in self.changes if (part := one.after)]
        found = self._side(parts, 1)
        once = (part.once for part in parts if part.once)
        return replace(found, assumptions=(*once, *found.assumptions))

    def _side(self, parts: list[Part], side: int) -> Estimate:
        figures = {}
        for metric, pairs in self._pairs.items():
            known = [pair[side] for pair in pairs]
            if self.changes and not pairs:
                known = [figure for part in parts if (figure := _figure(part, metric)) is not None]
            if known or not self.changes:
                figures[metric] = add(known, UNITS[metric])
        estimates = [part.estimate for part in parts if part.estimate is not None]
        return Estimate(figures, *texts(estimates), partial=tuple(one for one in self._partial if one in figures))

    @cached_property
    def delta(self) -> Estimate:
        """After - before."""
        found = [one.delta for one in self.changes]
        known = {metric: [figures[metric] for figures in found if metric in figures] for metric in METRICS}
        figures = {metric: add(parts, UNITS[metric]) for metric, parts in known.items() if parts or not self.changes}
        unknowns = tuple(dict.fromkeys(unknown for one in self.changes for unknown in one.unknowns))
        partial = self._lacking(frozenset().union(*(one.partial_delta for one in self.changes)))
        return Estimate(figures, unknowns, partial=tuple(one for one in partial if one in figures))


@dataclass(frozen=True)
class ResourceFootprint(_Compared):
    """A resource of the plan and its parts."""

    address: str
    type: str
    action: str
    changes: tuple[Change, ...]
    #: Whether the plan does more to it than to give it other tags.
    touched: bool = True

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


@dataclass(frozen=True, slots=True)
class Uncounted:
    """A machine or store that is there after the plan and that nobody counted."""

    address: str
    type: str
    #: Which part of the resource, and why.
    unknown: Unknown
    #: Whether the plan makes or changes it; what it leaves alone is for the record.
    changed: bool


def _part_dict(change: Change) -> dict[str, Any]:
    part = change.after or change.before
    count = part.count if part else None
    per_thousand = part.per_thousand_requests if part and part.estimate else None
    per_run = part.per_run if part else None
    delta = change.delta
    return {
        "name": change.name,
        "kind": part.kind if part else "",
        "count": None if count is None else {"min": count.low, "expected": count.central, "max": count.high},
        "before": _estimate_dict(change.before),
        "after": _estimate_dict(change.after),
        "delta": {metric: delta[metric].to_dict() if metric in delta else None for metric in METRICS},
        "per_1000_requests": per_thousand.to_dict() if per_thousand else None,
        "per_run": per_run.to_dict() if per_run else None,
    }


def _estimate_dict(part: Part | None) -> dict[str, Any] | None:
    """None where there is no such part; figures that nobody knows are None each."""
    if part is None:
        return None
    found = _in_part(part) if part.estimate else Estimate(unknowns=(part.unknown,) if part.unknown else ())
    return found.to_dict()


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
        return total(_in_part(one.after) for one in self.changes if one.after is not None)

    @property
    def unknowns(self) -> list[tuple[str, Unknown]]:
        """What is counted nowhere: the address, what and why."""
        return [(resource.address, unknown) for resource in self.resources for unknown in resource.unknowns]

    @cached_property
    def uncounted(self) -> tuple[Uncounted, ...]:
        """What runs machines or is a store after the plan, and of which nobody counted anything, or not what it costs.

        Not among them: what only the usage file tells (`Lack.USE`), details of what is counted, types that use nothing,
        and what the plan deletes. Where there is none that the plan changes, the figures hold all that it runs.
        """
        return tuple(
            Uncounted(resource.address, resource.type, unknown, resource.touched or one.before != one.after)
            for resource in self.resources
            for one in resource.changes
            if one.after is not None
            for unknown in dict.fromkeys(one.after.unknowns)
            if unknown.lack is Lack.UNCOUNTED
        )

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
    pairs = match_resources(plan, base) if base is not None else [(one, one) for one in plan.resources]
    moved = {old.address: new.address for old, new in pairs if old and new and old.address != new.address}
    after = Side(plan, used, before=False, other=base)
    before = Side(plan, used, before=True) if base is None else Side(base, used, before=False, other=plan, moved=moved)
    found = (_of_resource(old, new, before, after) for old, new in pairs if _counts(old, new))
    return PlanFootprint(tuple(resource for resource in found if resource.changes))


def of_job(job: Job, name: str = "job") -> PlanFootprint:
    """The footprint of one job that is about to run, for instance to ask for its `alternatives`."""
    return PlanFootprint((ResourceFootprint(name, "job", "create", (Change(name, None, known(name, "job", job)),)),))


def _counts(old: Resource | None, new: Resource | None) -> bool:
    resource = new or old
    return resource is not None and (resource.type in READERS or uncovered(resource.type) is not None)


def _of_resource(old: Resource | None, new: Resource | None, before: Side, after: Side) -> ResourceFootprint:
    resource = new or old
    assert resource is not None
    action = resource.action if old is new else pair_results(old, new).action
    parts, come = _parts(old, before), _parts(new, after)
    if parts and "forget" in resource.actions:
        # What Terraform forgets keeps running, by itself or beside what takes its place.
        changes = [*_match(parts, parts), *_match([], come)]
    else:
        changes = _match(parts, come)
    touched = action != "no-op" and (action != "update" or _more_than_tags(old, new))
    return ResourceFootprint(resource.address, resource.type, action, tuple(changes), touched)


def _more_than_tags(old: Resource | None, new: Resource | None) -> bool:
    """Whether anything but the tags of a resource is other in `new`, or may be."""
    if old is None or new is None:
        return True
    before, after = (old.old if old is new else old.new).values, new.new.values
    if before is UNKNOWN or after is UNKNOWN:
        return True
    return any(before.get(name) != after.get(name) for name in {*before, *after} - {"tags", "tags_all"})


def _parts(resource: Resource | None, side: Side) -> list[Part]:
    if resource is None or not side.exists(resource):
        return []
    reader = READERS.get(resource.type)
    if reader is None:
        why = uncovered(resource.type)
        return [] if why is None else [Part(resource.type, "other", unknown=why)]
    return reader(resource, side)


def _match(before: list[Part], after: list[Part]) -> list[Change]:
    """Parts of the same name are the same part; a lone part is the same whatever its name.

    Where nobody can tell the parts of one side, nobody knows whether a part of the other side is new or gone.
    """
    if len(before) == len(after) == 1:
        return [Change(after[0].name, before[0], after[0])]
    old, new = _named(before), _named(after)
    untold_before = next((part for part in before if part.whole), None)
    untold_after = next((part for part in after if part.whole), None)
    changes = [
        Change(name, old.pop(name, untold_before), part)
        for name, part in new.items()
        if part is not untold_after or name in old or not before
    ]
    return changes + [
        Change(name, part, untold_after) for name, part in old.items() if part is not untold_before or not after
    ]


def _named(parts: list[Part]) -> dict[str, Part]:
    """By name; those of one name are numbered."""
    found: dict[str, Part] = {}
    for part in parts:
        same = sum(1 for name, other in found.items() if other.name == part.name)
        found[f"{part.name} ({same + 1})" if same else part.name] = part
    return found
