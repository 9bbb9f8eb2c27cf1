"""Risks and coverage gaps of changed attributes, by the names of the attributes.

An attribute in a table of single types is reviewed there. For the others, protective attributes come first, then
harmless names. Every other changed attribute is "not reviewed".
"""

import re
from collections.abc import Iterator

from sustainable_mlops.base.lazy_pattern import LazyPattern
from sustainable_mlops.plan import UNKNOWN
from sustainable_mlops.plan.joins import BUCKET
from sustainable_mlops.review.accounts import assess_foreign_accounts
from sustainable_mlops.review.attributes.changes import AttributeChange, list_attribute_changes, list_initial_values
from sustainable_mlops.review.attributes.harmless_names import is_content, is_harmless
from sustainable_mlops.review.attributes.protective_attributes import ProtectiveAttribute, find_protective_attribute
from sustainable_mlops.review.attributes.readers import (
    contains_path,
    is_assessed_by_account,
    is_estimated,
    is_fully_compared,
    is_protected_by_type,
    normalize_path,
)
from sustainable_mlops.review.comparison import Comparison, ResourcePair
from sustainable_mlops.review.protections.risks import list_incomparable_paths
from sustainable_mlops.review.risk import UNKNOWN_IDS, WEAKER_IDS, Level, Risk, RiskArea, pick_worst

_ARN = LazyPattern(r"arn:[a-z-]+:[a-z0-9-]+:[a-z0-9-]*:(\d{12}|aws)?:.*", re.S)
_ACCOUNT = LazyPattern(r"(\d{12})(?:\.dkr\.ecr\..*)?")
#: Attributes whose ARNs are permissions, not destinations.
_PERMISSION = LazyPattern(r".*(?:permission|polic(?:y|ies)).*")
#: Kinds of IDs that AWS gives to resources, such as `subnet-0a1b2c3d`.
_RESOURCE_ID = LazyPattern(r"[a-z]{1,12}-[0-9a-f]{8,17}")
#: Types that start work. Pausing one is no risk; dedicated checks report the pause of security rules.
_EVERYDAY_SWITCHES = """
aws_scheduler_schedule aws_cloudwatch_event_rule aws_lambda_event_source_mapping aws_glue_trigger
aws_autoscaling_schedule aws_pipes_pipe aws_cloudfront_distribution aws_codestarnotifications_notification_rule
"""
_BUCKET_ENCRYPTION = "aws_s3_bucket_server_side_encryption_configuration"
#: Types that set a default key of the account.
_ENCRYPTION_DEFAULTS = ("aws_ebs_default_kms_key", "aws_glue_data_catalog_encryption_settings")
_INTERNET = ("0.0.0.0/0", "::/0")
_MAX_VALUE = 60
_MAX_VALUES = 3


def find_attribute_risks(comparison: Comparison) -> Iterator[Risk]:
    """Yield a risk for each protective attribute that becomes weaker, and for each newly named account."""
    for pair in comparison.changes:
        if pair.before is None and _changes_existing_encryption(pair, comparison):
            for change in list_initial_values(pair):
                yield from _find_foreign_values(pair, change, comparison)
        if not _has_attributes_to_review(pair):
            continue
        for change in _list_changes(pair, comparison):
            if is_harmless(change.path, only_exceptions=True):
                continue
            is_protected = is_protected_by_type(pair.type, change.path)
            attribute = None if is_protected else find_protective_attribute(change)
            if attribute is not None:
                yield from _find_weaker_risk(pair, change, attribute)
            if not is_assessed_by_account(pair.type, change.path):
                yield from _find_foreign_values(pair, change, comparison)


def _changes_existing_encryption(pair: ResourcePair, comparison: Comparison) -> bool:
    """Return whether a new resource sets the key of an existing bucket, or a default of the account."""
    if pair.type in _ENCRYPTION_DEFAULTS:
        return True
    return pair.type == _BUCKET_ENCRYPTION and not comparison.names_new_resource(pair, "bucket", BUCKET)


def list_unread_attributes(pair: ResourcePair, comparison: Comparison) -> list[str]:
    """Return the paths of changed attributes that no check reads and that may protect something."""
    if not _has_attributes_to_review(pair):
        return []
    incomparable = frozenset(map(normalize_path, list_incomparable_paths(pair, comparison)))
    return [
        change.label
        for change in _list_changes(pair, comparison)
        if contains_path(incomparable, change.path)
        or not (
            is_protected_by_type(pair.type, change.path)
            or is_estimated(pair.type, change.path)
            or _is_reviewed_by_name(change)
            or _is_reference(change)
        )
    ]


