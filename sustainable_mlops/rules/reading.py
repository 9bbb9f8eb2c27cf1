"""Reading what a rule judges, and judging it: an unknown value gives an unknown verdict, never a pass."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from sustainable_mlops.plan import UNKNOWN, Plan, Resource, Unknown
from sustainable_mlops.plan.values import Path, Readers, steps
from sustainable_mlops.rules.rule import Verdict, failed, passed, unknown

_T = TypeVar("_T")

#: What the message of a verdict says that only the plan's own apply can tell.
UNTIL_APPLY = "until apply"
NOT_KNOWN = f"not known {UNTIL_APPLY}"


def judge(value: _T | Unknown, place: str, kept: Callable[[_T], bool], message: str) -> Verdict:
    """The verdict on `value`, which stands at `place`: `message` says what is wrong where it is not `kept`."""
    if value is UNKNOWN:
        return unknown(f"{place} is {NOT_KNOWN}", place)
    return passed() if kept(value) else failed(message, place)


def tags(plan: Plan, resource: Resource) -> Mapping[str, Any] | Unknown:
    """All tags of a resource, the provider's default ones included.

    The provider leaves `tags_all` open where there is no tag at all: then there is none, unless its default tags are
    not known.
    """
    found = resource.tags()
    if found is UNKNOWN and resource.get("tags", {}) == {}:
        key = plan.configuration.resource(resource).get("provider_config_key")
        provider = plan.configuration.providers.get(str(key))
        expressions = provider.get("expressions", {}) if isinstance(provider, Mapping) else None
        if isinstance(expressions, Mapping) and "default_tags" not in expressions:
            return {}
    return found


class Settings(Readers):
    """A resource's attributes as its configuration sets them.

    An attribute that nobody sets is unknown in a plan where the provider computes a default: here it reads as not set.
    """

    def __init__(self, plan: Plan, resource: Resource) -> None:
        self._plan = plan
        self._resource = resource

    def get(self, path: Path, default: Any = None) -> Any:
        """The value at `path`; see `dig`."""
        value = self._resource.get(path, default)
        return default if value is UNKNOWN and self._is_computed(steps(path)) else value

    def tags(self) -> Mapping[str, Any] | Unknown:
        """All tags of the resource."""
        return tags(self._plan, self._resource)

    def _is_computed(self, path: Any) -> bool:
        for end in range(1, len(path) + 1):
            if self._plan.configured(self._resource, path[:end]) is False:
                # A block made by `dynamic` does not show in the configuration: what is unknown in it stays so. One
                # that is unknown as a whole is the provider's.
                return end == len(path) or self._resource.get(path[:end]) is UNKNOWN
        return False


class Request(Readers):
    """The body of a `Create…` request, read alike from a Terraform resource and from a pipeline's step.

    `request.text("resource_config.instance_type")` is `resource_config[0].instance_type` of the one and
    `ResourceConfig.InstanceType` of the other.
    """

    def __init__(self, source: Readers, base: tuple[str | int, ...], start: str, *, api: bool) -> None:
        """Read below `base` of `source`; `start` stands before every place that is reported."""
        self._source = source
        self._base = base
        self._start = start
        self._api = api

    def get(self, path: Path, default: Any = None) -> Any:
        """The value at `path`; see `dig`."""
        return self._source.get([*self._base, *self._written(path)], default)

    def within(self, path: str, number: int) -> "Request":
        """What stands at a place of the list at `path`."""
        return Request(self._source, (*self._base, *self._written(path), number), self._start, api=self._api)

    def where(self, path: str | tuple[()] = ()) -> str:
        """The place of `path`, or of the request itself, for a verdict."""
        return ".".join(map(str, [*([self._start] if self._start else []), *self._base, *self._written(path)]))

    def judge(self, value: _T | Unknown, path: str, kept: Callable[[_T], bool], message: str) -> Verdict:
        """`judge` at the place of `path`."""
        return judge(value, self.where(path), kept, message)

    def unknown(self, path: str) -> Verdict:
        """An unknown verdict because of what stands at `path`."""
        return unknown(f"{self.where(path)} is {NOT_KNOWN}", self.where(path))

    def failed(self, path: str, message: str) -> Verdict:
        """A broken rule at `path`."""
        return failed(message, self.where(path))

    def map(self, path: str) -> Mapping[str, Any] | Unknown:
        """A map, such as hyperparameters; empty where not set."""
        value = self.get(path, {})
        return value if isinstance(value, dict) else UNKNOWN

    def tags(self) -> Any:
        """The tags of the resource or step: a map, or a list of Key and Value."""
        return self._source.tags() if isinstance(self._source, Settings) else self._source.get("Tags", [])

    def listed(self, path: str) -> int | Unknown:
        """How many blocks there are at `path`."""
        found = self.blocks(path)
        return UNKNOWN if found is UNKNOWN else len(found)

    def _written(self, path: Path) -> list[str | int]:
        parts = steps(path)
        if self._api:
            return [part if isinstance(part, int) else _camel(part) for part in parts]
        return [step for part in parts[:-1] for step in (part, 0)] + list(parts[-1:])


def _camel(name: str) -> str:
    """As AWS writes it: `ResourceConfig`, but `MemorySizeInMB`."""
    return "".join(part.upper() if part in ("gb", "mb") else part[:1].upper() + part[1:] for part in name.split("_"))


def texts_in(value: Any) -> list[str]:
    """Every text anywhere in `value`."""
    found: list[str] = []
    pending = [value]
    while pending:
        here = pending.pop()
        if isinstance(here, str):
            found.append(here)
        elif isinstance(here, dict):
            pending += here.values()
        elif isinstance(here, list):
            pending += here
    return found
