"""Steps of SageMaker pipelines on both sides of a plan: pairs of them, and the outputs and code that they name."""

from collections.abc import Iterator
from typing import Any

from sustainable_mlops.aws.s3 import find_bucket
from sustainable_mlops.plan import UNKNOWN, Joins, PipelineStep, Resource
from sustainable_mlops.plan.pipelines import list_pipelines
from sustainable_mlops.review.comparison import Comparison, ResourcePair

PIPELINE = "aws_sagemaker_pipeline"
#: Fields of a step with a destination: a bucket, a function or a queue.
_OUTPUTS = frozenset(
    ("DestinationS3Uri", "FunctionArn", "LogUri", "OutputS3Uri", "S3FailurePath", "S3OutputLocation", "S3OutputPath",
     "SqsQueueUrl")
)  # fmt: skip
#: Blocks of a step whose `S3Uri` is a destination.
_OUTPUT_BLOCKS = frozenset(("CheckpointConfig", "S3Output"))
#: Fields of a step with an image or a model.
_CODE = frozenset(("Image", "ImageUri", "ModelDataUrl", "ModelPackageName", "RuleEvaluatorImage", "TrainingImage"))
#: Argument of the containers of AWS with the archive of a script.
_SUBMIT_DIRECTORY = "sagemaker_submit_directory"
#: Inputs with code, as the SageMaker SDK and `smlops` name them.
_CODE_INPUTS = frozenset(("code", "entrypoint", "jars", "py-files", "sm_code", "sm_drivers"))
_NAMES = ("InputName", "ChannelName")


def pair_steps(pair: ResourcePair, comparison: Comparison) -> Iterator[tuple[PipelineStep, PipelineStep]]:
    """Yield each step before the plan with the same step after it.

    Steps are paired by name. A step with a new name is paired with a removed step of the same type.
    """
    before, after = list_steps_before(pair, comparison), list_steps_after(pair, comparison)
    names = {step.name for step in before} & {step.name for step in after} - {UNKNOWN}
    by_name = {step.name: step for step in before}
    remaining = [step for step in before if step.name not in names]
    for step in after:
        if step.name in names:
            yield by_name[step.name], step
        elif predecessor := next((old for old in remaining if old.type == step.type), None):
            remaining.remove(predecessor)
            yield predecessor, step


def list_steps_before(pair: ResourcePair, comparison: Comparison) -> list[PipelineStep]:
    """Return the steps of a pipeline before the plan, at any depth; none if the definition is unknown."""
    # A resource that the base does not have is compared with its own state.
    joins = comparison.plan.joins_before if pair.old is pair.new else comparison.joins_before
    return _list_steps(pair.old, joins)


def list_steps_after(pair: ResourcePair, comparison: Comparison) -> list[PipelineStep]:
    """Return the steps of a pipeline after the plan, at any depth; none if the definition is unknown."""
    return _list_steps(pair.new, comparison.joins_after)


def _list_steps(resource: Resource | None, joins: Joins) -> list[PipelineStep]:
    steps = [pipeline.steps for pipeline in list_pipelines([resource] if resource is not None else [], joins)]
    return [] if not steps or steps[0] is UNKNOWN else steps[0]


def list_outputs(step: PipelineStep) -> Iterator[str]:
    """Yield the destinations of a step: buckets as `s3://NAME`, functions and queues."""
    for name, block, value in _list_fields(step.resolve_settings()):
        if name in _OUTPUTS or (name == "S3Uri" and block in _OUTPUT_BLOCKS):
            bucket = find_bucket(value)
            yield f"s3://{bucket}" if bucket else value


def list_code(step: PipelineStep) -> Iterator[str]:
    """Yield the images, models, archives and inputs with code of a step."""
    for name, block, value in _list_fields(step.resolve_settings()):
        if name in _CODE or name.lower() == _SUBMIT_DIRECTORY or (name == "S3Uri" and block in _CODE_INPUTS):
            yield value


def _list_fields(value: Any, block: str = "", name: str = "") -> Iterator[tuple[str, str, str]]:
    """Yield each known text with its field and the block around it.

    The name of an input replaces the name of its block.
    """
    if isinstance(value, dict):
        inner_block = next((value[key] for key in _NAMES if isinstance(value.get(key), str)), name)
        if block in _CODE_INPUTS:
            inner_block = block
        for key, inner in value.items():
            yield from _list_fields(inner, inner_block, key)
    elif isinstance(value, list):
        for inner in value:
            yield from _list_fields(inner, block, name)
    elif isinstance(value, str):
        text = value.strip('"')  # the SageMaker SDK encodes hyperparameters as JSON
        if text and not text.removeprefix("s3://").startswith("{"):
            yield name, block, text
