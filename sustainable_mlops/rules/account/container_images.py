"""Container images for training and serving."""

from collections.abc import Iterator
from typing import Any

from sustainable_mlops.plan import UNKNOWN, PipelineStep, Plan, PlannedPipeline, Resource
from sustainable_mlops.plan.values import Sensitive
from sustainable_mlops.rules import ml_evidence
from sustainable_mlops.rules.attributes import NOT_KNOWN, check_value
from sustainable_mlops.rules.jobs import PIPELINE, TRAINING_JOB, TUNING_JOB, check_steps, locate_step
from sustainable_mlops.rules.ml_evidence import REPOSITORY
from sustainable_mlops.rules.rule import RuleResult, RuleResults, Severity, failure, rule, success, unknown_result

LIFECYCLE_POLICY = "aws_ecr_lifecycle_policy"
_IMAGE_TYPES = (
    "aws_sagemaker_algorithm", "aws_sagemaker_data_quality_job_definition", "aws_sagemaker_image_version",
    "aws_sagemaker_model", "aws_sagemaker_monitoring_schedule", PIPELINE, TRAINING_JOB, TUNING_JOB,
)  # fmt: skip
#: Attributes that name an image, in Terraform and in requests.
_IMAGE_ATTRIBUTES = frozenset(
    {"base_image", "image", "image_uri", "training_image", "Image", "ImageUri", "TrainingImage"}
)
#: AWS images without a tag (developer guide, "Amazon SageMaker Model Monitor prebuilt container").
_UNTAGGED = ("sagemaker-model-monitor-analyzer",)


@rule(
    id="SUS_ECR_LIFECYCLE",
    severity=Severity.WARN,
    title="An image repository should expire old images",
    problem="An image repository keeps old images",
    practices=("44",),
    fix="Add an aws_ecr_lifecycle_policy that expires untagged images and keeps the last few tagged ones.",
    types=(REPOSITORY,),
)
def image_expiration(plan: Plan, repository: Resource) -> RuleResults:
    """Check repositories that SageMaker uses or that mention machine learning; their images have gigabytes."""
    if not ml_evidence.is_ml(plan, repository):
        return
    policies = plan.joins.find_sources(repository, LIFECYCLE_POLICY, "repository")
    has_policy = True if policies.certain else UNKNOWN if policies.possible else False
    yield check_value(has_policy, "lifecycle_policy", lambda is_set: is_set, "the repository keeps every image forever")


@rule(
    id="SUS_IMAGE_VERSION",
    severity=Severity.WARN,
    title="An image should be referenced with its version",
    problem="An image is referenced without its version",
    practices=("47",),
    fix="Reference the image by its digest (@sha256:…), or by a tag that never moves.",
    types=_IMAGE_TYPES,
)
def image_has_a_version(plan: Plan, resource: Resource) -> RuleResults:
    """Check that the image has a version.

    Otherwise the latest push runs, no plan shows the change, and no run is repeatable.
    """
    if resource.type == PIPELINE:
        yield from _check_step_images(plan, resource)
    else:
        for path, image in _list_images(resource.after or {}, ""):
            yield _check_image(image, path)


@check_steps("ClarifyCheck", "Model", "Processing", "QualityCheck", "RegisterModel", "Training", "Tuning")
def _check_step_images(pipeline: PlannedPipeline, step: PipelineStep) -> RuleResults:
    for path, image in _list_images(step.arguments, locate_step(step)):
        yield _check_image(pipeline.resolve(image), path)


def _list_images(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Yield every image below `value` with its location."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    blocks = isinstance(value, list) and any(isinstance(item, dict) for item in value)
    for key, below in inner:
        location = f"{path}.{key}" if path else str(key)
        if (key in _IMAGE_ATTRIBUTES and not isinstance(below, list)) or (blocks and below is UNKNOWN):
            yield from [(location, below)] if below not in (None, "") else []
        else:
            yield from _list_images(below, location)


def _check_image(image: Any, path: str) -> RuleResult:
    if not isinstance(image, str) or isinstance(image, Sensitive):
        return unknown_result(f"the image is {NOT_KNOWN}", path)
    name, _, tag = image.rsplit("/", 1)[-1].partition(":")
    if "@" in name or (tag and tag != "latest") or name in _UNTAGGED:
        return success()
    reason = "the tag is latest" if tag else "the image has no tag, which means latest"
    return failure(f"{image}: {reason}, and its content can change without a plan", path)
