"""A plan's `configuration`: the resources that an expression refers to.

It answers for values that are unknown until apply. Terraform records the references of each expression. It records
neither the expressions of locals nor blocks made by `dynamic`, so references through those cannot be followed.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from sustainable_mlops.base.lazy_pattern import LazyPattern
from sustainable_mlops.plan.addresses import AddressPart, list_call_names, split_address, split_parent
from sustainable_mlops.plan.inventory import Inventory
from sustainable_mlops.plan.resources import Resource
from sustainable_mlops.plan.values import UNKNOWN, AttributePath, Unknown, get_at_path, split_path

#: Names of attributes that identify their resource.
_IDENTIFIER = LazyPattern(r"(?:.*_)?(?:arn|bucket|id|name|ur[il])")
#: Names of attributes that are numbers, choices, flags or objects: they never contain the name of another resource.
_NOT_IDENTIFIER = LazyPattern(
    r"(?:.*_)?(?:access|algorithm|class|concurrency|configs?|configurations?|count|days|duration|enabled|format|gb|"
    r"isolation|management|mb|minutes|mode|number|percentage|preference|requirements|scaling|seconds|settings?|size|"
    r"source|spec|status|strategy|types?|units?|update_policy|weight)|(?:accept|block|disable|enable|ignore|restrict)_.*"
)


class References(NamedTuple):
    """The resources that an expression refers to."""

    resources: tuple[Resource, ...]
    unresolved: tuple[str, ...]  # references that cannot be followed, such as `local.name`
    #: The resources with the name of the referenced attribute. An empty name stands for the whole resource.
    attributes: tuple[tuple[Resource, str], ...] = ()

    def filter_by_type(self, *types: str) -> tuple[Resource, ...]:
        """Return the referenced resources of these types."""
        return tuple(resource for resource in self.resources if resource.type in types)


class _ReferenceScope(NamedTuple):
    """The context of a reference: module instance, index of the referring instance, and its configuration."""

    module: tuple[AddressPart, ...]
    instance: str | int | None
    repeated: Mapping[str, Any]


class Configuration:
    """The `configuration` object of a plan."""

    def __init__(self, document: Mapping[str, Any], inventory: Inventory) -> None:
        """Read the configuration of a plan whose resources are in `inventory`."""
        configuration = _get_object(document.get("configuration"))
        self._root = _get_object(configuration.get("root_module"))
        self.providers = _get_object(configuration.get("provider_config"))
        self._variables = _get_object(document.get("variables"))
        self._inventory = inventory
        self._modules: dict[tuple[str, ...], Mapping[str, Any]] = {(): self._root}
        self._resources: dict[tuple[str, ...], dict[tuple[str, str, str], Mapping[str, Any]]] = {}
        self._bodies: dict[int, Mapping[str, Any]] = {}
        self._cache: dict[tuple[int, object], References] = {}

    def may_have_default_tags(self) -> bool:
        """Return whether a provider configuration sets default tags, or the plan records none."""
        settings = [_get_object(_get_object(provider).get("expressions")) for provider in self.providers.values()]
        return not settings or any("default_tags" in expressions for expressions in settings)

    def find_module(self, path: tuple[str, ...]) -> Mapping[str, Any]:
        """Return the configuration of the module at the end of these calls, or an empty object."""
        known = self._modules.get(path)
        if known is None:
            known = self._modules[path] = _get_object(self.find_call(path).get("module"))
        return known

    def find_call(self, path: tuple[str, ...]) -> Mapping[str, Any]:
        """Return the module call at the end of `path`."""
        return _get_object(_get_object(self.find_module(path[:-1]).get("module_calls")).get(path[-1]))

    def find_resource(self, resource: Resource) -> Mapping[str, Any]:
        """Return the configuration of a resource. It is empty for a resource without one, such as a destroyed one."""
        body = self._bodies.get(id(resource))
        if body is None:
            body = self._bodies[id(resource)] = self._read_body(resource)
        return body

    def _read_body(self, resource: Resource) -> Mapping[str, Any]:
        path = list_call_names(resource.module_parts)
        known = self._resources.get(path)
        if known is None:
            resources = _list_objects(self.find_module(path).get("resources"))
            known = {(str(r.get("mode", "managed")), str(r.get("type")), str(r.get("name"))): r for r in resources}
            self._resources[path] = known
        return known.get((resource.mode, resource.source_type, resource.name), {})

    def find_references(self, resource: Resource, path: AttributePath | None = None) -> References:
        """Return the resources that the expression at `path` refers to; without `path`, those of all expressions.

        References are followed through module inputs, module outputs and `for_each`. An instance refers to the
        instance with the same index if there is one, else to all instances.
        """
        key = (id(resource), path if path is None or type(path) is str else tuple(path))
        references = self._cache.get(key)
        if references is None:
            body = self.find_resource(resource)
            references = self._follow_expression(resource, body, self._find_expressions(resource, body, path))
            self._cache[key] = references
        return references

    def _follow_expression(self, resource: Resource, body: Mapping[str, Any], expression: Any) -> References:
        scope = _ReferenceScope(resource.module_parts, resource.index, body)
        return self._follow_references([(reference, scope) for reference in list_references(expression)])

    def _find_expressions(self, resource: Resource, body: Mapping[str, Any], path: AttributePath | None) -> Any:
        """Return the expression for `path`.

        For a resource that is read as another type, several expressions may hold the attribute.
        """
        expressions = _get_object(body.get("expressions"))
        if resource.mapped_reader is None or path is None:
            return _find_expression(expressions, path)
        candidates = [expressions.get(name) for name in resource.mapped_reader.list_source_attributes(path)]
        return [expression for expression in candidates if expression is not None] or None

    def is_configured(self, resource: Resource, path: AttributePath) -> bool | Unknown:
        """Return whether the configuration sets the attribute at `path`.

        An attribute that is not set may still be unknown, because the provider computes it. The result is `UNKNOWN` if
        the resource is no longer configured. Blocks made by `dynamic` are not recorded and count as not set.
        """
        body = self.find_resource(resource)  # it has no `expressions` if its body is empty
        if not body:
            return UNKNOWN
        is_set = self._find_expressions(resource, body, path) is not None
        if resource.mapped_reader is None or not is_set:
            return is_set
        return self._is_in_expression(resource, path)

    def _is_in_expression(self, resource: Resource, path: AttributePath) -> bool | Unknown:
        """Return whether an expression that holds several attributes sets the one at `path`.

        It sets the attribute if its value contains it.
        """
        values = resource.get_values(before=not resource.exists())
        if values.values is UNKNOWN:
            return UNKNOWN
        return values.get(path) is not None

    def list_blocks(self, resource: Resource, name: str) -> list[Mapping[str, Any]]:
        """Return the expressions of each block of this name. Blocks made by `dynamic` are missing."""
        return _list_objects(_get_object(self.find_resource(resource).get("expressions")).get(name))

    def sets_unknown(self, resource: Resource, path: Sequence[str | int]) -> bool:
        """Return whether the configuration sets the attribute at `path` (source names) that is unknown until apply.

        The provider awscc computes every attribute that is not set, at any depth. The plan records only the expression
        of the outermost attribute. An attribute counts as set only if a reference in that expression can make it
        unknown.
        """
        body = self.find_resource(resource)
        if not body or isinstance(path[-1], int):
            return True
        expression = _get_object(body.get("expressions")).get(str(path[0]))
        if expression is None or len(path) == 1:
            return expression is not None
        if isinstance(expression, dict) and "constant_value" in expression:
            return get_at_path(expression["constant_value"], path[1:]) is not None
        key = (id(resource), (path[0], "as written"))
        references = self._cache.get(key)
        if references is None:
            references = self._cache[key] = self._follow_expression(resource, body, expression)
        unknown = [name for source, name in references.attributes if not name or source.is_unknown(name)]
        if _NOT_IDENTIFIER.fullmatch(str(path[-1])):
            return not all(map(_IDENTIFIER.fullmatch, unknown))
        return bool(unknown or references.unresolved)

    def evaluate_constant(self, expression: Any, module: tuple[AddressPart, ...] = ()) -> Any:
        """Return the value of a simple expression: a constant or one variable.

        The result is None if there is no expression, and `UNKNOWN` for other expressions.
        """
        for _ in range(len(module) + 1):
            if not isinstance(expression, dict):
                return None
            if "constant_value" in expression:
                return expression["constant_value"]
            references = list(list_references(expression))
            variable = split_address(references[0]) if len(references) == 1 else ()
            if len(variable) != 2 or variable[0] != "var":
                return UNKNOWN
            if not module:
                return self.find_variable(str(variable[1]))
            expression = _get_object(self.find_call(list_call_names(module)).get("expressions")).get(str(variable[1]))
            module = split_parent(module)[0]
        return UNKNOWN

    def find_variable(self, name: str) -> Any:
        """Return the value of a variable of the root module; UNKNOWN if the plan does not have it."""
        declaration = _get_object(_get_object(self._root.get("variables")).get(name))
        if declaration.get("sensitive"):
            return UNKNOWN
        variable = self._variables.get(name)
        return variable.get("value", UNKNOWN) if isinstance(variable, dict) else declaration.get("default", UNKNOWN)

    def _follow_references(self, pending: list[tuple[str, _ReferenceScope]]) -> References:
        resources_by_id: dict[int, Resource] = {}
        attributes: dict[tuple[int, str], tuple[Resource, str]] = {}
        unresolved: list[str] = []
        visited = set()
        while pending:
            reference, scope = pending.pop()
            if (reference, scope.module, scope.instance) in visited:
                continue
            visited.add((reference, scope.module, scope.instance))
            head, *rest = split_address(reference) or ("",)
            if head in ("path", "terraform", "self", "count"):
                continue
            if head == "var":
                pending += self._follow_input(rest, scope)
            elif head == "each" and rest == ["key"]:
                continue  # known during the plan, so it comes from no resource
            elif head == "each":
                pending += [(ref, scope) for ref in list_references(scope.repeated.get("for_each_expression"))]
            elif head == "module" and (inner := self._follow_output(rest, scope)):
                pending += inner
            elif resources := self._find_instances(head, rest, scope):
                resources_by_id.update((id(resource), resource) for resource in resources)
                name = next((part for part in rest[2 if head == "data" else 1 :] if isinstance(part, str)), "")
                attributes.update(((id(resource), name), (resource, name)) for resource in resources)
            else:
                unresolved.append(reference)
        return References(tuple(resources_by_id.values()), tuple(dict.fromkeys(unresolved)), tuple(attributes.values()))

    def _follow_input(self, rest: list[AddressPart], scope: _ReferenceScope) -> Iterator[tuple[str, _ReferenceScope]]:
        if not scope.module or not rest:
            return  # variables of the root module come from outside the plan, not from a resource
        call = self.find_call(list_call_names(scope.module))
        outer, index = split_parent(scope.module)
        for reference in list_references(_get_object(call.get("expressions")).get(str(rest[0]))):
            yield reference, _ReferenceScope(outer, index, call)

    def _follow_output(self, rest: list[AddressPart], scope: _ReferenceScope) -> list[tuple[str, _ReferenceScope]]:
        if not rest:
            return []
        indices, output = _split_index(rest[1:])
        call = _get_object(
            _get_object(self.find_module(list_call_names(scope.module)).get("module_calls")).get(str(rest[0]))
        )
        outputs = _get_object(_get_object(call.get("module")).get("outputs"))
        expression = _get_object(outputs.get(output)).get("expression")
        if not indices and ("for_each_expression" in call or "count_expression" in call):
            # The plan does not record an index that is not a literal. Assume the index of the referring instance if
            # there is such an instance.
            own = (*scope.module, "module", rest[0], (scope.instance,))
            indices = ((scope.instance if self._inventory.has_module(own) else None,),)
        inner = (*scope.module, "module", rest[0], *indices)
        return [(reference, _ReferenceScope(inner, None, {})) for reference in list_references(expression)]

    def _find_instances(self, head: AddressPart, rest: list[AddressPart], scope: _ReferenceScope) -> Sequence[Resource]:
        mode = "managed"
        if head == "data" and rest:
            mode, head, rest = "data", rest[0], rest[1:]
        if not rest:
            return ()
        instances = self._inventory.find_instances(scope.module, mode, str(head), str(rest[0]))
        indices, _ = _split_index(rest[1:])
        if indices and indices[0][0] is not None:
            return [resource for resource in instances if resource.index == indices[0][0]]
        same = [resource for resource in instances if scope.instance is not None and resource.index == scope.instance]
        return same or instances


def _split_index(rest: Sequence[AddressPart]) -> tuple[tuple[tuple[str | int | None], ...], str]:
    """Return the literal index at the start of `rest`, if any, and the name after it."""
    if rest and isinstance(rest[0], tuple):
        indices = () if rest[0][0] is None else (rest[0],)
        return indices, str(rest[1]) if len(rest) > 1 else ""
    return (), str(rest[0]) if rest else ""


def _find_expression(expressions: Mapping[str, Any], path: AttributePath | None) -> Any:
    """Return the expression at `path`. An attribute's expression covers everything below the attribute."""
    node: Any = expressions
    for step in split_path(path) if path is not None else ():
        if isinstance(node, list) and isinstance(step, int):
            node = node[step] if step < len(node) else None
        elif isinstance(node, dict) and not ("references" in node or "constant_value" in node):
            node = node.get(str(step))
    return node


def list_references(expression: Any) -> Iterator[str]:
    """Yield every reference in `expression`, without those that only name the object of the previous one."""
    pending = [expression]
    while pending:
        value = pending.pop()
        if isinstance(value, list):
            pending += value
        elif isinstance(value, dict):
            names = value.get("references")
            if isinstance(names, list) and all(isinstance(item, str) for item in names):
                yield from _drop_prefixes(names)
            pending += [inner for inner in value.values() if isinstance(inner, dict | list)]


def _drop_prefixes(references: Iterable[str]) -> Iterator[str]:
    """Yield references without prefixes: Terraform lists `a.b[0].arn`, then `a.b[0]` and `a.b`, which add nothing."""
    last = ""
    for reference in references:
        if not last.startswith((f"{reference}.", f"{reference}[")):
            last = reference
            yield reference


def _get_object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list_objects(value: Any) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
