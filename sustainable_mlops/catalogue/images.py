"""Registries of container images, AWS accounts with Lambda layers, and the hardware that images need."""

import re
from collections.abc import Sequence
from functools import cache

from sustainable_mlops.catalogue.instances import Silicon
from sustainable_mlops.catalogue.tables import read_rows

#: Patterns in image names by silicon. Images of AWS for Arm contain arm64 or graviton.
SILICON_PATTERNS: dict[Silicon, str] = {
    "gpu": "-gpu-",
    "graviton": "aarch64|arm64|graviton",
    "inferentia2": "neuron",
    "x86": "/sagemaker-(xgboost|scikit-learn):[0-9.-]+(cpu-py3)?$|-inference:[^/]*-cpu-py",
}
#: Pattern in image names for x86 CPUs, also beside an accelerator.
X86_CPU_PATTERN = "amd64|x86"
#: Patterns by the CPU or accelerator in an image's name. An `amd64` image runs on all silicon except Graviton.
IMAGE_PATTERNS = dict[str, str]([("amd64", X86_CPU_PATTERN), *SILICON_PATTERNS.items()])

#: Address of an image in ECR.
IMAGE_ADDRESS = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr(?:-fips)?\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(?:\.cn)?/"
    r"(?P<repository>[^:@]+)(?::(?P<tag>[^@]+))?(?:@(?P<digest>.+))?"
)


def detect_silicon(image: str) -> list[Silicon]:
    """Return the silicon that an image is for by its name; empty if the name does not show it."""
    return [silicon for silicon, pattern in SILICON_PATTERNS.items() if re.search(pattern, image)]


def detect_hardware(image: str) -> list[str]:
    """Return the keys of `IMAGE_PATTERNS` that match the image's name; empty if none does."""
    return [name for name, pattern in IMAGE_PATTERNS.items() if re.search(pattern, image)]


def build_exclusion(silicon: Silicon, *, in_same_endpoint: bool = False) -> str:
    """Return the pattern of images that cannot run on the silicon. The CPUs of accelerator instances are x86.

    Images that ignore the accelerator are excluded too, except `in_same_endpoint` with other images.
    """
    cpu = {"amd64", "x86"} if in_same_endpoint else {"amd64"}
    allowed = {silicon, *(cpu if silicon != "graviton" else ())}
    return "|".join(pattern for name, pattern in IMAGE_PATTERNS.items() if name not in allowed)


def list_unfit_images(images: Sequence[str], silicon: Silicon) -> list[str]:
    """Return the images of one endpoint that cannot run on the silicon, by their names.

    Inferentia needs a Neuron image: without one, all images are unfit.
    """
    exclusion = build_exclusion(silicon, in_same_endpoint=len(images) > 1)
    unfit = [image for image in images if re.search(exclusion, image)]
    if not unfit and silicon == "inferentia2" and not any("inferentia2" in detect_silicon(image) for image in images):
        return list(images)
    return unfit


#: Frameworks of a model package that Inference Recommender knows, by a part of the repository's name. Source:
#: RecommendationJobContainerConfig in SageMaker's service model.
_FRAMEWORKS = {
    "xgboost": "XGBOOST",
    "scikit-learn": "SAGEMAKER-SCIKIT-LEARN",
    "pytorch": "PYTORCH",
    "tensorflow": "TENSORFLOW",
}


def detect_framework(image: str) -> tuple[str, str] | None:
    """Return the framework and its version by the name of an image; None if the name has none."""
    match = re.search(r"/([^/:]+):([0-9]+(?:\.[0-9]+)*)", image)
    if match is None:
        return None
    names = (framework for part, framework in _FRAMEWORKS.items() if part in match[1])
    framework = next(names, None)
    return (framework, match[2]) if framework else None


def is_image_of_account(image: str, account: str) -> bool:
    """Return whether the image is in ECR of the account or of AWS, as a serverless endpoint requires."""
    parts = IMAGE_ADDRESS.fullmatch(image)
    return parts is not None and (parts["account"] == account or is_registry_of_aws(parts["account"]))


def is_registry_of_aws(account: str) -> bool:
    """Return whether the account is one of AWS with SageMaker's own images."""
    return account in _load_accounts()


def is_algorithm_of_aws(repository: str, region: str, account: str) -> bool:
    """Return whether the account has the image of a built-in algorithm in the Region."""
    return (repository, region, account) in _load_algorithm_images()


def is_code_of_aws(account: str) -> bool:
    """Return whether the account belongs to AWS and has SageMaker images or Lambda layers."""
    return is_registry_of_aws(account) or account in _load_layer_accounts()


@cache
def _load_layer_accounts() -> frozenset[str]:
    return frozenset(row["account"] for row in read_rows("layer_accounts"))


@cache
def _load_accounts() -> frozenset[str]:
    return frozenset(row["account"] for row in read_rows("image_registries"))


@cache
def _load_algorithm_images() -> frozenset[tuple[str, str, str]]:
    return frozenset((row["repository"], row["region"], row["account"]) for row in read_rows("algorithm_images"))
