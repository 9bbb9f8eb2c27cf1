"""Capacity of endpoints: instance pools, reserved capacity, GPU partitions, scale-in and utilization metrics.

AWS provider 6.47 has none of these attributes. A plan has them in CloudFormation types and in the steps of pipelines.
"""

from sustainable_mlops.base.lazy_pattern import LazyPattern
from sustainable_mlops.catalogue import instances
from sustainable_mlops.catalogue.limits import METRIC_INTERVALS, get_limit
from sustainable_mlops.plan import UNKNOWN, Plan, Resource, Unknown, Variant
from sustainable_mlops.rules.attributes import CreateRequest, check_value
from sustainable_mlops.rules.rule import RuleResults, Severity, failure, rule, success, unknown_result
from sustainable_mlops.rules.serving.variants import (
    ASYNCHRONOUS,
    CONFIGURATION,
    CONFIGURATION_TYPES,
    REAL_TIME,
    check_each_variant,
    check_variants,
    list_requested_types,
)

_POOLS, _LAYOUTS = "instance_pools", "accelerator_partition_layouts"
_RESERVATION = "capacity_reservation_config"
_SCALE_IN = "managed_instance_scaling.0.scale_in_policy.0.strategy"
_INTERVAL = "metrics_config.0.metric_publish_frequency_in_seconds"
#: `mig-3g.40gb`: compute slices and GB of memory of a partition.
_PARTITION = LazyPattern(r"mig-(\d+)g\.(\d+)gb.*")
#: Compute slices of one GPU (NVIDIA Multi-Instance GPU User Guide).
_SLICES = 7
#: Names round the memory of a partition up: mig-7g.180gb on a B200 with 179 GiB.
_ROUNDING = 1.05


@rule(
    id="SUS_INSTANCE_POOLS",
    severity=Severity.FAIL,
    title="Instance pools must be within SageMaker's limits",
    problem="Instance pools are outside SageMaker's limits",
    practices=("57",),
    fix="Replace instance_type with one to five instance_pools, each with a priority from 1 to 5.",
    types=CONFIGURATION_TYPES,
)
@check_variants()
def instance_pools(_: CreateRequest, variant: CreateRequest) -> RuleResults:
    count = variant.count_blocks(_POOLS)
    if count is UNKNOWN:
        yield variant.unknown_result(_POOLS)
        return
    if count == 0:
        return
    maximum = get_limit("instance_pools")
    if count > maximum:
        yield variant.failure(_POOLS, f"{count} pools; SageMaker accepts {maximum}")
    serverless = variant.count_blocks("serverless_config")
    if serverless is UNKNOWN:
        yield variant.unknown_result("serverless_config")
    elif serverless:
        yield variant.failure(_POOLS, "a serverless variant has no instances")
    message = "a variant has one instance type or instance pools, not both"
    yield variant.check_value(variant.text("instance_type"), "instance_type", lambda kind: not kind, message)
    for number in range(count):
        pool = variant.select_item(_POOLS, number)
        priority = pool.number("priority")
        message = f"the priority {priority} is not 1 to {maximum}"
        yield pool.check_value(priority, "priority", lambda it: it is not None and 1 <= it <= maximum, message)


@rule(
    id="SUS_RESERVED_ENDPOINT",
    severity=Severity.WARN,
    title="An endpoint should not depend on reserved capacity that ends",
    problem="An endpoint depends on reserved capacity that ends",
    practices=("66",),
    fix=(
        "Waive this until the day before the reservation ends, so that the reservation is renewed in time: "
        "sust_waiver:SUS_RESERVED_ENDPOINT. Or remove capacity_reservation_config."
    ),
    types=CONFIGURATION_TYPES,
)
@check_variants(REAL_TIME, ASYNCHRONOUS)
def reserved_endpoint(_: CreateRequest, variant: CreateRequest) -> RuleResults:
    """Check for a training plan: an endpoint stops serving when it expires (developer guide, training plans)."""
    count, path = variant.count_blocks(_RESERVATION), f"{_RESERVATION}.ml_reservation_arn"
    if count is UNKNOWN:
        yield variant.unknown_result(_RESERVATION)
    elif count and (arn := variant.text(path)) is UNKNOWN:
        yield variant.unknown_result(path)
    elif count and arn:
        name = arn.rpartition(":")[2]
        yield variant.failure(path, f"it stops serving when {name} ends, and the plan does not contain the date")


