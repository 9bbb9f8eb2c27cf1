"""IAM roles that AWS services assume."""

from collections.abc import Sequence
from typing import Any

from cdktn_provider_aws.iam_role import IamRole

from modules.common import make_name_prefix
from modules.policies import encode_policy
from sustainable_mlops.authoring.expressions import Each
from sustainable_mlops.authoring.resources import Module
from sustainable_mlops.catalogue.limits import get_limit


def add_service_role(
    module: Module[Any],
    label: str,
    *,
    name: str,
    description: str,
    trust: str,
    for_each: Each[Any, Any],
    why: str = "",
) -> Any:
    """Add a role with the path, boundary and tags of the module, and return the map of its instances.

    A long `name` is truncated. `trust` is the text that `encode_trust` returned.
    """
    var = module.var
    return module.add(
        IamRole,
        label,
        why=why,
        for_each=for_each,
        name_prefix=make_name_prefix(name, get_limit("role_name_characters")),
        description=description,
        path=var.role_path,
        permissions_boundary=var.permissions_boundary_arn,
        assume_role_policy=trust,
        tags=var.tags,
    )


def encode_trust(services: Sequence[str], *conditions: dict[str, Any], sid: str | None = None) -> str:
    """Return the trust policy that lets services assume a role under conditions."""
    statement = {
        "actions": ["sts:AssumeRole"],
        "principals": [{"type": "Service", "identifiers": services}],
        "condition": conditions,
    }
    return encode_policy(statement if sid is None else {"sid": sid, **statement})
