"""Scaling of a variant: its initial capacity, its limits, its policies and its schedule.

Rules and the footprint both use this module, so that they agree on what scales. Application Auto Scaling brings a
capacity within the limits when the target is registered (API reference, RegisterScalableTarget). After that only
policies and scheduled actions change it. A policy changes it only if its metric has data ("How target tracking scaling
works": it does nothing on insufficient data).
"""

from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import chain, islice
from typing import NamedTuple

from sustainable_mlops.plan import metrics
from sustainable_mlops.plan.joins import (
    SCALABLE_TARGET,
    SCALING_POLICY,
    SCHEDULED_ACTION,
    Joins,
    Matches,
    Variant,
    add_article,
)
from sustainable_mlops.plan.resources import Resource
from sustainable_mlops.plan.timetable import CapacityAction, Span, compute_spans
from sustainable_mlops.plan.values import UNKNOWN, Block, Unknown, combine_all, combine_any, negate

INSTANCES = "sagemaker:variant:DesiredInstanceCount"
CONCURRENCY = "sagemaker:variant:DesiredProvisionedConcurrency"

_TRACKING = "target_tracking_scaling_policy_configuration"
_STEPS = "step_scaling_policy_configuration"
#: Maximum number of names in a message.
_MAX_NAMES = 3


class PolicyEffect(NamedTuple):
    """The effect that a scaling policy can have on a capacity."""

    can_add: bool | Unknown
    can_remove: bool | Unknown
    #: True if it adds capacity at zero, and only there.
    can_start: bool | Unknown = False
    #: The reason why it never has an effect, else empty.
    no_effect_reason: str = ""

    @property
    def has_effect(self) -> bool | Unknown:
        """True if the policy ever has an effect."""
        return combine_any([self.can_add, self.can_remove, self.can_start])


class Scaling(NamedTuple):
    """The possible capacity of a variant (instances, or provisioned workers), and what changes it."""

    #: Shares of the time with the same limits. UNKNOWN if one of the limits is.
    spans: tuple[Span, ...] | Unknown
    #: True if a policy ever adds capacity, or removes it.
    can_add: bool | Unknown = False
    can_remove: bool | Unknown = False
    #: Reasons why other limits may apply, which the plan does not tell.
    unknown_reasons: tuple[str, ...] = ()
    #: Reasons why policies never have an effect.
    no_effect_reasons: tuple[str, ...] = ()
    #: The scalable target. None if none is certain.
    target: Resource | None = None
    #: True if SageMaker itself changes the number of instances, for inference components.
    is_managed: bool = False

    def find_minimum(self, span: Span) -> float:
        """Return the minimum capacity in `span`."""
        return span.fixed if self.can_remove is False else span.minimum

    def find_maximum(self, span: Span) -> float:
        """Return the maximum capacity in `span`."""
        return span.fixed if self.can_add is False else span.maximum

    @property
    def has_range(self) -> bool:
        """True if the limits leave room for a policy."""
        return self.spans is not UNKNOWN and any(span.minimum < span.maximum for span in self.spans)

    @property
    def minimum(self) -> float | Unknown:
        """Minimum capacity at any time."""
        if self.spans is UNKNOWN or self.unknown_reasons:
            return UNKNOWN
        if self.can_remove is UNKNOWN and any(span.minimum < span.fixed for span in self.spans):
            return UNKNOWN
        return min(map(self.find_minimum, self.spans))

    @property
    def is_variable(self) -> bool | Unknown:
        """True if the capacity ever changes."""
        if self.spans is UNKNOWN:
            return True if self.is_managed else UNKNOWN
        up = any(span.fixed < span.maximum for span in self.spans)
        down = any(span.minimum < span.fixed for span in self.spans)
        steps = len({span.fixed for span in self.spans}) > 1
        changes = combine_any([steps, combine_all([self.can_add, up]), combine_all([self.can_remove, down])])
        return UNKNOWN if changes is False and self.unknown_reasons else changes

    @property
    def scales_to_zero(self) -> bool | Unknown:
        """True if a policy reduces the capacity to zero while there is no load."""
        if self.spans is UNKNOWN or self.unknown_reasons:
            return UNKNOWN
        return combine_all([any(span.minimum == 0 for span in self.spans), self.can_remove])

    @property
    def has_scheduled_reduction(self) -> bool | Unknown:
        """True if a schedule reduces the capacity at some times."""
        if self.spans is UNKNOWN:
            return UNKNOWN
        fewer = (
            len({self.find_minimum(span) for span in self.spans}) > 1
            or len({self.find_maximum(span) for span in self.spans}) > 1
        )
        return True if fewer else UNKNOWN if self.unknown_reasons else False


