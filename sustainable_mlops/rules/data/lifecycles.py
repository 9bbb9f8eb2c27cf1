"""A bucket's lifecycle rules, from the resource of their own and from the old blocks inside the bucket."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from sustainable_mlops.plan import UNKNOWN, Block, Plan, Resource, Unknown

CONFIGURATION = "aws_s3_bucket_lifecycle_configuration"
VERSIONING = "aws_s3_bucket_versioning"

GLACIER = frozenset({"GLACIER_IR", "GLACIER", "DEEP_ARCHIVE"})


@dataclass(frozen=True, slots=True)
class LifecycleRule:
    """One rule. A field is None where the rule does not say it, `UNKNOWN` where it says what is not known yet."""

    path: str
    enabled: bool | Unknown
    prefix: str | Unknown
    narrowed: bool | Unknown  # by a tag or a size, besides the prefix
    tags: dict[str, str]
    expires: bool | Unknown
    transitions: tuple[str | Unknown, ...]
    noncurrent_days: float | Unknown | None
    abort_days: float | Unknown | None

    def covers(self, key: str) -> bool | Unknown:
        """Whether it applies to every object below `key` (empty for all)."""
        if self.enabled is False or self.narrowed is True:
            return False
        if UNKNOWN in (self.enabled, self.prefix, self.narrowed):
            return UNKNOWN
        return key.startswith(str(self.prefix))


class Lifecycle(NamedTuple):
    """A bucket's rules; `whole` is False where more may turn up on apply."""

    rules: tuple[LifecycleRule, ...]
    whole: bool

    def enabled(self) -> bool | Unknown:
        """Whether any rule is at work."""
        if any(rule.enabled is True for rule in self.rules):
            return True
        return False if self.whole and all(rule.enabled is False for rule in self.rules) else UNKNOWN


def of_bucket(plan: Plan, bucket: Resource) -> Lifecycle:
    """The lifecycle of a bucket."""
    known = _known(plan)
    if bucket.address not in known:
        known[bucket.address] = _read(plan, bucket)
    return known[bucket.address]


@lru_cache(maxsize=2)
def _known(_: Plan) -> dict[str, Lifecycle]:
    """The lifecycles of a plan's buckets that were asked for: several rules ask for each."""
    return {}


def _read(plan: Plan, bucket: Resource) -> Lifecycle:
    found: list[LifecycleRule] = []
    matches = plan.joins.of_bucket(bucket, CONFIGURATION)
    whole = not matches.maybe
    for configuration in matches.sure:
        rules = of_configuration(configuration)
        whole = whole and rules is not UNKNOWN
        found += [] if rules is UNKNOWN else rules
    inline = bucket.blocks("lifecycle_rule")
    if inline is UNKNOWN:  # computed where it is not set
        whole = whole and plan.configured(bucket, "lifecycle_rule") is False
    else:
        found += map(_inline, inline)
    return Lifecycle(tuple(found), whole)


def of_configuration(configuration: Resource) -> list[LifecycleRule] | Unknown:
    """The rules of a lifecycle configuration."""
    blocks = configuration.blocks("rule")
    return UNKNOWN if blocks is UNKNOWN else list(map(_rule, blocks))


def versioned(plan: Plan, bucket: Resource) -> bool | Unknown:
    """Whether a bucket keeps old versions."""
    matches = plan.joins.of_bucket(bucket, VERSIONING)
    for configuration in matches.sure:
        status = configuration.text("versioning_configuration.0.status")
        return UNKNOWN if status is UNKNOWN else status == "Enabled"
    inline = bucket.flag("versioning.0.enabled")
    if inline is UNKNOWN and plan.configured(bucket, "versioning") is False:
        inline = None
    return UNKNOWN if matches.maybe or inline is UNKNOWN else bool(inline)


def _rule(block: Block) -> LifecycleRule:
    status = block.text("status")
    prefix, tags, narrowed = _filter(block)
    return LifecycleRule(
        path=block.path,
        enabled=UNKNOWN if status is UNKNOWN else status == "Enabled",
        prefix=prefix,
        narrowed=narrowed,
        tags=tags,
        expires=_expires(block),
        transitions=tuple(_classes(block)),
        noncurrent_days=block.number("noncurrent_version_expiration.0.noncurrent_days"),
        abort_days=block.number("abort_incomplete_multipart_upload.0.days_after_initiation"),
    )


def _inline(block: Block) -> LifecycleRule:
    """A `lifecycle_rule` inside `aws_s3_bucket`, as before provider 4."""
    enabled, tags = block.flag("enabled"), block.get("tags", {})
    sizes = block.get("filter")  # of CloudFormation, whose rules may be of some sizes only
    abort = block.number("abort_incomplete_multipart_upload_days")
    return LifecycleRule(
        path=block.path,
        enabled=UNKNOWN if enabled is UNKNOWN else bool(enabled),
        prefix=_prefix(block),
        narrowed=UNKNOWN if tags is UNKNOWN or sizes is UNKNOWN else bool(tags) or bool(sizes),
        tags=tags if isinstance(tags, dict) else {},
        expires=_expires(block),
        transitions=tuple(_classes(block)),
        noncurrent_days=block.number("noncurrent_version_expiration.0.days"),
        abort_days=None if abort == 0 else abort,
    )


def _filter(block: Block) -> tuple[str | Unknown, dict[str, str], bool | Unknown]:
    """The prefix, the tags, and whether anything but the prefix narrows the rule."""
    inner = block.block("filter")
    if inner is None:
        return _prefix(block), {}, False
    both = UNKNOWN if inner is UNKNOWN else inner.block("and")
    if inner is UNKNOWN or both is UNKNOWN or inner.values is UNKNOWN:
        return UNKNOWN, {}, UNKNOWN
    prefix: str | Unknown = ""
    narrowed: bool | Unknown = False
    tags: dict[str, str] = {}
    for place in [inner] if both is None else [inner, both]:
        prefix = prefix if _prefix(place) == "" else _prefix(place)
        tag, several = place.block("tag"), place.get("tags", {})
        if isinstance(tag, Block):
            tags[str(tag.get("key"))] = str(tag.get("value"))
        if isinstance(several, dict):
            tags |= several
        if UNKNOWN in (tag, several):
            narrowed = UNKNOWN
        # An unset size is computed, and reads as unknown.
        sizes = [place.number(f"object_size_{bound}_than") for bound in ("greater", "less")]
        if tags or any(size is not UNKNOWN and size for size in sizes):
            narrowed = True
    return prefix, tags, narrowed


def _prefix(block: Block) -> str | Unknown:
    prefix = block.text("prefix")
    return "" if prefix is None else prefix


def _expires(block: Block) -> bool | Unknown:
    """Whether current objects go after some days, or on a date."""
    days, date = block.number("expiration.0.days"), block.text("expiration.0.date")
    if days is UNKNOWN or date is UNKNOWN:
        # Unset days beside `expired_object_delete_marker` are computed: that rule deletes no object.
        marker = block.flag("expiration.0.expired_object_delete_marker")
        return False if marker is True else UNKNOWN
    return bool(days) or bool(date)


def _classes(block: Block) -> Iterator[str | Unknown]:
    transitions = block.blocks("transition")
    if transitions is UNKNOWN:
        yield UNKNOWN
        return
    for transition in transitions:
        kind = transition.text("storage_class")
        if kind is not None:
            yield kind
