"""AWS access with the role of a job, a model or a feature group."""

from collections.abc import Mapping
from typing import Any

from sagemaker_sandbox.base.region import AccountRegion
from sagemaker_sandbox.client import INTERNAL_READ_SECONDS, INTERNAL_USER_AGENT, make_client


def create_role_client(region: AccountRegion, service: str, role: str | None) -> Any:
    """Return a boto3 client with which SageMaker acts as the role.

    Without enforcement of IAM or without a role, the client has all permissions. The first request assumes the role.
    """
    if not region.context.enforces_iam or role is None:
        return region.client(service)
    from botocore.credentials import DeferredRefreshableCredentials

    sts = region.client("sts")

    def assume_role() -> dict[str, str]:
        credentials = sts.assume_role(RoleArn=role, RoleSessionName="SageMaker")["Credentials"]
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


def build_role_environment(region: AccountRegion, role: str) -> Mapping[str, str]:
    """Return the environment variables for AWS clients that act as the role.

    This sends an HTTP request, so the caller must hold no lock.
    """
    sts = region.client("sts")
    credentials = sts.assume_role(RoleArn=role, RoleSessionName="SageMaker")["Credentials"]
    return {
        "AWS_ENDPOINT_URL": sts.meta.endpoint_url,
        **region.context.variables,
        "AWS_ACCESS_KEY_ID": credentials["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": credentials["SecretAccessKey"],
        "AWS_SESSION_TOKEN": credentials["SessionToken"],
        "AWS_EC2_METADATA_DISABLED": "true",
    }
