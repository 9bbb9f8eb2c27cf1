"""Whether there is, in other services, what a request names: as moto holds it in this process.

Nothing is asked over HTTP, so the Region's lock may be held.
"""

import re
from typing import Any

from sustainable_mlops.aws.s3 import S3Uri
from sustainable_mlops.catalogue.images import is_registry_of_aws
from sagemaker_sandbox.parts.region import AccountRegion

_IMAGE = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr(?:-fips)?\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(?:\.cn)?/"
    r"(?P<repository>[^:@]+)(?::(?P<tag>[^@]+))?(?:@(?P<digest>.+))?"
)
#: AWS's own keys, made when they are first used.
_KEYS_OF_AWS = "alias/aws/"


def has_bucket(name: str) -> bool:
    """Whether any account has the bucket."""
    return _bucket(name) is not None


def region_of_bucket(name: str) -> str | None:
    """The Region of the bucket; None where no account has one of that name."""
    bucket = _bucket(name)
    return None if bucket is None else str(bucket.region_name)


def has_object(address: S3Uri) -> bool:
    """Whether S3 has this very object."""
    from moto.s3.models import FakeKey

    bucket = _bucket(address.bucket)
    return bucket is not None and address.key in bucket.keys and isinstance(bucket.keys[address.key], FakeKey)


def has_any_object(address: S3Uri) -> bool:
    """Whether S3 has anything under this address."""
    bucket = _bucket(address.bucket)
    return bucket is not None and any(key.startswith(address.key) for key in list(bucket.keys))


def _bucket(name: str) -> Any:
    from moto.s3.models import s3_backends

    partition, account = s3_backends.bucket_accounts.get(name, (None, None))
    return s3_backends[account][partition].buckets.get(name) if account else None


def has_topic(arn: str) -> bool:
    """Whether there is this SNS topic, in whatever account."""
    from moto.sns.models import sns_backends

    _, _, _, region, account, _ = arn.split(":", 5)
    return arn in sns_backends[account][region].topics


def has_key(region: AccountRegion, key: str) -> bool:
    """Whether there is this KMS key: its id, its alias, or the ARN of either, which may be another account's."""
    return is_key_of_aws(key) or find_key(region, key) is not None


def is_key_of_aws(key: str) -> bool:
    """Return whether it is the alias of a key that AWS manages, or the ARN of such an alias."""
    return key.rpartition(":")[2].startswith(_KEYS_OF_AWS)


def find_key(region: AccountRegion, key: str) -> tuple[str, str] | None:
    """Return ARN and policy of a KMS key, given as `has_key` takes it; None where there is no such key."""
    from moto.kms.models import kms_backends

    _, _, _, place, account, _ = (*key.split(":", 5), *[""] * 6)[:6] if key.startswith("arn:") else ("",) * 6
    backend = kms_backends[account or region.account_id][place or region.name]
    alias = backend.get_alias_name(key)
    found = backend.get_key_id_from_alias(alias) if alias.startswith("alias/") else backend.get_key_id(key)
    if found not in backend.keys:
        return None
    return str(backend.keys[found].arn), str(backend.keys[found].policy)


def is_image_address(image: str) -> bool:
    """Whether it is of an image in ECR."""
    return _IMAGE.fullmatch(image) is not None


def has_repository(image: str) -> bool:
    """Whether the repository of this image is there. AWS's own registries have every one."""
    parts = _IMAGE.fullmatch(image)
    assert parts is not None
    return is_registry_of_aws(parts["account"]) or _repository(parts) is not None


def has_image(image: str) -> bool:
    """Whether the image is in its repository, which is there."""
    parts = _IMAGE.fullmatch(image)
    assert parts is not None
    repository = _repository(parts)
    if repository is None:
        return is_registry_of_aws(parts["account"])
    tag = parts["tag"] or (None if parts["digest"] else "latest")
    return any(
        (tag is None or tag in one.image_tags) and parts["digest"] in (None, one.get_image_digest())
        for one in repository.images
    )


def _repository(parts: re.Match[str]) -> Any:
    from moto.ecr.models import ecr_backends

    return ecr_backends[parts["account"]][parts["region"]].repositories.get(parts["repository"])


def vpc_of_subnet(region: AccountRegion, subnet: str) -> str | None:
    """The VPC that the subnet is in; None where there is none such."""
    for found in list(_ec2(region).subnets.values()):
        if subnet in found:
            return str(found[subnet].vpc_id)
    return None


def vpc_of_group(region: AccountRegion, group: str) -> str | None:
    """The VPC that the security group is in; None where there is none such."""
    return next((str(vpc) for vpc, groups in list(_ec2(region).groups.items()) if group in groups), None)


def _ec2(region: AccountRegion) -> Any:
    from moto.ec2.models import ec2_backends

    return ec2_backends[region.account_id][region.name]
