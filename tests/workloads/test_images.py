"""Images of job files: each exists for its instance type and Region, according to AWS's tables.

The tables are those of the installed SageMaker Python SDK, and `documented_images.yaml` for other images. The tests
pull no image and run no Neuron compiler.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

import pytest
import yaml

from clone.scaffold.files import render
from clone.scaffold.framework import Framework
from modules.async_endpoint.inputs import Inputs as AsyncInputs
from modules.realtime_endpoint.inputs import Inputs as RealtimeInputs
from sustainable_mlops.base.settings import validate
from sustainable_mlops.base.terraform import ROOT
from sustainable_mlops.catalogue import instances
from sustainable_mlops.jobs.image import Scope, find_image_address
from sustainable_mlops.jobs.specs.common import FrameworkImage
from sustainable_mlops.jobs.specs.training import AdditionalServingSpec, ServingSpec, TrainingSpec
from tests.cases import check_cases

pytestmark = pytest.mark.slow  # the SDK takes seconds to import

WORKLOADS = ROOT / "workloads"
TEMPLATE = "clone/scaffold/templates/workload/job.yaml.j2"
DOCUMENTS = yaml.safe_load(Path(__file__).with_name("documented_images.yaml").read_text())
DOCUMENTED: dict[str, Mapping[str, Any]] = {document["image"]: document for document in DOCUMENTS}
INSTANCE_TYPE = re.compile(r"\bml\.[a-z0-9-]+\.[a-z0-9]+\b")


class ImagePair(NamedTuple):
    """An image and an instance type that a file combines."""

    where: str
    image: str | FrameworkImage
    instance_type: str
    scope: Scope
    region: str

    def __str__(self) -> str:
        image = self.image if isinstance(self.image, str) else f"{self.image.framework} {self.image.version}"
        return f"{self.where}: {image.rpartition('/')[2]} on {self.instance_type} in {self.region}"


def list_environment_regions() -> dict[str, str]:
    """Return the Region of each environment."""
    settings = [yaml.safe_load(path.read_text()) for path in sorted(ROOT.glob("envs/*/settings.yaml"))]
    return {document["environment"]: document["region"] for document in settings}


def list_documents() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every job file, and the scaffold's rendered template, by path."""
    for path in sorted(WORKLOADS.glob("*/*.yaml")):
        yield str(path.relative_to(ROOT)), yaml.safe_load(path.read_text())
    for framework in Framework:
        values = {"name": "new", "hyphenated": "new", "environment": "dev", "framework": framework.value}
        text = render("workload/job.yaml", **values, metrics=["auc"])
        yield f"{TEMPLATE} ({framework.value})", yaml.safe_load(text)


def find_region(document: Mapping[str, Any]) -> str:
    """Return the Region of the file's jobs."""
    platform = document["platform"]
    region_name: str = (
        list_environment_regions()[platform.split("/")[2]] if isinstance(platform, str) else platform["region"]
    )
    return region_name


def read_image(document: Mapping[str, Any]) -> str | FrameworkImage:
    """Return the image that a file names."""
    image = document["image"]
    return image if isinstance(image, str) else FrameworkImage(**image)


def list_pairs(where: str, document: Mapping[str, Any]) -> Iterator[ImagePair]:
    """Yield the images and instance types of a job file, for its jobs and for the endpoints of its model."""
    for step in document.get("steps", {}).values():
        step_file = yaml.safe_load((ROOT / where).with_name(step).read_text())
        for instance_type in document.get("instance_types", []):
            yield ImagePair(where, read_image(step_file), instance_type, "training", find_region(document))
    if "image" not in document:
        return
    yield ImagePair(
        where, read_image(document), document["compute"]["instance_type"], "training", find_region(document)
    )
    if "serving" not in document:
        return
    job = validate(document, TrainingSpec, where)
    assert job.serving is not None
    is_promoted = (ROOT / "envs" / "catalogue" / "models" / f"{job.workload.replace('-', '_')}.yaml").exists()
    for region_name in sorted({find_region(document), *(list_environment_regions().values() if is_promoted else ())}):
        servings: list[ServingSpec | AdditionalServingSpec] = [job.serving, *job.serving.additional.values()]
        for serving in servings:
            for instance_type in (*serving.realtime_instance_types, *serving.transform_instance_types):
                yield ImagePair(where, serving.image or job.image, instance_type, "inference", region_name)


