"""Paths of findings: the wrong or unknown attribute, not its neighbour."""

from collections.abc import Mapping
from typing import Any

from sustainable_mlops.rules import BY_ID, Outcome, evaluate
from tests.cases import check_cases
from tests.rules import plan_builder
from tests.rules.jobs import (
    UNKNOWN,
    build_job,
    build_pipeline,
    build_step,
    build_training_pipeline,
    build_tuning_definition,
)

ACTION_RULES = [{"rule_configuration_name": "loss", "rule_parameters": {"action_json": "{}"}}]
RUNTIME = "stopping_condition.0.max_runtime_in_seconds"
ARM = {"InstanceType": "ml.c7g.xlarge", "InstanceCount": 1}


def build_spot_job(**stopping: Any) -> plan_builder.Values:
    return build_job(enable_managed_spot_training=True, stopping_condition=stopping)


@check_cases(
    ("rule", "resources", "path"),
    [
        ("SUS_DEBUGGER_ACTION", build_job(debug_rule_configurations=ACTION_RULES, vpc_config=UNKNOWN), "vpc_config"),
        (
            "SUS_DEBUGGER_ACTION",
            build_job(debug_rule_configurations=ACTION_RULES, enable_network_isolation=UNKNOWN),
            "enable_network_isolation",
        ),
        ("SUS_SPOT_WAIT", build_spot_job(max_runtime_in_seconds=UNKNOWN, max_wait_time_in_seconds=60), RUNTIME),
        (
            "SUS_JOB_GRAVITON",
            build_tuning_definition(hyper_parameter_tuning_resource_config={"instance_type": "ml.c7g.xlarge"}),
            "training_job_definition.0.hyper_parameter_tuning_resource_config.0.instance_type",
        ),
        (
            "SUS_JOB_GRAVITON",
            build_pipeline(
                build_step(
                    "Tuning",
                    {"TrainingJobDefinition": {"HyperParameterTuningResourceConfig": {"InstanceConfigs": [ARM]}}},
                )
            ),
            "Steps.Tuning.TrainingJobDefinition.HyperParameterTuningResourceConfig.InstanceConfigs",
        ),
        (
            "SUS_JOB_GRAVITON",
            build_training_pipeline(ResourceConfig={"InstancePreferences": [ARM]}),
            "Steps.Train.ResourceConfig.InstancePreferences",
        ),
        (
            "SUS_NEURON_IMAGE",
            build_job(resource_config={"instance_type": UNKNOWN}, algorithm_specification={"training_image": "x"}),
            "resource_config.0.instance_type",
        ),
    ],
)
def test_a_finding_has_the_path_of_its_attribute(
    rule: str, resources: Mapping[str, plan_builder.Values], path: str
) -> None:
    findings = [f for f in evaluate(plan_builder.build_plan(resources), [BY_ID[rule]]) if f.outcome is not Outcome.PASS]
    assert [finding.path for finding in findings] == [path]
