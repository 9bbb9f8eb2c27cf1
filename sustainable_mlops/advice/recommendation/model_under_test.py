"""Model or model package for a recommendation: its images and its size."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sustainable_mlops import aws
from sustainable_mlops.aws import Clients
from sustainable_mlops.aws.s3 import S3Uri, is_s3
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.catalogue.images import detect_framework, detect_silicon
from sustainable_mlops.catalogue.instances import Silicon


@dataclass(frozen=True, slots=True)
class ServingSpecification:
    """One inference specification of a model."""

    #: Name of an additional inference specification; None for the main one of a package or a model.
    name: str | None
    #: Hardware of its images; x86 if unknown.
    silicon: Silicon
    images: tuple[str, ...]
    #: Instance types that the package allows; empty if it names none.
    instance_types: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelUnderTest:
    """A model or model package for a load test."""

    #: ARN of a model package, or name of a model.
    name: str
    is_package: bool
    specifications: tuple[ServingSpecification, ...]
    #: Size of its archives in S3, in MB.
    model_mb: float
    #: Properties for a load test: Domain, Framework, SamplePayloadUrl, SupportedContentTypes.
    load_test_inputs: Mapping[str, Any]

    @property
    def framework(self) -> str | None:
        """Framework by the name of its main image; None if the name has none."""
        frameworks = [detect_framework(image) for image in self.specifications[0].images]
        return next((framework[0] for framework in frameworks if framework), None)


def read_model(name: str, clients: Clients) -> ModelUnderTest:
    """Return the model package of an ARN, or the model of a name. Raises UserError if it is missing or ambiguous."""
    try:
        return _read_model(name, clients)
    except aws.AwsError as error:
        if error.refused:  # it does not exist; a retry would not help
            raise UserError(str(error)) from None
        raise


def _read_model(name: str, clients: Clients) -> ModelUnderTest:
    if ":model-package/" in name:
        with aws.translate_aws_errors(f"model package {name}"):
            described = clients.sagemaker.describe_model_package(ModelPackageName=name)
        return _read_package(name, described, clients)
    with aws.translate_aws_errors(f"model {name}"):
        described = clients.sagemaker.describe_model(ModelName=name)
    containers = described.get("Containers") or [described["PrimaryContainer"]]
    if any("ModelPackageName" in container for container in containers):
        package = containers[0]["ModelPackageName"]
        raise UserError(f"{name}: this model comes from a model package; pass the package {package}")
    return ModelUnderTest(
        name, False, (_make_specification(None, containers, ()),), _sum_megabytes(containers, clients), {}
    )


def _read_package(arn: str, described: Mapping[str, Any], clients: Clients) -> ModelUnderTest:
    main = described.get("InferenceSpecification")
    if main is None:
        raise UserError(f"{arn}: has no inference specification; register one")
    additional = described.get("AdditionalInferenceSpecifications", [])
    specifications = (
        _make_specification(one.get("Name"), one["Containers"], one.get("SupportedRealtimeInferenceInstanceTypes", ()))
        for one in (main, *additional)
    )
    members = {
        "Domain": described.get("Domain"),
        "Framework": main["Containers"][0].get("Framework"),
        "SamplePayloadUrl": described.get("SamplePayloadUrl"),
        "SupportedContentTypes": main.get("SupportedContentTypes"),
    }
    known = {member: value for member, value in members.items() if value}
    return ModelUnderTest(arn, True, tuple(specifications), _sum_megabytes(main["Containers"], clients), known)


def _make_specification(name: str | None, containers: list[dict[str, Any]], kinds: Any) -> ServingSpecification:
    images = tuple(container["Image"] for container in containers if "Image" in container)
    silicon_set = {silicon for image in images for silicon in detect_silicon(image)}
    if len(silicon_set) > 1:
        raise UserError(
            f"{name or 'its images'}: are for {' and '.join(sorted(silicon_set))}, and no instance type has both; "
            "register an inference specification for each"
        )
    silicon: Silicon = silicon_set.pop() if silicon_set else _detect_silicon_by_types(kinds) or "x86"
    return ServingSpecification(name, silicon, images, tuple(kinds))


def _detect_silicon_by_types(kinds: Any) -> Silicon | None:
    """Return the hardware that all given instance types have, or None if they differ."""
    from sustainable_mlops.catalogue import instances

    silicon_set = {instance_type.silicon for kind in kinds if (instance_type := instances.find(kind)) is not None}
    return silicon_set.pop() if len(silicon_set) == 1 else None


def _sum_megabytes(containers: list[dict[str, Any]], clients: Clients) -> float:
    """Return the size of the model archives in MB; unreadable archives count as zero."""
    return sum(_list_sizes(containers, clients)) / 1e6


def _list_sizes(containers: list[dict[str, Any]], clients: Clients) -> Iterator[float]:
    from botocore.exceptions import ClientError

    for address in (container.get("ModelDataUrl") for container in containers):
        if address and is_s3(address):
            bucket, key = S3Uri.parse(address)
            try:
                yield clients.s3.head_object(Bucket=bucket, Key=key)["ContentLength"]
            except ClientError:
                continue
