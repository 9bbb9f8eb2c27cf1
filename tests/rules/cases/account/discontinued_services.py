"""Cases of rules/account/discontinued_services.py."""

from typing import Any

from tests.rules.case_tables import CaseTable, RuleCase
from tests.rules.endpoints import UNKNOWN, Resources, build_asynchronous, build_real_time, build_serverless

DLC = "763104351884.dkr.ecr.eu-north-1.amazonaws.com"
COMPILER = "sagemaker_training_compiler_enabled"
ACTING = {"rule_configuration_name": "loss", "rule_parameters": {"action_json": '{"name": "stoptraining"}'}}
WATCHING = {"rule_configuration_name": "loss", "rule_parameters": {"patience": "5"}}
VPC = {"subnets": ["subnet-1"], "security_group_ids": ["sg-1"]}


def build_old_job(**values: Any) -> Resources:
    """Return a training job."""
    return {"aws_sagemaker_training_job.t": {"training_job_name": "t", **values}}


def build_old_pipeline(*steps: dict[str, Any]) -> Resources:
    """Return a pipeline of these steps."""
    return {"aws_sagemaker_pipeline.p": {"pipeline_definition": {"Version": "2020-12-01", "Steps": list(steps)}}}


def build_training_step(**arguments: Any) -> dict[str, Any]:
    """Return a training step."""
    return {"Name": "Train", "Type": "Training", "Arguments": arguments}


def build_hosting_pipeline(**variant: Any) -> Resources:
    """Return a pipeline with an endpoint configuration of one variant."""
    return build_old_pipeline(
        {"Name": "Host", "Type": "EndpointConfig", "Arguments": {"ProductionVariants": [{"ModelName": "m", **variant}]}}
    )


def build_glue_job(command: str, name: str = "sagemaker-features") -> Resources:
    """Return a Glue job."""
    return {"aws_glue_job.j": {"name": name, "command": {"name": command}}}


UNREAD = {"a pipeline known after apply": {"aws_sagemaker_pipeline.p": {"pipeline_definition": UNKNOWN}}}
NO_TRAINING = {"a pipeline that trains nothing": build_old_pipeline({"Name": "Stop", "Type": "Fail", "Arguments": {}})}

