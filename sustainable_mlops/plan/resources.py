"""The resources of a plan. Each entry of `resource_changes` is one `Resource`."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple, cast

from sustainable_mlops.base.errors import UserError
from sustainable_mlops.plan.addresses import AddressPart, split_address
from sustainable_mlops.plan.cloudformation import find_mapped_reader
from sustainable_mlops.plan.document import SHOW_COMMAND, name_json_type, quote_value
from sustainable_mlops.plan.type_mapping import IsSet
from sustainable_mlops.plan.values import (
    AttributePath,
    AttributeReader,
    Block,
    Unknown,
    apply_marks,
    get_at_path,
    has_mark,
)

#: One word for each of Terraform's lists of actions.
_ACTIONS = {
    ("no-op",): "no-op",
    ("create",): "create",
    ("read",): "read",
    ("update",): "update",
    ("delete", "create"): "replace",
    ("create", "delete"): "replace",
    ("create", "forget"): "replace",
    ("forget", "create"): "replace",
    ("delete",): "delete",
    ("forget",): "forget",
}
_WITHOUT_BEFORE = frozenset({"create", "read"})
_WITHOUT_AFTER = frozenset({"delete", "forget"})
_NOTHING = Block({})


class Resource(AttributeReader):
    """One instance of a resource or data source, before and after the plan.

    The readers (`get`, `text`, `number`, `flag`, `texts`, `blocks`, `block`) read the values after the plan. `old` has
    the same readers for the values before the plan, and `new` for those after it.
    """

    __slots__ = (
        "_after", "_before", "_change", "_is_set", "_new", "_old", "action", "actions", "address", "deferred",
        "deposed", "drift", "index", "location", "mapped_reader", "mode", "module", "module_parts", "name",
        "previous_address", "provider", "reason", "source_type", "type",
    )  # fmt: skip

    def __init__(self, entry: Mapping[str, Any], location: str, drift: tuple[str, ...] = ()) -> None:
        """Read one entry. Messages name `location`. Raises UserError if a part is missing or malformed."""
        #: The attributes with drift that the plan accepts. `before` has their values from before the drift.
        self.drift = drift
        self.location = location
        self.address: str = _read_field(entry, "address", str, location)
        #: The type in the source. `type` is the type it is read as; for most resources both are the same.
        self.source_type: str = _read_field(entry, "type", str, location)
        self.name: str = _read_field(entry, "name", str, location)
        self.mode: str = entry.get("mode", "managed")
        self.module: str = entry.get("module_address") or ""
        self.index: str | int | None = entry.get("index")
        self.provider: str = entry.get("provider_name") or ""
        self.deposed: str | None = entry.get("deposed")
        self.previous_address: str | None = entry.get("previous_address")
        self.reason: str | None = entry.get("action_reason")
        self.deferred: str | None = None
        self._change: dict[str, Any] = _read_field(entry, "change", dict, location)
        self._check_entry(entry)
        self.mapped_reader = find_mapped_reader(self.source_type, self._change) if self.mode == "managed" else None
        self.type: str = self.source_type if self.mapped_reader is None else self.mapped_reader.mapping.type
        self._is_set: IsSet = _is_always_set
        self.module_parts: tuple[AddressPart, ...] = split_address(self.module)
        actions = self._change.get("actions")
        self.actions: tuple[str, ...] = tuple(actions) if isinstance(actions, list) and len(actions) <= 2 else ()
        self.action = self._parse_action(actions)
        self._check_values()
        self._before: Mapping[str, Any] | Unknown | None = Unknown.UNKNOWN
        self._after: Mapping[str, Any] | Unknown | None = Unknown.UNKNOWN
        self._old: Block | None = None
        self._new: Block | None = None

    def _check_entry(self, entry: Mapping[str, Any]) -> None:
        if self.mode not in ("managed", "data"):
            raise UserError(f"{self.location}.mode: must be 'managed' or 'data', not {quote_value(self.mode)}")
        for key in ("module_address", "provider_name", "deposed", "previous_address", "action_reason"):
            if not isinstance(entry.get(key), str | None):
                raise UserError(f"{self.location}.{key}: must be text, not {name_json_type(entry[key])}")
        if self.deposed is not None and self._change.get("actions") not in (["delete"], ["forget"], ["no-op"]):
            raise UserError(
                f"{self.location}.deposed: {quote_value(self.deposed)} is set, but this is not a deposed object"
            )
        if not isinstance(self.index, str | int | None) or isinstance(self.index, bool):
            raise UserError(f"{self.location}.index: must be text or a number, not {name_json_type(self.index)}")
        start = f"{self.module}." if self.module else ""
        data = "data." if self.mode == "data" else ""
        expected = f"{start}{data}{self.source_type}.{self.name}"
        if self.address != expected and not self.address.startswith(expected + "["):
            raise UserError(
                f"{self.location}.address: {quote_value(self.address)} must be {quote_value(expected)}, as its type "
                "and name require"
            )

    def _parse_action(self, actions: Any) -> str:
        try:
            return _ACTIONS[self.actions]
        except (KeyError, TypeError):
            actual = quote_value(actions) if not self.actions else ", ".join(map(quote_value, self.actions))
            location = f"{self.location}.change.actions"
            raise UserError(f"{location}: {actual} is not create, read, update, delete, no-op or forget") from None

    def _check_values(self) -> None:
        """Raise UserError if the values before and after do not fit the action.

        A missing object would hide a change.
        """
        location = f"{self.location}.change"
        # Terraform 1.1 lists a resource with zero instances as a no-op from null to null.
        nothing = self.action == "no-op" and all(self._change.get(key, "") is None for key in ("before", "after"))
        no_before, no_after = nothing or self.action in _WITHOUT_BEFORE, nothing or self.action in _WITHOUT_AFTER
        for key, absent in (("before", no_before), ("after", no_after)):
            value = self._change.get(key)
            if not isinstance(value, dict | None):
                raise UserError(f"{location}.{key}: must be an object or null, not {name_json_type(value)}")
            if value is None and not absent:
                raise UserError(
                    f"{location}.{key}: is {_describe_missing(self._change, key)}, but the action is {self.action}"
                )
            if value == {} and not (key == "after" and self._change.get("after_unknown")):
                raise UserError(f"{location}.{key}: is empty, but no resource is; {SHOW_COMMAND}")
            if value is not None and absent and self.action != "read":
                raise UserError(f"{location}.{key}: must be null, as the action is {self.action}")
        unknown = self._change.get("after_unknown")
        if not isinstance(unknown, dict | bool) and self.action not in _WITHOUT_AFTER:
            raise UserError(
                f"{location}.after_unknown: must be an object, not {_describe_missing(self._change, 'after_unknown')}"
            )

    def set_unknown_check(self, is_set: Callable[["Resource", tuple[str | int, ...]], bool]) -> None:
        """Set the function that tells whether the configuration sets an unknown attribute."""
        self._is_set = partial(is_set, self)

    @property
    def before(self) -> Mapping[str, Any] | None:
        """Attributes before the plan, or None if the resource does not exist yet."""
        if self._before is Unknown.UNKNOWN:
            change = self._change
            before = self._map_values(apply_marks(change.get("before"), False, change.get("before_sensitive", False)))
            self._before, self._old = ({}, Block(before)) if before is Unknown.UNKNOWN else (before, None)
        return cast("Mapping[str, Any] | None", self._before)

    @property
    def after(self) -> Mapping[str, Any] | None:
        """Attributes after the plan, with `UNKNOWN` and `Sensitive` as placeholders, or None if it is deleted."""
        if self._after is Unknown.UNKNOWN:
            change = self._change
            after, unknown = change.get("after"), change.get("after_unknown", False)
            if after is not None and unknown is True:
                after = Unknown.UNKNOWN
            elif after is not None:
                after = self._map_values(apply_marks(after, unknown, change.get("after_sensitive", False)))
            self._after, self._new = ({}, Block(after)) if after is Unknown.UNKNOWN else (after, None)
        return cast("Mapping[str, Any] | None", self._after)

    def _map_values(self, values: Any) -> Any:
        if self.mapped_reader is None or not isinstance(values, dict):
            return values
        return self.mapped_reader.read_values(values, self._is_set)

    def is_unknown(self, attribute: str) -> bool:
        """Return whether an attribute (source name), or a part of it, is known only after apply."""
        unknown = self._change.get("after_unknown")
        return has_mark(unknown.get(attribute, False)) if isinstance(unknown, dict) else unknown is True

    @property
    def old(self) -> Block:
        """Reader of `before`. Nothing is set if there is none."""
        if self._old is None:
            before = self.before  # reading it may set `_old`
            self._old = self._old or (_NOTHING if before is None else Block(before))
        return self._old

    @property
    def new(self) -> Block:
        """Reader of `after`. Nothing is set if there is none."""
        if self._new is None:
            after = self.after  # reading it may set `_new`
            self._new = self._new or (_NOTHING if after is None else Block(after))
        return self._new

    def get_values(self, *, before: bool = False) -> Block:
        """Return `old` or `new`."""
        return self.old if before else self.new

    def exists(self, *, before: bool = False) -> bool:
        """Return whether the resource exists before (or after) the plan."""
        if before:
            return self._change.get("before") is not None
        return self._change.get("after") is not None

    def get(self, path: AttributePath, default: Any = None, *, before: bool = False) -> Any:
        """Return the value at `path` after (or before) the plan; see `get_at_path`."""
        return get_at_path(self.get_values(before=before).values, path, default)

    def read_tags(self, *, before: bool = False) -> Mapping[str, Any] | Unknown:
        """Return all tags, including the provider's default tags."""
        values = self.get_values(before=before)
        tags = values.get("tags_all")
        if tags is None:
            tags = values.get("tags", {})
        return tags if isinstance(tags, dict) else Unknown.UNKNOWN

    @property
    def replacement_paths(self) -> list[str]:
        """Paths of the attributes that force the replacement."""
        paths = self._change.get("replace_paths")
        if not isinstance(paths, list):
            return []
        replace_paths = [path if isinstance(path, list) else [path] for path in paths]
        return [
            ".".join(map(str, path)) if self.mapped_reader is None else self.mapped_reader.map_replacement_path(path)
            for path in replace_paths
        ]

    @property
    def is_imported(self) -> bool:
        """True if the plan imports an existing object into the state."""
        return self._change.get("importing") is not None

    def __repr__(self) -> str:
        return f"<{self.address}: {self.action}>"


