"""Lookups of resources that a request names, in moto's state of this process.

Nothing is requested over HTTP, so the caller may hold the Region's lock.
"""

import re
from typing import Any

from sagemaker_sandbox.base.backends import find_backend
from sagemaker_sandbox.resources.region import AccountRegion
from sustainable_mlops.aws.arn import Arn
from sustainable_mlops.aws.s3 import S3Uri
from sustainable_mlops.catalogue.images import IMAGE_ADDRESS, is_registry_of_aws

#: Prefix of the aliases of keys that AWS manages. They exist from their first use.
_AWS_ALIAS_PREFIX = "alias/aws/"


def has_bucket(name: str) -> bool:
    """Return whether any account has the bucket."""
    return find_bucket(name) is not None


def find_bucket_region(name: str) -> str | None:
    """Return the Region of the bucket, or None if no account has one of that name."""
    bucket = find_bucket(name)
    return None if bucket is None else str(bucket.region_name)


def has_object(address: S3Uri) -> bool:
    """Return whether S3 has this object."""
    from moto.s3.models import FakeKey

    bucket = find_bucket(address.bucket)
    return bucket is not None and address.key in bucket.keys and isinstance(bucket.keys[address.key], FakeKey)


def has_any_object(address: S3Uri) -> bool:
    """Return whether S3 has an object under this address."""
    bucket = find_bucket(address.bucket)
    return bucket is not None and any(key.startswith(address.key) for key in list(bucket.keys))


def find_bucket(name: str) -> Any:
    """Return moto's bucket of this name, or None if no account has one."""
    from moto.s3.models import s3_backends

    partition, account = s3_backends.bucket_accounts.get(name, (None, None))
    return s3_backends[account][partition].buckets.get(name) if account else None


def has_topic(arn: str) -> bool:
    """Return whether the SNS topic exists in its account."""
    topic = Arn.parse_or_none(arn)
    backend = topic and find_backend("sns", topic.account, topic.region)
    return backend is not None and arn in backend.topics


def has_key(region: AccountRegion, key: str) -> bool:
    """Return whether the KMS key exists: an ID, an alias, or the ARN of either, also of another account."""
    return is_key_of_aws(key) or find_key(region, key) is not None


def is_key_of_aws(key: str) -> bool:
    """Return whether this is the alias of a key that AWS manages, or the ARN of such an alias."""
    return key.rpartition(":")[2].startswith(_AWS_ALIAS_PREFIX)


def find_key(region: AccountRegion, key: str) -> tuple[str, str] | None:
    """Return ARN and policy of a KMS key, in the forms that `has_key` accepts, or None."""
    arn = Arn.parse_or_none(key)
    backend = find_backend("kms", arn.account if arn else region.account_id, arn.region if arn else region.name)
    if backend is None:
        return None
    alias = backend.get_alias_name(key)
    key_id = backend.get_key_id_from_alias(alias) if alias.startswith("alias/") else backend.get_key_id(key)
    if key_id not in backend.keys:
        return None
    return str(backend.keys[key_id].arn), str(backend.keys[key_id].policy)


def is_image_address(image: str) -> bool:
    """Return whether this is the address of an image in ECR."""
    return IMAGE_ADDRESS.fullmatch(image) is not None


def has_repository(image: str) -> bool:
    """Return whether the repository of the image exists. AWS's own registries have every repository."""
    parts = IMAGE_ADDRESS.fullmatch(image)
    assert parts is not None
    return is_registry_of_aws(parts["account"]) or _find_repository(parts) is not None


def has_image(image: str) -> bool:
    """Return whether the image exists in its repository, which exists."""
    parts = IMAGE_ADDRESS.fullmatch(image)
    assert parts is not None
    repository = _find_repository(parts)
    if repository is None:
        return is_registry_of_aws(parts["account"])
    tag = parts["tag"] or (None if parts["digest"] else "latest")
    return any(
        (tag is None or tag in stored_image.image_tags) and parts["digest"] in (None, stored_image.get_image_digest())
        for stored_image in repository.images
    )


def _find_repository(parts: re.Match[str]) -> Any:
    from moto.ecr.models import ecr_backends

    return ecr_backends[parts["account"]][parts["region"]].repositories.get(parts["repository"])


def find_subnet_vpc(region: AccountRegion, subnet: str) -> str | None:
    """Return the VPC of the subnet, or None if the subnet does not exist."""
    for subnets in list(_get_ec2_backend(region).subnets.values()):
        if subnet in subnets:
            return str(subnets[subnet].vpc_id)
    return None


def find_security_group_vpc(region: AccountRegion, group: str) -> str | None:
    """Return the VPC of the security group, or None if the group does not exist."""
    return next((str(vpc) for vpc, groups in list(_get_ec2_backend(region).groups.items()) if group in groups), None)


def _get_ec2_backend(region: AccountRegion) -> Any:
    from moto.ec2.models import ec2_backends

    return ec2_backends[region.account_id][region.name]
