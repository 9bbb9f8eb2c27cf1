"""IAM statements that the resources of a module need in their role.

A module declares them in `iam_statements.py` next to its `module.py`, as a function of its inputs only. Names and ARNs
are composed, without references to resources, so that the role can have the statements before the resources exist.

    def build_statements(var: Inputs) -> StatementsByPhase:
        return {"inference": [build_statement("PublishResults", ["sns:Publish"], [topic_arn(var)])]}

The module calls the function with its `var`, for the output `role_statements`. An environment calls it with the values
of the module call, for the input `role_statements` of `access`: `build_statements(bind_inputs(Inputs, name_prefix=…))`.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Annotated, Any, Literal, Protocol, TypeVar, get_args

from sustainable_mlops.authoring import Field, ModuleInputs, must
from sustainable_mlops.authoring.expressions import concat, is_expression, length, list_of, optional, split, when
from sustainable_mlops.authoring.expressions.evaluation import fold_constants

T = TypeVar("T")
Phase = Literal["data_preparation", "training", "pipeline", "inference"]
PHASES: tuple[Phase, ...] = get_args(Phase)
#: Statements by phase, from `build_statement`.
StatementsByPhase = dict[Phase, Any]
ROLE_STATEMENTS_DESCRIPTION = (
    "IAM statements that these resources need in their roles, by phase, with sid, actions, resources and condition. "
    "Pass them to `role_statements` of `access`."
)


class StatementCondition(ModuleInputs):
    """Condition of a statement."""

    test: str = Field(description="Operator, such as StringEquals.")
    variable: str = Field(description="Condition key, such as kms:ViaService.")
    values: list[str] = Field(description="Values; one of them must match.", min_length=1)


class RoleStatement(ModuleInputs):
    """Statement of a role's policy."""

    sid: Annotated[
        str, Field(pattern=r"^[A-Za-z0-9]+$", json_schema_extra=must("be letters and digits, without spaces"))
    ] = Field(description="Name of the statement. Statements with the same name are merged, with all their resources.")
    actions: list[str] = Field(description="Actions, such as sns:Publish.", min_length=1)
    resources: list[str] = Field(description="ARNs of the resources.", min_length=1)
    condition: list[StatementCondition] = Field(
        default_factory=list, description="Conditions; all of them must be true."
    )


class ArnLocation(Protocol):
    """Account, Region and partition of ARNs: the inputs of a module, or the settings of an environment."""

    @property
    def account_id(self) -> str: ...
    @property
    def region(self) -> str: ...
    @property
    def partition(self) -> str: ...


def derive_location(role_arn: str, kms_key_arn: str) -> dict[str, str]:
    """Return the location of a module without location inputs: the account of its role, and the Region of its key."""
    return {
        "account_id": split(":", role_arn)[4],
        "region": split(":", kms_key_arn)[3],
        "partition": split(":", role_arn)[1],
    }


def build_statement(
    sid: str, actions: Sequence[str], resources: Iterable[str], *condition: dict[str, Any]
) -> dict[str, Any]:
    """Return a statement for `aws_iam_policy_document` and for `role_statements`.

    `sid` must differ from the sids of other modules.
    """
    return {"sid": sid, "actions": actions, "resources": resources, "condition": list(condition)}


def equals(variable: str, *values: str) -> dict[str, Any]:
    """Return the condition that a condition key has one of these values."""
    return {"test": "StringEquals", "variable": variable, "values": list(values)}


def via_services(at: ArnLocation, *services: str) -> dict[str, Any]:
    """Return the condition that a KMS key is used only through these services, such as s3 and sns."""
    return equals("kms:ViaService", *(f"{service}.{at.region}.{dns_suffix(at)}" for service in services))


def dns_suffix(at: ArnLocation) -> str:
    """Return the DNS suffix of the services of a partition."""
    china: Any = at.partition == "aws-cn"
    if is_expression(china):
        return when(china, "amazonaws.com.cn", "amazonaws.com")
    return "amazonaws.com.cn" if china else "amazonaws.com"


def statement_for_optional(value: T | None, build: Callable[[T], dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the statement for an optional input, or an empty list if the input is null."""
    if is_expression(value):
        return list_of(optional(value), build)
    return [] if value is None else [build(value)]


def statement_for_items(items: Any, build: Callable[[Any], dict[str, Any]]) -> list[dict[str, Any]]:
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


def merge_phases(*statements_by_phase: StatementsByPhase) -> StatementsByPhase:
    """Merge the statements of several module calls by phase, for a call of `access`."""
    return {
        phase: fold_constants(join_lists(*(each[phase] for each in statements_by_phase if phase in each)))
        for phase in PHASES
        if any(phase in each for each in statements_by_phase)
    }
