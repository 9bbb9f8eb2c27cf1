"""Serverless endpoints: what they refuse, and provisioned concurrency, which takes their point away.

Refusals and limits: SageMaker developer guide, "Serverless Inference", feature exclusions and quotas.
"""

import re
from collections.abc import Callable
from functools import partial
from typing import TypeAlias

from sustainable_mlops.catalogue import regions
from sustainable_mlops.catalogue.limits import limit, serverless_memory_mb
from sustainable_mlops.plan import UNKNOWN, Plan, Resource, Unknown, Variant
from sustainable_mlops.plan.scaling import of_concurrency
from sustainable_mlops.rules.reading import Request
from sustainable_mlops.rules.rule import Check, Severity, Verdicts, failed, passed, rule, unknown
from sustainable_mlops.rules.serving.variants import (
    ASYNCHRONOUS,
    CONFIGURATION,
    CONFIGURES,
    ENDPOINT,
    REAL_TIME,
    SERVERLESS,
    VARIANTS,
    containers,
    each_variant,
    images,
    kinds,
    model_of,
    on_variants,
    untold,
)

#: Where a variant has its provisioned concurrency; the provider reads 0 back for none.
WARM = "serverless_config.provisioned_concurrency"

#: An image of AWS's Deep Learning Containers, or a copy that keeps its name, for GPU: pytorch-inference:2.6-gpu-py312.
_FOR_GPU = re.compile(r"/([a-z]+-)*(pytorch|tensorflow|mxnet|djl|autogluon)-(inference|training)[a-z-]*:[^/]*-gpu(-|$)")

_Question: TypeAlias = Callable[[Resource], bool | Unknown]

_refusal = partial(rule, severity=Severity.FAIL, practices=("52",), types=(CONFIGURATION,))


def _of_models(what: str, refused: str = "which serverless endpoints refuse") -> Callable[[_Question], Check]:
    """Make a question of a model, whether it has `what`, the check of serverless variants: none may have it."""

    def wrap(has: _Question) -> Check:
        def judge(variant: Variant) -> Verdicts:
            model, path = model_of(variant), f"{variant.block.path}.model_name"
            if not isinstance(model, Resource):
                yield model
                return
            answer = has(model)
            if answer is UNKNOWN:
                yield unknown(f"whether {model.address} has {what} is not known until apply", path)
            else:
                yield failed(f"{model.address} has {what}, {refused}", path) if answer else passed()

        def over(plan: Plan, configuration: Resource) -> Verdicts:
            yield from each_variant(plan, configuration, judge, SERVERLESS)

        return over

    return wrap


def _any_container(model: Resource, path: str, value: str) -> bool | Unknown:
    """Whether any container of a model has this value at `path`."""
    found = containers(model)
    values = {UNKNOWN} if found is UNKNOWN else {container.text(path) for container in found}
    return True if value in values else UNKNOWN if UNKNOWN in values else False


@_refusal(
    id="SUS_SERVERLESS_VPC",
    title="The model of a serverless endpoint has no VPC configuration",
    fix="Remove vpc_config from the model, or use an asynchronous endpoint, which takes one and scales to zero too.",
)
@_of_models("a vpc_config")
def vpc(model: Resource) -> bool | Unknown:
    block = model.new.block("vpc_config")
    return block if block is UNKNOWN else block is not None


@_refusal(
    id="SUS_SERVERLESS_NETWORK_ISOLATION",
    title="The model of a serverless endpoint has no network isolation",
    fix="Set enable_network_isolation = false and skip CKV_AWS_370 on the model with that reason.",
)
@_of_models("network isolation")
def network_isolation(model: Resource) -> bool | Unknown:
    isolated = model.new.flag("enable_network_isolation")
    return False if isolated is None else isolated


@_refusal(
    id="SUS_SERVERLESS_MULTI_MODEL",
    title="The model of a serverless endpoint is a single model",
    practices=("52", "64"),
    fix="Give each model a serverless endpoint of its own (one that idles costs nothing), or use a real-time endpoint.",
)
@_of_models("a multi-model container")
def multi_model(model: Resource) -> bool | Unknown:
    return _any_container(model, "mode", "MultiModel")


@_refusal(
    id="SUS_SERVERLESS_INFERENCE_PIPELINE",
    title="The model of a serverless endpoint is no inference pipeline",
    practices=("52", "65"),
    fix="Put the steps into one container, or use a real-time or asynchronous endpoint.",
)
@_of_models("containers in series")
def inference_pipeline(model: Resource) -> bool | Unknown:
    found, mode = containers(model), model.new.text("inference_execution_config.0.mode")
    if found is not UNKNOWN and len(found) < 2:
        return False
    return UNKNOWN if found is UNKNOWN or mode is UNKNOWN else mode != "Direct"


