"""Policies, accounts and tags of resources, in moto's state."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from sagemaker_sandbox.base.backends import find_backend
from sagemaker_sandbox.iam import roles
from sagemaker_sandbox.iam.evaluation import Delegation, Policy, ResourcePolicy
from sagemaker_sandbox.sagemaker.resource_lookup import find_bucket
from sustainable_mlops.aws.arn import Arn
from sustainable_mlops.catalogue.images import is_registry_of_aws


class Resource(NamedTuple):
    """The account of a resource, its policy, its tags and the condition keys of its service."""

    account: str
    policy: ResourcePolicy | None = None
    tags: Mapping[str, str] = {}
    keys: Mapping[str, Sequence[str]] = {}


def find_resource(arn: str) -> Resource:
    """Return the account, policy and tags of a resource. The account is empty if its ARN has none."""
    parts = Arn.parse_or_none(arn)
    if parts is None:
        return Resource("")
    find = _FINDERS.get(parts.service)
    return (find and find(parts.region, parts.account, parts.resource)) or Resource(parts.account)


def find_key_arn(account: str, region: str, key: str) -> str | None:
    """Return the ARN of a customer's KMS key: an ID, an alias, or the ARN of either. None for other keys.

    An incomplete ARN, or one of an unknown Region, is the ARN of no key.
    """
    if key.startswith("arn:"):
        arn = Arn.parse_or_none(key)
        if arn is None:
            return None
        _, _, region, account, key = arn
    backend = find_backend("kms", account, region)
    if backend is None:
        return None
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
    """Return the ARN of a role, a user, a group or an instance profile, which has its path."""
    owner = _find_iam_resource(account, kind, name)
    return None if owner is None else str(owner.arn)


def find_boundary_arn(account: str, kind: str, name: str) -> str | None:
    """Return the ARN of the permissions boundary of a role or a user, or None. moto keeps no boundary of users."""
    return getattr(_find_iam_resource(account, kind, name), "permissions_boundary_arn", None) or None


def _find_iam_resource(account: str, kind: str, name: str) -> Any:
    from moto.iam.models import iam_backends

    backend = iam_backends[account]["aws"]
    resources: Any = {
        "role": backend.roles,
        "user": backend.users,
        "group": backend.groups,
        "instance-profile": backend.instance_profiles,
    }.get(kind, {})
    return next((resource for resource in list(resources.values()) if resource.name == name), None)


def find_object_key(bucket: str, name: str) -> str | None:
    """Return the KMS key that encrypts an object, or None."""
    owner = find_bucket(bucket)
    stored = owner.keys.get(name) if owner is not None else None
    if stored is None:
        return None
    if getattr(stored, "encryption", None) == "aws:kms":
        return stored.kms_key_id or None
    return None if getattr(stored, "encryption", None) else find_default_key(bucket)


def find_default_key(bucket: str) -> str | None:
    """Return the KMS key of the default encryption of a bucket, or None."""
    owner = find_bucket(bucket)
    rule = ((owner.encryption or {}) if owner is not None else {}).get("Rule") or {}
    rules = rule if isinstance(rule, list) else [rule]
    defaults = [one.get("ApplyServerSideEncryptionByDefault") or {} for one in rules]
    return next((str(one["KMSMasterKeyID"]) for one in defaults if one.get("KMSMasterKeyID")), None)


def has_object(bucket: str, name: str) -> bool:
    """Return whether the bucket has an object of this name, or does not exist."""
    owner = find_bucket(bucket)
    return owner is None or name in owner.keys


def _describe_s3(_region: str, _account: str, name: str) -> Resource | None:
    bucket = find_bucket(name.partition("/")[0])
    return None if bucket is None else Resource(str(bucket.account_id), _build_policy(bucket.policy))


def _describe_key(region: str, account: str, name: str) -> Resource | None:
    backend = find_backend("kms", account, region)
    key = backend.keys.get(name.removeprefix("key/")) if backend is not None else None
    if key is None:
        return None
    tags = backend.tagger.get_tag_dict_for_resource(key.id)
    keys = {"kms:ResourceAliases": sorted(key.aliases)} if key.aliases else {}
    return Resource(account, ResourcePolicy(Policy.parse(key.policy), Delegation.REQUIRED), tags, keys)


def _describe_queue(region: str, account: str, name: str) -> Resource | None:
    backend = find_backend("sqs", account, region)
    queue = backend.queues.get(name) if backend is not None else None
    return None if queue is None else Resource(account, _build_policy(queue.policy))


def _describe_topic(region: str, account: str, name: str) -> Resource | None:
    backend = find_backend("sns", account, region)
    topic = backend.topics.get(f"arn:aws:sns:{region}:{account}:{name}") if backend is not None else None
    return None if topic is None else Resource(account, _build_policy(topic.policy))


def _describe_secret(region: str, account: str, name: str) -> Resource | None:
    arn = f"arn:aws:secretsmanager:{region}:{account}:{name}"
    backend = find_backend("secretsmanager", account, region)
    secrets = backend.secrets.values() if backend is not None else ()
    secret = next((one for one in secrets if one.arn == arn), None)
    return None if secret is None else Resource(account, _build_policy(secret.policy))


def _describe_repository(region: str, account: str, name: str) -> Resource | None:
    if is_registry_of_aws(account):
        return Resource(account, _PUBLIC_PULL_POLICY)
    backend = find_backend("ecr", account, region)
    repository = backend.repositories.get(name.removeprefix("repository/")) if backend is not None else None
    return None if repository is None else Resource(account, _build_policy(repository.policy))


def _describe_role(_region: str, account: str, name: str) -> Resource | None:
    role = roles.find_role(account, f"arn:aws:iam::{account}:{name}")
    if role is None:
        return None
    policy = Policy.parse(role.assume_role_policy_document or "{}")
    return Resource(account, ResourcePolicy(policy, Delegation.REQUIRED, names_resources=False), roles.read_tags(role))


def _build_policy(document: Any) -> ResourcePolicy | None:
    text = document.decode() if isinstance(document, bytes) else document
    return ResourcePolicy(Policy.parse(text)) if text else None


#: Every account may pull the images of AWS's own registries.
_PUBLIC_PULL_POLICY = ResourcePolicy(
    Policy.parse(
        '{"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "ecr:BatchGetImage", "Resource": "*"}]}'
    )
)
_FINDERS: dict[str, Callable[[str, str, str], Resource | None]] = {
    "ecr": _describe_repository,
    "iam": _describe_role,
    "kms": _describe_key,
    "s3": _describe_s3,
    "secretsmanager": _describe_secret,
    "sns": _describe_topic,
    "sqs": _describe_queue,
}
