"""The state of a root module, read once. Standard library only."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any


@dataclass(frozen=True)
class State:
    """The managed resources and the outputs of a root module.

    `document` is the state in version 4 of Terraform's format; empty without a state.
    """

    document: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def instances(self) -> list[tuple[str, dict[str, Any]]]:
        """Address and attributes of every managed resource."""
        return [(address, instance["attributes"]) for address, _, instance in self._list_all()]

    @property
    def arns(self) -> list[str]:
        """ARNs of the managed resources that have one."""
        return [str(attributes["arn"]) for _, attributes in self.instances if attributes.get("arn")]

    @property
    def tainted(self) -> list[str]:
        """Addresses that an interrupted apply was creating; the next apply would replace them."""
        return [
            address
            for address, _, instance in self._list_all()
            if instance.get("status") == "tainted" and "deposed" not in instance
        ]

    @property
    def outputs(self) -> dict[str, Any]:
        """Values of the outputs by name."""
        return {name: output["value"] for name, output in self.document.get("outputs", {}).items()}

    def list_instances(self, resource_type: str) -> list[tuple[str, dict[str, Any]]]:
        """Return the address and the attributes of every resource of a type."""
        return [(address, one["attributes"]) for address, kind, one in self._list_all() if kind == resource_type]

    def list_attributes(self, resource_type: str) -> list[dict[str, Any]]:
        """Return the attributes of every resource of a type."""
        return [attributes for _, attributes in self.list_instances(resource_type)]

    def _list_all(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """Yield the address, the type and the instance of every managed resource."""
        for resource in self.document.get("resources", []):
            if resource["mode"] == "managed":
                address = ".".join(filter(None, [resource.get("module"), resource["type"], resource["name"]]))
                for instance in resource["instances"]:
                    yield address + _format_index(instance), resource["type"], instance


def _format_index(instance: Mapping[str, Any]) -> str:
    return f"[{json.dumps(instance['index_key'])}]" if "index_key" in instance else ""
