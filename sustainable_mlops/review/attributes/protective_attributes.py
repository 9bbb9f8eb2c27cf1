"""Attributes that protect something in every resource type, by their names, and the changes that weaken them."""

import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from ipaddress import ip_network
from itertools import product
from typing import Any, NamedTuple

from sustainable_mlops.base.lazy_pattern import LazyPattern
from sustainable_mlops.review.attributes.changes import AttributeChange
from sustainable_mlops.review.patterns import Tristate, combine_any
from sustainable_mlops.review.risk import Level, RiskArea

STOP, LOOK = Level.STOP, Level.LOOK
DATA, PRIVILEGES = RiskArea.DATA, RiskArea.PRIVILEGES

#: A test of one change: True if it weakens the protection, None if the values cannot be compared.
_AttributeTest = Callable[[AttributeChange], Tristate]

_OFF = frozenset(
    {"false", "disabled", "disable", "off", "inactive", "suspended", "paused", "none", "stopped", "no", "not_enabled",
     "disassociated", "0"}
)  # fmt: skip
_ON = frozenset(
    {"true", "enabled", "enable", "on", "active", "required", "running", "yes", "immutable", "enforced", "1", "block"}
)
_NO_AUTHORIZATION = frozenset({"none", "", "false", "open", "allow", "no_auth", "anonymous", "password_optional"})


class ProtectiveAttribute(NamedTuple):
    """A pattern of attribute names that protect something; `is_weaker` tests a change."""

    names: LazyPattern
    is_weaker: _AttributeTest
    consequence: str
    level: Level = LOOK
    area: RiskArea = PRIVILEGES


def _lower_text(value: Any) -> str:
    return str(value).lower()


def _pair_values(change: AttributeChange) -> Iterator[tuple[Any, Any]]:
    """Yield each pair of a value that disappears and one that appears; None stands for no value."""
    yield from product(change.removed or (None,), change.added or (None,))


def _turns_off(change: AttributeChange) -> Tristate:
    """Return whether a switch is turned off or removed. Other texts and numbers cannot be compared."""
    return combine_any(_is_lower_switch(old, new) for old, new in _pair_values(change))


def _is_lower_switch(old: Any, new: Any) -> Tristate:
    before, after = _rank_switch(old), _rank_switch(new)
    if before is None and after is None:
        return None
    # Any other text is more than "off": it is a destination, a level or a mode.
    return (1 if after is None else after) < (1 if before is None else before)


def _rank_switch(value: Any) -> int | None:
    if value is None or _lower_text(value) in _OFF:
        return 0
    return 2 if _lower_text(value) in _ON else 1 if _lower_text(value) == "optional" else None


def _turns_on(change: AttributeChange) -> Tristate:
    return combine_any(_is_lower_switch(new, old) for old, new in _pair_values(change))


def _loses_values(change: AttributeChange) -> Tristate:
    """Return whether a switch is turned off, or values disappear without a successor."""
    switches = [_is_lower_switch(old, new) for old, new in _pair_values(change)]
    if None not in switches:
        return combine_any(switches)
    if len(change.removed) > len(change.added):
        return True
    return None if change.removed else False


def _loses_all_values(change: AttributeChange) -> Tristate:
    """Return whether the change removes all values."""
    return bool(change.removed) and not change.added and not change.unchanged


def _drops_authorization(change: AttributeChange) -> Tristate:
    """Return whether callers no longer need authorization; None if another kind replaces it."""
    before = [value for value in change.removed if _lower_text(value) not in _NO_AUTHORIZATION]
    after = [value for value in change.added if _lower_text(value) not in _NO_AUTHORIZATION]
    if not before:
        return False
    return None if after else True


def _rank_encryption(value: Any) -> int:
    word = _lower_text(value)
    if value is None or word in _OFF or word in ("plaintext", "unencrypted", "default"):
        return 0
    return 1 if word in ("aes256", "sse_s3", "sse-s3", "aws_owned", "s3_managed") else 2


def _encrypts_less(change: AttributeChange) -> Tristate:
    return any(_rank_encryption(new) < _rank_encryption(old) for old, new in _pair_values(change))


_PROTOCOL_RANKS = {
    **dict.fromkeys(("http", "http-only", "allow-all", "tcp", "plaintext", "ws", "none", "disabled", "ftp", "disable",
                     "prefer", "unencrypted", "smtp"), 0),
    **dict.fromkeys(("tls_plaintext", "match-viewer", "preferred", "udp", "tcp_udp"), 1),
    **dict.fromkeys(("https", "https-only", "redirect-to-https", "tls", "ssl", "wss", "sftp", "ftps", "required",
                     "require", "sasl_ssl"), 2),
    **dict.fromkeys(("verify-ca", "verify_ca"), 3),
    **dict.fromkeys(("verify-full", "verify_full"), 4),
}  # fmt: skip


