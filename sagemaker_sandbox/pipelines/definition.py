"""A pipeline's definition, schema 2020-12-01: its form. `checks` holds what its parts say of each other."""

import json
from collections.abc import Iterator
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic.alias_generators import to_pascal

from sagemaker_sandbox import errors
from sagemaker_sandbox.pipelines.durations import duration
from sagemaker_sandbox.pipelines.outside import Fields

ExceptionType = Literal[
    "Step.SERVICE_FAULT",
    "Step.THROTTLING",
    "SageMaker.JOB_INTERNAL_ERROR",
    "SageMaker.CAPACITY_ERROR",
    "SageMaker.RESOURCE_LIMIT",
]
Trigger = Literal["Completed", "Failed", "Stopped", "Any"]


class _Part(BaseModel):
    """A JSON object whose members are those declared, in PascalCase."""

    model_config = ConfigDict(extra="forbid", alias_generator=to_pascal, frozen=True)


_Model = TypeVar("_Model", bound=_Part)


class Parameter(_Part):
    """What an execution may be told; without a default it must be."""

    name: str = Field(pattern=r"^[A-Za-z0-9\-_]{1,256}$")
    type: Literal["String", "Integer", "Float", "Boolean"] = "String"
    default_value: Any = None
    enum_values: list[Any] | None = None


class StepDependency(_Part):
    """A step to wait for, and how it must have ended."""

    step: str
    trigger: Trigger = "Completed"


def _checked(text: str) -> str:
    duration(text)
    return text


class CacheConfig(_Part):
    """Whether an earlier result may be used, and how old it may be."""

    enabled: bool = False
    expire_after: Annotated[str, AfterValidator(_checked)] | None = None

    @model_validator(mode="after")
    def _ends(self) -> "CacheConfig":
        if self.enabled and self.expire_after is None:
            raise ValueError("ExpireAfter must be given where caching is enabled")
        return self


class RetryPolicy(_Part):
    """When to try again. Limits: "Retry Policy for Pipeline Steps" in the SageMaker AI developer guide."""

    exception_type: list[ExceptionType] = Field(min_length=1)
    interval_seconds: int = Field(1, ge=0, le=43_200)
    backoff_rate: float = Field(2.0, ge=0)
    max_attempts: int | None = Field(None, ge=0, le=20)
    expire_after_min: int | None = Field(None, ge=1, le=14_400)

    @model_validator(mode="after")
    def _one_end(self) -> "RetryPolicy":
        if self.max_attempts is not None and self.expire_after_min is not None:
            raise ValueError("only one of MaxAttempts and ExpireAfterMin can be given")
        return self


class PropertyFile(_Part):
    """A JSON file among a processing step's outputs."""

    property_file_name: str
    output_name: str
    file_path: str


class OutputParameter(_Part):
    """What a Callback or Lambda step gives."""

    output_name: str
    output_type: Literal["String", "Integer", "Float", "Boolean"] = "String"


class Step(_Part):
    """One step; a Condition or ForEach step holds more of them among its arguments."""

    name: str = Field(pattern=r"^[A-Za-z0-9\-_]{1,64}$")
    type: str
    arguments: Annotated[Fields, BeforeValidator(lambda given: given or {})] = Field(default_factory=dict)
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
        """The steps of `depends_on`, and how each must have ended."""
        entries = [StepDependency(Step=one) if isinstance(one, str) else one for one in self.depends_on]
        return {entry.step: entry.trigger for entry in entries}


class ConditionArguments(_Part):
    """All conditions must hold for the first branch."""

    conditions: list[Any]
    if_steps: list[Step] = Field(default_factory=list)
    else_steps: list[Step] = Field(default_factory=list)


class Selector(_Part):
    """Which iteration's output a ForEach step hands on."""

    pick: Literal["MaxBy", "MinBy"]
    field: Fields


class ForEachArguments(_Part):
    """A body to run once an item. Its form: `for_each_step.py` of the SageMaker SDK."""

    iterable_items: Any
    max_concurrency: int = Field(ge=1, le=50, strict=True)
    selector: Selector | None = None
    for_each_body: list[Step] = Field(min_length=1)


class Definition(_Part):
    """The whole."""

    version: Literal["2020-12-01"]
    metadata: Fields | None = None
    parameters: list[Parameter] = Field(default_factory=list)
    pipeline_experiment_config: Fields | None = None
    mlflow_config: Fields | None = None
    steps: list[Step] = Field(min_length=1)


class Placed(BaseModel):
    """A step, and what it stands in: the branch of a condition, or the body of a ForEach step."""

    model_config = ConfigDict(frozen=True)
    step: Step
    condition: str | None = None
    outcome: bool = True
    for_each: str | None = None


def refused(problem: str) -> errors.ValidationError:
    """The refusal of a definition, as CreatePipeline words it."""
    return errors.ValidationError(f"Unable to parse pipeline definition. {problem}")


def parse(text: str) -> Definition:
    """The definition that a text holds, its form checked; raises ValidationError."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise refused("It is not valid JSON.") from None
    if not isinstance(document, dict):
        raise refused("Expecting start of Json Object.")
    return _as(Definition, document)


def place(steps: list[Step], **where: Any) -> Iterator[Placed]:
    """Every step, the inner ones too, outer ones first; raises ValidationError."""
    for step in steps:
        yield Placed(step=step, **where)
        if step.type == "Condition":
            branches = condition_arguments(step)
            yield from place(branches.if_steps, **where | {"condition": step.name, "outcome": True})
            yield from place(branches.else_steps, **where | {"condition": step.name, "outcome": False})
        elif step.type == "ForEach":
            yield from place(for_each_arguments(step).for_each_body, **where | {"for_each": step.name})


def condition_arguments(step: Step) -> ConditionArguments:
    """The arguments of a Condition step; raises ValidationError."""
    return _as(ConditionArguments, step.arguments, f"Step '{step.name}': ")


def for_each_arguments(step: Step) -> ForEachArguments:
    """The arguments of a ForEach step; raises ValidationError."""
    return _as(ForEachArguments, step.arguments, f"Step '{step.name}': ")


def _as(model: type[_Model], document: Fields, where: str = "") -> _Model:
    try:
        return model.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        path = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            raise refused(f"{where}Unknown member '{path}'.") from None
        raise refused(f"{where}{path}: {first['msg']}") from None
