"""Jobs: the steps of pipelines, what monitoring schedules start, and the jobs that Terraform starts itself."""

from sustainable_mlops.footprint.activities import HOURS_PER_MONTH, ONE, Work
from sustainable_mlops.footprint.quantities import Quantity, exactly
from sustainable_mlops.footprint.resource_parts import Part, unknown
from sustainable_mlops.footprint.services.machine_jobs import Request, of_block, of_request, of_step
from sustainable_mlops.footprint.services.plan_side import Side, default, known_number, says
from sustainable_mlops.footprint.usage import Keys
from sustainable_mlops.plan import UNKNOWN, Resource, Step
from sustainable_mlops.plan.pipelines import Pipeline
from sustainable_mlops.plan.schedules import runs_per_month, starts

#: Where a job's request says which machines: type of step → path to the instances.
_MACHINES = {
    "Training": "ResourceConfig",
    "Processing": "ProcessingResources.ClusterConfig",
    "ClarifyCheck": "ProcessingResources.ClusterConfig",
    "QualityCheck": "ProcessingResources.ClusterConfig",
    "Transform": "TransformResources",
}
#: Steps that start no machine of SageMaker's: decisions, descriptions, and calls of what is estimated elsewhere or not.
_FREE_STEPS = frozenset(
    "Callback Cleanup Condition EndpointConfig Fail ForEach Lambda Lineage Model RegisterModel".split()  # noqa: SIM905
)
#: Steps that run on machines nobody names in the definition.
_OPAQUE = {
    "AutoML": "AutoML chooses its machines itself",
    "EMR": "the step runs on an EMR cluster",
    "EMRServerless": "the step runs on EMR Serverless",
    "Endpoint": "the endpoint that an execution creates or updates stays on and is not in this plan",
    "InferenceComponent": "the endpoint that the component runs on is not in this plan",
    "NotebookJob": "the machine of a notebook job is not read",
}
#: Early stopping and completion criteria may end a search sooner: 80 % of its jobs (30 to 100 %) are counted.
_TUNED = "jobs that tuning trains"
_SCHEDULED = "runs a month, by the schedule"
_SCHEDULE = "aws_sagemaker_monitoring_schedule"
_DEFINITION = "aws_sagemaker_data_quality_job_definition"
#: Where a schedule names its definition.
_NAMED = "monitoring_schedule_config.0.monitoring_job_definition_name"


def of_pipeline(resource: Resource, side: Side) -> list[Part]:
    """The steps of a pipeline that start machines."""
    pipelines = side.plan.pipelines_before if side.before else side.plan.pipelines
    pipeline = next((one for one in pipelines if one.resource is resource), None)
    if pipeline is None or pipeline.steps is UNKNOWN:
        reason = pipeline.unknown if pipeline is not None and pipeline.unknown else "its definition cannot be read"
        return [unknown("pipeline", "job", reason, whole=True)]
    runs = _runs(resource, side)
    return [part for step in pipeline.steps for part in _step(step, pipeline, runs, side)]


def _runs(resource: Resource, side: Side) -> Quantity:
    """Runs a month of a pipeline: as given, else as its schedules say, else the stated default."""
    keys = side.usage(resource.address)
    given = keys.own("runs_per_month")
    often = starts(resource, side.joins)
    if given is not None or not often:
        return given or default(keys, "runs_per_month")
    by_clock = sum(one for one in often if one is not UNKNOWN)
    if UNKNOWN not in often:
        return exactly(by_clock, _SCHEDULED)
    more = default(keys, "runs_per_month")
    return Quantity(more.low + by_clock, more.central + by_clock, more.high + by_clock, more.grade, more.text)


def _step(step: Step, pipeline: Pipeline, runs: Quantity, side: Side) -> list[Part]:
    name, kind = f"step {step.name}", step.type
    keys = side.usage(f"{pipeline.resource.address}#{step.name}")
    if kind is UNKNOWN:
        return [unknown(name, "job", "its type is not known until an execution")]
    if kind in _FREE_STEPS:
        return []
    if kind not in (*_MACHINES, "Tuning"):
        return [unknown(name, "job", _OPAQUE.get(kind, f"the model does not know steps of type {kind}"))]
    often = keys.own("runs_per_month") or _within(step, runs)
    if often is None:
        reason = "it runs once for each item of a list that only an execution knows; give the step's runs_per_month"
        return [unknown(name, "job", reason)]
    region = side.region(pipeline.resource)
    if kind == "Tuning":
        return _tuning(name, step, often, region, keys)
    work: Work = "inference" if kind == "Transform" else "training"
    return of_request(name, of_step(step, _MACHINES[kind]), often, region, keys, work=work)


def _within(step: Step, runs: Quantity) -> Quantity | None:
    """How often a step runs: within a branch, half as often as its pipeline, or never, or always."""
    inner = step
    while inner.parent is not None:
        if inner.branch == "ForEachBody":
            return None
        runs = Quantity(0.0, runs.central / 2, runs.high, "C", "runs a month of a step in a branch")
        inner = inner.parent
    return runs


