"""Jobs: the steps of pipelines, and the jobs that Terraform starts itself."""

from sustainable_mlops.footprint.coefficients import assumptions
from sustainable_mlops.footprint.figures import Unknown
from sustainable_mlops.footprint.parts import Part, Side, default, known, known_number, says, unknown
from sustainable_mlops.footprint.quantities import Quantity, between, exactly
from sustainable_mlops.footprint.things import ONE, Job
from sustainable_mlops.footprint.usage import Keys
from sustainable_mlops.plan import UNKNOWN, Block, Resource, Step
from sustainable_mlops.plan.pipelines import Pipeline

#: Where a job's request says which machines: type of step → path to the instances.
_MACHINES = {
    "Training": "ResourceConfig",
    "Processing": "ProcessingResources.ClusterConfig",
    "ClarifyCheck": "ProcessingResources.ClusterConfig",
    "QualityCheck": "ProcessingResources.ClusterConfig",
    "Transform": "TransformResources",
}
#: Early stopping and completion criteria may end a search sooner: 80 % of its jobs (30 to 100 %) are counted.
_TUNED = "jobs that tuning trains"
#: Steps that run on machines nobody names in the definition.
_OPAQUE = {
    "AutoML": "AutoML chooses its machines itself",
    "EMR": "the step runs on an EMR cluster",
    "EMRServerless": "the step runs on EMR Serverless",
    "NotebookJob": "the machine of a notebook job is not read",
}


def of_pipeline(resource: Resource, side: Side) -> list[Part]:
    """The steps of a pipeline that start machines."""
    pipelines = side.plan.pipelines_before if side.before else side.plan.pipelines
    pipeline = next((one for one in pipelines if one.resource is resource), None)
    if pipeline is None or pipeline.steps is UNKNOWN:
        reason = pipeline.unknown if pipeline is not None and pipeline.unknown else "its definition cannot be read"
        return [unknown("pipeline", "job", reason)]
    return [part for step in pipeline.steps for part in _step(step, pipeline, side)]


def _step(step: Step, pipeline: Pipeline, side: Side) -> list[Part]:
    name = f"step {step.name}"
    address = pipeline.resource.address
    keys = side.usage(f"{address}#{step.name}")
    kind = step.type
    if kind is UNKNOWN:
        return [unknown(name, "job", "its type is not known until an execution")]
    if kind in _OPAQUE:
        return [unknown(name, "job", _OPAQUE[kind])]
    if kind not in (*_MACHINES, "Tuning"):
        return []  # a condition, a registration, a call of Lambda: no machines of SageMaker's
    runs = keys.get("runs_per_month") or _runs(step, default(side.usage(address), "runs_per_month"))
    if runs is None:
        return [unknown(name, "job", "it runs once for each item of a list that only an execution knows")]
    region = side.region(pipeline.resource)
    if kind == "Tuning":
        return _tuning(name, step, runs, region, keys)
    return [_job(name, step, _MACHINES[kind], runs, region, keys)]


def _runs(step: Step, runs: Quantity) -> Quantity | None:
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
        return [unknown(name, "job", says(limit, "how many jobs it trains"))]
    share = jobs / len(definitions)
    some = Quantity(runs.low * share * 0.3, runs.central * share * 0.8, runs.high * share, "C", _TUNED)
    return [
        _job(name, step, f"{definition}ResourceConfig", some, region, keys, definition) for definition in definitions
    ]


def _job(
    name: str, step: Step, machines: str, runs: Quantity, region: str | None, keys: Keys, definition: str = ""
) -> Part:
    """The job of `step`: its machines at the path `machines`, the rest of its request under `definition`."""
    # Read by their whole path, as parameters on the way are resolved only so.
    return machine_job(
        name,
        instance_type=step.text(f"{machines}.InstanceType"),
        count=step.number(f"{machines}.InstanceCount"),
        cap_seconds=step.number(f"{definition}StoppingCondition.MaxRuntimeInSeconds"),
        runs=runs,
        region=region,
        keys=keys,
        spot=step.flag(f"{definition}EnableManagedSpotTraining") is True,
        volume_gb=known_number(step.number(f"{machines}.VolumeSizeInGB")) or 0.0,
    )


