"""What a pipeline may start, register and hand its roles to."""

from modules.access import policy
from modules.access.inputs import Inputs
from modules.model_registry import needs as model_registry
from modules.needs import equals
from sustainable_mlops.authoring.expressions import each_of, flatten, length, list_of, set_of, shared, when
from sustainable_mlops.authoring.resources import Module

#: Kind of resource in an ARN to the API's noun.
JOBS = {
    "hyper-parameter-tuning-job": "HyperParameterTuningJob",
    "processing-job": "ProcessingJob",
    "training-job": "TrainingJob",
    "transform-job": "TransformJob",
}


def add(module: Module[Inputs]) -> None:
    """Add the policies `orchestration`, `pass_role` and `registration`."""
    var, local = module.var, module.locals
    pipeline = shared(local.phases, ["pipeline"])
    own_jobs = module.local(
        "own_jobs",
        flatten(
            list_of(
                [*JOBS, "model"],
                lambda kind: [
                    f"{local.sagemaker_arn}:{kind}/{name}" for name in ("pipelines-*", f"{var.name_prefix}-*")
                ],
            )
        ),
        why="SageMaker names what a pipeline starts pipelines-…; a custom prefix must be the environment's.",
    )
    policy.add(
        module,
        "orchestration",
        why="Jobs and models of pipelines, nobody else's.",
        phases=each_of(pipeline),
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
                "resources": own_jobs,
            }
        ],
    )
    policy.add(
        module,
        "pass_role",
        why="Only the roles of data preparation and training are handed on, and only to SageMaker.",
        phases=each_of(pipeline),
        statement=[
            {
                "sid": "HandOnRoles",
                "actions": ["iam:PassRole"],
                "resources": [local.role_arns["data_preparation"], local.role_arns["training"]],
                "condition": [equals("iam:PassedToService", "sagemaker.amazonaws.com")],
            },
        ],
    )
    nobody: set[str] = set()
    policy.add(
        module,
        "registration",
        why="Registers candidates; approval is left to people.",
        phases=each_of(when(length(var.model_package_group_names) > 0, pipeline, set_of(nobody))),
        statement=[model_registry.registration(var.model_package_group_names, var)],
    )
