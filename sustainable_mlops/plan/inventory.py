"""Index of all resources of a plan: by address, by type and by declaration."""

from collections.abc import Iterable, Sequence
from functools import cached_property

from sustainable_mlops.plan.addresses import AddressPart, list_call_names
from sustainable_mlops.plan.resources import Resource


class Inventory:
    """Resources and data sources. Each index is built when it is first used."""

    def __init__(self, resources: Iterable[Resource]) -> None:
        """Store the resources in the order of the plan."""
        self.all = list(resources)

    @cached_property
    def managed(self) -> list[Resource]:
        """Managed resources, including deposed objects."""
        return [resource for resource in self.all if resource.mode == "managed"]

    @cached_property
    def data_sources(self) -> list[Resource]:
        """Data sources."""
        return [resource for resource in self.all if resource.mode == "data"]

    @cached_property
    def by_type(self) -> dict[str, list[Resource]]:
        """Managed resources of each type."""
        resources: dict[str, list[Resource]] = {}
        for resource in self.managed:
            resources.setdefault(resource.type, []).append(resource)
        return resources

    @cached_property
    def by_address(self) -> dict[str, Resource]:
        """Resources and data sources by address.

        Deposed objects are left out: they share the address of their successor.
        """
        return {resource.address: resource for resource in self.all if resource.deposed is None}

    def find_instances(self, module: tuple[AddressPart, ...], mode: str, kind: str, name: str) -> list[Resource]:
        """Return the instances of one declared resource in a module. `kind` is the type in the source.

        An index `(None,)` in `module` stands for any index.
        """
        instances = self._by_declaration.get((list_call_names(module), mode, kind, name), [])
        return [resource for resource in instances if _is_module_match(module, resource.module_parts)]

    def has_module(self, module: tuple[AddressPart, ...]) -> bool:
        """Return whether this module instance contains any resource."""
        return module in self._modules

    @cached_property
    def _by_declaration(self) -> dict[tuple[tuple[str, ...], str, str, str], list[Resource]]:
        resources: dict[tuple[tuple[str, ...], str, str, str], list[Resource]] = {}
        for resource in self.all:
            if resource.deposed is None:
                key = (list_call_names(resource.module_parts), resource.mode, resource.source_type, resource.name)
                resources.setdefault(key, []).append(resource)
        return resources

    @cached_property
    def _modules(self) -> set[tuple[AddressPart, ...]]:
        return {
            module[:length]
            for module in {resource.module_parts for resource in self.all}
            for length in range(1, len(module) + 1)
        }


def _is_module_match(pattern: Sequence[AddressPart], module: Sequence[AddressPart]) -> bool:
    if (None,) not in pattern:
        return tuple(pattern) == tuple(module)
    return len(pattern) == len(module) and all(w in (m, (None,)) for w, m in zip(pattern, module, strict=True))
