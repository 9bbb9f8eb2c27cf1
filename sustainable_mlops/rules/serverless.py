"""Serverless endpoints: what they refuse, and provisioned concurrency, which takes their point away.

Refusals and limits: SageMaker developer guide, "Serverless Inference", feature exclusions and quotas.
"""

from collections.abc import Callable

from sustainable_mlops.plan import UNKNOWN, Block, Plan, Resource, Unknown, Variant
from sustainable_mlops.rules.hosting import (
    CONFIGURATION,
    ENDPOINT,
    REAL_TIME,
    SERVERLESS,
    containers,
    each_variant,
    images,
    kinds,
    model_of,
    variants,
)
from sustainable_mlops.rules.rule import Severity, Verdicts, failed, passed, rule, unknown

MEMORY_MB = (1024, 2048, 3072, 4096, 5120, 6144)
MOST_CONCURRENT = 200
#: The Regions that the developer guide lists.
REGIONS = frozenset(
    {
        "af-south-1", "ap-east-1", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1",
        "ap-southeast-1", "ap-southeast-2", "ca-central-1", "eu-central-1", "eu-north-1", "eu-south-1", "eu-west-1",
        "eu-west-2", "eu-west-3", "me-south-1", "sa-east-1", "us-east-1", "us-east-2", "us-west-1", "us-west-2",
    }
)  # fmt: skip


def _each_model(plan: Plan, configuration: Resource, judge: Callable[[Resource, str], Verdicts]) -> Verdicts:
    def of_variant(variant: Variant) -> Verdicts:
        model = model_of(variant)
        if isinstance(model, Resource):
            yield from judge(model, f"{variant.block.path}.model_name")
        else:
            yield model

    yield from each_variant(plan, configuration, of_variant, SERVERLESS)


@rule(
    id="SUS_SERVERLESS_VPC",
    severity=Severity.FAIL,
    title="The model of a serverless endpoint has no VPC configuration",
    practices=("52",),
    fix="Remove vpc_config from the model, or use an asynchronous endpoint, which takes one and scales to zero too.",
    types=(CONFIGURATION,),
)
def vpc(plan: Plan, configuration: Resource) -> Verdicts:
    def judge(model: Resource, path: str) -> Verdicts:
        block = model.new.block("vpc_config")
        if block is UNKNOWN:
            yield unknown(f"whether {model.address} has a vpc_config is not known until apply", path)
        elif block is not None:
            yield failed(f"serverless endpoints refuse a model in a VPC, as {model.address} is", path)
        else:
            yield passed()

    yield from _each_model(plan, configuration, judge)


@rule(
    id="SUS_SERVERLESS_NETWORK_ISOLATION",
    severity=Severity.FAIL,
    title="The model of a serverless endpoint has no network isolation",
    practices=("52",),
    fix="Set enable_network_isolation = false and skip CKV_AWS_370 on the model with that reason.",
    types=(CONFIGURATION,),
)
def network_isolation(plan: Plan, configuration: Resource) -> Verdicts:
    def judge(model: Resource, path: str) -> Verdicts:
        isolated = model.new.flag("enable_network_isolation")
        if isolated is UNKNOWN:
            yield unknown(f"whether {model.address} has network isolation is not known until apply", path)
        elif isolated:
            yield failed(f"serverless endpoints refuse a model with network isolation, as {model.address} has", path)
        else:
            yield passed()

    yield from _each_model(plan, configuration, judge)


@rule(
    id="SUS_SERVERLESS_MULTI_MODEL",
    severity=Severity.FAIL,
    title="The model of a serverless endpoint is a single model",
    practices=("52", "64"),
    fix="Give each model a serverless endpoint of its own (one that idles costs nothing), or use a real-time endpoint.",
    types=(CONFIGURATION,),
)
def multi_model(plan: Plan, configuration: Resource) -> Verdicts:
    def judge(model: Resource, path: str) -> Verdicts:
        found = containers(model)
        modes = {UNKNOWN} if found is UNKNOWN else {container.text("mode") for container in found}
        if "MultiModel" in modes:
            yield failed(f"serverless endpoints refuse a multi-model container, as {model.address} has", path)
        elif UNKNOWN in modes:
            yield unknown(f"the mode of {model.address}'s containers is not known until apply", path)
        else:
            yield passed()

    yield from _each_model(plan, configuration, judge)


