"""Log groups with retention and key."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from sustainable_mlops.account.adopt.adoption import AdoptedObject, ExcludedObject, ImportedResource
from sustainable_mlops.account.adopt.fields import add_tags
from sustainable_mlops.account.adopt.reader import Candidate, Reader

KIND = "log group"
ACTIONS = ("logs:DescribeLogGroups", "logs:ListTagsForResource")
_TYPE = "aws_cloudwatch_log_group"
TYPES = (_TYPE,)


def read_log_groups(reader: Reader) -> Iterator[AdoptedObject | ExcludedObject]:
    """Yield the selected log groups."""
    yield from reader.read_each(KIND, _list_candidates(reader))


def _list_candidates(reader: Reader) -> Iterator[Candidate]:
    for group in reader.account.list_all("logs", "describe_log_groups", "logGroups"):
        name = group["logGroupName"]
        arn = _read_arn(group)
        if reader.check_selection(KIND, name, identifiers=[arn, group["arn"]], tags=partial(_read_tags, reader, group)):
            yield name, partial(_read_group, reader, group)


def _read_tags(reader: Reader, group: Mapping[str, Any]) -> dict[str, str]:
    arn = _read_arn(group)
    tags: dict[str, str] = reader.account.call("logs", "list_tags_for_resource", resourceArn=arn).get("tags", {})
    return tags


def _read_arn(group: Mapping[str, Any]) -> str:
    arn: str = group["arn"]
    return arn.removesuffix(":*")


def _read_group(reader: Reader, group: Mapping[str, Any]) -> AdoptedObject:
    """Return one log group."""
    name = group["logGroupName"]
    body: dict[str, Any] = {"name": name, "retention_in_days": group.get("retentionInDays", 0)}
    if key := group.get("kmsKeyId"):
        body["kms_key_id"] = key
    if (storage_class := group.get("logGroupClass", "STANDARD")) != "STANDARD":
        body["log_group_class"] = storage_class
    body = add_tags(body, _read_tags(reader, group))
    body["lifecycle"] = {"prevent_destroy": True, "ignore_changes": ["skip_destroy"]}
    return AdoptedObject(KIND, name, (ImportedResource(_TYPE, reader.choose_label(_TYPE, name), name, body),))