@lru_cache(maxsize=4096)
def find_instance_scaling(endpoint: Resource, variant: Variant, joins: Joins) -> Scaling:
    """Return the scaling of the instances of a variant of `endpoint`."""
    count = variant.block.number("initial_instance_count")
    scaling = _find_scaling(endpoint, variant, joins, INSTANCES, 1 if count is None else count)
    return scaling if scaling.target is not None else _apply_managed_scaling(variant.block, scaling)


def find_unattached_scaling(variant: Variant) -> Scaling:
    """Return the scaling of a variant whose endpoint is not in the plan, so that nothing scales it."""
    count = variant.block.number("initial_instance_count")
    return _apply_managed_scaling(variant.block, build_fixed_scaling(1 if count is None else count))


@lru_cache(maxsize=4096)
def find_concurrency_scaling(endpoint: Resource, variant: Variant, joins: Joins) -> Scaling:
    """Return the scaling of the provisioned workers of a serverless variant of `endpoint`."""
    return _find_scaling(
        endpoint,
        variant,
        joins,
        CONCURRENCY,
        count_provisioned_workers(variant, joins.find_configuration(endpoint), joins),
    )


def count_provisioned_workers(variant: Variant, configuration: object, joins: Joins) -> float | Unknown:
    """Return the initial number of provisioned workers of a serverless variant.

    The provider also computes the attribute. If the configuration does not set it, it stays unset although it is
    unknown.
    """
    path = "serverless_config.0.provisioned_concurrency"
    count = variant.block.number(path)
    if count is UNKNOWN and isinstance(configuration, Resource) and variant.block.get(path) is UNKNOWN:
        is_set = joins.is_configured(configuration, f"{variant.block.path}.{path}")
        return 0 if is_set is False else UNKNOWN
    return 0 if count is None else count


def _find_scaling(
    endpoint: Resource, variant: Variant, joins: Joins, dimension: str, start: float | Unknown
) -> Scaling:
    targets = find_variant_targets(endpoint, variant, joins, dimension)
    if not targets.certain:
        names = ", ".join(target.address for target in targets.possible)
        return build_fixed_scaling(start)._replace(
            unknown_reasons=(f"it is not known until apply whether {names} scales it",) if names else (),
        )
    scaling = _find_target_scaling(targets.certain[0], variant.kind, start, joins)
    if len(targets.certain) == 1:
        return scaling
    names = " and ".join(target.address for target in targets.certain[:_MAX_NAMES])
    return scaling._replace(
        unknown_reasons=(*scaling.unknown_reasons, f"it is not known which of {names} is registered last")
    )


def build_fixed_scaling(start: float | Unknown) -> Scaling:
    """Return the scaling of a capacity that nothing changes."""
    return Scaling(UNKNOWN if start is UNKNOWN or start < 0 else (Span(1.0, start, start, start),))


def _apply_managed_scaling(block: Block, otherwise: Scaling) -> Scaling:
    """Return the scaling with SageMaker's managed instance scaling, if the variant has it."""
    managed = block.block("managed_instance_scaling")
    status = managed.text("status") if isinstance(managed, Block) else managed
    if status is UNKNOWN:
        reason = "it is not known until apply whether SageMaker manages its instances"
        return otherwise._replace(unknown_reasons=(*otherwise.unknown_reasons, reason))
    if not isinstance(managed, Block) or status != "ENABLED":
        return otherwise
    minimum, maximum = managed.number("min_instance_count"), managed.number("max_instance_count")
    minimum = 0 if minimum is None else minimum
    limits = _validate_limits(minimum, maximum)
    managed_spans = UNKNOWN if limits is None else (Span(1.0, *limits, limits[0]),)
    return otherwise._replace(spans=managed_spans, can_add=True, can_remove=True, is_managed=True)


