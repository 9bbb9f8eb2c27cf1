"""What is to be served: a model package or a model, its images and how large it is."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sustainable_mlops import aws
from sustainable_mlops.aws import Clients
from sustainable_mlops.aws.s3 import S3Uri, is_s3
from sustainable_mlops.catalogue.images import detect_silicon
from sustainable_mlops.catalogue.instances import Silicon
from sustainable_mlops.errors import UserError


@dataclass(frozen=True, slots=True)
class ServingSpecification:
    """One way in which it is served."""

    #: Of a package's additional inference specification; None for the package's or the model's own.
    name: str | None
    #: What its images are for; x86 where they do not say.
    silicon: Silicon
    images: tuple[str, ...]
    #: What the package says it may run on; empty where it says nothing.
    instance_types: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ServedModel:
    """What is to be served."""

    #: Its ARN, where it is a model package; else its name.
    name: str
    is_package: bool
    specifications: tuple[ServingSpecification, ...]
    #: Size of its archives in S3.
    model_mb: float
    #: What it says of itself that a load test needs: Domain, Framework, SamplePayloadUrl, SupportedContentTypes.
    load_test_inputs: Mapping[str, Any]


def read_model(name: str, clients: Clients) -> ServedModel:
    """The model package of an ARN, or the model of a name. Raises UserError where there is none, or it is unclear."""
    try:
        return _read_model(name, clients)
    except aws.AwsError as error:
        if error.refused:  # there is none: no fault of AWS's, after which the same would go on
            raise UserError(str(error)) from None
        raise


def _read_model(name: str, clients: Clients) -> ServedModel:
    if ":model-package/" in name:
        with aws.translate_aws_errors(f"model package {name}"):
            described = clients.sagemaker.describe_model_package(ModelPackageName=name)
        return _read_package(name, described, clients)
    with aws.translate_aws_errors(f"model {name}"):
        described = clients.sagemaker.describe_model(ModelName=name)
    containers = described.get("Containers") or [described["PrimaryContainer"]]
    if any("ModelPackageName" in container for container in containers):
        package = containers[0]["ModelPackageName"]
        raise UserError(f"{name}: this model is of a model package; give the package, {package}")
    return ServedModel(
        name, False, (_make_specification(None, containers, ()),), _sum_megabytes(containers, clients), {}
    )


def _read_package(arn: str, described: Mapping[str, Any], clients: Clients) -> ServedModel:
    own = described.get("InferenceSpecification")
    if own is None:
        raise UserError(f"{arn}: has no inference specification, so nothing says how it is served")
    more = described.get("AdditionalInferenceSpecifications", [])
    found = (
        _make_specification(one.get("Name"), one["Containers"], one.get("SupportedRealtimeInferenceInstanceTypes", ()))
        for one in (own, *more)
    )
    says = {
        "Domain": described.get("Domain"),
        "Framework": own["Containers"][0].get("Framework"),
        "SamplePayloadUrl": described.get("SamplePayloadUrl"),
        "SupportedContentTypes": own.get("SupportedContentTypes"),
    }
    known = {member: value for member, value in says.items() if value}
    return ServedModel(arn, True, tuple(found), _sum_megabytes(own["Containers"], clients), known)


def _make_specification(name: str | None, containers: list[dict[str, Any]], kinds: Any) -> ServingSpecification:
    images = tuple(container["Image"] for container in containers if "Image" in container)
    said = {silicon for image in images for silicon in detect_silicon(image)}
    if len(said) > 1:
        raise UserError(f"{name or 'its images'}: are for {' and '.join(sorted(said))}, which no one instance has")
    silicon: Silicon = said.pop() if said else _detect_silicon_by_types(kinds) or "x86"
    return ServingSpecification(name, silicon, images, tuple(kinds))


def _detect_silicon_by_types(kinds: Any) -> Silicon | None:
    """The silicon that all the instance types have which a package says it may run on."""
    from sustainable_mlops.catalogue import instances

    found = {known.silicon for kind in kinds if (known := instances.find(kind)) is not None}
    return found.pop() if len(found) == 1 else None


def _sum_megabytes(containers: list[dict[str, Any]], clients: Clients) -> float:
    """The size of the model archives; what cannot be looked at counts as nothing."""
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
