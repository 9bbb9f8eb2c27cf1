"""Risks and coverage gaps of changed attributes, by the names of the attributes.

An attribute with a path in the list of rows is compared in `attributes.risks`. For the others, the first pattern of
names decides. A changed attribute without a row is "not reviewed".
"""

import re
from collections.abc import Iterator

from sustainable_mlops.base.lazy_pattern import LazyPattern
from sustainable_mlops.plan import UNKNOWN
from sustainable_mlops.plan.joins import BUCKET
from sustainable_mlops.review.accounts import assess_foreign_accounts
from sustainable_mlops.review.attribute_changes.changes import (
    AttributeChange,
    list_attribute_changes,
    list_initial_values,
)
from sustainable_mlops.review.attribute_changes.dedicated_checks import (
    is_assessed_by_account,
    is_estimated,
    is_fully_compared,
    is_read_elsewhere,
)
from sustainable_mlops.review.attributes.paths import contains_path, normalize_path
from sustainable_mlops.review.attributes.risks import list_incomparable_paths
from sustainable_mlops.review.attributes.row import TRUST, AttributeRow, describe_unknown
from sustainable_mlops.review.attributes.table import find_name_row, list_path_rows
from sustainable_mlops.review.comparison import Comparison, ResourcePair
from sustainable_mlops.review.risk import UNKNOWN_IDS, WEAKER_IDS, Level, Risk, RiskArea, pick_worst

_ARN = LazyPattern(r"arn:[a-z-]+:[a-z0-9-]+:[a-z0-9-]*:(\d{12}|aws)?:.*", re.S)
_ACCOUNT = LazyPattern(r"(\d{12})(?:\.dkr\.ecr\..*)?")
#: Attributes whose ARNs are permissions, not destinations.
_PERMISSION = LazyPattern(r".*(?:permission|polic(?:y|ies)).*")
#: Kinds of IDs that AWS gives to resources, such as `subnet-0a1b2c3d`.
_RESOURCE_ID = LazyPattern(r"[a-z]{1,12}-[0-9a-f]{8,17}")
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
        for change in list_attribute_changes(pair, comparison):
            row = _find_row(pair, change)
            if row is not None and row.is_content:
                continue
            if row is not None and row.names is not None:
                yield from _find_weaker_risk(pair, change, row)
            if not _is_assessed_by_account(pair, change):
                yield from _find_foreign_values(pair, change, comparison)


def _is_assessed_by_account(pair: ResourcePair, change: AttributeChange) -> bool:
    """Return whether another check, or a row that decides who is trusted, assesses the accounts in an attribute."""
    is_trust = any(row.id == TRUST for row in list_path_rows(pair.type, change.path))
    return is_trust or is_assessed_by_account(pair.type, change.path)


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
        for change in list_attribute_changes(pair, comparison)
        if contains_path(incomparable, change.path) or not _is_read(pair, change)
    ]


def _has_attributes_to_review(pair: ResourcePair) -> bool:
    return pair.type.startswith("aws_") and pair.before is not None and not is_fully_compared(pair.type)


def _find_row(pair: ResourcePair, change: AttributeChange) -> AttributeRow | None:
    """Return the row of a change: by its path, or by its name if no check of its own reads it."""
    by_name = find_name_row(change.path, (*change.added, *change.removed))
    if by_name is not None and by_name.is_content:
        return by_name
    by_path = list_path_rows(pair.type, change.path)
    if by_path:
        return by_path[0]
    return None if is_read_elsewhere(pair.type, change.path) else by_name


def _is_read(pair: ResourcePair, change: AttributeChange) -> bool:
    """Return whether a row, a check or an estimate reads a change. If it yields no risk, it is fine."""
    if is_read_elsewhere(pair.type, change.path) or is_estimated(pair.type, change.path) or _is_reference(change):
        return True
    row = _find_row(pair, change)
    if row is None or row.names is None or row.is_weaker is None:
        return row is not None
    return change.is_unknown or row.is_weaker(change.old, change.new) is not None


def _is_reference(change: AttributeChange) -> bool:
    """Return whether all new values are ARNs or IDs of resources; foreign accounts are a separate risk."""
    if _PERMISSION.fullmatch(change.names[-1]):
        return False
    return bool(change.added) and all(
        value is UNKNOWN or (isinstance(value, str) and (_ARN.fullmatch(value) or _RESOURCE_ID.fullmatch(value)))
        for value in change.added
    )


def _find_weaker_risk(pair: ResourcePair, change: AttributeChange, row: AttributeRow) -> Iterator[Risk]:
    if row.is_weaker is None or (change.is_unknown and not change.old):
        return
    if change.is_unknown:
        description = describe_unknown(change.label, row)
        yield Risk(UNKNOWN_IDS[row.area], row.area, Level.LOOK, pair.address, description, is_known=False)
    elif row.is_weaker(change.old, change.new) is True:
        level = pick_worst(row.level, Level.STOP) if _opens_to_internet(pair, change) else row.level
        description = (
            f"{change.label}: {_format_values(change.removed)} → {_format_values(change.added)}: {row.consequence}"
        )
        fix = "Restore the previous value, or accept the risk."
        yield Risk(WEAKER_IDS[row.area], row.area, level, pair.address, description, fix)


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
