"""Every image that is committed beside an instance type exists for it, in its Region, as far as AWS's tables say.

The tables are the SageMaker Python SDK's, which is installed, and `documented_images.yaml` for what it does not know.
No image is pulled, and no compiler of Neuron runs here: this is the contract alone.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

import pytest
import yaml

from modules.async_endpoint.inputs import Inputs as AsyncInputs
from modules.realtime_endpoint.inputs import Inputs as RealtimeInputs
from sustainable_mlops.catalogue import instances
from sustainable_mlops.jobs.image import Scope, image_address
from sustainable_mlops.jobs.specs.common import FrameworkImage
from sustainable_mlops.jobs.specs.training import AdditionalServingSpec, ServingSpec, TrainingSpec
from sustainable_mlops.scaffold.files import render
from sustainable_mlops.scaffold.framework import Framework
from sustainable_mlops.settings import validate
from sustainable_mlops.terraform import ROOT

pytestmark = pytest.mark.slow  # the SDK takes seconds to import

WORKLOADS = ROOT / "workloads"
TEMPLATE = "sustainable_mlops/scaffold/templates/workload/job.yaml.j2"
DOCUMENTS = yaml.safe_load(Path(__file__).with_name("documented_images.yaml").read_text())
DOCUMENTED: dict[str, Mapping[str, Any]] = {one["image"]: one for one in DOCUMENTS}
INSTANCE_TYPE = re.compile(r"\bml\.[a-z0-9-]+\.[a-z0-9]+\b")


class Pair(NamedTuple):
    """An image and an instance type that somebody put together."""

    where: str
    image: str | FrameworkImage
    instance_type: str
    scope: Scope
    region: str

    def __str__(self) -> str:
        image = self.image if isinstance(self.image, str) else f"{self.image.framework} {self.image.version}"
        return f"{self.where}: {image.rpartition('/')[2]} on {self.instance_type} in {self.region}"


def environments() -> dict[str, str]:
    """The Region of each environment."""
    found = [yaml.safe_load(path.read_text()) for path in sorted(ROOT.glob("envs/*/settings.yaml"))]
    return {one["environment"]: one["region"] for one in found}


def documents() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every job file, and what the scaffold makes of its template, by its path."""
    for path in sorted(WORKLOADS.glob("*/*.yaml")):
        yield str(path.relative_to(ROOT)), yaml.safe_load(path.read_text())
    for framework in Framework:
        text = render("workload/job.yaml", name="new", hyphenated="new", environment="dev", framework=framework.value)
        yield f"{TEMPLATE} ({framework.value})", yaml.safe_load(text)


def region(document: Mapping[str, Any]) -> str:
    """Where its jobs run."""
    platform = document["platform"]
    found: str = environments()[platform.split("/")[2]] if isinstance(platform, str) else platform["region"]
    return found


def image_of(document: Mapping[str, Any]) -> str | FrameworkImage:
    """The image that a file names."""
    image = document["image"]
    return image if isinstance(image, str) else FrameworkImage(**image)


def pairs(where: str, document: Mapping[str, Any]) -> Iterator[Pair]:
    """What a job file puts together: to run the job, and to serve its model wherever that may be."""
    for step in document.get("steps", {}).values():
        beside = yaml.safe_load((ROOT / where).with_name(step).read_text())
        for instance_type in document.get("instance_types", []):
            yield Pair(where, image_of(beside), instance_type, "training", region(document))
    if "image" not in document:
        return
    yield Pair(where, image_of(document), document["compute"]["instance_type"], "training", region(document))
    if "serving" not in document:
        return
    job = validate(document, TrainingSpec, where)
    assert job.serving is not None
    promoted = (ROOT / "envs" / "catalogue" / "models" / f"{job.workload.replace('-', '_')}.yaml").exists()
    for place in sorted({region(document), *(environments().values() if promoted else ())}):
        every: list[ServingSpec | AdditionalServingSpec] = [job.serving, *job.serving.additional.values()]
        for machines in every:
            for instance_type in (*machines.realtime_instance_types, *machines.transform_instance_types):
                yield Pair(where, machines.image or job.image, instance_type, "inference", place)


