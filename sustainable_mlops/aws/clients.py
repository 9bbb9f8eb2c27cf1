"""AWS clients, and AWS's refusals told as one line."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from sustainable_mlops.aws.s3 import S3Uri
from sustainable_mlops.errors import UserError

#: A boto3 client. Its operations are made at run time, and the type stubs of SageMaker alone weigh more than boto3.
Client = Any

#: What services answer to credentials whose time is over.
_EXPIRED = ("ExpiredToken", "ExpiredTokenException", "RequestExpired")


class AwsError(UserError):
    """What AWS did not do. `refused`: it said no; else nobody knows whether it was done."""

    def __init__(self, message: str, *remedy: str, refused: bool = False) -> None:
        super().__init__(message, *remedy)
        self.refused = refused


@dataclass(frozen=True)
class Clients:
    """One client a service, all in one region."""

    s3: Client
    sagemaker: Client


def client(
    service: str,
    region: str | None = None,
    *,
    config: Any = None,
    credentials: Mapping[str, str] | None = None,
) -> Client:
    """Return a boto3 client that backs off and retries by itself.

    `config` replaces its configuration, and `credentials` are those of a role, as `assume_role` returns them.
    Raises UserError where no Region is set, or the profile does not exist.
    """
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, NoRegionError

    attempts = read_attempts()
    make: Any = boto3.client
    try:
        return make(
            service,
            # boto3 itself reads AWS_DEFAULT_REGION only; Terraform and the AWS CLI put AWS_REGION before it.
            region_name=region or os.environ.get("AWS_REGION"),
            config=config or Config(retries={"mode": "adaptive", "total_max_attempts": attempts}),
            **(credentials or {}),
        )
    except NoRegionError:
        raise UserError(
            "no AWS region: set AWS_REGION, or give `platform` as a full ARN or inline (with its region)"
        ) from None
    except BotoCoreError as error:
        raise UserError(f"AWS configuration: {error}") from None


def read_attempts() -> int:
    """Return how many times a request is tried: AWS_MAX_ATTEMPTS. Raises UserError for anything but a number."""
    # Following a job takes hours, in which a network may be away for a while.
    value = os.environ.get("AWS_MAX_ATTEMPTS", "8")
    if not value.isdecimal() or not int(value):
        raise UserError(f"AWS_MAX_ATTEMPTS: must be a whole number from 1 on, not {value!r}")
    return int(value)


def assume_role(arn: str, region: str) -> dict[str, str]:
    """Return the credentials of a role, as arguments of a boto3 client. Raises UserError where it is refused."""
    with translate_aws_errors(f"assume {arn}"):
        response = client("sts", region).assume_role(RoleArn=arn, RoleSessionName="smlops")
    credentials = response["Credentials"]
    return {
        "aws_access_key_id": credentials["AccessKeyId"],
        "aws_secret_access_key": credentials["SecretAccessKey"],
        "aws_session_token": credentials["SessionToken"],
    }


def connect(region: str) -> Clients:
    """The clients of a launch in `region`. Raises UserError."""
    return Clients(s3=client("s3", region), sagemaker=client("sagemaker", region))


@contextmanager
def translate_aws_errors(action: str) -> Iterator[None]:
    """Turn what AWS refuses meanwhile, or does not answer, into an AwsError that starts with `doing`."""
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

    try:
        yield
    except NoCredentialsError:
        raise UserError(
            f"{action}: no AWS credentials; sign in (aws sso login, AWS_PROFILE), "
            "or run this on the sandbox: smlops sandbox exec -- <command>"
        ) from None
    except ClientError as error:
        expired = "; the credentials have expired: sign in again (aws sso login)"
        hint = expired if error_code(error) in _EXPIRED else ""
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", HTTPStatus.BAD_REQUEST)
        raise AwsError(f"{action}: {error}{hint}", refused=status < HTTPStatus.INTERNAL_SERVER_ERROR) from None
    except BotoCoreError as error:
        raise AwsError(f"{action}: {error}") from None


def error_code(error: Exception) -> str:
    """AWS's code in a ClientError, such as `404` or `PreconditionFailed`; empty for any other exception."""
    response = getattr(error, "response", {})
    code: str = response.get("Error", {}).get("Code", "")
    return code


def exists(s3: Client, address: str) -> bool:
    """Whether there is an object at the s3:// address."""
    from botocore.exceptions import ClientError

    bucket, key = S3Uri.parse(address)
    try:
        s3.head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if error_code(error) in ("404", "NoSuchKey", "NoSuchBucket"):
            return False
        raise
    return True
