"""Scaling activities: what was done, why and with which outcome, and what was not."""

import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from sagemaker_sandbox.autoscaling.pages import build_page, filter_by_target
from sagemaker_sandbox.autoscaling.target import ScalableTarget
from sagemaker_sandbox.errors import ApiError
from sagemaker_sandbox.parts.handlers import emulated_operation
from sagemaker_sandbox.parts.region import AccountRegion
from sagemaker_sandbox.parts.resources import Fields, ServicePart

#: How long AWS tells of them.
_KEPT = timedelta(weeks=6)


class ScalingActivities(ServicePart):
    """DescribeScalingActivities. All methods are called with the Region's lock held."""

    service = "application-autoscaling"

    def __init__(self, region: AccountRegion) -> None:
        super().__init__(region)
        #: By id, the oldest first.
        self._known: dict[str, Fields] = {}
        #: Those under way: the target, and the capacity that it is to have.
        self._under_way: dict[str, tuple[ScalableTarget, int]] = {}

    @emulated_operation
    def describe_scaling_activities(self, request: Fields) -> Fields:
        """Those of the last six weeks, newest first."""
        found = filter_by_target(request, reversed(self._known.values()))
        if not request.get("IncludeNotScaledActivities"):
            found = [one for one in found if "NotScaledReasons" not in one]
        return build_page(request, "ScalingActivities", found)

    def record_start(self, target: ScalableTarget, count: int, cause: str, moment: datetime) -> str:
        """The id of a new one: SageMaker was asked for so much, and has not refused."""
        noun = target.dimension.noun
        activity = self._add(target, f"Setting {noun} to {count}.", cause, moment)
        activity["StatusCode"] = "InProgress"
        activity["StatusMessage"] = (
            f"Successfully set {noun} to {count}. Waiting for change to be fulfilled by sagemaker."
        )
        self._under_way[activity["ActivityId"]] = target, count
        return str(activity["ActivityId"])

    def record_refusal(self, target: ScalableTarget, count: int, cause: str, moment: datetime, error: ApiError) -> None:
        """SageMaker was asked for so much, and has refused."""
        noun = target.dimension.noun
        self._add(target, f"Setting {noun} to {count}.", cause, moment).update(
            EndTime=moment,
            StatusCode="Failed",
            StatusMessage=f"Failed to set {noun} to {count}. Reason: {error.message} (Service: AmazonSageMaker; Status "
            f"Code: {error.status}; Error Code: {error.code}; Request ID: {uuid.uuid4()}).",
        )

    def record_bounds(
        self, target: ScalableTarget, bounds: str, cause: str, moment: datetime, why_not: str = ""
    ) -> None:
        """A scheduled action has set these bounds, or could not, which is said."""
        done = f"Failed to set {bounds}. Reason: {why_not}" if why_not else f"Successfully set {bounds}"
        self._add(target, f"Setting {bounds}", cause, moment).update(
            EndTime=moment, StatusCode="Failed" if why_not else "Successful", StatusMessage=done
        )

    def record_not_scaled(self, target: ScalableTarget, cause: str, moment: datetime, reason: Fields) -> None:
        """An alarm asked, and nothing was done. The same is told once, not each minute anew (assumed)."""
        same = target.key.to_fields() | {"Cause": cause}
        last = next((one for one in reversed(self._known.values()) if same.items() <= one.items()), {})
        if last.get("NotScaledReasons") == [reason]:
            return
        activity = self._add(target, "Attempting to scale due to alarm triggered", cause, moment)
        activity |= {"StatusCode": "Failed", "NotScaledReasons": [reason]}

    def list_active(self) -> Iterator[tuple[str, ScalableTarget, int]]:
        """Those that are not over: id, target and the capacity that it is to have."""
        for activity, (target, count) in list(self._under_way.items()):
            yield activity, target, count

    @property
    def has_active(self) -> bool:
        """Whether one is not over."""
        return bool(self._under_way)

    def is_active(self, target: ScalableTarget) -> bool:
        """Whether one of that target is not over."""
        return any(of is target for of, _ in self._under_way.values())

    def record_end(self, activity: str, status: str, moment: datetime) -> None:
        """It is over."""
        target, count = self._under_way.pop(activity)
        told = self._known[activity]
        told |= {"StatusCode": status, "EndTime": moment}
        if status == "Successful":
            noun = target.dimension.noun
            told["StatusMessage"] = f"Successfully set {noun} to {count}. Change successfully fulfilled by sagemaker."

    def get_success_time(self, activity: str) -> datetime | None:
        """The second in which it was fulfilled; None for one that is not over, or came to nothing."""
        told = self._known.get(activity, {})
        return told["EndTime"].replace(microsecond=0) if told.get("StatusCode") == "Successful" else None

    def snapshot(self) -> Any:
        """All of them, and the ids of those under way."""
        return {"known": self._known, "under_way": list(self._under_way)}

    def restore(self, kept: Any) -> None:
        """What was under way has ended with the sandbox."""
        self._known = kept["known"]
        for activity in kept["under_way"]:
            self._known[activity] |= {"StatusCode": "Unfulfilled", "EndTime": self.region.clock.now()}

    def _add(self, target: ScalableTarget, description: str, cause: str, moment: datetime) -> Fields:
        for activity, one in list(self._known.items()):
            if one["StartTime"] > moment - _KEPT:
                break
            del self._known[activity]
        activity = str(uuid.uuid4())
        told = {"ActivityId": activity, "Description": description, "Cause": cause, "StartTime": moment}
        self._known[activity] = told = target.key.to_fields() | told
        return told
