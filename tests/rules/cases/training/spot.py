"""Cases of rules/training/spot.py."""

from tests.rules.jobs import (
    HIDDEN,
    IDLE,
    UNKNOWN,
    build_job,
    build_pipeline,
    build_step,
    build_training_pipeline,
    build_tuning_definition,
)

_HOUR = {"max_runtime_in_seconds": 3600, "max_wait_time_in_seconds": 7200}
_TYPES = [{"InstanceType": "ml.g5.xlarge"}, {"InstanceType": "ml.g6.xlarge"}]
_ADDRESS = {"s3_uri": "s3://data/checkpoints/delay"}


def _spot(**settings: object) -> dict[str, object]:
    return {"enable_managed_spot_training": True, **settings}


CASES = {
    "SUS_TRAINING_SPOT": {
        "pass": {
            "job": build_job(**_spot()),
            "step": build_training_pipeline(
                EnableManagedSpotTraining=True, ResourceConfig={"InstanceType": "ml.m5.large"}
            ),
        },
        "fail": {
            "on demand": build_job(),
            "step on demand": build_training_pipeline(ResourceConfig={"InstanceType": "ml.m5.large"}),
            "tuning on demand": build_tuning_definition(resource_config={"instance_type": "ml.m5.large"}),
        },
        "unknown": {"unknown": build_job(enable_managed_spot_training=UNKNOWN), **HIDDEN},
        "not_applicable": {
            "reserved capacity": build_job(
                resource_config={"training_plan_arn": "arn:aws:sagemaker:::training-plan/t"}
            ),
            "no instances": build_job(resource_config={"instance_type": None}, serverless_job_config={"job_type": "X"}),
            "several instance types, which spot does not support": build_training_pipeline(
                ResourceConfig={"InstancePreferences": [{"InstanceType": "ml.g5.xlarge"}]}
            ),
            **IDLE,
        },
    },
    "SUS_SPOT_WAIT": {
        "pass": {
            "longer": build_job(**_spot(stopping_condition=_HOUR)),
            "equal": build_training_pipeline(
                EnableManagedSpotTraining=True,
                StoppingCondition={"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 60},
            ),
        },
        "fail": {
            "no wait": build_job(**_spot(stopping_condition={"max_runtime_in_seconds": 3600})),
            "shorter": build_job(
                **_spot(stopping_condition={"max_runtime_in_seconds": 3600, "max_wait_time_in_seconds": 1800})
            ),
            "shorter than the default day": build_job(**_spot(stopping_condition={"max_wait_time_in_seconds": 3600})),
            "tuning step": build_pipeline(
                build_step("Tuning", {"TrainingJobDefinition": {"EnableManagedSpotTraining": True}})
            ),
        },
        "unknown": {
            "unknown wait": build_job(
                **_spot(stopping_condition={"max_runtime_in_seconds": 60, "max_wait_time_in_seconds": UNKNOWN})
            ),
            "unknown spot setting": build_job(enable_managed_spot_training=UNKNOWN),
            "unknown runtime": build_job(
                **_spot(stopping_condition={"max_runtime_in_seconds": UNKNOWN, "max_wait_time_in_seconds": 60})
            ),
            **HIDDEN,
        },
        "not_applicable": {"on demand": build_job(), **IDLE},
    },
    "SUS_SPOT_CHECKPOINT": {
        "pass": {
            "address": build_job(**_spot(checkpoint_config=_ADDRESS, stopping_condition=_HOUR)),
            "an address known after apply": build_job(**_spot(checkpoint_config={"s3_uri": UNKNOWN})),
            "a short job": build_job(
                **_spot(stopping_condition={"max_runtime_in_seconds": 600, "max_wait_time_in_seconds": 3600})
            ),
        },
        "fail": {
            "none": build_job(**_spot(stopping_condition=_HOUR)),
            "none in a step": build_training_pipeline(
                EnableManagedSpotTraining=True, StoppingCondition={"MaxWaitTimeInSeconds": 7200}
            ),
        },
        "unknown": {
            "unknown wait": build_job(**_spot(stopping_condition={"max_wait_time_in_seconds": UNKNOWN})),
            **HIDDEN,
        },
        "not_applicable": {"on demand": build_job(), **IDLE},
    },
    "SUS_SPOT_WARM_POOL": {
        "pass": "the rule does not apply to spot without a warm pool",
        "fail": {
            "both settings": build_job(**_spot(resource_config={"keep_alive_period_in_seconds": 600})),
            "both in a step": build_training_pipeline(
                EnableManagedSpotTraining=True, ResourceConfig={"KeepAlivePeriodInSeconds": 600}
            ),
        },
        "unknown": {
            "unknown period": build_job(**_spot(resource_config={"keep_alive_period_in_seconds": UNKNOWN})),
            "unknown spot setting": build_job(
                enable_managed_spot_training=UNKNOWN, resource_config={"keep_alive_period_in_seconds": 600}
            ),
            **HIDDEN,
        },
        "not_applicable": {
            "spot alone": build_job(**_spot()),
            "warm pool alone": build_job(resource_config={"keep_alive_period_in_seconds": 600}),
            "zero": build_job(**_spot(resource_config={"keep_alive_period_in_seconds": 0})),
            **IDLE,
        },
    },
    "SUS_SPOT_PREFERENCES": {
        "pass": "the rule does not apply to spot on one type",
        "fail": {
            "both settings": build_training_pipeline(
                EnableManagedSpotTraining=True, ResourceConfig={"InstancePreferences": _TYPES}
            )
        },
        "unknown": {
            "unknown spot setting": build_job(
                enable_managed_spot_training=UNKNOWN,
                resource_config={"instance_type": None, "instance_preferences": [{"instance_type": "ml.g5.xlarge"}]},
            ),
            "unknown preferences": build_job(**_spot(resource_config={"instance_preferences": UNKNOWN})),
            **HIDDEN,
        },
        "not_applicable": {
            "spot alone": build_job(**_spot()),
            "preferences alone": build_training_pipeline(ResourceConfig={"InstancePreferences": _TYPES}),
            **IDLE,
        },
    },
    "SUS_WARM_POOL_GROUPS": {
        "pass": "the rule does not apply to instances of one type",
        "fail": {
            "a warm pool": build_training_pipeline(
                ResourceConfig={"InstanceGroups": _TYPES, "KeepAlivePeriodInSeconds": 600}
            )
        },
        "unknown": {
            "unknown period": build_job(
                resource_config={
                    "instance_groups": [{"instance_type": "ml.m5.large"}],
                    "keep_alive_period_in_seconds": UNKNOWN,
                }
            ),
            "unknown groups": build_job(
                resource_config={"instance_groups": UNKNOWN, "keep_alive_period_in_seconds": 600}
            ),
            **HIDDEN,
        },
        "not_applicable": {
            "warm pool alone": build_job(resource_config={"keep_alive_period_in_seconds": 600}),
            "groups alone": build_training_pipeline(ResourceConfig={"InstanceGroups": _TYPES}),
            **IDLE,
        },
    },
    "SUS_WARM_POOL": {
        "pass": {"zero": build_job(resource_config={"keep_alive_period_in_seconds": 0})},
        "fail": {
            "a warm pool": build_job(resource_config={"keep_alive_period_in_seconds": 600}),
            "a warm pool in a step": build_training_pipeline(ResourceConfig={"KeepAlivePeriodInSeconds": 60}),
        },
        "unknown": {"unknown": build_job(resource_config={"keep_alive_period_in_seconds": UNKNOWN}), **HIDDEN},
        "not_applicable": {"none": build_job(), **IDLE},
    },
}
