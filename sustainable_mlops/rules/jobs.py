"""Jobs that the resources of a plan start: training jobs, tuning jobs and steps of pipelines."""

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import TypeAlias

from sustainable_mlops.plan import UNKNOWN, PipelineStep, Plan, PlannedPipeline, Resource
from sustainable_mlops.rules.attributes import ConfiguredAttributes, CreateRequest
from sustainable_mlops.rules.rule import Check, RuleResults, unknown_result

PIPELINE = "aws_sagemaker_pipeline"
TRAINING_JOB = "aws_sagemaker_training_job"
TUNING_JOB = "aws_sagemaker_hyper_parameter_tuning_job"

#: Types that train a model.
TRAINING_TYPES = (TRAINING_JOB, TUNING_JOB, PIPELINE)
TUNING_TYPES = (TUNING_JOB, PIPELINE)
#: The steps of a pipeline that train a model.
TRAINING_STEPS = ("Training", "Tuning", "AutoML")

_ResourceRequests: TypeAlias = Callable[[Plan, Resource], Iterator[CreateRequest]]
_StepRequests: TypeAlias = Callable[[PipelineStep], Iterator[CreateRequest]]


def find_pipeline(plan: Plan, resource: Resource) -> PlannedPipeline | None:
    """Return the pipeline that `resource` declares."""
    return _index_pipelines(plan).get(resource.address)


@lru_cache(maxsize=2)
def _index_pipelines(plan: Plan) -> dict[str, PlannedPipeline]:
    return {pipeline.resource.address: pipeline for pipeline in plan.pipelines}


def locate_step(step: PipelineStep) -> str:
    """Return the location of a step for a finding. The step's name identifies it best."""
    return f"Steps.{step.name}"


def check_steps(*types: str) -> Callable[[Callable[[PlannedPipeline, PipelineStep], RuleResults]], Check]:
    """Turn a check of one step into a check of a pipeline, for all its steps of these types."""

    def wrap(check: Callable[[PlannedPipeline, PipelineStep], RuleResults]) -> Check:
        def check_pipeline(plan: Plan, resource: Resource) -> RuleResults:
            pipeline = find_pipeline(plan, resource)
            if pipeline is None or pipeline.steps is UNKNOWN:
                yield unknown_result(
                    pipeline.unreadable_reason if pipeline else "it has no definition", "pipeline_definition"
                )
                return
            for step in pipeline.list_steps(*types):
                yield from check(pipeline, step)

        check_pipeline.__doc__ = check.__doc__
        return check_pipeline

    return wrap


def check_trainings(check: Callable[[CreateRequest], RuleResults]) -> Check:
    """Turn a check of one training into a check of resources that train.

    Those are training jobs, each definition of a tuning job, and steps of pipelines.
    """
    return _check_requests(check, _list_resource_trainings, _list_step_trainings)


def check_tunings(check: Callable[[CreateRequest], RuleResults]) -> Check:
    """Turn a check of a tuning configuration into a check of tuning jobs and steps."""
    return _check_requests(check, _list_resource_tunings, _list_step_tunings)


def _check_requests(
    check: Callable[[CreateRequest], RuleResults],
    list_resource_requests: _ResourceRequests,
    list_step_requests: _StepRequests,
) -> Check:
    @check_steps("Training", "Tuning")
    def check_pipeline_step(_: PlannedPipeline, step: PipelineStep) -> RuleResults:
        for request in list_step_requests(step):
            yield from check(request)

    def check_resource(plan: Plan, resource: Resource) -> RuleResults:
        if resource.type == PIPELINE:
            yield from check_pipeline_step(plan, resource)
        else:
            for request in list_resource_requests(plan, resource):
                yield from check(request)

    check_resource.__doc__ = check.__doc__
    return check_resource


def _list_resource_trainings(plan: Plan, resource: Resource) -> Iterator[CreateRequest]:
    settings = ConfiguredAttributes(plan, resource)
    if resource.type == TRAINING_JOB:
        yield CreateRequest(settings, (), "", api=False)
        return
    for block in ("training_job_definition", "training_job_definitions"):
        blocks = resource.blocks(block)
        for number in range(1 if blocks is UNKNOWN else len(blocks)):
            yield CreateRequest(settings, (block, number), "", api=False)


def _list_step_trainings(step: PipelineStep) -> Iterator[CreateRequest]:
    if step.type == "Training":
        yield CreateRequest(step, (), locate_step(step), api=True)
        return
    if step.get("TrainingJobDefinition") is not None:
        yield CreateRequest(step, ("TrainingJobDefinition",), locate_step(step), api=True)
    definitions = step.get("TrainingJobDefinitions", [])
    for number in range(len(definitions) if isinstance(definitions, list) else 1):
        yield CreateRequest(step, ("TrainingJobDefinitions", number), locate_step(step), api=True)


def _list_resource_tunings(plan: Plan, resource: Resource) -> Iterator[CreateRequest]:
    yield CreateRequest(ConfiguredAttributes(plan, resource), ("config", 0), "", api=False)


def _list_step_tunings(step: PipelineStep) -> Iterator[CreateRequest]:
    if step.type == "Tuning":
        yield CreateRequest(step, ("HyperParameterTuningJobConfig",), locate_step(step), api=True)
