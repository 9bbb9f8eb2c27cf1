"""Scaling in one Region: triggered policies, scheduled actions and completed activities."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sagemaker_sandbox.base.clock import TICK
from sagemaker_sandbox.endpoints.autoscaling import decision
from sagemaker_sandbox.endpoints.autoscaling.actions import ScheduledActions
from sagemaker_sandbox.endpoints.autoscaling.activities import ScalingActivities
from sagemaker_sandbox.endpoints.autoscaling.decision import AlarmTrigger, ScalingDecision, TargetState
from sagemaker_sandbox.endpoints.autoscaling.target import CapacityMove, ScalableTarget, ScalingPolicy, ScheduledAction
from sagemaker_sandbox.endpoints.autoscaling.targets import ScalableTargets
from sagemaker_sandbox.resources.region import AccountRegion
from sagemaker_sandbox.resources.resources import ServicePart

_MINUTE = timedelta(minutes=1)


class RegionScaling(ServicePart):
    """Scaler of the targets of one Region."""

    service = "application-autoscaling"

    def __init__(
        self, region: AccountRegion, targets: ScalableTargets, activities: ScalingActivities, actions: ScheduledActions
    ) -> None:
        super().__init__(region)
        self._targets = targets
        self._activities = activities
        self._actions = actions
        region.on_state_change.append(self._on_status_change)
        #: Triggers since the last run: policy ARN and alarm.
        self._triggered: list[tuple[str, AlarmTrigger]] = []
        #: True if an endpoint changed its status since the last run, so that an activity may be complete.
        self._is_status_changed = False
        #: Time of the latest low alarm of each tracking policy, by policy ARN.
        self._low_alarm_times: dict[str, datetime] = {}

    def trigger(self, action: str, trigger: AlarmTrigger) -> None:
        """Queue a trigger of the policy with this ARN and return immediately."""
        with self.region.lock:
            self._triggered.append((action.partition(":createdBy/")[0], trigger))
        self.region.clock.wake()

    def _on_status_change(self) -> None:
        if self._activities.has_active:
            self._is_status_changed = True
            self.region.clock.wake()

    def next(self, after: datetime) -> datetime | None:
        """Return the time of the next due work."""
        with self.region.lock:
            moments = [self._actions.next(after)]
            if self._triggered or (self._is_status_changed and self._activities.has_active):
                moments.append(after + TICK)
            if any(target.is_out_of_bounds for target in self._targets):
                moments.append(after.replace(second=0, microsecond=0) + _MINUTE)
        return min((moment for moment in moments if moment is not None), default=None)

    def run_due(self, moment: datetime) -> None:
        """Run the due work: first triggered policies, then scheduled actions."""
        with self.region.lock:
            self._is_status_changed = False
            self._targets.complete_activities(moment)
            triggered, self._triggered = self._triggered, []
            targets, due = list(self._targets), list(self._actions.list_due(moment))
        for target in targets:
            policies = {policy.arn: policy for policy in target.policies.values()}
            target_triggers = [(policies[arn], trigger) for arn, trigger in triggered if arn in policies]
            if target_triggers:
                self._apply_policies(target, target_triggers, moment)
        for target, action in due:
            self._apply_bounds(target, action, moment)
        for target in targets:
            if target.is_out_of_bounds:
                target.is_out_of_bounds = not self._targets.move_into_bounds(target, moment)

    def _apply_policies(
        self, target: ScalableTarget, triggered: list[tuple[ScalingPolicy, AlarmTrigger]], moment: datetime
    ) -> None:
        """Apply the combined decision of the triggered policies of a target."""
        with self.region.lock:
            for policy, trigger in triggered:
                if policy.is_target_tracking and not trigger.is_high:
                    self._low_alarm_times[policy.arn] = moment
            capacity = self._targets.read_desired_capacity(target)
            scaling_decision = (
                None if capacity is None else decision.decide(self._build_state(target, capacity, moment), triggered)
            )
            if capacity is None:
                self._record_unscalable(target, triggered, moment)
            elif scaling_decision is not None and scaling_decision.not_scaled_reason is not None:
                self._activities.record_not_scaled(
                    target, _describe_cause(scaling_decision), moment, scaling_decision.not_scaled_reason
                )
        if capacity is not None and scaling_decision is not None and scaling_decision.capacity is not None:
            self._set_capacity(target, capacity, scaling_decision.capacity, scaling_decision, moment)

    def _set_capacity(
        self,
        target: ScalableTarget,
        previous_capacity: int,
        capacity: int,
        scaling_decision: ScalingDecision,
        moment: datetime,
    ) -> None:
        activity = self._targets.set_capacity(target, capacity, _describe_cause(scaling_decision), moment)
        if activity is None:
            return
        with self.region.lock:
            if capacity < previous_capacity:
                scaling_decision.policy.last_scale_in = CapacityMove(activity, previous_capacity)
                return
            scaling_decision.policy.last_scale_out = CapacityMove(activity, previous_capacity)
            for policy in target.policies.values():
                policy.last_scale_in = None

    def _record_unscalable(
        self, target: ScalableTarget, triggered: list[tuple[ScalingPolicy, AlarmTrigger]], moment: datetime
    ) -> None:
        """Record that another update of the endpoint prevents scaling.

        The next action of the alarm may find the endpoint in service.
        """
        if not self._activities.is_active(target):
            for policy, trigger in triggered:
                reason = {"Code": "TargetServicePutResourceAsUnscalable"}
                self._activities.record_not_scaled(target, _describe_trigger(policy, trigger), moment, reason)

    def _build_state(self, target: ScalableTarget, capacity: int, moment: datetime) -> TargetState:
        return TargetState(
            capacity,
            target.min_capacity,
            target.max_capacity,
            may_scale_out=not target.suspended_state["DynamicScalingOutSuspended"],
            may_scale_in=not target.suspended_state["DynamicScalingInSuspended"],
            cooling_out=self._find_cooldowns(target, moment, is_scale_out=True),
            cooling_in=self._find_cooldowns(target, moment, is_scale_out=False),
            is_scale_in_ready=all(self._is_ready(policy, moment) for policy in target.policies.values()),
        )

    def _find_cooldowns(self, target: ScalableTarget, moment: datetime, *, is_scale_out: bool) -> dict[str, int]:
        """Return the policies in a cooldown, with the capacity before they scaled."""
        cooldowns = {}
        for policy in target.policies.values():
            move = policy.last_scale_out if is_scale_out else policy.last_scale_in
            ended = self._activities.get_success_time(move.activity) if move is not None else None
            if (
                move
                and ended
                and moment < ended + decision.get_cooldown(policy, target.dimension, is_scale_out=is_scale_out)
            ):
                cooldowns[policy.name] = move.previous_capacity
        return cooldowns

    def _is_ready(self, policy: ScalingPolicy, moment: datetime) -> bool:
        """Return whether target tracking allows a scale-in: its low alarm occurred within the last minute."""
        if not policy.is_target_tracking or policy.configuration.get("DisableScaleIn"):
            return True
        low_alarm_time = self._low_alarm_times.get(policy.arn)
        return low_alarm_time is not None and moment - low_alarm_time <= _MINUTE

    def _apply_bounds(self, target: ScalableTarget, action: ScheduledAction, moment: datetime) -> None:
        """Apply the bounds of a scheduled action to a target, and move its capacity between them."""
        values: Mapping[str, int | None] = {"min": action.min_capacity, "max": action.max_capacity}
        bounds = " and ".join(f"{bound} capacity to {value}" for bound, value in values.items() if value is not None)
        cause = f"scheduled action name {action.name} was triggered"
        with self.region.lock:
            if target.suspended_state["ScheduledScalingSuspended"]:
                return
            min_capacity = target.min_capacity if action.min_capacity is None else action.min_capacity
            max_capacity = target.max_capacity if action.max_capacity is None else action.max_capacity
            if max_capacity < min_capacity:
                error = "Maximum capacity cannot be less than minimum capacity"
                self._activities.record_bounds(target, bounds, cause, moment, error)
                return
            target.min_capacity, target.max_capacity = min_capacity, max_capacity
            self._activities.record_bounds(target, bounds, cause, moment)
            target.is_out_of_bounds = True  # until the capacity has moved, which may have to wait


def _describe_cause(scaling_decision: ScalingDecision) -> str:
    return _describe_trigger(scaling_decision.policy, scaling_decision.trigger)


def _describe_trigger(policy: ScalingPolicy, trigger: AlarmTrigger) -> str:
    return f"monitor alarm {trigger.alarm} in state {trigger.state} triggered policy {policy.name}"
