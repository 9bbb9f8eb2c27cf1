"""Scalable targets: registration for a variant, and capacity changes through SageMaker.

A target is deleted with its variant.
"""

import re
import secrets
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from sagemaker_sandbox.base.errors import ApiError, ValidationError
from sagemaker_sandbox.endpoints.autoscaling.activities import ScalingActivities
from sagemaker_sandbox.endpoints.autoscaling.dimensions import DIMENSIONS, EndpointVariant, parse_resource_id
from sagemaker_sandbox.endpoints.autoscaling.errors import NoSuchArnError, ObjectNotFoundError, TooManyTagsError
from sagemaker_sandbox.endpoints.autoscaling.pages import build_page, filter_by_target
from sagemaker_sandbox.endpoints.autoscaling.target import SUSPENSION_MEMBERS, ScalableTarget, TargetKey
from sagemaker_sandbox.endpoints.endpoint_configs import EndpointConfigs
from sagemaker_sandbox.endpoints.endpoints import Endpoints
from sagemaker_sandbox.resources.handlers import emulated_operation
from sagemaker_sandbox.resources.instance_types import list_instance_types
from sagemaker_sandbox.resources.region import AccountRegion
from sagemaker_sandbox.resources.resources import Fields, SageMakerResource, ServicePart

_ROLE_NAME_PREFIX = (
    "aws-service-role/sagemaker.application-autoscaling.amazonaws.com/AWSServiceRoleForApplicationAutoScaling_"
)
_MAX_TAGS = 50
#: Burstable instance types, which AWS does not scale.
_BURSTABLE = re.compile(r"ml\.t\d")


