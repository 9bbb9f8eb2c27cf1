"""Scalable targets: registered for a variant that is there, they go with it; their capacity is moved by SageMaker."""

import re
import secrets
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from sagemaker_sandbox.autoscaling.activities import ScalingActivities
from sagemaker_sandbox.autoscaling.dimensions import DIMENSIONS, EndpointVariant, parse_resource_id
from sagemaker_sandbox.autoscaling.errors import NoSuchArnError, ObjectNotFoundError, TooManyTagsError
from sagemaker_sandbox.autoscaling.pages import build_page, filter_by_target
from sagemaker_sandbox.autoscaling.target import SUSPENSION_MEMBERS, ScalableTarget, TargetKey
from sagemaker_sandbox.errors import ApiError, ValidationError
from sagemaker_sandbox.parts.handlers import emulated_operation
from sagemaker_sandbox.parts.region import AccountRegion
from sagemaker_sandbox.parts.resources import Fields, SageMakerResource, ServicePart
from sagemaker_sandbox.sagemaker.endpoint_configs import EndpointConfigs
from sagemaker_sandbox.sagemaker.endpoints import Endpoints

_ROLE = "aws-service-role/sagemaker.application-autoscaling.amazonaws.com/AWSServiceRoleForApplicationAutoScaling_"
_MOST_TAGS = 50
#: Types whose speed comes and goes, which AWS does not scale.
_BURSTABLE = re.compile(r"ml\.t\d")


