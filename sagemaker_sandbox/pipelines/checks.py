"""What CreatePipeline refuses in a definition whose form is right."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape

from sustainable_mlops.aws.service_model import service_model
from sagemaker_sandbox.errors import NotEmulatedError, ValidationError
from sagemaker_sandbox.pipelines import conditions, graph, parameters
from sagemaker_sandbox.pipelines.definition import (
    Definition,
    Parameter,
    Placed,
    Step,
    condition_arguments,
    for_each_arguments,
    parse,
    refused,
)
from sagemaker_sandbox.pipelines.expressions import Reference, is_expression, references
from sagemaker_sandbox.pipelines.steps import NOT_IN_FOR_EACH, NOT_RUN, OPERATIONS, RETRYABLE, TYPES

#: Source: `execution_variables.py` of the SageMaker SDK.
_EXECUTION = frozenset(
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
_MOST_ITEMS = 100


def check(text: str) -> Definition:
    """The definition that a text holds; raises ValidationError, and NotEmulatedError where a step is not run here."""
    definition = parse(text)
    _check_parameters(definition.parameters)
    steps = graph.steps_by_name(definition)
    for placed in steps.values():
        _check_type(placed)
        _check_members(placed.step)
    try:
        for reference in _outside_steps(definition):
            _check_reference(reference, definition, steps, in_body=False)
        for placed in steps.values():
            _check_references(placed, definition, steps)
    except ValueError as error:
        raise refused(f"Invalid expression: {error}.") from None
    graph.in_order(steps)
    return definition


def _check_parameters(declared: Sequence[Parameter]) -> None:
    names = [parameter.name for parameter in declared]
    for number, parameter in enumerate(declared):
        if parameter.name in names[:number]:
            raise refused(f"Parameter names must be unique. Duplicate parameter name: '{parameter.name}'.")
        if parameter.default_value is not None:
            try:
                parameters.value(parameter, None)
            except ValidationError as error:
                raise refused(error.message) from None


def _check_type(placed: Placed) -> None:
    step = placed.step
    if step.type in NOT_RUN:
        raise NotEmulatedError(f"Step '{step.name}' of type {step.type}")
    if step.type not in TYPES:
        raise refused(f"Unknown step type '{step.type}' of step '{step.name}'.")
    if step.retry_policies and step.type not in RETRYABLE:
        raise refused(f"Step '{step.name}': RetryPolicies are not supported for a step of type {step.type}.")
    if placed.for_each and step.type in NOT_IN_FOR_EACH:
        raise refused(f"Step '{step.name}' of type {step.type} is not allowed in the body of a ForEach step.")
    if step.type == "Callback" and not step.sqs_queue_url:
        raise refused(f"Step '{step.name}': SqsQueueUrl is missing.")
    if step.type == "Lambda" and not step.function_arn:
        raise refused(f"Step '{step.name}': FunctionArn is missing.")


def _check_members(step: Step) -> None:
    if step.type == "Condition":
        problems = (conditions.malformed(one) for one in condition_arguments(step).conditions)
        problem = next(filter(None, problems), None)
    elif step.type == "ForEach":
        problem = _items(for_each_arguments(step).iterable_items)
    elif step.type in OPERATIONS:
        shape = service_model("sagemaker").operation_model(OPERATIONS[step.type]).input_shape
        problem = next(_wrong(step.arguments, shape), None) if shape is not None else None
    else:
        unknown = next(iter(set(step.arguments) - {"ErrorMessage"}), None) if step.type == "Fail" else None
        problem = f"Unknown Argument member '{unknown}'" if unknown else None
    if problem:
        raise refused(f"Step '{step.name}': {problem}.")


def _items(items: Any) -> str | None:
    if is_expression(items):
        return None
    if isinstance(items, list) and 1 <= len(items) <= _MOST_ITEMS:
        return None
    return f"IterableItems is an expression or a list of 1 to {_MOST_ITEMS} items"


def _wrong(value: Any, shape: Shape, name: str = "") -> Iterator[str]:
    """What SageMaker finds before an execution: members that the request has not, and lists that are too long.

    Where an expression stands, nothing is known before it is resolved.
    """
    if is_expression(value):
        return
    if isinstance(shape, StructureShape) and isinstance(value, Mapping):
        for member, inner in value.items():
            if member not in shape.members:
                yield f"Unknown Argument member '{member}'"
            else:
                yield from _wrong(inner, shape.members[member], member)
    elif isinstance(shape, ListShape) and isinstance(value, list):
        most = shape.metadata.get("max")
        if most is not None and len(value) > most:
            yield f"Argument member '{name}' has {len(value)} items, and may have {most}"
        for inner in value:
            yield from _wrong(inner, shape.member)
    elif isinstance(shape, MapShape) and isinstance(value, Mapping):
        for inner in value.values():
            yield from _wrong(inner, shape.value)


def _outside_steps(definition: Definition) -> Iterator[Reference]:
    return references([definition.pipeline_experiment_config, definition.mlflow_config])


def _check_references(placed: Placed, definition: Definition, steps: Mapping[str, Placed]) -> None:
    step = placed.step
    for reference in references(graph.own(step)):
        _check_reference(reference, definition, steps, in_body=placed.for_each is not None)
        _check_reach(reference, placed, steps)
    for name in step.dependencies:
        if name not in steps or steps[name].for_each != placed.for_each:
            raise refused(f"Step '{step.name}' depends on step '{name}', which is not defined.")
        if steps[name].step.type == "Fail":
            raise refused(f"Step '{step.name}' depends on step '{name}', which is a Fail step.")
    if step.type == "ForEach":
        _check_body(step, steps)


def _check_reference(
    reference: Reference, definition: Definition, steps: Mapping[str, Placed], *, in_body: bool
) -> None:
    known = {
        "Parameters": {parameter.name for parameter in definition.parameters},
        "Steps": steps.keys(),
        "Execution": _EXECUTION,
        "PipelineExperimentConfig": (definition.pipeline_experiment_config or {}).keys(),
        "MlflowConfig": (definition.mlflow_config or {}).keys(),
        "ForEach": {"CurrentItem"} if in_body else set(),
    }
    if reference.name not in known.get(reference.root, ()):
        raise refused(f"Undefined reference: '{reference.path}'.")
    if reference.root == "Steps" and steps[reference.name].step.type == "Fail":
        raise refused(f"'{reference.path}' refers to a Fail step, which has no properties.")
    if reference.root == "Steps" and reference.path.split(".")[2:3] == ["PropertyFiles"]:
        _check_property_file(reference, steps[reference.name].step)


def _check_property_file(reference: Reference, step: Step) -> None:
    """Check a property file: only a processing step writes one, and steps of all types may read it by JsonGet.

    Source: `steps.py` of the SageMaker SDK, and its pull request 2506, "support JsonGet for all step types".
    """
    if step.type != "Processing":
        raise refused(f"'{reference.path}': property files belong to Processing steps, but '{step.name}' is not one.")
    if reference.path.split(".")[-1] not in {file.property_file_name for file in step.property_files}:
        raise refused(f"Undefined property file: '{reference.path}'.")


def _check_reach(reference: Reference, placed: Placed, steps: Mapping[str, Placed]) -> None:
    """A step in the body of a ForEach step is read by its neighbours alone; others read the ForEach step."""
    if reference.root == "Steps" and steps[reference.name].for_each not in (None, placed.for_each):
        raise refused(f"'{reference.path}' refers to a step in the body of a ForEach step.")


def _check_body(step: Step, steps: Mapping[str, Placed]) -> None:
    arguments = for_each_arguments(step)
    body = [one.name for one in arguments.for_each_body]
    for name in steps:
        start, _, end = name.rpartition("-")
        if start in body and end.isdecimal():
            raise refused(f"Step name '{name}' is taken by an iteration of step '{step.name}'.")
    if arguments.selector is not None:
        fields = list(references(arguments.selector.field))
        if len(fields) != 1 or fields[0].root != "IterationOutput" or fields[0].name not in body:
            raise refused(f"Step '{step.name}': Selector.Field is an IterationOutput of a step of its body.")
