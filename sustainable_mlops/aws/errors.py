"""Errors of AWS requests as one-line messages."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sustainable_mlops.base.errors import UserError, did_you_mean

#: Error codes for expired credentials.
_EXPIRED_CODES = ("ExpiredToken", "ExpiredTokenException", "RequestExpired")
#: Message about an object in S3 for these codes. S3 API reference, GetObject: for a missing object, S3 returns 403 to a
#: caller who may not list the bucket. A permission with a condition on `s3:prefix` does not count, because only list
#: requests have this key.
ABSENT_OBJECT = "is missing, or may not be read"
_ABSENT_CODES = ("403", "404", "AccessDenied", "NoSuchBucket", "NoSuchKey")


class AwsError(UserError):
    """Failed request to AWS. If `refused` is False, the request may still have had an effect."""

    def __init__(self, message: str, *remedy: str, refused: bool = False) -> None:
        super().__init__(message, *remedy)
        self.refused = refused


def build_credentials_error(action: str) -> UserError:
    """Return the error of an action for which no AWS credentials exist."""
    return UserError(
        f"{action}: no AWS credentials; sign in (aws sso login, AWS_PROFILE), "
        "or run this on the sandbox: smlops sandbox exec -- <command>"
    )


@contextmanager
def translate_aws_errors(action: str) -> Iterator[None]:
    """Raise AwsError, starting with `action`, if a request inside the block fails."""
    from botocore.exceptions import (
        BotoCoreError,
        ClientError,
        EndpointConnectionError,
        NoCredentialsError,
        ProfileNotFound,
    )

    try:
        yield
    except NoCredentialsError:
        raise build_credentials_error(action) from None
    except ClientError as error:
        expired = "; the credentials have expired: sign in again (aws sso login)"
        hint = expired if read_error_code(error) in _EXPIRED_CODES else ""
        absent = f"the object {ABSENT_OBJECT}: " if is_absent_object_error(error) else ""
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400)
        raise AwsError(f"{action}: {absent}{error}{hint}", refused=status < 500) from None
    except ProfileNotFound as error:
        raise UserError(f"{action}: {describe_missing_profile(error)}") from None
    except EndpointConnectionError as error:
        address = error.kwargs["endpoint_url"]
        raise AwsError(
            f"{action}: cannot connect to {address}; check the network and the Region (AWS_REGION, or in the file)"
        ) from None
    except BotoCoreError as error:
        raise AwsError(f"{action}: {error}") from None


def describe_missing_profile(error: Any) -> str:
    """Return the message about a ProfileNotFound: the most similar profile, or else the command that creates one."""
    from botocore.session import get_session

    profile = error.kwargs["profile"]
    profiles = get_session().available_profiles
    hint = did_you_mean(profile, profiles) if profiles else "; create it with `aws configure --profile`"
    return f"AWS_PROFILE: there is no profile {profile!r} in the AWS configuration{hint}"


def is_absent_object_error(error: Any) -> bool:
    """Return whether a ClientError means that an object in S3 is missing, or may not be read."""
    return error.operation_name in ("GetObject", "HeadObject") and read_error_code(error) in _ABSENT_CODES


def read_error_code(error: Exception) -> str:
    """Return the error code of a ClientError, such as `404`; empty for any other exception."""
    response = getattr(error, "response", {})
    code: str = response.get("Error", {}).get("Code", "")
    return code
