"""Lifecycle rules of a bucket, from the separate resource and from the old blocks inside the bucket."""

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from sustainable_mlops.plan import UNKNOWN, Block, Plan, Resource, Unknown

CONFIGURATION = "aws_s3_bucket_lifecycle_configuration"
VERSIONING = "aws_s3_bucket_versioning"

GLACIER = frozenset({"GLACIER_IR", "GLACIER", "DEEP_ARCHIVE"})


class LifecycleRule(NamedTuple):
    """One lifecycle rule. A field is None if the rule does not set it, and `UNKNOWN` if its value is unknown."""

    path: str
    is_enabled: bool | Unknown
    prefix: str | Unknown
    is_narrowed: bool | Unknown  # True if a tag or a size limits the rule, besides the prefix
    tags: dict[str, str]
    has_expiration: bool | Unknown
    transitions: tuple[str | Unknown, ...]
    noncurrent_days: float | Unknown | None
    abort_days: float | Unknown | None

    def covers(self, key: str) -> bool | Unknown:
        """Return whether the rule applies to every object below `key` (an empty key stands for all objects)."""
        if self.is_enabled is False or self.is_narrowed is True:
            return False
        if UNKNOWN in (self.is_enabled, self.prefix, self.is_narrowed):
            return UNKNOWN
        return key.startswith(str(self.prefix))


class Lifecycle(NamedTuple):
    """The lifecycle rules of a bucket; `whole` is False if apply may add rules."""

    rules: tuple[LifecycleRule, ...]
    is_complete: bool

    def is_enabled(self) -> bool | Unknown:
        """Return whether any rule is enabled."""
        if any(rule.is_enabled is True for rule in self.rules):
            return True
        return False if self.is_complete and all(rule.is_enabled is False for rule in self.rules) else UNKNOWN


def find_lifecycle(plan: Plan, bucket: Resource) -> Lifecycle:
    """Return the lifecycle of a bucket."""
    known = _create_cache(plan)
    if bucket.address not in known:
        known[bucket.address] = _read_lifecycle(plan, bucket)
    return known[bucket.address]


@lru_cache(maxsize=2)
def _create_cache(_: Plan) -> dict[str, Lifecycle]:
    """Return the cache of a plan's lifecycles: several rules read each of them."""
    return {}


def _read_lifecycle(plan: Plan, bucket: Resource) -> Lifecycle:
    lifecycle_rules: list[LifecycleRule] = []
    matches = plan.joins.find_bucket_resources(bucket, CONFIGURATION)
    is_complete = not matches.possible
    for configuration in matches.certain:
        rules = list_rules(configuration)
        is_complete = is_complete and rules is not UNKNOWN
        lifecycle_rules += [] if rules is UNKNOWN else rules
    inline = bucket.blocks("lifecycle_rule")
    if inline is UNKNOWN:  # the provider computes it if it is not set
        is_complete = is_complete and plan.is_configured(bucket, "lifecycle_rule") is False
    else:
        lifecycle_rules += map(_read_inline_rule, inline)
    return Lifecycle(tuple(lifecycle_rules), is_complete)


def list_rules(configuration: Resource) -> list[LifecycleRule] | Unknown:
    """Return the rules of a lifecycle configuration."""
    blocks = configuration.blocks("rule")
    return UNKNOWN if blocks is UNKNOWN else list(map(_read_rule, blocks))


def is_versioned(plan: Plan, bucket: Resource) -> bool | Unknown:
    """Return whether a bucket keeps old versions."""
    matches = plan.joins.find_bucket_resources(bucket, VERSIONING)
    for configuration in matches.certain:
        status = configuration.text("versioning_configuration.0.status")
        return UNKNOWN if status is UNKNOWN else status == "Enabled"
    inline = bucket.flag("versioning.0.enabled")
    if inline is UNKNOWN and plan.is_configured(bucket, "versioning") is False:
        inline = None
    return UNKNOWN if matches.possible or inline is UNKNOWN else bool(inline)


