"""Keys for the volumes of jobs on instances that have a local disk, which SageMaker refuses.

"You can't request a VolumeKmsKeyId when using an instance type with local storage" (API reference: ResourceConfig,
ProcessingClusterConfig, TransformResources).
"""

from sustainable_mlops.catalogue import instances
from sustainable_mlops.plan import UNKNOWN, Pipeline, Step, Unknown
from sustainable_mlops.rules.jobs import PIPELINE, TRAINS, on_steps, on_trainings, place
from sustainable_mlops.rules.reading import Request
from sustainable_mlops.rules.rule import Severity, Verdicts, failed, passed, rule, unknown
from sustainable_mlops.rules.training.training_jobs import instance_types

_FIX = "Leave the volume's key out: the instance encrypts its own disk."


@rule(
    id="SUS_TRAINING_KMS_ON_LOCAL_DISK",
    severity=Severity.FAIL,
    title="A training on instances with a local disk has no key for its volume",
    practices=("76",),
    fix=_FIX,
    types=TRAINS,
)
@on_trainings
def training_key(training: Request) -> Verdicts:
    for config in ("resource_config", "hyper_parameter_tuning_resource_config"):
        path = f"{config}.volume_kms_key_id"
        if training.get(path) in (None, ""):
            continue
        types = instance_types(training)
        yield from _judge([UNKNOWN] if types is UNKNOWN else types, training.where(path))


@rule(
    id="SUS_STEP_KMS_ON_LOCAL_DISK",
    severity=Severity.FAIL,
    title="A processing or transform step on instances with a local disk has no key for its volume",
    practices=("76", "56"),
    fix=_FIX,
    types=(PIPELINE,),
)
@on_steps("Processing", "Transform", "QualityCheck", "ClarifyCheck")
def step_key(_: Pipeline, step: Step) -> Verdicts:
    cluster = "TransformResources" if step.type == "Transform" else "ProcessingResources.ClusterConfig"
    if step.get(f"{cluster}.VolumeKmsKeyId") in (None, ""):
        return
    kind = step.text(f"{cluster}.InstanceType")
    yield from _judge([] if kind is None else [kind], f"{place(step)}.{cluster}.VolumeKmsKeyId")


def _judge(types: list[str | Unknown], path: str) -> Verdicts:
    for kind in types:
        found = instances.find(kind) if kind is not UNKNOWN else None
        if kind is UNKNOWN:
            yield unknown("its instance type is not known until apply", path)
        elif found is None:
            yield unknown(instances.why_unknown(kind), path)
        elif found.local_ssd_gb:
            yield failed(f"{kind} has a local disk, and SageMaker refuses a key for it", path)
        else:
            yield passed()