@_refusal(
    id="SUS_SERVERLESS_PRIVATE_REGISTRY",
    title="The image of a serverless endpoint comes from ECR",
    fix="Copy the image to ECR and remove image_config from the container.",
)
@_of_models("an image in a private registry")
def private_registry(model: Resource) -> bool | Unknown:
    return _any_container(model, "image_config.0.repository_access_mode", "Vpc")


@rule(
    id="SUS_SERVERLESS_GPU_IMAGE",
    severity=Severity.WARN,
    title="The image of a serverless endpoint is one for CPU",
    practices=("52",),
    fix="Use the framework's image for CPU (its tag says -cpu-), which is smaller, or a real-time endpoint.",
    types=(CONFIGURATION,),
)
@_of_models("an image for GPU", "and serverless endpoints have none")
def gpu_image(model: Resource) -> bool | Unknown:
    found = list(images(model))
    if any(image is not UNKNOWN and _FOR_GPU.search(image) for image in found):
        return True
    return UNKNOWN if UNKNOWN in found or not found else False


@_refusal(
    id="SUS_SERVERLESS_DATA_CAPTURE",
    title="A serverless endpoint captures no data",
    practices=("52", "73"),
    fix="Remove data_capture_config and log requests from the container or the caller, or use a real-time endpoint.",
    types=CONFIGURES,
)
@on_variants(SERVERLESS)
def data_capture(configuration: Request, _: Request) -> Verdicts:
    path = "data_capture_config.enable_capture"
    yield configuration.judge(
        configuration.flag(path), path, lambda on: not on, "serverless endpoints refuse data capture"
    )


@_refusal(
    id="SUS_SERVERLESS_ONE_VARIANT",
    title="A serverless endpoint has exactly one variant",
    fix="Keep one production variant and no shadow variant; give the other model an endpoint of its own.",
    types=CONFIGURES,
)
@on_variants(SERVERLESS)
def one_variant(configuration: Request, variant: Request) -> Verdicts:
    """Lists that are not known are said to be so already."""
    counts = [configuration.listed(variants) for variants in VARIANTS]
    count = sum(number for number in counts if number is not UNKNOWN)
    if count > 1:
        yield failed(f"serverless endpoints have one variant, not {count}", variant.where())
    elif UNKNOWN not in counts:
        yield passed()


@_refusal(
    id="SUS_SERVERLESS_INSTANCES",
    title="A serverless variant names no instances",
    fix="Remove instance_type and initial_instance_count beside serverless_config.",
    types=CONFIGURES,
)
@on_variants(SERVERLESS)
def instances(_: Request, variant: Request) -> Verdicts:
    for path in ("instance_type", "initial_instance_count"):
        yield variant.judge(
            variant.get(path), path, lambda value: not value, "a variant is serverless or has instances, not both"
        )


@_refusal(
    id="SUS_SERVERLESS_LIMITS",
    title="Memory and concurrency of a serverless endpoint are within SageMaker's limits",
    fix="Memory: 1024 to 6144 MB in steps of 1024. Concurrency: 1 to 200, provisioned at most the maximum.",
    types=CONFIGURES,
)
@on_variants(SERVERLESS)
def limits(_: Request, variant: Request) -> Verdicts:
    path = "serverless_config.memory_size_in_mb"
    memory = variant.number(path)
    sizes = serverless_memory_mb()
    message = f"{memory} MB is none of {', '.join(map(str, sizes))}"
    yield variant.judge(memory, path, lambda size: size is None or size in sizes, message)
    path = "serverless_config.max_concurrency"
    most, warm = variant.number(path), variant.number(WARM)
    at_once = limit("serverless_concurrency")
    message = f"a concurrency of {most} is not within 1 to {at_once}"
    yield variant.judge(most, path, lambda number: number is None or 1 <= number <= at_once, message)
    if isinstance(most, int | float) and warm is not None:
        message = f"{warm} provisioned are more than the {most} of max_concurrency"
        yield variant.judge(warm, WARM, lambda number: number <= most, message)


@rule(
    id="SUS_SERVERLESS_REGION",
    severity=Severity.WARN,
    title="Serverless Inference is offered in the endpoint's Region",
    practices=("52", "4"),
    fix="Use a Region that the developer guide lists for Serverless Inference, or an asynchronous endpoint.",
    types=(CONFIGURATION,),
)
def region(plan: Plan, configuration: Resource) -> Verdicts:
    def judge(variant: Variant) -> Verdicts:
        where = plan.region(configuration)
        if where is UNKNOWN:
            yield unknown("its Region is not in the plan")
        elif (region := regions.find(where)) is None or not region.serverless:
            yield failed(f"Serverless Inference is not listed for {where}", variant.block.path)
        else:
            yield passed()

    yield from each_variant(plan, configuration, judge, SERVERLESS)


