"""AWS access with the role of a job, a model or a feature group."""

from collections.abc import Mapping
from typing import Any

from sagemaker_sandbox.base.client import INTERNAL_READ_SECONDS, INTERNAL_USER_AGENT, make_client
from sagemaker_sandbox.resources.region import AccountRegion
from sagemaker_sandbox.resources.resources import Fields
from sagemaker_sandbox.resources.session_networks import record_network


def create_role_client(region: AccountRegion, service: str, role: str | None, network: Fields | None = None) -> Any:
    """Return a boto3 client with which SageMaker acts as the role, in the network of a `VpcConfig`.

    Without enforcement of IAM or without a role, the client has all permissions. The first request assumes the role.
    """
    if not region.context.enforces_iam or role is None:
        return region.client(service)
    from botocore.credentials import DeferredRefreshableCredentials

    sts = region.client("sts")

    def assume_role() -> dict[str, str]:
        credentials = _assume_role(region, role, network)
        return {
            "access_key": credentials["AccessKeyId"],
            "secret_key": credentials["SecretAccessKey"],
            "token": credentials["SessionToken"],
            "expiry_time": credentials["Expiration"].isoformat(),
        }

    client = make_client(
        service,
        region.name,
        sts.meta.endpoint_url,
        user_agent_extra=INTERNAL_USER_AGENT,
        retries={"total_max_attempts": 1},
        read_timeout=INTERNAL_READ_SECONDS,
    )
    client._request_signer._credentials = DeferredRefreshableCredentials(assume_role, "assume-role")
    return client


def build_role_environment(region: AccountRegion, role: str, network: Fields | None = None) -> Mapping[str, str]:
    """Return the environment variables for AWS clients that act as the role, in the network of a `VpcConfig`.

    This sends an HTTP request, so the caller must hold no lock.
    """
    credentials = _assume_role(region, role, network)
    return {
        "AWS_ENDPOINT_URL": region.client("sts").meta.endpoint_url,
        **region.context.variables,
        "AWS_ACCESS_KEY_ID": credentials["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": credentials["SecretAccessKey"],
        "AWS_SESSION_TOKEN": credentials["SessionToken"],
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def _assume_role(region: AccountRegion, role: str, network: Fields | None) -> Any:
    """Return the credentials of a new session of the role."""
    credentials = region.client("sts").assume_role(RoleArn=role, RoleSessionName="SageMaker")["Credentials"]
    if network is not None:
        record_network(region, role, credentials["AccessKeyId"], network)
    return credentials