def _downgrades_protocol(change: AttributeChange) -> Tristate:
    def compare(old: Any, new: Any) -> Tristate:
        ranks = [_PROTOCOL_RANKS.get(_lower_text(value)) if value is not None else -1 for value in (old, new)]
        if old is None:
            return False
        return None if None in ranks else ranks[1] < ranks[0]  # type: ignore[operator]

    return combine_any(compare(old, new) for old, new in _pair_values(change))


_TLS_MINOR = LazyPattern(r"(?:tls|fs)(?:13)?[-_v]*1(?:[-_.]([0-3]))?(?![0-9])")
_POLICY_DATE = LazyPattern(r"20\d\d(?:[-_]\d\d)?")
#: The first TLS version without known weaknesses is 1.2.
_SAFE_TLS_MINOR = 2


def _allows_older_tls(change: AttributeChange) -> Tristate:
    """Return whether a TLS policy admits older protocol versions than before."""

    def compare(old: Any, new: Any) -> Tristate:
        if new is None:
            return True
        minors, dates = zip(*(_parse_tls_policy(value) for value in (old, new)), strict=True)
        if old is None:
            return minors[1] is not None and minors[1] < _SAFE_TLS_MINOR
        if None not in minors and minors[0] != minors[1]:
            return bool(minors[1] < minors[0])
        return dates[1] < dates[0] if all(dates) else None

    return combine_any(compare(old, new) for old, new in _pair_values(change))


def _parse_tls_policy(value: Any) -> tuple[int | None, str]:
    """Return the lowest minor version of TLS 1 in the name of a policy, and the date in it."""
    text = _lower_text(value)
    match, date = _TLS_MINOR.search(text), _POLICY_DATE.search(text)
    return (int(match[1] or 0) if match else None), date[0] if date else ""


def _admits_networks(change: AttributeChange) -> Tristate:
    """Return whether the change adds networks that the former ones do not contain."""
    if not change.added:
        return bool(change.removed) and not change.unchanged  # in many services, an empty list allows everyone
    return combine_any(_is_new_network(new, (*change.removed, *change.unchanged)) for new in change.added)


def _is_new_network(value: Any, before: Iterable[Any]) -> Tristate:
    try:
        network = ip_network(str(value), strict=False)
    except ValueError:
        return None
    for old in before:
        try:
            outer = ip_network(str(old), strict=False)
        except ValueError:
            continue
        if outer.version == network.version and network.subnet_of(outer):  # type: ignore[arg-type]
            return False
    return True


def _is_shorter(change: AttributeChange) -> Tristate:
    """Return whether a time or number becomes smaller or unset."""

    def compare(old: Any, new: Any) -> Tristate:
        if old is None:
            return False
        if new is None:
            return True
        if _rank_switch(old) is not None and _rank_switch(new) is not None and not _is_number(old):
            return _is_lower_switch(old, new)
        return float(new) < float(old) if _is_number(old) and _is_number(new) else None

    return combine_any(compare(old, new) for old, new in _pair_values(change))


def _raises_threshold(change: AttributeChange) -> Tristate:
    """Return whether the threshold of a log is removed or rises, so that less is logged; -1 turns the log off."""
    if not change.removed or not change.added:
        return bool(change.removed)
    if not all(map(_is_number, (*change.removed, *change.added))):
        return None
    before, after = ([float(value) for value in values] for values in (change.removed, change.added))
    return -1 not in before and (-1 in after or max(after) > min(before))


def _is_number(value: Any) -> bool:
    if isinstance(value, bool):
        return False
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True


_PUBLIC = frozenset({"true", "public", "internet-facing", "edge", "regional", "publicinternetonly", "public_only",
                     "public_and_private", "enabled", "all", "*", "service_provided_eips", "everyone"})  # fmt: skip


def _becomes_public(change: AttributeChange) -> Tristate:
    return bool({_lower_text(value) for value in change.added} & _PUBLIC) and not (
        {_lower_text(value) for value in change.removed} & _PUBLIC
    )


def _allows_new_major_version(change: AttributeChange) -> Tristate:
    """Return whether the first number of a version changes, or may change from now on.

    None for versions without a number.
    """

    def compare(old: Any, new: Any) -> Tristate:
        if isinstance(old, bool) or isinstance(new, bool):
            return _is_lower_switch(new, old)
        if old is None or new is None:
            return False
        majors = [re.match(r"\d+", str(value)) for value in (old, new)]
        return None if None in majors else majors[0][0] != majors[1][0]  # type: ignore[index]

    return combine_any(compare(old, new) for old, new in _pair_values(change))


