"""Safeguards that a plan removes."""

from collections.abc import Iterator
from functools import cached_property
from typing import Any

from sustainable_mlops.base.lazy_pattern import LazyPattern
from sustainable_mlops.plan import UNKNOWN, Block, Resource
from sustainable_mlops.plan.joins import ALARM
from sustainable_mlops.plan.values import get_at_path, is_same_value
from sustainable_mlops.review.attributes.risks import find_weakenings
from sustainable_mlops.review.comparison import Comparison, ResourcePair
from sustainable_mlops.review.risk import WEAKER_IDS, Level, Risk, RiskArea
from sustainable_mlops.review.safeguards.table import SAFEGUARDS, Safeguard

_COMPOSITE_ALARM = "aws_cloudwatch_composite_alarm"
_METRIC_FILTER = "aws_cloudwatch_log_metric_filter"
_FIX = "Keep it, or accept the risk."
#: Attributes that turn a safeguard off, and the values that do so.
_SWITCHES = ("enable", "enabled", "is_enabled", "enable_logging", "actions_enabled", "activate", "state", "status",
             "job_status", "backup_policy.0.status")  # fmt: skip
_OFF = ("disabled", "paused", "suspended", "user_paused", "cancelled", "inactive", "off", "unblocked")
#: Attributes by which other resources refer to a resource.
_NAMES = ("arn", "id", "name", "bucket", "identifier", "cluster_identifier", "domain_name", "function_name",
          "replication_group_id", "table_name", "arn_suffix", "alarm_name")  # fmt: skip
#: Attributes that name the safeguard itself. A new name does not change the protection.
_OWN_NAMES = ("name", "alarm_name", "analyzer_name", "monitor_name", "replicator_name", "policy_name", "identifier",
              "description")  # fmt: skip
#: Types whose metric dimension has another name than the type.
_DIMENSION_TYPES = {"loadbalancer": ("aws_lb", "aws_alb"), "loadbalancername": ("aws_elb",),
                    "dbclusteridentifier": ("aws_rds_cluster", "aws_docdb_cluster", "aws_neptune_cluster")}  # fmt: skip
_NAME_ENDING = LazyPattern(r"(?:name|identifier|id|arn)$")
_ALARM_NAME = LazyPattern(r"(?:ALARM|OK|INSUFFICIENT_DATA)\(\s*\"?([^\")]+)\"?\s*\)")


def find_safeguard_risks(comparison: Comparison) -> Iterator[Risk]:
    """Yield a risk for each safeguard that the plan removes or moves, unless the protected resource is removed too."""
    removed = _RemovedResources(comparison)
    for pair in comparison.changes:
        safeguard = SAFEGUARDS.get(pair.type)
        if safeguard is None or pair.resource.deposed is not None or pair.old is None or pair.before is None:
            continue
        if pair.after is None or _changes_protected_resource(pair.before, pair.after, safeguard, removed):
            yield from _find_removal(pair, pair.old, pair.before, safeguard, comparison, removed)


def _find_removal(
    pair: ResourcePair,
    old: Resource,
    before: Block,
    safeguard: Safeguard,
    comparison: Comparison,
    removed: "_RemovedResources",
) -> Iterator[Risk]:
    if _is_off(before) or (safeguard.protects is not None and not safeguard.protects(before, comparison)):
        return
    protected = comparison.joins_before.find_target(old, safeguard.path, safeguard.kind) if safeguard.kind else None
    if isinstance(protected, Resource) and comparison.pair(protected).after is None:
        return  # removed together with the protected resource
    if removed.has_protected_resource(pair.type, before, safeguard):
        return
    successors = _list_successors(pair, before, safeguard, protected, comparison)
    for other in successors:
        if other.after is not None and other is not pair:  # the same safeguard at another address
            yield from find_weakenings(before, other, other.after, comparison)
    if successors:
        return
    level, description = safeguard.level, safeguard.effect
    if pair.action == "forget":
        level = Level.LOOK
        description = f"no longer managed by Terraform; if it is deleted later, {safeguard.effect}"
    elif pair.after is not None:
        description = f"now covers another resource; for the former one, {safeguard.effect}"
    name = "SAFEGUARD_REMOVED" if safeguard.area is RiskArea.SAFEGUARDS else WEAKER_IDS[safeguard.area]
    yield Risk(name, safeguard.area, level, pair.address, description, _FIX)


def _changes_protected_resource(
    before: Block, after: Block, safeguard: Safeguard, removed: "_RemovedResources"
) -> bool:
    """Return whether an attribute that identifies the protected resource has another value than before.

    An unknown value counts as another one if the plan keeps the resource that the former value identifies.
    """
    for path in safeguard.identity:
        if path in _OWN_NAMES:
            continue
        old, new = before.get(path), after.get(path)
        if _contains_unknown(new):
            if isinstance(old, str) and removed.keeps(old):
                return True
        elif not is_same_value(old, new):
            return True
    return False


def _is_off(values: Block) -> bool:
    """Return whether the safeguard was already turned off."""
    states = (values.get(name) for name in _SWITCHES)
    return any(value is False or (isinstance(value, str) and value.lower() in _OFF) for value in states)


