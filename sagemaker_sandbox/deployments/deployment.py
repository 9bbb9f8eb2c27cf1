"""An endpoint comes to serve a configuration in stages, and back where an alarm, a container or the time says so."""

import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from sagemaker_sandbox.clock import TICK
from sagemaker_sandbox.deployments import alarms
from sagemaker_sandbox.deployments.deployment_spec import DeploymentSpec
from sagemaker_sandbox.deployments.endpoint_description import EndpointDescription
from sagemaker_sandbox.deployments.fleet_provider import FleetProvider
from sagemaker_sandbox.deployments.handover import Handover
from sagemaker_sandbox.deployments.plan import DeploymentStage, plan_rollback, plan_stages
from sagemaker_sandbox.deployments.policy import DeploymentPolicy, InstanceCounts
from sagemaker_sandbox.deployments.transition import Move, Transition
from sagemaker_sandbox.faults.fault_rules import FAILED
from sagemaker_sandbox.hosting.instance import StartError
from sagemaker_sandbox.parts.region import AccountRegion
from sagemaker_sandbox.parts.resources import SageMakerResource

#: How often the alarms are looked at, in seconds (assumed).
_LOOK_SECONDS = 10
_UNKNOWN = "Request to service failed."
_LAUNCHING, _TERMINATING = "Launching {} instance(s).", "Terminating {} instance(s)."


