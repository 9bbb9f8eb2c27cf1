"""Operations of Cost Explorer that moto lacks: anomaly monitors, their subscriptions, and cost allocation tags."""

import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from sagemaker_sandbox.base.backends import get_backends
from sagemaker_sandbox.base.clock import Clock
from sagemaker_sandbox.base.errors import ApiError, ValidationError
from sagemaker_sandbox.resources.handlers import emulated_operation
from sagemaker_sandbox.resources.resources import Fields
from sagemaker_sandbox.services.parameters import check_parameters
from sagemaker_sandbox.services.registry import ServiceOperations, ServiceRequest

#: Attribute of moto's backend that holds the state. It is part of moto's state.
_STATE = "smlops_costs"
#: Subscribers that a frequency allows. Source: Cost Explorer API reference, AnomalySubscription, `Frequency`.
_SUBSCRIBERS = {"IMMEDIATE": "SNS", "DAILY": "EMAIL", "WEEKLY": "EMAIL"}
_LARGEST_EMAILS, _LARGEST_TOPICS = 10, 1


@dataclass
class CostState:
    """Monitors and subscriptions of an account by ARN, their tags, and the dates of active tag keys."""

    monitors: dict[str, Fields] = field(default_factory=dict)
    subscriptions: dict[str, Fields] = field(default_factory=dict)
    tags: dict[str, dict[str, str]] = field(default_factory=dict)
    active_keys: dict[str, str] = field(default_factory=dict)
    billed_keys: set[str] = field(default_factory=set)


