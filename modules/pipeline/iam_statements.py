"""What a pipeline needs of its role: to start its steps' jobs, and to hand on their roles."""

from collections.abc import Iterable
from typing import Any

from modules.iam_statements import ArnLocation, StatementsByPhase, build_statement, equals
from modules.pipeline.inputs import Inputs
from sustainable_mlops.authoring.expressions import flatten, list_of

#: Kind of resource in an ARN to the API's noun.
JOBS = {
    "hyper-parameter-tuning-job": "HyperParameterTuningJob",
    "processing-job": "ProcessingJob",
    "training-job": "TrainingJob",
    "transform-job": "TransformJob",
}


def build_statements(var: Inputs) -> StatementsByPhase:
    """The statements of the pipeline's role but for those that follow from what its steps name: roles, groups, S3."""
    return {"pipeline": [run_jobs(job_arns(var, var.name_prefix))]}


def pipeline_name(var: Inputs) -> str:
    """The name of the pipeline."""
    return f"{var.name_prefix}-{var.name}"


def job_arns(at: ArnLocation, name_prefix: str) -> list[str]:
    """ARNs of what a pipeline starts: SageMaker names it pipelines-…; a custom prefix must be the environment's."""
    account = f"arn:{at.partition}:sagemaker:{at.region}:{at.account_id}"
    return flatten(
        list_of(
            [*JOBS, "model"], lambda kind: [f"{account}:{kind}/{name}" for name in ("pipelines-*", f"{name_prefix}-*")]
        )
    )


def run_jobs(resources: Iterable[str]) -> dict[str, Any]:
    """Starting, following and stopping the jobs and models with these ARNs."""
    of_jobs = (f"sagemaker:{verb}{noun}" for noun in JOBS.values() for verb in ("Create", "Describe", "Stop"))
    return build_statement(
        "Steps",
        sorted([*of_jobs, "sagemaker:AddTags", "sagemaker:CreateModel", "sagemaker:DescribeModel"]),
        resources,
    )


def pass_roles(role_arns: Iterable[str]) -> dict[str, Any]:
    """Giving these roles to the jobs of steps, and to nobody but SageMaker."""
    return build_statement(
        "HandOnRoles", ["iam:PassRole"], role_arns, equals("iam:PassedToService", "sagemaker.amazonaws.com")
    )
