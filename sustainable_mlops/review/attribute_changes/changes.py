"""The changes of a resource, by attribute path without positions, so that the order of blocks does not matter."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

from sustainable_mlops.base.lazy_pattern import LazyPattern
from sustainable_mlops.plan import UNKNOWN
from sustainable_mlops.plan.values import Sensitive
from sustainable_mlops.review.attributes.paths import normalize_name
from sustainable_mlops.review.comparison import Comparison, ResourcePair
from sustainable_mlops.review.pipeline_steps import PIPELINE, pair_steps
from sustainable_mlops.review.privileges.policy_owners import POLICY_ATTRIBUTE

#: Keys of a block that name a parameter; its `value` is then the attribute of that name.
_PARAMETER_KEYS = ("name", "key", "parameter_name", "parameter_key")
#: Other settings in the block of a parameter.
_PARAMETER_SETTINGS = frozenset({"apply_method", "namespace", "resource", "value", "value_from"})
#: Settings of a step of a pipeline that protect data or limit the network. They are fields of the requests that create
#: its job or model, except `SkipCheck`.
_STEP_SETTING = LazyPattern(
    r"enable_network_isolation|enable_inter_container_traffic_encryption|(?:.*_)?kms_key_id|vpc_config|"
    r"enable_remote_debug|skip_check|skip_model_validation"
)
#: Longer texts are not parsed as JSON.
_MAX_JSON = 200_000


class AttributeChange(NamedTuple):
    """The change of one attribute path: its removed, added and unchanged values.

    `path` has no positions (`listener.protocol`); the order of blocks does not matter. An unset attribute has no value.
    """

    path: str
    removed: tuple[Any, ...]
    added: tuple[Any, ...]
    #: The values that stay.
    unchanged: tuple[Any, ...] = ()
    #: The part of the resource with the attribute, such as a step of a pipeline.
    part: str = ""

    @property
    def old(self) -> list[Any]:
        """The values before the change."""
        return [*self.removed, *self.unchanged]

    @property
    def new(self) -> list[Any]:
        """The values after the change."""
        return [*self.added, *self.unchanged]

    @property
    def names(self) -> tuple[str, ...]:
        """The names on the path, the outermost first."""
        return tuple(self.path.split("."))

    @property
    def label(self) -> str:
        """The path for a report, after the part of the resource."""
        return f"{self.part}: {self.path}" if self.part else self.path

    @property
    def is_unknown(self) -> bool:
        """True if a new value is unknown until apply, or if a value is sensitive."""
        return any(value is UNKNOWN or isinstance(value, Sensitive) for value in (*self.added, *self.removed))


def list_attribute_changes(pair: ResourcePair, comparison: Comparison) -> Iterator[AttributeChange]:
    """Yield the changes of a resource that exists before and after the plan, by path."""
    if pair.before is None or pair.after is None or pair.before.values is UNKNOWN or pair.after.values is UNKNOWN:
        return
    if pair.type == PIPELINE:
        yield from _list_step_changes(pair, comparison)
    old, new = pair.before.values, pair.after.values
    for name in dict.fromkeys((*old, *new)):
        before, after = old.get(name), new.get(name)
        if before == after and after is not UNKNOWN:
            continue
        if not _is_set_by_configuration(pair, name, after, comparison):
            continue
        yield from _compare(name, before, after)


def list_initial_values(pair: ResourcePair) -> Iterator[AttributeChange]:
    """Yield the attributes of a new resource, each as a change from no value."""
    values = None if pair.after is None else pair.after.values
    for name, value in {} if values is None or values is UNKNOWN else values.items():
        yield from _compare(name, None, value)


def _list_step_changes(pair: ResourcePair, comparison: Comparison) -> Iterator[AttributeChange]:
    """Yield the changes of the settings of steps that protect something. Other settings are not compared."""
    for old, new in pair_steps(pair, comparison):
        for change in _compare("steps", old.resolve_settings(), new.resolve_settings()):
            if any(map(_STEP_SETTING.fullmatch, change.names)):
                yield change._replace(path=change.path.removeprefix("steps."), part=f"step {new.name}")


def _is_set_by_configuration(pair: ResourcePair, name: str, after: Any, comparison: Comparison) -> bool:
    """Return whether the configuration sets the changed value. Otherwise the provider computes it."""
    if pair.new is None or name == "tags_all":
        return False
    is_configured = comparison.plan.is_configured(pair.new, name)
    if after is UNKNOWN:
        return is_configured is not False
    # A refreshed value that the configuration does not set is not a change of this plan.
    refreshed = () if comparison.plan.is_refresh_only else pair.resource.drift
    return name not in refreshed or is_configured is not False


def _compare(name: str, before: Any, after: Any) -> Iterator[AttributeChange]:
    old: dict[str, list[Any]] = {}
    new: dict[str, list[Any]] = {}
    _collect(before, name, old)
    _collect(after, name, new)
    unknown = [path for path, values in new.items() if UNKNOWN in values]
    for path in dict.fromkeys((*old, *new)):
        counts = Counter(old.get(path, ())), Counter(new.get(path, ()))
        removed, added = counts[0] - counts[1], counts[1] - counts[0]
        if path not in new and any(path.startswith(f"{prefix}.") for prefix in unknown):
            continue  # inside a value that is unknown until apply, which is a separate change
        if added or removed or UNKNOWN in new.get(path, ()):
            appearing = (*added, UNKNOWN) if UNKNOWN in new.get(path, ()) else tuple(added)
            yield AttributeChange(path, tuple(removed), appearing, tuple(counts[0] & counts[1]))


def _collect(
    value: Any, path: str, leaves: dict[str, list[Any]], *, is_block: bool = False, is_json: bool = False
) -> None:
    """Add the values below `path` to `leaves`, by path. Names become lower case with underscores.

    In a list or in JSON, an empty map is a block without attributes. Elsewhere it is a map that is not set.
    """
    if value is None or value == "" or (value == {} and not is_block and not is_json):
        return
    if isinstance(value, dict):
        parameter = _find_parameter(value)
        count_before = sum(map(len, leaves.values()))
        for key, inner in value.items() if parameter is None else [parameter]:
            _collect(inner, f"{path}.{normalize_name(str(key))}", leaves, is_json=is_json)
        if count_before == sum(map(len, leaves.values())):  # a block without attributes, such as `allow {}`
            leaves.setdefault(path, []).append(True)
    elif isinstance(value, list):
        for inner in value:
            _collect(inner, path, leaves, is_block=True, is_json=is_json)
    elif isinstance(value, str) and not isinstance(value, Sensitive) and value[:1] in "{[":
        _collect_json(value, path, leaves)
    else:
        leaves.setdefault(path, []).append(value)


def _collect_json(text: str, path: str, leaves: dict[str, list[Any]]) -> None:
    try:
        value = json.loads(text) if len(text) <= _MAX_JSON else None
    except (ValueError, RecursionError):
        value = None
    if isinstance(value, dict) and "Statement" in value and POLICY_ATTRIBUTE.fullmatch(path.rpartition(".")[2]):
        return  # a policy, whose permissions are compared elsewhere
    if isinstance(value, dict | list) and value:
        _collect(value, path, leaves, is_json=True)
    else:
        leaves.setdefault(path, []).append(text)


def _find_parameter(block: dict[str, Any]) -> tuple[str, Any] | None:
    """Return the name and value of a block that only sets a parameter; None for other blocks."""
    key = next((key for key in _PARAMETER_KEYS if isinstance(block.get(key), str)), None)
    if key is None or "value" not in block:
        return None
    if any(name != key and name not in _PARAMETER_SETTINGS and value is not None for name, value in block.items()):
        return None
    return block[key], block["value"]
