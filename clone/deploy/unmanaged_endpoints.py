"""Endpoints that a plan would create and that already exist in AWS.

Since version 6.29 the AWS provider puts an endpoint into the state only once it is in service. A first creation that
ends as Failed therefore leaves an endpoint outside the state, and each later apply ends with "Cannot create already
existing endpoint" (https://github.com/hashicorp/terraform-provider-aws/pull/45951).
"""

import shlex
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sustainable_mlops import aws
from sustainable_mlops.account.transition import read_status, wait_until_settled
from sustainable_mlops.aws import Client
from sustainable_mlops.base.errors import UserError


@dataclass(frozen=True, slots=True)
class UnmanagedEndpoint:
    """An endpoint in AWS that is not in the Terraform state."""

    address: str
    name: str
    status: str


def find_unmanaged_endpoints(plan: Mapping[str, Any], sagemaker: Client) -> list[UnmanagedEndpoint]:
    """Return the endpoints that the plan, as JSON, would create although AWS has them. Raises UserError."""
    endpoints = []
    for address, name in _list_created_endpoints(plan):
        status = read_status(sagemaker, name)
        if status is not None:
            endpoints.append(UnmanagedEndpoint(address, name, status))
    return endpoints


def check_unmanaged_endpoints(endpoints: Sequence[UnmanagedEndpoint], terraform_command: str) -> None:
    """Raise UserError on an endpoint that is not Failed: it may be in use, so the user must decide."""
    for endpoint in endpoints:
        if endpoint.status != "Failed":
            raise UserError(
                f"endpoint {endpoint.name}: is {endpoint.status} and not in the Terraform state, so the plan would "
                "create it again; import it, or choose another name",
                f"{terraform_command} import {shlex.quote(endpoint.address)} {endpoint.name}",
            )


def delete_failed_endpoints(
    endpoints: Sequence[UnmanagedEndpoint], sagemaker: Client, sleep: Callable[[float], None] = time.sleep
) -> None:
    """Delete these endpoints, each only if it is still Failed, and block until they are gone. Raises UserError."""
    for endpoint in endpoints:
        with aws.translate_aws_errors(f"endpoint {endpoint.name}"):
            if (status := read_status(sagemaker, endpoint.name)) != "Failed":
                raise UserError(f"endpoint {endpoint.name}: is now {status or 'deleted'}, not Failed; deploy again")
            sagemaker.delete_endpoint(EndpointName=endpoint.name)
        if (status := wait_until_settled(sagemaker, endpoint.name, sleep)) is not None:
            raise UserError(f"endpoint {endpoint.name}: is {status} after its deletion; deploy again")


def _list_created_endpoints(plan: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return address and name of each endpoint that is created, not replaced: replaced ones are in the state."""
    return [
        (change["address"], change["change"]["after"]["name"])
        for change in plan.get("resource_changes", ())
        if change["type"] == "aws_sagemaker_endpoint"
        and change["change"]["actions"] == ["create"]
        and change["change"]["after"].get("name")
    ]
