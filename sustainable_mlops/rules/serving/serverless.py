"""Serverless endpoints: features that they do not support, and provisioned concurrency.

Exclusions and limits come from the SageMaker developer guide, "Serverless Inference", feature exclusions and quotas.
"""

from collections.abc import Callable
from functools import partial
from typing import TypeAlias

from sustainable_mlops.base.lazy_pattern import LazyPattern
from sustainable_mlops.catalogue import regions
from sustainable_mlops.catalogue.limits import get_limit, list_serverless_memory_mb
from sustainable_mlops.plan import UNKNOWN, Plan, Resource, Unknown, Variant
from sustainable_mlops.plan.scaling import find_concurrency_scaling
from sustainable_mlops.rules.attributes import CreateRequest
from sustainable_mlops.rules.rule import Check, RuleResults, Severity, failure, rule, success, unknown_result
from sustainable_mlops.rules.serving.variants import (
    ASYNCHRONOUS,
    CONFIGURATION,
    CONFIGURATION_TYPES,
    ENDPOINT,
    REAL_TIME,
    SERVERLESS,
    VARIANTS,
    check_each_variant,
    check_variants,
    explain_unknown_scaling,
    find_kinds,
    find_model,
    list_containers,
    list_images,
)

#: Request path of the provisioned concurrency. The provider reads 0 if there is none.
PROVISIONED_PATH = "serverless_config.provisioned_concurrency"

#: A GPU image of AWS's Deep Learning Containers, or a copy with the same name: pytorch-inference:2.6-gpu-py312.
_GPU_IMAGE = LazyPattern(
    r"/([a-z]+-)*(pytorch|tensorflow|mxnet|djl|autogluon)-(inference|training)[a-z-]*:[^/]*-gpu(-|$)"
)

_ModelTest: TypeAlias = Callable[[Resource], bool | Unknown]

_define_refusal = partial(rule, severity=Severity.FAIL, practices=("52",), types=(CONFIGURATION,))


def _check_models(
    feature: str, reason: str = "which serverless endpoints do not support"
) -> Callable[[_ModelTest], Check]:
    """Return a decorator that turns a test of a model into a check of all serverless variants."""

    def wrap(has: _ModelTest) -> Check:
        def check(variant: Variant) -> RuleResults:
            model, path = find_model(variant), f"{variant.block.path}.model_name"
            if not isinstance(model, Resource):
                yield model
                return
            has_feature = has(model)
            if has_feature is UNKNOWN:
                yield unknown_result(f"it is not known until apply whether {model.address} has {feature}", path)
            else:
                yield failure(f"{model.address} has {feature}, {reason}", path) if has_feature else success()

        def check_configuration(plan: Plan, configuration: Resource) -> RuleResults:
            yield from check_each_variant(plan, configuration, check, SERVERLESS)

        return check_configuration

    return wrap


def _has_container_value(model: Resource, path: str, value: str) -> bool | Unknown:
    """Return whether any container of a model has this value at `path`."""
    model_containers = list_containers(model)
    values = {UNKNOWN} if model_containers is UNKNOWN else {container.text(path) for container in model_containers}
    return True if value in values else UNKNOWN if UNKNOWN in values else False


@_define_refusal(
    id="SUS_SERVERLESS_VPC",
    title="The model of a serverless endpoint must not have a VPC configuration",
    problem="The model of a serverless endpoint has a VPC configuration",
    fix=(
        "Remove vpc_config from the model, or use an asynchronous endpoint, which supports one and also scales to zero."
    ),
)
@_check_models("a VPC configuration")
def vpc(model: Resource) -> bool | Unknown:
    block = model.new.block("vpc_config")
    return block if block is UNKNOWN else block is not None


@_define_refusal(
    id="SUS_SERVERLESS_NETWORK_ISOLATION",
    title="The model of a serverless endpoint must not have network isolation",
    problem="The model of a serverless endpoint has network isolation",
    fix="Set enable_network_isolation = false and skip CKV_AWS_370 on the model with that reason.",
)
@_check_models("network isolation")
def network_isolation(model: Resource) -> bool | Unknown:
    isolated = model.new.flag("enable_network_isolation")
    return False if isolated is None else isolated


