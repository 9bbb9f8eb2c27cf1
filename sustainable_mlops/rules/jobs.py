"""The jobs that a plan's resources start: training and tuning jobs of their own, and steps of pipelines."""

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import TypeAlias

from sustainable_mlops.plan import UNKNOWN, Pipeline, Plan, Resource, Step
from sustainable_mlops.rules.reading import Request, Settings
from sustainable_mlops.rules.rule import Check, Verdicts, unknown

PIPELINE = "aws_sagemaker_pipeline"
TRAINING_JOB = "aws_sagemaker_training_job"
TUNING_JOB = "aws_sagemaker_hyper_parameter_tuning_job"

#: The resources that train.
TRAINS = (TRAINING_JOB, TUNING_JOB, PIPELINE)
TUNES = (TUNING_JOB, PIPELINE)
#: The steps of a pipeline that train a model.
TRAINING_STEPS = ("Training", "Tuning", "AutoML")

_ON_RESOURCE: TypeAlias = Callable[[Plan, Resource], Iterator[Request]]
_ON_STEP: TypeAlias = Callable[[Step], Iterator[Request]]


def pipeline_of(plan: Plan, resource: Resource) -> Pipeline | None:
    """The pipeline that `resource` declares."""
    return _pipelines(plan).get(resource.address)


@lru_cache(maxsize=2)
def _pipelines(plan: Plan) -> dict[str, Pipeline]:
    return {pipeline.resource.address: pipeline for pipeline in plan.pipelines}


def place(step: Step) -> str:
    """Where a step is, for a verdict: the step's own name tells it best."""
    return f"Steps.{step.name}"


def on_steps(*types: str) -> Callable[[Callable[[Pipeline, Step], Verdicts]], Check]:
    """Make a check of one step the check of a pipeline: of all its steps of these types."""

    def wrap(check: Callable[[Pipeline, Step], Verdicts]) -> Check:
        def over(plan: Plan, resource: Resource) -> Verdicts:
            pipeline = pipeline_of(plan, resource)
            if pipeline is None or pipeline.steps is UNKNOWN:
                yield unknown(pipeline.unknown if pipeline else "there is no definition", "pipeline_definition")
                return
            for step in pipeline.of_type(*types):
                yield from check(pipeline, step)

        over.__doc__ = check.__doc__
        return over

    return wrap


def on_trainings(check: Callable[[Request], Verdicts]) -> Check:
    """Make a check of one training the check of what trains: a job, each definition of a tuning job, each step."""
    return _on_requests(check, _resource_trainings, _step_trainings)


def on_tunings(check: Callable[[Request], Verdicts]) -> Check:
    """Make a check of a tuning job's configuration the check of such jobs and steps."""
    return _on_requests(check, _resource_tunings, _step_tunings)


def _on_requests(check: Callable[[Request], Verdicts], of_resource: _ON_RESOURCE, of_step: _ON_STEP) -> Check:
    @on_steps("Training", "Tuning")
    def over_steps(_: Pipeline, step: Step) -> Verdicts:
        for request in of_step(step):
            yield from check(request)

    def over(plan: Plan, resource: Resource) -> Verdicts:
        if resource.type == PIPELINE:
            yield from over_steps(plan, resource)
        else:
            for request in of_resource(plan, resource):
                yield from check(request)

    over.__doc__ = check.__doc__
    return over


def _resource_trainings(plan: Plan, resource: Resource) -> Iterator[Request]:
    settings = Settings(plan, resource)
    if resource.type == TRAINING_JOB:
        yield Request(settings, (), "", api=False)
        return
    for block in ("training_job_definition", "training_job_definitions"):
        found = resource.blocks(block)
        for number in range(1 if found is UNKNOWN else len(found)):
            yield Request(settings, (block, number), "", api=False)


def _step_trainings(step: Step) -> Iterator[Request]:
    if step.type == "Training":
        yield Request(step, (), place(step), api=True)
        return
    if step.get("TrainingJobDefinition") is not None:
        yield Request(step, ("TrainingJobDefinition",), place(step), api=True)
    found = step.get("TrainingJobDefinitions", [])
    for number in range(len(found) if isinstance(found, list) else 1):
        yield Request(step, ("TrainingJobDefinitions", number), place(step), api=True)


def _resource_tunings(plan: Plan, resource: Resource) -> Iterator[Request]:
    yield Request(Settings(plan, resource), ("config", 0), "", api=False)


def _step_tunings(step: Step) -> Iterator[Request]:
    if step.type == "Tuning":
        yield Request(step, ("HyperParameterTuningJobConfig",), place(step), api=True)
