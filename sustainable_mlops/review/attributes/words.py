"""Tests of words: authorization, encryption, protocols, TLS policies, networks, versions and images.

Like those of `weakening`, the tests return whether a change protects less.
"""

import re
from collections.abc import Iterable
from ipaddress import ip_network
from typing import Any

from sustainable_mlops.base.lazy_pattern import LazyPattern
from sustainable_mlops.review.attributes.blocks import parse_number
from sustainable_mlops.review.attributes.weakening import (
    is_turned_off,
    is_turned_on,
    list_differences,
    rank_switch,
)
from sustainable_mlops.review.patterns import Tristate, combine_any

_NO_AUTHORIZATION = frozenset({"none", "", "false", "open", "allow", "no_auth", "anonymous", "password_optional"})
_UNENCRYPTED = frozenset({"plaintext", "unencrypted", "default"})
_AWS_KEYS = frozenset({"aes256", "sse_s3", "sse-s3", "aws_owned", "s3_managed"})
_PROTOCOL_RANKS = {
    **dict.fromkeys(("http", "http-only", "allow-all", "tcp", "plaintext", "ws", "none", "disabled", "ftp", "disable",
                     "prefer", "unencrypted", "smtp"), 0),
    **dict.fromkeys(("tls_plaintext", "match-viewer", "preferred", "udp", "tcp_udp"), 1),
    **dict.fromkeys(("https", "https-only", "redirect-to-https", "tls", "ssl", "wss", "sftp", "ftps", "required",
                     "require", "sasl_ssl"), 2),
    **dict.fromkeys(("verify-ca", "verify_ca"), 3),
    **dict.fromkeys(("verify-full", "verify_full"), 4),
}  # fmt: skip
_TLS_MINOR = LazyPattern(r"(?:tls|fs)(?:13)?[-_v]*1(?:[-_.]([0-3]))?(?![0-9])")
_POLICY_DATE = LazyPattern(r"20\d\d(?:[-_]\d\d)?")
#: The first TLS version without known weaknesses is 1.2.
_SAFE_TLS_MINOR = 2
_PUBLIC = frozenset({"true", "public", "internet-facing", "edge", "regional", "publicinternetonly", "public_only",
                     "public_and_private", "enabled", "all", "*", "service_provided_eips", "everyone"})  # fmt: skip


def _lower(value: Any) -> str:
    return str(value).lower()


def drops_authorization(old: Any, new: Any) -> Tristate:
    """Return whether callers no longer need authorization; None if another kind replaces it."""
    before, after = (
        [value for value in values if _lower(value) not in _NO_AUTHORIZATION] for values in list_differences(old, new)
    )
    return False if not before else None if after else True


def encrypts_less(old: Any, new: Any) -> Tristate:
    """Return whether data is encrypted with a key of AWS instead of an own key, or not at all."""
    return _rank_encryption(new) < _rank_encryption(old)


def _rank_encryption(value: Any) -> int:
    if rank_switch(value) == 0 or _lower(value) in _UNENCRYPTED:
        return 0
    return 1 if _lower(value) in _AWS_KEYS else 2


def downgrades_protocol(old: Any, new: Any) -> Tristate:
    """Return whether connections may be unencrypted."""
    if old is None:
        return False
    before, after = (-1 if value is None else _PROTOCOL_RANKS.get(_lower(value)) for value in (old, new))
    return None if before is None or after is None else after < before


def allows_older_tls(old: Any, new: Any) -> Tristate:
    """Return whether a TLS policy admits older protocol versions than before."""
    if new is None:
        return True
    (before, former_date), (after, date) = _parse_tls_policy(old), _parse_tls_policy(new)
    if old is None:
        return after is not None and after < _SAFE_TLS_MINOR
    if before is not None and after is not None and before != after:
        return after < before
    return date < former_date if date and former_date else None


def _parse_tls_policy(value: Any) -> tuple[int | None, str]:
    """Return the lowest minor version of TLS 1 in the name of a policy, and the date in it."""
    match, date = _TLS_MINOR.search(_lower(value)), _POLICY_DATE.search(_lower(value))
    return (int(match[1] or 0) if match else None), date[0] if date else ""


def admits_networks(old: Any, new: Any) -> Tristate:
    """Return whether a list has a network that the former networks do not contain."""
    if not new:
        return bool(old)  # in many services, an empty list allows everyone
    return combine_any(_is_new_network(value, old) for value in list_differences(old, new)[1])


def _is_new_network(value: Any, before: Iterable[Any]) -> Tristate:
    network = _parse_network(value)
    if network is None:
        return None
    former = filter(None, map(_parse_network, before))
    return not any(outer.version == network.version and network.subnet_of(outer) for outer in former)


def is_network(value: Any) -> bool:
    """Return whether the value is a network with its prefix length."""
    return isinstance(value, str) and "/" in value and _parse_network(value) is not None


def _parse_network(value: Any) -> Any:
    try:
        return ip_network(str(value), strict=False)
    except ValueError:
        return None


def is_shortened_or_unset(old: Any, new: Any) -> Tristate:
    """Return whether a time, a number or a switch becomes smaller or unset."""
    if old is None or new is None:
        return old is not None
    before, after = parse_number(old), parse_number(new)
    if before is None and rank_switch(old) is not None and rank_switch(new) is not None:
        return is_turned_off(old, new)
    return None if before is None or after is None else after < before


def raises_threshold(old: Any, new: Any) -> Tristate:
    """Return whether the threshold of a log is removed or rises, so that less is logged; -1 turns the log off."""
    removed, added = list_differences(old, new)
    if not removed or not added:
        return bool(removed)
    before, after = ([number for value in values if (number := parse_number(value)) is not None]
                     for values in (removed, added))  # fmt: skip
    if len(before) < len(removed) or len(after) < len(added):
        return None
    return -1 not in before and (-1 in after or max(after) > min(before))


def becomes_public(old: Any, new: Any) -> Tristate:
    """Return whether a list has a word for "everyone" in place of other words."""
    removed, added = ({*map(_lower, values)} & _PUBLIC for values in list_differences(old, new))
    return bool(added) and not removed


def allows_new_major_version(old: Any, new: Any) -> Tristate:
    """Return whether the first number of a version changes, or may change from now on.

    None for versions without a number.
    """
    if isinstance(old, bool) or isinstance(new, bool):
        return is_turned_on(old, new)
    if old is None or new is None:
        return False
    before, after = (re.match(r"\d+", str(value)) for value in (old, new))
    return None if before is None or after is None else before[0] != after[0]


def uses_other_image(old: Any, new: Any) -> Tristate:
    """Return False if only the tag or digest of an image changes; another repository cannot be compared."""
    before, after = ({re.split(r"[@:](?![^/]*/)", str(value))[0] for value in values}
                     for values in list_differences(old, new))  # fmt: skip
    return None if after - before else False


def changes_groups(old: Any, new: Any) -> Tristate:
    """Return whether a list of security groups that was not empty gets another group, or becomes empty."""
    return bool(old) and (not new or bool(list_differences(old, new)[1]))


def shares_documents(old: Any, new: Any) -> bool:
    """Return whether a service setting of Systems Manager lets accounts share documents with everyone."""
    is_sharing = str(new.get("setting_id")).endswith("/documents/console/public-sharing-permission")
    return is_sharing and new.get("setting_value") == "Enable" != old.get("setting_value")
