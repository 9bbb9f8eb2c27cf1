"""DescribeEndpoint members and EventBridge events of an endpoint.

Details and messages are those of the developer guide, "Events that SageMaker AI sends to EventBridge".
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sagemaker_sandbox.endpoints.deployments.policy import InstanceCounts
from sagemaker_sandbox.resources.region import AccountRegion
from sagemaker_sandbox.resources.resources import Fields, SageMakerResource

#: Members that hold variants, in a configuration and in the response of DescribeEndpoint.
VARIANT_MEMBERS = ("ProductionVariants", "ShadowProductionVariants")
_PENDING = "PendingDeploymentSummary"
#: Longest FailureReason in the service model.
_MAX_REASON = 1024
#: Endpoint members that events contain, in addition to status and tags.
_EVENT_MEMBERS = (
    *("EndpointName", "EndpointArn", "EndpointConfigName", *VARIANT_MEMBERS, _PENDING),
    *("FailureReason", "CreationTime", "LastModifiedTime"),
)


class EndpointDescription:
    """Description of one endpoint. Each method acquires the lock of the Region."""

    def __init__(self, region: AccountRegion, endpoint: SageMakerResource, *, deployment_events: bool = True) -> None:
        self._region = region
        self._endpoint = endpoint
        self._deployment_events = deployment_events

    def set_status(self, status: str, fields: Mapping[str, Any] | None = None) -> None:
        """Set the status and members, and publish an event. None removes a member."""
        with self._region.lock:
            put_status(self._endpoint, status, self._region.clock.now(), fields or {})
            self._publish("SageMaker Endpoint State Change")

    def clear_variant_status(self, current: InstanceCounts | None = None) -> None:
        """Clear the VariantStatus of the serving variants; optionally set their instance counts."""
        with self._region.lock:
            for variant in _list_variants(self._endpoint.fields):
                variant.pop("VariantStatus", None)
                _set_current_count(variant, current)

    def settle(self, status: str, fields: Mapping[str, Any] | None = None) -> None:
        """Set a final status: no variant status and no pending deployment remain."""
        with self._region.lock:
            self.clear_variant_status()
            self.set_status(status, {_PENDING: None} | dict(fields or {}))

    def set_variant_status(
        self,
        status: str,
        message: str,
        counts: InstanceCounts,
        *,
        pending: bool = False,
        current: InstanceCounts | None = None,
    ) -> None:
        """Set the VariantStatus of the serving variants, or of the `pending` deployment.

        `counts` are the instance counts for the message. `current` are the instances with traffic.
        """
        with self._region.lock:
            summary = self._endpoint.fields.get(_PENDING, {}) if pending else self._endpoint.fields
            for variant in _list_variants(summary):
                name = variant["VariantName"]
                if name in counts and "CurrentInstanceCount" in variant:
                    variant_status = {"Status": status, "StatusMessage": message.format(counts[name])}
                    variant["VariantStatus"] = [variant_status | {"StartTime": self._region.clock.now()}]
                _set_current_count(variant, current)
            if self._deployment_events:
                self._publish("SageMaker Endpoint Deployment State Change")

    def _publish(self, detail_type: str) -> None:
        fields, endpoint = self._endpoint.fields, self._endpoint
        detail = {name: fields[name] for name in _EVENT_MEMBERS if name in fields}
        status = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", fields["EndpointStatus"]).upper()
        detail |= {"EndpointStatus": status, "Tags": dict(endpoint.tags)}
        self._region.publish(detail_type, detail, endpoint.arn, moment=self._region.clock.now())


def put_status(endpoint: SageMakerResource, status: str, moment: datetime, fields: Mapping[str, Any]) -> None:
    """Set the status and members of an endpoint without an event. None removes a member."""
    members = endpoint.fields
    members |= {"EndpointStatus": status, "LastModifiedTime": moment} | dict(fields)
    members["FailureReason"] = (members.get("FailureReason") or "")[:_MAX_REASON] or None
    for removed in [name for name, value in members.items() if value is None]:
        del members[removed]


def _list_variants(summary: Fields) -> list[Fields]:
    return [variant for member in VARIANT_MEMBERS for variant in summary.get(member, ())]


def _set_current_count(variant: Fields, current: InstanceCounts | None) -> None:
    if "CurrentInstanceCount" in variant:
        variant["CurrentInstanceCount"] = (current or {}).get(variant["VariantName"], variant["CurrentInstanceCount"])


def build_summaries(config: Fields, models: Mapping[str, list[Fields]], moment: datetime) -> Fields:
    """Return the variant summaries of a configuration that serves."""
    return {
        member: [_build_summary(variant, models, moment) for variant in config[member]]
        for member in VARIANT_MEMBERS
        if config.get(member)
    }


def _build_summary(variant: Fields, models: Mapping[str, list[Fields]], moment: datetime) -> Fields:
    weight = variant["InitialVariantWeight"]
    summary: Fields = {"VariantName": variant["VariantName"], "CurrentWeight": weight, "DesiredWeight": weight}
    images = [container["Image"] for container in models.get(variant["VariantName"], ()) if "Image" in container]
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
    """Return the PendingDeploymentSummary of a deployment that starts now."""
    summaries = build_summaries(config, models, moment)
    for member, variants in summaries.items():
        for variant, configured in zip(variants, config[member], strict=True):
            if "CurrentInstanceCount" in variant:
                variant["CurrentInstanceCount"] = 0
            if "InstanceType" in configured:
                variant["InstanceType"] = configured["InstanceType"]
    return {_PENDING: summaries | {"EndpointConfigName": config["EndpointConfigName"], "StartTime": moment}}