def _uses_other_image(change: AttributeChange) -> Tristate:
    """Return False if only the tag or digest of an image changes; another repository cannot be compared."""
    before, after = ({re.split(r"[@:](?![^/]*/)", str(value))[0] for value in values}
                     for values in (change.removed, change.added))  # fmt: skip
    return None if after - before else False


def _changes_security_groups(change: AttributeChange) -> Tristate:
    """Return whether the change adds a security group to others, or removes the last one."""
    return bool(change.removed or change.unchanged) and bool(change.added or not change.unchanged)


def _compile(names: str) -> LazyPattern:
    return LazyPattern(f"(?:{'|'.join(names.split())})")


NETWORKS = ProtectiveAttribute(
    _compile(
        r"(?:.*_)?(?:cidrs?|cidr_blocks?|cidr_ips?|cidr_list|ip_ranges?|ip_sets?|ip_allow_?lists?|allow_?lists?|"
        r"whitelists?|allowed_ips?|allowed_ip_range|trusted_ips?|source_ips?|source_ranges|addresses|ip_address|"
        r"ip_addresses|(?:.*_)?ip_filter.*|vpc_source_ips?)"
    ),
    _admits_networks,
    "other networks may connect",
)
#: The first entry whose names match decides. Names are in lower case with underscores, see `changes.normalize_name`.
PROTECTIVE_ATTRIBUTES = (
    ProtectiveAttribute(
        _compile(r"(?:.*_)?(?:deny|denied|blocked|block|excluded?|exclusions?)_?(?:list|ips?|cidrs?|.*ip_range.*)"),
        _loses_values, "addresses are no longer blocked",
    ),
    NETWORKS,
    ProtectiveAttribute(
        _compile(
            r"(?:.*_)?(?:authorization|authorization_type|authorizer_type|authorizer_id|auth|auth_type|auth_mode|"
            r"auth_scheme|auth_strategy|authentication|authentication_type|authentication_types?|authentication_mode|"
            r"authentication_methods|identity_provider_type|authenticat\w*_enabled|api_key_required|"
            r"on_unauthenticated_request|authorization_scopes|iam_auth\w*|authorizer)"
        ),
        _drops_authorization, "callers need no authorization, or a different one", STOP,
    ),
    ProtectiveAttribute(
        _compile(r"(?:.*_)?passwords?|auth_token|basic_auth_credentials"), _loses_all_values,
        "users need no password", STOP,
    ),
    ProtectiveAttribute(
        _compile(r"(?:.*_)?mfa(?:_.*)?|.*multi_factor.*"), _loses_values, "users sign in without a second factor",
    ),
    ProtectiveAttribute(
        _compile(
            r"(?:.*_)?(?:ssl_policy|security_policy|security_policy_name|minimum_protocol_version|tls_policy|"
            r"tls_security_policy|min\w*_tls\w*|\w*tls_version|\w*ssl_protocols?|ssl_security_protocol)"
        ),
        _allows_older_tls, "older versions of TLS are accepted",
    ),
    ProtectiveAttribute(
        _compile(
            r"(?:.*_)?(?:protocols?|protocol_policy|client_broker|transit_encryption_mode|security_protocol|ssl_mode|"
            r"tls_mode|protocol_type)"
        ),
        _downgrades_protocol, "connections may be unencrypted",
    ),
    ProtectiveAttribute(
        _compile(
            r"(?:tls|ssl|https)(?:_enabled)?|(?:enforce|require|force|use)_(?:https|ssl|tls|.*encrypt.*)|"
            r"(?:.*_)?(?:force_ssl|require_secure_transport)"
        ),
        _loses_values, "connections may be unencrypted",
    ),
    ProtectiveAttribute(
        _compile(r".*encrypt.*|(?:.*_)?(?:sse|kms)(?:_.*)?"), _encrypts_less,
        "data is encrypted less strongly, or not at all",
    ),
    ProtectiveAttribute(
        _compile(
            r"(?!skip_|bypass_)(?:.*_)?(?:block|blocks|restrict|isolat\w*|protect\w*|prevent|require\w*|enforce\w*|"
            r"verify|verification|enhanced_vpc_routing|access_control_max_age_sec|"
            r"validat\w*|mask\w*|redact\w*|mutability|rotation|rotate\w*|versioning|lock|locked|scan|scanning|audit\w*|"
            r"deny|read_?only|readonly|private|internal|secure|secured|tamper\w*|checks?|inspection|guardrail\w*|"
            r"boundary|signing|multi_az|failover)(?:_.*)?"
        ),
        _loses_values, "a protection is turned off or reduced",
    ),
    ProtectiveAttribute(
        _compile(r"override|override_action_none"), _loses_values, "a protection is turned off or reduced",
    ),
    ProtectiveAttribute(
        _compile(
            r"(?!public_key).*(?:public|internet|anonymous|unauthenticated|external_principal|everyone).*|scheme|"
            r"(?:.*_)?(?:access_type|endpoint_types?|endpoint_type|connectivity|access_mode)|map_public_ip_on_launch|"
            r"endpoint_configuration_types"
        ),
        _becomes_public, "open to the internet or to everyone", STOP,
    ),
    ProtectiveAttribute(
        _compile(r"(?:.*_)?engine_version|allow_major_version_upgrade"), _allows_new_major_version,
        "a new major version cannot be undone, and existing programs may fail on it", LOOK, DATA,
    ),
    ProtectiveAttribute(
        _compile(
            r"enable_execute_command|enable_http_endpoint|enable_(?:ssm_?access|docker_access|remote_debug)|"
            r"introspection\w*|authorize_all.*|(?:.*_)?action_count|auto_accept.*|skip_.*|bypass_.*|force_.*|"
            r"(?:.*_)?(?:allow|allows|allowed|privileged|permissive|insecure|unsafe|purge|cascade|overwrite|"
            r"hard_delete|delete|deletes|remove|terminate|disable|disabled|disables|suspend|suspended|external|shared|sharing|"
            r"cross_account|root|administrator|debug|trust_all|impersonat\w*)(?:_.*)?"
        ),
        _turns_on, "allows more than before, or deletes something automatically",
    ),
    ProtectiveAttribute(
        _compile(
            r"(?:.*_)?(?:retention|recovery_window|deletion_window|pending_window|keep|kept|expir\w*|backup|backups|"
            r"snapshots?|delete_after|cold_storage|restore|undelete|grace|backtrack|history)(?:_.*)?|.*_in_days|.*_days"
        ),
        _is_shorter, "backups or old data are kept for less time", LOOK, DATA,
    ),
    ProtectiveAttribute(
        # Parameters of PostgreSQL ("When To Log"), which logs statements above the threshold.
        _compile(r"log_min_duration_(?:statement|sample)|log_autovacuum_min_duration|log_temp_files"),
        _raises_threshold, "less is recorded",
    ),
    ProtectiveAttribute(
        _compile(
            r"(?:.*_)?(?:log|logs|logging|access_logs?|audit|trace|tracing|xray|data_capture|monitoring|insights|"
            r"cloudwatch_logs_exports|metrics_enabled|flow_logs?|notifications?|alarms?|alarm_actions|alert\w*)(?:_.*)?"
        ),
        _loses_values, "less is recorded, or fewer people are notified",
    ),
    ProtectiveAttribute(_compile(r"(?:.*_)?(?:image|image_uri)"), _uses_other_image, "runs another image"),
    ProtectiveAttribute(
        _compile(r"(?:.*_)?(?:security_groups?|security_group_ids|security_group_id)"),
        _changes_security_groups, "other rules decide who may connect",
    ),
    ProtectiveAttribute(
        _compile(
            r"(?:.*_)?(?:vpc|vpc_ids?|vpc_arn|subnets?|subnet_ids?|subnet_arns?|network_mode|network_configuration)"
        ),
        _loses_all_values, "runs outside the VPC",
    ),
    ProtectiveAttribute(
        _compile(r"(?:.*_)?(?:enabled|enable|active|activate|status|state)|enable_.*|is_.*"),
        _turns_off, "is turned off",
    ),
)  # fmt: skip


#: Names that need the name of their block: `public_access.type` is read as `public_access_type`.
_GENERIC_NAMES = frozenset({"type", "types", "mode", "value", "option", "level", "none", "count"})


def find_protective_attribute(change: AttributeChange) -> ProtectiveAttribute | None:
    """Return the entry that matches the name or the values of an attribute; None if no entry does."""
    *outer, name = change.names
    attribute = _find_by_name(f"{outer[-1]}_{name}" if outer and name in _GENERIC_NAMES else name)
    if attribute is None and change.added and all(map(_is_network, (*change.added, *change.removed))):
        return NETWORKS
    return attribute


@lru_cache(maxsize=8192)
def _find_by_name(name: str) -> ProtectiveAttribute | None:
    return next((attribute for attribute in PROTECTIVE_ATTRIBUTES if attribute.names.fullmatch(name)), None)


def _is_network(value: Any) -> bool:
    if not isinstance(value, str) or "/" not in value:
        return False
    try:
        ip_network(value, strict=False)
    except ValueError:
        return False
    return True
