"""Jobs: pipeline steps, monitoring jobs, and jobs that Terraform starts."""

from sustainable_mlops.catalogue.month import HOURS_PER_MONTH
from sustainable_mlops.footprint.activities import ONE, AcceleratorWork
from sustainable_mlops.footprint.coefficients import load_assumptions
from sustainable_mlops.footprint.quantities import Quantity, make_exact
from sustainable_mlops.footprint.resource_parts import ResourcePart, make_unknown_part
from sustainable_mlops.footprint.services.job_instances import JobInstanceRequest, make_job_parts, read_block, read_step
from sustainable_mlops.footprint.services.plan_side import (
    PlanSide,
    explain_missing,
    get_usage_or_default,
    to_known_number,
)
from sustainable_mlops.footprint.usage import UsageKeys
from sustainable_mlops.plan import UNKNOWN, Block, PipelineStep, Resource
from sustainable_mlops.plan.pipelines import PlannedPipeline
from sustainable_mlops.plan.schedules import count_runs_per_month, list_start_rates

#: Path to the instances in the request of each step type.
_INSTANCE_PATHS = {
    "Training": "ResourceConfig",
    "Processing": "ProcessingResources.ClusterConfig",
    "ClarifyCheck": "ProcessingResources.ClusterConfig",
    "QualityCheck": "ProcessingResources.ClusterConfig",
    "Transform": "TransformResources",
}
#: Step types that start no SageMaker instance: decisions, descriptions, and calls of other services.
_FREE_STEPS = frozenset(
    "Callback Cleanup Condition EndpointConfig Fail ForEach Lambda Lineage Model RegisterModel".split()  # noqa: SIM905
)
#: Step types whose instances are not in the definition.
_UNKNOWN_STEPS = {
    "AutoML": "AutoML chooses its own instances",
    "EMR": "the step runs on an EMR cluster",
    "EMRServerless": "the step runs on EMR Serverless",
    "Endpoint": "the endpoint that an execution creates or updates stays on and is not in this plan",
    "InferenceComponent": "the endpoint that the component runs on is not in this plan",
    "NotebookJob": "the instance of a notebook job is not supported",
}
_TUNED_TEXT = "jobs that tuning trains"
_SCHEDULED_TEXT = "runs a month, by the schedule"
_SCHEDULE = "aws_sagemaker_monitoring_schedule"
_DEFINITION = "aws_sagemaker_data_quality_job_definition"
#: Path to the name of the definition in a schedule.
_DEFINITION_PATH = "monitoring_schedule_config.0.monitoring_job_definition_name"


#: A training job that names a base model and no instance type (API reference, ServerlessJobConfig).
_SERVERLESS = "SageMaker chooses the instances of a serverless training job and does not publish them"


def read_pipeline(resource: Resource, side: PlanSide) -> list[ResourcePart]:
    """Return the steps of a pipeline that start instances."""
    pipelines = side.plan.pipelines_before if side.before else side.plan.pipelines
    pipeline = next((one for one in pipelines if one.resource is resource), None)
    if pipeline is None or pipeline.steps is UNKNOWN:
        reason = (
            pipeline.unreadable_reason
            if pipeline is not None and pipeline.unreadable_reason
            else "its definition is unreadable"
        )
        return [make_unknown_part("pipeline", "job", reason, is_whole_resource=True)]
    runs = _estimate_runs(resource, side)
    return [part for step in pipeline.steps for part in _read_step(step, pipeline, runs, side)]


def _estimate_runs(resource: Resource, side: PlanSide) -> Quantity:
    """Return the runs a month of a pipeline: as given, else by its schedules, else the documented default."""
    keys = side.get_usage(resource.address)
    given_runs = keys.get_own("runs_per_month")
    schedule_runs = list_start_rates(resource, side.joins)
    if given_runs is not None or not schedule_runs:
        return given_runs or get_usage_or_default(keys, "runs_per_month")
    by_clock = sum(one for one in schedule_runs if one is not UNKNOWN)
    if UNKNOWN not in schedule_runs:
        return make_exact(by_clock, _SCHEDULED_TEXT)
    more = get_usage_or_default(keys, "runs_per_month")
    return Quantity(
        more.low + by_clock, more.central + by_clock, more.high + by_clock, more.grade, more.text, unit="runs"
    )