@_define_refusal(
    id="SUS_SERVERLESS_MULTI_MODEL",
    title="The model of a serverless endpoint must be a single model",
    problem="The model of a serverless endpoint uses multi-model mode",
    practices=("52", "64"),
    fix="Give each model its own serverless endpoint (an idle one costs nothing), or use a real-time endpoint.",
)
@_check_models("a multi-model container")
def multi_model(model: Resource) -> bool | Unknown:
    return _has_container_value(model, "mode", "MultiModel")


@_define_refusal(
    id="SUS_SERVERLESS_INFERENCE_PIPELINE",
    title="The model of a serverless endpoint must not be an inference pipeline",
    problem="The model of a serverless endpoint is an inference pipeline",
    practices=("52", "65"),
    fix="Put the steps into one container, or use a real-time or asynchronous endpoint.",
)
@_check_models("an inference pipeline")
def inference_pipeline(model: Resource) -> bool | Unknown:
    model_containers, mode = list_containers(model), model.new.text("inference_execution_config.0.mode")
    if model_containers is not UNKNOWN and len(model_containers) < 2:
        return False
    return UNKNOWN if model_containers is UNKNOWN or mode is UNKNOWN else mode != "Direct"


@_define_refusal(
    id="SUS_SERVERLESS_PRIVATE_REGISTRY",
    title="The image of a serverless endpoint must be in ECR",
    problem="The image of a serverless endpoint is not in ECR",
    fix="Copy the image to ECR and remove image_config from the container.",
)
@_check_models("an image in a private registry")
def private_registry(model: Resource) -> bool | Unknown:
    return _has_container_value(model, "image_config.0.repository_access_mode", "Vpc")


@rule(
    id="SUS_SERVERLESS_GPU_IMAGE",
    severity=Severity.WARN,
    title="The image of a serverless endpoint should be for CPU",
    problem="The image of a serverless endpoint is for GPU",
    practices=("52",),
    fix="Use the framework's CPU image (its tag contains -cpu-), which is smaller, or a real-time endpoint.",
    types=(CONFIGURATION,),
)
@_check_models("a GPU image", "but serverless endpoints have no GPU")
def gpu_image(model: Resource) -> bool | Unknown:
    model_images = list(list_images(model))
    if any(image is not UNKNOWN and _GPU_IMAGE.search(image) for image in model_images):
        return True
    return UNKNOWN if UNKNOWN in model_images or not model_images else False


@_define_refusal(
    id="SUS_SERVERLESS_DATA_CAPTURE",
    title="A serverless endpoint must not capture data",
    problem="A serverless endpoint captures data",
    practices=("52", "73"),
    fix="Remove data_capture_config and log requests in the container or the caller, or use a real-time endpoint.",
    types=CONFIGURATION_TYPES,
)
@check_variants(SERVERLESS)
def data_capture(configuration: CreateRequest, _: CreateRequest) -> RuleResults:
    path = "data_capture_config.enable_capture"
    yield configuration.check_value(
        configuration.flag(path), path, lambda flag: not flag, "serverless endpoints do not support data capture"
    )


@_define_refusal(
    id="SUS_SERVERLESS_ONE_VARIANT",
    title="A serverless endpoint must have exactly one variant",
    problem="A serverless endpoint does not have exactly one variant",
    fix="Keep one production variant and no shadow variant. Give the other model its own endpoint.",
    types=CONFIGURATION_TYPES,
)
@check_variants(SERVERLESS)
def one_variant(configuration: CreateRequest, variant: CreateRequest) -> RuleResults:
    """Check the number of variants. Unknown lists are already reported."""
    counts = [configuration.count_blocks(variants) for variants in VARIANTS]
    count = sum(number for number in counts if number is not UNKNOWN)
    if count > 1:
        yield failure(f"a serverless endpoint has one variant, not {count}", variant.locate())
    elif UNKNOWN not in counts:
        yield success()