def _read_rule(block: Block) -> LifecycleRule:
    status = block.text("status")
    prefix, tags, narrowed = _read_filter(block)
    return LifecycleRule(
        path=block.path,
        is_enabled=UNKNOWN if status is UNKNOWN else status == "Enabled",
        prefix=prefix,
        is_narrowed=narrowed,
        tags=tags,
        has_expiration=_has_expiration(block),
        transitions=tuple(_list_classes(block)),
        noncurrent_days=block.number("noncurrent_version_expiration.0.noncurrent_days"),
        abort_days=block.number("abort_incomplete_multipart_upload.0.days_after_initiation"),
    )


def _read_inline_rule(block: Block) -> LifecycleRule:
    """Read a `lifecycle_rule` block of `aws_s3_bucket`, as before provider 4."""
    enabled, tags = block.flag("enabled"), block.get("tags", {})
    sizes = block.get("filter")  # CloudFormation rules may be limited by size
    abort = block.number("abort_incomplete_multipart_upload_days")
    return LifecycleRule(
        path=block.path,
        is_enabled=UNKNOWN if enabled is UNKNOWN else bool(enabled),
        prefix=_read_prefix(block),
        is_narrowed=UNKNOWN if tags is UNKNOWN or sizes is UNKNOWN else bool(tags) or bool(sizes),
        tags=tags if isinstance(tags, dict) else {},
        has_expiration=_has_expiration(block),
        transitions=tuple(_list_classes(block)),
        noncurrent_days=block.number("noncurrent_version_expiration.0.days"),
        abort_days=None if abort == 0 else abort,
    )


def _read_filter(block: Block) -> tuple[str | Unknown, dict[str, str], bool | Unknown]:
    """Return the prefix, the tags, and whether anything but the prefix narrows the rule."""
    inner = block.block("filter")
    if inner is None:
        return _read_prefix(block), {}, False
    both = UNKNOWN if inner is UNKNOWN else inner.block("and")
    if inner is UNKNOWN or both is UNKNOWN or inner.values is UNKNOWN:
        return UNKNOWN, {}, UNKNOWN
    prefix: str | Unknown = ""
    narrowed: bool | Unknown = False
    tags: dict[str, str] = {}
    for location in [inner] if both is None else [inner, both]:
        prefix = prefix if _read_prefix(location) == "" else _read_prefix(location)
        tag, several = location.block("tag"), location.get("tags", {})
        if isinstance(tag, Block):
            tags[str(tag.get("key"))] = str(tag.get("value"))
        if isinstance(several, dict):
            tags |= several
        if UNKNOWN in (tag, several):
            narrowed = UNKNOWN
        # The provider computes a size that is not set, so it reads as unknown.
        sizes = [location.number(f"object_size_{bound}_than") for bound in ("greater", "less")]
        if tags or any(size is not UNKNOWN and size for size in sizes):
            narrowed = True
    return prefix, tags, narrowed


def _read_prefix(block: Block) -> str | Unknown:
    prefix = block.text("prefix")
    return "" if prefix is None else prefix


def _has_expiration(block: Block) -> bool | Unknown:
    """Return whether current objects expire after some days, or on a date."""
    days, date = block.number("expiration.0.days"), block.text("expiration.0.date")
    if days is UNKNOWN or date is UNKNOWN:
        # Beside `expired_object_delete_marker` the provider computes unset days. That rule deletes no object.
        marker = block.flag("expiration.0.expired_object_delete_marker")
        return False if marker is True else UNKNOWN
    return bool(days) or bool(date)


def _list_classes(block: Block) -> Iterator[str | Unknown]:
    transitions = block.blocks("transition")
    if transitions is UNKNOWN:
        yield UNKNOWN
        return
    for transition in transitions:
        kind = transition.text("storage_class")
        if kind is not None:
            yield kind
