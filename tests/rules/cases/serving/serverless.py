"""Cases of rules/serving/serverless.py."""

from collections.abc import Mapping
from typing import Any

from tests.rules.case_tables import CaseTable, RuleCase
from tests.rules.endpoints import (
    CONFIGURATION,
    ENDPOINT,
    IMAGE,
    MODEL,
    REQUESTS,
    TARGET,
    UNKNOWN,
    Resources,
    add_target,
    add_tracking_policy,
    build_asynchronous,
    build_real_time,
    build_serverless,
)
from tests.rules.jobs import HIDDEN, build_pipeline, build_step

REGISTRY = IMAGE.partition("/")[0]
VPC = {"subnets": ["subnet-1"], "security_group_ids": ["sg-1"]}
ELSEWHERE = build_serverless(variant={"model_name": "made-elsewhere"})
NOT_SERVERLESS = {"a real-time endpoint": build_real_time(), "an asynchronous endpoint": build_asynchronous()}
#: Values that the provider reads back from SageMaker: attributes that are not set are empty.
READ_BACK = build_serverless(
    serverless_config={"provisioned_concurrency": 0},
    variant={"instance_type": "", "initial_instance_count": 0, "accelerator_type": ""},
    model={"enable_network_isolation": False, "vpc_config": []},
)
WARM = build_serverless(serverless_config={"provisioned_concurrency": 2})
FINE = {"a plain endpoint": build_serverless(), "as read back": READ_BACK}


def build_hosting_pipeline(*, variant: Mapping[str, Any] | None = None, **request: Any) -> Resources:
    """Return a pipeline with a step that creates a serverless configuration."""
    config = {"ServerlessConfig": {"MemorySizeInMB": 2048, "MaxConcurrency": 5}, "ModelName": "m", **(variant or {})}
    return build_pipeline(build_step("EndpointConfig", {"ProductionVariants": [config], **request}))


def build_monitor(endpoint: str) -> dict[str, dict[str, object]]:
    inputs = {"endpoint_input": {"endpoint_name": endpoint}}
    return {"aws_sagemaker_data_quality_job_definition.q": {"data_quality_job_input": inputs}}


def build_conversion(before: str, after: str, resources: dict[str, object]) -> RuleCase:
    """Return an endpoint that changes from the configuration `before` to `after`."""
    endpoint = {"name": "delay", "endpoint_config_name": after}
    return RuleCase(
        {**resources, ENDPOINT: endpoint},  # type: ignore[dict-item]  # the values are mappings
        actions={ENDPOINT: "update", **dict.fromkeys(resources, "no-op")},
        before={ENDPOINT: {"endpoint_config_name": before}},
    )


BOTH = {
    "aws_sagemaker_endpoint_configuration.instances": build_real_time(configuration={"name": "instances"})[
        CONFIGURATION
    ],
    "aws_sagemaker_endpoint_configuration.serverless": build_serverless(configuration={"name": "serverless"})[
        CONFIGURATION
    ],
    MODEL: {"name": "delay"},
}

SCALED = add_target(WARM, scalable_dimension="sagemaker:variant:DesiredProvisionedConcurrency")
USED = {
    "predefined_metric_specification": {"predefined_metric_type": "SageMakerVariantProvisionedConcurrencyUtilization"}
}

