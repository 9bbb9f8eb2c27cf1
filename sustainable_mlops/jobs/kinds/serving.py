"""How a trained model is to be served: what SageMaker would refuse of it, and the images that do it."""

from collections.abc import Iterator

from sustainable_mlops.aws.service_model import enumeration
from sustainable_mlops.catalogue import instances
from sustainable_mlops.errors import UserError
from sustainable_mlops.jobs.image import image_address
from sustainable_mlops.jobs.record import AdditionalServingSpec, ServingSpec
from sustainable_mlops.jobs.specs.common import Image
from sustainable_mlops.jobs.specs.training import AdditionalServing, Serving
from sustainable_mlops.settings import did_you_mean

#: Inferentia's first generation, whose Neuron SDK is no longer kept.
_LEGACY = "ml.inf1"


def check_serving(serving: Serving) -> None:
    """Raise UserError for an instance type that serves nothing, and for two that no one image runs on."""
    for where, machines in _all(serving):
        _check_types(where, machines)
        _check_architecture(where, machines)


def served(serving: Serving, training_image: Image, region: str) -> ServingSpec:
    """The same with the addresses of the images in `region`. Raises UserError where there is no such image."""

    def address(machines: Serving | AdditionalServing) -> str:
        # Serverless endpoints have CPUs only, so the image is the one for the first instance type named.
        return image_address(
            machines.image or training_image, region, machines.realtime_instance_types[0], scope="inference"
        )

    additional = {
        name: AdditionalServingSpec(**machines.model_dump(exclude={"image"}), image=address(machines))
        for name, machines in serving.additional.items()
    }
    own = serving.model_dump(exclude={"image", "additional"})
    return ServingSpec(**own, image=address(serving), additional=additional)


def _all(serving: Serving) -> Iterator[tuple[str, Serving | AdditionalServing]]:
    yield "serving", serving
    for name, machines in serving.additional.items():
        yield f"serving.additional.{name}", machines


def _check_types(where: str, machines: Serving | AdditionalServing) -> None:
    for field, types, shape in (
        ("realtime_instance_types", machines.realtime_instance_types, "ProductionVariantInstanceType"),
        ("transform_instance_types", machines.transform_instance_types, "TransformInstanceType"),
    ):
        known = [name for name in enumeration(shape) if not name.startswith(f"{_LEGACY}.")]
        for instance_type in types:
            if instance_type.startswith(_LEGACY):
                raise UserError(f"{where}.{field}: {instance_type} is legacy; use ml.inf2.xlarge with its Neuron image")
            if instance_type not in known:
                raise UserError(
                    f"{where}.{field}: SageMaker has no {instance_type} for that{did_you_mean(instance_type, known)}"
                )


def _check_architecture(where: str, machines: Serving | AdditionalServing) -> None:
    first: dict[bool, str] = {}
    for instance_type in (*machines.realtime_instance_types, *machines.transform_instance_types):
        if (instance := instances.find(instance_type)) is not None:
            first.setdefault(instance.arm, instance_type)
    if len(first) > 1:
        raise UserError(
            f"{where}: {first[True]} is of the Arm architecture and {first[False]} of x86, and no image is for both; "
            f"name {first[True]} in an entry of serving.additional, with its image"
        )
