"""Registries of container images, AWS accounts with Lambda layers, and the hardware that images need."""

import re
from functools import cache

from sustainable_mlops.catalogue.instances import Silicon
from sustainable_mlops.catalogue.tables import read_rows

#: Patterns in image names by hardware. Images of AWS for Arm contain arm64 or graviton.
SILICON_PATTERNS: dict[Silicon, str] = {
    "gpu": "-gpu-",
    "graviton": "aarch64|arm64|graviton",
    "inferentia2": "neuron",
    "x86": "/sagemaker-(xgboost|scikit-learn):[0-9.-]+(cpu-py3)?$|-inference:[^/]*-cpu-py",
}
#: Pattern in image names for x86 CPUs, also beside an accelerator.
X86_CPU_PATTERN = "amd64|x86"


def detect_silicon(image: str) -> list[Silicon]:
    """Return the hardware that an image is for by its name; empty if the name does not say."""
    return [silicon for silicon, pattern in SILICON_PATTERNS.items() if re.search(pattern, image)]


def is_registry_of_aws(account: str) -> bool:
    """Return True if the account is one of AWS with SageMaker's own images."""
    return account in _load_accounts()


def is_code_of_aws(account: str) -> bool:
    """Return True if the account belongs to AWS and has SageMaker images or Lambda layers."""
    return is_registry_of_aws(account) or account in _load_layer_accounts()


@cache
def _load_layer_accounts() -> frozenset[str]:
    return frozenset(row["account"] for row in read_rows("layer_accounts"))


@cache
def _load_accounts() -> frozenset[str]:
    return frozenset(row["account"] for row in read_rows("image_registries"))
