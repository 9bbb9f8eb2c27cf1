"""Cases of rules/serving/capacity.py."""

from typing import Any

from tests.rules.case_tables import CaseTable
from tests.rules.endpoints import UNKNOWN, Resources, build_real_time, build_serverless
from tests.rules.jobs import build_pipeline, build_step

PLAN = "arn:aws:sagemaker:eu-north-1:123456789012:training-plan/p5"
HALVES = ["mig-3g.40gb", "mig-3g.40gb"]
TYPES = ("ml.g6.xlarge", "ml.g5.xlarge", "ml.g6e.xlarge", "ml.g4dn.xlarge", "ml.g5.2xlarge", "ml.g6.2xlarge")


def build_pools(count: int, *, instance_type: Any = None, **first: Any) -> Resources:
    """Return a real-time endpoint with this many instance pools."""
    pools = [{"instance_type": kind, "priority": min(n, 5)} for n, kind in enumerate(TYPES[:count], start=1)]
    variant = {"instance_type": instance_type, "instance_pools": [{**pools[0], **first}, *pools[1:]]}
    return build_real_time(variant=variant)


def build_reserved(arn: Any = PLAN) -> Resources:
    """Return a real-time endpoint on reserved capacity."""
    return build_real_time(variant={"capacity_reservation_config": {"ml_reservation_arn": arn}})


def build_partitions(*layouts: Any, kind: str = "ml.p5.48xlarge") -> Resources:
    """Return a real-time endpoint whose GPUs have these layouts of partitions."""
    blocks = [{"accelerator_partition_types": profiles} for profiles in layouts]
    return build_real_time(variant={"instance_type": kind, "accelerator_partition_layouts": blocks})


def build_configuration_step(**variant: Any) -> Resources:
    """Return a pipeline with a step that creates an endpoint configuration."""
    return build_pipeline(build_step("EndpointConfig", {"ProductionVariants": [variant]}))


def build_metrics(seconds: Any) -> Resources:
    """Return an endpoint that publishes its metrics at this interval."""
    return build_real_time(configuration={"metrics_config": {"metric_publish_frequency_in_seconds": seconds}})


def build_scale_in(strategy: Any) -> Resources:
    """Return an endpoint for components with this strategy of scale-in."""
    managed = {"status": "ENABLED", "scale_in_policy": {"strategy": strategy}}
    return build_real_time(variant={"model_name": None, "managed_instance_scaling": managed})


CASES: CaseTable = {
    "SUS_INSTANCE_POOLS": {
        "pass": {
            "two pools": build_pools(2),
            "five pools": build_pools(5),
            "in a step": build_configuration_step(InstancePools=[{"InstanceType": "ml.g5.xlarge", "Priority": 1}]),
        },
        "fail": {
            "six pools": build_pools(6),
            "beside an instance type": build_pools(2, instance_type="ml.g5.xlarge"),
            "a priority of 6": build_pools(2, priority=6),
            "a priority of 0": build_pools(2, priority=0),
            "no priority": build_pools(2, priority=None),
            "a serverless variant": build_serverless(
                variant={"instance_pools": [{"instance_type": "ml.g5.xlarge", "priority": 1}]}
            ),
            "in a step": build_configuration_step(InstancePools=[{"InstanceType": "ml.g5.xlarge", "Priority": 9}]),
        },
        "unknown": {
            "a priority known after apply": build_pools(2, priority=UNKNOWN),
            "pools known after apply": build_real_time(variant={"instance_pools": UNKNOWN}),
        },
        "not_applicable": {"one type": build_real_time(), "a serverless endpoint": build_serverless()},
    },
    "SUS_RESERVED_ENDPOINT": {
        "pass": "the rule asks endpoints with reserved capacity only, and no plan contains its end",
        "fail": {
            "a training plan": build_reserved(),
            "in a step": build_configuration_step(
                InstanceType="ml.p5.48xlarge", CapacityReservationConfig={"MlReservationArn": PLAN}
            ),
        },
        "unknown": {
            "known after apply": build_real_time(variant={"capacity_reservation_config": UNKNOWN}),
            "a training plan known after apply": build_reserved(UNKNOWN),
        },
        "not_applicable": {"on demand": build_real_time(), "no plan": build_reserved(None)},
    },
    "SUS_GPU_PARTITIONS": {
        "pass": {
            "two halves": build_partitions(HALVES),
            "a whole GPU": build_partitions(["mig-7g.180gb"], kind="ml.p6-b200.48xlarge"),
            "in a step": build_configuration_step(
                InstanceType="ml.p5.48xlarge", AcceleratorPartitionLayouts=[{"AcceleratorPartitionTypes": HALVES}]
            ),
        },
        "fail": {
            "two layouts": build_partitions(HALVES, HALVES),
            "more memory than the GPU has": build_partitions(HALVES, kind="ml.p4d.24xlarge"),
            "eight slices": build_partitions(["mig-4g.40gb", "mig-4g.40gb"]),
            "media extensions": build_partitions(["mig-1g.10gb+me"]),
            "no profile": build_partitions(["half"]),
            "no GPU": build_partitions(HALVES, kind="ml.m5.large"),
        },
        "unknown": {
            "profiles known after apply": build_partitions(UNKNOWN),
            "a type known after apply": build_partitions(HALVES, kind=UNKNOWN),
            "an unknown type": build_partitions(HALVES, kind="ml.z9.huge"),
            "layouts known after apply": build_real_time(variant={"accelerator_partition_layouts": UNKNOWN}),
        },
        "not_applicable": {"whole GPUs": build_real_time(variant={"instance_type": "ml.p5.48xlarge"})},
    },
    "SUS_METRICS_INTERVAL": {
        "pass": {"ten seconds": build_metrics(10)},
        "fail": {"five seconds": build_metrics(5), "fifteen seconds": build_metrics(15)},
        "unknown": {"known after apply": build_metrics(UNKNOWN)},
        "not_applicable": {"the default": build_real_time(), "no interval": build_metrics(None)},
    },
    "SUS_COMPONENT_SCALE_IN": {
        "pass": {"consolidation": build_scale_in("CONSOLIDATION")},
        "fail": {"idle instances only": build_scale_in("IDLE_RELEASE")},
        "unknown": {"known after apply": build_scale_in(UNKNOWN)},
        "not_applicable": {"no policy": build_real_time(), "no strategy": build_scale_in(None)},
    },
}
