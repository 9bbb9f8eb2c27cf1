"""Software of framework images that this Python does not have: old names of libraries, and an old toolkit."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

from sustainable_mlops.catalogue.images import IMAGE_ADDRESS, is_registry_of_aws

_PACKAGES = Path(__file__).parent / "image_packages"
#: Tags of the images with pandas 1 and NumPy 1, by repository. Source: Dockerfiles of AWS's container repositories.
_OLD_TAGS = {"sagemaker-scikit-learn": r"0\.|1\.[0-3]-", "sagemaker-xgboost": r"0\.|1\."}


def add_image_software(image: str, variables: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of a container, with the software of an old image of AWS on PYTHONPATH."""
    parts = IMAGE_ADDRESS.fullmatch(image)
    if parts is None or not is_registry_of_aws(parts["account"]):
        return dict(variables)
    old_tags = _OLD_TAGS.get(parts["repository"])
    if old_tags is None or re.match(old_tags, parts["tag"] or "") is None:
        return dict(variables)
    paths = [path for path in (variables.get("PYTHONPATH"), str(_PACKAGES)) if path]
    return {**variables, "PYTHONPATH": os.pathsep.join(paths)}