class CostExplorerOperations(ServiceOperations):
    """Operations of monitors, subscriptions, their tags, and cost allocation tags.

    `list_tag_keys(account)` returns the tag keys of the account's resources. The bill has each key immediately.
    """

    service = moto_service = signing_name = "ce"

    def __init__(self, clock: Clock, list_tag_keys: Callable[[str], Iterable[str]]) -> None:
        self._clock = clock
        self._list_tag_keys = list_tag_keys

    @emulated_operation
    def create_anomaly_monitor(self, request: ServiceRequest) -> Fields:
        """Create a monitor. An account can have one for each dimension."""
        parameters = check_parameters(self.service, "CreateAnomalyMonitor", request)
        monitor, state = parameters["AnomalyMonitor"], _get_state(request)
        dimension = monitor.get("MonitorDimension")
        if (monitor["MonitorType"] == "DIMENSIONAL") != bool(dimension):
            raise ValidationError(
                "A monitor of type DIMENSIONAL needs MonitorDimension, and one of type CUSTOM has none."
            )
        if (monitor["MonitorType"] == "CUSTOM") != bool(monitor.get("MonitorSpecification")):
            raise ValidationError(
                "A monitor of type CUSTOM needs MonitorSpecification, and one of type DIMENSIONAL none."
            )
        if dimension and dimension in [one.get("MonitorDimension") for one in state.monitors.values()]:
            raise ValidationError("Limit exceeded on dimensional spend monitor creation")
        arn = f"arn:aws:ce::{request.account}:anomalymonitor/{uuid.uuid4()}"
        now = self._format_now()
        state.monitors[arn] = monitor | {"MonitorArn": arn, "CreationDate": now, "LastUpdatedDate": now}
        state.tags[arn] = _parse_tags(parameters.get("ResourceTags") or [])
        return {"MonitorArn": arn}

    @emulated_operation
    def get_anomaly_monitors(self, request: ServiceRequest) -> Fields:
        """Return all monitors, or those with the requested ARNs."""
        parameters = check_parameters(self.service, "GetAnomalyMonitors", request)
        monitors = _get_state(request).monitors
        arns = parameters.get("MonitorArnList") or list(monitors)
        return {"AnomalyMonitors": [_find_monitor(request, arn) for arn in arns]}

    @emulated_operation
    def update_anomaly_monitor(self, request: ServiceRequest) -> Fields:
        """Rename a monitor."""
        parameters = check_parameters(self.service, "UpdateAnomalyMonitor", request)
        monitor = _find_monitor(request, parameters["MonitorArn"])
        name = parameters.get("MonitorName") or monitor["MonitorName"]
        monitor.update({"MonitorName": name, "LastUpdatedDate": self._format_now()})
        return {"MonitorArn": monitor["MonitorArn"]}

    @emulated_operation
    def delete_anomaly_monitor(self, request: ServiceRequest) -> Fields:
        """Delete a monitor."""
        arn = check_parameters(self.service, "DeleteAnomalyMonitor", request)["MonitorArn"]
        _find_monitor(request, arn)
        state = _get_state(request)
        del state.monitors[arn], state.tags[arn]
        return {}

    @emulated_operation
    def create_anomaly_subscription(self, request: ServiceRequest) -> Fields:
        """Create a subscription to monitors."""
        parameters = check_parameters(self.service, "CreateAnomalySubscription", request)
        subscription, state = parameters["AnomalySubscription"], _get_state(request)
        _check_subscription(request, subscription)
        arn = f"arn:aws:ce::{request.account}:anomalysubscription/{uuid.uuid4()}"
        own = {"SubscriptionArn": arn, "AccountId": request.account}
        state.subscriptions[arn] = _confirm_subscribers(subscription) | own
        state.tags[arn] = _parse_tags(parameters.get("ResourceTags") or [])
        return {"SubscriptionArn": arn}

    @emulated_operation
    def get_anomaly_subscriptions(self, request: ServiceRequest) -> Fields:
        """Return all subscriptions, or those with the requested ARNs or of the requested monitor."""
        parameters = check_parameters(self.service, "GetAnomalySubscriptions", request)
        arns = parameters.get("SubscriptionArnList") or list(_get_state(request).subscriptions)
        subscriptions = [_find_subscription(request, arn) for arn in arns]
        monitor = parameters.get("MonitorArn")
        return {
            "AnomalySubscriptions": [one for one in subscriptions if not monitor or monitor in one["MonitorArnList"]]
        }

    @emulated_operation
    def update_anomaly_subscription(self, request: ServiceRequest) -> Fields:
        """Change members of a subscription."""
        parameters = check_parameters(self.service, "UpdateAnomalySubscription", request)
        subscription = _find_subscription(request, parameters["SubscriptionArn"])
        changed = subscription | parameters
        _check_subscription(request, changed)
        subscription.update(_confirm_subscribers(changed))
        return {"SubscriptionArn": subscription["SubscriptionArn"]}

    @emulated_operation
    def delete_anomaly_subscription(self, request: ServiceRequest) -> Fields:
        """Delete a subscription."""
        arn = check_parameters(self.service, "DeleteAnomalySubscription", request)["SubscriptionArn"]
        _find_subscription(request, arn)
        state = _get_state(request)
        del state.subscriptions[arn], state.tags[arn]
        return {}

    @emulated_operation
    def list_tags_for_resource(self, request: ServiceRequest) -> Fields:
        """Return the tags of a monitor, a subscription or a cost category."""
        arn = check_parameters(self.service, "ListTagsForResource", request)["ResourceArn"]
        state = _get_state(request)
        if arn not in state.tags:
            tags: list[Fields] = _get_backend(request).list_tags_for_resource(arn)
            return {"ResourceTags": tags}
        return {"ResourceTags": [{"Key": key, "Value": value} for key, value in state.tags[arn].items()]}

    @emulated_operation
    def tag_resource(self, request: ServiceRequest) -> Fields:
        """Add tags to a monitor, a subscription or a cost category."""
        parameters = check_parameters(self.service, "TagResource", request)
        arn, state = parameters["ResourceArn"], _get_state(request)
        if arn in state.tags:
            state.tags[arn].update(_parse_tags(parameters["ResourceTags"]))
        else:
            _get_backend(request).tag_resource(arn, parameters["ResourceTags"])
        return {}

    @emulated_operation
    def untag_resource(self, request: ServiceRequest) -> Fields:
        """Remove tags from a monitor, a subscription or a cost category."""
        parameters = check_parameters(self.service, "UntagResource", request)
        arn, state = parameters["ResourceArn"], _get_state(request)
        if arn in state.tags:
            for key in parameters["ResourceTagKeys"]:
                state.tags[arn].pop(key, None)
        else:
            _get_backend(request).untag_resource(arn, parameters["ResourceTagKeys"])
        return {}

    @emulated_operation
    def list_cost_allocation_tags(self, request: ServiceRequest) -> Fields:
        """Return the tag keys of the bill, with their status."""
        parameters = check_parameters(self.service, "ListCostAllocationTags", request)
        active = _get_state(request).active_keys
        tags = [
            {"TagKey": key, "Type": "UserDefined", "Status": "Active" if key in active else "Inactive"}
            | ({"LastUpdatedDate": active[key]} if key in active else {})
            for key in self._list_billed_keys(request)
            if key in (parameters.get("TagKeys") or [key])
        ]
        wanted_status, wanted_type = parameters.get("Status"), parameters.get("Type")
        return {
            "CostAllocationTags": [
                tag for tag in tags if wanted_status in (None, tag["Status"]) and wanted_type in (None, tag["Type"])
            ]
        }

    @emulated_operation
    def update_cost_allocation_tags_status(self, request: ServiceRequest) -> Fields:
        """Activate and deactivate tag keys. The response names the keys that no bill has."""
        parameters = check_parameters(self.service, "UpdateCostAllocationTagsStatus", request)
        billed, active = self._list_billed_keys(request), _get_state(request).active_keys
        errors = []
        for entry in parameters["CostAllocationTagsStatus"]:
            key = entry["TagKey"]
            if key not in billed:
                errors.append(
                    {"TagKey": key, "Code": "TagKeysNotFoundException", "Message": f"Tag keys not found: {key}"}
                )
            elif entry["Status"] == "Active":
                active[key] = self._format_now()
            else:
                active.pop(key, None)
        return {"Errors": errors}

    def _list_billed_keys(self, request: ServiceRequest) -> list[str]:
        """Return the tag keys of the account's bills. A key stays after its last resource is deleted."""
        billed = _get_state(request).billed_keys
        billed.update(key for key in self._list_tag_keys(request.account) if not key.startswith("aws:"))
        return sorted(billed)

    def _format_now(self) -> str:
        return f"{self._clock.now():%Y-%m-%dT%H:%M:%SZ}"


