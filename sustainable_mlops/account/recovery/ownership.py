"""Proof that a resource without tags, which a recovery imports, belongs to the environment."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from sustainable_mlops.aws import AccountClients, AwsError, translate_aws_errors
from sustainable_mlops.base.terraform_state import State


class EnvironmentIdentity(NamedTuple):
    """The state, the common tags and the account of an environment."""

    state: State
    tags: Mapping[str, str]
    account: AccountClients

    def has_tags(self, tags: Mapping[str, str]) -> bool:
        """Return whether these tags include the tags of the environment."""
        return self.tags.items() <= tags.items()


def explain_missing_proof(change: Mapping[str, Any], environment: EnvironmentIdentity) -> str | None:
    """Return the reason why a resource to import may belong to something else; None if it has proof.

    `change` is the planned change with the import. Most types have tags. The proof of the other types is the resource
    that they belong to. A new bucket gets its tags by a separate request, so an empty bucket without tags passes.
    """
    before, after = change["change"]["before"] or {}, change["change"]["after"] or {}
    tags = before.get("tags_all")
    explain = _EXPLANATIONS.get(change["type"])
    if tags or explain is None:
        if tags is None:
            return "it has no tags, which would show its owner"
        return None if environment.has_tags(tags) else "it has other tags than the environment"
    try:
        with translate_aws_errors("the check of its owner"):
            return explain(before, after, environment)
    except AwsError as error:
        if not error.refused:
            raise
        return str(error)


def _explain_alias(before: Mapping[str, Any], after: Mapping[str, Any], environment: EnvironmentIdentity) -> str | None:
    """Return None if the key of an alias has the tags of the environment or stays the same, else the missing proof."""
    key = before["target_key_id"]
    if after.get("target_key_id") == key:
        return None
    response = environment.account.client("kms").list_resource_tags(KeyId=key)
    tags = {tag["TagKey"]: tag["TagValue"] for tag in response["Tags"]}
    return None if environment.has_tags(tags) else f"its key {key} has other tags than the environment"


def _explain_api_destination(
    before: Mapping[str, Any], _: Mapping[str, Any], environment: EnvironmentIdentity
) -> str | None:
    """Return None if the connection of an API destination is in the state, else the missing proof."""
    connections = environment.state.list_attributes("aws_cloudwatch_event_connection")
    is_known = before["connection_arn"] in [one.get("arn") for one in connections]
    return None if is_known else f"its connection {before['connection_arn']} is not in the state"


def _explain_bucket(before: Mapping[str, Any], _: Mapping[str, Any], environment: EnvironmentIdentity) -> str | None:
    """Return None for a bucket that is empty and never had versions, else the missing proof."""
    s3, name = environment.account.client("s3"), before["bucket"]
    is_versioned = "Status" in s3.get_bucket_versioning(Bucket=name)
    if is_versioned or s3.list_objects_v2(Bucket=name, MaxKeys=1).get("Contents"):
        return "it has no tags, and has objects or versions"
    return None


def _explain_role_policy(
    before: Mapping[str, Any], _: Mapping[str, Any], environment: EnvironmentIdentity
) -> str | None:
    """Return None if the role of a policy is in the state or has the environment's tags, else the missing proof."""
    name = before["role"]
    if any(role["name"] == name for role in environment.state.list_attributes("aws_iam_role")):
        return None
    role = environment.account.client("iam").get_role(RoleName=name)["Role"]
    tags = {tag["Key"]: tag["Value"] for tag in role.get("Tags", ())}
    return None if environment.has_tags(tags) else f"its role {name} has other tags than the environment"


def _explain_schedule(before: Mapping[str, Any], _: Mapping[str, Any], environment: EnvironmentIdentity) -> str | None:
    """Return None if the group of a schedule is in the state or has the environment's tags, else the missing proof."""
    name = before["group_name"]
    if any(group["name"] == name for group in environment.state.list_attributes("aws_scheduler_schedule_group")):
        return None
    scheduler = environment.account.client("scheduler")
    arn = scheduler.get_schedule_group(Name=name)["Arn"]
    tags = {tag["Key"]: tag["Value"] for tag in scheduler.list_tags_for_resource(ResourceArn=arn)["Tags"]}
    return None if environment.has_tags(tags) else f"its group {name} has other tags than the environment"


_EXPLANATIONS: Mapping[str, Callable[[Mapping[str, Any], Mapping[str, Any], EnvironmentIdentity], str | None]] = {
    "aws_cloudwatch_event_api_destination": _explain_api_destination,
    "aws_iam_role_policy": _explain_role_policy,
    "aws_kms_alias": _explain_alias,
    "aws_s3_bucket": _explain_bucket,
    "aws_scheduler_schedule": _explain_schedule,
}