PAIRS = sorted({pair for where, document in list_documents() for pair in list_pairs(where, document)}, key=str)


def find_architecture(instance_type: str) -> Literal["x86", "arm64", "neuron"]:
    """Return the architecture that an image for the instance type needs."""
    if instances.parse_family(instance_type).startswith(("inf", "trn")):
        return "neuron"
    instance = instances.find(instance_type)
    assert instance is not None, instances.explain_unknown(instance_type)
    return "arm64" if instance.is_arm else "x86"


def read_architecture(image: str) -> Literal["x86", "arm64", "neuron"]:
    """Return the architecture in an image's name."""
    if "neuron" in image:
        return "neuron"
    return "arm64" if re.search(r"arm64|graviton", image) else "x86"


def find_base_image(image: str) -> Mapping[str, Any]:
    """Return the documented base image of a workload's own image, by its tag and the Containerfile."""
    repository, _, tag = image.rpartition("/")[2].partition(":")
    containerfile = (WORKLOADS / repository / "Containerfile").read_text()
    bases = [DOCUMENTED[name] for name in re.findall(r"public\.ecr\.aws/\S+?(?=,|\s)", containerfile)]
    [base] = [document for document in bases if read_architecture(document["image"]) == read_architecture(image)]
    match = re.fullmatch(r"jax([\d.]+)-(?:cpu|neuronx-(sdk[\d.]+))", tag)
    assert match, f"{tag}: no tag of {repository}"
    assert f"jax=={match[1]}" in containerfile
    assert base["jax"] in (None, match[1])
    assert match[2] is None or f"-{match[2]}-" in base["image"]
    return base


def test_every_instance_type_of_a_job_file_has_an_image_pair() -> None:
    paired = {(pair.where, pair.instance_type) for pair in PAIRS}
    for where, document in list_documents():
        for instance_type in INSTANCE_TYPE.findall(str(document)):
            assert (where, instance_type) in paired
    assert {find_architecture(pair.instance_type) for pair in PAIRS} == {"x86", "arm64", "neuron"}


@check_cases("pair", PAIRS, ids=str)
def test_the_image_exists_for_the_instance_type_in_the_region(pair: ImagePair) -> None:
    address = find_image_address(pair.image, pair.region, pair.instance_type, pair.scope)
    assert f".ecr.{pair.region}." in address
    assert read_architecture(address) == find_architecture(pair.instance_type)
    assert instances.is_offered(pair.instance_type, pair.region)
    if isinstance(pair.image, FrameworkImage):
        # The SDK takes another version where it knows one alone for the architecture.
        assert address.partition(":")[2].startswith(pair.image.version)
    else:
        families = find_base_image(pair.image)["families"]
        assert families is None or instances.parse_family(pair.instance_type) in families


def list_examples() -> Iterator[tuple[str, str, str]]:
    """Yield module, image and instance type of each endpoint example in the modules' pages."""
    for page in sorted(ROOT.glob("modules/*/README.md")):
        for block in re.findall(r'^module "\w+" {$(.*?)^}$', page.read_text(), re.MULTILINE | re.DOTALL):
            inputs = dict(re.findall(r'^  (source|image_uri|instance_type)\s+= "(.*)"$', block, re.MULTILINE))
            if "image_uri" in inputs:
                defaults = {
                    "async_endpoint": AsyncInputs.model_fields["instance_type"].default,
                    "realtime_endpoint": RealtimeInputs.model_fields["instance_type"].default,
                }
                module = inputs["source"].rpartition("/")[2]
                yield module, inputs["image_uri"], inputs.get("instance_type", defaults.get(module, "ml.m7i.large"))


def test_the_images_of_the_modules_examples_are_for_their_hardware() -> None:
    examples = list(list_examples())
    assert {module for module, _, _ in examples} >= {"async_endpoint", "realtime_endpoint", "serverless_endpoint"}
    for module, image, instance_type in examples:
        assert read_architecture(image) == find_architecture(instance_type), f"{module}: {image} on {instance_type}"