class ScalableTargets(ServicePart):
    """Operations Register-, Describe- and DeregisterScalableTarget, and the tags of targets."""

    service = "application-autoscaling"

    def __init__(
        self, region: AccountRegion, endpoints: Endpoints, configs: EndpointConfigs, activities: ScalingActivities
    ) -> None:
        super().__init__(region)
        self._endpoints = endpoints
        self._configs = configs
        self._activities = activities
        self._targets: dict[TargetKey, ScalableTarget] = {}
        endpoints.on_deletion.append(self._on_endpoint_deleted)
        endpoints.update_checks.append(self._check_update)

    @emulated_operation
    def register_scalable_target(self, request: Fields) -> Fields:
        """Register a target, or update an existing one. The capacity moves into the bounds immediately."""
        key = TargetKey.from_request(request)
        with self.region.lock:
            target = self.find_target(key)
            if target is None:
                self._check_new(key, request)
                target = self._build_target(key, request)
            _check_bounds(
                request.get("MinCapacity", target.min_capacity), request.get("MaxCapacity", target.max_capacity)
            )
            target.min_capacity = request.get("MinCapacity", target.min_capacity)
            target.max_capacity = request.get("MaxCapacity", target.max_capacity)
            target.suspended_state |= request.get("SuspendedState", {})
            self._targets[key] = target
        self.move_into_bounds(target, self.region.clock.now())
        return {"ScalableTargetARN": target.arn}

    @emulated_operation
    def describe_scalable_targets(self, request: Fields) -> Fields:
        """Return targets in the order of their registration."""
        role = f"arn:aws:iam::{self.region.account_id}:role/{_ROLE_NAME_PREFIX}SageMakerEndpoint"
        with self.region.lock:
            descriptions = [target.describe(role) for target in self]
            return build_page(request, "ScalableTargets", filter_by_target(request, descriptions))

    @emulated_operation
    def deregister_scalable_target(self, request: Fields) -> Fields:
        """Delete a target with its policies, alarms and scheduled actions. The capacity does not change."""
        key = TargetKey.from_request(request)
        with self.region.lock:
            target = self.find_target(key)
            if target is None:
                raise ObjectNotFoundError(f"No scalable target found for {key}")
            alarms = self._remove(target)
        self.delete_alarms(alarms)
        return {}

    @emulated_operation
    def list_tags_for_resource(self, request: Fields) -> Fields:
        """Return the tags of a target."""
        with self.region.lock:
            return {"Tags": dict(self._find_by_arn(request).tags)}

    @emulated_operation
    def tag_resource(self, request: Fields) -> Fields:
        """Add tags, or replace their values."""
        with self.region.lock:
            target = self._find_by_arn(request)
            tags = target.tags | request["Tags"]
            if len(tags) > _MAX_TAGS:
                raise TooManyTagsError(f"The number of tags cannot be greater than {_MAX_TAGS}")
            target.tags = tags
        return {}

    @emulated_operation
    def untag_resource(self, request: Fields) -> Fields:
        """Remove tags."""
        with self.region.lock:
            tags = self._find_by_arn(request).tags
            for key in request["TagKeys"]:
                tags.pop(key, None)
        return {}

    def __iter__(self) -> Iterator[ScalableTarget]:
        """Yield the targets whose variant exists."""
        return iter([target for key in list(self._targets) if (target := self.find_target(key)) is not None])

    def find_target(self, key: TargetKey) -> ScalableTarget | None:
        """Return the target with this key; None if it or its variant does not exist.

        Requires the lock of the Region.
        """
        target = self._targets.get(key)
        if target is not None and self._find_configured(target.variant) is None:
            self._start_alarm_deletion(self._remove(target))
            return None
        return target

    def get_registered(self, key: TargetKey) -> ScalableTarget:
        """Return the target with this key. Raises ObjectNotFoundError."""
        target = self.find_target(key)
        if target is None:
            raise ObjectNotFoundError(f"No scalable target registered for {key}")
        return target

    def read_desired_capacity(self, target: ScalableTarget) -> int | None:
        """Return the desired capacity of the target; None while its endpoint is not in service."""
        endpoint = self._find_endpoint(target.variant)
        if endpoint is None or endpoint["EndpointStatus"] != "InService":
            return None
        variant = _find_variant(endpoint, target.variant)
        return None if variant is None else target.dimension.read_desired(variant)

    def set_capacity(self, target: ScalableTarget, count: int, cause: str, moment: datetime) -> str | None:
        """Request this capacity from SageMaker. Must not hold the lock.

        Return the ID of the activity, or None if SageMaker refuses.
        """
        update = {"VariantName": target.variant.variant} | target.dimension.build_update(count)
        request = {"EndpointName": target.variant.endpoint, "DesiredWeightsAndCapacities": [update]}
        try:
            self.region.call("UpdateEndpointWeightsAndCapacities", request)
        except ApiError as error:
            with self.region.lock:
                self._activities.record_refusal(target, count, cause, moment, error)
            return None
        with self.region.lock:
            activity = self._activities.record_start(target, count, cause, moment)
        self.region.clock.wake()  # the clock must check the end of the activity
        return activity

    def move_into_bounds(self, target: ScalableTarget, moment: datetime) -> bool:
        """Move the capacity between the bounds. Must not hold the lock.

        Return False if the endpoint is not in service.
        """
        with self.region.lock:
            capacity = self.read_desired_capacity(target)
        if capacity is None:
            return False
        if capacity < target.min_capacity:
            self.set_capacity(target, target.min_capacity, f"minimum capacity was set to {target.min_capacity}", moment)
        elif capacity > target.max_capacity:
            self.set_capacity(target, target.max_capacity, f"maximum capacity was set to {target.max_capacity}", moment)
        return True

    def complete_activities(self, moment: datetime) -> None:
        """End the activities that are complete. Requires the lock of the Region."""
        for activity, target, count in self._activities.list_active():
            endpoint = self._find_endpoint(target.variant) or {}
            variant = _find_variant(endpoint, target.variant) or {}
            if endpoint.get("EndpointStatus") in ("Updating", "SystemUpdating", "RollingBack"):
                continue
            is_fulfilled = target.dimension.read_current(variant) == count
            failure_status = "Unfulfilled" if "FailureReason" in endpoint or not variant else "Overridden"
            status = "Successful" if is_fulfilled else failure_status
            self._activities.record_end(activity, status, moment)

    def delete_alarms(self, names: list[str]) -> None:
        """Delete alarms of target tracking. Those that a composite alarm needs remain. Must not hold the lock."""
        for name in names:
            with suppress(ClientError):
                self.region.client("cloudwatch").delete_alarms(AlarmNames=[name])

    def _start_alarm_deletion(self, names: list[str]) -> None:
        if names:
            self.region.start_thread(
                "alarms of a scalable target", lambda: self.delete_alarms(names), blocks_clock=True
            )

    def _remove(self, target: ScalableTarget) -> list[str]:
        """Remove a target and return the names of its alarms."""
        self._targets.pop(target.key, None)
        return [alarm["AlarmName"] for policy in target.policies.values() for alarm in policy.alarms]

    def _on_endpoint_deleted(self, name: str) -> None:
        for target in list(self._targets.values()):
            if target.variant.endpoint == name:
                self._start_alarm_deletion(self._remove(target))

    def _find_endpoint(self, variant: EndpointVariant) -> Fields | None:
        """Return the members of an endpoint that exists and is not being deleted."""
        endpoint = self._endpoints.find(variant.endpoint)
        return None if endpoint is None or endpoint.is_being_deleted else endpoint.fields

    def _check_new(self, key: TargetKey, request: Fields) -> None:
        endpoint_variant = parse_resource_id(key.resource_id)
        if endpoint_variant is None or key.dimension not in DIMENSIONS:
            raise ValidationError("Unsupported service namespace, resource type or scalable dimension")
        for member, noun in (("MinCapacity", "Minimum"), ("MaxCapacity", "Maximum")):
            if member not in request:
                raise ValidationError(f"{noun} capacity must be specified")
        variant = self._find_configured(endpoint_variant)
        if variant is None:  # the message that AWS uses for resources of other services
            raise ValidationError(f"SageMaker endpoint variant doesn't exist: {key.resource_id}")
        if DIMENSIONS[key.dimension].is_serverless != ("ServerlessConfig" in variant):
            raise ValidationError(f"Scalable dimension {key.dimension} is not supported for {key.resource_id}")
        for type_ in filter(_BURSTABLE.match, list_instance_types(variant)):
            raise ValidationError(
                f"You cannot register a variant with {type_} instance type as a scalable target. This is because the "
                "burstable performance of these instances can lead to unpredictable behavior with Auto Scaling."
            )

    def _find_configured(self, variant: EndpointVariant) -> Fields | None:
        """Return the variant in the present or, before the endpoint serves, the future configuration."""
        endpoint = self._endpoints.find(variant.endpoint)
        if endpoint is None or endpoint.is_being_deleted:
            return None
        config = endpoint.private.get("config")
        if config is None and (future := self._configs.find(endpoint.fields["EndpointConfigName"])) is not None:
            config = future.fields
        return _find_by_name((config or {}).get("ProductionVariants", []), variant.variant)

    def _check_update(self, endpoint: SageMakerResource, config: Fields) -> None:
        """Reject another instance type for a variant with a target. AWS publishes no wording."""
        for target in self:
            if target.variant.endpoint != endpoint.name:
                continue
            current = _find_by_name(endpoint.private["config"]["ProductionVariants"], target.variant.variant) or {}
            future = _find_by_name(config["ProductionVariants"], target.variant.variant) or current
            if list_instance_types(current) != list_instance_types(future):
                raise ValidationError(
                    f'Cannot update endpoint "{endpoint.arn}": variant {target.variant.variant} is a scalable target '
                    "of Application Auto Scaling, and its instance type would change. Deregister the target first."
                )

    def _build_target(self, key: TargetKey, request: Fields) -> ScalableTarget:
        return ScalableTarget(
            key,
            f"arn:aws:application-autoscaling:{self.region.name}:{self.region.account_id}:scalable-target/"
            f"{secrets.token_hex(18)}",
            request["MinCapacity"],
            request["MaxCapacity"],
            dict.fromkeys(SUSPENSION_MEMBERS, False),
            self.region.clock.now(),
            dict(request.get("Tags", {})),
        )

    def _find_by_arn(self, request: Fields) -> ScalableTarget:
        for target in self:
            if target.arn == request["ResourceARN"]:
                return target
        raise NoSuchArnError(f"No scalable target found for resource ARN: {request['ResourceARN']}")

    def list_remaining(self) -> dict[str, list[str]]:
        """Return the names of the remaining targets and policies, by kind."""
        remaining = {
            "scalable target": [target.key.resource_id for target in self],
            "scaling policy": [name for target in self for name in target.policies],
        }
        return {kind: names for kind, names in remaining.items() if names}

    def snapshot(self) -> Any:
        """Return every target as plain data."""
        return [target.to_data() for target in self._targets.values()]

    def restore(self, snapshot: Any) -> None:
        """Restore every target from a snapshot."""
        targets = map(ScalableTarget.from_data, snapshot)
        self._targets = {target.key: target for target in targets}


def _check_bounds(min_capacity: int, max_capacity: int) -> None:
    if min(min_capacity, max_capacity) < 0:
        raise ValidationError(f"{'Minimum' if min_capacity < 0 else 'Maximum'} capacity cannot be less than 0")
    if max_capacity < min_capacity:
        raise ValidationError("Maximum capacity cannot be less than minimum capacity")


def _find_variant(endpoint: Fields, variant: EndpointVariant) -> Fields | None:
    """Return the variant in the response of DescribeEndpoint."""
    return _find_by_name(endpoint.get("ProductionVariants", []), variant.variant)


def _find_by_name(variants: Iterable[Fields], name: str) -> Fields | None:
    return next((variant for variant in variants if variant["VariantName"] == name), None)
