"""Scaling of a variant: its initial capacity, its limits, its policies and its schedule.

Rules and the footprint both use this module, so that they agree on what scales. Application Auto Scaling brings a
capacity within the limits when the target is registered (API reference, RegisterScalableTarget). After that only
policies and scheduled actions change it. A policy changes it only if its metric has data ("How target tracking scaling
works": it does nothing on insufficient data).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import chain, islice
from typing import NamedTuple

from sustainable_mlops.plan import metrics
from sustainable_mlops.plan.joins import (
    ASYNCHRONOUS,
    SCALABLE_TARGET,
    SCALING_POLICY,
    SCHEDULED_ACTION,
    Joins,
    Matches,
    Variant,
)
from sustainable_mlops.plan.resources import Resource
from sustainable_mlops.plan.timetable import Action, Span, spans
from sustainable_mlops.plan.values import UNKNOWN, Block, Unknown, all_of, any_of, negated

INSTANCES = "sagemaker:variant:DesiredInstanceCount"
CONCURRENCY = "sagemaker:variant:DesiredProvisionedConcurrency"

_TRACKING = "target_tracking_scaling_policy_configuration"
_STEPS = "step_scaling_policy_configuration"
#: Maximum number of names in a message.
_FEW = 3


class Moves(NamedTuple):
    """The effect that a scaling policy can have on a capacity."""

    adds: bool | Unknown
    takes: bool | Unknown
    #: True if it adds capacity at zero, and only there.
    wakes: bool | Unknown = False
    #: The reason why it never has an effect, else empty.
    never: str = ""

    @property
    def acts(self) -> bool | Unknown:
        """True if the policy ever has an effect."""
        return any_of([self.adds, self.takes, self.wakes])


@dataclass(frozen=True, slots=True)
class Scaling:
    """The possible capacity of a variant (instances, or provisioned workers), and what changes it."""

    #: Shares of the time with the same limits. UNKNOWN if one of the limits is.
    spans: tuple[Span, ...] | Unknown
    #: True if a policy ever adds capacity, or removes it.
    adds: bool | Unknown = False
    takes: bool | Unknown = False
    #: Reasons why other limits may apply, which the plan does not tell.
    untold: tuple[str, ...] = ()
    #: Reasons why policies never have an effect.
    never: tuple[str, ...] = ()
    #: The scalable target. None if none is certain.
    target: Resource | None = None
    #: True if SageMaker itself changes the number of instances, for inference components.
    managed: bool = False

    def low(self, span: Span) -> float:
        """Return the minimum capacity in `span`."""
        return span.still if self.takes is False else span.least

    def high(self, span: Span) -> float:
        """Return the maximum capacity in `span`."""
        return span.still if self.adds is False else span.most

    @property
    def ranges(self) -> bool:
        """True if the limits leave room for a policy."""
        return self.spans is not UNKNOWN and any(span.least < span.most for span in self.spans)

    @property
    def least(self) -> float | Unknown:
        """Minimum capacity at any time."""
        if self.spans is UNKNOWN or self.untold:
            return UNKNOWN
        if self.takes is UNKNOWN and any(span.least < span.still for span in self.spans):
            return UNKNOWN
        return min(map(self.low, self.spans))

    @property
    def moves(self) -> bool | Unknown:
        """True if the capacity ever changes."""
        if self.spans is UNKNOWN:
            return True if self.managed else UNKNOWN
        up = any(span.still < span.most for span in self.spans)
        down = any(span.least < span.still for span in self.spans)
        steps = len({span.still for span in self.spans}) > 1
        found = any_of([steps, all_of([self.adds, up]), all_of([self.takes, down])])
        return UNKNOWN if found is False and self.untold else found

    @property
    def empties(self) -> bool | Unknown:
        """True if a policy reduces the capacity to zero while there is no load."""
        if self.spans is UNKNOWN or self.untold:
            return UNKNOWN
        return all_of([any(span.least == 0 for span in self.spans), self.takes])

    @property
    def rests(self) -> bool | Unknown:
        """True if a schedule reduces the capacity at some times."""
        if self.spans is UNKNOWN:
            return UNKNOWN
        fewer = len({self.low(span) for span in self.spans}) > 1 or len({self.high(span) for span in self.spans}) > 1
        return True if fewer else UNKNOWN if self.untold else False


@lru_cache(maxsize=4096)
def of_instances(endpoint: Resource, variant: Variant, joins: Joins) -> Scaling:
    """Return the scaling of the instances of a variant of `endpoint`."""
    count = variant.block.number("initial_instance_count")
    found = _scaled(endpoint, variant, joins, INSTANCES, 1 if count is None else count)
    return found if found.target is not None else _managed(variant.block, found)


def unscaled(variant: Variant) -> Scaling:
    """Return the scaling of a variant whose endpoint is not in the plan, so that nothing scales it."""
    count = variant.block.number("initial_instance_count")
    return _managed(variant.block, still(1 if count is None else count))


@lru_cache(maxsize=4096)
def of_concurrency(endpoint: Resource, variant: Variant, joins: Joins) -> Scaling:
    """Return the scaling of the provisioned workers of a serverless variant of `endpoint`."""
    return _scaled(endpoint, variant, joins, CONCURRENCY, ready(variant, joins.configuration(endpoint), joins))


def ready(variant: Variant, configuration: object, joins: Joins) -> float | Unknown:
    """Return the initial number of provisioned workers of a serverless variant.

    The provider also computes the attribute. If the configuration does not set it, it stays unset although it is
    unknown.
    """
    path = "serverless_config.0.provisioned_concurrency"
    count = variant.block.number(path)
    if count is UNKNOWN and isinstance(configuration, Resource) and variant.block.get(path) is UNKNOWN:
        written = joins.configured(configuration, f"{variant.block.path}.{path}")
        return 0 if written is False else UNKNOWN
    return 0 if count is None else count


def _scaled(endpoint: Resource, variant: Variant, joins: Joins, dimension: str, start: float | Unknown) -> Scaling:
    targets = targets_of(endpoint, variant, joins, dimension)
    if not targets.sure:
        names = ", ".join(target.address for target in targets.maybe)
        return replace(
            still(start), untold=(f"it is not known until apply whether {names} scales it",) if names else ()
        )
    found = _of_target(targets.sure[0], variant.kind, start, joins)
    if len(targets.sure) == 1:
        return found
    names = " and ".join(target.address for target in targets.sure[:_FEW])
    return replace(found, untold=(*found.untold, f"it is not known which of {names} is registered last"))


def still(start: float | Unknown) -> Scaling:
    """Return the scaling of a capacity that nothing changes."""
    return Scaling(UNKNOWN if start is UNKNOWN or start < 0 else (Span(1.0, start, start, start),))


def _managed(block: Block, otherwise: Scaling) -> Scaling:
    """Return the scaling with SageMaker's managed instance scaling, if the variant has it."""
    managed = block.block("managed_instance_scaling")
    status = managed.text("status") if isinstance(managed, Block) else managed
    if status is UNKNOWN:
        why = "it is not known until apply whether SageMaker manages its instances"
        return replace(otherwise, untold=(*otherwise.untold, why))
    if not isinstance(managed, Block) or status != "ENABLED":
        return otherwise
    least, most = managed.number("min_instance_count"), managed.number("max_instance_count")
    least = 0 if least is None else least
    limits = _limits(least, most)
    found = UNKNOWN if limits is None else (Span(1.0, *limits, limits[0]),)
    return replace(otherwise, spans=found, adds=True, takes=True, managed=True)


