"""What all that speaks with AWS shares: clients, S3 addresses, and botocore's model of the services.

No AWS library loads before it is used: rules read S3 addresses and stay within the standard library.
"""

from sustainable_mlops.aws.account import AccountClients
from sustainable_mlops.aws.clients import (
    AwsError,
    Client,
    Clients,
    client,
    connect,
    error_code,
    exists,
    read_attempts,
    translate_aws_errors,
)
from sustainable_mlops.aws.s3 import S3Uri

__all__ = [
    "AccountClients",
    "AwsError",
    "Client",
    "Clients",
    "S3Uri",
    "client",
    "connect",
    "error_code",
    "exists",
    "read_attempts",
    "told",
]