def _read_step(step: PipelineStep, pipeline: PlannedPipeline, runs: Quantity, side: PlanSide) -> list[ResourcePart]:
    name, kind = f"step {step.name}", step.type
    keys = side.get_usage(f"{pipeline.resource.address}#{step.name}")
    if kind is UNKNOWN:
        return [make_unknown_part(name, "job", "its type is not known until an execution")]
    if kind in _FREE_STEPS:
        return []
    if kind not in (*_INSTANCE_PATHS, "Tuning"):
        return [
            make_unknown_part(name, "job", _UNKNOWN_STEPS.get(kind, f"the model does not cover steps of type {kind}"))
        ]
    step_runs = keys.get_own("runs_per_month") or _count_step_runs(step, runs)
    if step_runs is None:
        reason = "it runs once per item of a list that only an execution contains; set runs_per_month for the step"
        return [make_unknown_part(name, "job", reason)]
    if step.get("ServerlessJobConfig") is not None:
        return [make_unknown_part(name, "job", _SERVERLESS)]
    region = side.find_region(pipeline.resource)
    if kind == "Tuning":
        return _read_tuning(name, step, step_runs, region, keys)
    work: AcceleratorWork = "inference" if kind == "Transform" else "training"
    return make_job_parts(name, read_step(step, _INSTANCE_PATHS[kind]), step_runs, region, keys, work=work)


def _count_step_runs(step: PipelineStep, runs: Quantity) -> Quantity | None:
    """Return the runs of a step; inside a branch half as many as its pipeline, with 0 and all as bounds."""
    inner = step
    while inner.parent is not None:
        if inner.branch == "ForEachBody":
            return None
        runs = Quantity(0.0, runs.central / 2, runs.high, "C", "runs a month of a step in a branch", unit="runs")
        inner = inner.parent
    return runs


def _read_tuning(
    name: str, step: PipelineStep, runs: Quantity, region: str | None, keys: UsageKeys
) -> list[ResourcePart]:
    definitions_value = step.get("TrainingJobDefinitions")
    number = len(definitions_value) if isinstance(definitions_value, list) else 0
    definitions = [f"TrainingJobDefinitions.{n}." for n in range(number)] or ["TrainingJobDefinition."]
    limit = step.number("HyperParameterTuningJobConfig.ResourceLimits.MaxNumberOfTrainingJobs")
    jobs = to_known_number(limit)
    if definitions_value is UNKNOWN or jobs is None:
        attribute = "the number of its training jobs"
        reason = (
            f"{attribute} is not known until an execution"
            if UNKNOWN in (definitions_value, limit)
            else explain_missing(limit, attribute)
        )
        return [make_unknown_part(name, "job", reason)]
    requests = [read_step(step, f"{definition}ResourceConfig", definition) for definition in definitions]
    return _make_tuning_parts(name, requests, jobs, runs, region, keys)


def _make_tuning_parts(
    name: str, requests: list[JobInstanceRequest], jobs: float, runs: Quantity, region: str | None, keys: UsageKeys
) -> list[ResourcePart]:
    """Return the training jobs of `runs` tuning jobs.

    The definitions share the at most `jobs` jobs of each tuning job equally.
    """
    max_jobs = jobs / len(requests)
    share = load_assumptions()["tuning_share_of_jobs"]
    trained_jobs = Quantity(
        runs.low * max_jobs * share.low,
        runs.central * max_jobs * share.central,
        runs.high * max_jobs * share.high,
        "C",
        _TUNED_TEXT,
        unit="jobs",
    )
    names = [name] if len(requests) == 1 else [f"{name}, definition {n + 1}" for n in range(len(requests))]
    return [
        part
        for name, request in zip(names, requests, strict=True)
        for part in make_job_parts(name, request, trained_jobs, region, keys)
    ]


def _count_job_runs(resource: Resource, side: PlanSide, keys: UsageKeys) -> Quantity | None:
    """Return the runs of a job that Terraform starts: one when it is created; None if it does not run.

    A job that ran before the plan uses nothing now, and its deletion saves nothing.
    """
    return keys.get_own("runs_per_month") or (ONE if _is_created(resource, side) else None)