def _validate_limits(minimum: float | Unknown | None, maximum: float | Unknown | None) -> tuple[float, float] | None:
    """Return both limits if they are known and valid."""
    if not isinstance(minimum, int | float) or not isinstance(maximum, int | float) or not 0 <= minimum <= maximum:
        return None
    return minimum, maximum


def find_variant_targets(endpoint: Resource, variant: Variant, joins: Joins, dimension: str = INSTANCES) -> Matches:
    """Return the scalable targets of a variant, by dimension, and a few of the possible ones."""
    variants = joins.list_variants(joins.find_configuration(endpoint))
    alone = variants is not UNKNOWN and len(variants) == 1

    def is_for_variant(target: Resource) -> bool | Unknown:
        """Return whether the target names the variant. The only variant always matches, even with a generated name."""
        name = joins.find_scaled_variant(target).variant
        if isinstance(name, str) and isinstance(variant.name, str):
            return name == variant.name
        return True if alone else UNKNOWN

    def has_dimension(target: Resource) -> bool | Unknown:
        actual = target.get_values(before=joins.before).text("scalable_dimension")
        return UNKNOWN if actual is UNKNOWN or actual is None else actual == dimension

    candidates = joins.find_scalable_targets(endpoint)
    matches = [(target, combine_all([is_for_variant(target), has_dimension(target)])) for target in candidates.certain]
    if certain := tuple(target for target, is_match in matches if is_match is True):
        return Matches(certain)
    possible = [target for target, is_match in matches if is_match is UNKNOWN]
    other_targets = (target for target in candidates.possible if has_dimension(target) is not False)
    return Matches((), tuple(islice((*possible, *islice(other_targets, _MAX_NAMES)), _MAX_NAMES)))


def find_variant_kind(target: Resource, joins: Joins) -> str | Unknown:
    """Return the kind of the variant that a scalable target scales."""
    endpoint, name = joins.find_scaled_variant(target)
    variants = joins.list_variants(joins.find_configuration(endpoint)) if isinstance(endpoint, Resource) else UNKNOWN
    if variants is UNKNOWN:
        return UNKNOWN
    kinds = {variant.kind for variant in variants if name is UNKNOWN or variant.name is UNKNOWN or variant.name == name}
    return kinds.pop() if len(kinds) == 1 else UNKNOWN


def find_policies(target: Resource, joins: Joins) -> Matches:
    """Return the scaling policies of a scalable target, and a few of the possible ones."""
    return _add_possible(target, joins.find_scaling_policies(target), SCALING_POLICY, joins)


def find_actions(target: Resource, joins: Joins) -> Matches:
    """Return the scheduled actions of a scalable target, and a few of the possible ones."""
    return _add_possible(target, joins.find_scheduled_actions(target), SCHEDULED_ACTION, joins)


def _add_possible(target: Resource, matches: Matches, kind: str, joins: Joins) -> Matches:
    """Return certain matches and a few possible ones: resources that name the same target as far as known."""
    possible = (
        resource
        for resource in _list_unattached(joins, kind)
        if resource not in matches.possible[:_MAX_NAMES] and _may_name(resource, target, joins)
    )
    return Matches(matches.certain, tuple(islice(chain(matches.possible[:_MAX_NAMES], possible), _MAX_NAMES)))


@lru_cache(maxsize=8)
def _list_unattached(joins: Joins, kind: str) -> list[Resource]:
    """Return the policies, or scheduled actions, that certainly belong to no target of the plan."""
    find_matches: Callable[[Resource], Matches] = (
        joins.find_scaling_policies if kind == SCALING_POLICY else joins.find_scheduled_actions
    )
    attached_ids = {
        id(resource) for target in joins.list_existing(SCALABLE_TARGET) for resource in find_matches(target).certain
    }
    return [resource for resource in joins.list_existing(kind) if id(resource) not in attached_ids]


def _may_name(resource: Resource, target: Resource, joins: Joins) -> bool:
    own_values, target_values = resource.get_values(before=joins.before), target.get_values(before=joins.before)
    pairs = [(own_values.text(name), target_values.text(name)) for name in ("resource_id", "scalable_dimension")]
    return all(a is not b if UNKNOWN in (a, b) else a == b for a, b in pairs)


