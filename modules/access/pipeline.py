"""What a pipeline may start, register and hand its roles to."""

from typing import Any

from modules.access import policy
from sustainable_mlops.authoring.resources import Module, strings

#: Kind of resource in an ARN to the API's noun.
JOBS = {
    "hyper-parameter-tuning-job": "HyperParameterTuningJob",
    "processing-job": "ProcessingJob",
    "training-job": "TrainingJob",
    "transform-job": "TransformJob",
}


def add(module: Module[Any]) -> None:
    """Add the policies `orchestration`, `pass_role` and `registration`."""
    pipeline = 'setintersection(local.phases, ["pipeline"])'
    kinds = ", ".join(f'"{kind}"' for kind in [*JOBS, "model"])
    names = ", ".join(
        f'"${{local.sagemaker_arn}}:${{kind}}/{name}"' for name in ("pipelines-*", "${var.name_prefix}-*")
    )
    module.local(
        "own_jobs",
        f"${{flatten([for kind in [{kinds}] : [{names}]])}}",
        why="SageMaker names what a pipeline starts pipelines-…; a custom prefix must be the environment's.",
    )
    policy.add(
        module,
        "orchestration",
        why="Jobs and models of pipelines, nobody else's.",
        phases=pipeline,
        statement=[
            {
                "sid": "Steps",
                "actions": sorted(
                    [
                        *(
                            f"sagemaker:{verb}{noun}"
                            for noun in JOBS.values()
                            for verb in ("Create", "Describe", "Stop")
                        ),
                        "sagemaker:AddTags",
                        "sagemaker:CreateModel",
                        "sagemaker:DescribeModel",
                    ]
                ),
                "resources": strings("local.own_jobs"),
            }
        ],
    )
    policy.add(
        module,
        "pass_role",
        why="Only the roles of data preparation and training are handed on, and only to SageMaker.",
        phases=pipeline,
        statement=[
            {
                "sid": "HandOnRoles",
                "actions": ["iam:PassRole"],
                "resources": ["${local.role_arns.data_preparation}", "${local.role_arns.training}"],
                "condition": [
                    {"test": "StringEquals", "variable": "iam:PassedToService", "values": ["sagemaker.amazonaws.com"]}
                ],
            },
        ],
    )
    groups = ", ".join(
        f'"${{local.sagemaker_arn}}:{kind}"' for kind in ("model-package-group/${name}", "model-package/${name}/*")
    )
    policy.add(
        module,
        "registration",
        why="Registers candidates; approval is left to people.",
        phases=f"length(var.model_package_group_names) > 0 ? {pipeline} : toset([])",
        statement=[
            {
                "sid": "Register",
                "actions": [
                    "sagemaker:AddTags",
                    "sagemaker:CreateModelPackage",
                    "sagemaker:DescribeModelPackage",
                    "sagemaker:DescribeModelPackageGroup",
                    "sagemaker:ListModelPackages",
                ],
                "resources": strings(f"flatten([for name in var.model_package_group_names : [{groups}]])"),
            }
        ],
    )
