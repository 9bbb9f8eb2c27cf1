"""How a container's AWS clients act as its role, in this very sandbox."""

from collections.abc import Mapping

from sagemaker_sandbox.parts.region import Region


def access(region: Region, role: str) -> Mapping[str, str]:
    """Variables that lead clients here, with credentials of that role. Asks over HTTP: hold no lock."""
    sts = region.client("sts")
    given = sts.assume_role(RoleArn=role, RoleSessionName="SageMaker")["Credentials"]
    return {
        "AWS_ENDPOINT_URL": sts.meta.endpoint_url,
        "AWS_ACCESS_KEY_ID": given["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": given["SecretAccessKey"],
        "AWS_SESSION_TOKEN": given["SessionToken"],
        "AWS_EC2_METADATA_DISABLED": "true",
    }
