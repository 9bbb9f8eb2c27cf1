"""Shared access to AWS: clients, ARNs, S3 addresses, and botocore's service models.

Each AWS library loads on first use, because rules parse S3 addresses with the standard library alone.
"""

from sustainable_mlops.aws.account import AccountClients
from sustainable_mlops.aws.arn import Arn
from sustainable_mlops.aws.clients import (
    Client,
    Clients,
    connect_clients,
    has_object,
    is_local,
    make_client,
    read_attempts,
    read_object_etag,
    read_object_head,
    read_object_size,
)
from sustainable_mlops.aws.errors import (
    ABSENT_OBJECT,
    AwsError,
    is_absent_object_error,
    read_error_code,
    translate_aws_errors,
)
from sustainable_mlops.aws.s3 import S3Uri

__all__ = [
    "ABSENT_OBJECT",
    "AccountClients",
    "Arn",
    "AwsError",
    "Client",
    "Clients",
    "S3Uri",
    "connect_clients",
    "has_object",
    "is_absent_object_error",
    "is_local",
    "make_client",
    "read_attempts",
    "read_error_code",
    "read_object_etag",
    "read_object_head",
    "read_object_size",
    "translate_aws_errors",
]
