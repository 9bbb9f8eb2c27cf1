"""AWS clients."""

import os
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from sustainable_mlops.aws.errors import describe_missing_profile, is_absent_object_error, translate_aws_errors
from sustainable_mlops.aws.s3 import S3Uri
from sustainable_mlops.base.errors import UserError

#: Hosts of this computer.
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
#: A boto3 client. Its operations are created at run time, and the type stubs of SageMaker are larger than boto3.
Client = Any


class Clients(NamedTuple):
    """Clients of one Region, one for each service."""

    s3: Client
    sagemaker: Client


def make_client(
    service: str,
    region: str | None = None,
    *,
    config: Any = None,
    credentials: Mapping[str, str] | None = None,
) -> Client:
    """Return a boto3 client with adaptive retries.

    `config` replaces its configuration, and `credentials` are the credentials of a role, as `assume_role` returns them.
    Raises UserError if no Region is set or the profile does not exist.
    """
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, NoRegionError, ProfileNotFound

    attempts = read_attempts()
    make: Any = boto3.client
    try:
        return make(
            service,
            # boto3 reads only AWS_DEFAULT_REGION; Terraform and the AWS CLI prefer AWS_REGION.
            region_name=region or os.environ.get("AWS_REGION"),
            config=config or Config(retries={"mode": "adaptive", "total_max_attempts": attempts}),
            **(credentials or {}),
        )
    except NoRegionError:
        raise UserError(
            "no AWS Region: set AWS_REGION, or write `platform` as a full ARN or inline (with its region)"
        ) from None
    except ProfileNotFound as error:
        raise UserError(describe_missing_profile(error)) from None
    except BotoCoreError as error:
        raise UserError(f"AWS configuration: {error}") from None
    except ValueError as error:
        if "endpoint" not in str(error):
            raise
        raise UserError(
            f"AWS configuration: {error}; write AWS_ENDPOINT_URL with its scheme, such as http://127.0.0.1:5000"
        ) from None


def read_attempts() -> int:
    """Return the number of attempts of a request: AWS_MAX_ATTEMPTS. Raises UserError if it is not a number."""
    # A client follows a job for hours, in which the network can fail for a while.
    value = os.environ.get("AWS_MAX_ATTEMPTS", "8")
    if not value.isdecimal() or not int(value):
        raise UserError(f"AWS_MAX_ATTEMPTS: must be a whole number of at least 1, not {value!r}")
    return int(value)


def assume_role(arn: str, region: str) -> dict[str, str]:
    """Return the credentials of a role, as arguments of a boto3 client. Raises UserError if AWS refuses."""
    with translate_aws_errors(f"assume {arn}"):
        response = make_client("sts", region).assume_role(RoleArn=arn, RoleSessionName="smlops")
    credentials = response["Credentials"]
    return {
        "aws_access_key_id": credentials["AccessKeyId"],
        "aws_secret_access_key": credentials["SecretAccessKey"],
        "aws_session_token": credentials["SessionToken"],
    }


def connect_clients(region: str) -> Clients:
    """Return the clients for a launch in `region`. Raises UserError."""
    return Clients(s3=make_client("s3", region), sagemaker=make_client("sagemaker", region))


def is_local(client: Client) -> bool:
    """Return whether the client sends its requests to this computer, such as to the sandbox."""
    return urlsplit(client.meta.endpoint_url).hostname in _LOOPBACK


def has_object(s3: Client, address: str) -> bool:
    """Return whether an object exists at the s3:// address, and may be read."""
    return read_object_size(s3, address) is not None


def read_object_size(s3: Client, address: str) -> int | None:
    """Return the bytes of the object at the s3:// address; None if it is missing, or may not be read."""
    head = read_object_head(s3, address)
    return None if head is None else int(head["ContentLength"])


def read_object_etag(s3: Client, address: str) -> str | None:
    """Return the ETag of the object at the s3:// address, without quotes; None if it is missing, or may not be read."""
    head = read_object_head(s3, address)
    return None if head is None else str(head["ETag"]).strip('"')


def read_object_head(s3: Client, address: str) -> dict[str, Any] | None:
    """Return the HeadObject response for the s3:// address; None if the object is missing, or may not be read.

    S3 returns 403 for a missing object too, unless the caller may list the bucket without a condition on `s3:prefix`.
    """
    from botocore.exceptions import ClientError

    bucket, key = S3Uri.parse(address)
    try:
        response: dict[str, Any] = s3.head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if is_absent_object_error(error):
            return None
        raise
    return response