def _find_target_scaling(target: Resource, kind: str | Unknown, start: float | Unknown, joins: Joins) -> Scaling:
    values = target.get_values(before=joins.before)
    policies = find_policies(target, joins)
    moves = [find_policy_effect(policy, kind, joins) for policy in policies.certain]
    moves += [PolicyEffect(UNKNOWN, UNKNOWN)] if policies.possible else []
    can_add = combine_all(
        [combine_any(move.can_add for move in moves), negate(_is_suspended(target, "dynamic_scaling_out", joins))]
    )
    can_remove = combine_all(
        [combine_any(move.can_remove for move in moves), negate(_is_suspended(target, "dynamic_scaling_in", joins))]
    )
    no_effect_reasons = tuple(move.no_effect_reason for move in moves if move.no_effect_reason)
    limits = _validate_limits(values.number("min_capacity"), values.number("max_capacity"))
    if limits is not None and start is UNKNOWN and can_add is True and can_remove is True:
        start = limits[0]  # the initial capacity does not matter, because policies change it
    if limits is None or start is UNKNOWN:
        return Scaling(UNKNOWN, can_add, can_remove, (), no_effect_reasons, target)
    unknowns: tuple[str, ...] = ()
    try:
        target_spans = compute_spans(start, *limits, tuple(_list_actions(target, joins)))
    except ValueError as error:
        target_spans, unknowns = compute_spans(start, *limits, ()), (f"its scheduled actions are not counted: {error}",)
    if any(span.minimum == 0 for span in target_spans):
        zero_starts = combine_any([can_remove, any(span.fixed == 0 for span in target_spans)])
        is_started = combine_all(
            [combine_any(move.can_start for move in moves), negate(_is_suspended(target, "dynamic_scaling_out", joins))]
        )
        can_add = combine_any([can_add, combine_all([zero_starts, is_started])])
    return Scaling(target_spans, can_add, can_remove, unknowns, no_effect_reasons, target)


def _is_suspended(target: Resource, part: str, joins: Joins) -> bool | Unknown:
    """Return whether scaling is suspended.

    The provider computes the state if it is not set: then nothing is suspended.
    """
    suspended = target.get_values(before=joins.before).flag(f"suspended_state.0.{part}_suspended")
    unset = suspended is UNKNOWN and joins.is_configured(target, "suspended_state") is False
    return False if suspended is None or unset else suspended


def _list_actions(target: Resource, joins: Joins) -> Iterator[CapacityAction]:
    """Yield the scheduled actions of a target. Raises ValueError with the unknown part."""
    suspended = _is_suspended(target, "scheduled_scaling", joins)
    if suspended is True:
        return
    matches = find_actions(target, joins)
    if matches.possible:
        raise ValueError(f"it is not known until apply whether {matches.possible[0].address} belongs to this target")
    for resource in matches.certain:
        action = resource.get_values(before=joins.before)
        schedule, zone, end = action.text("schedule"), action.text("timezone"), action.text("end_time")
        limits = [action.number(f"scalable_target_action.0.{bound}_capacity") for bound in ("min", "max")]
        if suspended is UNKNOWN or not isinstance(schedule, str) or UNKNOWN in (zone, end, *limits):
            raise ValueError(f"the effect of {resource.address} is not known until apply")
        if end is not None:
            raise ValueError(f"{resource.address} ends at {end}")
        minimum, maximum = (number if isinstance(number, int | float) else None for number in limits)
        yield CapacityAction(schedule, minimum, maximum, zone if isinstance(zone, str) and zone else "UTC")


def find_policy_effect(policy: Resource, kind: str | Unknown, joins: Joins) -> PolicyEffect:
    """Return the effect that a scaling policy can have on a variant of this kind."""
    values = policy.get_values(before=joins.before)
    type_ = values.text("policy_type")
    if type_ == "TargetTrackingScaling":
        return _find_tracking_effect(policy, values, kind)
    if type_ in ("StepScaling", None):
        return _find_step_effect(policy, values, kind, joins)
    return PolicyEffect(UNKNOWN, UNKNOWN)


