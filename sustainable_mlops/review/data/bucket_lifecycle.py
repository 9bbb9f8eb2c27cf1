"""Comparison of bucket lifecycle rules.

Rules are risks if they newly delete objects, delete them earlier, or newly keep the only copy in one zone.
"""

from collections.abc import Iterator
from math import inf
from typing import Any, NamedTuple

from sustainable_mlops.base.wording import format_number_of
from sustainable_mlops.plan import UNKNOWN, Block, Sensitive
from sustainable_mlops.review.attributes.weakening import is_drastic_cut
from sustainable_mlops.review.risk import Level
from sustainable_mlops.rules.data.storage_lifecycle import is_recreatable

#: The storage class of S3 whose objects are in one Availability Zone, and are lost with it.
_ONE_ZONE = "ONEZONE_IA"


class Expiry(NamedTuple):
    """A rule that deletes objects under `prefix` with `tags` and `sizes` after `days`, or on a `date`.

    `sizes` are exclusive bounds. Of old versions, the newest `newest_kept` stay.
    """

    prefix: str
    tags: tuple[tuple[str, str], ...]
    sizes: tuple[Any, Any]
    days: float
    noncurrent: bool
    date: str = ""
    newest_kept: float = 0
    #: Days after which the same objects expired before.
    before: float = inf

    def covers(self, other: "Expiry") -> bool:
        """Return whether this rule deletes all objects of `other` at least as early."""
        return (
            self.noncurrent == other.noncurrent
            and self.days <= other.days
            and self.newest_kept <= other.newest_kept
            and (not self.date or "" != other.date >= self.date)
            and (bool(self.date) or not other.date)
            and (self.prefix == other.prefix or (not self.is_hidden and other.prefix.startswith(self.prefix)))
            and set(self.tags) <= set(other.tags)
            and _is_within(self.sizes, other.sizes)
        )

    @property
    def level(self) -> Level:
        """The level of the expiry. Deletion of old versions is less serious, unless nearly all go immediately."""
        return Level.LOOK if self.noncurrent and not is_drastic_cut(self.before, self.days) else Level.STOP

    @property
    def is_hidden(self) -> bool:
        """True if the prefix or a tag is sensitive."""
        return any(isinstance(value, Sensitive) for value in (self.prefix, *(value for _, value in self.tags)))

    def describe(self) -> str:
        """Return the deletion as a finding, with the days of the former rule if there was one."""
        if self.days < self.before < inf and not self.date:
            return f"earlier expiry: {self}; before, after {format_number_of(self.before, 'day')}"
        return f"new expiry: {self}"

    def describe_scope(self) -> str:
        """Return the part of the bucket that the rule covers."""
        location = f"under {self.prefix}" if self.prefix else "in the whole bucket"
        tags = f" with the tags {', '.join(f'{key}={value}' for key, value in self.tags)}" if self.tags else ""
        sizes = "".join(
            f" of {comparison} than {size:,g} bytes"
            for comparison, size in zip(("more", "less"), self.sizes, strict=True)
            if size is not None
        )
        return f"{location}{tags}{sizes}"

    def __str__(self) -> str:
        subject = "old versions" if self.noncurrent else "objects"
        when = f"from {self.date}" if self.date else f"after {format_number_of(self.days, 'day')}"
        newest = f", except the newest {self.newest_kept:g}" if self.newest_kept else ""
        return f"{subject} {self.describe_scope()} are deleted {when}{newest}"


def _is_within(outer: tuple[Any, Any], inner: tuple[Any, Any]) -> bool:
    """Return whether the bounds of `outer` include the bounds of `inner`."""
    is_lower_bound_within = outer[0] is None or (inner[0] is not None and outer[0] <= inner[0])
    return is_lower_bound_within and (outer[1] is None or (inner[1] is not None and outer[1] >= inner[1]))


def find_new_expiries(before: Block | None, after: Block) -> Iterator[Expiry | None]:
    """Yield the expiries that only `after` has, or None for an expiry that is unknown."""
    old = [] if before is None else [expiry for expiry in _list_expiries(before) if expiry]
    for expiry in _list_expiries(after):
        if expiry is None or not any(old_expiry.covers(expiry) for old_expiry in old):
            yield (
                None if expiry is None or expiry.is_hidden else expiry._replace(before=_find_previous_days(expiry, old))
            )


