"""Container images of training and serving."""

from collections.abc import Iterator
from typing import Any

from sustainable_mlops.plan import UNKNOWN, Pipeline, Plan, Resource, Step
from sustainable_mlops.plan.values import Sensitive
from sustainable_mlops.rules import relation
from sustainable_mlops.rules.jobs import PIPELINE, TRAINING_JOB, TUNING_JOB, on_steps, place
from sustainable_mlops.rules.reading import NOT_KNOWN, judge
from sustainable_mlops.rules.relation import REPOSITORY
from sustainable_mlops.rules.rule import Severity, Verdict, Verdicts, failed, passed, rule, unknown

LIFECYCLE_POLICY = "aws_ecr_lifecycle_policy"
_RUNS = (
    "aws_sagemaker_algorithm", "aws_sagemaker_data_quality_job_definition", "aws_sagemaker_image_version",
    "aws_sagemaker_model", "aws_sagemaker_monitoring_schedule", PIPELINE, TRAINING_JOB, TUNING_JOB,
)  # fmt: skip
#: Attributes that name an image, in Terraform and in requests.
_IMAGES = frozenset({"base_image", "image", "image_uri", "training_image", "Image", "ImageUri", "TrainingImage"})
#: Images of AWS that come without a tag (developer guide, "Amazon SageMaker Model Monitor prebuilt container").
_UNTAGGED = ("sagemaker-model-monitor-analyzer",)


@rule(
    id="SUS_ECR_LIFECYCLE",
    severity=Severity.WARN,
    title="Old images of models leave the repository",
    practices=("44",),
    fix="Add an aws_ecr_lifecycle_policy that expires untagged images and keeps the last few tagged ones.",
    types=(REPOSITORY,),
)
def old_images_go(plan: Plan, repository: Resource) -> Verdicts:
    """Of repositories that SageMaker takes an image from, or that say so; images of models weigh gigabytes."""
    if not relation.is_ml(plan, repository):
        return
    policies = plan.joins.sources(repository, LIFECYCLE_POLICY, "repository")
    there = True if policies.sure else UNKNOWN if policies.maybe else False
    yield judge(there, "lifecycle_policy", lambda kept: kept, "every image that was ever pushed is kept for ever")


@rule(
    id="SUS_IMAGE_VERSION",
    severity=Severity.WARN,
    title="An image is named with its version",
    practices=("47",),
    fix="Name the image by its digest (@sha256:…), or by a tag that is never moved.",
    types=_RUNS,
)
def image_has_a_version(plan: Plan, resource: Resource) -> Verdicts:
    """Else what runs is whatever was pushed last, no plan shows that it changes, and no run can be repeated."""
    if resource.type == PIPELINE:
        yield from _of_steps(plan, resource)
    else:
        for path, image in _images(resource.after or {}, ""):
            yield _judge(image, path)


@on_steps("ClarifyCheck", "Model", "Processing", "QualityCheck", "RegisterModel", "Training", "Tuning")
def _of_steps(pipeline: Pipeline, step: Step) -> Verdicts:
    for path, image in _images(step.arguments, place(step)):
        yield _judge(pipeline.resolve(image), path)


def _images(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Every image that is named below `value`, with its place."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    blocks = isinstance(value, list) and any(isinstance(one, dict) for one in value)
    for key, below in inner:
        place = f"{path}.{key}" if path else str(key)
        if (key in _IMAGES and not isinstance(below, list)) or (blocks and below is UNKNOWN):
            yield from [(place, below)] if below not in (None, "") else []
        else:
            yield from _images(below, place)


def _judge(image: Any, path: str) -> Verdict:
    if not isinstance(image, str) or isinstance(image, Sensitive):
        return unknown(f"the image is {NOT_KNOWN}", path)
    name, _, tag = image.rsplit("/", 1)[-1].partition(":")
    if "@" in name or (tag and tag != "latest") or name in _UNTAGGED:
        return passed()
    why = "its tag is latest" if tag else "it has no tag, which means latest"
    return failed(f"{image}: {why}, and what that is changes unseen", path)
