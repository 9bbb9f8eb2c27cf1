"""Rules that what an input names is in the Region or account of the call.

An input that is not an ARN or image of the right form has a message of its own, so these rules ignore it.
"""

from collections.abc import Callable
from typing import Any

from modules.common import ARN
from sustainable_mlops.authoring import rule
from sustainable_mlops.authoring.expressions import can, every, groups, match, optional, try_
from sustainable_mlops.authoring.rules import InputRule

#: Returns the ARNs or images of an input.
Texts = Callable[[Any], Any]
_KEY, _ROLE, _PACKAGE, _REPOSITORY = (f"^{ARN}:{service}:" for service in ("kms", "iam:", "sagemaker", "ecr"))
_IMAGE = r"^[0-9]{12}\.dkr\.ecr\."


def _read_region(v: Any) -> Any:
    return v.region


def require_key_in_region(field: str = "kms_key_arn", texts: Texts | None = None) -> InputRule:
    """Return the rule that AWS services of a Region use only its keys."""
    return _require_region(field, texts, _KEY, ":", "must be a key of this Region")


def require_package_in_region(
    field: str = "model_package_arn", texts: Texts | None = None, region: Texts = _read_region
) -> InputRule:
    """Return the rule that SageMaker deploys only packages of the same Region."""
    return _require_region(field, texts, _PACKAGE, ":", "must be a model package of this Region", region)


def require_repository_in_region(field: str, texts: Texts | None = None) -> InputRule:
    """Return the rule that SageMaker pulls images only from registries of the same Region."""
    return _require_region(field, texts, _REPOSITORY, ":", "must be repositories of this Region")


def require_image_in_region(
    field: str = "image_uri", texts: Texts | None = None, region: Texts = _read_region
) -> InputRule:
    """Return the rule that SageMaker pulls images only from registries of the same Region."""
    return _require_region(field, texts, _IMAGE, r"\.", "must be an image in the registry of this Region", region)


def require_role_of_account(field: str = "role_arn", texts: Texts | None = None) -> InputRule:
    """Return the rule that AWS services accept only roles of the account of the request."""
    find = texts or _read(field)
    return rule(
        field,
        lambda v: _all_start_with(find(v), _ROLE, f"{_ROLE}{v.account_id}:"),
        lambda v: f"must be a role of account {v.account_id}; AWS refuses roles of other accounts.",
    )


def region_of_key(v: Any) -> str:
    """Return the Region of `kms_key_arn`; a pattern of any Region if it is not an ARN."""
    return try_(groups(f"{_KEY}([a-z0-9-]+):", v.kms_key_arn)[1], "[a-z0-9-]+")


def _require_region(
    field: str, texts: Texts | None, start: str, end: str, requirement: str, region: Texts = _read_region
) -> InputRule:
    find = texts or _read(field)
    return rule(
        field,
        lambda v: _all_start_with(find(v), start, f"{start}{region(v)}{end}"),
        lambda v: f"{requirement}, {region(v)}; use one of that Region.",
    )


def _all_start_with(texts: Any, form: str, start: str) -> bool:
    return every(texts, lambda text: ~can(match(form, text)) | can(match(start, text)))


def _read(field: str) -> Texts:
    return lambda v: optional(getattr(v, field))
