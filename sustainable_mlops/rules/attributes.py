"""Readers and checks of attributes. An unknown value gives an unknown result, never a pass."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, TypeVar

from sustainable_mlops.plan import UNKNOWN, Plan, Resource, Unknown
from sustainable_mlops.plan.values import AttributePath, AttributeReader, split_path
from sustainable_mlops.rules.rule import RuleResult, failure, success, unknown_result

_T = TypeVar("_T")

#: The end of messages about values that are known only after `terraform apply`.
UNTIL_APPLY = "until apply"
NOT_KNOWN = f"not known {UNTIL_APPLY}"


def check_value(value: _T | Unknown, path: str, is_valid: Callable[[_T], bool], message: str) -> RuleResult:
    """Return the result for `value` at `path`; `message` says what is wrong if `is_valid` rejects it."""
    if value is UNKNOWN:
        return unknown_result(f"{path} is {NOT_KNOWN}", path)
    return success() if is_valid(value) else failure(message, path)


def read_tags(plan: Plan, resource: Resource) -> Mapping[str, Any] | Unknown:
    """Return all tags of a resource, including the provider's default tags.

    The provider leaves `tags_all` unknown for a resource without tags. Then there are no tags, unless the default tags
    are unknown.
    """
    resource_tags = resource.read_tags()
    if resource_tags is UNKNOWN and resource.get("tags", {}) == {}:
        key = plan.configuration.find_resource(resource).get("provider_config_key")
        provider = plan.configuration.providers.get(str(key))
        expressions = provider.get("expressions", {}) if isinstance(provider, Mapping) else None
        if isinstance(expressions, Mapping) and "default_tags" not in expressions:
            return {}
    return resource_tags


class ConfiguredAttributes(AttributeReader):
    """Attributes of a resource as its configuration sets them.

    In a plan, an attribute that is not set is unknown if the provider computes a default. Here it reads as not set.
    """

    def __init__(self, plan: Plan, resource: Resource) -> None:
        self._plan = plan
        self._resource = resource

    def get(self, path: AttributePath, default: Any = None) -> Any:
        """Return the value at `path`; see `get_at_path`."""
        value = self._resource.get(path, default)
        return default if value is UNKNOWN and self._is_computed(split_path(path)) else value

    def read_tags(self) -> Mapping[str, Any] | Unknown:
        """Return all tags of the resource."""
        return read_tags(self._plan, self._resource)

    def _is_computed(self, path: Any) -> bool:
        for end in range(1, len(path) + 1):
            if self._plan.is_configured(self._resource, path[:end]) is False:
                # The configuration does not record a block made by `dynamic`, so its unknown values stay unknown. The
                # provider computes a block that is unknown as a whole.
                return end == len(path) or self._resource.get(path[:end]) is UNKNOWN
        return False


class CreateRequest(AttributeReader):
    """The body of a `Create…` request, from a Terraform resource or from a step of a pipeline.

    `request.text("resource_config.instance_type")` reads `resource_config[0].instance_type` of a resource and
    `ResourceConfig.InstanceType` of a step.
    """

    def __init__(self, source: AttributeReader, base: tuple[str | int, ...], start: str, *, api: bool) -> None:
        """Read below `base` of `source`; `start` is the prefix of every reported location."""
        self._source = source
        self._base = base
        self._start = start
        self._api = api

    def get(self, path: AttributePath, default: Any = None) -> Any:
        """Return the value at `path`; see `get_at_path`."""
        return self._source.get((*self._base, *self._build_path(path)), default)

    def select_item(self, path: str, number: int) -> "CreateRequest":
        """Return the request for one item of the list at `path`."""
        return CreateRequest(self._source, (*self._base, *self._build_path(path), number), self._start, api=self._api)

    def locate(self, path: str | tuple[()] = ()) -> str:
        """Return the location of `path`, or of the request itself, for a result."""
        return ".".join(map(str, [*([self._start] if self._start else []), *self._base, *self._build_path(path)]))

    def check_value(self, value: _T | Unknown, path: str, is_valid: Callable[[_T], bool], message: str) -> RuleResult:
        """Return the result for the value at `path`; see the function `check_value`."""
        return check_value(value, self.locate(path), is_valid, message)

    def unknown_result(self, path: str) -> RuleResult:
        """Return an unknown result because of the value at `path`."""
        return unknown_result(f"{self.locate(path)} is {NOT_KNOWN}", self.locate(path))

    def failure(self, path: str, message: str) -> RuleResult:
        """Return a failed result at `path`."""
        return failure(message, self.locate(path))

    def read_map(self, path: str) -> Mapping[str, Any] | Unknown:
        """Return a map, such as hyperparameters; it is empty if not set."""
        value = self.get(path, {})
        return value if isinstance(value, dict) else UNKNOWN

    def read_tags(self) -> Any:
        """Return the tags of the resource or step: a map, or a list of Key and Value."""
        return (
            self._source.read_tags() if isinstance(self._source, ConfiguredAttributes) else self._source.get("Tags", [])
        )

    def _build_path(self, path: AttributePath) -> tuple[str | int, ...]:
        return _build_request_path(path if isinstance(path, str) else tuple(path), self._api)


@lru_cache(maxsize=4096)
def _build_request_path(path: AttributePath, api: bool) -> tuple[str | int, ...]:
    """Return the path of an attribute in a request or in a resource. In a resource, each block is a list."""
    parts = split_path(path)
    if api:
        return tuple(part if isinstance(part, int) else _to_camel_case(part) for part in parts)
    return (*(step for part in parts[:-1] for step in (part, 0)), *parts[-1:])


def _to_camel_case(name: str) -> str:
    """Convert a name to AWS's spelling: `ResourceConfig`, but `MemorySizeInMB`."""
    return "".join(part.upper() if part in ("gb", "mb") else part[:1].upper() + part[1:] for part in name.split("_"))


def list_texts(value: Any) -> list[str]:
    """Return every text at any depth of `value`."""
    texts: list[str] = []
    pending = [value]
    while pending:
        node = pending.pop()
        if isinstance(node, str):
            texts.append(node)
        elif isinstance(node, dict):
            pending += node.values()
        elif isinstance(node, list):
            pending += node
    return texts
