"""Jobs and pipelines for the tables of cases."""

from collections.abc import Mapping
from typing import Any

UNKNOWN = "(known after apply)"

Resources = dict[str, Mapping[str, Any]]


def build_job(**settings: Any) -> Resources:
    """Return a training job on one instance, with these settings."""
    resources = {"instance_type": "ml.m5.xlarge", "instance_count": 1, **settings.pop("resource_config", {})}
    return {"aws_sagemaker_training_job.j": {"training_job_name": "delay", "resource_config": resources, **settings}}


def build_tuning(**config: Any) -> Resources:
    """Return a tuning job with this configuration."""
    return {"aws_sagemaker_hyper_parameter_tuning_job.t": {"name": "delay", "config": config}}


def build_tuning_definition(**definition: Any) -> Resources:
    """Return a tuning job with this training job definition."""
    return {"aws_sagemaker_hyper_parameter_tuning_job.t": {"name": "delay", "training_job_definition": definition}}


def build_step(kind: str, arguments: Mapping[str, Any] | None = None, name: str = "", **more: Any) -> dict[str, Any]:
    """Return a step of a pipeline. Without a name it is named like its type."""
    return {"Name": name or kind, "Type": kind, "Arguments": arguments or {}, **more}


def build_pipeline(
    *steps: Mapping[str, Any], parameters: list[Mapping[str, Any]] | None = None, **more: Any
) -> Resources:
    """Return a pipeline of these steps."""
    definition = {"Version": "2020-12-01", "Parameters": parameters or [], "Steps": list(steps)}
    return {"aws_sagemaker_pipeline.p": {"pipeline_name": "delay", "pipeline_definition": definition, **more}}


def build_training_pipeline(**arguments: Any) -> Resources:
    """Return a pipeline with one training step."""
    return build_pipeline(build_step("Training", arguments, name="Train"))


#: A pipeline whose definition is known only after apply, and one whose definition is not in the plan.
HIDDEN: dict[str, Resources] = {
    "unknown definition": {"aws_sagemaker_pipeline.p": {"pipeline_name": "p", "pipeline_definition": UNKNOWN}},
    "a definition in S3": {
        "aws_sagemaker_pipeline.p": {
            "pipeline_name": "p",
            "pipeline_definition_s3_location": {"bucket": "pipelines", "object_key": "p.json"},
        }
    },
}
#: A pipeline without any step that trains or releases a model.
IDLE: dict[str, Resources] = {"no such step": build_pipeline(build_step("Lambda"))}