def find_new_zone_limits(before: Block | None, after: Block) -> Iterator[str | None]:
    """Yield a description of each rule that newly moves objects to one zone, or None for a rule that is unknown.

    Old versions and re-creatable objects do not count.
    """
    old = [] if before is None else [move for move in _list_zone_moves(before) if move]
    for move in _list_zone_moves(after):
        if move is None or move.is_hidden:
            yield None
        elif not is_recreatable(move.prefix, dict(move.tags)) and not any(former.covers(move) for former in old):
            yield f"objects {move.describe_scope()} move to {_ONE_ZONE}: they are lost if their zone is lost"


def _list_zone_moves(values: Block) -> Iterator[Expiry | None]:
    """Yield the scope of each transition of current objects to one zone, as an expiry without days."""
    for rule in _list_rules(values):
        if rule is None or rule.get("status") == "Disabled" or rule.get("enabled") is False:
            continue  # the comparison of expiries reports unknown rules
        transitions = rule.blocks("transition")
        if transitions is UNKNOWN:
            yield None
            continue
        scope = _parse_scope(rule)
        for storage_class in (transition.text("storage_class") for transition in transitions):
            if storage_class is UNKNOWN:
                yield None
            elif storage_class == _ONE_ZONE:
                yield None if scope is None else Expiry(*scope, 0, noncurrent=False)


def _find_previous_days(new: Expiry, old: list[Expiry]) -> float:
    """Return the number of days after which the same objects expired before."""
    covering = (
        expiry
        for expiry in old
        if expiry._replace(days=new.days, newest_kept=new.newest_kept, date=new.date).covers(new)
    )
    return min((expiry.days for expiry in covering), default=inf)


def _list_expiries(values: Block) -> Iterator[Expiry | None]:
    for rule in _list_rules(values):
        yield from [None] if rule is None else _parse_rule(rule)


def _list_rules(values: Block) -> Iterator[Block | None]:
    """Yield the rules, or None for rules that are unknown."""
    for name in ("rule", "lifecycle_rule"):
        rules = values.blocks(name)
        yield from [None] if rules is UNKNOWN else rules


def _parse_rule(rule: Block) -> Iterator[Expiry | None]:
    status, enabled = rule.get("status"), rule.get("enabled")
    if status == "Disabled" or enabled is False:
        return
    for path, noncurrent in (("expiration.0", False), ("noncurrent_version_expiration.0", True)):
        days, date = _parse_days(rule, path, noncurrent), rule.text(f"{path}.date")
        if days is None and date in (None, ""):
            continue
        newest_kept = rule.number(f"{path}.newer_noncurrent_versions")
        scope = _parse_scope(rule)
        if scope is None or UNKNOWN in (days, date, newest_kept, status, enabled):
            yield None
        else:
            yield Expiry(*scope, days or 0.0, noncurrent, str(date or ""), newest_kept or 0)


def _parse_days(rule: Block, path: str, noncurrent: bool) -> Any:
    """Return the days of an expiration, or None if there is none."""
    values = [rule.number(f"{path}.{name}") for name in (("noncurrent_days", "days") if noncurrent else ("days",))]
    return UNKNOWN if UNKNOWN in values else next((days for days in values if days), None)


def _parse_scope(rule: Block) -> tuple[str, tuple[tuple[str, str], ...], tuple[Any, Any]] | None:
    prefixes: list[Any] = [rule.get(path) for path in ("prefix", "filter.0.prefix", "filter.0.and.0.prefix")]
    tags: list[Any] = [rule.get("tags", {}), rule.get("filter.0.and.0.tags", {})]
    single = rule.get("filter.0.tag.0.key"), rule.get("filter.0.tag.0.value")
    ends = [
        [rule.number(f"filter.0.{inner}object_size_{end}_than") for inner in ("", "and.0.")]
        for end in ("greater", "less")
    ]
    parts = [*prefixes, *tags, *single, *ends[0], *ends[1]]
    if any(part is UNKNOWN for part in parts) or not all(isinstance(merged_tags, dict) for merged_tags in tags):
        return None
    merged_tags: dict[str, Any] = {**tags[0], **tags[1]}
    if single[0]:
        merged_tags[str(single[0])] = single[1]
    if UNKNOWN in merged_tags.values():
        return None
    prefix = next((_convert_to_text(prefix_value) for prefix_value in prefixes if prefix_value), "")
    sizes = tuple(next((size for size in end if size), None) for end in ends)
    return prefix, tuple((key, _convert_to_text(merged_tags[key])) for key in sorted(merged_tags)), (sizes[0], sizes[1])


def _convert_to_text(value: Any) -> str:
    """Return `value` as text. A sensitive value stays sensitive and differs from all others."""
    return value if isinstance(value, str) else str(value)