CASES: CaseTable = {
    "SUS_EDGE_MANAGER": {
        "pass": "every resource of an ended service fails",
        "fail": {
            "a device fleet": {"aws_sagemaker_device_fleet.f": {"device_fleet_name": "f"}},
            "a device": {
                "aws_sagemaker_device.d": {"device_fleet_name": "${aws_sagemaker_device_fleet.f.device_fleet_name}"},
                "aws_sagemaker_device_fleet.f": {"device_fleet_name": "f"},
            },
        },
        "unknown": "the resource type is always known",
        "not_applicable": {"another resource type": build_real_time()},
    },
    "SUS_ELASTIC_INFERENCE": {
        "pass": {"none": build_real_time(), "as read back": build_real_time(variant={"accelerator_type": ""})},
        "fail": {
            "an accelerator": build_real_time(variant={"accelerator_type": "ml.eia2.medium"}),
            "a step": build_hosting_pipeline(InstanceType="ml.m5.large", AcceleratorType="ml.eia2.medium"),
        },
        "unknown": {
            "from another resource": {
                **build_real_time(variant={"accelerator_type": "${aws_ssm_parameter.a.value}"}),
                "aws_ssm_parameter.a": {},
            },
            **UNREAD,
        },
        "not_applicable": NO_TRAINING,
    },
    "SUS_ELASTIC_INFERENCE_NOTEBOOK": {
        "pass": {"none": {"aws_sagemaker_notebook_instance.n": {"instance_type": "ml.t3.medium"}}},
        "fail": {
            "one": {
                "aws_sagemaker_notebook_instance.n": {
                    "accelerator_types": ["ml.eia1.medium"],
                    "role_arn": "${aws_iam_role.r.arn}",
                },
                "aws_iam_role.r": {"name": "notebook"},
            }
        },
        "unknown": {"known after apply": {"aws_sagemaker_notebook_instance.n": {"accelerator_types": UNKNOWN}}},
        "not_applicable": {"another resource type": build_real_time()},
    },
    "SUS_INF1": {
        "pass": {
            "Inferentia 2": build_real_time(variant={"instance_type": "ml.inf2.xlarge"}),
            "a step": build_hosting_pipeline(InstanceType="ml.inf2.xlarge"),
        },
        "fail": {
            "Inferentia 1": build_asynchronous(variant={"instance_type": "ml.inf1.xlarge"}),
            "a step": build_hosting_pipeline(InstanceType="ml.inf1.xlarge"),
        },
        "unknown": {
            "known after apply": build_real_time(variant={"instance_type": UNKNOWN}),
            "a step's, known when it runs": build_hosting_pipeline(
                InstanceType={"Get": "Steps.Choose.OutputParameters['type']"}
            ),
            "a step's variants, known when it runs": build_old_pipeline(
                {"Name": "Host", "Type": "EndpointConfig", "Arguments": {"ProductionVariants": {"Get": "Steps.X.Y"}}}
            ),
            **UNREAD,
        },
        "not_applicable": {"a serverless endpoint": build_serverless(), **NO_TRAINING},
    },
    "SUS_TRAINING_COMPILER": {
        "pass": {
            "without": build_old_job(hyper_parameters={"epochs": "3"}),
            "turned off": build_old_job(hyper_parameters={COMPILER: "false"}),
            "a step without": build_old_pipeline(build_training_step(HyperParameters={"epochs": "3"})),
        },
        "fail": {
            "a recommendation job": build_old_job(hyper_parameters={COMPILER: '"true"'}),
            "a variable": build_old_job(environment={f"SM_HP_{COMPILER.upper()}": "true"}),
            "a step": build_old_pipeline(build_training_step(HyperParameters={COMPILER: "true"})),
            "its image": build_old_job(
                algorithm_specification={"training_image": f"{DLC}/huggingface-pytorch-trcomp-training:1.13"}
            ),
            "a tuning step": build_old_pipeline(
                {
                    "Name": "Tune",
                    "Type": "Tuning",
                    "Arguments": {"TrainingJobDefinition": {"StaticHyperParameters": {COMPILER: "true"}}},
                }
            ),
        },
        "unknown": {
            **UNREAD,
            "hyperparameters known after apply": build_old_job(hyper_parameters=UNKNOWN),
            "image known after apply": build_old_job(algorithm_specification={"training_image": UNKNOWN}),
        },
        "not_applicable": NO_TRAINING,
    },
    "SUS_DEBUGGER_ACTION": {
        "pass": {"an action that can stop the job": build_old_job(debug_rule_configurations=[ACTING])},
        "fail": {
            "network isolation": build_old_job(
                debug_rule_configurations=[WATCHING, ACTING], enable_network_isolation=True
            ),
            "a VPC": build_old_job(debug_rule_configurations=[ACTING], vpc_config=VPC),
            "spot": build_old_job(debug_rule_configurations=[ACTING], enable_managed_spot_training=True),
            "a profiler rule": build_old_job(profiler_rule_configurations=[ACTING]),
            "a step": build_old_pipeline(
                build_training_step(
                    EnableNetworkIsolation=True, DebugRuleConfigurations=[{"RuleParameters": {"action_json": "{}"}}]
                )
            ),
        },
        "unknown": {
            **UNREAD,
            "rules known after apply": build_old_job(debug_rule_configurations=UNKNOWN),
            "isolation known after apply": build_old_job(
                debug_rule_configurations=[ACTING], enable_network_isolation=UNKNOWN
            ),
            "VPC known after apply": build_old_job(debug_rule_configurations=[ACTING], vpc_config=UNKNOWN),
        },
        "not_applicable": {**NO_TRAINING, "rules without actions": build_old_job(debug_rule_configurations=[WATCHING])},
    },
    "SUS_MODEL_MONITOR": {
        "pass": "every resource of Model Monitor fails",
        "fail": {"a schedule": {"aws_sagemaker_monitoring_schedule.s": {"name": "s"}}},
        "unknown": "the resource type is always known",
        "not_applicable": {"another resource type": build_real_time()},
    },
    "SUS_MONITOR_CHECK_STEP": {
        "pass": "every step of such a type fails",
        "fail": {
            "quality": build_old_pipeline({"Name": "Quality", "Type": "QualityCheck", "Arguments": {}}),
            "bias": build_old_pipeline({"Name": "Bias", "Type": "ClarifyCheck", "Arguments": {}}),
        },
        "unknown": UNREAD,
        "not_applicable": NO_TRAINING,
    },
    "SUS_STUDIO_CLASSIC_APP": {
        "pass": {"JupyterLab": {"aws_sagemaker_app.a": {"app_type": "JupyterLab"}}},
        "fail": {"a kernel gateway": {"aws_sagemaker_app.a": {"app_type": "KernelGateway"}}},
        "unknown": {"known after apply": {"aws_sagemaker_app.a": {"app_type": UNKNOWN}}},
        "not_applicable": {
            "an existing app": RuleCase(
                {"aws_sagemaker_app.a": {"app_type": "KernelGateway"}}, actions={"aws_sagemaker_app.a": "no-op"}
            )
        },
    },
    "SUS_STUDIO_CLASSIC_SETTINGS": {
        "pass": {"JupyterLab": {"aws_sagemaker_domain.d": {"default_user_settings": {"jupyter_lab_app_settings": {}}}}},
        "fail": {
            "a domain": {"aws_sagemaker_domain.d": {"default_user_settings": {"jupyter_server_app_settings": {}}}},
            "a space": {"aws_sagemaker_space.s": {"space_settings": {"kernel_gateway_app_settings": {}}}},
        },
        "unknown": {"known after apply": {"aws_sagemaker_domain.d": {"default_user_settings": UNKNOWN}}},
        "not_applicable": {"another resource type": build_real_time()},
    },
    "SUS_GLUE_RAY": {
        "pass": {"Spark": build_glue_job("glueetl")},
        "fail": {"Ray": build_glue_job("glueray")},
        "unknown": {"known after apply": build_glue_job(UNKNOWN)},
        "not_applicable": {"another workload": build_glue_job("glueray", name="invoices")},
    },
}