def _is_created(resource: Resource, side: PlanSide) -> bool:
    return resource.action in ("create", "replace") and not side.before


def read_training_job(resource: Resource, side: PlanSide) -> list[ResourcePart]:
    """Return the run of `aws_sagemaker_training_job`, which starts on creation."""
    values, keys = side.get_values(resource), side.get_usage(resource.address)
    runs = _count_job_runs(resource, side, keys)
    if runs is None:
        return []
    if isinstance(values.block("serverless_job_config"), Block):
        return [make_unknown_part("training job", "job", _SERVERLESS, is_whole_resource=True)]
    return make_job_parts("training job", read_block(values, "resource_config"), runs, side.find_region(resource), keys)


def read_tuning_job(resource: Resource, side: PlanSide) -> list[ResourcePart]:
    """Return the training jobs of `aws_sagemaker_hyper_parameter_tuning_job`, which starts on creation."""
    values, keys = side.get_values(resource), side.get_usage(resource.address)
    runs = _count_job_runs(resource, side, keys)
    if runs is None:
        return []
    limit = values.number("config.0.resource_limits.0.max_number_of_training_jobs")
    jobs = to_known_number(limit)
    one, several = values.blocks("training_job_definition"), values.blocks("training_job_definitions")
    if one is UNKNOWN or several is UNKNOWN or jobs is None or not [*one, *several]:
        return [
            make_unknown_part(
                "tuning job", "job", explain_missing(limit, "how many jobs it trains"), is_whole_resource=True
            )
        ]
    requests = [read_block(definition, "resource_config") for definition in [*one, *several]]
    return _make_tuning_parts("tuning job", requests, jobs, runs, side.find_region(resource), keys)


def read_schedule(resource: Resource, side: PlanSide) -> list[ResourcePart]:
    """Return the processing job of a monitoring schedule, as often as its schedule starts it."""
    name, config = "monitoring job", "monitoring_schedule_config.0"
    values, keys = side.get_values(resource), side.get_usage(resource.address)
    job_definition, path = values.block(f"{config}.monitoring_job_definition"), "monitoring_resources.0.cluster_config"
    if job_definition is None:
        definition = side.joins.find_target(resource, _DEFINITION_PATH, _DEFINITION)
        if not isinstance(definition, Resource):
            return [make_unknown_part(name, "job", "the definition of its job is not in this plan")]
        job_definition, path = side.get_values(definition), "job_resources.0.cluster_config"
    if job_definition is UNKNOWN:
        return [make_unknown_part(name, "job", explain_missing(UNKNOWN, "monitoring_job_definition"))]
    scheduled_runs = count_runs_per_month(values.text(f"{config}.schedule_config.0.schedule_expression"))
    by_clock = None if scheduled_runs is UNKNOWN else make_exact(scheduled_runs, _SCHEDULED_TEXT)
    runs = keys.get_own("runs_per_month") or by_clock or get_usage_or_default(keys, "runs_per_month")
    # SageMaker ends a run before the next one starts.
    longest_h = HOURS_PER_MONTH / max(runs.central, 1.0)
    return make_job_parts(name, read_block(job_definition, path), runs, side.find_region(resource), keys, longest_h)


def read_monitoring_definition(resource: Resource, side: PlanSide) -> list[ResourcePart]:
    """Return an unknown part for a monitoring job definition without a schedule; a schedule counts it otherwise."""
    schedules = [
        joins.find_sources(definition, _SCHEDULE, _DEFINITION_PATH)
        for plan in side.plans
        if (definition := plan.find_resource(resource.address)) is not None
        for joins in (plan.joins, plan.joins_before)
    ]
    if any(matches.certain or matches.possible for matches in schedules):
        return []
    return [
        make_unknown_part("monitoring job", "job", "no schedule of the plan starts it; a schedule outside the plan may")
    ]


def read_algorithm(resource: Resource, side: PlanSide) -> list[ResourcePart]:
    """Return an unknown part if the creation of the algorithm starts validation jobs; it has no other footprint."""
    if side.get_values(resource).blocks("validation_specification") == [] or not _is_created(resource, side):
        return []
    return [make_unknown_part("validation", "job", "the validation jobs of an algorithm are not supported")]
