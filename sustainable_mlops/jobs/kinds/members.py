"""Members that the requests of several kinds have."""

import re
from typing import Any

from sustainable_mlops.aws.service_model import enumeration
from sustainable_mlops.catalogue.instances import has_local_disk
from sustainable_mlops.errors import UserError, did_you_mean
from sustainable_mlops.jobs.specs.common import ELASTIC


def optional(**members: Any) -> dict[str, Any]:
    """Those that are given."""
    return {name: value for name, value in members.items() if value is not None}


def volume_key(instance_type: str, key: Any) -> Any:
    """The key for the volumes; a local disk is encrypted by its hardware, and a key for it refused.

    Source: ResourceConfig in the API reference.
    """
    return None if has_local_disk(instance_type) else key


def check_instance(field: str, instance_type: str, shape: str, does: str, *, inferentia: str) -> None:
    """Raise UserError for a type that is not in the enumeration `shape`, the machines that may do what `does` says."""
    known = enumeration(shape)
    if instance_type in known:
        return
    family, _, size = instance_type.removeprefix("ml.").partition(".")
    told = f"{field}: {instance_type} cannot {does}"
    if re.fullmatch(r"[cmrx]\d+g[a-z]*", family):
        intel = next(
            (t for t in (f"ml.{family[0]}7i.{size}", f"ml.{family[0]}7i.xlarge") if t in known), "ml.m7i.large"
        )
        raise UserError(f"{told}: SageMaker has Graviton for endpoints only; use for example {intel}")
    if family.startswith("eia"):
        raise UserError(f"{told}: {ELASTIC}")
    if family.startswith("inf"):
        raise UserError(f"{told}: {inferentia}")
    purpose = shape.removesuffix("InstanceType").lower()
    raise UserError(f"{told}: SageMaker has no such {purpose} instance{did_you_mean(instance_type, known)}")
