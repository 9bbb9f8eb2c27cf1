"""S3 and SNS as an asynchronous endpoint uses them: on behalf of its account, with the rights of its model's role.

The policies of the role decide. Those of buckets and topics are not asked, as the role is of their account; keys are
not either.
"""

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from sagemaker_sandbox import roles
from sagemaker_sandbox.parts.region import AccountRegion
from sagemaker_sandbox.parts.resources import Fields
from sagemaker_sandbox.policies import Decision
from sustainable_mlops.aws.s3 import S3Uri

#: Source: "Asynchronous inference" in the developer guide.
MAX_INPUT_BYTES = 1024**3


class NotPermittedError(Exception):
    """The role may not do it; the text says so as AWS does."""


_REFUSED = (ClientError, BotoCoreError, NotPermittedError)


class RoleError(Exception):
    """It could not be done, and why."""


class ModelRole:
    """One role, in one Region of its account."""

    def __init__(self, region: AccountRegion, arn: str) -> None:
        self._region = region
        self._arn = arn

    def read_object(self, uri: str) -> bytes:
        """An object in S3. Raises RoleError."""
        try:
            where = self._object(uri, "s3:GetObject")
            found = self._s3.get_object(Bucket=where.bucket, Key=where.key)
            if found["ContentLength"] > MAX_INPUT_BYTES:
                raise RoleError(f"The request payload in {uri} is larger than {MAX_INPUT_BYTES} bytes")
            content: bytes = found["Body"].read()
        except _REFUSED as error:
            raise RoleError(f"Failed to download the request payload from {uri}: {_said(error)}") from None
        return content

    def write_object(self, uri: str, body: bytes, content_type: str, key: str | None) -> None:
        """An object in S3, encrypted with a key. Raises RoleError."""
        extra: Fields = {"ContentType": content_type} if content_type else {}
        if key:
            extra |= {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key}
        try:
            where = self._object(uri, "s3:PutObject")
            self._s3.put_object(Bucket=where.bucket, Key=where.key, Body=body, **extra)
        except _REFUSED as error:
            raise RoleError(f"Failed to upload the response payload to {uri}: {_said(error)}") from None

    def publish(self, topic: str, message: str) -> None:
        """A notice. Raises RoleError."""
        _, _, _, region, account, _ = topic.split(":", 5)
        try:
            self._must_allow("sns:Publish", topic)
            self._region.context.customer_client("sns", region, account).publish(TopicArn=topic, Message=message)
        except _REFUSED as error:
            raise RoleError(f"Failed to publish to {topic}: {_said(error)}") from None

    @property
    def _s3(self) -> Any:
        return self._region.context.customer_client("s3", self._region.name, self._region.account_id)

    def _object(self, uri: str, action: str) -> S3Uri:
        where = S3Uri.of_url(uri)
        if where is None:
            raise NotPermittedError("it is no address in S3")
        self._must_allow(action, f"arn:aws:s3:::{where.bucket}/{where.key}")
        return where

    def _must_allow(self, action: str, resource: str) -> None:
        account = self._region.account_id
        decision = roles.decide_action(account, self._arn, action, resource)
        if decision is Decision.ALLOWED:
            return
        why = f"because no identity-based policy allows the {action} action"
        if decision is Decision.EXPLICIT_DENY:
            why = "with an explicit deny in an identity-based policy"
        raise NotPermittedError(
            f"User: arn:aws:sts::{account}:assumed-role/{self._arn.rpartition('/')[2]}/SageMaker is not authorized to "
            f'perform: {action} on resource: "{resource}" {why}'
        )


def _said(error: Exception) -> str:
    """In the service's words, without the client's."""
    if not isinstance(error, ClientError):
        return str(error)
    told = error.response["Error"]
    return f"{told['Code']} ({error.response['ResponseMetadata']['HTTPStatusCode']}): {told['Message']}"
