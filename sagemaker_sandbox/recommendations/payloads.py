"""The sample payload of a model: a tar.gz in S3, each file of which is the body of a request."""

import io
import tarfile
import zlib
from typing import Any

from botocore.exceptions import ClientError

from sustainable_mlops.aws.s3 import S3Uri


class PayloadError(Exception):
    """There is nothing in it that could be sent."""


def fetch(client: Any, url: str) -> list[bytes]:
    """The bodies, in the order of the archive. Raises PayloadError."""
    address = S3Uri.of_url(url)
    if address is None:
        raise PayloadError(f"the sample payload {url} is not in an Amazon S3 bucket")
    try:
        archive = client.get_object(Bucket=address.bucket, Key=address.key)["Body"].read()
    except ClientError as error:
        raise PayloadError(f"the sample payload {url} cannot be read ({error.response['Error']['Code']})") from None
    try:
        with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as files:
            members = [member for member in files if member.isfile()]
            bodies = [content.read() for member in members if (content := files.extractfile(member)) is not None]
    except (tarfile.TarError, OSError, EOFError, zlib.error):
        raise PayloadError(f"the sample payload {url} is not a gzip compressed tar archive") from None
    if not any(bodies):
        raise PayloadError(f"the sample payload {url} is empty")
    return [body for body in bodies if body]
