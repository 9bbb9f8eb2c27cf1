"""Check of the services with an interface endpoint in the environment's VPC."""

from collections.abc import Iterator
from typing import Any

from sustainable_mlops.account.preflight.account import Account
from sustainable_mlops.account.preflight.finding import PreflightFinding
from sustainable_mlops.account.preflight.target import PreflightTarget

_CHECK = "VPC endpoints"
_REMEDY = "remove the service from the setting network.vpc_endpoints"


def check_endpoint_services(target: PreflightTarget, account: Account) -> Iterator[PreflightFinding]:
    """Check if the Region has each service, and if its endpoint takes the policy of the module `network`."""
    if not target.endpoint_services:
        return
    services = _read_services(account)
    problems = 0
    for name in sorted(target.endpoint_services):
        if name not in services:
            problem, remedy = f"{target.region} has no interface endpoint of this service", _REMEDY
        elif not services[name]:
            problem = "its endpoint takes no policy"
            remedy = f"{_REMEDY}, and create the endpoint outside of the environment"
        else:
            continue
        problems += 1
        yield PreflightFinding("stop", _CHECK, f"{name}: {problem}; {remedy}")
    if not problems:
        count = len(target.endpoint_services)
        yield PreflightFinding(
            "ok", _CHECK, f"{target.region} has the {count} services, and their endpoints take a policy"
        )


def _read_services(account: Account) -> dict[str, bool]:
    """Return the services with an interface endpoint in the Region, and whether their endpoints take a policy."""
    client = account.client("ec2")
    interface = [{"Name": "service-type", "Values": ["Interface"]}]

    def read() -> list[Any]:
        pages = client.get_paginator("describe_vpc_endpoint_services").paginate(Filters=interface)
        return [service for page in pages for service in page["ServiceDetails"]]

    services = account.read("ec2:DescribeVpcEndpointServices", read)
    return {str(one["ServiceName"]): bool(one["VpcEndpointPolicySupported"]) for one in services}
