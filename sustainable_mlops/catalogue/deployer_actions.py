"""IAM actions that Terraform needs for each resource type: `deployer_actions.yaml`."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Literal

from pydantic import Field, RootModel

from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.settings import Settings, load_yaml
from sustainable_mlops.catalogue.tables import CATALOGUE_DIRECTORY

FILE = CATALOGUE_DIRECTORY / "deployer_actions.yaml"
#: `read` is for plans; `write` for applies; `delete_data` for applies where deletion_protection is off.
Access = Literal["read", "write", "delete_data"]
ACCESSES: tuple[Access, ...] = ("read", "write", "delete_data")
#: Rows of every environment, in addition to those of its resource types.
ALWAYS = ("state", "preflight")
#: Row of an environment with its own key for the state.
STATE_KEY = "state_key"


class DeployerStatement(Settings):
    """IAM actions that one resource type needs on some ARNs."""

    name: str = Field(pattern=r"^[A-Z][A-Za-z]+$")
    #: ARN patterns with the fields of `deployer.documents.ArnNames` in braces.
    resources: list[str] = Field(min_length=1)
    #: IAM conditions: operator to key to values.
    conditions: dict[str, dict[str, list[str]]] = Field(default_factory=dict)
    #: True if the permissions boundary of the environment is a condition.
    bounded: bool = False
    #: True if the resource is the KMS key of the environment.
    of_key: bool = False
    read: list[str] = Field(default_factory=list)
    write: list[str] = Field(default_factory=list)
    delete_data: list[str] = Field(default_factory=list)
    #: Reason for "*".
    reason: str | None = None
    source: str | None = None

    def get_actions(self, access: Access) -> list[str]:
        """Return the actions for one kind of access."""
        actions: list[str] = getattr(self, access)
        return actions

    def get_scope(self) -> tuple[object, ...]:
        """Return the resources and conditions of the actions; statements with one name share them."""
        return self.resources, self.conditions, self.bounded, self.of_key, self.reason


class _StatementTable(RootModel[dict[str, list[DeployerStatement]]]):
    pass


@cache
def load_deployer_actions() -> Mapping[str, list[DeployerStatement]]:
    """Return the statements by resource type. Raises UserError if statements of one name differ in scope."""
    table = load_yaml(FILE, _StatementTable).root
    by_name: dict[str, DeployerStatement] = {}
    for statements in table.values():
        for one in statements:
            if one.get_scope() != by_name.setdefault(one.name, one).get_scope():
                raise UserError(f"{FILE}: statements named {one.name} differ in resources or conditions; rename one")
    return table


def list_statements(resource_type: str) -> list[DeployerStatement]:
    """Return the statements of a resource type. Raises UserError if the table has no row for it."""
    table = load_deployer_actions()
    if resource_type not in table:
        raise UserError(
            f"{FILE.name}: has no row for {resource_type}; add the actions and ARNs that Terraform needs for it"
        )
    return table[resource_type]


def list_actions() -> Iterator[str]:
    """Yield every action that the table names."""
    for statements in load_deployer_actions().values():
        for statement in statements:
            for access in ACCESSES:
                yield from statement.get_actions(access)