@rule(
    id="SUS_SERVERLESS_INFERENCE_PIPELINE",
    severity=Severity.FAIL,
    title="The model of a serverless endpoint is no inference pipeline",
    practices=("52", "65"),
    fix="Put the steps into one container, or use a real-time or asynchronous endpoint.",
    types=(CONFIGURATION,),
)
def inference_pipeline(plan: Plan, configuration: Resource) -> Verdicts:
    def judge(model: Resource, path: str) -> Verdicts:
        found = containers(model)
        mode = model.new.text("inference_execution_config.0.mode")
        if found is not UNKNOWN and len(found) < 2:
            yield passed()
        elif found is UNKNOWN or mode is UNKNOWN:
            yield unknown(f"whether {model.address} is an inference pipeline is not known until apply", path)
        elif mode == "Direct":
            yield passed()
        else:
            yield failed(f"serverless endpoints refuse {len(found)} containers in series, as in {model.address}", path)

    yield from _each_model(plan, configuration, judge)


@rule(
    id="SUS_SERVERLESS_GPU_IMAGE",
    severity=Severity.FAIL,
    title="The image of a serverless endpoint is one for CPU",
    practices=("52",),
    fix="Use the framework's image for CPU (its tag says -cpu- instead of -gpu-), or a real-time endpoint.",
    types=(CONFIGURATION,),
)
def gpu_image(plan: Plan, configuration: Resource) -> Verdicts:
    def judge(model: Resource, path: str) -> Verdicts:
        found = list(images(model))
        for_gpu = [image for image in found if image is not UNKNOWN and "-gpu-" in image.rpartition("/")[2]]
        if for_gpu:
            yield failed(f"serverless endpoints have no GPU, and {for_gpu[0]} is for one", path)
        elif UNKNOWN in found or not found:
            yield unknown(f"the image of {model.address} is not in the plan", path)
        else:
            yield passed()

    yield from _each_model(plan, configuration, judge)


@rule(
    id="SUS_SERVERLESS_PRIVATE_REGISTRY",
    severity=Severity.FAIL,
    title="The image of a serverless endpoint comes from ECR",
    practices=("52",),
    fix="Copy the image to ECR and remove image_config from the container.",
    types=(CONFIGURATION,),
)
def private_registry(plan: Plan, configuration: Resource) -> Verdicts:
    def judge(model: Resource, path: str) -> Verdicts:
        found = containers(model)
        ways = {UNKNOWN} if found is UNKNOWN else {c.text("image_config.0.repository_access_mode") for c in found}
        if "Vpc" in ways:
            yield failed(f"serverless endpoints refuse an image in a private registry, as {model.address} has", path)
        elif UNKNOWN in ways:
            yield unknown(f"the registry of {model.address}'s image is not known until apply", path)
        else:
            yield passed()

    yield from _each_model(plan, configuration, judge)


@rule(
    id="SUS_SERVERLESS_DATA_CAPTURE",
    severity=Severity.FAIL,
    title="A serverless endpoint captures no data",
    practices=("52", "73"),
    fix="Remove data_capture_config and log requests from the container or the caller, or use a real-time endpoint.",
    types=(CONFIGURATION,),
)
def data_capture(plan: Plan, configuration: Resource) -> Verdicts:
    def judge(_: Variant) -> Verdicts:
        block = configuration.new.block("data_capture_config")
        enabled = block.flag("enable_capture") if isinstance(block, Block) else block
        if enabled is UNKNOWN:
            yield unknown("whether it captures data is not known until apply", "data_capture_config")
        elif enabled:
            yield failed("serverless endpoints refuse data capture", "data_capture_config")
        else:
            yield passed()

    yield from each_variant(plan, configuration, judge, SERVERLESS)


@rule(
    id="SUS_SERVERLESS_ONE_VARIANT",
    severity=Severity.FAIL,
    title="A serverless endpoint has exactly one variant",
    practices=("52",),
    fix="Keep one production variant and no shadow variant; give the other model an endpoint of its own.",
    types=(CONFIGURATION,),
)
def one_variant(plan: Plan, configuration: Resource) -> Verdicts:
    def judge(variant: Variant) -> Verdicts:
        found = variants(plan, configuration)
        if found is not UNKNOWN and len(found) > 1:
            yield failed(f"serverless endpoints have one variant, not {len(found)}", variant.block.path)
        else:
            yield passed()

    yield from each_variant(plan, configuration, judge, SERVERLESS)


