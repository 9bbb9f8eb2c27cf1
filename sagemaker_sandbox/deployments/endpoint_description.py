"""What DescribeEndpoint and EventBridge tell of an endpoint and of what happens to it.

Details and messages are those of the developer guide, "Events that SageMaker AI sends to EventBridge".
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sagemaker_sandbox.deployments.policy import InstanceCounts
from sagemaker_sandbox.parts.region import AccountRegion
from sagemaker_sandbox.parts.resources import Fields, SageMakerResource

#: The members that hold variants, of a configuration and of what DescribeEndpoint answers.
VARIANT_MEMBERS = ("ProductionVariants", "ShadowProductionVariants")
_PENDING = "PendingDeploymentSummary"
#: The longest FailureReason in the service model.
_REASON = 1024
#: What events tell of an endpoint, beside its status and its tags.
_TOLD = (
    *("EndpointName", "EndpointArn", "EndpointConfigName", *VARIANT_MEMBERS, _PENDING),
    *("FailureReason", "CreationTime", "LastModifiedTime"),
)


class EndpointDescription:
    """One endpoint's. Each method takes the Region's lock itself."""

    def __init__(self, region: AccountRegion, endpoint: SageMakerResource, *, deployment_events: bool = True) -> None:
        self._region = region
        self._endpoint = endpoint
        self._deployment_events = deployment_events

    def set_status(self, status: str, fields: Mapping[str, Any] | None = None) -> None:
        """Be in this status, with these fields; None takes one away."""
        with self._region.lock:
            put_status(self._endpoint, status, self._region.clock.now(), fields or {})
            self._publish("SageMaker Endpoint State Change")

    def clear_variant_status(self, current: InstanceCounts | None = None) -> None:
        """Nothing happens to the fleet that serves any more; it has so many instances."""
        with self._region.lock:
            for variant in _variants(self._endpoint.fields):
                variant.pop("VariantStatus", None)
                _count(variant, current)

    def settle(self, status: str, fields: Mapping[str, Any] | None = None) -> None:
        """As `state`, and nothing is under way any more."""
        with self._region.lock:
            self.clear_variant_status()
            self.set_status(status, {_PENDING: None} | dict(fields or {}))

    def set_variant_status(
        self,
        status: str,
        message: str,
        numbers: InstanceCounts,
        *,
        pending: bool = False,
        current: InstanceCounts | None = None,
    ) -> None:
        """The VariantStatus of the variants that serve, or of those of the `pending` deployment.

        `numbers` are instances, variant by variant, of which the message tells; `current` is how many have traffic.
        """
        with self._region.lock:
            where = self._endpoint.fields.get(_PENDING, {}) if pending else self._endpoint.fields
            for variant in _variants(where):
                name = variant["VariantName"]
                if name in numbers and "CurrentInstanceCount" in variant:
                    said = {"Status": status, "StatusMessage": message.format(numbers[name])}
                    variant["VariantStatus"] = [said | {"StartTime": self._region.clock.now()}]
                _count(variant, current)
            if self._deployment_events:
                self._publish("SageMaker Endpoint Deployment State Change")

    def _publish(self, detail_type: str) -> None:
        fields, endpoint = self._endpoint.fields, self._endpoint
        detail = {name: fields[name] for name in _TOLD if name in fields}
        status = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", fields["EndpointStatus"]).upper()
        detail |= {"EndpointStatus": status, "Tags": dict(endpoint.tags)}
        self._region.publish(detail_type, detail, endpoint.arn, moment=self._region.clock.now())


def put_status(endpoint: SageMakerResource, status: str, moment: datetime, fields: Mapping[str, Any]) -> None:
    """Have an endpoint be in this status, with these fields, without a word to anybody; None takes a field away."""
    shown = endpoint.fields
    shown |= {"EndpointStatus": status, "LastModifiedTime": moment} | dict(fields)
    shown["FailureReason"] = (shown.get("FailureReason") or "")[:_REASON] or None
    for gone in [name for name, value in shown.items() if value is None]:
        del shown[gone]


def _variants(where: Fields) -> list[Fields]:
    return [variant for member in VARIANT_MEMBERS for variant in where.get(member, ())]


def _count(variant: Fields, current: InstanceCounts | None) -> None:
    if "CurrentInstanceCount" in variant:
        variant["CurrentInstanceCount"] = (current or {}).get(variant["VariantName"], variant["CurrentInstanceCount"])


def build_summaries(config: Fields, models: Mapping[str, list[Fields]], moment: datetime) -> Fields:
    """A configuration's variants as they are once it serves."""
    return {
        member: [_summary(variant, models, moment) for variant in config[member]]
        for member in VARIANT_MEMBERS
        if config.get(member)
    }


def _summary(variant: Fields, models: Mapping[str, list[Fields]], moment: datetime) -> Fields:
    weight = variant["InitialVariantWeight"]
    summary: Fields = {"VariantName": variant["VariantName"], "CurrentWeight": weight, "DesiredWeight": weight}
    images = [one["Image"] for one in models.get(variant["VariantName"], ()) if "Image" in one]
    summary["DeployedImages"] = [
        {"SpecifiedImage": image, "ResolvedImage": image, "ResolutionTime": moment} for image in images
    ]
    summary |= {name: variant[name] for name in ("ManagedInstanceScaling", "RoutingConfig") if name in variant}
    if "ServerlessConfig" in variant:
        serverless = dict(variant["ServerlessConfig"])
        return summary | {"CurrentServerlessConfig": serverless, "DesiredServerlessConfig": dict(serverless)}
    count = variant.get("InitialInstanceCount", 0)
    return summary | {"CurrentInstanceCount": count, "DesiredInstanceCount": count}


def build_pending_summary(config: Fields, models: Mapping[str, list[Fields]], moment: datetime) -> Fields:
    """The summary of a deployment of this configuration that begins now."""
    found = build_summaries(config, models, moment)
    for member, variants in found.items():
        for variant, configured in zip(variants, config[member], strict=True):
            if "CurrentInstanceCount" in variant:
                variant["CurrentInstanceCount"] = 0
            if "InstanceType" in configured:
                variant["InstanceType"] = configured["InstanceType"]
    return {_PENDING: found | {"EndpointConfigName": config["EndpointConfigName"], "StartTime": moment}}
