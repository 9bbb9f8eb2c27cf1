"""Addresses of SageMaker's own images, from the tables of the SageMaker Python SDK."""

import json
import os
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

from sustainable_mlops.errors import UserError, did_you_mean
from sustainable_mlops.jobs.specs.common import FrameworkImage
from sustainable_mlops.terraform import LOCAL

#: Importing the SDK takes seconds and an address follows from its arguments alone: remember it.
_REMEMBERED = LOCAL / "image-addresses.json"

Scope = Literal["training", "processing", "inference"]

#: Images of what does not train on Neuron chips, by their names.
NO_NEURON = ("xgboost", "scikit-learn", "sklearn")
#: The account of AWS's Deep Learning Containers, whose names say which chips they are for.
_DEEP_LEARNING_CONTAINERS = "763104351884."


def image_address(image: FrameworkImage | str, region: str, instance_type: str, scope: Scope = "training") -> str:
    """The address of `image` in `region`; one given in full is returned as it is.

    Raises UserError naming the supported versions, or that the SDK is missing.
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
            "pip install 'sustainable-mlops[pipelines]', or give the full address of the image"
        ) from None
    key = f"{sdk} {image.framework} {image.version} {region} {instance_type} {scope}"
    return _remember(key, lambda: _retrieve(image, region, instance_type, scope))


def check_neuron(image: str, instance_type: str) -> None:
    """Refuse an image that is known to leave Neuron chips idle; nothing is known of an image of one's own."""
    other = image.startswith(_DEEP_LEARNING_CONTAINERS) or any(name in image for name in NO_NEURON)
    if instance_type.startswith(("ml.trn", "ml.inf")) and other and "neuron" not in image:
        raise UserError(
            f"image: {image} has no Neuron SDK, so the chips of {instance_type} would stand idle while its CPU works; "
            "take the framework's Neuron image, or another compute.instance_type"
        )


def _retrieve(image: FrameworkImage, region: str, instance_type: str, scope: Scope) -> str:
    from sagemaker.core import image_uris

    tables = {path.stem: path for path in (Path(image_uris.__file__).parent / "image_uri_config").glob("*.json")}
    if image.framework not in tables:
        raise UserError(f"image.framework: no '{image.framework}'{did_you_mean(image.framework, tables)}")
    more: dict[str, str] = {"image_scope": scope}
    if scope == "processing":
        more = _for_processing(json.loads(tables[image.framework].read_text()), image.version)
    try:
        address: str = image_uris.retrieve(
            image.framework, region, version=image.version, instance_type=instance_type, **more
        )
    except (ValueError, KeyError, NotImplementedError) as error:
        raise UserError(f"image: {error}") from None
    return address


def _for_processing(table: dict[str, Any], version: str) -> dict[str, str]:
    """Spark alone has images of its own for it, of which the SDK wants Python's version named: the newest here."""
    if "processing" not in table:
        return {"image_scope": "training"}
    versions = table["processing"]["versions"].get(version, {}).get("py_versions", [])
    return {"image_scope": "processing", **({"py_version": versions[-1]} if versions else {})}


def _remember(key: str, find: Callable[[], str]) -> str:
    try:
        known: dict[str, str] = json.loads(_REMEMBERED.read_text())
    except (OSError, ValueError):
        known = {}
    if key not in known:
        known[key] = find()
        _REMEMBERED.parent.mkdir(parents=True, exist_ok=True)
        partial = _REMEMBERED.with_suffix(f".{os.getpid()}")
        partial.write_text(json.dumps(known, indent=1))
        partial.replace(_REMEMBERED)
    return known[key]
