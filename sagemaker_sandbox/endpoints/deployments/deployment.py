"""Deployment of a configuration to an endpoint in stages, with rollback on an alarm, a failure or a timeout."""

import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from sagemaker_sandbox.base.clock import TICK
from sagemaker_sandbox.endpoints.deployments import alarms
from sagemaker_sandbox.endpoints.deployments.deployment_spec import DeploymentSpec
from sagemaker_sandbox.endpoints.deployments.endpoint_description import EndpointDescription
from sagemaker_sandbox.endpoints.deployments.fleet_provider import FleetProvider
from sagemaker_sandbox.endpoints.deployments.policy import DeploymentPolicy, InstanceCounts
from sagemaker_sandbox.endpoints.deployments.stages import DeploymentStage, plan_rollback, plan_stages
from sagemaker_sandbox.endpoints.deployments.traffic_shift import TrafficShift
from sagemaker_sandbox.endpoints.deployments.transition import Move, Transition
from sagemaker_sandbox.endpoints.hosting.instance import StartError
from sagemaker_sandbox.faults.fault_rules import FAILED
from sagemaker_sandbox.resources.region import AccountRegion
from sagemaker_sandbox.resources.resources import SageMakerResource

#: Interval between two checks of the alarms, in seconds (assumed).
_ALARM_CHECK_SECONDS = 10
_UNKNOWN_REASON = "Request to service failed."
_LAUNCHING, _TERMINATING = "Launching {} instance(s).", "Terminating {} instance(s)."


