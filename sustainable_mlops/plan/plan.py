"""A Terraform plan: resources, references, relations, pipelines and Regions."""

from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from sustainable_mlops.base.errors import UserError
from sustainable_mlops.plan import document as documents
from sustainable_mlops.plan import provider_version, values
from sustainable_mlops.plan.addresses import list_call_names, split_address
from sustainable_mlops.plan.commands import PlanCommand, list_commands
from sustainable_mlops.plan.configuration import Configuration, References
from sustainable_mlops.plan.drift import Drift
from sustainable_mlops.plan.inventory import Inventory
from sustainable_mlops.plan.joins import Joins
from sustainable_mlops.plan.pipelines import PlannedPipeline, list_pipelines
from sustainable_mlops.plan.regions import Regions
from sustainable_mlops.plan.resources import Resource, StateEntry, build_unchanged, list_changed_resources, list_entries
from sustainable_mlops.plan.unreviewed_resources import UnreviewedResource, list_unreviewed_resources

_NO_CHANGE = f"{{}} has no entry in resource_changes: the plan is incomplete; {documents.SHOW_COMMAND}"


class FailedCheck(NamedTuple):
    """A failed or unknown `check` block, precondition or postcondition."""

    address: str
    status: str  # fail, error or unknown
    problems: tuple[str, ...]


class Plan:
    """One plan. Everything except the list of resources is computed on first use."""

    def __init__(self, document: Mapping[str, Any], name: str = "plan") -> None:
        """Read a document that `document.parse_document` accepted. Raises UserError with the location of the error."""
        self.name = name
        #: The Region of resources whose Region the plan does not tell. The environment of `terraform plan` set it.
        self.default_region: str | None = None
        self._document = document
        drift = Drift(document)
        resources = list(list_changed_resources(document, drift.undo_accepted_drift))
        _check_duplicates(resources)
        known = {resource.address for resource in resources}
        moved = {resource.previous_address for resource in resources if resource.previous_address}
        for entry in list_entries(document.get("planned_values"), "planned_values"):
            if entry.is_managed and entry.address not in known:
                raise UserError(f"{entry.location}: {_NO_CHANGE.format(documents.quote_value(entry.address))}")
        known |= moved
        unchanged_entries = [
            entry for entry in _list_state_entries(document) if not entry.is_deposed and entry.address not in known
        ]
        if resources and document.get("complete") is True:
            _check_no_managed(unchanged_entries)
        resources += (build_unchanged(entry, drift.undo_accepted_drift) for entry in unchanged_entries)
        for resource in resources:
            if resource.mapped_reader is not None:
                resource.set_unknown_check(self._sets_unknown)
        self._inventory = Inventory(resources)
        #: Resources that Terraform found deleted when it refreshed the state, before it planned.
        self.deleted_outside_terraform: list[Resource] = [
            Resource(entry, location) for entry, location in drift.deletions
        ]
        #: True if the plan only writes drift to the state.
        self.is_refresh_only: bool = drift.is_only_change

    def _sets_unknown(self, resource: Resource, path: tuple[str | int, ...]) -> bool:
        return self.configuration.sets_unknown(resource, path)

    @property
    def resources(self) -> list[Resource]:
        """Managed resources of all modules in the order of the plan, including unchanged ones."""
        return self._inventory.managed

    @property
    def data_sources(self) -> list[Resource]:
        """Data sources.

        Those with the action `no-op` were read during the plan. Those with `read` are read on apply.
        """
        return self._inventory.data_sources

    @property
    def is_complete(self) -> bool:
        """False if `-target`, `-exclude` or a deferral left changes out."""
        return self._document.get("complete", True) is True and not self._document.get("deferred_changes")

    def list_by_type(self, *types: str) -> list[Resource]:
        """Return the managed resources of these types."""
        return [resource for kind in types for resource in self._inventory.by_type.get(kind, ())]

    def find_resource(self, address: str) -> Resource | None:
        """Return the resource or data source (`data.…`) at `address`."""
        return self._inventory.by_address.get(address)

    @cached_property
    def configuration(self) -> Configuration:
        """References between resources."""
        return Configuration(self._document, self._inventory)

    def find_references(self, resource: Resource, path: values.AttributePath | None = None) -> References:
        """Return the resources that the expression at `path` of `resource` refers to.

        Without `path`, all expressions of the resource count.
        """
        return self.configuration.find_references(resource, path)

    def is_configured(self, resource: Resource, path: values.AttributePath) -> bool | values.Unknown:
        """Return whether the configuration sets the attribute.

        An attribute that is not set may be unknown if the provider computes it.
        """
        return self.configuration.is_configured(resource, path)

    @cached_property
    def may_have_default_tags(self) -> bool:
        """False if the plan shows that no provider configuration sets default tags."""
        return self.configuration.may_have_default_tags()

    @cached_property
    def joins(self) -> Joins:
        """Relations between the resources after the plan."""
        return Joins(self._inventory, self.configuration, before=False)

    @cached_property
    def joins_before(self) -> Joins:
        """Relations between the resources before the plan."""
        return Joins(self._inventory, self.configuration, before=True)

    @cached_property
    def pipelines(self) -> list[PlannedPipeline]:
        """SageMaker pipelines after the plan, with their definitions."""
        return list_pipelines(self.list_by_type("aws_sagemaker_pipeline"), self.joins)

    @cached_property
    def pipelines_before(self) -> list[PlannedPipeline]:
        """SageMaker pipelines before the plan."""
        return list_pipelines(self.list_by_type("aws_sagemaker_pipeline"), self.joins_before)

    @cached_property
    def unreviewed_resources(self) -> list[UnreviewedResource]:
        """Managed resources that are not reviewed, with the reasons, whether the plan keeps or deletes them."""
        return list_unreviewed_resources(self._inventory)

    @cached_property
    def commands(self) -> list[PlanCommand]:
        """Commands that the plan runs without showing their effect: provisioners, programs, actions."""
        return list_commands(self._document, self._inventory, self.configuration)

    @cached_property
    def _regions(self) -> Regions:
        return Regions(self._inventory, self.configuration)

    def find_region(self, resource: Resource, *, before: bool = False) -> str | values.Unknown:
        """Return the Region of `resource`, such as `eu-north-1`, as far as the plan or `default_region` tells."""
        region = self._regions.find_region(resource, before=before)
        if region is values.UNKNOWN and self.default_region and self._regions.is_environment_region(resource):
            return self.default_region
        return region

    @cached_property
    def provider_major(self) -> int | values.Unknown:
        """Major version of the AWS provider; see `provider_version.find_major_version`."""
        return provider_version.find_major_version(self._inventory, self.configuration)

    def has_condition(self, resource: Resource) -> bool:
        """Return whether `resource` has a precondition or postcondition.

        A plan tells neither which of them it is nor its expression.
        """
        return (list_call_names(resource.module_parts), resource.type, resource.name) in self._with_conditions

    @cached_property
    def _with_conditions(self) -> frozenset[tuple[tuple[str, ...], str, str]]:
        return frozenset(_list_conditions(self._document.get("checks")))

    @cached_property
    def failed_checks(self) -> list[FailedCheck]:
        """Checks that failed, or whose result is unknown before apply."""
        return list(_list_failed_checks(self._document.get("checks")))

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
        data, name = documents.read_file(Path(source)), name or str(source)
    with documents.disable_garbage_collection():
        document = documents.parse_document(data, name)
        try:
            return Plan(document, name)
        except UserError as error:
            raise UserError(f"{name}: {error}") from None


