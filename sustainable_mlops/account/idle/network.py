"""Interface endpoints without traffic."""

from collections.abc import Iterator
from typing import Any

from sustainable_mlops.account.idle.activity import ActivityMetric, find_resources_in_use
from sustainable_mlops.account.idle.finding import IdleFinding, IdleKind, estimate_month
from sustainable_mlops.account.idle.scope import IdleScanScope
from sustainable_mlops.footprint import make_exact
from sustainable_mlops.footprint.activities import ServiceActivity

_ID = "VpcEndpointId"


def find_interface_endpoints(scope: IdleScanScope) -> Iterator[IdleFinding | str]:
    """Yield the interface endpoints without traffic in the period. Each zone of an endpoint is billed by the hour."""
    interface = [{"Name": "vpc-endpoint-type", "Values": ["Interface"]}]
    endpoints = [
        one
        for one in scope.account.list_all("ec2", "describe_vpc_endpoints", "VpcEndpoints", Filters=interface)
        if one["State"].lower() == "available"
        and scope.is_older(one["CreationTimestamp"])
        and scope.includes(_get_name(one), _build_arn(scope, one))
    ]
    in_use = find_resources_in_use(scope, [_get_metric(one) for one in endpoints])
    for one in endpoints:
        if one[_ID] in in_use:
            continue
        zones, arn = len(one.get("SubnetIds") or ()), _build_arn(scope, one)
        yield IdleFinding(
            IdleKind.INTERFACE_ENDPOINT,
            one[_ID],
            f"no traffic to {one['ServiceName']} for {scope.period}, in {zones} zone{'' if zones == 1 else 's'}",
            "purposes (network)",
            estimate_month(ServiceActivity("interface endpoint", scope.region, make_exact(float(zones)))),
            arn,
            scope.find_manager(arn),
            {_ID: one[_ID]},
        )


def _get_metric(endpoint: dict[str, Any]) -> ActivityMetric:
    """Return the metric with the bytes of an endpoint in all of its zones.

    Source: AWS PrivateLink guide, "CloudWatch metrics for AWS PrivateLink".
    """
    dimensions = {
        "Endpoint Type": "Interface",
        "Service Name": endpoint["ServiceName"],
        "VPC Endpoint Id": endpoint[_ID],
        "VPC Id": endpoint["VpcId"],
    }
    return ActivityMetric(endpoint[_ID], "AWS/PrivateLinkEndpoints", "BytesProcessed", tuple(dimensions.items()))


def _get_name(endpoint: dict[str, Any]) -> str:
    return next((str(tag["Value"]) for tag in endpoint.get("Tags") or () if tag["Key"] == "Name"), "")


def _build_arn(scope: IdleScanScope, endpoint: dict[str, Any]) -> str:
    partition = scope.account.client("ec2").meta.partition
    return f"arn:{partition}:ec2:{scope.region}:{endpoint['OwnerId']}:vpc-endpoint/{endpoint[_ID]}"
