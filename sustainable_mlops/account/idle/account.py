"""Reader of a live account: lists over all pages, the time of AWS, and objects in S3."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any

from sustainable_mlops.account.preflight.account import Account

#: IAM prefixes of services that differ from botocore's names.
_PREFIXES = {"resourcegroupstaggingapi": "tag"}
#: IAM actions that differ from the name of the operation.
_ACTIONS = {
    "s3:GetBucketCors": "s3:GetBucketCORS",
    "s3:GetBucketEncryption": "s3:GetEncryptionConfiguration",
    "s3:GetBucketLifecycleConfiguration": "s3:GetLifecycleConfiguration",
    "s3:GetBucketNotificationConfiguration": "s3:GetBucketNotification",
    "s3:GetPublicAccessBlock": "s3:GetBucketPublicAccessBlock",
    "s3:ListBuckets": "s3:ListAllMyBuckets",
    "s3:ListObjectsV2": "s3:ListBucket",
}


class AccountReader(Account):
    """Read-only client of one account and Region. A read that AWS refuses raises DeniedError with the IAM action.

    Each request is sent once: a scan is short, so a repeated read would return the same.
    """

    def __init__(self, region: str, role_arn: str | None = None, account_id: str | None = None) -> None:
        super().__init__(region, role_arn, account_id)
        self._responses: dict[str, Any] = {}

    def call(
        self,
        service: str,
        operation: str,
        *,
        region: str | None = None,
        absent: tuple[str, ...] = (),
        **arguments: Any,
    ) -> Any:
        """Return the response to one request, or None for an error code in `absent`."""
        client = self.client(service, region)
        send = partial(getattr(client, operation), **arguments)
        return self._send_once(client, service, operation, arguments, send, absent)

    def list_all(
        self, service: str, operation: str, member: str, *, region: str | None = None, **arguments: Any
    ) -> list[Any]:
        """Return all items of a list, over all of its pages."""
        client = self.client(service, region)
        items: list[Any] = self._send_once(
            client, service, operation, arguments, lambda: list(_iterate_items(client, operation, member, arguments))
        )
        return items

    def _send_once(
        self,
        client: Any,
        service: str,
        operation: str,
        arguments: dict[str, Any],
        send: Callable[[], Any],
        absent: tuple[str, ...] = (),
    ) -> Any:
        key = f"{service} {client.meta.region_name} {operation} {sorted(arguments.items())}"
        if key not in self._responses:
            self._responses[key] = self.read(_get_action(client, service, operation), send, absent)
        return self._responses[key]

    def read_account_id(self) -> str:
        """Return the ID of the account."""
        return self.account_id or str(self.call("sts", "get_caller_identity")["Account"])

    def read_time(self) -> datetime:
        """Return the time of AWS, so that the clock of this computer does not matter."""
        response = self.call("sts", "get_caller_identity")
        date = response["ResponseMetadata"]["HTTPHeaders"].get("date")
        return parsedate_to_datetime(date) if date else datetime.now(UTC)


def _get_action(client: Any, service: str, operation: str) -> str:
    name = f"{_PREFIXES.get(service, service)}:{client.meta.method_to_api_mapping[operation]}"
    return _ACTIONS.get(name, name)


def _iterate_items(client: Any, operation: str, member: str, arguments: dict[str, Any]) -> Iterator[Any]:
    if client.can_paginate(operation):
        for page in client.get_paginator(operation).paginate(**arguments):
            yield from page.get(member) or ()
        return
    token: dict[str, str] = {}
    while True:
        page = getattr(client, operation)(**arguments, **token)
        yield from page.get(member) or ()
        if not page.get("nextToken"):
            return
        token = {"nextToken": page["nextToken"]}