@_define_refusal(
    id="SUS_SERVERLESS_INSTANCES",
    title="A serverless variant must not have instances",
    problem="A serverless variant has instances",
    fix="Remove instance_type and initial_instance_count from the variant with serverless_config.",
    types=CONFIGURATION_TYPES,
)
@check_variants(SERVERLESS)
def instances(_: CreateRequest, variant: CreateRequest) -> RuleResults:
    for path in ("instance_type", "initial_instance_count"):
        yield variant.check_value(
            variant.get(path), path, lambda value: not value, "a serverless variant cannot have instances"
        )


@_define_refusal(
    id="SUS_SERVERLESS_LIMITS",
    title="Memory and concurrency of a serverless endpoint must be within SageMaker's limits",
    problem="Memory or concurrency of a serverless endpoint is outside SageMaker's limits",
    fix="Memory: 1024 to 6144 MB in steps of 1024. Concurrency: 1 to 200, and provisioned at most the maximum.",
    types=CONFIGURATION_TYPES,
)
@check_variants(SERVERLESS)
def limits(_: CreateRequest, variant: CreateRequest) -> RuleResults:
    path = "serverless_config.memory_size_in_mb"
    memory = variant.number(path)
    sizes = list_serverless_memory_mb()
    message = f"{memory} MB is not one of {', '.join(map(str, sizes))}"
    yield variant.check_value(memory, path, lambda size: size is None or size in sizes, message)
    path = "serverless_config.max_concurrency"
    maximum, warm = variant.number(path), variant.number(PROVISIONED_PATH)
    at_once = get_limit("serverless_concurrency")
    message = f"a concurrency of {maximum} is not within 1 to {at_once}"
    yield variant.check_value(maximum, path, lambda number: number is None or 1 <= number <= at_once, message)
    if isinstance(maximum, int | float) and warm is not None:
        message = f"the provisioned concurrency of {warm} is above max_concurrency of {maximum}"
        yield variant.check_value(warm, PROVISIONED_PATH, lambda number: number <= maximum, message)


@rule(
    id="SUS_SERVERLESS_REGION",
    severity=Severity.WARN,
    title="The Region of a serverless endpoint should offer Serverless Inference",
    problem="The Region of a serverless endpoint does not offer Serverless Inference",
    practices=("52", "4"),
    fix="Use a Region that the developer guide lists for Serverless Inference, or an asynchronous endpoint.",
    types=(CONFIGURATION,),
)
def region(plan: Plan, configuration: Resource) -> RuleResults:
    def check(variant: Variant) -> RuleResults:
        where = plan.find_region(configuration)
        if where is UNKNOWN:
            yield unknown_result("the plan does not show the Region")
        elif (region := regions.find(where)) is None or not region.has_serverless:
            yield failure(f"Serverless Inference is not available in {where}", variant.block.path)
        else:
            yield success()

    yield from check_each_variant(plan, configuration, check, SERVERLESS)


#: The attribute with which each resource of Model Monitor names its endpoint.
_ENDPOINT_PATHS = {
    "aws_sagemaker_data_quality_job_definition": "data_quality_job_input.0.endpoint_input.0.endpoint_name",
    "aws_sagemaker_monitoring_schedule": (
        "monitoring_schedule_config.0.monitoring_job_definition.0.monitoring_inputs.0.endpoint_input.0.endpoint_name"
    ),
}


@rule(
    id="SUS_SERVERLESS_MODEL_MONITOR",
    severity=Severity.FAIL,
    title="Model Monitor must not monitor a serverless endpoint",
    problem="Model Monitor monitors a serverless endpoint",
    practices=("52", "73"),
    fix="Compare predictions in your own job with data that the caller logs. Serverless endpoints capture no data.",
    types=tuple(_ENDPOINT_PATHS),
)
def model_monitor(plan: Plan, monitor: Resource) -> RuleResults:
    path = _ENDPOINT_PATHS[monitor.type]
    if monitor.new.text(path) is None:
        return
    endpoint_kinds = find_kinds(plan, plan.joins.find_target(monitor, path, ENDPOINT))
    if endpoint_kinds is UNKNOWN:
        yield unknown_result("this plan does not show its endpoint", path)
    elif SERVERLESS in endpoint_kinds:
        yield failure("Model Monitor needs data capture, which serverless endpoints do not support", path)
    else:
        yield success()