class EndpointDeployment(Transition):
    """Of an endpoint that is created, or updated by a policy.

    The status of an update is RollingBack once traffic has moved. Before that there is nothing to roll back, and it
    stays Updating (assumed, from what users of Terraform see).
    """

    def __init__(
        self,
        region: AccountRegion,
        endpoint: SageMakerResource,
        wanted: DeploymentSpec,
        policy: DeploymentPolicy,
        hosts: FleetProvider,
        shown: EndpointDescription,
        refusal: Callable[[DeploymentSpec], str | None],
    ) -> None:
        super().__init__(region, endpoint.name)
        self._endpoint = endpoint
        self._wanted = wanted
        self._policy = policy
        self._hosts = hosts
        self._shown = shown
        self._refusal = refusal
        self._creates = endpoint.fields["EndpointStatus"] == "Creating"
        self._began = time.monotonic()
        self._seen = self._times()
        patience = policy.timeout_seconds
        self._deadline = None if patience is None else region.clock.now() + timedelta(seconds=patience)
        self._between: Handover | None = None
        self._stages: list[DeploymentStage] = []
        self._at = 0
        self._traffic_moved = False
        self._goes_back = False
        #: Why it has to go back, found while it moved.
        self._stop: str | None = None

    def start(self) -> None:
        """Begin in the background."""
        self.begin(self._launch)

    def next(self, after: datetime) -> datetime | None:
        """The end of a rest, a look at the alarms, or the end of patience."""
        found = [super().next(after)]
        if not (self._goes_back or self._stop or self.is_over):
            if self._policy.alarms:
                looks = after.timestamp() // _LOOK_SECONDS + 1
                found.append(datetime.fromtimestamp(looks * _LOOK_SECONDS, UTC))
            if self._deadline is not None and self.is_resting:
                found.append(max(self._deadline, after + TICK))
        return min((moment for moment in found if moment is not None), default=None)

    def do(self, moment: datetime) -> None:
        """Go back where something is wrong, else go on."""
        with self.region.lock:
            why = None if self._goes_back else self._ringing() or (self._late(moment) if self.is_resting else None)
            if why is None:
                super().do(moment)
            elif self.is_resting:
                self._go_back(why)
            else:
                self._stop = why

    def run_move(self, work: Move) -> None:
        """As any move."""
        self._seen = self._times()
        super().run_move(work)

    def rest_then(self, seconds: float, then: Move) -> None:
        """As any rest, unless something is wrong by now."""
        with self.region.lock:
            self._count_move()
            why = None if self._goes_back else self._stop or self._ringing() or self._late(self.region.clock.now())
            if why is not None:
                self._go_back(why)
                return
            if seconds:
                super().rest_then(seconds, then)
                return
        super().rest_then(0, then)

    def _times(self) -> tuple[datetime, float]:
        return self.region.clock.now(), time.monotonic()

    def _count_move(self) -> None:
        """A move counts as long as it took this machine, however fast the sandbox's time passes."""
        (moment, seconds), self._seen = self._seen, self._times()
        if self._deadline is not None:
            self._deadline += self._seen[0] - moment - timedelta(seconds=self._seen[1] - seconds)

    def _ringing(self) -> str | None:
        """The alarms for which the deployment has to go back (AWS publishes no wording, here and below)."""
        found = list(alarms.list_active_alarms(self.region.account_id, self.region.name, self._policy.alarms))
        if found:
            return f"The deployment was rolled back because of CloudWatch alarms in ALARM: {', '.join(found)}."
        return None

    def _late(self, moment: datetime) -> str | None:
        if self._deadline is not None and moment >= self._deadline:
            return f"The deployment was rolled back because it took longer than {self._policy.timeout_seconds} seconds."
        return None

    def _go_back(self, why: str) -> None:
        self._goes_back = True
        self.run_move(lambda: self._undo(why))

    def handle_error(self, error: Exception) -> None:
        """Go back; what cannot go back either stays as it is."""
        if not isinstance(error, StartError):
            traceback.print_exception(error)
        why = str(error) if isinstance(error, StartError) else _UNKNOWN
        with self.region.lock:
            if not self._goes_back:
                self._go_back(why)
            else:
                self._shown.settle("Failed" if self._creates else "UpdateRollbackFailed", {"FailureReason": why})
                self.end()

    def _launch(self) -> None:
        """Have the new fleet, or the first batch of it."""
        operation = "CreateEndpoint" if self._creates else "UpdateEndpoint"
        delay = self.region.faults.take_status_delay(operation, self.name)
        fault = self.region.faults.take_failure(operation, self.name, FAILED)
        why = self._refusal(self._wanted) if fault is None else fault.message or _UNKNOWN
        if why is None:
            with suppress(StartError):  # what served before a restart: where it cannot any more, nothing does
                self._hosts.get_traffic(self.name)
            new = self._hosts.create_fleet(self.name, self._wanted.config, self._wanted.models)
            self._between = between = Handover(self._hosts.get_traffic(self.name), new, self.run_draining)
            self._stages = plan_stages(self._policy, between.old_counts, self._wanted.instance_counts)
            first = self._stages[0].new_counts
            self._shown.set_variant_status("Creating", _LAUNCHING, first, pending=True)
            between.start(first)
        self.wait_transition_time(self._began)
        self.rest_then(delay, self._enter if why is None else lambda: self.handle_error(StartError(why)))

    def _enter(self) -> None:
        """Have the instances of a stage, give them their traffic and watch them."""
        stage, between = self._stages[self._at], self._between
        assert between is not None
        if self._at and self._policy.rolling is not None:
            more = {
                name: count - self._stages[self._at - 1].new_counts[name] for name, count in stage.new_counts.items()
            }
            self._shown.set_variant_status("Creating", _LAUNCHING, more, pending=True)
            between.scale_new(stage.new_counts)
        self._traffic_moved = not self._creates
        between.shift_traffic(stage.traffic_share)
        where = f"on {stage.capacity} capacity of {{}} instance(s)."
        active = stage.active_counts
        self._shown.set_variant_status(
            "ActivatingTraffic", f"Activating traffic {where}", active, pending=True, current=active
        )
        if stage.bake_seconds:
            baking = f"Baking for {stage.bake_seconds} seconds ({stage.bake_member}) with traffic enabled {where}"
            self._shown.set_variant_status("Baking", baking, active, pending=True)
        self.rest_then(stage.bake_seconds, self._leave)

    def _leave(self) -> None:
        """End what the stage makes unnecessary, and go on to the next."""
        stage, between = self._stages[self._at], self._between
        assert between is not None
        if self._at == len(self._stages) - 1:
            if not self._creates:
                self._shown.set_variant_status("Deleting", _TERMINATING, self._left())
            between.end_old()
            self._finish()
            return
        if self._policy.rolling is not None:
            gone = {name: count - stage.old_counts[name] for name, count in self._left().items()}
            self._shown.set_variant_status("Deleting", _TERMINATING, gone)
            between.scale_old(stage.old_counts)
            self._shown.clear_variant_status(stage.old_counts)
        self._at += 1
        self._enter()

    def _left(self) -> InstanceCounts:
        """Instances of the old fleet while the present stage bakes."""
        assert self._between is not None
        return self._stages[self._at - 1].old_counts if self._at else self._between.old_counts

    def _finish(self) -> None:
        with self.region.lock:
            self._endpoint.private |= self._wanted.to_private()
            self._shown.settle("InService", self._wanted.describe(self.region.clock.now()))
            self.end()

    def _undo(self, why: str) -> None:
        """Back to what served before, if anything did."""
        began = time.monotonic()
        if self._traffic_moved:
            self._roll_back()
        if self._between is not None:
            self._between.end_new()
        delay = 0.0
        if self._traffic_moved:
            self.wait_transition_time(began)
            # One that is asked for while the update is under way: so that whoever polls is sure to see RollingBack.
            delay = self.region.faults.take_status_delay("UpdateEndpoint", self.name)
        self.rest_then(delay, lambda: self._give_up(why))

    def _give_up(self, why: str) -> None:
        with self.region.lock:
            self._shown.settle("Failed" if self._creates else "InService", {"FailureReason": why})
            self.end()

    def _roll_back(self) -> None:
        between, rolling = self._between, self._policy.rolling is not None
        assert between is not None
        self._shown.set_status("RollingBack")
        left = self._left()
        for stage in plan_rollback(self._policy, between.old_counts, self._stages[self._at], left):
            if rolling:
                self._shown.set_variant_status(
                    "Updating", _LAUNCHING, {name: n - left[name] for name, n in stage.old_counts.items()}
                )
                between.scale_old(stage.old_counts)
                self._shown.clear_variant_status(stage.old_counts)
            between.shift_traffic(stage.traffic_share)
            left = stage.old_counts
            self._shown.set_variant_status(
                "Deleting", _TERMINATING, stage.active_counts, pending=True, current=stage.active_counts
            )
            if rolling:
                between.scale_new(stage.new_counts)
