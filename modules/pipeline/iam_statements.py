"""IAM statements that a pipeline needs in its role: to run the jobs of its steps, and to pass their roles."""

from collections.abc import Iterable
from typing import Any

from modules.iam_statements import ArnLocation, StatementsByPhase, build_statement, equals
from modules.pipeline.inputs import Inputs
from sustainable_mlops.authoring.expressions import flatten, list_of

#: API nouns by the resource type in an ARN.
JOBS = {
    "hyper-parameter-tuning-job": "HyperParameterTuningJob",
    "processing-job": "ProcessingJob",
    "training-job": "TrainingJob",
    "transform-job": "TransformJob",
}


def build_statements(var: Inputs) -> StatementsByPhase:
    """Return the statements of the pipeline's role, without those for the roles, groups and S3 paths of its steps."""
    return {"pipeline": [run_jobs(list_job_arns(var, var.name_prefix))]}


def format_pipeline_name(var: Inputs) -> str:
    """Return the name of the pipeline."""
    return f"{var.name_prefix}-{var.name}"


def list_job_arns(at: ArnLocation, name_prefix: str) -> list[str]:
    """Return the ARNs of a pipeline's jobs and models: named pipelines-… by SageMaker, or with `name_prefix`."""
    account = f"arn:{at.partition}:sagemaker:{at.region}:{at.account_id}"
    return flatten(
        list_of(
            [*JOBS, "model"], lambda kind: [f"{account}:{kind}/{name}" for name in ("pipelines-*", f"{name_prefix}-*")]
        )
    )


def run_jobs(resources: Iterable[str]) -> dict[str, Any]:
    """Return the statement to start, describe and stop the jobs and models with these ARNs."""
    of_jobs = (f"sagemaker:{verb}{noun}" for noun in JOBS.values() for verb in ("Create", "Describe", "Stop"))
    return build_statement(
        "Steps",
        sorted([*of_jobs, "sagemaker:AddTags", "sagemaker:CreateModel", "sagemaker:DescribeModel"]),
        resources,
    )


def pass_roles(role_arns: Iterable[str]) -> dict[str, Any]:
    """Return the statement to pass these roles to SageMaker only."""
    return build_statement(
        "HandOnRoles", ["iam:PassRole"], role_arns, equals("iam:PassedToService", "sagemaker.amazonaws.com")
    )