#: Where each resource of Model Monitor names the endpoint that it watches.
_WATCHED = {
    "aws_sagemaker_data_quality_job_definition": "data_quality_job_input.0.endpoint_input.0.endpoint_name",
    "aws_sagemaker_monitoring_schedule": (
        "monitoring_schedule_config.0.monitoring_job_definition.0.monitoring_inputs.0.endpoint_input.0.endpoint_name"
    ),
}


@rule(
    id="SUS_SERVERLESS_MODEL_MONITOR",
    severity=Severity.FAIL,
    title="Model Monitor watches no serverless endpoint",
    practices=("52", "73"),
    fix="Compare predictions in a job of your own on what the caller logs; serverless endpoints capture no data.",
    types=tuple(_WATCHED),
)
def model_monitor(plan: Plan, monitor: Resource) -> Verdicts:
    path = _WATCHED[monitor.type]
    if monitor.new.text(path) is None:
        return
    found = kinds(plan, plan.joins.target(monitor, path, ENDPOINT))
    if found is UNKNOWN:
        yield unknown("the endpoint that it watches cannot be told from this plan", path)
    elif SERVERLESS in found:
        yield failed("Model Monitor needs data capture, which serverless endpoints do not have", path)
    else:
        yield passed()


@rule(
    id="SUS_SERVERLESS_CONVERSION",
    severity=Severity.FAIL,
    title="No real-time endpoint becomes serverless in place",
    practices=("52",),
    fix="Create a serverless endpoint under another name, move the callers, then delete the real-time one.",
    types=(ENDPOINT,),
    of_change=True,
)
def conversion(plan: Plan, endpoint: Resource) -> Verdicts:
    path = "endpoint_config_name"
    if endpoint.action != "update" or endpoint.old.text(path) == endpoint.new.text(path):
        return
    before, after = _kinds_before(plan, endpoint), kinds(plan, endpoint)
    if after is not UNKNOWN and SERVERLESS not in after:
        return
    if before is UNKNOWN or after is UNKNOWN:
        yield unknown("the kind of the old or the new configuration is not in this plan", path)
    elif REAL_TIME in before:
        yield failed("SageMaker turns no real-time endpoint into a serverless one", path)
    elif ASYNCHRONOUS in before:
        yield unknown("nothing says whether SageMaker turns an asynchronous endpoint into a serverless one", path)
    else:
        yield passed()


def _kinds_before(plan: Plan, endpoint: Resource) -> set[str] | Unknown:
    of_old = plan.joins_before.variants(plan.joins_before.configuration(endpoint))
    if of_old is UNKNOWN:
        return UNKNOWN
    found = {variant.kind for variant in of_old}
    return UNKNOWN if UNKNOWN in found else {kind for kind in found if isinstance(kind, str)}


@rule(
    id="SUS_PROVISIONED_CONCURRENCY",
    severity=Severity.WARN,
    title="A serverless endpoint has no provisioned concurrency",
    practices=("52",),
    fix="Remove provisioned_concurrency, or waive this with the latency that callers need: it runs day and night.",
    types=(CONFIGURATION,),
)
@on_variants(SERVERLESS)
def provisioned_concurrency(_: Request, variant: Request) -> Verdicts:
    count = variant.number(WARM)
    message = f"{count} workers stay warm whether there are requests or not"
    yield variant.judge(count, WARM, lambda number: not number, message)


@rule(
    id="SUS_PROVISIONED_CONCURRENCY_SCALES",
    severity=Severity.WARN,
    title="Provisioned concurrency follows the load",
    practices=("53",),
    fix="Add an aws_appautoscaling_target with the dimension sagemaker:variant:DesiredProvisionedConcurrency.",
    types=(ENDPOINT,),
)
def provisioned_concurrency_scales(plan: Plan, endpoint: Resource) -> Verdicts:
    def judge(variant: Variant) -> Verdicts:
        path = "serverless_config.0.provisioned_concurrency"
        count = variant.block.number(path)
        if count in (None, 0):
            return
        scaled = of_concurrency(endpoint, variant, plan.joins)
        if count is UNKNOWN:
            yield unknown("its provisioned concurrency is not known until apply", f"{variant.block.path}.{path}")
        elif scaled.moves is True:
            yield passed()
        elif scaled.moves is UNKNOWN:
            yield unknown(untold(scaled, variant), variant.block.path)
        else:
            why = "; ".join(scaled.never) or "nothing scales them"
            yield failed(f"{count} workers stay warm: {why}", f"{variant.block.path}.{path}")

    yield from each_variant(plan, endpoint, judge, SERVERLESS)
