"""KMS keys with their aliases."""

import json
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from sustainable_mlops.account.adopt.adoption import AdoptedObject, ExcludedObject, ExclusionError, ImportedResource
from sustainable_mlops.account.adopt.fields import add_tags, escape_template, read_tags
from sustainable_mlops.account.adopt.policies import render_policy
from sustainable_mlops.account.adopt.reader import Candidate, Reader

KIND = "KMS key"
ACTIONS = (
    "kms:ListKeys",
    "kms:ListAliases",
    "kms:DescribeKey",
    "kms:ListResourceTags",
    "kms:GetKeyPolicy",
    "kms:GetKeyRotationStatus",
)
TYPES = ("aws_kms_alias", "aws_kms_key")
_RESERVED = "alias/aws/"
#: Arguments that only Terraform knows, so no import can read them.
_LOCAL_ARGUMENTS = ["bypass_policy_lockout_safety_check", "deletion_window_in_days"]


def read_keys(reader: Reader) -> Iterator[AdoptedObject | ExcludedObject]:
    """Yield the selected customer managed keys."""
    aliases: dict[str, list[str]] = {}
    for alias in reader.account.list_all("kms", "list_aliases", "Aliases"):
        aliases.setdefault(alias.get("TargetKeyId", ""), []).append(alias["AliasName"])
    yield from reader.read_each(KIND, _list_candidates(reader, aliases))


def _list_candidates(reader: Reader, aliases: Mapping[str, list[str]]) -> Iterator[Candidate]:
    for key in reader.account.list_all("kms", "list_keys", "Keys"):
        key_id, names = key["KeyId"], sorted(aliases.get(key["KeyId"], []))
        if any(name.startswith(_RESERVED) for name in names):
            continue
        short = [name.removeprefix("alias/") for name in names]
        identifiers = (*names, key_id, key["KeyArn"])
        tags = partial(_read_tags, reader, key_id)
        if reader.check_selection(KIND, *(short or [key_id]), identifiers=identifiers, tags=tags):
            yield short[0] if short else key_id, partial(_read_key, reader, key_id, names)


def _read_tags(reader: Reader, key_id: str) -> dict[str, str]:
    return read_tags(reader.account.list_all("kms", "list_resource_tags", "Tags", KeyId=key_id), "TagKey", "TagValue")


def _read_key(reader: Reader, key_id: str, aliases: list[str]) -> AdoptedObject:
    """Return one key. Raises ExclusionError for a key that Terraform cannot describe."""
    metadata: dict[str, Any] = reader.account.call("kms", "describe_key", KeyId=key_id)["KeyMetadata"]
    name = aliases[0].removeprefix("alias/") if aliases else key_id
    _check_key(metadata)
    policy = reader.account.call("kms", "get_key_policy", KeyId=key_id, PolicyName="default")["Policy"]
    body: dict[str, Any] = {
        "description": escape_template(metadata.get("Description", "")),
        "is_enabled": metadata["Enabled"],
        "key_usage": metadata["KeyUsage"],
        "customer_master_key_spec": metadata.get("KeySpec") or metadata["CustomerMasterKeySpec"],
        "multi_region": metadata.get("MultiRegion", False),
        "policy": render_policy(json.loads(policy)),
    }
    if body["customer_master_key_spec"] == "SYMMETRIC_DEFAULT":
        rotation = reader.account.call("kms", "get_key_rotation_status", KeyId=key_id)
        body["enable_key_rotation"] = rotation["KeyRotationEnabled"]
        if body["enable_key_rotation"] and (days := rotation.get("RotationPeriodInDays")):
            body["rotation_period_in_days"] = days
    body["lifecycle"] = {"prevent_destroy": True, "ignore_changes": _LOCAL_ARGUMENTS}
    label = reader.choose_label("aws_kms_key", name)
    key = ImportedResource("aws_kms_key", label, key_id, add_tags(body, _read_tags(reader, key_id)))
    return AdoptedObject(KIND, name, (key, *(_make_alias(reader, alias, label) for alias in aliases)))


def _check_key(metadata: Mapping[str, Any]) -> None:
    if metadata["KeyState"] not in ("Enabled", "Disabled"):
        raise ExclusionError(f"its state is {metadata['KeyState']}; cancel the deletion or wait, and run again")
    if metadata["Origin"] != "AWS_KMS":
        raise ExclusionError(
            f"its key material has the origin {metadata['Origin']}, which aws_kms_key does not support"
        )
    replica = metadata.get("MultiRegionConfiguration", {}).get("MultiRegionKeyType") == "REPLICA"
    if replica:
        raise ExclusionError("it is a replica of a key in another Region; adopt the primary key there")


def _make_alias(reader: Reader, alias: str, key_label: str) -> ImportedResource:
    label = reader.choose_label("aws_kms_alias", alias.removeprefix("alias/"))
    body = {"name": alias, "target_key_id": f"${{aws_kms_key.{key_label}.key_id}}"}
    return ImportedResource("aws_kms_alias", label, alias, body)