def _check_no_managed(unchanged_entries: list[StateEntry]) -> None:
    """Raise UserError if the state has a resource without an entry in the plan.

    A complete plan has a change for every resource in the state, even if only `no-op`. A refresh-only plan does not.
    """
    for entry in unchanged_entries:
        if entry.is_managed:
            raise UserError(f"{entry.location}: {_NO_CHANGE.format(documents.quote_value(entry.address))}")


def _list_state_entries(document: Mapping[str, Any]) -> Iterator[StateEntry]:
    state = document.get("prior_state") or {}
    return list_entries(state.get("values"), "prior_state.values")


def _check_duplicates(resources: list[Resource]) -> None:
    locations: dict[tuple[str, str | None], str] = {}
    for resource in resources:
        key = (resource.address, resource.deposed)
        if key in locations:
            raise UserError(
                f"{resource.location}.address: {documents.quote_value(resource.address)} is in {locations[key]} too"
            )
        locations[key] = resource.location


def _list_conditions(checks: Any) -> Iterator[tuple[tuple[str, ...], str, str]]:
    """Yield the module calls, the type and the name of each resource with a check."""
    for check in _list_blocks(values.Block({"checks": checks}), "checks"):
        module, kind, name = (check.text(f"address.{key}") for key in ("module", "type", "name"))
        if check.text("address.kind") == "resource" and isinstance(kind, str) and isinstance(name, str):
            yield list_call_names(split_address(module)) if isinstance(module, str) else (), kind, name


def _list_failed_checks(checks: Any) -> Iterator[FailedCheck]:
    for check in _list_blocks(values.Block({"checks": checks}), "checks"):
        status = check.text("status")
        if status != "pass":
            problem_blocks = [
                problem
                for instance in _list_blocks(check, "instances")
                for problem in _list_blocks(instance, "problems")
            ]
            problems = tuple(str(problem.get("message", "")) for problem in problem_blocks)
            yield FailedCheck(str(check.get("address.to_display", "")), str(status), problems)


def _list_blocks(block: values.Block, path: str) -> list[values.Block]:
    blocks = block.blocks(path)
    return [] if blocks is values.UNKNOWN else blocks