PAIRS = sorted({pair for where, document in documents() for pair in pairs(where, document)}, key=str)


def architecture(instance_type: str) -> Literal["x86", "arm64", "neuron"]:
    """What an image for the instance type must be built for."""
    if instances.parse_family(instance_type).startswith(("inf", "trn")):
        return "neuron"
    instance = instances.find(instance_type)
    assert instance is not None, instances.explain_unknown(instance_type)
    return "arm64" if instance.is_arm else "x86"


def built_for(image: str) -> Literal["x86", "arm64", "neuron"]:
    """What an image's name says that it is built for."""
    if "neuron" in image:
        return "neuron"
    return "arm64" if re.search(r"arm64|graviton", image) else "x86"


def based_on(image: str) -> Mapping[str, Any]:
    """The documented image that an image of one's own is made of, by its tag and the workload's Containerfile."""
    repository, _, tag = image.rpartition("/")[2].partition(":")
    containerfile = (WORKLOADS / repository / "Containerfile").read_text()
    bases = [DOCUMENTED[name] for name in re.findall(r"public\.ecr\.aws/\S+?(?=,|\s)", containerfile)]
    [base] = [one for one in bases if built_for(one["image"]) == built_for(image)]
    says = re.fullmatch(r"jax([\d.]+)-(?:cpu|neuronx-(sdk[\d.]+))", tag)
    assert says, f"{tag}: no tag of {repository}"
    assert f"jax=={says[1]}" in containerfile
    assert base["jax"] in (None, says[1])
    assert says[2] is None or f"-{says[2]}-" in base["image"]
    return base


def test_every_instance_type_of_a_job_file_is_looked_at() -> None:
    paired = {(pair.where, pair.instance_type) for pair in PAIRS}
    for where, document in documents():
        for instance_type in INSTANCE_TYPE.findall(str(document)):
            assert (where, instance_type) in paired
    assert {architecture(pair.instance_type) for pair in PAIRS} == {"x86", "arm64", "neuron"}


@pytest.mark.parametrize("pair", PAIRS, ids=str)
def test_the_image_exists_for_the_instance_type_in_the_region(pair: Pair) -> None:
    address = image_address(pair.image, pair.region, pair.instance_type, pair.scope)
    assert f".ecr.{pair.region}." in address
    assert built_for(address) == architecture(pair.instance_type)
    assert instances.is_offered(pair.instance_type, pair.region)
    if isinstance(pair.image, FrameworkImage):
        # The SDK takes another version where it knows one alone for the architecture.
        assert address.partition(":")[2].startswith(pair.image.version)
    else:
        families = based_on(pair.image)["families"]
        assert families is None or instances.parse_family(pair.instance_type) in families


def examples() -> Iterator[tuple[str, str, str]]:
    """Module, image and instance type of each endpoint in the modules' pages; a serverless one has x86 alone."""
    for page in sorted(ROOT.glob("modules/*/README.md")):
        for block in re.findall(r'^module "\w+" {$(.*?)^}$', page.read_text(), re.MULTILINE | re.DOTALL):
            given = dict(re.findall(r'^  (source|image_uri|instance_type)\s+= "(.*)"$', block, re.MULTILINE))
            if "image_uri" in given:
                default = {
                    "async_endpoint": AsyncInputs.model_fields["instance_type"].default,
                    "realtime_endpoint": RealtimeInputs.model_fields["instance_type"].default,
                }
                module = given["source"].rpartition("/")[2]
                yield module, given["image_uri"], given.get("instance_type", default.get(module, "ml.m7i.large"))


def test_the_images_of_the_modules_examples_are_for_their_hardware() -> None:
    found = list(examples())
    assert {module for module, _, _ in found} >= {"async_endpoint", "realtime_endpoint", "serverless_endpoint"}
    for module, image, instance_type in found:
        assert built_for(image) == architecture(instance_type), f"{module}: {image} on {instance_type}"