def _limits(least: float | Unknown | None, most: float | Unknown | None) -> tuple[float, float] | None:
    """Return both limits if they are known and valid."""
    if not isinstance(least, int | float) or not isinstance(most, int | float) or not 0 <= least <= most:
        return None
    return least, most


def targets_of(endpoint: Resource, variant: Variant, joins: Joins, dimension: str = INSTANCES) -> Matches:
    """Return the scalable targets of a variant, by dimension, and a few of the possible ones."""
    variants = joins.variants(joins.configuration(endpoint))
    alone = variants is not UNKNOWN and len(variants) == 1

    def named(target: Resource) -> bool | Unknown:
        """Return whether the target names the variant. The only variant always matches, even with a generated name."""
        name = joins.scaled(target).variant
        if isinstance(name, str) and isinstance(variant.name, str):
            return name == variant.name
        return True if alone else UNKNOWN

    def scales(target: Resource) -> bool | Unknown:
        found = target.values(before=joins.before).text("scalable_dimension")
        return UNKNOWN if found is UNKNOWN or found is None else found == dimension

    found = joins.scalable_targets(endpoint)
    answers = [(target, all_of([named(target), scales(target)])) for target in found.sure]
    if sure := tuple(target for target, answer in answers if answer is True):
        return Matches(sure)
    maybe = [target for target, answer in answers if answer is UNKNOWN]
    others = (target for target in found.maybe if scales(target) is not False)
    return Matches((), tuple(islice((*maybe, *islice(others, _FEW)), _FEW)))