def _list_successors(
    pair: ResourcePair, before: Block, safeguard: Safeguard, protected: object, comparison: Comparison
) -> list[ResourcePair]:
    """Return the new resources of the same type that replace a safeguard.

    A resource that already existed is no replacement.
    """
    if isinstance(protected, Resource) and len(safeguard.identity) == 1:
        new = comparison.pair(protected).new
        others = comparison.joins_after.find_sources(new, pair.type, safeguard.path).certain if new is not None else ()
        candidates = [comparison.pair(other) for other in others]
        return [other for other in candidates if _is_added(other) or other is pair]
    candidates = [other for other in comparison.by_type[pair.type] if other.after is not None and _is_added(other)]
    if safeguard.identity:
        return [other for other in candidates if _has_same_identity(before, other, safeguard.identity)]
    return [other for other in candidates if _is_in_same_region(pair, other, comparison)][:1]


def _is_added(pair: ResourcePair) -> bool:
    """Return whether the plan creates the resource, or imports it into the state."""
    return pair.is_new or pair.resource.is_imported


def _has_same_identity(before: Block, other: ResourcePair, paths: tuple[str, ...]) -> bool:
    """Return whether the attributes are equal, or may be because they are unknown until apply."""
    assert other.after is not None
    pairs = [(before.get(path), other.after.get(path)) for path in paths]
    return all(is_same_value(old, new) or _contains_unknown(new) for old, new in pairs)


def _contains_unknown(value: Any) -> bool:
    if isinstance(value, dict | list):
        return any(map(_contains_unknown, value.values() if isinstance(value, dict) else value))
    return value is UNKNOWN


def _is_in_same_region(pair: ResourcePair, other: ResourcePair, comparison: Comparison) -> bool:
    if pair.old is None or other.new is None or pair.resource.provider != other.resource.provider:
        return False
    regions = comparison.plan.find_region(pair.old, before=True), comparison.plan.find_region(other.new)
    return UNKNOWN in regions or regions[0] == regions[1]


class _RemovedResources:
    """The resources that a plan removes, by their names."""

    def __init__(self, comparison: Comparison) -> None:
        self._comparison = comparison

    @cached_property
    def _types_by_name(self) -> dict[str, set[str]]:
        names: dict[str, set[str]] = {}
        for pair in self._comparison.changes:
            if pair.before is not None and pair.resource.deposed is None:
                for name in _list_names(pair.before) - (set() if pair.after is None else _list_names(pair.after)):
                    names.setdefault(name, set()).add(pair.type)
        return names

    @cached_property
    def _kept_names(self) -> set[str]:
        return {
            name
            for pair in self._comparison.pairs
            if pair.before is not None and pair.after is not None
            for name in _list_names(pair.before) & _list_names(pair.after)
        }

    def keeps(self, name: str) -> bool:
        """Return whether the plan keeps a resource of this name."""
        return name in self._kept_names

    def has_protected_resource(self, type_: str, before: Block, safeguard: Safeguard) -> bool:
        """Return whether the plan also removes the resource that a safeguard protects."""
        if type_ == ALARM:
            return any(self._has_dimension(*item) for item in _list_dimensions(before)) or self._has_filter(before)
        if type_ == _COMPOSITE_ALARM:
            rule = before.text("alarm_rule")
            names = _ALARM_NAME.findall(rule) if isinstance(rule, str) else []
            return bool(names) and all(ALARM in self._types_by_name.get(name, ()) for name in names)
        if not safeguard.path or safeguard.kind:
            return False
        protected = [before.text(path) for path in safeguard.path.split(", ")]  # ARNs and IDs, which are unique
        return any(isinstance(name, str) and name in self._types_by_name for name in protected)

    def _has_dimension(self, dimension: str, value: str) -> bool:
        """Return whether the plan removes the resource that a dimension of a metric names."""
        types = self._types_by_name.get(value) or self._types_by_name.get(value.rpartition("/")[2]) or ()
        stem = dimension.lower()
        kinds = _DIMENSION_TYPES.get(stem)
        if kinds is not None:
            return any(type_ in kinds for type_ in types)
        stem = _NAME_ENDING.sub("", stem)
        return bool(stem) and any(type_.replace("_", "").endswith(stem) for type_ in types)

    def _has_filter(self, alarm: Block) -> bool:
        """Return whether the plan removes the metric filter that makes the metric of an alarm."""
        metric = alarm.get("namespace"), alarm.get("metric_name")
        return None not in metric and any(
            pair.after is None
            and pair.before is not None
            and metric == tuple(pair.before.get(f"metric_transformation.0.{name}") for name in ("namespace", "name"))
            for pair in self._comparison.by_type.get(_METRIC_FILTER, ())
        )


def _list_names(values: Block) -> set[str]:
    return {name for attribute in _NAMES if type(name := values.get(attribute)) is str and name}


def _list_dimensions(alarm: Block) -> Iterator[tuple[str, str]]:
    """Yield the dimensions of the metrics of an alarm, as name and value."""
    queries = alarm.get("metric_query")
    blocks = queries if isinstance(queries, list) else []
    for dimensions in [alarm.get("dimensions"), *(get_at_path(block, "metric.0.dimensions") for block in blocks)]:
        if isinstance(dimensions, dict):
            yield from ((name, value) for name, value in dimensions.items() if type(value) is str)
