"""Volume keys of jobs on instances with a local disk, which SageMaker refuses.

"You can't request a VolumeKmsKeyId when using an instance type with local storage" (API reference: ResourceConfig,
ProcessingClusterConfig, TransformResources).
"""

from sustainable_mlops.catalogue import instances
from sustainable_mlops.plan import UNKNOWN, PipelineStep, PlannedPipeline, Unknown
from sustainable_mlops.rules.attributes import CreateRequest
from sustainable_mlops.rules.jobs import PIPELINE, TRAINING_TYPES, check_steps, check_trainings, locate_step
from sustainable_mlops.rules.rule import RuleResults, Severity, failure, rule, success, unknown_result
from sustainable_mlops.rules.training.training_jobs import list_instance_types

_FIX = "Remove the volume key. The instance encrypts its own disk."


@rule(
    id="SUS_TRAINING_KMS_ON_LOCAL_DISK",
    severity=Severity.FAIL,
    title="A training job on instances with a local disk must not have a volume key",
    problem="A training job on instances with a local disk has a volume key",
    practices=("76",),
    fix=_FIX,
    types=TRAINING_TYPES,
)
@check_trainings
def training_key(training: CreateRequest) -> RuleResults:
    for config in ("resource_config", "hyper_parameter_tuning_resource_config"):
        path = f"{config}.volume_kms_key_id"
        if training.get(path) in (None, ""):
            continue
        types = list_instance_types(training)
        yield from _check_types([UNKNOWN] if types is UNKNOWN else types, training.locate(path))


@rule(
    id="SUS_STEP_KMS_ON_LOCAL_DISK",
    severity=Severity.FAIL,
    title="A processing or transform step on instances with a local disk must not have a volume key",
    problem="A processing or transform step on instances with a local disk has a volume key",
    practices=("76", "56"),
    fix=_FIX,
    types=(PIPELINE,),
)
@check_steps("Processing", "Transform", "QualityCheck", "ClarifyCheck")
def step_key(_: PlannedPipeline, step: PipelineStep) -> RuleResults:
    cluster = "TransformResources" if step.type == "Transform" else "ProcessingResources.ClusterConfig"
    if step.get(f"{cluster}.VolumeKmsKeyId") in (None, ""):
        return
    kind = step.text(f"{cluster}.InstanceType")
    yield from _check_types([] if kind is None else [kind], f"{locate_step(step)}.{cluster}.VolumeKmsKeyId")


def _check_types(types: list[str | Unknown], path: str) -> RuleResults:
    for kind in types:
        instance = instances.find(kind) if kind is not UNKNOWN else None
        if kind is UNKNOWN:
            yield unknown_result("its instance type is not known until apply", path)
        elif instance is None:
            yield unknown_result(instances.explain_unknown(kind), path)
        elif instance.local_ssd_gb:
            yield failure(f"{kind} has a local disk, and SageMaker refuses a key for it", path)
        else:
            yield success()