class ScalableTargets(ServicePart):
    """Register-, Describe- and DeregisterScalableTarget, and their tags."""

    service = "application-autoscaling"

    def __init__(
        self, region: AccountRegion, endpoints: Endpoints, configs: EndpointConfigs, activities: ScalingActivities
    ) -> None:
        super().__init__(region)
        self._endpoints = endpoints
        self._configs = configs
        self._activities = activities
        self._targets: dict[TargetKey, ScalableTarget] = {}
        endpoints.deleting.append(self._endpoint_goes)
        endpoints.before_update.append(self._check_update)

    @emulated_operation
    def register_scalable_target(self, request: Fields) -> Fields:
        """A new one, or new settings of one that is there; the capacity is moved into the bounds at once."""
        key = TargetKey.from_request(request)
        with self.region.lock:
            target = self.find_target(key)
            if target is None:
                self._check_new(key, request)
                target = self._made(key, request)
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
        """In the order in which they were registered."""
        role = f"arn:aws:iam::{self.region.account_id}:role/{_ROLE}SageMakerEndpoint"
        with self.region.lock:
            found = [one.describe(role) for one in self]
            return build_page(request, "ScalableTargets", filter_by_target(request, found))

    @emulated_operation
    def deregister_scalable_target(self, request: Fields) -> Fields:
        """Gone with its policies, their alarms and its scheduled actions; the capacity stays as it is."""
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
        """The tags of a target."""
        with self.region.lock:
            return {"Tags": dict(self._of_arn(request).tags)}

    @emulated_operation
    def tag_resource(self, request: Fields) -> Fields:
        """Further tags, or other values."""
        with self.region.lock:
            target = self._of_arn(request)
            tags = target.tags | request["Tags"]
            if len(tags) > _MOST_TAGS:
                raise TooManyTagsError(f"The number of tags cannot be greater than {_MOST_TAGS}")
            target.tags = tags
        return {}

    @emulated_operation
    def untag_resource(self, request: Fields) -> Fields:
        """Fewer tags."""
        with self.region.lock:
            tags = self._of_arn(request).tags
            for key in request["TagKeys"]:
                tags.pop(key, None)
        return {}

    def __iter__(self) -> Iterator[ScalableTarget]:
        """Those whose variant is there."""
        return iter([target for key in list(self._targets) if (target := self.find_target(key)) is not None])

    def find_target(self, key: TargetKey) -> ScalableTarget | None:
        """The target of that key; None where there is none, or its variant is gone. Called with the Region's lock."""
        target = self._targets.get(key)
        if target is not None and self._configured(target.variant) is None:
            self._delete_alarms_soon(self._remove(target))
            return None
        return target

    def get_registered(self, key: TargetKey) -> ScalableTarget:
        """As `find`; raises ObjectNotFoundError."""
        target = self.find_target(key)
        if target is None:
            raise ObjectNotFoundError(f"No scalable target registered for {key}")
        return target

    def read_desired_capacity(self, target: ScalableTarget) -> int | None:
        """How much its variant is to have; None while its endpoint is not in service, so that nothing is scaled."""
        endpoint = self._endpoint(target.variant)
        if endpoint is None or endpoint["EndpointStatus"] != "InService":
            return None
        variant = _variant(endpoint, target.variant)
        return None if variant is None else target.dimension.read_desired(variant)

    def set_capacity(self, target: ScalableTarget, count: int, cause: str, moment: datetime) -> str | None:
        """Have SageMaker give the variant so much: the activity's id; None where it refuses. Not with the lock."""
        wanted = {"VariantName": target.variant.variant} | target.dimension.build_update(count)
        request = {"EndpointName": target.variant.endpoint, "DesiredWeightsAndCapacities": [wanted]}
        try:
            self.region.call("UpdateEndpointWeightsAndCapacities", request)
        except ApiError as error:
            with self.region.lock:
                self._activities.record_refusal(target, count, cause, moment, error)
            return None
        with self.region.lock:
            activity = self._activities.record_start(target, count, cause, moment)
        self.region.clock.wake()  # whoever is to see that it is fulfilled
        return activity

    def move_into_bounds(self, target: ScalableTarget, moment: datetime) -> bool:
        """Move the capacity between the bounds; False where the endpoint is not in service. Not with the lock."""
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
        """Say of activities under way that they are over. Called with the Region's lock."""
        for activity, target, count in self._activities.list_active():
            endpoint = self._endpoint(target.variant) or {}
            variant = _variant(endpoint, target.variant) or {}
            if endpoint.get("EndpointStatus") in ("Updating", "SystemUpdating", "RollingBack"):
                continue
            fulfilled = target.dimension.read_current(variant) == count
            why_not = "Unfulfilled" if "FailureReason" in endpoint or not variant else "Overridden"
            status = "Successful" if fulfilled else why_not
            self._activities.record_end(activity, status, moment)

    def delete_alarms(self, names: list[str]) -> None:
        """Delete alarms that target tracking has made, but for those that a composite one needs. Not with the lock."""
        for name in names:
            with suppress(ClientError):
                self.region.client("cloudwatch").delete_alarms(AlarmNames=[name])

    def _delete_alarms_soon(self, names: list[str]) -> None:
        if names:
            self.region.start_thread("alarms of a scalable target", lambda: self.delete_alarms(names), blocks_clock=True)

    def _remove(self, target: ScalableTarget) -> list[str]:
        """The alarms that are to be deleted with it."""
        self._targets.pop(target.key, None)
        return [alarm["AlarmName"] for policy in target.policies.values() for alarm in policy.alarms]

    def _endpoint_goes(self, name: str) -> None:
        for target in list(self._targets.values()):
            if target.variant.endpoint == name:
                self._delete_alarms_soon(self._remove(target))

    def _endpoint(self, of: EndpointVariant) -> Fields | None:
        """The endpoint that is there and stays."""
        endpoint = self._endpoints.find(of.endpoint)
        return None if endpoint is None or endpoint.is_being_deleted else endpoint.fields

    def _check_new(self, key: TargetKey, request: Fields) -> None:
        of = parse_resource_id(key.resource_id)
        if of is None or key.dimension not in DIMENSIONS:
            raise ValidationError("Unsupported service namespace, resource type or scalable dimension")
        for member, noun in (("MinCapacity", "Minimum"), ("MaxCapacity", "Maximum")):
            if member not in request:
                raise ValidationError(f"{noun} capacity must be specified")
        variant = self._configured(of)
        if variant is None:  # AWS's words for other services' resources
            raise ValidationError(f"SageMaker endpoint variant doesn't exist: {key.resource_id}")
        if DIMENSIONS[key.dimension].is_serverless != ("ServerlessConfig" in variant):
            raise ValidationError(f"Scalable dimension {key.dimension} is not supported for {key.resource_id}")
        if _BURSTABLE.match(type_ := variant.get("InstanceType", "")):
            raise ValidationError(
                f"You cannot register a variant with {type_} instance type as a scalable target. This is because the "
                "burstable performance of these instances can lead to unpredictable behavior with Auto Scaling."
            )

    def _configured(self, of: EndpointVariant) -> Fields | None:
        """The variant in the configuration that its endpoint has or, before it serves, is to have."""
        endpoint = self._endpoints.find(of.endpoint)
        if endpoint is None or endpoint.is_being_deleted:
            return None
        config = endpoint.private.get("config")
        if config is None and (to_have := self._configs.find(endpoint.fields["EndpointConfigName"])) is not None:
            config = to_have.fields
        return _named((config or {}).get("ProductionVariants", []), of.variant)

    def _check_update(self, endpoint: SageMakerResource, config: Fields) -> None:
        """What is scaled by its metrics must not become another type (AWS publishes no wording)."""
        for target in self:
            if target.variant.endpoint != endpoint.name:
                continue
            before = _named(endpoint.private["config"]["ProductionVariants"], target.variant.variant) or {}
            after = _named(config["ProductionVariants"], target.variant.variant) or before
            if before.get("InstanceType") != after.get("InstanceType"):
                raise ValidationError(
                    f'Cannot update endpoint "{endpoint.arn}": variant {target.variant.variant} is a scalable target of '
                    "Application Auto Scaling, and its instance type would change. Deregister the target first."
                )

    def _made(self, key: TargetKey, request: Fields) -> ScalableTarget:
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

    def _of_arn(self, request: Fields) -> ScalableTarget:
        for target in self:
            if target.arn == request["ResourceARN"]:
                return target
        raise NoSuchArnError(f"No scalable target found for resource ARN: {request['ResourceARN']}")

    def list_remaining(self) -> dict[str, list[str]]:
        """Targets and policies."""
        found = {
            "scalable target": [target.key.resource_id for target in self],
            "scaling policy": [name for target in self for name in target.policies],
        }
        return {kind: names for kind, names in found.items() if names}

    def snapshot(self) -> Any:
        """Every target."""
        return [target.to_data() for target in self._targets.values()]

    def restore(self, kept: Any) -> None:
        """Every target, by its key."""
        targets = map(ScalableTarget.from_data, kept)
        self._targets = {target.key: target for target in targets}


def _check_bounds(least: int, most: int) -> None:
    if min(least, most) < 0:
        raise ValidationError(f"{'Minimum' if least < 0 else 'Maximum'} capacity cannot be less than 0")
    if most < least:
        raise ValidationError("Maximum capacity cannot be less than minimum capacity")


def _variant(endpoint: Fields, of: EndpointVariant) -> Fields | None:
    """The variant as DescribeEndpoint tells it."""
    return _named(endpoint.get("ProductionVariants", []), of.variant)


def _named(variants: Iterable[Fields], name: str) -> Fields | None:
    return next((one for one in variants if one["VariantName"] == name), None)