class EndpointDeployment(Transition):
    """Deployment to an endpoint that is created or updated.

    An update has status RollingBack once traffic has moved. Before that there is nothing to roll back, so the status
    stays Updating. This is assumed from the reports of Terraform users.
    """

    def __init__(
        self,
        region: AccountRegion,
        endpoint: SageMakerResource,
        spec: DeploymentSpec,
        policy: DeploymentPolicy,
        fleet_provider: FleetProvider,
        description: EndpointDescription,
        check_refusal: Callable[[DeploymentSpec], str | None],
    ) -> None:
        super().__init__(region, endpoint.name)
        self._endpoint = endpoint
        self._spec = spec
        self._policy = policy
        self._fleet_provider = fleet_provider
        self._description = description
        self._check_refusal = check_refusal
        self._is_creation = endpoint.fields["EndpointStatus"] == "Creating"
        self._start_time = time.monotonic()
        self._move_start = self._read_clocks()
        timeout = policy.timeout_seconds
        self._deadline = None if timeout is None else region.clock.now() + timedelta(seconds=timeout)
        self._traffic_shift: TrafficShift | None = None
        self._stages: list[DeploymentStage] = []
        self._stage_index = 0
        self._is_traffic_moved = False
        self._is_rolling_back = False
        #: Reason for a rollback that was detected during a move.
        self._rollback_reason: str | None = None

    def start(self) -> None:
        """Start the deployment in the background."""
        self.begin(self._launch)

    def next(self, after: datetime) -> datetime | None:
        """Return the time of the next step, alarm check or timeout."""
        moments = [super().next(after)]
        if not (self._is_rolling_back or self._rollback_reason or self.is_over):
            if self._policy.alarms:
                checks = after.timestamp() // _ALARM_CHECK_SECONDS + 1
                moments.append(datetime.fromtimestamp(checks * _ALARM_CHECK_SECONDS, UTC))
            if self._deadline is not None and self.is_waiting:
                moments.append(max(self._deadline, after + TICK))
        return min((moment for moment in moments if moment is not None), default=None)

    def run_due(self, moment: datetime) -> None:
        """Roll back if an alarm or the timeout requires it; otherwise continue."""
        with self.region.lock:
            reason = (
                None
                if self._is_rolling_back
                else self._find_alarm_reason() or (self._find_timeout_reason(moment) if self.is_waiting else None)
            )
            if reason is None:
                super().run_due(moment)
            elif self.is_waiting:
                self._start_rollback(reason)
            else:
                self._rollback_reason = reason

    def run_move(self, work: Move) -> None:
        """Run a move and remember its start time."""
        self._move_start = self._read_clocks()
        super().run_move(work)

    def schedule_move(self, next_move: Move, after_seconds: float) -> None:
        """Schedule the next move, or roll back if an alarm or the timeout requires it."""
        with self.region.lock:
            self._extend_deadline()
            reason = (
                None
                if self._is_rolling_back
                else self._rollback_reason
                or self._find_alarm_reason()
                or self._find_timeout_reason(self.region.clock.now())
            )
            if reason is not None:
                self._start_rollback(reason)
                return
            if after_seconds:
                super().schedule_move(next_move, after_seconds)
                return
        super().schedule_move(next_move, 0)

    def _read_clocks(self) -> tuple[datetime, float]:
        return self.region.clock.now(), time.monotonic()

    def _extend_deadline(self) -> None:
        """Extend the deadline so that a move counts real seconds, however fast the sandbox clock runs."""
        (moment, seconds), self._move_start = self._move_start, self._read_clocks()
        if self._deadline is not None:
            self._deadline += self._move_start[0] - moment - timedelta(seconds=self._move_start[1] - seconds)

    def _find_alarm_reason(self) -> str | None:
        """Return the rollback reason if alarms are active. AWS publishes no wording, here and below."""
        active = list(alarms.list_active_alarms(self.region.account_id, self.region.name, self._policy.alarms))
        if active:
            return f"The deployment was rolled back because of CloudWatch alarms in ALARM: {', '.join(active)}."
        return None

    def _find_timeout_reason(self, moment: datetime) -> str | None:
        if self._deadline is not None and moment >= self._deadline:
            return f"The deployment was rolled back because it took longer than {self._policy.timeout_seconds} seconds."
        return None

    def _start_rollback(self, reason: str) -> None:
        self._is_rolling_back = True
        self.run_move(lambda: self._roll_back(reason))

    def handle_error(self, error: Exception) -> None:
        """Roll back. If the rollback fails too, the endpoint stays as it is."""
        if not isinstance(error, StartError):
            traceback.print_exception(error)
        reason = str(error) if isinstance(error, StartError) else _UNKNOWN_REASON
        with self.region.lock:
            if not self._is_rolling_back:
                self._start_rollback(reason)
            else:
                self._description.settle(
                    "Failed" if self._is_creation else "UpdateRollbackFailed", {"FailureReason": reason}
                )
                self.end()

    def _launch(self) -> None:
        """Start the new fleet, or its first batch."""
        operation = "CreateEndpoint" if self._is_creation else "UpdateEndpoint"
        delay = self.region.faults.take_status_delay(operation, self.name)
        fault = self.region.faults.take_failure(operation, self.name, FAILED)
        reason = self._check_refusal(self._spec) if fault is None else fault.message or _UNKNOWN_REASON
        if reason is None:
            with suppress(StartError):  # after a restart the old fleet may fail to start; then nothing serves
                self._fleet_provider.get_traffic(self.name)
            fleet = self._fleet_provider.create_fleet(self.name, self._spec.config, self._spec.models)
            traffic = self._fleet_provider.get_traffic(self.name)
            self._traffic_shift = traffic_shift = TrafficShift(traffic, fleet, self.run_draining)
            self._stages = plan_stages(self._policy, traffic_shift.old_counts, self._spec.instance_counts)
            first_counts = self._stages[0].new_counts
            self._description.set_variant_status("Creating", _LAUNCHING, first_counts, pending=True)
            traffic_shift.start(first_counts)
        self.wait_transition_time(self._start_time)
        next_move = self._enter if reason is None else lambda: self.handle_error(StartError(reason))
        self.schedule_move(next_move, delay)

    def _enter(self) -> None:
        """Start the instances of a stage, shift its traffic and wait while it bakes."""
        stage, traffic_shift = self._stages[self._stage_index], self._traffic_shift
        assert traffic_shift is not None
        if self._stage_index and self._policy.rolling is not None:
            added = {
                name: count - self._stages[self._stage_index - 1].new_counts[name]
                for name, count in stage.new_counts.items()
            }
            self._description.set_variant_status("Creating", _LAUNCHING, added, pending=True)
            traffic_shift.scale_new(stage.new_counts)
        self._is_traffic_moved = not self._is_creation
        traffic_shift.shift_traffic(stage.traffic_share)
        location = f"on {stage.capacity} capacity of {{}} instance(s)."
        active = stage.active_counts
        self._description.set_variant_status(
            "ActivatingTraffic", f"Activating traffic {location}", active, pending=True, current=active
        )
        if stage.bake_seconds:
            baking = f"Baking for {stage.bake_seconds} seconds ({stage.bake_member}) with traffic enabled {location}"
            self._description.set_variant_status("Baking", baking, active, pending=True)
        self.schedule_move(self._leave, stage.bake_seconds)

    def _leave(self) -> None:
        """End the instances that the stage replaces, and go to the next stage."""
        stage, traffic_shift = self._stages[self._stage_index], self._traffic_shift
        assert traffic_shift is not None
        if self._stage_index == len(self._stages) - 1:
            if not self._is_creation:
                self._description.set_variant_status("Deleting", _TERMINATING, self._get_old_counts())
            traffic_shift.end_old()
            self._finish()
            return
        if self._policy.rolling is not None:
            removed = {name: count - stage.old_counts[name] for name, count in self._get_old_counts().items()}
            self._description.set_variant_status("Deleting", _TERMINATING, removed)
            traffic_shift.scale_old(stage.old_counts)
            self._description.clear_variant_status(stage.old_counts)
        self._stage_index += 1
        self._enter()

    def _get_old_counts(self) -> InstanceCounts:
        """Return the instances of the old fleet while the present stage bakes."""
        assert self._traffic_shift is not None
        return self._stages[self._stage_index - 1].old_counts if self._stage_index else self._traffic_shift.old_counts

    def _finish(self) -> None:
        with self.region.lock:
            self._endpoint.private |= self._spec.to_private()
            self._description.settle("InService", self._spec.describe(self.region.clock.now()))
            self.end()

    def _roll_back(self, reason: str) -> None:
        """Return to the previous state, if there is one."""
        start_time = time.monotonic()
        if self._is_traffic_moved:
            self._restore_old_fleet()
        if self._traffic_shift is not None:
            self._traffic_shift.end_new()
        delay = 0.0
        if self._is_traffic_moved:
            self.wait_transition_time(start_time)
            # A test may inject a delay while the update runs, so that a poll is sure to see RollingBack.
            delay = self.region.faults.take_status_delay("UpdateEndpoint", self.name)
        self.schedule_move(lambda: self._finish_rollback(reason), delay)

    def _finish_rollback(self, reason: str) -> None:
        with self.region.lock:
            self._description.settle("Failed" if self._is_creation else "InService", {"FailureReason": reason})
            self.end()

    def _restore_old_fleet(self) -> None:
        traffic_shift, is_rolling = self._traffic_shift, self._policy.rolling is not None
        assert traffic_shift is not None
        self._description.set_status("RollingBack")
        remaining = self._get_old_counts()
        for stage in plan_rollback(self._policy, traffic_shift.old_counts, self._stages[self._stage_index], remaining):
            if is_rolling:
                self._description.set_variant_status(
                    "Updating", _LAUNCHING, {name: count - remaining[name] for name, count in stage.old_counts.items()}
                )
                traffic_shift.scale_old(stage.old_counts)
                self._description.clear_variant_status(stage.old_counts)
            traffic_shift.shift_traffic(stage.traffic_share)
            remaining = stage.old_counts
            self._description.set_variant_status(
                "Deleting", _TERMINATING, stage.active_counts, pending=True, current=stage.active_counts
            )
            if is_rolling:
                traffic_shift.scale_new(stage.new_counts)
