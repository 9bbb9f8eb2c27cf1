"""AWS access of containers in the sandbox."""

from collections.abc import Mapping

from sagemaker_sandbox.parts.region import AccountRegion


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
