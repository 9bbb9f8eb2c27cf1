"""What SageMaker refuses of the variants of an endpoint configuration, one by one.

AWS's words where they are known; `InferenceAmiVersion` and `RoutingConfig` have none that are.
"""

from collections.abc import Iterator

from sustainable_mlops.aws.service_model import service_model
from sustainable_mlops.catalogue.instances import find, has_local_disk, offered
from sustainable_mlops.catalogue.limits import serverless_memory_mb
from sagemaker_sandbox.errors import NotEmulatedError, ValidationError
from sagemaker_sandbox.parts.region import AccountRegion
from sagemaker_sandbox.parts.resources import Fields

#: What is of instances, which a serverless variant has none of.
_OF_INSTANCES = (
    "InstanceType",
    "InitialInstanceCount",
    "InstancePools",
    "AcceleratorType",
    "ManagedInstanceScaling",
    "VolumeSizeInGB",
    "CoreDumpConfig",
    "EnableSSMAccess",
    "RoutingConfig",
    "InferenceAmiVersion",
    "CapacityReservationConfig",
    "AcceleratorPartitionLayouts",
)
_ROUTING = ("LEAST_OUTSTANDING_REQUESTS", "RANDOM")
_NEURON = ("inf", "trn")


def check(region: AccountRegion, variant: Fields, path: str) -> None:
    """Raises ApiError; `path` is where the variant is in the request, as `productionVariants.1.member`."""
    if "ModelName" not in variant:
        raise NotEmulatedError(
            f"A variant without ModelName, for inference components, as {variant['VariantName']} is,",
            "Name its model, or run this part against a real account.",
        )
    if "ServerlessConfig" in variant:
        _check_serverless(variant, path)
    else:
        _check_on_instances(region, variant, path)


def _check_serverless(variant: Fields, path: str) -> None:
    name, serverless = variant["VariantName"], variant["ServerlessConfig"]
    for member in _OF_INSTANCES:
        if variant.get(member):  # Terraform's provider says EnableSSMAccess = false of every variant
            raise ValidationError(
                f"{member} cannot be specified together with ServerlessConfig for production variant {name}."
            )
    memory = serverless["MemorySizeInMB"]
    if memory not in serverless_memory_mb():
        allowed = ", ".join(str(size) for size in serverless_memory_mb())
        raise _not_in(f"{path}.serverlessConfig.memorySizeInMB", memory, allowed)
    if serverless.get("ProvisionedConcurrency", 0) > serverless["MaxConcurrency"]:
        raise ValidationError(
            f"ProvisionedConcurrency must be less than or equal to MaxConcurrency for production variant {name}."
        )


def _check_on_instances(region: AccountRegion, variant: Fields, path: str) -> None:
    name = variant["VariantName"]
    if ("InstanceType" in variant) == ("InstancePools" in variant):
        raise ValidationError(f"InstanceType must be specified for production variant {name}.")
    if "InitialInstanceCount" not in variant and "InstancePools" not in variant:
        raise ValidationError(f"InitialInstanceCount must be specified for production variant {name}.")
    if "ManagedInstanceScaling" in variant:
        raise ValidationError("ManagedInstanceScaling is only supported for inference component endpoints.")
    routing = variant.get("RoutingConfig", {}).get("RoutingStrategy", _ROUTING[0])
    if routing not in _ROUTING:
        raise NotEmulatedError(f"RoutingStrategy {routing}", f"Take {' or '.join(_ROUTING)}.")
    for where, instance in _instances(variant, path):
        _check_instance(region, variant, where, instance)


def _instances(variant: Fields, path: str) -> Iterator[tuple[str, str]]:
    """Where an instance type is in the request, and which."""
    if "InstanceType" in variant:
        yield f"{path}.instanceType", variant["InstanceType"]
    for number, pool in enumerate(variant.get("InstancePools", ()), start=1):
        yield f"{path}.instancePools.{number}.member.instanceType", pool["InstanceType"]


def _check_instance(region: AccountRegion, variant: Fields, path: str, instance: str) -> None:
    if offered(instance, region.name) is False:
        known = service_model("sagemaker").shape_for("ProductionVariantInstanceType").metadata["enum"]
        raise _not_in(path, instance, ", ".join(one for one in known if offered(one, region.name) is not False))
    if "VolumeSizeInGB" in variant and has_local_disk(instance):
        raise ValidationError(f"VolumeSizeInGB parameter is not allowed for the selected Instance type {instance}")
    image = variant.get("InferenceAmiVersion")
    if image is not None and _accelerator(instance) not in image:
        raise ValidationError(f"InferenceAmiVersion {image} is not supported for the selected Instance type {instance}")


def _accelerator(instance: str) -> str:
    """The word for an instance's accelerators in the names of machine images."""
    found = find(instance)
    if found is not None and found.accelerator is None:
        return "cpu"
    return "neuron" if instance.removeprefix("ml.").startswith(_NEURON) else "gpu"


def _not_in(path: str, value: object, allowed: str) -> ValidationError:
    """As the service model's own constraints are told, where the set depends on the Region or is not in the model."""
    return ValidationError(
        f"1 validation error detected: Value '{value}' at '{path}' failed to satisfy constraint: Member must satisfy "
        f"enum value set: [{allowed}]"
    )
