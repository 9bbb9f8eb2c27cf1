"""Checks of the variants of an endpoint configuration.

The messages are AWS's where they are known. Those for `InferenceAmiVersion`, `RoutingConfig` and
`InstancePools` are not.
"""

from collections.abc import Iterator

from sagemaker_sandbox.base.errors import NotEmulatedError, ValidationError
from sagemaker_sandbox.resources.instance_types import list_pools
from sagemaker_sandbox.resources.region import AccountRegion
from sagemaker_sandbox.resources.resources import Fields
from sustainable_mlops.aws.service_model import load_service_model
from sustainable_mlops.catalogue.instances import find, has_local_disk, is_offered
from sustainable_mlops.catalogue.limits import list_serverless_memory_mb

#: Members that only variants on instances have.
_INSTANCE_MEMBERS = (
    "InstanceType",
    "InitialInstanceCount",
    "InstancePools",
    "VariantInstanceProvisionTimeoutInSeconds",
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
_ROUTING_STRATEGIES = ("LEAST_OUTSTANDING_REQUESTS", "RANDOM")
_NEURON_PREFIXES = ("inf", "trn")


def check_variant(region: AccountRegion, variant: Fields, path: str) -> None:
    """Raise ApiError for an invalid variant. `path` is its position, such as `productionVariants.1.member`."""
    if "ModelName" not in variant:
        raise NotEmulatedError(
            f"A variant without ModelName, for inference components, such as {variant['VariantName']},",
            "Name its model, or run this part against a real account.",
        )
    if "ServerlessConfig" in variant:
        _check_serverless(variant, path)
    else:
        _check_on_instances(region, variant, path)


def _check_serverless(variant: Fields, path: str) -> None:
    name, serverless = variant["VariantName"], variant["ServerlessConfig"]
    for member in _INSTANCE_MEMBERS:
        if variant.get(member):  # Terraform's provider sets EnableSSMAccess = false in every variant
            raise ValidationError(
                f"{member} cannot be specified together with ServerlessConfig for production variant {name}."
            )
    memory = serverless["MemorySizeInMB"]
    if memory not in list_serverless_memory_mb():
        allowed = ", ".join(str(size) for size in list_serverless_memory_mb())
        raise _create_enum_error(f"{path}.serverlessConfig.memorySizeInMB", memory, allowed)
    if serverless.get("ProvisionedConcurrency", 0) > serverless["MaxConcurrency"]:
        raise ValidationError(
            f"ProvisionedConcurrency must be less than or equal to MaxConcurrency for production variant {name}."
        )


def _check_on_instances(region: AccountRegion, variant: Fields, path: str) -> None:
    name = variant["VariantName"]
    if "InstanceType" in variant and "InstancePools" in variant:
        raise ValidationError(f"InstanceType and InstancePools cannot both be specified for production variant {name}.")
    if "InstanceType" not in variant and "InstancePools" not in variant:
        raise ValidationError(f"InstanceType must be specified for production variant {name}.")
    if "InitialInstanceCount" not in variant:
        raise ValidationError(f"InitialInstanceCount must be specified for production variant {name}.")
    routing = variant.get("RoutingConfig", {}).get("RoutingStrategy", _ROUTING_STRATEGIES[0])
    if routing not in _ROUTING_STRATEGIES:
        raise NotEmulatedError(f"RoutingStrategy {routing}", f"Use {' or '.join(_ROUTING_STRATEGIES)}.")
    _check_is_emulated(variant)
    for position, instance in _list_instance_types(variant, path):
        _check_instance(region, variant, position, instance)


def _check_is_emulated(variant: Fields) -> None:
    """Raise NotEmulatedError for members that the sandbox cannot emulate."""
    name = variant["VariantName"]
    if "AcceleratorPartitionLayouts" in variant:
        raise NotEmulatedError(f"AcceleratorPartitionLayouts of {name}", "GPU partitions need an AWS account.")
    if "MlReservationArn" in variant.get("CapacityReservationConfig", {}):
        raise NotEmulatedError(f"CapacityReservationConfig of {name}", "Capacity cannot be reserved here.")
    if any("ModelNameOverride" in pool for pool in list_pools(variant)[:1]):
        raise NotEmulatedError(
            f"ModelNameOverride of the first instance pool of {name}",
            "Name that model as ModelName: the sandbox starts instances of the first pool only.",
        )


def _list_instance_types(variant: Fields, path: str) -> Iterator[tuple[str, str]]:
    """Yield the position and the name of each instance type in the request."""
    if "InstanceType" in variant:
        yield f"{path}.instanceType", variant["InstanceType"]
    for number, pool in enumerate(variant.get("InstancePools", ()), start=1):
        yield f"{path}.instancePools.{number}.member.instanceType", pool["InstanceType"]


def _check_instance(region: AccountRegion, variant: Fields, path: str, instance: str) -> None:
    if is_offered(instance, region.name) is False:
        instance_types = load_service_model("sagemaker").shape_for("ProductionVariantInstanceType").metadata["enum"]
        raise _create_enum_error(
            path,
            instance,
            ", ".join(
                offered_type for offered_type in instance_types if is_offered(offered_type, region.name) is not False
            ),
        )
    if "VolumeSizeInGB" in variant and has_local_disk(instance):
        raise ValidationError(f"VolumeSizeInGB parameter is not allowed for the selected Instance type {instance}")
    image = variant.get("InferenceAmiVersion")
    if image is not None and _find_accelerator(instance) not in image:
        raise ValidationError(f"InferenceAmiVersion {image} is not supported for the selected Instance type {instance}")


def _find_accelerator(instance: str) -> str:
    """Return the word for an instance's accelerators in the names of machine images."""
    instance_type = find(instance)
    if instance_type is not None and instance_type.accelerator is None:
        return "cpu"
    return "neuron" if instance.removeprefix("ml.").startswith(_NEURON_PREFIXES) else "gpu"


def _create_enum_error(path: str, value: object, allowed: str) -> ValidationError:
    """Return the error for values outside of an enumeration that depends on the Region or is not in the model."""
    return ValidationError(
        f"1 validation error detected: Value '{value}' at '{path}' failed to satisfy constraint: Member must satisfy "
        f"enum value set: [{allowed}]"
    )
