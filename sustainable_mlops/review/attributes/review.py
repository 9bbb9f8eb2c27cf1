"""Risks and coverage gaps of changed attributes, by the names of the attributes.

An attribute in a table of single types is reviewed there. For the others, guards come first, then harmless names. Every
other changed attribute is "not reviewed".
"""

import re
from collections.abc import Iterator

from sustainable_mlops.lazy_pattern import LazyPattern
from sustainable_mlops.plan import UNKNOWN
from sustainable_mlops.review.accounts import assess_foreign_accounts
from sustainable_mlops.review.attributes.changes import AttributeChange, list_attribute_changes
from sustainable_mlops.review.attributes.guards import Guard, find_guard
from sustainable_mlops.review.attributes.harmless_names import is_content, is_harmless
from sustainable_mlops.review.attributes.readers import is_estimated, is_fully_compared, is_guarded_by_type
from sustainable_mlops.review.comparison import Comparison, ResourcePair
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
_INTERNET = ("0.0.0.0/0", "::/0")
_MAX_VALUE = 60
_MAX_VALUES = 3


def find_attribute_risks(comparison: Comparison) -> Iterator[Risk]:
    """Yield a risk for each guard that becomes weaker."""
    for pair in comparison.changes:
        if not _has_attributes_to_review(pair):
            continue
        for change in _list_changes(pair, comparison):
            if is_guarded_by_type(pair.type, change.path) or is_harmless(change.path, only_exceptions=True):
                continue
            guard = find_guard(change)
            if guard is not None:
                yield from _find_guard_risk(pair, change, guard)
            yield from _find_foreign_values(pair, change, comparison)


def list_unread_attributes(pair: ResourcePair, comparison: Comparison) -> list[str]:
    """Return the paths of changed attributes that no check reads and that may protect something."""
    if not _has_attributes_to_review(pair):
        return []
    return [
        change.path
        for change in _list_changes(pair, comparison)
        if not is_guarded_by_type(pair.type, change.path)
        and not is_estimated(pair.type, change.path)
        and not _is_reviewed_by_name(change)
        and not _is_reference(change)
    ]


def _list_changes(pair: ResourcePair, comparison: Comparison) -> Iterator[AttributeChange]:
    return (change for change in list_attribute_changes(pair, comparison) if not is_content(pair.type, change.path))


def _has_attributes_to_review(pair: ResourcePair) -> bool:
    return pair.type.startswith("aws_") and pair.before is not None and not is_fully_compared(pair.type)


def _is_reviewed_by_name(change: AttributeChange) -> bool:
    """Return whether the name is harmless or a guard compares the values. Such a change without a risk is fine."""
    guard = find_guard(change)
    if guard is None:
        return is_harmless(change.path)
    is_compared = change.is_unknown or guard.is_weaker(change) is not None
    return is_compared or is_harmless(change.path, only_exceptions=True)


def _is_reference(change: AttributeChange) -> bool:
    """Return whether all new values are ARNs or IDs of resources; foreign accounts are a separate risk."""
    if _PERMISSION.fullmatch(change.names[-1]):
        return False
    return bool(change.added) and all(
        value is UNKNOWN or (isinstance(value, str) and (_ARN.fullmatch(value) or _RESOURCE_ID.fullmatch(value)))
        for value in change.added
    )


def _find_guard_risk(pair: ResourcePair, change: AttributeChange, guard: Guard) -> Iterator[Risk]:
    if change.is_unknown:
        if change.removed or change.unchanged:
            description = f"{change.path} is unknown until apply or sensitive; possible effect: {guard.consequence}"
            yield Risk(UNKNOWN_IDS[guard.area], guard.area, Level.LOOK, pair.address, description, is_known=False)
        return
    if guard.is_weaker(change) is not True or _is_everyday_switch(pair.type, change):
        return
    level = pick_worst(guard.level, Level.STOP) if _opens_to_internet(pair, change) else guard.level
    name = WEAKER_IDS[guard.area]
    description = (
        f"{change.path}: {_format_values(change.removed)} → {_format_values(change.added)}: {guard.consequence}"
    )
    yield Risk(name, guard.area, level, pair.address, description, "Restore the previous value, or accept the risk.")


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
        description = f"{change.path}: {_format_values(change.added)} ({reason})"
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
