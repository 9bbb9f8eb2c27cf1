"""Pipeline definitions, schema 2020-12-01: their form. `checks` compares their parts with each other."""

import json
from collections.abc import Iterator
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic.alias_generators import to_pascal

from sagemaker_sandbox.base import errors
from sagemaker_sandbox.pipelines.durations import parse_duration
from sagemaker_sandbox.pipelines.services import Fields

ExceptionType = Literal[
    "Step.SERVICE_FAULT",
    "Step.THROTTLING",
    "SageMaker.JOB_INTERNAL_ERROR",
    "SageMaker.CAPACITY_ERROR",
    "SageMaker.RESOURCE_LIMIT",
]
Trigger = Literal["Completed", "Failed", "Stopped", "Any"]


class _DefinitionPart(BaseModel):
    """A JSON object whose members are those declared, in PascalCase."""

    model_config = ConfigDict(extra="forbid", alias_generator=to_pascal, frozen=True)


_Model = TypeVar("_Model", bound=_DefinitionPart)


class PipelineParameter(_DefinitionPart):
    """A parameter. Without a default, an execution must set it."""

    name: str = Field(pattern=r"^[A-Za-z0-9\-_]{1,256}$")
    type: Literal["String", "Integer", "Float", "Boolean"] = "String"
    default_value: Any = None
    enum_values: list[Any] | None = None


class StepDependency(_DefinitionPart):
    """A step to wait for, and the status in which it must end."""

    step: str
    trigger: Trigger = "Completed"


def _check_duration(text: str) -> str:
    parse_duration(text)
    return text


class CacheConfig(_DefinitionPart):
    """Reuse of earlier results, and their maximum age."""

    enabled: bool = False
    expire_after: Annotated[str, AfterValidator(_check_duration)] | None = None

    @model_validator(mode="after")
    def _check_expiry(self) -> "CacheConfig":
        if self.enabled and self.expire_after is None:
            raise ValueError("ExpireAfter is required if caching is enabled")
        return self


class RetryPolicy(_DefinitionPart):
    """Conditions of retries. Limits: "Retry Policy for Pipeline Steps" in the SageMaker AI developer guide."""

    exception_type: list[ExceptionType] = Field(min_length=1)
    interval_seconds: int = Field(1, ge=0, le=43_200)
    backoff_rate: float = Field(2.0, ge=0)
    max_attempts: int | None = Field(None, ge=0, le=20)
    expire_after_min: int | None = Field(None, ge=1, le=14_400)

    @model_validator(mode="after")
    def _check_limits(self) -> "RetryPolicy":
        if self.max_attempts is not None and self.expire_after_min is not None:
            raise ValueError("only one of MaxAttempts and ExpireAfterMin is allowed")
        return self


class PropertyFile(_DefinitionPart):
    """A JSON file among a processing step's outputs."""

    property_file_name: str
    output_name: str
    file_path: str


class OutputParameter(_DefinitionPart):
    """An output of a Callback or Lambda step."""

    output_name: str
    output_type: Literal["String", "Integer", "Float", "Boolean"] = "String"


class StepDefinition(_DefinitionPart):
    """One step. The arguments of a Condition or ForEach step hold more steps."""

    name: str = Field(pattern=r"^[A-Za-z0-9\-_]{1,64}$")
    type: str
    arguments: Annotated[Fields, BeforeValidator(lambda value: value or {})] = Field(default_factory=dict)
    depends_on: list[str | StepDependency] = Field(default_factory=list)
    display_name: str | None = None
    description: str | None = None
    cache_config: CacheConfig = CacheConfig()
    retry_policies: list[RetryPolicy] = Field(default_factory=list)
    property_files: list[PropertyFile] = Field(default_factory=list)
    sqs_queue_url: Any = None
    function_arn: Any = None
    output_parameters: list[OutputParameter] = Field(default_factory=list)

    @property
    def dependencies(self) -> dict[str, Trigger]:
        """The steps of `depends_on`, and the status in which each must end."""
        entries = [StepDependency(Step=item) if isinstance(item, str) else item for item in self.depends_on]
        return {entry.step: entry.trigger for entry in entries}


class ConditionArguments(_DefinitionPart):
    """Arguments of a Condition step. All conditions must hold for the first branch."""

    conditions: list[Any]
    if_steps: list[StepDefinition] = Field(default_factory=list)
    else_steps: list[StepDefinition] = Field(default_factory=list)


class IterationSelector(_DefinitionPart):
    """Selection of one iteration's output in a ForEach step."""

    pick: Literal["MaxBy", "MinBy"]
    field: Fields


class ForEachArguments(_DefinitionPart):
    """Arguments of a ForEach step. Their form: `for_each_step.py` of the SageMaker SDK."""

    iterable_items: Any
    max_concurrency: int = Field(ge=1, le=50, strict=True)
    selector: IterationSelector | None = None
    for_each_body: list[StepDefinition] = Field(min_length=1)


class PipelineDefinition(_DefinitionPart):
    """A pipeline definition."""

    version: Literal["2020-12-01"]
    metadata: Fields | None = None
    parameters: list[PipelineParameter] = Field(default_factory=list)
    pipeline_experiment_config: Fields | None = None
    mlflow_config: Fields | None = None
    steps: list[StepDefinition] = Field(min_length=1)


class PlacedStep(BaseModel):
    """A step and its position: in a branch of a condition, or in the body of a ForEach step."""

    model_config = ConfigDict(frozen=True)
    step: StepDefinition
    condition: str | None = None
    outcome: bool = True
    for_each: str | None = None


def create_error(problem: str) -> errors.ValidationError:
    """Return the error of an invalid definition, in CreatePipeline's words."""
    return errors.ValidationError(f"Unable to parse pipeline definition. {problem}")


def parse_definition(text: str) -> PipelineDefinition:
    """Parse a definition. Raises ValidationError for a wrong form."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise create_error("It is not valid JSON.") from None
    if not isinstance(document, dict):
        raise create_error("Expecting start of Json Object.")
    return _validate(PipelineDefinition, document)


def list_placed_steps(steps: list[StepDefinition], **position: Any) -> Iterator[PlacedStep]:
    """Yield every step, outer steps before their inner steps. Raises ValidationError."""
    for step in steps:
        yield PlacedStep(step=step, **position)
        if step.type == "Condition":
            branches = parse_condition_arguments(step)
            yield from list_placed_steps(branches.if_steps, **position | {"condition": step.name, "outcome": True})
            yield from list_placed_steps(branches.else_steps, **position | {"condition": step.name, "outcome": False})
        elif step.type == "ForEach":
            yield from list_placed_steps(
                parse_for_each_arguments(step).for_each_body, **position | {"for_each": step.name}
            )


def parse_condition_arguments(step: StepDefinition) -> ConditionArguments:
    """Parse the arguments of a Condition step. Raises ValidationError."""
    return _validate(ConditionArguments, step.arguments, f"Step '{step.name}': ")


def parse_for_each_arguments(step: StepDefinition) -> ForEachArguments:
    """Parse the arguments of a ForEach step. Raises ValidationError."""
    return _validate(ForEachArguments, step.arguments, f"Step '{step.name}': ")


def _validate(model: type[_Model], document: Fields, prefix: str = "") -> _Model:
    try:
        return model.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        path = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            raise create_error(f"{prefix}Unknown member '{path}'.") from None
        raise create_error(f"{prefix}{path}: {first['msg']}") from None
