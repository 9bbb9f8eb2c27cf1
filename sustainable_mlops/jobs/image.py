"""Addresses of SageMaker's own images, from the tables of the SageMaker Python SDK."""

import json
from collections.abc import Callable
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

from sustainable_mlops.base.errors import UserError, did_you_mean
from sustainable_mlops.base.files import write_file
from sustainable_mlops.base.terraform import LOCAL
from sustainable_mlops.jobs.specs.common import FrameworkImage

#: Cache of addresses. Importing the SDK takes seconds, and an address depends on its arguments only.
_CACHE_FILE = LOCAL / "image-addresses.json"

Scope = Literal["training", "processing", "inference"]

#: Names of images that cannot use Neuron chips for training.
NO_NEURON = ("xgboost", "scikit-learn", "sklearn")
#: Account of AWS's Deep Learning Containers. Their names contain the chips they support.
_DEEP_LEARNING_CONTAINERS = "763104351884."


def find_image_address(image: FrameworkImage | str, region: str, instance_type: str, scope: Scope = "training") -> str:
    """Return the address of `image` in `region`; return a full address unchanged.

    Raises UserError naming the supported versions, or if the SDK is not installed.
    """
    if isinstance(image, str):
        if scope == "training":
            check_neuron(image, instance_type)
        return image
    try:
        sdk = metadata.version("sagemaker")
    except metadata.PackageNotFoundError:
        raise UserError(
            "image: a framework and version need the SageMaker Python SDK; "
            "pip install 'sustainable-mlops[pipelines]', or pass the full address of the image"
        ) from None
    key = f"{sdk} {image.framework} {image.version} {region} {instance_type} {scope}"
    return _read_cached(key, lambda: _retrieve_address(image, region, instance_type, scope))


def check_neuron(image: str, instance_type: str) -> None:
    """Raise UserError for an image that cannot use the Neuron chips of the instance. An unknown image passes."""
    lacks_neuron = image.startswith(_DEEP_LEARNING_CONTAINERS) or any(name in image for name in NO_NEURON)
    if instance_type.startswith(("ml.trn", "ml.inf")) and lacks_neuron and "neuron" not in image:
        raise UserError(
            f"image: {image} has no Neuron SDK, so the chips of {instance_type} would be idle; use the framework's "
            "Neuron image, or another compute.instance_type"
        )


def _retrieve_address(image: FrameworkImage, region: str, instance_type: str, scope: Scope) -> str:
    from sagemaker.core import image_uris

    tables = {path.stem: path for path in (Path(image_uris.__file__).parent / "image_uri_config").glob("*.json")}
    if image.framework not in tables:
        raise UserError(f"image.framework: '{image.framework}' is unknown{did_you_mean(image.framework, tables)}")
    table = json.loads(tables[image.framework].read_text())
    if _has_base_frameworks(table):
        raise UserError(
            f"image.framework: an image of {image.framework} also has a version of PyTorch or TensorFlow, for which "
            "there is no field; write the full address of the image"
        )
    arguments: dict[str, str] = {"image_scope": scope}
    if scope == "processing":
        arguments = _choose_processing_arguments(table, image.version)
    try:
        address: str = image_uris.retrieve(
            image.framework, region, version=image.version, instance_type=instance_type, **arguments
        )
    except (ValueError, KeyError, NotImplementedError) as error:
        raise UserError(f"image: {error}") from None
    return address


def _has_base_frameworks(table: dict[str, Any]) -> bool:
    """Return True if an address depends on the version of a second framework, as for `huggingface`."""
    versions = (one for scope in ("training", "inference") for one in table.get(scope, {}).get("versions", {}).values())
    return any(name.startswith(("pytorch", "tensorflow")) for version in versions for name in version)


def _choose_processing_arguments(table: dict[str, Any], version: str) -> dict[str, str]:
    """Return the arguments for a processing image: only Spark has its own, with the newest Python version."""
    if "processing" not in table:
        return {"image_scope": "training"}
    versions = table["processing"]["versions"].get(version, {}).get("py_versions", [])
    return {"image_scope": "processing", **({"py_version": versions[-1]} if versions else {})}


def _read_cached(key: str, find: Callable[[], str]) -> str:
    try:
        addresses: dict[str, str] = json.loads(_CACHE_FILE.read_text())
    except (OSError, ValueError):
        addresses = {}
    if key not in addresses:
        addresses[key] = find()
        with suppress(UserError):  # the next launch then finds the address again
            write_file(_CACHE_FILE, json.dumps(addresses, indent=1))
    return addresses[key]