@rule(
    id="SUS_SERVERLESS_CONVERSION",
    severity=Severity.FAIL,
    title="A real-time endpoint must not become serverless in place",
    problem="A real-time endpoint becomes serverless in place",
    practices=("52",),
    fix="Create a serverless endpoint under another name, move the callers, then delete the real-time endpoint.",
    types=(ENDPOINT,),
    is_about_change=True,
)
def conversion(plan: Plan, endpoint: Resource) -> RuleResults:
    path = "endpoint_config_name"
    if endpoint.action != "update" or endpoint.old.text(path) == endpoint.new.text(path):
        return
    before, after = _find_kinds_before(plan, endpoint), find_kinds(plan, endpoint)
    if after is not UNKNOWN and SERVERLESS not in after:
        return
    if before is UNKNOWN or after is UNKNOWN:
        yield unknown_result("this plan does not show the kind of the old or the new configuration", path)
    elif REAL_TIME in before:
        yield failure("SageMaker cannot convert a real-time endpoint to a serverless one", path)
    elif ASYNCHRONOUS in before:
        yield unknown_result(
            "it is not documented whether SageMaker converts an asynchronous endpoint to a serverless one", path
        )
    else:
        yield success()


def _find_kinds_before(plan: Plan, endpoint: Resource) -> set[str] | Unknown:
    old_variants = plan.joins_before.list_variants(plan.joins_before.find_configuration(endpoint))
    if old_variants is UNKNOWN:
        return UNKNOWN
    kinds = {variant.kind for variant in old_variants}
    return UNKNOWN if UNKNOWN in kinds else {kind for kind in kinds if isinstance(kind, str)}


@rule(
    id="SUS_PROVISIONED_CONCURRENCY",
    severity=Severity.WARN,
    title="A serverless endpoint should not have provisioned concurrency",
    problem="A serverless endpoint has provisioned concurrency",
    practices=("52",),
    fix=(
        "Remove provisioned_concurrency, which is billed all day, or waive this rule with the latency that "
        "callers need."
    ),
    types=(CONFIGURATION,),
)
@check_variants(SERVERLESS)
def provisioned_concurrency(_: CreateRequest, variant: CreateRequest) -> RuleResults:
    count = variant.number(PROVISIONED_PATH)
    message = f"{count} workers stay ready even without requests"
    yield variant.check_value(count, PROVISIONED_PATH, lambda number: not number, message)


@rule(
    id="SUS_PROVISIONED_CONCURRENCY_SCALES",
    severity=Severity.WARN,
    title="Provisioned concurrency should scale with the load",
    problem="Provisioned concurrency does not scale with the load",
    practices=("53",),
    fix="Add an aws_appautoscaling_target with the dimension sagemaker:variant:DesiredProvisionedConcurrency.",
    types=(ENDPOINT,),
)
def provisioned_concurrency_scales(plan: Plan, endpoint: Resource) -> RuleResults:
    def check(variant: Variant) -> RuleResults:
        path = "serverless_config.0.provisioned_concurrency"
        count = variant.block.number(path)
        if count in (None, 0):
            return
        scaling = find_concurrency_scaling(endpoint, variant, plan.joins)
        if count is UNKNOWN:
            yield unknown_result("its provisioned concurrency is not known until apply", f"{variant.block.path}.{path}")
        elif scaling.is_variable is True:
            yield success()
        elif scaling.is_variable is UNKNOWN:
            yield unknown_result(explain_unknown_scaling(scaling, variant), variant.block.path)
        else:
            reason = "; ".join(scaling.no_effect_reasons) or "nothing scales them"
            yield failure(f"{count} workers stay ready: {reason}", f"{variant.block.path}.{path}")

    yield from check_each_variant(plan, endpoint, check, SERVERLESS)
