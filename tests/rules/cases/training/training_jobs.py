"""Cases of rules/training/training_jobs.py."""

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

_DLC = "763104351884.dkr.ecr.eu-north-1.amazonaws.com"
_GPU = {"instance_type": "ml.g5.xlarge"}
_TRN = {"instance_type": "ml.trn1.2xlarge"}
_DAY = 86_400
_PREFERENCES = [{"InstanceType": "ml.m5.xlarge"}, {"InstanceType": "ml.m7g.xlarge"}]

CASES = {
    "SUS_TRAINING_RUNTIME_CAP": {
        "pass": {
            "job": build_job(stopping_condition={"max_runtime_in_seconds": 3600}),
            "tuning job": build_tuning_definition(stopping_condition={"max_runtime_in_seconds": 3600}),
            "step": build_training_pipeline(StoppingCondition={"MaxRuntimeInSeconds": 3600}),
            "step with a parameter": build_pipeline(
                build_step("Training", {"StoppingCondition": {"MaxRuntimeInSeconds": {"Get": "Parameters.Cap"}}}),
                parameters=[{"Name": "Cap", "Type": "Integer", "DefaultValue": 600}],
            ),
        },
        "fail": {
            "no cap": build_job(),
            "no cap in a step": build_training_pipeline(),
            "the maximum": build_job(stopping_condition={"max_runtime_in_seconds": 28 * _DAY}),
            "one of a tuning step's definitions": build_pipeline(
                build_step(
                    "Tuning", {"TrainingJobDefinitions": [{"StoppingCondition": {"MaxRuntimeInSeconds": 9}}, {}]}
                )
            ),
        },
        "unknown": {"unknown limit": build_job(stopping_condition={"max_runtime_in_seconds": UNKNOWN}), **HIDDEN},
        "not_applicable": IDLE,
    },
    "SUS_JOB_GRAVITON": {
        "pass": {"x86": build_job(), "GPU with a g": build_job(resource_config={"instance_type": "ml.g4dn.xlarge"})},
        "fail": {
            "job": build_job(resource_config={"instance_type": "ml.c7g.xlarge"}),
            "step": build_training_pipeline(ResourceConfig={"InstanceType": "ml.m6gd.large"}),
            "one group": build_job(
                resource_config={
                    "instance_type": None,
                    "instance_groups": [{"instance_type": "ml.m5.large"}, {"instance_type": "ml.r7gd.large"}],
                }
            ),
            "tuning": build_tuning_definition(
                hyper_parameter_tuning_resource_config={"instance_type": "ml.c6gn.xlarge"}
            ),
            "second preference": build_training_pipeline(ResourceConfig={"InstancePreferences": _PREFERENCES}),
        },
        "unknown": {"unknown type": build_job(resource_config={"instance_type": UNKNOWN}), **HIDDEN},
        "not_applicable": {"no instances": build_job(resource_config={"instance_type": None}), **IDLE},
    },
    "SUS_TRAINING_TRAINIUM": {
        "pass": {"trn1": build_job(resource_config=_TRN)},
        "fail": {
            "g5": build_job(resource_config=_GPU),
            "p5 in a step": build_training_pipeline(ResourceConfig={"InstanceType": "ml.p5.48xlarge"}),
            "g5 by preference": build_training_pipeline(
                ResourceConfig={"InstancePreferences": [{"InstanceType": "ml.g5.xlarge"}]}
            ),
        },
        "unknown": {
            "unknown type": build_job(resource_config={"instance_type": UNKNOWN}),
            "one of two types unknown": build_job(
                resource_config={"instance_groups": [{"instance_type": "ml.g5.xlarge"}, {"instance_type": UNKNOWN}]}
            ),
            **HIDDEN,
        },
        "not_applicable": {"CPU": build_job(), **IDLE},
    },
    "SUS_NEURON_IMAGE": {
        "pass": {
            "Neuron image": build_job(
                resource_config=_TRN, algorithm_specification={"training_image": f"{_DLC}/pytorch-training-neuronx:2.8"}
            )
        },
        "fail": {
            "GPU image": build_job(
                resource_config=_TRN, algorithm_specification={"training_image": f"{_DLC}/pytorch-training:2.8-gpu"}
            )
        },
        "unknown": {
            "unknown image": build_job(resource_config=_TRN, algorithm_specification={"training_image": UNKNOWN}),
            **HIDDEN,
        },
        "not_applicable": {
            "CPU": build_job(algorithm_specification={"training_image": f"{_DLC}/pytorch-training:2.8-cpu"}),
            "a custom image": build_job(
                resource_config=_TRN,
                algorithm_specification={"training_image": "123456789012.dkr.ecr.eu-north-1.amazonaws.com/mine:1"},
            ),
            **IDLE,
        },
    },
    "SUS_PRETRAINED_MODEL": {
        "pass": {
            "tag": build_job(resource_config=_GPU, tags={"model-origin": "jumpstart"}),
            "hyperparameter": build_job(resource_config=_GPU, hyper_parameters={"model-origin": "bert"}),
            "tag of a step": build_training_pipeline(
                ResourceConfig={"InstanceType": "ml.p4d.24xlarge"}, Tags=[{"Key": "model-origin", "Value": "scratch"}]
            ),
            "serverless fine-tuning": build_job(serverless_job_config={"job_type": "FINE_TUNING", "peft": "LORA"}),
            "fixed hyperparameter of a tuning step": build_pipeline(
                build_step(
                    "Tuning",
                    {
                        "TrainingJobDefinition": {
                            "ResourceConfig": {"InstanceType": "ml.g5.xlarge"},
                            "StaticHyperParameters": {"model-origin": "bert"},
                        }
                    },
                )
            ),
        },
        "fail": {
            "GPU without an origin": build_job(resource_config=_GPU),
            "Trainium without an origin": build_job(resource_config=_TRN),
        },
        "unknown": {
            "unknown type": build_job(resource_config={"instance_type": UNKNOWN}),
            "unknown hyperparameters": build_job(resource_config=_GPU, hyper_parameters=UNKNOWN),
            **HIDDEN,
        },
        "not_applicable": {"CPU": build_job(), **IDLE},
    },
    "SUS_TRAINING_DISTRIBUTED": {
        "pass": {
            "torchrun": build_job(
                resource_config={"instance_count": 2},
                algorithm_specification={"training_image": f"{_DLC}/pytorch-training:2.8"},
                hyper_parameters={"sagemaker_program": "train.py", "sagemaker_torch_distributed_enabled": "true"},
            )
        },
        "fail": {
            "no distribution": build_job(
                resource_config={"instance_count": 2},
                algorithm_specification={"training_image": f"{_DLC}/pytorch-training:2.8"},
                hyper_parameters={"sagemaker_program": "train.py"},
            )
        },
        "unknown": {
            "unknown count": build_job(resource_config={"instance_count": UNKNOWN}),
            "unknown image": build_job(
                resource_config={"instance_count": 2}, algorithm_specification={"training_image": UNKNOWN}
            ),
            **HIDDEN,
        },
        "not_applicable": {
            "one instance": build_job(),
            "XGBoost, which distributes its work": build_job(
                resource_config={"instance_count": 2},
                algorithm_specification={"training_image": "1.dkr.ecr.eu-north-1.amazonaws.com/xgboost:3.0-5"},
                hyper_parameters={"sagemaker_program": "train.py"},
            ),
            **IDLE,
        },
    },
    "SUS_DEBUGGER_RULES": {
        "pass": "the rule does not apply to jobs without such rules",
        "fail": {
            "job": build_job(
                debug_rule_configurations=[{"rule_configuration_name": "Overfit", "rule_evaluator_image": "i"}]
            ),
            "step": build_training_pipeline(
                DebugRuleConfigurations=[{"RuleConfigurationName": "Overfit", "RuleEvaluatorImage": "i"}]
            ),
        },
        "unknown": {"unknown": build_job(debug_rule_configurations=UNKNOWN), **HIDDEN},
        "not_applicable": {"none": build_job(), **IDLE},
    },
    "SUS_PROFILER_RULES": {
        "pass": "the rule does not apply to jobs without such rules",
        "fail": {
            "step": build_training_pipeline(ProfilerRuleConfigurations=[{"RuleConfigurationName": "ProfilerReport"}])
        },
        "unknown": {"unknown": build_job(profiler_rule_configurations=UNKNOWN), **HIDDEN},
        "not_applicable": {"none": build_job(), **IDLE},
    },
    "SUS_INTER_CONTAINER_ENCRYPTION": {
        "pass": {
            "two instances": build_job(
                resource_config={"instance_count": 2}, enable_inter_container_traffic_encryption=True
            )
        },
        "fail": {"one instance": build_job(enable_inter_container_traffic_encryption=True)},
        "unknown": {
            "unknown count": build_job(
                resource_config={"instance_count": UNKNOWN}, enable_inter_container_traffic_encryption=True
            ),
            **HIDDEN,
        },
        "not_applicable": {"off": build_job(), **IDLE},
    },
}
