"""A Terraform plan: resources, references, relations, pipelines and Regions."""

from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from sustainable_mlops.errors import UserError
from sustainable_mlops.plan import document as documents
from sustainable_mlops.plan import provider_version, values
from sustainable_mlops.plan.addresses import names, parts
from sustainable_mlops.plan.commands import Command, commands
from sustainable_mlops.plan.configuration import Configuration, References
from sustainable_mlops.plan.drift import Drift
from sustainable_mlops.plan.foreign import Foreign, foreign
from sustainable_mlops.plan.inventory import Inventory
from sustainable_mlops.plan.joins import Joins
from sustainable_mlops.plan.pipelines import Pipeline, pipelines
from sustainable_mlops.plan.regions import Regions
from sustainable_mlops.plan.resources import Entry, Resource, entries, from_changes, unchanged

_NO_CHANGE = f"{{}} has no entry in resource_changes: the plan is incomplete; {documents.SHOW}"


class Check(NamedTuple):
    """A failed or unknown `check` block, precondition or postcondition."""

    address: str
    status: str  # fail, error or unknown
    problems: tuple[str, ...]


class Plan:
    """One plan. Everything except the list of resources is computed on first use."""

    def __init__(self, document: Mapping[str, Any], name: str = "plan") -> None:
        """Read a document that `document.parse` accepted. Raises UserError with the location of the error."""
        self.name = name
        #: The Region of resources whose Region the plan does not tell. The environment of `terraform plan` set it.
        self.default_region: str | None = None
        self._document = document
        drift = Drift(document)
        found = list(from_changes(document, drift.accepted))
        _check_twice(found)
        known = {resource.address for resource in found}
        moved = {resource.previous_address for resource in found if resource.previous_address}
        for entry in entries(document.get("planned_values"), "planned_values"):
            if entry.managed and entry.address not in known:
                raise UserError(f"{entry.place}: {_NO_CHANGE.format(documents.shown(entry.address))}")
        known |= moved
        left_alone = [entry for entry in _state(document) if not entry.deposed and entry.address not in known]
        if found and document.get("complete") is True:
            _check_none_managed(left_alone)
        found += (unchanged(entry, drift.accepted) for entry in left_alone)
        for resource in found:
            if resource.reading is not None:
                resource.given_by(self._gives)
        self._inventory = Inventory(found)
        #: Resources that Terraform found deleted when it refreshed the state, before it planned.
        self.vanished: list[Resource] = [Resource(entry, place) for entry, place in drift.gone]
        #: True if the plan only writes drift to the state.
        self.refresh_only: bool = drift.refresh_only

    def _gives(self, resource: Resource, path: tuple[str | int, ...]) -> bool:
        return self.configuration.gives(resource, path)

    @property
    def resources(self) -> list[Resource]:
        """Managed resources of all modules in the order of the plan, including unchanged ones."""
        return self._inventory.managed

    @property
    def data(self) -> list[Resource]:
        """Data sources.

        Those with the action `no-op` were read during the plan. Those with `read` are read on apply.
        """
        return self._inventory.data

    @property
    def whole(self) -> bool:
        """False if `-target`, `-exclude` or a deferral left changes out."""
        return self._document.get("complete", True) is True and not self._document.get("deferred_changes")

    def by_type(self, *types: str) -> list[Resource]:
        """Return the managed resources of these types."""
        return [resource for kind in types for resource in self._inventory.by_type.get(kind, ())]

    def resource(self, address: str) -> Resource | None:
        """Return the resource or data source (`data.…`) at `address`."""
        return self._inventory.by_address.get(address)

    @cached_property
    def configuration(self) -> Configuration:
        """References between resources."""
        return Configuration(self._document, self._inventory)

    def references(self, resource: Resource, path: values.Path | None = None) -> References:
        """Return the resources that the expression at `path` of `resource` refers to.

        Without `path`, all expressions of the resource count.
        """
        return self.configuration.references(resource, path)

    def configured(self, resource: Resource, path: values.Path) -> bool | values.Unknown:
        """Return whether the configuration sets the attribute.

        An attribute that is not set may be unknown if the provider computes it.
        """
        return self.configuration.configured(resource, path)

    @cached_property
    def joins(self) -> Joins:
        """Relations between the resources after the plan."""
        return Joins(self._inventory, self.configuration, before=False)

    @cached_property
    def joins_before(self) -> Joins:
        """Relations between the resources before the plan."""
        return Joins(self._inventory, self.configuration, before=True)

    @cached_property
    def pipelines(self) -> list[Pipeline]:
        """SageMaker pipelines after the plan, with their definitions."""
        return pipelines(self.by_type("aws_sagemaker_pipeline"), self.joins)

    @cached_property
    def pipelines_before(self) -> list[Pipeline]:
        """SageMaker pipelines before the plan."""
        return pipelines(self.by_type("aws_sagemaker_pipeline"), self.joins_before)

    @cached_property
    def foreign(self) -> list[Foreign]:
        """Managed resources that are not reviewed, with the reasons, whether the plan keeps or deletes them."""
        return foreign(self._inventory)

    @cached_property
    def commands(self) -> list[Command]:
        """Commands that the plan runs without showing their effect: provisioners, programs, actions."""
        return commands(self._document, self._inventory, self.configuration)

    @cached_property
    def _regions(self) -> Regions:
        return Regions(self._inventory, self.configuration)

    def region(self, resource: Resource, *, before: bool = False) -> str | values.Unknown:
        """Return the Region of `resource`, such as `eu-north-1`, as far as the plan or `default_region` tells."""
        found = self._regions.of(resource, before=before)
        if found is values.UNKNOWN and self.default_region and self._regions.is_open(resource):
            return self.default_region
        return found

    @cached_property
    def provider_major(self) -> int | values.Unknown:
        """Major version of the AWS provider; see `provider_version.major`."""
        return provider_version.major(self._inventory, self.configuration)

    def has_condition(self, resource: Resource) -> bool:
        """Return whether `resource` has a precondition or postcondition.

        A plan tells neither which of them it is nor its expression.
        """
        return (names(resource.module_parts), resource.type, resource.name) in self._with_conditions

    @cached_property
    def _with_conditions(self) -> frozenset[tuple[tuple[str, ...], str, str]]:
        return frozenset(_with_conditions(self._document.get("checks")))

    @cached_property
    def failed_checks(self) -> list[Check]:
        """Checks that failed, or whose result is unknown before apply."""
        return list(_failed_checks(self._document.get("checks")))

    def __repr__(self) -> str:
        return f"<{self.name}: {len(self.resources)} resources>"


