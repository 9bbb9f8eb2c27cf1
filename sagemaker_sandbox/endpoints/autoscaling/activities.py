"""Scaling activities: records of capacity changes, their causes and outcomes, and of rejected changes."""

import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from sagemaker_sandbox.base.errors import ApiError
from sagemaker_sandbox.endpoints.autoscaling.pages import build_page, filter_by_target
from sagemaker_sandbox.endpoints.autoscaling.target import ScalableTarget
from sagemaker_sandbox.resources.handlers import emulated_operation
from sagemaker_sandbox.resources.region import AccountRegion
from sagemaker_sandbox.resources.resources import Fields, ServicePart

#: Retention of activities in AWS.
_RETENTION = timedelta(weeks=6)


class ScalingActivities(ServicePart):
    """Operation DescribeScalingActivities. All methods require the lock of the Region."""

    service = "application-autoscaling"

    def __init__(self, region: AccountRegion) -> None:
        super().__init__(region)
        #: Activities by ID, the oldest first.
        self._activities: dict[str, Fields] = {}
        #: Active activities by ID: target and desired capacity.
        self._active: dict[str, tuple[ScalableTarget, int]] = {}

    @emulated_operation
    def describe_scaling_activities(self, request: Fields) -> Fields:
        """Return the activities of the last six weeks, newest first."""
        activities = filter_by_target(request, reversed(self._activities.values()))
        if not request.get("IncludeNotScaledActivities"):
            activities = [activity for activity in activities if "NotScaledReasons" not in activity]
        return build_page(request, "ScalingActivities", activities)

    def record_start(self, target: ScalableTarget, count: int, cause: str, moment: datetime) -> str:
        """Record a capacity change that SageMaker accepted, and return its ID."""
        noun = target.dimension.noun
        activity = self._add(target, f"Setting {noun} to {count}.", cause, moment)
        activity["StatusCode"] = "InProgress"
        activity["StatusMessage"] = (
            f"Successfully set {noun} to {count}. Waiting for change to be fulfilled by sagemaker."
        )
        self._active[activity["ActivityId"]] = target, count
        return str(activity["ActivityId"])

    def record_refusal(self, target: ScalableTarget, count: int, cause: str, moment: datetime, error: ApiError) -> None:
        """Record a capacity change that SageMaker rejected."""
        noun = target.dimension.noun
        self._add(target, f"Setting {noun} to {count}.", cause, moment).update(
            EndTime=moment,
            StatusCode="Failed",
            StatusMessage=f"Failed to set {noun} to {count}. Reason: {error.message} (Service: AmazonSageMaker; Status "
            f"Code: {error.status}; Error Code: {error.code}; Request ID: {uuid.uuid4()}).",
        )

    def record_bounds(self, target: ScalableTarget, bounds: str, cause: str, moment: datetime, error: str = "") -> None:
        """Record that a scheduled action set these bounds, or failed to."""
        message = f"Failed to set {bounds}. Reason: {error}" if error else f"Successfully set {bounds}"
        self._add(target, f"Setting {bounds}", cause, moment).update(
            EndTime=moment, StatusCode="Failed" if error else "Successful", StatusMessage=message
        )

    def record_not_scaled(self, target: ScalableTarget, cause: str, moment: datetime, reason: Fields) -> None:
        """Record an alarm without a capacity change.

        A repeated record is written once, not every minute (assumed).
        """
        expected = target.key.to_fields() | {"Cause": cause}
        previous = next(
            (known for known in reversed(self._activities.values()) if expected.items() <= known.items()), {}
        )
        if previous.get("NotScaledReasons") == [reason]:
            return
        activity = self._add(target, "Attempting to scale due to alarm triggered", cause, moment)
        activity |= {"StatusCode": "Failed", "NotScaledReasons": [reason]}

    def list_active(self) -> Iterator[tuple[str, ScalableTarget, int]]:
        """Yield ID, target and desired capacity of the active activities."""
        for activity, (target, count) in list(self._active.items()):
            yield activity, target, count

    @property
    def has_active(self) -> bool:
        """True if any activity is active."""
        return bool(self._active)

    def is_active(self, target: ScalableTarget) -> bool:
        """Return whether an activity of the target is active."""
        return any(active_target is target for active_target, _ in self._active.values())

    def record_end(self, activity: str, status: str, moment: datetime) -> None:
        """Record the end of an activity."""
        target, count = self._active.pop(activity)
        record = self._activities[activity]
        record |= {"StatusCode": status, "EndTime": moment}
        if status == "Successful":
            noun = target.dimension.noun
            record["StatusMessage"] = f"Successfully set {noun} to {count}. Change successfully fulfilled by sagemaker."

    def get_success_time(self, activity: str) -> datetime | None:
        """Return the second in which an activity was fulfilled; None if it was not."""
        record = self._activities.get(activity, {})
        return record["EndTime"].replace(microsecond=0) if record.get("StatusCode") == "Successful" else None

    def snapshot(self) -> Any:
        """Return all activities, and the IDs of the active ones."""
        return {"activities": self._activities, "active": list(self._active)}

    def restore(self, snapshot: Any) -> None:
        """Restore activities. Those that were active ended with the sandbox."""
        self._activities = snapshot["activities"]
        for activity in snapshot["active"]:
            self._activities[activity] |= {"StatusCode": "Unfulfilled", "EndTime": self.region.clock.now()}

    def _add(self, target: ScalableTarget, description: str, cause: str, moment: datetime) -> Fields:
        for activity, known in list(self._activities.items()):
            if known["StartTime"] > moment - _RETENTION:
                break
            del self._activities[activity]
        activity = str(uuid.uuid4())
        record = {"ActivityId": activity, "Description": description, "Cause": cause, "StartTime": moment}
        self._activities[activity] = record = target.key.to_fields() | record
        return record
