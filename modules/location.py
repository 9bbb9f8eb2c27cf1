"""Rules for inputs that name resources: each resource must be in the Region or account of the module call.

Other rules report an input that is not an ARN or an image URI, so these rules ignore it.
"""

from collections.abc import Callable
from typing import Any

from modules.common import ARN
from sustainable_mlops.authoring import rule
from sustainable_mlops.authoring.expressions import (
    can,
    coalesce,
    every,
    flatten,
    groups,
    list_of,
    match,
    optional,
    try_,
)
from sustainable_mlops.authoring.rules import InputRule

#: A function that returns the ARNs or images of an input, or the Region, from the inputs.
InputReader = Callable[[Any], Any]
_KEY, _ROLE, _PACKAGE, _REPOSITORY = (f"^{ARN}:{service}:" for service in ("kms", "iam:", "sagemaker", "ecr"))
_CONNECTION = f"^{ARN}:events:"
_IMAGE = r"^[0-9]{12}\.dkr\.ecr\."


def _read_region(v: Any) -> Any:
    return v.region


def require_key_in_region(
    field: str = "kms_key_arn", read_texts: InputReader | None = None, read_region: InputReader = _read_region
) -> InputRule:
    """Return the rule that keys are in the Region, because AWS services use no others."""
    return _require_region(field, read_texts, _KEY, ":", "must be a key", read_region)


def require_package_in_region(
    field: str = "model_package_arn", read_texts: InputReader | None = None, read_region: InputReader = _read_region
) -> InputRule:
    """Return the rule that model packages are in the Region, because SageMaker deploys no others."""
    return _require_region(field, read_texts, _PACKAGE, ":", "must be a model package", read_region)


def require_repository_in_region(field: str, read_texts: InputReader | None = None) -> InputRule:
    """Return the rule that repositories are in the Region, because SageMaker pulls from no others."""
    return _require_region(field, read_texts, _REPOSITORY, ":", "must be repositories")


def require_image_in_region(
    field: str = "image_uri", read_texts: InputReader | None = None, read_region: InputReader = _read_region
) -> InputRule:
    """Return the rule that images are in a registry of the Region, because SageMaker pulls no others."""
    return _require_region(field, read_texts, _IMAGE, r"\.", "must be an image in a registry", read_region)


def require_role_of_account(field: str = "role_arn", read_texts: InputReader | None = None) -> InputRule:
    """Return the rule that roles are in the account, because AWS services accept no others."""
    read = read_texts or _read_field(field)
    return rule(
        field,
        lambda v: _build_start_condition(read(v), _ROLE, f"{_ROLE}{v.account_id}:"),
        lambda v: f"must be a role of account {v.account_id}; AWS refuses roles of other accounts.",
    )


def require_publisher_role_of_account(topic_field: str) -> InputRule:
    """Return the rule that the `existing_role` of a topic's input is in the account."""
    return require_role_of_account(
        topic_field,
        lambda v: flatten(
            list_of(
                optional(getattr(v, topic_field)),
                lambda topic: list_of(optional(topic.existing_role), lambda role: role.arn),
            )
        ),
    )


def require_connection_of_location(field: str, read_texts: InputReader) -> InputRule:
    """Return the rule that EventBridge connections are in the Region and account, as destinations require."""
    return rule(
        field,
        lambda v: _build_start_condition(read_texts(v), _CONNECTION, f"{_CONNECTION}{v.region}:{v.account_id}:"),
        lambda v: f"must be a connection of account {v.account_id} in Region {v.region}.",
    )


def find_region(v: Any) -> str:
    """Return the Region of `OptionalLocation`, or a pattern of all Regions if its key is not an ARN."""
    region: str = coalesce(v.region, try_(groups(f"{_KEY}([a-z0-9-]+):", v.kms_key_arn)[1], "[a-z0-9-]+"))
    return region


def _require_region(
    field: str,
    read_texts: InputReader | None,
    start: str,
    end: str,
    requirement: str,
    read_region: InputReader = _read_region,
) -> InputRule:
    read = read_texts or _read_field(field)
    return rule(
        field,
        lambda v: _build_start_condition(read(v), start, f"{start}{read_region(v)}{end}"),
        lambda v: f"{requirement} in Region {read_region(v)}.",
    )


def _build_start_condition(texts: Any, form: str, start: str) -> bool:
    """Return the condition that each text that matches `form` also matches `start`."""
    return every(texts, lambda text: ~can(match(form, text)) | can(match(start, text)))


def _read_field(field: str) -> InputReader:
    return lambda v: optional(getattr(v, field))