#: Type of `drift.Drift.undo_accepted_drift`.
UndoDrift = Callable[[Mapping[str, Any]], tuple[Mapping[str, Any], tuple[str, ...]]]


def list_changed_resources(document: Mapping[str, Any], accepted: UndoDrift) -> Iterator[Resource]:
    """Yield every entry of `resource_changes`, and of `deferred_changes` with the reason. Raises UserError."""
    for position, change in enumerate(document.get("resource_changes") or []):
        location = f"resource_changes[{position}]"
        entry, drift = accepted(_check_object(change, location))
        yield Resource(entry, location, drift)
    deferred = document.get("deferred_changes") or []
    if not isinstance(deferred, list):
        raise UserError(f"deferred_changes: must be a list, not {name_json_type(deferred)}")
    for position, item in enumerate(deferred):
        location = f"deferred_changes[{position}].resource_change"
        item = _check_object(item, f"deferred_changes[{position}]")
        resource = Resource(_check_object(item.get("resource_change"), location), location)
        resource.deferred = str(item.get("reason") or "unknown")
        yield resource


class StateEntry(NamedTuple):
    """A resource in `planned_values` or in a state, with its module and its location in the document."""

    values: Mapping[str, Any]
    module: str
    location: str

    @property
    def address(self) -> str:
        """Address of the resource. Raises UserError if it has none."""
        return str(_read_field(self.values, "address", str, self.location))

    @property
    def is_managed(self) -> bool:
        """True for a resource, false for a data source or a deposed object."""
        return self.values.get("mode") != "data" and not self.is_deposed

    @property
    def is_deposed(self) -> bool:
        """True for an object that was replaced and not yet destroyed."""
        return "deposed_key" in self.values