CASES: CaseTable = {
    "SUS_SERVERLESS_VPC": {
        "pass": FINE,
        "fail": {"a model in a VPC": build_serverless(model={"vpc_config": VPC})},
        "unknown": {
            "a model that is not in the plan": ELSEWHERE,
            "a VPC known after apply": build_serverless(model={"vpc_config": UNKNOWN}),
            "variants known after apply": build_serverless(configuration={"production_variants": UNKNOWN}),
        },
        "not_applicable": {"a real-time endpoint in a VPC": build_real_time(model={"vpc_config": VPC})},
    },
    "SUS_SERVERLESS_NETWORK_ISOLATION": {
        "pass": FINE,
        "fail": {"isolation": build_serverless(model={"enable_network_isolation": True})},
        "unknown": {"known after apply": build_serverless(model={"enable_network_isolation": UNKNOWN})},
        "not_applicable": {"an isolated real-time endpoint": build_real_time(model={"enable_network_isolation": True})},
    },
    "SUS_SERVERLESS_MULTI_MODEL": {
        "pass": FINE,
        "fail": {
            "several models": build_serverless(model={"primary_container": {"image": IMAGE, "mode": "MultiModel"}})
        },
        "unknown": {"a mode known after apply": build_serverless(model={"primary_container": {"mode": UNKNOWN}})},
        "not_applicable": NOT_SERVERLESS,
    },
    "SUS_SERVERLESS_INFERENCE_PIPELINE": {
        "pass": {
            **FINE,
            "directly invoked containers": build_serverless(
                model={
                    "primary_container": [],
                    "container": [{"image": IMAGE}, {"image": IMAGE}],
                    "inference_execution_config": {"mode": "Direct"},
                }
            ),
        },
        "fail": {
            "two containers in series": build_serverless(
                model={"primary_container": [], "container": [{"image": "a"}, {"image": "b"}]}
            )
        },
        "unknown": {"containers known after apply": build_serverless(model={"container": UNKNOWN})},
        "not_applicable": NOT_SERVERLESS,
    },
    "SUS_SERVERLESS_GPU_IMAGE": {
        "pass": {
            **FINE,
            "a word in a name": build_serverless(
                model={"primary_container": {"image": f"{REGISTRY}/ranker-no-gpu-needed:1.2"}}
            ),
        },
        "fail": {
            "a GPU image": build_serverless(
                model={"primary_container": {"image": f"{REGISTRY}/huggingface-pytorch-inference:2.6-gpu-py312"}}
            )
        },
        "unknown": {
            "a model package brings the image": build_serverless(
                model={"primary_container": {"image": "", "model_package_name": "p"}}
            )
        },
        "not_applicable": NOT_SERVERLESS,
    },
    "SUS_SERVERLESS_PRIVATE_REGISTRY": {
        "pass": FINE,
        "fail": {
            "an image in the VPC": build_serverless(
                model={"primary_container": {"image": IMAGE, "image_config": {"repository_access_mode": "Vpc"}}}
            )
        },
        "unknown": {"known after apply": build_serverless(model={"primary_container": {"image_config": UNKNOWN}})},
        "not_applicable": NOT_SERVERLESS,
    },
    "SUS_SERVERLESS_DATA_CAPTURE": {
        "pass": {
            **FINE,
            "turned off": build_serverless(configuration={"data_capture_config": {"enable_capture": False}}),
        },
        "fail": {
            "turned on": build_serverless(configuration={"data_capture_config": {"enable_capture": True}}),
            "in a step": build_hosting_pipeline(DataCaptureConfig={"EnableCapture": True}),
        },
        "unknown": {
            "known after apply": build_serverless(configuration={"data_capture_config": {"enable_capture": UNKNOWN}})
        },
        "not_applicable": {
            "a real-time endpoint": build_real_time(configuration={"data_capture_config": {"enable_capture": True}})
        },
    },
    "SUS_SERVERLESS_ONE_VARIANT": {
        "pass": FINE,
        "fail": {
            "a shadow variant": build_serverless(
                configuration={"shadow_production_variants": {"variant_name": "shadow", "instance_type": "ml.m5.large"}}
            ),
            "two in a step": build_hosting_pipeline(ShadowProductionVariants=[{"InstanceType": "ml.m5.large"}]),
        },
        "unknown": {
            "shadow variants known after apply": build_serverless(configuration={"shadow_production_variants": UNKNOWN})
        },
        "not_applicable": NOT_SERVERLESS,
    },
    "SUS_SERVERLESS_INSTANCES": {
        "pass": FINE,
        "fail": {
            "an instance type": build_serverless(variant={"instance_type": "ml.m5.large"}),
            "a count": build_serverless(variant={"initial_instance_count": 1}),
            "a type in a step": build_hosting_pipeline(variant={"InstanceType": "ml.m5.large"}),
        },
        "unknown": {
            "a type from another resource": build_serverless(variant={"instance_type": f"${{{MODEL}.arn}}"}),
            "a type in a dynamic block": RuleCase(
                build_serverless(variant={"instance_type": UNKNOWN}), dynamic={CONFIGURATION: "production_variants"}
            ),
            "a step's type from a parameter without a default": build_hosting_pipeline(
                variant={"InstanceType": {"Get": "Parameters.InstanceType"}}
            ),
        },
        "not_applicable": NOT_SERVERLESS,
    },
    "SUS_SERVERLESS_LIMITS": {
        "pass": FINE,
        "fail": {
            "invalid memory": build_serverless(serverless_config={"memory_size_in_mb": 2000}),
            "too much concurrency": build_serverless(serverless_config={"max_concurrency": 201}),
            "more provisioned than the maximum": build_serverless(serverless_config={"provisioned_concurrency": 6}),
            "invalid memory in a step": build_hosting_pipeline(
                variant={"ServerlessConfig": {"MemorySizeInMB": 2000, "MaxConcurrency": 5}}
            ),
        },
        "unknown": {
            "memory known after apply": build_serverless(serverless_config={"memory_size_in_mb": UNKNOWN}),
            "a pipeline known after apply": HIDDEN["unknown definition"],
            "whether it is serverless known after apply, in a dynamic block": RuleCase(
                build_serverless(variant={"serverless_config": UNKNOWN}), dynamic={CONFIGURATION: "production_variants"}
            ),
            "no variant that shows": build_serverless(configuration={"production_variants": []}),
        },
        "not_applicable": NOT_SERVERLESS,
    },
    "SUS_SERVERLESS_REGION": {
        "pass": FINE,
        "fail": {"Zurich": RuleCase(build_serverless(), region="eu-central-2")},
        "unknown": {"an unknown Region": RuleCase(build_serverless(), region="")},
        "not_applicable": {"a real-time endpoint": RuleCase(build_real_time(), region="eu-central-2")},
    },
    "SUS_SERVERLESS_MODEL_MONITOR": {
        "pass": {"a real-time endpoint": {**build_real_time(), **build_monitor("delay")}},
        "fail": {
            "by name": {**build_serverless(), **build_monitor("delay")},
            "by reference": {**build_serverless(endpoint={"name": UNKNOWN}), **build_monitor(f"${{{ENDPOINT}.name}}")},
            "in a schedule of its own": {
                **build_serverless(),
                "aws_sagemaker_monitoring_schedule.s": {
                    "monitoring_schedule_config": {
                        "monitoring_job_definition": {
                            "monitoring_inputs": {"endpoint_input": {"endpoint_name": "delay"}}
                        }
                    }
                },
            },
        },
        "unknown": {"an endpoint outside the plan": build_monitor("made-elsewhere")},
        "not_applicable": {
            "a batch transform": {
                "aws_sagemaker_data_quality_job_definition.q": {"data_quality_job_input": {"batch_transform_input": {}}}
            }
        },
    },
    "SUS_SERVERLESS_CONVERSION": {
        "pass": {
            "serverless before and after": build_conversion(
                "serverless",
                "other",
                {**BOTH, CONFIGURATION: build_serverless(configuration={"name": "other"})[CONFIGURATION]},
            )
        },
        "fail": {"real-time before": build_conversion("instances", "serverless", dict(BOTH))},
        "unknown": {
            "a configuration elsewhere before": build_conversion("elsewhere", "serverless", dict(BOTH)),
            "asynchronous before, which is not documented": build_conversion(
                "instances",
                "serverless",
                {
                    **BOTH,
                    "aws_sagemaker_endpoint_configuration.instances": {
                        **build_asynchronous()[CONFIGURATION],
                        "name": "instances",
                    },
                },
            ),
        },
        "not_applicable": {
            "a new endpoint": build_serverless(),
            "the opposite conversion, which works": build_conversion("serverless", "instances", dict(BOTH)),
        },
    },
    "SUS_PROVISIONED_CONCURRENCY": {
        "pass": FINE,
        "fail": {"two provisioned workers": WARM},
        "unknown": {"known after apply": build_serverless(serverless_config={"provisioned_concurrency": UNKNOWN})},
        "not_applicable": NOT_SERVERLESS,
    },
    "SUS_PROVISIONED_CONCURRENCY_SCALES": {
        "pass": {"by utilization": add_tracking_policy(SCALED, **USED)},
        "fail": {
            "no target": WARM,
            "a target of instances": add_tracking_policy(add_target(WARM), **USED),
            "no policy": SCALED,
            "a metric of instances": add_tracking_policy(SCALED, **REQUESTS),
        },
        "unknown": {
            "a dimension known after apply": add_target(WARM, scalable_dimension=UNKNOWN),
            "a target of an unknown endpoint": {
                **WARM,
                TARGET: {"service_namespace": "sagemaker", "resource_id": UNKNOWN},
            },
        },
        "not_applicable": FINE,
    },
}
