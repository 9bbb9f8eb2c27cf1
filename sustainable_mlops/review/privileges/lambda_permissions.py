"""Permissions to invoke a Lambda function: the principal, and the sources that limit an AWS service.

An AWS service calls the function for any account unless a source limits it. The ARN of a bucket has no account, so it
counts only if the bucket is in the plan, or if `source_account` is set too:
https://docs.aws.amazon.com/lambda/latest/dg/permissions-function-services.html
"""

from collections.abc import Iterator

from sustainable_mlops.base.lazy_pattern import LazyPattern
from sustainable_mlops.plan import UNKNOWN, Block, Unknown
from sustainable_mlops.plan.iam import DerivedText, derive_text, is_unknown_text
from sustainable_mlops.review.accounts import assess_foreign_accounts
from sustainable_mlops.review.comparison import Comparison, ResourcePair
from sustainable_mlops.review.risk import Level, Risk, RiskArea, pick_worst

LAMBDA_PERMISSION = "aws_lambda_permission"
_SOURCES = ("source_arn", "source_account")
LAMBDA_ATTRIBUTES = frozenset(
    {"principal", "function_name", "principal_org_id", "event_source_token", "function_url_auth_type", *_SOURCES}
)
_SERVICE = LazyPattern(r"[a-z0-9.-]+\.(?:amazonaws\.com(?:\.cn)?|amazon\.com)")
_BUCKET_ARN = LazyPattern(r"arn:[a-z-]+:s3:::([^/*?]+)")
_ARN_WITH_ACCOUNT = LazyPattern(r"arn:[a-z-]+:[a-z0-9-]+:[a-z0-9*-]*:\d{12}:.+")
_FIX = "Give access only to the accounts that need it, or accept the risk."


def find_lambda_permission_risks(pair: ResourcePair, after: Block, comparison: Comparison) -> Iterator[Risk]:
    """Yield the risk of a new or changed permission."""
    before = pair.before
    if pair.is_same_object and before is not None:
        names = sorted(LAMBDA_ATTRIBUTES)
        if all(before.get(name) == after.get(name) is not UNKNOWN for name in names):
            return
    principal = _read_text(pair, after, "principal", comparison)
    function = _read_text(pair, after, "function_name", comparison)
    level, reason = _assess_principal(principal, pair, after, comparison)
    description = f"lets {principal} use {function}" + (f" ({reason})" if reason else "")
    is_known = not is_unknown_text(principal) or isinstance(principal, DerivedText)
    fix = _FIX if level is Level.STOP else ""
    yield Risk("PRIVILEGES_GRANTED", RiskArea.PRIVILEGES, level, pair.address, description, fix, is_known=is_known)


def _assess_principal(
    principal: str | Unknown | None, pair: ResourcePair, after: Block, comparison: Comparison
) -> tuple[Level, str]:
    if principal == "*":
        organization = after.get("principal_org_id")
        if organization in (None, "") or after.get("function_url_auth_type") == "NONE":
            return Level.STOP, "everyone"
        return Level.LOOK, f"every account of {organization}"
    if isinstance(principal, str) and _SERVICE.fullmatch(principal):
        return _assess_sources(pair, after, comparison)
    level, reason = assess_foreign_accounts([str(principal)], comparison.accounts)
    return pick_worst(level, Level.LOOK), reason


def _assess_sources(pair: ResourcePair, after: Block, comparison: Comparison) -> tuple[Level, str]:
    """Return the level and the reason for an AWS service as the principal."""
    if after.get("event_source_token") not in (None, ""):
        return Level.NOTE, "with a token"
    sources = [text for name in _SOURCES if (text := _read_text(pair, after, name, comparison)) not in (None, "")]
    if not sources:
        return Level.LOOK, "for any account: no source_arn or source_account limits it"
    texts = [source for source in sources if isinstance(source, str)]
    level, reason = assess_foreign_accounts(texts, comparison.accounts)
    if reason:
        return level, reason
    names = ", ".join(str(source).strip("()") for source in sources)
    if any(isinstance(source, DerivedText) or _is_own(source, comparison) for source in texts):
        return Level.NOTE, f"only for {names}"
    return Level.LOOK, f"for {names}: the account of the source is not known"


def _is_own(source: str, comparison: Comparison) -> bool:
    """Return whether a source without a foreign account belongs to the own account."""
    bucket = _BUCKET_ARN.fullmatch(source)
    if bucket:
        return bucket[1] in comparison.joins_after.index_by_name("aws_s3_bucket")
    return source in comparison.accounts or _ARN_WITH_ACCOUNT.fullmatch(source) is not None


def _read_text(pair: ResourcePair, after: Block, name: str, comparison: Comparison) -> str | Unknown | None:
    """Return the text at `name`. A reference to a resource of the plan replaces an unknown value."""
    text = after.text(name)
    if text is not UNKNOWN or pair.new is None:
        return text
    return derive_text(comparison.joins_after.find_references(pair.new, name))
