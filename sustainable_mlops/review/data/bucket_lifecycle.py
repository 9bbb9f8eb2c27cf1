"""Lifecycle rules of buckets: does a rule newly delete objects, or sooner than before?"""

from collections.abc import Iterator
from math import inf
from typing import Any, NamedTuple

from sustainable_mlops.plan import UNKNOWN, Block, Sensitive
from sustainable_mlops.review.data.weakening import is_drastic_cut
from sustainable_mlops.review.risk import Level


class Expiry(NamedTuple):
    """Objects under `prefix` (and with `tags`, of at least and at most these sizes) go after `days`, or on a `date`.

    Of old versions, the `kept` newest stay.
    """

    prefix: str
    tags: tuple[tuple[str, str], ...]
    sizes: tuple[Any, Any]
    days: float
    noncurrent: bool
    date: str = ""
    newest_kept: float = 0
    #: After how many days what it is about went before.
    before: float = inf

    def covers(self, other: "Expiry") -> bool:
        """Whether what `other` deletes, this deletes as soon."""
        return (
            self.noncurrent == other.noncurrent
            and self.days <= other.days
            and self.newest_kept <= other.newest_kept
            and (not self.date or "" != other.date >= self.date)
            and (bool(self.date) or not other.date)
            and (self.prefix == other.prefix or (not self.is_hidden and other.prefix.startswith(self.prefix)))
            and set(self.tags) <= set(other.tags)
            and _within(self.sizes, other.sizes)
        )

    @property
    def level(self) -> Level:
        """How serious it is: old versions may go, unless practically all do at once."""
        return Level.LOOK if self.noncurrent and not is_drastic_cut(self.before, self.days) else Level.STOP

    @property
    def is_hidden(self) -> bool:
        """Whether the plan hides which objects it is about."""
        return any(isinstance(value, Sensitive) for value in (self.prefix, *(value for _, value in self.tags)))

    def __str__(self) -> str:
        where = f"under {self.prefix}" if self.prefix else "in the whole bucket"
        tags = f" with the tags {', '.join(f'{key}={value}' for key, value in self.tags)}" if self.tags else ""
        sizes = "".join(
            f" of {word} than {size:,g} bytes"
            for word, size in zip(("more", "less"), self.sizes, strict=True)
            if size is not None
        )
        what = "old versions" if self.noncurrent else "objects"
        when = f"from {self.date} on" if self.date else f"after {self.days:g} days"
        kept = f", but the {self.newest_kept:g} newest" if self.newest_kept else ""
        return f"{what} {where}{tags}{sizes} are deleted {when}{kept}"


def _within(outer: tuple[Any, Any], inner: tuple[Any, Any]) -> bool:
    """Whether all sizes that `inner` allows (more than, less than), `outer` allows."""
    more = outer[0] is None or (inner[0] is not None and outer[0] <= inner[0])
    return more and (outer[1] is None or (inner[1] is not None and outer[1] >= inner[1]))


def find_new_expiries(before: Block | None, after: Block) -> Iterator[Expiry | None]:
    """The expiries of `after` that `before` did not have; None among them where one cannot be told."""
    old = [] if before is None else [one for one in _expiries(before) if one]
    for one in _expiries(after):
        if one is None or not any(other.covers(one) for other in old):
            yield None if one is None or one.is_hidden else one._replace(before=_days_before(one, old))


def _days_before(new: Expiry, old: list[Expiry]) -> float:
    """After how many days all went that `new` is about."""
    whole = (one for one in old if one._replace(days=new.days, kept=new.newest_kept, date=new.date).covers(new))
    return min((one.days for one in whole), default=inf)


def _expiries(values: Block) -> Iterator[Expiry | None]:
    for name in ("rule", "lifecycle_rule"):
        rules = values.blocks(name)
        if rules is UNKNOWN:
            yield None
            continue
        for rule in rules:
            yield from _of_rule(rule)


def _of_rule(rule: Block) -> Iterator[Expiry | None]:
    status, enabled = rule.get("status"), rule.get("enabled")
    if status == "Disabled" or enabled is False:
        return
    for path, noncurrent in (("expiration.0", False), ("noncurrent_version_expiration.0", True)):
        days, date = _days(rule, path, noncurrent), rule.text(f"{path}.date")
        if days is None and date in (None, ""):
            continue
        kept = rule.number(f"{path}.newer_noncurrent_versions")
        scope = _scope(rule)
        if scope is None or UNKNOWN in (days, date, kept, status, enabled):
            yield None
        else:
            yield Expiry(*scope, days or 0.0, noncurrent, str(date or ""), kept or 0)


def _days(rule: Block, path: str, noncurrent: bool) -> Any:
    """Days of an expiration; None where it has none."""
    found = [rule.number(f"{path}.{name}") for name in (("noncurrent_days", "days") if noncurrent else ("days",))]
    return UNKNOWN if UNKNOWN in found else next((days for days in found if days), None)


def _scope(rule: Block) -> tuple[str, tuple[tuple[str, str], ...], tuple[Any, Any]] | None:
    prefixes: list[Any] = [rule.get(path) for path in ("prefix", "filter.0.prefix", "filter.0.and.0.prefix")]
    tags: list[Any] = [rule.get("tags", {}), rule.get("filter.0.and.0.tags", {})]
    single = rule.get("filter.0.tag.0.key"), rule.get("filter.0.tag.0.value")
    ends = [
        [rule.number(f"filter.0.{inner}object_size_{end}_than") for inner in ("", "and.0.")]
        for end in ("greater", "less")
    ]
    parts = [*prefixes, *tags, *single, *ends[0], *ends[1]]
    if any(part is UNKNOWN for part in parts) or not all(isinstance(found, dict) for found in tags):
        return None
    found: dict[str, Any] = {**tags[0], **tags[1]}
    if single[0]:
        found[str(single[0])] = single[1]
    if UNKNOWN in found.values():
        return None
    prefix = next((_text(one) for one in prefixes if one), "")
    sizes = tuple(next((size for size in end if size), None) for end in ends)
    return prefix, tuple((key, _text(found[key])) for key in sorted(found)), (sizes[0], sizes[1])


def _text(value: Any) -> str:
    """`value` as text; what is hidden stays so, and different from other such."""
    return value if isinstance(value, str) else str(value)