@rule(
    id="SUS_GPU_PARTITIONS",
    severity=Severity.FAIL,
    title="GPU partitions must fit on one accelerator",
    problem="GPU partitions do not fit on one accelerator",
    practices=("64",),
    fix="Declare one layout whose profiles exist for the GPU and fit on it, such as two of mig-3g.40gb on 80 GB.",
    types=CONFIGURATION_TYPES,
)
@check_variants()
def gpu_partitions(_: CreateRequest, variant: CreateRequest) -> RuleResults:
    """Check the layout (developer guide, "Create an endpoint with GPU partitions", layout rules)."""
    count = variant.count_blocks(_LAYOUTS)
    if count == 0:
        return
    profiles = UNKNOWN if count is UNKNOWN else variant.select_item(_LAYOUTS, 0).get("accelerator_partition_types", [])
    if count is UNKNOWN or not isinstance(profiles, list) or UNKNOWN in profiles:
        yield variant.unknown_result(_LAYOUTS)
    elif count > 1:
        yield variant.failure(_LAYOUTS, f"{count} layouts; SageMaker accepts one")
    elif reason := _find_layout_error(profiles):
        yield variant.failure(_LAYOUTS, reason)
    else:
        memory = sum(int(match[2]) for profile in profiles if (match := _PARTITION.fullmatch(profile)))
        for one, kind in list_requested_types(variant):
            message = f"{memory} GB of partitions do not fit on one accelerator of {kind}"
            yield one.check_value(_fits(memory, kind), "instance_type", bool, message)


def _find_layout_error(profiles: list[object]) -> str:
    """Return the reason why no GPU supports this layout; empty if a GPU may support it."""
    matches = [_PARTITION.fullmatch(profile) if isinstance(profile, str) else None for profile in profiles]
    if invalid_profiles := [profile for profile, match in zip(profiles, matches, strict=True) if match is None]:
        return f"{invalid_profiles[0]} is not a partition profile"
    if any("+me" in str(profile) for profile in profiles):
        return "SageMaker does not support profiles with media extensions (+me)"
    slices = sum(int(match[1]) for match in matches if match)
    return f"{slices} compute slices; a GPU has at most {_SLICES}" if slices > _SLICES else ""


def _fits(memory_gb: int, kind: str | Unknown | None) -> bool | Unknown:
    instance = instances.find(kind) if isinstance(kind, str) else None
    if instance is None:
        return UNKNOWN
    return instance.accelerator is not None and memory_gb <= instance.accelerator_gib * _ROUNDING


@rule(
    id="SUS_METRICS_INTERVAL",
    severity=Severity.FAIL,
    title="The publishing interval of an endpoint's metrics must be one that SageMaker accepts",
    problem="An endpoint publishes its metrics at an interval that SageMaker does not accept",
    practices=("69",),
    fix=f"Set metric_publish_frequency_in_seconds to one of {', '.join(map(str, METRIC_INTERVALS))}.",
    types=(CONFIGURATION,),
)
def metrics_interval(_: Plan, configuration: Resource) -> RuleResults:
    seconds = configuration.new.number(_INTERVAL)
    if seconds is not None:
        message = f"{seconds} s is not one of {', '.join(map(str, METRIC_INTERVALS))}"
        yield check_value(seconds, _INTERVAL, lambda interval: interval in METRIC_INTERVALS, message)


@rule(
    id="SUS_COMPONENT_SCALE_IN",
    severity=Severity.INFO,
    title="Managed scale-in should consolidate inference components",
    problem="Managed scale-in does not consolidate inference components",
    practices=("58",),
    fix="Set the strategy of scale_in_policy to CONSOLIDATION.",
    types=(CONFIGURATION,),
)
def component_scale_in(plan: Plan, configuration: Resource) -> RuleResults:
    """Check the policy: IDLE_RELEASE keeps an instance with one copy (API reference, …ScalingScaleInPolicy)."""

    def check(variant: Variant) -> RuleResults:
        strategy, path = variant.block.text(_SCALE_IN), f"{variant.block.path}.{_SCALE_IN}"
        if strategy is UNKNOWN:
            yield unknown_result("its scale-in strategy is not known until apply", path)
        elif strategy == "IDLE_RELEASE":
            yield failure("an instance stays on while it hosts a single copy of a component", path)
        elif strategy:
            yield success()

    yield from check_each_variant(plan, configuration, check, REAL_TIME, ASYNCHRONOUS)
