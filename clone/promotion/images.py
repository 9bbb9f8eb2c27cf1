"""Comparison of a package's images with the endpoints that an environment declares."""

from collections.abc import Mapping, Sequence
from typing import Any

from clone.promotion.package import RegisteredPackage
from envs.promotion_target import DeclaredEndpoint, PromotionTarget
from sustainable_mlops.catalogue.images import IMAGE_ADDRESS, detect_hardware, is_image_of_account, list_unfit_images


def compare_images(target: PromotionTarget, package: RegisteredPackage) -> tuple[list[str], list[str]]:
    """Return the problems of the images in the declared endpoints, and a text about each image without a problem."""
    problems, texts = [], []
    images = {name: _list_images(specification) for name, specification in package.specifications.items()}
    for endpoint in target.endpoints:
        setting = f"models.{target.model}.{endpoint.kind}.inference_specification_name"
        if endpoint.specification not in images:
            absent = f"specification {endpoint.specification}" if endpoint.specification else "main specification"
            names = ", ".join(name for name in images if name) or "none"
            problems.append(f"the package has no inference {absent} (additional: {names}); correct {setting}")
            continue
        own = images[endpoint.specification]
        problem = _find_problem(target, endpoint, own)
        if problem is None:
            texts += [_describe_image(endpoint, image) for image in own]
            continue
        usable = [name for name, others in images.items() if _find_problem(target, endpoint, others) is None]
        problems.append(f"{problem}; {_format_remedy(target, endpoint, setting, usable)}")
    return problems, texts


def _list_images(specification: Mapping[str, Any]) -> list[str]:
    """Return the images of an inference specification. A container of AWS Marketplace may show none."""
    return [image for container in specification.get("Containers", []) if (image := container.get("Image"))]


def _find_problem(target: PromotionTarget, endpoint: DeclaredEndpoint, images: Sequence[str]) -> str | None:
    """Return the reason why an image cannot run in an endpoint; None if no reason is known."""
    for image in list_unfit_images(images, endpoint.silicon):
        hardware = _describe_hardware(image)
        reason = f"is for {hardware}" if hardware else "is no Neuron image: its name does not contain neuron"
        return f"{endpoint.kind} runs on {endpoint.silicon}, and {image} {reason}"
    for image in images:
        address = IMAGE_ADDRESS.fullmatch(image)
        if address is not None and address["region"] != target.region:
            return f"{image} is in {address['region']}, and SageMaker pulls only images of {target.region}"
        if endpoint.is_serverless and not is_image_of_account(image, target.account_id):
            return f"{endpoint.kind} refuses {image}, which is neither of account {target.account_id} nor of AWS"
    return None


def _format_remedy(
    target: PromotionTarget, endpoint: DeclaredEndpoint, setting: str, usable: Sequence[str | None]
) -> str:
    if usable:
        return f"set {setting}: {usable[0]}" if usable[0] else f"remove {setting}"
    return (
        f"add an inference specification with an image for {endpoint.silicon} in account {target.account_id} and "
        f"{target.region} to the package, and set {setting}. replicate_to of modules/images copies images there"
    )


def _describe_image(endpoint: DeclaredEndpoint, image: str) -> str:
    hardware = _describe_hardware(image) or "its name does not show a processor"
    return f"{endpoint.kind} on {endpoint.silicon}: {image.rpartition('/')[2]}, {hardware}"


def _describe_hardware(image: str) -> str:
    """Return the CPUs and accelerators in the name of an image; empty if its name shows none."""
    return " and ".join(dict.fromkeys("x86" if name == "amd64" else name for name in detect_hardware(image)))
