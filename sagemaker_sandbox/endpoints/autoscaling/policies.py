"""Scaling policies: storage with their target, and the alarms of target tracking."""

import copy
import uuid
from typing import ClassVar

from sagemaker_sandbox.base.errors import ValidationError
from sagemaker_sandbox.endpoints.autoscaling import dimensions, steps, tracking
from sagemaker_sandbox.endpoints.autoscaling.errors import LimitExceededError, ObjectNotFoundError
from sagemaker_sandbox.endpoints.autoscaling.pages import build_page, filter_by_target
from sagemaker_sandbox.endpoints.autoscaling.target import ScalableTarget, ScalingPolicy, TargetKey
from sagemaker_sandbox.endpoints.autoscaling.targets import ScalableTargets
from sagemaker_sandbox.resources.handlers import emulated_operation
from sagemaker_sandbox.resources.region import AccountRegion
from sagemaker_sandbox.resources.resources import Fields, ServicePart

#: Quota of scaling policies of one target.
_MAX_POLICIES = 50
_TYPES = ("StepScaling", "TargetTrackingScaling", "PredictiveScaling")


class ScalingPolicies(ServicePart):
    """Operations Put-, Describe- and DeleteScalingPolicy."""

    service = "application-autoscaling"
    refused_operations: ClassVar = {
        "GetPredictiveScalingForecast": "AWS forecasts for Amazon ECS only, which the sandbox does not scale."
    }

    def __init__(self, region: AccountRegion, targets: ScalableTargets) -> None:
        super().__init__(region)
        self._targets = targets

    @emulated_operation
    def put_scaling_policy(self, request: Fields) -> Fields:
        """Create or replace a policy. Target tracking creates its alarms again."""
        name = request["PolicyName"]
        with self.region.lock:
            target = self._targets.get_registered(TargetKey.from_request(request))
            existing = target.policies.get(name)
            if existing is None and len(target.policies) >= _MAX_POLICIES:
                raise LimitExceededError(
                    f"The number of scaling policies per scalable target cannot exceed {_MAX_POLICIES}"
                )
            policy = self._build_policy(target, existing, request)
            self._check(target, policy)
            replaced = [alarm["AlarmName"] for alarm in existing.alarms] if existing else []
        if policy.is_target_tracking:
            policy.alarms = self._create_alarms(target, policy)
        with self.region.lock:
            target.policies[name] = policy
        self._targets.delete_alarms(replaced)
        return {"PolicyARN": policy.arn, "Alarms": policy.alarms}

    @emulated_operation
    def describe_scaling_policies(self, request: Fields) -> Fields:
        """Return policies with their alarms: those of target tracking, or those whose action is the policy."""
        names = request.get("PolicyNames")
        with self.region.lock:
            descriptions = [
                target.key.to_fields() | policy.describe() | {"Alarms": policy.alarms}
                for target in self._targets
                for policy in target.policies.values()
                if not names or policy.name in names
            ]
            response = copy.deepcopy(build_page(request, "ScalingPolicies", filter_by_target(request, descriptions)))
        for policy in response["ScalingPolicies"]:
            if policy["PolicyType"] == "StepScaling":
                policy["Alarms"] = self._find_alarms(policy["PolicyARN"])
        return response

    @emulated_operation
    def delete_scaling_policy(self, request: Fields) -> Fields:
        """Delete a policy with the alarms of target tracking."""
        key, name = TargetKey.from_request(request), request["PolicyName"]
        with self.region.lock:
            target = self._targets.find_target(key)
            if target is None or name not in target.policies:
                raise ObjectNotFoundError(f"No scaling policy found for {key}, policy name: {name}")
            policy = target.policies.pop(name)
        self._targets.delete_alarms([alarm["AlarmName"] for alarm in policy.alarms])
        return {}

    def _build_policy(self, target: ScalableTarget, existing: ScalingPolicy | None, request: Fields) -> ScalingPolicy:
        """Build the policy from the request; members that it omits keep their values."""
        kind = request.get("PolicyType") or (existing.type if existing else "")
        if not kind:
            raise ValidationError("Policy type must be specified")
        if kind == "PredictiveScaling":
            raise ValidationError(f"Predictive scaling is not supported for scalable dimension {target.key.dimension}")
        configurations = {
            policy_type: request[f"{policy_type}PolicyConfiguration"]
            for policy_type in _TYPES
            if f"{policy_type}PolicyConfiguration" in request
        }
        if existing is not None and existing.type == kind:
            configurations = configurations or {kind: existing.configuration}
        if kind not in configurations:
            raise ValidationError(f"{kind} policy configuration must be specified")
        if len(configurations) > 1:
            raise ValidationError(
                "You must only provide a single scaling policy configuration, which must match the scaling policy type "
                "specified."
            )
        resource = f"{dimensions.NAMESPACE}/{target.key.resource_id}"
        arn = (
            f"arn:aws:autoscaling:{self.region.name}:{self.region.account_id}:scalingPolicy:{uuid.uuid4()}:resource/"
            f"{resource}:policyName/{request['PolicyName']}"
        )
        created = self.region.clock.now()
        if existing is not None:
            arn, created = existing.arn, existing.created
        return ScalingPolicy(request["PolicyName"], arn, kind, configurations[kind], created)

    @staticmethod
    def _check(target: ScalableTarget, policy: ScalingPolicy) -> None:
        if not policy.is_target_tracking:
            steps.check_step_policy(policy.configuration)
            return
        tracking.check_tracking_policy(target.key.dimension, policy.configuration)
        for other in target.policies.values():
            if other.name != policy.name and tracking.is_same_metric(other.configuration, policy.configuration):
                raise ValidationError(
                    "Only one TargetTrackingScaling policy for a given metric specification is allowed."
                )

    def _create_alarms(self, target: ScalableTarget, policy: ScalingPolicy) -> list[Fields]:
        """Create the alarms and return them as DescribeScalingPolicies does. Must not hold the lock."""
        alarms, cloudwatch = [], self.region.client("cloudwatch")
        for request in tracking.build_alarms(target.variant, target.key.resource_id, policy.configuration, policy.arn):
            cloudwatch.put_metric_alarm(**request)
            name = request["AlarmName"]
            arn = f"arn:aws:cloudwatch:{self.region.name}:{self.region.account_id}:alarm:{name}"
            alarms.append({"AlarmName": name, "AlarmARN": arn})
        return alarms

    def _find_alarms(self, policy_arn: str) -> list[Fields]:
        """Return the alarms whose action is the policy. Must not hold the lock."""
        response = self.region.client("cloudwatch").describe_alarms(ActionPrefix=policy_arn)
        return [
            {"AlarmName": alarm["AlarmName"], "AlarmARN": alarm["AlarmArn"]}
            for kind in ("MetricAlarms", "CompositeAlarms")
            for alarm in response.get(kind, ())
        ]