def machine_job(
    name: str,
    *,
    instance_type: object,
    count: object,
    cap_seconds: object,
    runs: Quantity,
    region: str | None,
    keys: Keys,
    spot: bool,
    volume_gb: float,
) -> Part:
    """A job of `count` instances that ends after `cap_seconds` at the latest."""
    if not isinstance(instance_type, str):
        return unknown(name, "job", says(instance_type, "its instance type"))
    number = 1.0 if count is None else known_number(count)
    instances = keys.get("instances") or (None if number is None else exactly(number))
    if instances is None:
        return unknown(name, "job", says(count, "its number of instances"))
    job = Job(
        instance_type=instance_type,
        region=region,
        hours=_hours(keys, known_number(cap_seconds)),
        count=instances,
        runs=runs,
        spot=spot,
        discount=keys.get("spot_discount"),
        duty=keys.get("duty"),
        volume_gb=volume_gb,
    )
    left_out = () if cap_seconds is not UNKNOWN else (Unknown(name, "its runtime cap is not known until an execution"),)
    return known(name, "job", job, left_out)


def _hours(keys: Keys, cap_seconds: float | None) -> Quantity:
    """Hours of a run: as given, else a share of the cap, else the stated default."""
    given = keys.get("hours_per_run")
    if given is not None:
        return given
    if not cap_seconds:
        return assumptions()["job_hours_without_cap"]
    share = assumptions()["job_share_of_cap"]
    return between(
        share.low * cap_seconds / 3600,
        share.central * cap_seconds / 3600,
        share.high * cap_seconds / 3600,
        f"{share.text} ({cap_seconds / 3600:g} h)",
    )


def of_training_job(resource: Resource, side: Side) -> list[Part]:
    """`aws_sagemaker_training_job`: one run, when it is created."""
    values, keys = side.values(resource), side.usage(resource.address)
    runs = keys.get("runs_per_month") or ONE
    return [_terraform_job("training job", values, side.region(resource), keys, runs)]


def of_tuning_job(resource: Resource, side: Side) -> list[Part]:
    """`aws_sagemaker_hyper_parameter_tuning_job`: one search, when it is created."""
    values, keys = side.values(resource), side.usage(resource.address)
    limit = values.number("config.0.resource_limits.0.max_number_of_training_jobs")
    jobs = known_number(limit)
    one, several = values.blocks("training_job_definition"), values.blocks("training_job_definitions")
    if one is UNKNOWN or several is UNKNOWN or jobs is None or not [*one, *several]:
        return [unknown("tuning job", "job", says(limit, "how many jobs it trains"))]
    definitions = [*one, *several]
    share = jobs / len(definitions)
    runs = Quantity(share * 0.3, share * 0.8, share, "C", _TUNED)
    region = side.region(resource)
    return [_terraform_job("tuning job", one, region, keys, runs) for one in definitions]


def _terraform_job(name: str, values: Block, region: str | None, keys: Keys, runs: Quantity) -> Part:
    block = values.block("resource_config")
    if not isinstance(block, Block):
        return unknown(name, "job", says(block, "resource_config"))
    return machine_job(
        name,
        instance_type=block.text("instance_type"),
        count=block.number("instance_count"),
        cap_seconds=values.number("stopping_condition.0.max_runtime_in_seconds"),
        runs=runs,
        region=region,
        keys=keys,
        spot=values.flag("enable_managed_spot_training") is True,
        volume_gb=known_number(block.number("volume_size_in_gb")) or 0.0,
    )


def of_monitoring(resource: Resource, side: Side) -> list[Part]:
    """The definition of a monitoring job: a processing job at each run of its schedule."""
    values, keys = side.values(resource), side.usage(resource.address)
    block = values.block("job_resources.0.cluster_config")
    if not isinstance(block, Block):
        return [unknown("monitoring job", "job", says(block, "job_resources"))]
    part = machine_job(
        "monitoring job",
        instance_type=block.text("instance_type"),
        count=block.number("instance_count"),
        cap_seconds=values.number("stopping_condition.0.max_runtime_in_seconds"),
        runs=default(keys, "runs_per_month"),
        region=side.region(resource),
        keys=keys,
        spot=False,
        volume_gb=known_number(block.number("volume_size_in_gb")) or 0.0,
    )
    return [part]


def of_schedule(resource: Resource, side: Side) -> list[Part]:
    """A monitoring schedule: the job it starts is counted at its definition, where the plan has that."""
    path = "monitoring_schedule_config.0.monitoring_job_definition_name"
    definition = side.joins.target(resource, path, "aws_sagemaker_data_quality_job_definition")
    if isinstance(definition, Resource) and side.exists(definition):
        return []
    return [unknown("monitoring job", "job", "the definition of the job that it starts is not in this plan")]


def of_algorithm(resource: Resource, side: Side) -> list[Part]:
    """An algorithm is a description, unless SageMaker is to validate it."""
    if side.values(resource).blocks("validation_specification") == []:
        return []
    return [unknown("validation", "job", "the jobs that validate an algorithm are not read")]
