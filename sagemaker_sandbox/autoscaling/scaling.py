"""One Region's scaling: what alarms have triggered, what is scheduled, and what of it is over."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sagemaker_sandbox.autoscaling import decision
from sagemaker_sandbox.autoscaling.actions import ScheduledActions
from sagemaker_sandbox.autoscaling.activities import ScalingActivities
from sagemaker_sandbox.autoscaling.decision import AlarmTrigger, ScalingDecision, TargetState
from sagemaker_sandbox.autoscaling.target import CapacityMove, ScalableTarget, ScalingPolicy, ScheduledAction
from sagemaker_sandbox.autoscaling.targets import ScalableTargets
from sagemaker_sandbox.clock import TICK
from sagemaker_sandbox.parts.region import AccountRegion
from sagemaker_sandbox.parts.resources import ServicePart

_MINUTE = timedelta(minutes=1)


class RegionScaling(ServicePart):
    """Moves the capacity of the Region's targets."""

    service = "application-autoscaling"

    def __init__(
        self, region: AccountRegion, targets: ScalableTargets, activities: ScalingActivities, actions: ScheduledActions
    ) -> None:
        super().__init__(region)
        self._targets = targets
        self._activities = activities
        self._actions = actions
        region.on_state_change.append(self._hear)
        #: What alarms have triggered since the last moment, by the policy's ARN.
        self._triggered: list[tuple[str, AlarmTrigger]] = []
        #: Whether an endpoint has changed its state since, so that what is under way may be over.
        self._heard = False
        #: When the low alarm of a policy of target tracking was last heard, by its ARN.
        self._low: dict[str, datetime] = {}

    def trigger(self, action: str, trigger: AlarmTrigger) -> None:
        """An alarm asks for the policy of that ARN; returns at once."""
        with self.region.lock:
            self._triggered.append((action.partition(":createdBy/")[0], trigger))
        self.region.clock.wake()

    def _hear(self) -> None:
        if self._activities.has_active:
            self._heard = True
            self.region.clock.wake()

    def next(self, after: datetime) -> datetime | None:
        """When something is due."""
        with self.region.lock:
            moments = [self._actions.next(after)]
            if self._triggered or (self._heard and self._activities.has_active):
                moments.append(after + TICK)
            if any(target.is_out_of_bounds for target in self._targets):
                moments.append(after.replace(second=0, microsecond=0) + _MINUTE)
        return min((moment for moment in moments if moment is not None), default=None)

    def do(self, moment: datetime) -> None:
        """What is due: first what alarms have triggered, then what is scheduled."""
        with self.region.lock:
            self._heard = False
            self._targets.complete_activities(moment)
            triggered, self._triggered = self._triggered, []
            targets, due = list(self._targets), list(self._actions.list_due(moment))
        for target in targets:
            policies = {policy.arn: policy for policy in target.policies.values()}
            found = [(policies[arn], trigger) for arn, trigger in triggered if arn in policies]
            if found:
                self._follow(target, found, moment)
        for target, action in due:
            self._bound(target, action, moment)
        for target in targets:
            if target.is_out_of_bounds:
                target.is_out_of_bounds = not self._targets.move_into_bounds(target, moment)

    def _follow(
        self, target: ScalableTarget, triggered: list[tuple[ScalingPolicy, AlarmTrigger]], moment: datetime
    ) -> None:
        """Do what the policies of a target come to together."""
        with self.region.lock:
            for policy, trigger in triggered:
                if policy.is_target_tracking and not trigger.is_high:
                    self._low[policy.arn] = moment
            capacity = self._targets.read_desired_capacity(target)
            outcome = (
                None if capacity is None else decision.decide(self._situation(target, capacity, moment), triggered)
            )
            if capacity is None:
                self._tell_unscalable(target, triggered, moment)
            elif outcome is not None and outcome.not_scaled_reason is not None:
                self._activities.record_not_scaled(target, _cause(outcome), moment, outcome.not_scaled_reason)
        if capacity is not None and outcome is not None and outcome.capacity is not None:
            self._move(target, capacity, outcome.capacity, outcome, moment)

    def _move(
        self, target: ScalableTarget, before: int, capacity: int, outcome: ScalingDecision, moment: datetime
    ) -> None:
        activity = self._targets.set_capacity(target, capacity, _cause(outcome), moment)
        if activity is None:
            return
        with self.region.lock:
            if capacity < before:
                outcome.policy.last_scale_in = CapacityMove(activity, before)
                return
            outcome.policy.last_scale_out = CapacityMove(activity, before)
            for policy in target.policies.values():
                policy.last_scale_in = None

    def _tell_unscalable(
        self, target: ScalableTarget, triggered: list[tuple[ScalingPolicy, AlarmTrigger]], moment: datetime
    ) -> None:
        """The endpoint is being updated, by others: the alarm's next action may find it in service again."""
        if not self._activities.is_active(target):
            for policy, trigger in triggered:
                reason = {"Code": "TargetServicePutResourceAsUnscalable"}
                self._activities.record_not_scaled(target, _told(policy, trigger), moment, reason)

    def _situation(self, target: ScalableTarget, capacity: int, moment: datetime) -> TargetState:
        return TargetState(
            capacity,
            target.min_capacity,
            target.max_capacity,
            may_scale_out=not target.suspended_state["DynamicScalingOutSuspended"],
            may_scale_in=not target.suspended_state["DynamicScalingInSuspended"],
            cooling_out=self._cooling(target, moment, out=True),
            cooling_in=self._cooling(target, moment, out=False),
            is_scale_in_ready=all(self._is_ready(policy, moment) for policy in target.policies.values()),
        )

    def _cooling(self, target: ScalableTarget, moment: datetime, *, out: bool) -> dict[str, int]:
        """The policies that are in a cooldown, to the capacity before they scaled."""
        found = {}
        for policy in target.policies.values():
            move = policy.last_scale_out if out else policy.last_scale_in
            ended = self._activities.get_success_time(move.activity) if move is not None else None
            if move and ended and moment < ended + decision.get_cooldown(policy, target.dimension, out=out):
                found[policy.name] = move.previous_capacity
        return found

    def _is_ready(self, policy: ScalingPolicy, moment: datetime) -> bool:
        """Whether target tracking would let the target scale in: its low alarm was heard within the last minute."""
        if not policy.is_target_tracking or policy.configuration.get("DisableScaleIn"):
            return True
        heard = self._low.get(policy.arn)
        return heard is not None and moment - heard <= _MINUTE

    def _bound(self, target: ScalableTarget, action: ScheduledAction, moment: datetime) -> None:
        """Give a target the bounds of a scheduled action, and move its capacity between them."""
        given: Mapping[str, int | None] = {"min": action.min_capacity, "max": action.max_capacity}
        bounds = " and ".join(f"{one} capacity to {value}" for one, value in given.items() if value is not None)
        cause = f"scheduled action name {action.name} was triggered"
        with self.region.lock:
            if target.suspended_state["ScheduledScalingSuspended"]:
                return
            least = target.min_capacity if action.min_capacity is None else action.min_capacity
            most = target.max_capacity if action.max_capacity is None else action.max_capacity
            if most < least:
                why_not = "Maximum capacity cannot be less than minimum capacity"
                self._activities.record_bounds(target, bounds, cause, moment, why_not)
                return
            target.min_capacity, target.max_capacity = least, most
            self._activities.record_bounds(target, bounds, cause, moment)
            target.is_out_of_bounds = True  # until it is moved, which may have to wait


def _cause(outcome: ScalingDecision) -> str:
    return _told(outcome.policy, outcome.trigger)


def _told(policy: ScalingPolicy, trigger: AlarmTrigger) -> str:
    return f"monitor alarm {trigger.alarm} in state {trigger.state} triggered policy {policy.name}"