def kind_of(target: Resource, joins: Joins) -> str | Unknown:
    """Return the kind of the variant that a scalable target scales."""
    endpoint, name = joins.scaled(target)
    variants = joins.variants(joins.configuration(endpoint)) if isinstance(endpoint, Resource) else UNKNOWN
    if variants is UNKNOWN:
        return UNKNOWN
    kinds = {one.kind for one in variants if name is UNKNOWN or one.name is UNKNOWN or one.name == name}
    return kinds.pop() if len(kinds) == 1 else UNKNOWN


def policies_of(target: Resource, joins: Joins) -> Matches:
    """Return the scaling policies of a scalable target, and a few of the possible ones."""
    return _attached(target, joins.scaling_policies(target), SCALING_POLICY, joins)


def actions_of(target: Resource, joins: Joins) -> Matches:
    """Return the scheduled actions of a scalable target, and a few of the possible ones."""
    return _attached(target, joins.scheduled_actions(target), SCHEDULED_ACTION, joins)


def _attached(target: Resource, found: Matches, kind: str, joins: Joins) -> Matches:
    """Return certain matches and a few possible ones: resources that name the same target as far as known."""
    named = (one for one in _loose(joins, kind) if one not in found.maybe[:_FEW] and _may_name(one, target, joins))
    return Matches(found.sure, tuple(islice(chain(found.maybe[:_FEW], named), _FEW)))


@lru_cache(maxsize=8)
def _loose(joins: Joins, kind: str) -> list[Resource]:
    """Return the policies, or scheduled actions, that certainly belong to no target of the plan."""
    of: Callable[[Resource], Matches] = joins.scaling_policies if kind == SCALING_POLICY else joins.scheduled_actions
    held = {id(one) for target in joins.all(SCALABLE_TARGET) for one in of(target).sure}
    return [one for one in joins.all(kind) if id(one) not in held]


def _may_name(one: Resource, target: Resource, joins: Joins) -> bool:
    mine, its = one.values(before=joins.before), target.values(before=joins.before)
    pairs = [(mine.text(name), its.text(name)) for name in ("resource_id", "scalable_dimension")]
    return all(a is not b if UNKNOWN in (a, b) else a == b for a, b in pairs)


def _of_target(target: Resource, kind: str | Unknown, start: float | Unknown, joins: Joins) -> Scaling:
    values = target.values(before=joins.before)
    policies = policies_of(target, joins)
    moves = [moves_of(policy, kind, joins) for policy in policies.sure]
    moves += [Moves(UNKNOWN, UNKNOWN)] if policies.maybe else []
    adds = all_of([any_of(one.adds for one in moves), negated(_suspended(target, "dynamic_scaling_out", joins))])
    takes = all_of([any_of(one.takes for one in moves), negated(_suspended(target, "dynamic_scaling_in", joins))])
    never = tuple(one.never for one in moves if one.never)
    limits = _limits(values.number("min_capacity"), values.number("max_capacity"))
    if limits is not None and start is UNKNOWN and adds is True and takes is True:
        start = limits[0]  # the initial capacity does not matter, because policies change it
    if limits is None or start is UNKNOWN:
        return Scaling(UNKNOWN, adds, takes, (), never, target)
    untold: tuple[str, ...] = ()
    try:
        found = spans(start, *limits, tuple(_actions(target, joins)))
    except ValueError as error:
        found, untold = spans(start, *limits, ()), (f"its scheduled actions are not counted: {error}",)
    if any(span.least == 0 for span in found):
        at_zero = any_of([takes, any(span.still == 0 for span in found)])
        woken = all_of([any_of(one.wakes for one in moves), negated(_suspended(target, "dynamic_scaling_out", joins))])
        adds = any_of([adds, all_of([at_zero, woken])])
    return Scaling(found, adds, takes, untold, never, target)


def _suspended(target: Resource, what: str, joins: Joins) -> bool | Unknown:
    """Return whether scaling is suspended.

    The provider computes the state if it is not set: then nothing is suspended.
    """
    found = target.values(before=joins.before).flag(f"suspended_state.0.{what}_suspended")
    unset = found is UNKNOWN and joins.configured(target, "suspended_state") is False
    return False if found is None or unset else found


def _actions(target: Resource, joins: Joins) -> Iterator[Action]:
    """Yield the scheduled actions of a target. Raises ValueError with the unknown part."""
    suspended = _suspended(target, "scheduled_scaling", joins)
    if suspended is True:
        return
    found = actions_of(target, joins)
    if found.maybe:
        raise ValueError(f"it is not known until apply whether {found.maybe[0].address} belongs to this target")
    for resource in found.sure:
        action = resource.values(before=joins.before)
        schedule, zone, end = action.text("schedule"), action.text("timezone"), action.text("end_time")
        limits = [action.number(f"scalable_target_action.0.{bound}_capacity") for bound in ("min", "max")]
        if suspended is UNKNOWN or not isinstance(schedule, str) or UNKNOWN in (zone, end, *limits):
            raise ValueError(f"the effect of {resource.address} is not known until apply")
        if end is not None:
            raise ValueError(f"{resource.address} ends at {end}")
        least, most = (number if isinstance(number, int | float) else None for number in limits)
        yield Action(schedule, least, most, zone if isinstance(zone, str) and zone else "UTC")


