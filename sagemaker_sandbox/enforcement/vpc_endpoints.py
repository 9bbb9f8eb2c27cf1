"""Lookup of the VPC endpoint for a request from a job or an endpoint in a VPC, in moto's EC2.

A gateway endpoint serves the subnets of its route tables. An interface endpoint with private DNS serves its VPC.
Without an endpoint, a request leaves the VPC another way, which the sandbox does not check.

Source: AWS PrivateLink guide, "Gateway endpoints" and "Access an AWS service using an interface VPC endpoint"; IAM user
guide, "Troubleshoot access denied error messages".
"""

from typing import Any, NamedTuple

from sagemaker_sandbox.enforcement.condition_keys import Keys
from sagemaker_sandbox.iam.evaluation import Policy
from sagemaker_sandbox.resources.session_networks import SessionNetwork
from sustainable_mlops.aws.service_model import load_service_model


class VpcEndpoint(NamedTuple):
    """The policy of a VPC endpoint, and the condition keys of the requests that pass it."""

    policy: Policy
    keys: Keys


def find_endpoint(network: SessionNetwork | None, service: str, region: str) -> VpcEndpoint | None:
    """Return the endpoint that a request from a network to a service passes, or None. `service` is botocore's name."""
    from moto.ec2.models import ec2_backends

    if network is None or network.region != region:
        return None
    backend = ec2_backends[network.account][region]
    vpcs = {
        subnet.vpc_id
        for zone in list(backend.subnets.values())
        for subnet in zone.values()
        if subnet.id in network.subnets
    }
    # Such as api.sagemaker in host names, and sagemaker.api in the names of endpoint services.
    prefix = str(load_service_model(service).metadata["endpointPrefix"])
    name = f"amazonaws.{region}.{'.'.join(reversed(prefix.split('.')))}"
    for endpoint in list(backend.vpc_end_points.values()):
        if endpoint.state != "available" or endpoint.vpc_id not in vpcs or not endpoint.service_name.endswith(name):
            continue
        if endpoint.vpc_endpoint_type == "Gateway":
            serves = not set(endpoint.route_table_ids or ()).isdisjoint(_list_route_tables(backend, network, vpcs))
        else:
            serves = bool(endpoint.private_dns_enabled)
        if serves:
            keys: Keys = {"aws:SourceVpc": endpoint.vpc_id, "aws:SourceVpce": endpoint.id}
            return VpcEndpoint(Policy.parse(endpoint.policy_document), keys)
    return None


def _list_route_tables(backend: Any, network: SessionNetwork, vpcs: set[str]) -> set[str]:
    """Return the route tables of the subnets: their own, or the main table of the VPC."""
    tables = [table for table in list(backend.route_tables.values()) if table.vpc_id in vpcs]
    own = {
        association["SubnetId"]: table.id
        for table in tables
        for association in table.associations
        if association.get("SubnetId") in network.subnets
    }
    main = {table.id for table in tables if any(association["Main"] for association in table.associations)}
    return {*own.values(), *(main if len(own) < len(network.subnets) else ())}