def list_tag_keys(account: str, regions: Iterable[str]) -> set[str]:
    """Return the tag keys of an account's resources in these Regions and those with a KMS key or an SNS topic."""
    from moto.core.resource_tagging import iter_taggable_backends

    used = {region for service in ("kms", "sns") for region in get_backends(service)[account]}
    return {
        key
        for region in {*used, *regions}
        for backend in iter_taggable_backends(account, region)
        for resource in backend.iter_tagged_resources()
        for key in resource.tags
    }


def _get_backend(request: ServiceRequest) -> Any:
    from moto.ce.models import ce_backends

    return ce_backends[request.account]["aws"]


def _get_state(request: ServiceRequest) -> CostState:
    state: CostState = _get_backend(request).__dict__.setdefault(_STATE, CostState())
    return state


def _find_monitor(request: ServiceRequest, arn: str) -> Fields:
    monitors = _get_state(request).monitors
    if arn not in monitors:
        raise ApiError(f"Monitor {arn} does not exist.", code="UnknownMonitorException")
    return monitors[arn]


def _find_subscription(request: ServiceRequest, arn: str) -> Fields:
    subscriptions = _get_state(request).subscriptions
    if arn not in subscriptions:
        raise ApiError(f"Subscription {arn} does not exist.", code="UnknownSubscriptionException")
    return subscriptions[arn]


def _check_subscription(request: ServiceRequest, subscription: Fields) -> None:
    """Raise ApiError for unknown monitors, and for subscribers that the frequency does not allow."""
    for arn in subscription["MonitorArnList"]:
        _find_monitor(request, arn)
    kinds = [one["Type"] for one in subscription["Subscribers"]]
    frequency = subscription["Frequency"]
    if not kinds or set(kinds) != {_SUBSCRIBERS[frequency]}:
        raise ValidationError(
            f"A subscription of frequency {frequency} needs subscribers of {_SUBSCRIBERS[frequency]}."
        )
    if len(kinds) > (_LARGEST_TOPICS if kinds[0] == "SNS" else _LARGEST_EMAILS):
        raise ValidationError(
            f"A subscription can have {_LARGEST_EMAILS} email addresses or {_LARGEST_TOPICS} SNS topic."
        )
    if not subscription.get("ThresholdExpression") and subscription.get("Threshold") is None:
        raise ValidationError("A subscription needs a ThresholdExpression or a Threshold.")


def _confirm_subscribers(subscription: Fields) -> Fields:
    """Return a subscription whose subscribers are confirmed."""
    return subscription | {"Subscribers": [one | {"Status": "CONFIRMED"} for one in subscription["Subscribers"]]}


def _parse_tags(tags: list[dict[str, str]]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in tags}