def _list_changes(pair: ResourcePair, comparison: Comparison) -> Iterator[AttributeChange]:
    return (change for change in list_attribute_changes(pair, comparison) if not is_content(pair.type, change.path))


def _has_attributes_to_review(pair: ResourcePair) -> bool:
    return pair.type.startswith("aws_") and pair.before is not None and not is_fully_compared(pair.type)


def _is_reviewed_by_name(change: AttributeChange) -> bool:
    """Return whether the name is harmless or a protective attribute compares the values.

    Such a change without a risk is fine.
    """
    attribute = find_protective_attribute(change)
    if attribute is None:
        return is_harmless(change.path)
    is_compared = change.is_unknown or attribute.is_weaker(change) is not None
    return is_compared or is_harmless(change.path, only_exceptions=True)


def _is_reference(change: AttributeChange) -> bool:
    """Return whether all new values are ARNs or IDs of resources; foreign accounts are a separate risk."""
    if _PERMISSION.fullmatch(change.names[-1]):
        return False
    return bool(change.added) and all(
        value is UNKNOWN or (isinstance(value, str) and (_ARN.fullmatch(value) or _RESOURCE_ID.fullmatch(value)))
        for value in change.added
    )


def _find_weaker_risk(pair: ResourcePair, change: AttributeChange, attribute: ProtectiveAttribute) -> Iterator[Risk]:
    if change.is_unknown:
        if change.removed or change.unchanged:
            description = (
                f"{change.label} is unknown until apply or sensitive; possible effect: {attribute.consequence}"
            )
            yield Risk(
                UNKNOWN_IDS[attribute.area], attribute.area, Level.LOOK, pair.address, description, is_known=False
            )
        return
    if attribute.is_weaker(change) is not True or _is_everyday_switch(pair.type, change):
        return
    level = pick_worst(attribute.level, Level.STOP) if _opens_to_internet(pair, change) else attribute.level
    name = WEAKER_IDS[attribute.area]
    description = (
        f"{change.label}: {_format_values(change.removed)} → {_format_values(change.added)}: {attribute.consequence}"
    )
    yield Risk(
        name, attribute.area, level, pair.address, description, "Restore the previous value, or accept the risk."
    )


def _is_everyday_switch(type_: str, change: AttributeChange) -> bool:
    """Return whether the change only pauses or resumes a schedule or a consumer, which is an everyday change."""
    return type_ in _EVERYDAY_SWITCHES.split() and change.path in ("state", "enabled", "is_enabled")


def _opens_to_internet(pair: ResourcePair, change: AttributeChange) -> bool:
    return "_route" not in pair.type and any(value in _INTERNET for value in change.added)


def _find_foreign_values(pair: ResourcePair, change: AttributeChange, comparison: Comparison) -> Iterator[Risk]:
    """Yield a risk if an attribute gets ARNs or IDs of other accounts."""
    accounts = _list_accounts(change.added) - _list_accounts((*change.removed, *change.unchanged))
    level, reason = assess_foreign_accounts(accounts, comparison.accounts)
    if level is not Level.NOTE:
        description = f"{change.label}: {_format_values(change.added)} ({reason})"
        yield Risk("PRIVILEGES_GRANTED", RiskArea.PRIVILEGES, Level.LOOK, pair.address, description)


def _list_accounts(values: tuple[object, ...]) -> set[str]:
    """Return the account IDs in ARNs, in addresses of images, and in values that are an account."""
    matches = (_ARN.fullmatch(value) or _ACCOUNT.fullmatch(value) for value in values if isinstance(value, str))
    return {match[1] for match in matches if match and match[1] not in (None, "aws")}


def _format_values(values: tuple[object, ...]) -> str:
    if not values:
        return "not set"
    texts = [_format_value(value) for value in values[:_MAX_VALUES]]
    return ", ".join(texts) + (f" and {len(values) - _MAX_VALUES} more" if len(values) > _MAX_VALUES else "")


def _format_value(value: object) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return text if len(text) <= _MAX_VALUE else f"{text[:_MAX_VALUE]}…"
