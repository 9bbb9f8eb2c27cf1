"""Addresses of SageMaker's images."""

from pathlib import Path

import pytest

from sustainable_mlops.base.errors import UserError
from sustainable_mlops.jobs import image
from sustainable_mlops.jobs.image import find_image_address
from sustainable_mlops.jobs.specs.common import FrameworkImage
from tests.cases import check_cases


@pytest.fixture(autouse=True)
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Use an empty cache of addresses."""
    path = tmp_path / "local" / "image-addresses.json"
    monkeypatch.setattr(image, "_CACHE_FILE", path)
    return path


def find_address(framework: str, version: str, region: str = "eu-north-1") -> str:
    return find_image_address(FrameworkImage(framework=framework, version=version), region, "ml.m5.large")


def test_a_full_address_is_returned_unchanged() -> None:
    assert find_image_address("123.dkr/own:1", "eu-north-1", "ml.m5.large") == "123.dkr/own:1"


@pytest.mark.parametrize(
    "image_uri",
    ["763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-training:2.3-gpu", "1.dkr/sagemaker-xgboost:3.0-5"],
)
def test_an_image_without_neuron_is_refused_on_trainium_only(image_uri: str) -> None:
    with pytest.raises(
        UserError, match=f"image: {image_uri} has no Neuron SDK, so the chips of ml.trn1.2xlarge would be idle"
    ):
        find_image_address(image_uri, "us-east-1", "ml.trn1.2xlarge")
    assert find_image_address(image_uri, "us-east-1", "ml.g5.xlarge") == image_uri
    neuron = "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-training-neuronx:2.8"
    assert find_image_address(neuron, "us-east-1", "ml.trn1.2xlarge") == neuron


@pytest.mark.slow
def test_the_address_of_a_framework_is_found_and_cached(empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    address = find_address("xgboost", "3.0-5")
    assert address == "662702820516.dkr.ecr.eu-north-1.amazonaws.com/sagemaker-xgboost:3.0-5"
    monkeypatch.setattr(image, "_retrieve_address", None)
    assert find_address("xgboost", "3.0-5") == address
    empty_cache.write_text("{")
    with pytest.raises(TypeError):
        find_address("xgboost", "3.0-5")


def test_an_address_is_found_without_a_writable_cache(empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    empty_cache.parent.write_text("not a folder")
    monkeypatch.setattr(image, "_retrieve_address", lambda *_: "address")
    assert find_address("xgboost", "3.0-5") == "address"


@pytest.mark.slow
@check_cases(
    ("framework", "version", "region", "message"),
    [
        ("xgboost", "9.9", "eu-north-1", r"image: Unsupported xgboost version: 9.9.*Supported.* 1.7-1, 3.0-5"),
        ("xgbost", "3.0-5", "eu-north-1", "image.framework: 'xgbost' is unknown; did you mean 'xgboost'?"),
        (
            "huggingface",
            "4.49.0",
            "eu-north-1",
            "image.framework: an image of huggingface also has a version of PyTorch .*; write the full address",
        ),
        ("xgboost", "3.0-5", "xx-mars-1", "image: Unsupported region: xx-mars-1"),
    ],
)
def test_an_unknown_framework_or_version_or_region_is_reported(
    framework: str, version: str, region: str, message: str
) -> None:
    with pytest.raises(UserError, match=message):
        find_address(framework, version, region)