def moves_of(policy: Resource, kind: str | Unknown, joins: Joins) -> Moves:
    """Return the effect that a scaling policy can have on a variant of this kind."""
    values = policy.values(before=joins.before)
    type_ = values.text("policy_type")
    if type_ == "TargetTrackingScaling":
        return _tracking(policy, values, kind)
    if type_ in ("StepScaling", None):
        return _stepping(policy, values, kind, joins)
    return Moves(UNKNOWN, UNKNOWN)


def _tracking(policy: Resource, values: Block, kind: str | Unknown) -> Moves:
    followed, only_adds = metrics.followed(values, kind), values.flag(f"{_TRACKING}.0.disable_scale_in")
    takes = all_of([followed, negated(False if only_adds is None else only_adds)])
    if followed is not False:
        return Moves(followed, takes)
    return Moves(False, False, never=_unpublished(policy, metrics.of_policy(values), kind))


def _unpublished(policy: Resource, names: set[str] | Unknown, kind: str | Unknown) -> str:
    found = metrics.never(names, kind)
    metric_names = ", ".join(sorted(found)) if found is not UNKNOWN else "a metric"
    variant = f"{'an' if kind == ASYNCHRONOUS else 'a'} {kind} variant"
    return f"{policy.address} waits for {metric_names}, which {variant} never publishes"


def _stepping(policy: Resource, values: Block, kind: str | Unknown, joins: Joins) -> Moves:
    up, down = _directions(values)
    found = joins.alarms_of(policy)
    alarms = [alarm.values(before=joins.before) for alarm in found.sure]
    always: list[bool | Unknown] = []
    at_zero: list[bool | Unknown] = []
    for alarm in alarms:
        names = metrics.of_alarm(alarm)
        if names is UNKNOWN or not names or not names <= metrics.AT_ZERO:
            always.append(_starts(alarm, kind))
        if names is UNKNOWN or names & metrics.AT_ZERO:
            at_zero.append(_starts(alarm, kind))
    others = [joins.alarms_of(policy, actions) for actions in ("ok_actions", "insufficient_data_actions")]
    always += [UNKNOWN] if found.maybe or any(other.sure or other.maybe for other in others) else []
    moves = Moves(
        adds=all_of([any_of(always), up]), takes=all_of([any_of(always), down]), wakes=all_of([any_of(at_zero), up])
    )
    if any_of([*always, *at_zero]) is not False:
        return moves
    silent = [metrics.of_alarm(alarm) for alarm in alarms if metrics.watched(alarm, kind) is False]
    none = f"no alarm in the plan starts {policy.address}"
    return moves._replace(never=_unpublished(policy, silent[0], kind) if silent else none)


def _starts(alarm: Block, kind: str | Unknown) -> bool | Unknown:
    """Return whether an alarm ever starts its actions.

    If its metric has no data, the alarm starts them only if missing data counts as a breach.
    """
    enabled, missing = alarm.flag("actions_enabled"), alarm.text("treat_missing_data")
    breaching = missing if missing is UNKNOWN else missing == "breaching"
    return all_of([True if enabled is None else enabled, any_of([metrics.watched(alarm, kind), breaching])])


def _directions(values: Block) -> tuple[bool | Unknown, bool | Unknown]:
    """Return whether the steps of a policy add, and whether they remove."""
    type_, steps = values.text(f"{_STEPS}.0.adjustment_type"), values.blocks(f"{_STEPS}.0.step_adjustment")
    if type_ is UNKNOWN or steps is UNKNOWN or not steps:
        return UNKNOWN, UNKNOWN
    by = [step.number("scaling_adjustment") for step in steps]
    numbers = [number for number in by if isinstance(number, int | float)]
    open_ = [UNKNOWN] if len(numbers) < len(by) else []
    up: list[bool | Unknown] = [number > 0 for number in numbers]
    down: list[bool | Unknown] = [number < 0 for number in numbers]
    if type_ == "ExactCapacity":  # sets the capacity, so the direction depends on the current one
        down = [number == 0 or UNKNOWN for number in numbers]
    return any_of([*up, *open_]), any_of([*down, *open_])