def _find_tracking_effect(policy: Resource, values: Block, kind: str | Unknown) -> PolicyEffect:
    is_published, is_scale_in_disabled = (
        metrics.publishes_policy_metrics(values, kind),
        values.flag(f"{_TRACKING}.0.disable_scale_in"),
    )
    can_remove = combine_all([is_published, negate(False if is_scale_in_disabled is None else is_scale_in_disabled)])
    if is_published is not False:
        return PolicyEffect(is_published, can_remove)
    return PolicyEffect(
        False, False, no_effect_reason=_explain_unpublished(policy, metrics.list_policy_metrics(values), kind)
    )


def _explain_unpublished(policy: Resource, names: set[str] | Unknown, kind: str | Unknown) -> str:
    missing = metrics.list_unpublished(names, kind)
    metric_names = ", ".join(sorted(missing)) if missing is not UNKNOWN else "a metric"
    return f"{policy.address} waits for {metric_names}, which {add_article(kind)} variant never publishes"


def _find_step_effect(policy: Resource, values: Block, kind: str | Unknown, joins: Joins) -> PolicyEffect:
    up, down = _find_directions(values)
    starting_alarms = joins.find_alarms_with_action(policy)
    alarms = [alarm.get_values(before=joins.before) for alarm in starting_alarms.certain]
    normal_starts: list[bool | Unknown] = []
    zero_starts: list[bool | Unknown] = []
    for alarm in alarms:
        names = metrics.list_alarm_metrics(alarm)
        if names is UNKNOWN or not names or not names <= metrics.ZERO_CAPACITY_METRICS:
            normal_starts.append(_starts_actions(alarm, kind))
        if names is UNKNOWN or names & metrics.ZERO_CAPACITY_METRICS:
            zero_starts.append(_starts_actions(alarm, kind))
    other_alarms = [
        joins.find_alarms_with_action(policy, actions) for actions in ("ok_actions", "insufficient_data_actions")
    ]
    normal_starts += (
        [UNKNOWN]
        if starting_alarms.possible or any(matches.certain or matches.possible for matches in other_alarms)
        else []
    )
    moves = PolicyEffect(
        can_add=combine_all([combine_any(normal_starts), up]),
        can_remove=combine_all([combine_any(normal_starts), down]),
        can_start=combine_all([combine_any(zero_starts), up]),
    )
    if combine_any([*normal_starts, *zero_starts]) is not False:
        return moves
    silent_metrics = [
        metrics.list_alarm_metrics(alarm) for alarm in alarms if metrics.publishes_alarm_metrics(alarm, kind) is False
    ]
    none = f"no alarm in the plan starts {policy.address}"
    return moves._replace(
        no_effect_reason=_explain_unpublished(policy, silent_metrics[0], kind) if silent_metrics else none
    )


def _starts_actions(alarm: Block, kind: str | Unknown) -> bool | Unknown:
    """Return whether an alarm ever starts its actions.

    If its metric has no data, the alarm starts them only if missing data counts as a breach.
    """
    enabled, missing = alarm.flag("actions_enabled"), alarm.text("treat_missing_data")
    breaching = missing if missing is UNKNOWN else missing == "breaching"
    return combine_all(
        [True if enabled is None else enabled, combine_any([metrics.publishes_alarm_metrics(alarm, kind), breaching])]
    )


def _find_directions(values: Block) -> tuple[bool | Unknown, bool | Unknown]:
    """Return whether the steps of a policy add, and whether they remove."""
    type_, steps = values.text(f"{_STEPS}.0.adjustment_type"), values.blocks(f"{_STEPS}.0.step_adjustment")
    if type_ is UNKNOWN or steps is UNKNOWN or not steps:
        return UNKNOWN, UNKNOWN
    adjustments = [step.number("scaling_adjustment") for step in steps]
    numbers = [number for number in adjustments if isinstance(number, int | float)]
    unknown_answers = [UNKNOWN] if len(numbers) < len(adjustments) else []
    up: list[bool | Unknown] = [number > 0 for number in numbers]
    down: list[bool | Unknown] = [number < 0 for number in numbers]
    if type_ == "ExactCapacity":  # sets the capacity, so the direction depends on the current one
        down = [number == 0 or UNKNOWN for number in numbers]
    return combine_any([*up, *unknown_answers]), combine_any([*down, *unknown_answers])