def load(source: Path | str | bytes, name: str | None = None) -> Plan:
    """Read the output of `terraform show -json` (or `tofu show -json`): a path, or the bytes themselves.

    `name` is its name in messages. Raises UserError, in one line with the location, unless it is a complete plan of
    format version 1.
    """
    if isinstance(source, bytes):
        data, name = source, name or "plan"
    else:
        data, name = documents.read(Path(source)), name or str(source)
    with documents.no_collection():
        document = documents.parse(data, name)
        try:
            return Plan(document, name)
        except UserError as error:
            raise UserError(f"{name}: {error}") from None


def _check_none_managed(left_alone: list[Entry]) -> None:
    """Raise UserError if the state has a resource without an entry in the plan.

    A complete plan has a change for every resource in the state, even if only `no-op`. A refresh-only plan does not.
    """
    for entry in left_alone:
        if entry.managed:
            raise UserError(f"{entry.place}: {_NO_CHANGE.format(documents.shown(entry.address))}")


def _state(document: Mapping[str, Any]) -> Iterator[Entry]:
    state = document.get("prior_state") or {}
    return entries(state.get("values"), "prior_state.values")


def _check_twice(resources: list[Resource]) -> None:
    seen: dict[tuple[str, str | None], str] = {}
    for resource in resources:
        key = (resource.address, resource.deposed)
        if key in seen:
            raise UserError(f"{resource.place}.address: {documents.shown(resource.address)} is in {seen[key]} too")
        seen[key] = resource.place


def _with_conditions(checks: Any) -> Iterator[tuple[tuple[str, ...], str, str]]:
    """Yield the module calls, the type and the name of each resource with a check."""
    for check in _blocks(values.Block({"checks": checks}), "checks"):
        module, kind, name = (check.text(f"address.{key}") for key in ("module", "type", "name"))
        if check.text("address.kind") == "resource" and isinstance(kind, str) and isinstance(name, str):
            yield names(parts(module)) if isinstance(module, str) else (), kind, name


def _failed_checks(checks: Any) -> Iterator[Check]:
    for check in _blocks(values.Block({"checks": checks}), "checks"):
        status = check.text("status")
        if status != "pass":
            found = [problem for instance in _blocks(check, "instances") for problem in _blocks(instance, "problems")]
            problems = tuple(str(problem.get("message", "")) for problem in found)
            yield Check(str(check.get("address.to_display", "")), str(status), problems)


def _blocks(block: values.Block, path: str) -> list[values.Block]:
    found = block.blocks(path)
    return [] if found is values.UNKNOWN else found
