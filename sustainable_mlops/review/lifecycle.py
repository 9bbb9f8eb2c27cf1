"""Lifecycle rules of buckets: does a rule newly delete objects, or sooner than before?"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from sustainable_mlops.plan import UNKNOWN, Block


class Expiry(NamedTuple):
    """Objects under `prefix` (and with `tags`, of at least and at most these sizes) go after `days`."""

    prefix: str
    tags: tuple[tuple[str, str], ...]
    sizes: tuple[Any, Any]
    days: float
    noncurrent: bool

    def covers(self, other: "Expiry") -> bool:
        """Whether what `other` deletes, this deletes as soon."""
        return (
            self.noncurrent == other.noncurrent
            and self.days <= other.days
            and other.prefix.startswith(self.prefix)
            and set(self.tags) <= set(other.tags)
            and self.sizes in ((None, None), other.sizes)
        )

    def __str__(self) -> str:
        where = f"under {self.prefix}" if self.prefix else "in the whole bucket"
        tags = f" with the tags {', '.join(f'{key}={value}' for key, value in self.tags)}" if self.tags else ""
        what = "old versions" if self.noncurrent else "objects"
        return f"{what} {where}{tags} are deleted after {self.days:g} days"


def new_expiries(before: Block | None, after: Block) -> list[Expiry | None]:
    """The expiries of `after` that `before` did not have; None among them where one cannot be told."""
    old = [] if before is None else list(_expiries(before))
    return [one for one in _expiries(after) if one is None or not any(other and other.covers(one) for other in old)]


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
        days = _days(rule, path, noncurrent)
        if days is None:
            continue
        scope = _scope(rule)
        known = days is not UNKNOWN and scope is not None and UNKNOWN not in (status, enabled)
        yield Expiry(*scope, days, noncurrent) if known and scope is not None and days is not UNKNOWN else None


def _days(rule: Block, path: str, noncurrent: bool) -> Any:
    """Days of an expiration; 0 for a date; None where it is none."""
    found = [rule.number(f"{path}.{name}") for name in (("noncurrent_days", "days") if noncurrent else ("days",))]
    date = rule.get(f"{path}.date")
    if UNKNOWN in found or date is UNKNOWN:
        return UNKNOWN
    return 0.0 if date else next((days for days in found if days), None)


def _scope(rule: Block) -> tuple[str, tuple[tuple[str, str], ...], tuple[Any, Any]] | None:
    prefixes: list[Any] = [rule.get(path) for path in ("prefix", "filter.0.prefix", "filter.0.and.0.prefix")]
    tags: list[Any] = [rule.get("tags", {}), rule.get("filter.0.and.0.tags", {})]
    single: Sequence[Any] = [rule.get("filter.0.tag.0.key"), rule.get("filter.0.tag.0.value")]
    ends = [
        [rule.get(f"filter.0.{inner}object_size_{end}_than") for inner in ("", "and.0.")] for end in ("greater", "less")
    ]
    parts = [*prefixes, *tags, *single, *ends[0], *ends[1]]
    if any(part is UNKNOWN for part in parts) or not all(isinstance(found, dict) for found in tags):
        return None
    found: dict[str, str] = {**_texts(tags[0]), **_texts(tags[1])}
    if single[0]:
        found[str(single[0])] = str(single[1])
    prefix = next((str(one) for one in prefixes if one), "")
    sizes = tuple(next((size for size in end if size), None) for end in ends)
    return prefix, tuple(sorted(found.items())), (sizes[0], sizes[1])


def _texts(tags: Mapping[str, Any]) -> dict[str, str]:
    return {str(key): str(value) for key, value in tags.items()}
