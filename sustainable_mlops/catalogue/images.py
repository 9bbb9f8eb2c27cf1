"""Whose the registries of container images are, and what images are for."""

import re
from functools import cache

from sustainable_mlops.catalogue.instances import Silicon
from sustainable_mlops.catalogue.tables import read_rows

#: How the names of images say what they are for; those of AWS say arm64 or graviton where they are for Arm.
SILICON_PATTERNS: dict[Silicon, str] = {
    "gpu": "-gpu-",
    "graviton": "aarch64|arm64|graviton",
    "inferentia2": "neuron",
    "x86": "/sagemaker-(xgboost|scikit-learn):[0-9.-]+(cpu-py3)?$|-inference:[^/]*-cpu-py",
}
#: How they say that their CPU is x86, which that beside an accelerator is too.
X86_CPU_PATTERN = "amd64|x86"


def detect_silicon(image: str) -> list[Silicon]:
    """The silicon that an image says by its name that it is for; none where it says nothing."""
    return [silicon for silicon, pattern in SILICON_PATTERNS.items() if re.search(pattern, image)]


def is_registry_of_aws(account: str) -> bool:
    """Whether AWS keeps SageMaker's own images in the registry of that account."""
    return account in _load_accounts()


@cache
def _load_accounts() -> frozenset[str]:
    return frozenset(row["account"] for row in read_rows("image_registries"))
