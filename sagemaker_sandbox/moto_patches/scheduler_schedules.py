"""EventBridge Scheduler: moto keeps schedules and never starts one."""

from typing import Any

from moto.scheduler.models import EventBridgeSchedulerBackend
from moto.scheduler.responses import EventBridgeSchedulerResponse

from sagemaker_sandbox.services.eventbridge.schedules import Schedules, check_schedule


def apply(schedules: Schedules) -> None:
    """Check schedules when they are created or updated, and send them to `schedules`."""
    create, update = EventBridgeSchedulerBackend.create_schedule, EventBridgeSchedulerBackend.update_schedule
    respond_to_update = EventBridgeSchedulerResponse.update_schedule

    def create_schedule(self: Any, **request: Any) -> Any:
        check_schedule(self.account_id, request)
        schedule = create(self, **request)
        schedules.record_creation(schedule)
        return schedule

    def update_schedule(self: Any, **request: Any) -> Any:
        check_schedule(self.account_id, request)
        schedule = self.get_schedule(request["group_name"], request["name"])
        if schedule.schedule_expression != request["schedule_expression"]:
            schedules.record_change(schedule)
        updated = update(self, **request | {"state": request["state"] or "ENABLED"})
        schedules.wake()
        return updated

    def update_with_completion_action(self: Any) -> Any:
        response = respond_to_update(self)  # moto ignores ActionAfterCompletion here
        name = self.uri.split("?")[0].split("/")[-1]
        schedule = self.scheduler_backend.get_schedule(self._get_param("GroupName"), name)
        schedule.action_after_completion = self._get_param("ActionAfterCompletion")
        return response

    EventBridgeSchedulerResponse.update_schedule = update_with_completion_action
    EventBridgeSchedulerBackend.create_schedule = create_schedule
    EventBridgeSchedulerBackend.update_schedule = update_schedule
