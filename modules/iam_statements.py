"""What the resources of a module need of the role that they run as.

A module says it in `needs.py` beside its `module.py`, as a function of its inputs alone: names and ARNs are composed,
and no resource is referred to, so that the role can have the statements before the resources are there.

    def statements(var: Inputs) -> Needs:
        return {"inference": [statement("PublishResults", ["sns:Publish"], [topic_arn(var)])]}

It is called with a module's `var`, for the output `role_statements`; and where modules are composed, for the input
`role_statements` of `access`, with what the module's call is given: `statements(called(Inputs, name_prefix=…))`.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Annotated, Any, Literal, Protocol, TypeVar, get_args

from sustainable_mlops.authoring import Field, ModuleInputs, must
from sustainable_mlops.authoring.expressions import concat, is_expression, length, list_of, optional, split, when
from sustainable_mlops.authoring.expressions.evaluation import fold_constants

T = TypeVar("T")
Phase = Literal["data_preparation", "training", "pipeline", "inference"]
PHASES: tuple[Phase, ...] = get_args(Phase)
#: Statements by phase, each as `statement` gives it.
StatementsByPhase = dict[Phase, Any]
ROLE_STATEMENTS_DESCRIPTION = (
    "What the resources here need of their roles, by phase: statements with sid, actions, resources and condition, as "
    "`role_statements` of `access` takes them."
)


class StatementCondition(ModuleInputs):
    """One test that a statement's requests must pass."""

    test: str = Field(description="Operator, such as StringEquals.")
    variable: str = Field(description="Condition key, such as kms:ViaService.")
    values: list[str] = Field(description="Values, of which one must match.", min_length=1)


class RoleStatement(ModuleInputs):
    """What a role may do, to what, and when."""

    sid: Annotated[
        str, Field(pattern=r"^[A-Za-z0-9]+$", json_schema_extra=must("be letters and digits, without spaces"))
    ] = Field(description="Name of what is allowed; statements of one name are one, with all their resources.")
    actions: list[str] = Field(description="Actions, such as sns:Publish.", min_length=1)
    resources: list[str] = Field(description="ARNs that they are allowed on.", min_length=1)
    condition: list[StatementCondition] = Field(
        default_factory=list, description="Tests that a request must pass, all of them."
    )


class ArnLocation(Protocol):
    """Where ARNs are: a module's located inputs, an environment's settings."""

    @property
    def account_id(self) -> str: ...
    @property
    def region(self) -> str: ...
    @property
    def partition(self) -> str: ...


def derive_location(role_arn: str, kms_key_arn: str) -> dict[str, str]:
    """Where a module is that is told no place: its role is of the same account, its key of the same Region."""
    return {
        "account_id": split(":", role_arn)[4],
        "region": split(":", kms_key_arn)[3],
        "partition": split(":", role_arn)[1],
    }


def build_statement(
    sid: str, actions: Sequence[str], resources: Iterable[str], *condition: dict[str, Any]
) -> dict[str, Any]:
    """A statement as `aws_iam_policy_document` and `role_statements` both take it. `sid` is unlike other modules'."""
    return {"sid": sid, "actions": actions, "resources": resources, "condition": list(condition)}


def equals(variable: str, *values: str) -> dict[str, Any]:
    """The condition that a key has one of these values."""
    return {"test": "StringEquals", "variable": variable, "values": list(values)}


def via_services(at: ArnLocation, *services: str) -> dict[str, Any]:
    """The condition that a KMS key is used through these services alone, such as s3 and sns."""
    return equals("kms:ViaService", *(f"{service}.{at.region}.{dns_suffix(at)}" for service in services))


def dns_suffix(at: ArnLocation) -> str:
    """The domain of a partition's services."""
    china: Any = at.partition == "aws-cn"
    if is_expression(china):
        return when(china, "amazonaws.com.cn", "amazonaws.com")
    return "amazonaws.com.cn" if china else "amazonaws.com"


def statement_for_optional(value: T | None, build: Callable[[T], dict[str, Any]]) -> list[dict[str, Any]]:
    """The statement that an optional input needs where it is given, else none."""
    if is_expression(value):
        return list_of(optional(value), build)
    return [] if value is None else [build(value)]


def statement_for_items(items: Any, build: Callable[[Any], dict[str, Any]]) -> list[dict[str, Any]]:
    """The statement that all of these need together, none where there is none of them."""
    if not is_expression(items):
        return [build(items)] if items else []
    nothing: list[str] = []
    return list_of(when(length(items) > 0, ["any"], nothing), lambda _: build(items))


def join_lists(*lists: Any) -> Any:
    """Lists of statements as one."""
    if any(map(is_expression, lists)):
        return concat(*lists)
    return [item for each in lists for item in each]


def merge_phases(*statements_by_phase: StatementsByPhase) -> StatementsByPhase:
    """The needs of several modules, or several calls of one, by phase, as a call of `access` takes them."""
    return {
        phase: fold_constants(join_lists(*(each[phase] for each in statements_by_phase if phase in each)))
        for phase in PHASES
        if any(phase in each for each in statements_by_phase)
    }