@rule(
    id="SUS_SERVERLESS_INSTANCES",
    severity=Severity.FAIL,
    title="A serverless variant names no instances",
    practices=("52",),
    fix="Remove instance_type and initial_instance_count beside serverless_config.",
    types=(CONFIGURATION,),
)
def instances(plan: Plan, configuration: Resource) -> Verdicts:
    def judge(variant: Variant) -> Verdicts:
        kind, count = variant.block.text("instance_type"), variant.block.number("initial_instance_count")
        if kind is UNKNOWN or count is UNKNOWN:
            yield from _computed(plan, configuration, variant)
        elif kind or count:
            what = kind or f"{count} instances"
            yield failed(f"a variant is serverless or has {what}, not both", variant.block.path)
        else:
            yield passed()

    yield from each_variant(plan, configuration, judge, SERVERLESS)


def _computed(plan: Plan, configuration: Resource, variant: Variant) -> Verdicts:
    """An attribute that is not configured is unknown only because the provider fills it in."""
    places = [f"{variant.block.path}.{name}" for name in ("instance_type", "initial_instance_count")]
    set_ones = [plan.configured(configuration, place) for place in places]
    if all(configured is False for configured in set_ones):
        yield passed()
    else:
        yield unknown("whether it names instances is not known until apply", variant.block.path)


@rule(
    id="SUS_SERVERLESS_LIMITS",
    severity=Severity.FAIL,
    title="Memory and concurrency of a serverless endpoint are within SageMaker's limits",
    practices=("52",),
    fix="Memory: 1024 to 6144 MB in steps of 1024. Concurrency: 1 to 200, provisioned at most the maximum.",
    types=(CONFIGURATION,),
)
def limits(plan: Plan, configuration: Resource) -> Verdicts:
    def judge(variant: Variant) -> Verdicts:
        block = variant.serverless
        if not isinstance(block, Block):
            return
        memory, most = block.number("memory_size_in_mb"), block.number("max_concurrency")
        warm = provisioned(block)
        path = block.path
        if isinstance(memory, int | float) and memory not in MEMORY_MB:
            yield failed(f"{memory} MB is none of {', '.join(map(str, MEMORY_MB))}", f"{path}.memory_size_in_mb")
        elif isinstance(most, int | float) and not 1 <= most <= MOST_CONCURRENT:
            yield failed(f"a concurrency of {most} is not within 1 to {MOST_CONCURRENT}", f"{path}.max_concurrency")
        elif memory is UNKNOWN or most is UNKNOWN or warm is UNKNOWN:
            yield unknown("its memory or concurrency is not known until apply", path)
        elif warm and most and warm > most:
            where = f"{path}.provisioned_concurrency"
            yield failed(f"{warm} provisioned are more than the {most} of max_concurrency", where)
        else:
            yield passed()

    yield from each_variant(plan, configuration, judge, SERVERLESS)


def provisioned(block: Block) -> float | Unknown | None:
    """The provisioned concurrency; None for none, which the provider reads back as 0."""
    value = block.number("provisioned_concurrency")
    return value if value is UNKNOWN else value or None


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
        elif where not in REGIONS:
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
)
def conversion(plan: Plan, endpoint: Resource) -> Verdicts:
    if endpoint.action != "update" or endpoint.old.text("endpoint_config_name") == endpoint.new.text(
        "endpoint_config_name"
    ):
        return
    before, after = _kinds_before(plan, endpoint), kinds(plan, endpoint)
    if after is not UNKNOWN and SERVERLESS not in after:
        return
    if before is UNKNOWN or after is UNKNOWN:
        yield unknown("the kind of the old or the new configuration is not in this plan", "endpoint_config_name")
    elif REAL_TIME in before:
        yield failed("SageMaker turns no real-time endpoint into a serverless one", "endpoint_config_name")
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
def provisioned_concurrency(plan: Plan, configuration: Resource) -> Verdicts:
    def judge(variant: Variant) -> Verdicts:
        count = provisioned(variant.serverless) if isinstance(variant.serverless, Block) else None
        path = f"{variant.block.path}.serverless_config.0.provisioned_concurrency"
        if count is UNKNOWN:
            yield unknown("its provisioned concurrency is not known until apply", path)
        elif count:
            yield failed(f"{count} workers stay warm whether there are requests or not", path)
        else:
            yield passed()

    yield from each_variant(plan, configuration, judge, SERVERLESS)


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
        count = provisioned(variant.serverless) if isinstance(variant.serverless, Block) else None
        if count is None:
            return
        targets = plan.joins.scalable_targets(endpoint, variant.name)
        if count is UNKNOWN or (not targets.sure and targets.maybe):
            yield unknown("what scales its provisioned concurrency is not known until apply", variant.block.path)
        elif not targets.sure:
            yield failed(f"{count} workers stay warm, and nothing scales them", variant.block.path)
        else:
            yield passed()

    yield from each_variant(plan, endpoint, judge, SERVERLESS)
