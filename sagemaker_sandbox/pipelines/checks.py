"""Checks of CreatePipeline beyond the form of a definition."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape

from sagemaker_sandbox.base.errors import NotEmulatedError, ValidationError
from sagemaker_sandbox.pipelines import conditions, graph, parameters
from sagemaker_sandbox.pipelines.definition import (
    PipelineDefinition,
    PipelineParameter,
    PlacedStep,
    StepDefinition,
    create_error,
    parse_condition_arguments,
    parse_definition,
    parse_for_each_arguments,
)
from sagemaker_sandbox.pipelines.expressions import Reference, is_expression, list_references
from sagemaker_sandbox.pipelines.steps import NOT_EMULATED, NOT_IN_FOR_EACH, OPERATIONS, RETRYABLE, TYPES
from sustainable_mlops.aws.service_model import load_service_model

#: Source: `execution_variables.py` of the SageMaker SDK.
_EXECUTION_VARIABLES = frozenset(
    {
        "StartDateTime",
        "CurrentDateTime",
        "PipelineName",
        "PipelineArn",
        "PipelineExecutionId",
        "PipelineExecutionArn",
        "TrainingJobName",
        "ProcessingJobName",
    }
)
_MAX_ITEMS = 100


def check_definition(text: str) -> PipelineDefinition:
    """Return a valid definition. Raises ValidationError, or NotEmulatedError for a step that the sandbox cannot run."""
    definition = parse_definition(text)
    _check_parameters(definition.parameters)
    steps = graph.index_steps(definition)
    for placed in steps.values():
        _check_type(placed)
        _check_members(placed.step)
    try:
        for reference in _list_settings_references(definition):
            _check_reference(reference, definition, steps, in_body=False)
        for placed in steps.values():
            _check_references(placed, definition, steps)
    except ValueError as error:
        raise create_error(f"Invalid expression: {error}.") from None
    graph.sort_steps(steps)
    return definition


def _check_parameters(declared_parameters: Sequence[PipelineParameter]) -> None:
    names = [parameter.name for parameter in declared_parameters]
    for number, parameter in enumerate(declared_parameters):
        if parameter.name in names[:number]:
            raise create_error(f"Parameter names must be unique. Duplicate parameter name: '{parameter.name}'.")
        if parameter.default_value is not None:
            try:
                parameters.convert_value(parameter, None)
            except ValidationError as error:
                raise create_error(error.message) from None


def _check_type(placed: PlacedStep) -> None:
    step = placed.step
    if step.type in NOT_EMULATED:
        raise NotEmulatedError(f"Step '{step.name}' of type {step.type}")
    if step.type not in TYPES:
        raise create_error(f"Unknown step type '{step.type}' of step '{step.name}'.")
    if step.retry_policies and step.type not in RETRYABLE:
        raise create_error(f"Step '{step.name}': RetryPolicies are not supported for a step of type {step.type}.")
    if placed.for_each and step.type in NOT_IN_FOR_EACH:
        raise create_error(f"Step '{step.name}' of type {step.type} is not allowed in the body of a ForEach step.")
    if step.type == "Callback" and not step.sqs_queue_url:
        raise create_error(f"Step '{step.name}': SqsQueueUrl is missing.")
    if step.type == "Lambda" and not step.function_arn:
        raise create_error(f"Step '{step.name}': FunctionArn is missing.")


def _check_members(step: StepDefinition) -> None:
    if step.type == "Condition":
        problems = (conditions.find_problem(item) for item in parse_condition_arguments(step).conditions)
        problem = next(filter(None, problems), None)
    elif step.type == "ForEach":
        problem = _find_items_problem(parse_for_each_arguments(step).iterable_items)
    elif step.type in OPERATIONS:
        shape = load_service_model("sagemaker").operation_model(OPERATIONS[step.type]).input_shape
        problem = next(_list_problems(step.arguments, shape), None) if shape is not None else None
    else:
        unknown = next(iter(set(step.arguments) - {"ErrorMessage"}), None) if step.type == "Fail" else None
        problem = f"Unknown Argument member '{unknown}'" if unknown else None
    if problem:
        raise create_error(f"Step '{step.name}': {problem}.")


def _find_items_problem(items: Any) -> str | None:
    if is_expression(items):
        return None
    if isinstance(items, list) and 1 <= len(items) <= _MAX_ITEMS:
        return None
    return f"IterableItems is an expression or a list of 1 to {_MAX_ITEMS} items"


def _list_problems(value: Any, shape: Shape, name: str = "") -> Iterator[str]:
    """Yield the problems that SageMaker finds before an execution: unknown members, and lists that are too long.

    The value of an expression is unknown until it is resolved.
    """
    if is_expression(value):
        return
    if isinstance(shape, StructureShape) and isinstance(value, Mapping):
        for member, inner in value.items():
            if member not in shape.members:
                yield f"Unknown Argument member '{member}'"
            else:
                yield from _list_problems(inner, shape.members[member], member)
    elif isinstance(shape, ListShape) and isinstance(value, list):
        maximum = shape.metadata.get("max")
        if maximum is not None and len(value) > maximum:
            yield f"Argument member '{name}' has {len(value)} items, and can have at most {maximum}"
        for inner in value:
            yield from _list_problems(inner, shape.member)
    elif isinstance(shape, MapShape) and isinstance(value, Mapping):
        for inner in value.values():
            yield from _list_problems(inner, shape.value)


def _list_settings_references(definition: PipelineDefinition) -> Iterator[Reference]:
    return list_references([definition.pipeline_experiment_config, definition.mlflow_config])


def _check_references(placed: PlacedStep, definition: PipelineDefinition, steps: Mapping[str, PlacedStep]) -> None:
    step = placed.step
    for reference in list_references(graph.list_expressions(step)):
        _check_reference(reference, definition, steps, in_body=placed.for_each is not None)
        _check_reach(reference, placed, steps)
    for name in step.dependencies:
        if name not in steps or steps[name].for_each != placed.for_each:
            raise create_error(f"Step '{step.name}' depends on step '{name}', which is not defined.")
        if steps[name].step.type == "Fail":
            raise create_error(f"Step '{step.name}' depends on step '{name}', which is a Fail step.")
    if step.type == "ForEach":
        _check_body(step, steps)


def _check_reference(
    reference: Reference, definition: PipelineDefinition, steps: Mapping[str, PlacedStep], *, in_body: bool
) -> None:
    known = {
        "Parameters": {parameter.name for parameter in definition.parameters},
        "Steps": steps.keys(),
        "Execution": _EXECUTION_VARIABLES,
        "PipelineExperimentConfig": (definition.pipeline_experiment_config or {}).keys(),
        "MlflowConfig": (definition.mlflow_config or {}).keys(),
        "ForEach": {"CurrentItem"} if in_body else set(),
    }
    if reference.name not in known.get(reference.root, ()):
        raise create_error(f"Undefined reference: '{reference.path}'.")
    if reference.root == "Steps" and steps[reference.name].step.type == "Fail":
        raise create_error(f"'{reference.path}' refers to a Fail step, which has no properties.")
    if reference.root == "Steps" and reference.path.split(".")[2:3] == ["PropertyFiles"]:
        _check_property_file(reference, steps[reference.name].step)


def _check_property_file(reference: Reference, step: StepDefinition) -> None:
    """Check a property file. Only a processing step writes one; steps of all types can read it by JsonGet.

    Source: `steps.py` of the SageMaker SDK, and its pull request 2506, "support JsonGet for all step types".
    """
    if step.type != "Processing":
        raise create_error(
            f"'{reference.path}': property files belong to Processing steps, but '{step.name}' is not one."
        )
    if reference.path.split(".")[-1] not in {file.property_file_name for file in step.property_files}:
        raise create_error(f"Undefined property file: '{reference.path}'.")


def _check_reach(reference: Reference, placed: PlacedStep, steps: Mapping[str, PlacedStep]) -> None:
    """Check that only steps of the same body refer to a step in the body of a ForEach step."""
    if reference.root == "Steps" and steps[reference.name].for_each not in (None, placed.for_each):
        raise create_error(f"'{reference.path}' refers to a step in the body of a ForEach step.")


def _check_body(step: StepDefinition, steps: Mapping[str, PlacedStep]) -> None:
    arguments = parse_for_each_arguments(step)
    body = [inner.name for inner in arguments.for_each_body]
    for name in steps:
        prefix, _, index = name.rpartition("-")
        if prefix in body and index.isdecimal():
            raise create_error(f"Step name '{name}' is taken by an iteration of step '{step.name}'.")
    if arguments.selector is not None:
        fields = list(list_references(arguments.selector.field))
        if len(fields) != 1 or fields[0].root != "IterationOutput" or fields[0].name not in body:
            raise create_error(f"Step '{step.name}': Selector.Field is an IterationOutput of a step of its body.")
