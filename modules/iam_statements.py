"""IAM statements that the resources of a module need in their role.

A module declares them in `iam_statements.py` next to its `module.py`, as a function of its inputs only. Names and ARNs
are composed, without references to resources, so that the role can have the statements before the resources exist.

    def build_statements(var: Inputs) -> StatementsByPhase:
        return {"inference": [build_statement("PublishResults", ["sns:Publish"], [topic_arn(var)])]}

The module calls the function with its `var`, for the output `role_statements`. An environment calls it with the values
of the module call, for the input `role_statements` of `access`, which takes a list of such maps:
`fold_constants(build_statements(bind_inputs(Inputs, name_prefix=…)))`.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Protocol, TypeVar, get_args

from modules.common import derive_partition
from sustainable_mlops.authoring import Field, ModuleInputs, must, rule
from sustainable_mlops.authoring.expressions import (
    coalesce,
    concat,
    distinct,
    is_expression,
    is_null,
    length,
    list_of,
    optional,
    split,
    when,
)
from sustainable_mlops.authoring.rules import InputRule

if TYPE_CHECKING:
    from sustainable_mlops.authoring.resources import Output

T = TypeVar("T")
Phase = Literal["data_preparation", "training", "pipeline", "inference"]
PHASES: tuple[Phase, ...] = get_args(Phase)
#: Statements by phase, from `build_statement`.
StatementsByPhase = dict[Phase, Any]


class StatementCondition(ModuleInputs):
    """Condition of a statement."""

    test: str = Field(description="Operator, such as StringEquals.")
    variable: str = Field(description="Condition key, such as kms:ViaService.")
    values: list[str] = Field(description="Values; one of them must match.", min_length=1)


Action = Annotated[
    str,
    Field(
        pattern=r"^[a-z0-9-]+:[A-Za-z0-9*?]+$",
        json_schema_extra=must("be a service and one of its actions, such as sns:Publish"),
    ),
]


class RoleStatement(ModuleInputs):
    """Statement of a role's policy."""

    sid: Annotated[
        str, Field(pattern=r"^[A-Za-z0-9]+$", json_schema_extra=must("be letters and digits, without spaces"))
    ] = Field(description="Name of the statement. Statements with the same name are merged, with all their resources.")
    actions: list[Action] = Field(description="Actions, such as sns:Publish.", min_length=1)
    resources: list[str] = Field(description="ARNs of the resources.", min_length=1)
    condition: list[StatementCondition] = Field(
        default_factory=list, description="Conditions; all of them must be true."
    )

    rules: ClassVar[tuple[InputRule, ...]] = (
        rule(
            "condition",
            lambda v: (
                length(distinct(list_of(v.condition, lambda one: [one.test, one.variable]))) == length(v.condition)
            ),
            "must not repeat a test of the same variable, because a policy keeps only one; remove the other",
        ),
    )


class ArnLocation(Protocol):
    """Account, Region and partition of ARNs: the inputs of a module, or the settings of an environment."""

    @property
    def account_id(self) -> str: ...
    @property
    def region(self) -> str: ...
    @property
    def partition(self) -> str: ...


def derive_location(var: Any) -> dict[str, str]:
    """Return the location of a module with `OptionalLocation`: its inputs, by default the location of its key.

    The location does not refer to the role. The role may get the statements, which would be a cycle.
    """
    partition, region, account = (split(":", var.kms_key_arn)[part] for part in (1, 3, 4))
    return {
        "account_id": coalesce(var.account_id, account),
        "region": coalesce(var.region, region),
        "partition": when(is_null(var.region), partition, derive_partition(var.region)),
    }


def build_statements_output(statements_by_phase: StatementsByPhase) -> "Output":
    """Build the output `role_statements` of a module. Its description names the phases."""
    from sustainable_mlops.authoring.resources import Output

    phases = [f"`{phase}`" for phase in statements_by_phase]
    roles = f"the {phases[0]} role" if len(phases) == 1 else f"the roles {', '.join(phases[:-1])} and {phases[-1]}"
    return Output(
        statements_by_phase,
        f"IAM statements that these resources need in {roles}: a map of lists by phase, with sid, actions, "
        "resources and condition. Add it to the list `role_statements` of `access`.",
    )


def build_statement(
    sid: str, actions: Sequence[str], resources: Iterable[str], *condition: dict[str, Any]
) -> dict[str, Any]:
    """Return a statement for the functions of `modules.policies` and for `role_statements`.

    `sid` must differ from the sids of other modules.
    """
    return {"sid": sid, "actions": actions, "resources": resources, "condition": list(condition)}


def equals(variable: str, *values: str) -> dict[str, Any]:
    """Return the condition that a condition key has one of these values."""
    return {"test": "StringEquals", "variable": variable, "values": list(values)}


def build_prefix_condition(prefix: str) -> dict[str, Any]:
    """Return the condition that `s3:prefix` of a listing begins with the prefix."""
    return {"test": "StringLike", "variable": "s3:prefix", "values": [f"{prefix}*"]}


def build_via_condition(at: ArnLocation, *services: str) -> dict[str, Any]:
    """Return the condition that a KMS key is used only through these services, such as s3 and sns."""
    return equals("kms:ViaService", *(f"{service}.{at.region}.{get_dns_suffix(at)}" for service in services))


def get_dns_suffix(at: ArnLocation) -> str:
    """Return the DNS suffix of the services of a partition."""
    china: Any = at.partition == "aws-cn"
    if is_expression(china):
        return when(china, "amazonaws.com.cn", "amazonaws.com")
    return "amazonaws.com.cn" if china else "amazonaws.com"


def build_optional_statement(value: T | None, build: Callable[[T], dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the statement for an optional input, or an empty list if the input is null."""
    if is_expression(value):
        return list_of(optional(value), build)
    return [] if value is None else [build(value)]


def build_item_statement(items: Any, build: Callable[[Any], dict[str, Any]]) -> list[dict[str, Any]]:
    """Return one statement for all items, or an empty list if there are no items."""
    if not is_expression(items):
        return [build(items)] if items else []
    nothing: list[str] = []
    return list_of(when(length(items) > 0, ["any"], nothing), lambda _: build(items))


def join_lists(*lists: Any) -> Any:
    """Concatenate lists of statements."""
    if any(map(is_expression, lists)):
        return concat(*lists)
    return [item for each in lists for item in each]