def _tuning(name: str, step: Step, runs: Quantity, region: str | None, keys: Keys) -> list[Part]:
    several = step.get("TrainingJobDefinitions")
    number = len(several) if isinstance(several, list) else 0
    definitions = [f"TrainingJobDefinitions.{n}." for n in range(number)] or ["TrainingJobDefinition."]
    limit = step.number("HyperParameterTuningJobConfig.ResourceLimits.MaxNumberOfTrainingJobs")
    jobs = known_number(limit)
    if several is UNKNOWN or jobs is None:
        what = "how many jobs it trains"
        reason = f"{what} is not known until an execution" if UNKNOWN in (several, limit) else says(limit, what)
        return [unknown(name, "job", reason)]
    requests = [of_step(step, f"{definition}ResourceConfig", definition) for definition in definitions]
    return _searched(name, requests, jobs, runs, region, keys)


def _searched(
    name: str, requests: list[Request], jobs: float, runs: Quantity, region: str | None, keys: Keys
) -> list[Part]:
    """What `runs` searches train, of at most `jobs` jobs each, which the definitions share."""
    most = jobs / len(requests)
    trained = Quantity(runs.low * most * 0.3, runs.central * most * 0.8, runs.high * most, "C", _TUNED)
    names = [name] if len(requests) == 1 else [f"{name}, definition {n + 1}" for n in range(len(requests))]
    return [
        part
        for name, request in zip(names, requests, strict=True)
        for part in of_request(name, request, trained, region, keys)
    ]


def _runs_of_job(resource: Resource, side: Side, keys: Keys) -> Quantity | None:
    """A job that Terraform starts runs once, when it is created: what has run before uses nothing, and deleting it
    saves nothing. None where it does not run."""
    return keys.own("runs_per_month") or (ONE if _created(resource, side) else None)


def _created(resource: Resource, side: Side) -> bool:
    return resource.action in ("create", "replace") and not side.before


def of_training_job(resource: Resource, side: Side) -> list[Part]:
    """`aws_sagemaker_training_job`: one run, when it is created."""
    values, keys = side.values(resource), side.usage(resource.address)
    runs = _runs_of_job(resource, side, keys)
    if runs is None:
        return []
    return of_request("training job", of_block(values, "resource_config"), runs, side.region(resource), keys)


def of_tuning_job(resource: Resource, side: Side) -> list[Part]:
    """`aws_sagemaker_hyper_parameter_tuning_job`: one search, when it is created."""
    values, keys = side.values(resource), side.usage(resource.address)
    runs = _runs_of_job(resource, side, keys)
    if runs is None:
        return []
    limit = values.number("config.0.resource_limits.0.max_number_of_training_jobs")
    jobs = known_number(limit)
    one, several = values.blocks("training_job_definition"), values.blocks("training_job_definitions")
    if one is UNKNOWN or several is UNKNOWN or jobs is None or not [*one, *several]:
        return [unknown("tuning job", "job", says(limit, "how many jobs it trains"), whole=True)]
    requests = [of_block(definition, "resource_config") for definition in [*one, *several]]
    return _searched("tuning job", requests, jobs, runs, side.region(resource), keys)


def of_schedule(resource: Resource, side: Side) -> list[Part]:
    """A monitoring schedule: the processing job that it defines or names, as often as it says."""
    name, config = "monitoring job", "monitoring_schedule_config.0"
    values, keys = side.values(resource), side.usage(resource.address)
    described, path = values.block(f"{config}.monitoring_job_definition"), "monitoring_resources.0.cluster_config"
    if described is None:
        definition = side.joins.target(resource, _NAMED, _DEFINITION)
        if not isinstance(definition, Resource):
            return [unknown(name, "job", "the definition of the job that it starts is not in this plan")]
        described, path = side.values(definition), "job_resources.0.cluster_config"
    if described is UNKNOWN:
        return [unknown(name, "job", says(UNKNOWN, "monitoring_job_definition"))]
    often = runs_per_month(values.text(f"{config}.schedule_config.0.schedule_expression"))
    by_clock = None if often is UNKNOWN else exactly(often, _SCHEDULED)
    runs = keys.own("runs_per_month") or by_clock or default(keys, "runs_per_month")
    # SageMaker ends a run before the next one starts.
    longest_h = HOURS_PER_MONTH / max(runs.central, 1.0)
    return of_request(name, of_block(described, path), runs, side.region(resource), keys, longest_h)


def of_monitoring(resource: Resource, side: Side) -> list[Part]:
    """The definition of a monitoring job: counted at the schedule that starts it, where there is one on either side."""
    started = [
        joins.sources(definition, _SCHEDULE, _NAMED)
        for plan in side.plans
        if (definition := plan.find_resource(resource.address)) is not None
        for joins in (plan.joins, plan.joins_before)
    ]
    if any(matches.sure or matches.maybe for matches in started):
        return []
    return [unknown("monitoring job", "job", "no schedule of the plan starts it; one elsewhere may")]


def of_algorithm(resource: Resource, side: Side) -> list[Part]:
    """An algorithm is a description, unless SageMaker is to validate it, which it does when it is created."""
    if side.values(resource).blocks("validation_specification") == [] or not _created(resource, side):
        return []
    return [unknown("validation", "job", "the jobs that validate an algorithm are not read")]
