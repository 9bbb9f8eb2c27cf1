"""Request fields that several job kinds have."""

import re
from typing import Any

from sustainable_mlops.aws.service_model import list_enum_values
from sustainable_mlops.base.errors import UserError, did_you_mean
from sustainable_mlops.catalogue.instances import has_local_disk
from sustainable_mlops.jobs.specs.common import ELASTIC


def drop_missing(**members: Any) -> dict[str, Any]:
    """Return the fields that are not None."""
    return {name: value for name, value in members.items() if value is not None}


def choose_volume_key(instance_type: str, key: Any) -> Any:
    """Return the key for the volumes; None for an instance with a local disk, which its hardware encrypts.

    SageMaker rejects a key for a local disk. Source: ResourceConfig in the API reference.
    """
    return None if has_local_disk(instance_type) else key


def check_instance_type(field: str, instance_type: str, shape: str, does: str, *, inferentia: str) -> None:
    """Raise UserError for a type that is not in the enumeration `shape`; `does` is the purpose as a verb."""
    known = list_enum_values(shape)
    if instance_type in known:
        return
    family, _, size = instance_type.removeprefix("ml.").partition(".")
    message = f"{field}: {instance_type} cannot {does}"
    if re.fullmatch(r"[cmrx]\d+g[a-z]*", family):
        intel = next(
            (t for t in (f"ml.{family[0]}7i.{size}", f"ml.{family[0]}7i.xlarge") if t in known), "ml.m7i.large"
        )
        raise UserError(f"{message}: SageMaker has Graviton only for endpoints; use for example {intel}")
    if family.startswith("eia"):
        raise UserError(f"{message}: {ELASTIC}")
    if family.startswith("inf"):
        raise UserError(f"{message}: {inferentia}")
    purpose = shape.removesuffix("InstanceType").lower()
    raise UserError(f"{message}: SageMaker has no such {purpose} instance{did_you_mean(instance_type, known)}")
