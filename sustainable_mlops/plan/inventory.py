"""Index of all resources of a plan: by address, by type and by declaration."""

from collections.abc import Iterable, Sequence
from functools import cached_property

from sustainable_mlops.plan.addresses import Part, names
from sustainable_mlops.plan.resources import Resource


class Inventory:
    """Resources and data sources. Each index is built when it is first used."""

    def __init__(self, resources: Iterable[Resource]) -> None:
        """Take the resources in the order of the plan."""
        self.all = list(resources)

    @cached_property
    def managed(self) -> list[Resource]:
        """Managed resources, including deposed objects."""
        return [resource for resource in self.all if resource.mode == "managed"]

    @cached_property
    def data(self) -> list[Resource]:
        """Data sources."""
        return [resource for resource in self.all if resource.mode == "data"]

    @cached_property
    def by_type(self) -> dict[str, list[Resource]]:
        """Managed resources of each type."""
        found: dict[str, list[Resource]] = {}
        for resource in self.managed:
            found.setdefault(resource.type, []).append(resource)
        return found

    @cached_property
    def by_address(self) -> dict[str, Resource]:
        """Resources and data sources by address.

        Deposed objects are left out: they share the address of their successor.
        """
        return {resource.address: resource for resource in self.all if resource.deposed is None}

    def instances(self, module: tuple[Part, ...], mode: str, kind: str, name: str) -> list[Resource]:
        """Return the instances of one declared resource in a module. `kind` is the type in the source.

        An index `(None,)` in `module` stands for any index.
        """
        declared = self._declared.get((names(module), mode, kind, name), [])
        return [resource for resource in declared if _fits(module, resource.module_parts)]

    def has_module(self, module: tuple[Part, ...]) -> bool:
        """Return whether this module instance contains any resource."""
        return module in self._modules

    @cached_property
    def _declared(self) -> dict[tuple[tuple[str, ...], str, str, str], list[Resource]]:
        found: dict[tuple[tuple[str, ...], str, str, str], list[Resource]] = {}
        for resource in self.all:
            if resource.deposed is None:
                key = (names(resource.module_parts), resource.mode, resource.written_type, resource.name)
                found.setdefault(key, []).append(resource)
        return found

    @cached_property
    def _modules(self) -> set[tuple[Part, ...]]:
        return {
            module[:length]
            for module in {resource.module_parts for resource in self.all}
            for length in range(1, len(module) + 1)
        }


def _fits(wanted: Sequence[Part], module: Sequence[Part]) -> bool:
    if (None,) not in wanted:
        return tuple(wanted) == tuple(module)
    return len(wanted) == len(module) and all(w in (m, (None,)) for w, m in zip(wanted, module, strict=True))
