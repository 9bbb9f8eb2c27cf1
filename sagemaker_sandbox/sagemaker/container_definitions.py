"""Checks of a model's containers and of the images, data and networks that they name.

The messages are AWS's where they are known. CreateModel checks images and data with the model's role.
"""

from collections.abc import Callable, Iterator

from sagemaker_sandbox.base.errors import ValidationError
from sagemaker_sandbox.resources.region import AccountRegion
from sagemaker_sandbox.resources.resources import Fields
from sagemaker_sandbox.sagemaker import networks, resource_lookup
from sustainable_mlops.aws.s3 import S3Uri


def is_multi_model(container: Fields) -> bool:
    """Return whether a container serves many models, each loaded on demand."""
    return container.get("Mode") == "MultiModel"


def check_containers(region: AccountRegion, model: Fields, containers: list[Fields]) -> None:
    """Raise ValidationError for an invalid container. `model` is the request of CreateModel."""
    role = model.get("ExecutionRoleArn", "")
    for container in containers:
        _check_definition(container)
        if image := container.get("Image"):
            _check_image(role, image, container.get("ImageConfig", {}), in_vpc="VpcConfig" in model)
        for uri, exists in _list_data(container):
            _check_data(region, role, uri, exists)
    _check_together(model, containers)
    networks.check_vpc_config(region, model.get("VpcConfig"))


def _check_definition(container: Fields) -> None:
    data = [member for member in ("ModelDataUrl", "ModelDataSource") if member in container]
    if ("ModelPackageName" in container) == ("Image" in container) or ("ModelPackageName" in container and data):
        raise ValidationError(
            "Specify one of either Image and Model Data URL or ModelPackageName in container definition."
        )
    if len(data) > 1:
        raise ValidationError("Specify either ModelDataUrl or ModelDataSource in container definition, not both.")
    if not is_multi_model(container):
        if "MultiModelConfig" in container:
            raise ValidationError("MultiModelConfig can only be specified for a container in MultiModel mode.")
    elif "ModelDataSource" in container:
        raise ValidationError("ModelDataSource is not supported for a container in MultiModel mode.")
    elif "Image" in container and not data:
        raise ValidationError("ModelDataUrl must be specified for a container in MultiModel mode.")
    source = container.get("ModelDataSource", {}).get("S3DataSource", {})
    if source.get("S3DataType") == "S3Prefix":
        _check_prefix(source)


def _check_prefix(source: Fields) -> None:
    if source["CompressionType"] == "Gzip":
        raise ValidationError("CompressionType Gzip is not supported for S3DataType S3Prefix.")
    if not source["S3Uri"].endswith("/"):
        raise ValidationError(f"S3Uri {source['S3Uri']} must end with a forward slash for S3DataType S3Prefix.")


def _check_image(role: str, image: str, config: Fields, *, in_vpc: bool) -> None:
    private = config.get("RepositoryAccessMode") == "Vpc"
    if private and not in_vpc:
        raise ValidationError(f'Image "{image}" with Vpc repository access mode requires VpcConfig.')
    if "RepositoryAuthConfig" in config and not private:
        raise ValidationError("RepositoryAuthConfig can only be specified with Vpc repository access mode.")
    if private:
        return
    if not resource_lookup.is_image_address(image):
        raise ValidationError(f'Using non-ECR image "{image}" without Vpc repository access mode is not supported.')
    if not resource_lookup.has_repository(image):
        raise ValidationError(
            f"Role {role} cannot pull {image}. Ensure that the role exists and the image was granted pull permission."
        )
    if not resource_lookup.has_image(image):
        raise ValidationError(f"Requested image {image} not found.")


#: Function that returns whether the address exists.
_ExistenceCheck = Callable[[S3Uri], bool]


def _list_data(container: Fields) -> Iterator[tuple[str, _ExistenceCheck]]:
    """Yield the S3 addresses of a container's data, each with a check of its existence.

    The data of a multi-model container may come later.
    """
    if "ModelDataUrl" in container:
        yield container["ModelDataUrl"], _skip_check if is_multi_model(container) else resource_lookup.has_object
    sources = [container.get("ModelDataSource", {}), *container.get("AdditionalModelDataSources", ())]
    for source in (member["S3DataSource"] for member in sources if "S3DataSource" in member):
        is_prefix = source["S3DataType"] == "S3Prefix"
        yield source["S3Uri"], resource_lookup.has_any_object if is_prefix else resource_lookup.has_object


def _skip_check(_: S3Uri) -> bool:
    return True


def _check_data(region: AccountRegion, role: str, uri: str, exists: _ExistenceCheck) -> None:
    address = S3Uri.parse_url(uri)
    if address is None or resource_lookup.find_bucket_region(address.bucket) != region.name:
        raise ValidationError(
            f'Could not access model data at {uri}. Please ensure that the role "{role}" exists and that its trust '
            'relationship policy allows the action "sts:AssumeRole" for the service principal "sagemaker.amazonaws.com"'
            f'. Also ensure that the role has "s3:GetObject" permissions and that the object is located in '
            f"{region.name}. If your Model uses multiple models or uncompressed models, please ensure that the role "
            'has "s3:ListBucket" permission.'
        )
    if not exists(address):
        raise ValidationError(f"Could not find model data at {uri}.")


def _check_together(model: Fields, containers: list[Fields]) -> None:
    names = [container["ContainerHostname"] for container in containers if "ContainerHostname" in container]
    if len(containers) > 1 and 0 < len(names) < len(containers):
        raise ValidationError("ContainerHostname must be specified for every container or for none of them.")
    if len(set(names)) < len(names):
        raise ValidationError("ContainerHostname must be unique within a model.")
    if sum(map(is_multi_model, containers)) > 1:
        raise ValidationError("An inference pipeline can have one container in MultiModel mode.")
    execution = model.get("InferenceExecutionConfig")
    if execution is not None and "Containers" not in model:
        raise ValidationError("InferenceExecutionConfig can only be specified with Containers.")
    if execution is not None and execution["Mode"] == "Direct" and not names:
        raise ValidationError("ContainerHostname must be specified for every container in Direct inference mode.")
