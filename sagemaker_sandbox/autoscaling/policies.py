"""Scaling policies: kept with their target, and the alarms that target tracking makes for them."""

import copy
import uuid
from typing import ClassVar

from sagemaker_sandbox.autoscaling import dimensions, steps, tracking
from sagemaker_sandbox.autoscaling.errors import LimitExceededError, ObjectNotFoundError
from sagemaker_sandbox.autoscaling.pages import build_page, filter_by_target
from sagemaker_sandbox.autoscaling.target import ScalableTarget, ScalingPolicy, TargetKey
from sagemaker_sandbox.autoscaling.targets import ScalableTargets
from sagemaker_sandbox.errors import ValidationError
from sagemaker_sandbox.parts.handlers import emulated_operation
from sagemaker_sandbox.parts.region import AccountRegion
from sagemaker_sandbox.parts.resources import Fields, ServicePart

_MOST = 50
_TYPES = ("StepScaling", "TargetTrackingScaling", "PredictiveScaling")


class ScalingPolicies(ServicePart):
    """Put-, Describe- and DeleteScalingPolicy."""

    service = "application-autoscaling"
    refused_operations: ClassVar = {
        "GetPredictiveScalingForecast": "AWS forecasts for Amazon ECS only, which the sandbox does not scale."
    }

    def __init__(self, region: AccountRegion, targets: ScalableTargets) -> None:
        super().__init__(region)
        self._targets = targets

    @emulated_operation
    def put_scaling_policy(self, request: Fields) -> Fields:
        """A new one, or another configuration of one that is there; target tracking makes its alarms anew."""
        name = request["PolicyName"]
        with self.region.lock:
            target = self._targets.get_registered(TargetKey.from_request(request))
            known = target.policies.get(name)
            if known is None and len(target.policies) >= _MOST:
                raise LimitExceededError(f"The number of scaling policies per scalable target cannot exceed {_MOST}")
            policy = self._made(target, known, request)
            self._check(target, policy)
            replaced = [alarm["AlarmName"] for alarm in known.alarms] if known else []
        if policy.is_target_tracking:
            policy.alarms = self._make_alarms(target, policy)
        with self.region.lock:
            target.policies[name] = policy
        self._targets.delete_alarms(replaced)
        return {"PolicyARN": policy.arn, "Alarms": policy.alarms}

    @emulated_operation
    def describe_scaling_policies(self, request: Fields) -> Fields:
        """Each with its alarms: those that target tracking has made, or that name the policy as their action."""
        names = request.get("PolicyNames")
        with self.region.lock:
            told = [
                target.key.to_fields() | policy.describe() | {"Alarms": policy.alarms}
                for target in self._targets
                for policy in target.policies.values()
                if not names or policy.name in names
            ]
            answer = copy.deepcopy(build_page(request, "ScalingPolicies", filter_by_target(request, told)))
        for policy in answer["ScalingPolicies"]:
            if policy["PolicyType"] == "StepScaling":
                policy["Alarms"] = self._alarms_of(policy["PolicyARN"])
        return answer

    @emulated_operation
    def delete_scaling_policy(self, request: Fields) -> Fields:
        """Gone with the alarms that target tracking has made."""
        key, name = TargetKey.from_request(request), request["PolicyName"]
        with self.region.lock:
            target = self._targets.find_target(key)
            if target is None or name not in target.policies:
                raise ObjectNotFoundError(f"No scaling policy found for {key}, policy name: {name}")
            policy = target.policies.pop(name)
        self._targets.delete_alarms([alarm["AlarmName"] for alarm in policy.alarms])
        return {}

    def _made(self, target: ScalableTarget, known: ScalingPolicy | None, request: Fields) -> ScalingPolicy:
        """The policy as the request says or, of what it says nothing, as it was."""
        kind = request.get("PolicyType") or (known.type if known else "")
        if not kind:
            raise ValidationError("Policy type must be specified")
        if kind == "PredictiveScaling":
            raise ValidationError(f"Predictive scaling is not supported for scalable dimension {target.key.dimension}")
        given = {one: request[f"{one}PolicyConfiguration"] for one in _TYPES if f"{one}PolicyConfiguration" in request}
        if known is not None and known.type == kind:
            given = given or {kind: known.configuration}
        if kind not in given:
            raise ValidationError(f"{kind} policy configuration must be specified")
        if len(given) > 1:
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
        if known is not None:
            arn, created = known.arn, known.created
        return ScalingPolicy(request["PolicyName"], arn, kind, given[kind], created)

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

    def _make_alarms(self, target: ScalableTarget, policy: ScalingPolicy) -> list[Fields]:
        """As DescribeScalingPolicies tells them. Not with the lock."""
        made, cloudwatch = [], self.region.client("cloudwatch")
        for request in tracking.build_alarms(target.variant, target.key.resource_id, policy.configuration, policy.arn):
            cloudwatch.put_metric_alarm(**request)
            name = request["AlarmName"]
            arn = f"arn:aws:cloudwatch:{self.region.name}:{self.region.account_id}:alarm:{name}"
            made.append({"AlarmName": name, "AlarmARN": arn})
        return made

    def _alarms_of(self, policy_arn: str) -> list[Fields]:
        """Those whose action is that policy. Not with the lock."""
        found = self.region.client("cloudwatch").describe_alarms(ActionPrefix=policy_arn)
        return [
            {"AlarmName": alarm["AlarmName"], "AlarmARN": alarm["AlarmArn"]}
            for kind in ("MetricAlarms", "CompositeAlarms")
            for alarm in found.get(kind, ())
        ]