def list_entries(values: Any, location: str) -> Iterator[StateEntry]:
    """Yield every resource of a `planned_values` or state `values` object, module by module. Raises UserError."""
    if values is None:
        return
    pending = [(_check_object(values, location).get("root_module", {}), f"{location}.root_module")]
    while pending:
        module, where = pending.pop()
        address = str(_check_object(module, where).get("address") or "")
        for position, entry in enumerate(_check_list(module, "resources", where)):
            inner = f"{where}.resources[{position}]"
            yield StateEntry(_check_object(entry, inner), address, inner)
        children = _check_list(module, "child_modules", where)
        pending += [(child, f"{where}.child_modules[{position}]") for position, child in enumerate(children)]


def build_unchanged(entry: StateEntry, accepted: UndoDrift) -> Resource:
    """Return a resource or data source of the state that the plan does not change. Raises UserError."""
    values, sensitive = (
        _check_object(entry.values.get("values"), f"{entry.location}.values"),
        entry.values.get("sensitive_values", False),
    )
    change: dict[str, Any] = {"actions": ["no-op"], "before": values, "after": values, "after_unknown": {}}
    change |= {"before_sensitive": sensitive, "after_sensitive": sensitive}
    is_complete, drift = accepted({**entry.values, "module_address": entry.module, "change": change})
    return Resource(is_complete, entry.location, drift)


def _is_always_set(_: object) -> bool:
    return True


def _read_field(entry: Mapping[str, Any], key: str, expected_type: type, location: str) -> Any:
    value = entry.get(key)
    if not isinstance(value, expected_type) or not value:
        problem = _describe_missing(entry, key) if not isinstance(value, expected_type) else "empty"
        raise UserError(f"{location}.{key}: is {problem}, so this is not a plan from Terraform: {SHOW_COMMAND}")
    return value


def _describe_missing(entry: Mapping[str, Any], key: str) -> str:
    return name_json_type(entry[key]) if key in entry else "missing"


def _check_object(value: Any, location: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise UserError(f"{location}: must be an object, not {name_json_type(value)}")
    return value


def _check_list(module: Mapping[str, Any], key: str, location: str) -> list[Any]:
    value = module.get(key, [])
    if not isinstance(value, list):
        raise UserError(f"{location}.{key}: must be a list, not {name_json_type(value)}")
    return value
