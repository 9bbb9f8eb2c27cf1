"""Policies, accounts and tags of resources, in moto's state."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from sagemaker_sandbox.iam.evaluation import Delegation, Policy, ResourcePolicy


class Resource(NamedTuple):
    """The account of a resource, its policy and its tags."""

    account: str
    policy: ResourcePolicy | None = None
    tags: Mapping[str, str] = {}


def find_resource(arn: str) -> Resource:
    """Return the account, policy and tags of a resource. The account is empty if its ARN has none."""
    parts = arn.split(":", 5)
    if len(parts) < len(("arn", "partition", "service", "region", "account", "name")):
        return Resource("")
    _, _, service, region, account, name = parts
    find = _FINDERS.get(service)
    return (find and find(region, account, name)) or Resource(account)


def find_key_arn(account: str, region: str, key: str) -> str | None:
    """Return the ARN of a customer's KMS key: an ID, an alias, or the ARN of either. None for other keys."""
    from moto.kms.models import kms_backends

    if key.startswith("arn:"):
        _, _, _, region, account, key = key.split(":", 5)
    backend = kms_backends[account][region]
    key_id = backend.get_key_id_from_alias(key) if key.startswith("alias/") else key.removeprefix("key/")
    if key.startswith("alias/aws/") or key_id not in backend.keys:
        return None
    return str(backend.keys[key_id].arn)


def find_secret_arn(account: str, region: str, name: str) -> str | None:
    """Return the ARN of a secret, which ends with six characters after its name."""
    from moto.secretsmanager.models import secretsmanager_backends

    return next(
        (secret.arn for secret in secretsmanager_backends[account][region].secrets.values() if secret.name == name),
        None,
    )


def find_iam_arn(account: str, kind: str, name: str) -> str | None:
    """Return the ARN of a role, a user or a group, which has its path."""
    from moto.iam.models import iam_backends

    backend = iam_backends[account]["aws"]
    owners: Any = {"role": backend.roles, "user": backend.users, "group": backend.groups}.get(kind, {})
    return next((str(owner.arn) for owner in list(owners.values()) if owner.name == name), None)


def find_object_key(bucket: str, name: str) -> str | None:
    """Return the KMS key that encrypts an object, or None."""
    owner = _find_bucket(bucket)
    stored = owner.keys.get(name) if owner is not None else None
    if stored is None:
        return None
    if getattr(stored, "encryption", None) == "aws:kms":
        return stored.kms_key_id or None
    return None if getattr(stored, "encryption", None) else find_default_key(bucket)


def find_default_key(bucket: str) -> str | None:
    """Return the KMS key of the default encryption of a bucket, or None."""
    owner = _find_bucket(bucket)
    rule = ((owner.encryption or {}) if owner is not None else {}).get("Rule") or {}
    rules = rule if isinstance(rule, list) else [rule]
    defaults = [one.get("ApplyServerSideEncryptionByDefault") or {} for one in rules]
    return next((str(one["KMSMasterKeyID"]) for one in defaults if one.get("KMSMasterKeyID")), None)


def has_object(bucket: str, name: str) -> bool:
    """Return whether the bucket has an object of this name, or does not exist."""
    owner = _find_bucket(bucket)
    return owner is None or name in owner.keys


def _find_bucket(name: str) -> Any:
    from moto.s3.models import s3_backends

    partition, account = s3_backends.bucket_accounts.get(name, (None, None))
    return s3_backends[account][partition].buckets.get(name) if account else None


def _describe_s3(_region: str, _account: str, name: str) -> Resource | None:
    bucket = _find_bucket(name.partition("/")[0])
    return None if bucket is None else Resource(str(bucket.account_id), _build_policy(bucket.policy))


def _describe_key(region: str, account: str, name: str) -> Resource | None:
    from moto.kms.models import kms_backends

    backend = kms_backends[account][region]
    key = backend.keys.get(name.removeprefix("key/"))
    if key is None:
        return None
    tags = backend.tagger.get_tag_dict_for_resource(key.id)
    return Resource(account, ResourcePolicy(Policy.parse(key.policy), Delegation.REQUIRED), tags)


def _describe_queue(region: str, account: str, name: str) -> Resource | None:
    from moto.sqs.models import sqs_backends

    queue = sqs_backends[account][region].queues.get(name)
    return None if queue is None else Resource(account, _build_policy(queue.policy))


def _describe_topic(region: str, account: str, name: str) -> Resource | None:
    from moto.sns.models import sns_backends

    topic = sns_backends[account][region].topics.get(f"arn:aws:sns:{region}:{account}:{name}")
    return None if topic is None else Resource(account, _build_policy(topic.policy))


def _describe_secret(region: str, account: str, name: str) -> Resource | None:
    from moto.secretsmanager.models import secretsmanager_backends

    arn = f"arn:aws:secretsmanager:{region}:{account}:{name}"
    secrets = secretsmanager_backends[account][region].secrets.values()
    secret = next((one for one in secrets if one.arn == arn), None)
    return None if secret is None else Resource(account, _build_policy(secret.policy))


def _describe_repository(region: str, account: str, name: str) -> Resource | None:
    from moto.ecr.models import ecr_backends

    repository = ecr_backends[account][region].repositories.get(name.removeprefix("repository/"))
    return None if repository is None else Resource(account, _build_policy(repository.policy))


def _describe_role(_region: str, account: str, name: str) -> Resource | None:
    from moto.iam.models import iam_backends

    arn = f"arn:aws:iam::{account}:{name}"
    role = next((one for one in list(iam_backends[account]["aws"].roles.values()) if one.arn == arn), None)
    if role is None:
        return None
    policy = Policy.parse(role.assume_role_policy_document or "{}")
    tags = {tag["Key"]: tag["Value"] for tag in (role.tags or {}).values()}
    return Resource(account, ResourcePolicy(policy, Delegation.REQUIRED, names_resources=False), tags)


def _build_policy(document: Any) -> ResourcePolicy | None:
    text = document.decode() if isinstance(document, bytes) else document
    return ResourcePolicy(Policy.parse(text)) if text else None


_FINDERS: dict[str, Callable[[str, str, str], Resource | None]] = {
    "ecr": _describe_repository,
    "iam": _describe_role,
    "kms": _describe_key,
    "s3": _describe_s3,
    "secretsmanager": _describe_secret,
    "sns": _describe_topic,
    "sqs": _describe_queue,
}
