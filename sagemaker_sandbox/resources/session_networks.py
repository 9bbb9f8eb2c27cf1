"""Networks of the sessions with which jobs and endpoints in a VPC act as their roles."""

from typing import Any, NamedTuple

from sagemaker_sandbox.resources.region import AccountRegion
from sagemaker_sandbox.resources.resources import Fields
from sustainable_mlops.aws.arn import Arn


class SessionNetwork(NamedTuple):
    """Subnets from which a session sends its requests, with their account and Region."""

    account: str
    region: str
    subnets: tuple[str, ...]


def record_network(region: AccountRegion, role: str, access_key: str, vpc_config: Fields) -> None:
    """Record the network of a new session of a role, in moto's record of the session."""
    from moto.sts.models import sts_backends

    session: Any = sts_backends[Arn.parse(role).account]["aws"].get_assumed_role_from_access_key(access_key)
    if session is not None:
        session.network = SessionNetwork(region.account_id, region.name, tuple(vpc_config["Subnets"]))
