"""S3 and SNS access of an asynchronous endpoint, with the rights of the role of its model.

The policies of the role decide. Policies of buckets and topics are not evaluated because the role belongs to the same
account. Keys are not evaluated either.
"""

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from sagemaker_sandbox.iam import roles
from sagemaker_sandbox.iam.evaluation import AccessRequest
from sagemaker_sandbox.resources.region import AccountRegion
from sagemaker_sandbox.resources.resources import Fields
from sustainable_mlops.aws.arn import Arn
from sustainable_mlops.aws.s3 import S3Uri

#: Source: "Asynchronous inference" in the developer guide.
MAX_INPUT_BYTES = 1024**3


_UNTYPED = "binary/octet-stream"


class NotPermittedError(Exception):
    """The role lacks a permission, with AWS's message."""


_ACCESS_ERRORS = (ClientError, BotoCoreError, NotPermittedError)


class RoleError(Exception):
    """An access failed; the message is the reason."""


class ModelRole:
    """One role, in one Region of its account."""

    def __init__(self, region: AccountRegion, arn: str) -> None:
        self._region = region
        self._arn = arn

    def read_object(self, uri: str) -> tuple[bytes, str]:
        """Return the content and the content type of an S3 object. Raises RoleError.

        The type is empty if it is S3's default for an upload without a type.
        """
        try:
            location = self._authorize_object(uri, "s3:GetObject")
            response = self._s3.get_object(Bucket=location.bucket, Key=location.key)
            if response["ContentLength"] > MAX_INPUT_BYTES:
                raise RoleError(f"The request payload in {uri} is larger than {MAX_INPUT_BYTES} bytes")
            content: bytes = response["Body"].read()
        except _ACCESS_ERRORS as error:
            raise RoleError(f"Failed to download the request payload from {uri}: {_format_error(error)}") from None
        content_type = str(response.get("ContentType", ""))
        return content, "" if content_type == _UNTYPED else content_type

    def write_object(self, uri: str, body: bytes, content_type: str, key: str | None) -> None:
        """Write an S3 object, encrypted with a key if one is given. Raises RoleError."""
        extra: Fields = {"ContentType": content_type} if content_type else {}
        if key:
            extra |= {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key}
        try:
            location = self._authorize_object(uri, "s3:PutObject")
            self._s3.put_object(Bucket=location.bucket, Key=location.key, Body=body, **extra)
        except _ACCESS_ERRORS as error:
            raise RoleError(f"Failed to upload the response payload to {uri}: {_format_error(error)}") from None

    def publish(self, topic: str, message: str) -> None:
        """Publish a notification. Raises RoleError."""
        _, _, region, account, _ = Arn.parse(topic)
        try:
            self._authorize("sns:Publish", topic)
            self._region.context.customer_client("sns", region, account).publish(TopicArn=topic, Message=message)
        except _ACCESS_ERRORS as error:
            raise RoleError(f"Failed to publish to {topic}: {_format_error(error)}") from None

    @property
    def _s3(self) -> Any:
        return self._region.context.customer_client("s3", self._region.name, self._region.account_id)

    def _authorize_object(self, uri: str, action: str) -> S3Uri:
        location = S3Uri.parse_url(uri)
        if location is None:
            raise NotPermittedError("it is not an S3 URI")
        self._authorize(action, f"arn:aws:s3:::{location.bucket}/{location.key}")
        return location

    def _authorize(self, action: str, resource: str) -> None:
        account = self._region.account_id
        decision = roles.decide_action(account, self._arn, action, resource)
        if not decision.allowed:
            raise NotPermittedError(decision.explain(AccessRequest(roles.build_session(self._arn), action, resource)))


def _format_error(error: Exception) -> str:
    """Return `code (HTTP status): message` for an error of a service, and the text of any other error."""
    if not isinstance(error, ClientError):
        return str(error)
    details = error.response["Error"]
    return f"{details['Code']} ({error.response['ResponseMetadata']['HTTPStatusCode']}): {details['Message']}"
