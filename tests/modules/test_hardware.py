"""Validation of silicon, instance types and images of endpoints."""

from typing import Any

import pytest

from modules.async_endpoint.inputs import Inputs
from modules.endpoints.hardware import TABLES
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.settings import validate
from sustainable_mlops.catalogue.instances import is_offered, is_refused_by_provider, load_all
from sustainable_mlops.catalogue.regions import load_all as regions
from tests.cases import check_cases

AWS = "763104351884.dkr.ecr.eu-north-1.amazonaws.com"
OWN = "123456789012.dkr.ecr.eu-north-1.amazonaws.com"
GIVEN = {
    "name_prefix": "shop",
    "account_id": "123456789012",
    "region": "eu-north-1",
    "image_uri": f"{OWN}/churn:1",
    "kms_key_arn": "arn:aws:kms:eu-north-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    "role_arn": "arn:aws:iam::123456789012:role/r",
    "s3_uri": "s3://shop-artifacts/async-inference",
}
TYPE = {"graviton": "ml.c7g.large", "gpu": "ml.g5.xlarge", "inferentia2": "ml.inf2.xlarge", "x86": "ml.c7i.large"}


@check_cases(
    ("inputs", "message"),
    [
        (
            {"instance_type": "ml.c7i.xlarge"},
            "instance_type: ml.c7i.xlarge is not of silicon graviton; the graviton families for SageMaker hosting are "
            "c6g, c6gd, c6gn",
        ),
        (
            {"silicon": "gpu"},
            "instance_type: ml.c7g.xlarge is not of silicon gpu; the gpu families for SageMaker hosting are g4dn",
        ),
        ({"instance_type": "ml.m7g.large"}, "ml.m7g.large is not of silicon graviton"),
        ({"instance_type": "ml.trn1.2xlarge", "silicon": "inferentia2"}, "families for SageMaker hosting are inf2."),
        (
            {"instance_type": "ml.inf1.xlarge", "silicon": "inferentia2"},
            "the first Inferentia supports neither deployment",
        ),
        (
            {"instance_type": "ml.t2.medium", "silicon": "x86"},
            "instance_type: Application Auto Scaling refuses burstable instances",
        ),
        (
            {"instance_type": "ml.c8g.xlarge"},
            "version 5 of the AWS provider refuses ml.c8g.xlarge; use another graviton type, or version 6",
        ),
        ({"instance_type": "ml.p5.4xlarge", "silicon": "gpu"}, "version 5 of the AWS provider refuses ml.p5.4xlarge"),
        (
            {"instance_type": "ml.inf2.xlarge", "silicon": "inferentia2", "region": "eu-south-1"},
            "instance_type: eu-south-1 has no ml.inf2.xlarge; use another type, or another Region.",
        ),
        (
            {"instance_type": "ml.inf2.8xlarge", "silicon": "inferentia2", "region": "ap-northeast-2"},
            "instance_type: ap-northeast-2 has no ml.inf2.8xlarge; use another type, or another Region.",
        ),
        (
            {"instance_type": "ml.c7g.metal"},
            "instance_type: SageMaker hosting has no ml.c7g.metal; the sizes of c7g are large, xlarge, 2xlarge, "
            "4xlarge, ",
        ),
        ({"instance_type": "ml.g5.large", "silicon": "gpu"}, "no ml.g5.large; the sizes of g5 are xlarge, 2xlarge"),
        ({"instance_type": "c7g.large"}, "instance_type: 'c7g.large' must be an instance type such as ml.c7g.xlarge"),
    ],
)
def test_instance_types_must_match_silicon_region_and_provider(inputs: dict[str, Any], message: str) -> None:
    image = {"inferentia2": f"{OWN}/churn:1-neuronx"}.get(inputs.get("silicon", ""), f"{OWN}/churn:1")
    with pytest.raises(UserError) as error:
        validate({**GIVEN, "image_uri": image, **inputs}, Inputs, "settings.yaml")
    assert message in str(error.value)


def test_provider_6_accepts_types_that_provider_5_rejects() -> None:
    assert validate({**GIVEN, "instance_type": "ml.c8g.xlarge", "aws_provider": 6}, Inputs, "settings.yaml")


@check_cases(
    ("image", "silicon", "message"),
    [
        (f"{OWN}/churn:1-gpu-py3", "graviton", "this image is for gpu, and ml.c7g.large is graviton; use an image for"),
        (f"{OWN}/churn:1-neuronx", "gpu", "this image is for inferentia2, and ml.g5.xlarge is gpu"),
        (f"{OWN}/churn:1", "inferentia2", "Inferentia runs only Neuron images, whose names contain neuron"),
        *(
            (f"{OWN}/churn:1-{ending}", "graviton", "this image is for x86, and ml.c7g.large is graviton")
            for ending in ("amd64", "x86_64", "x86-64")
        ),
        (f"{OWN}/churn:1-aarch64", "gpu", "this image is for graviton, and ml.g5.xlarge is gpu"),
        (f"{OWN}/churn:1-arm64", "x86", "this image is for graviton, and ml.c7i.large is x86"),
        (f"{OWN}/churn:1-gpu-arm64", "gpu", "this image is for gpu and graviton"),
        (f"{AWS}/pytorch-inference:2.6.0-cpu-py312", "graviton", "this image is for x86, and ml.c7g.large is graviton"),
        (f"{OWN}/sagemaker-xgboost:3.0-5", "graviton", "this image is for x86"),
        (f"{OWN}/sagemaker-scikit-learn:1.2-1-cpu-py3", "graviton", "this image is for x86"),
    ],
)
def test_images_for_other_silicon_are_rejected(image: str, silicon: str, message: str) -> None:
    with pytest.raises(UserError) as error:
        validate(
            {**GIVEN, "image_uri": image, "silicon": silicon, "instance_type": TYPE[silicon]}, Inputs, "settings.yaml"
        )
    assert f"settings.yaml: image_uri: {message}" in str(error.value)


@check_cases(
    ("image", "silicon"),
    [
        *((f"{OWN}/churn:1", silicon) for silicon in ("graviton", "gpu", "x86")),
        *((f"{OWN}/churn:1-{ending}-amd64", kind) for ending, kind in (("gpu", "gpu"), ("cpu", "x86"), ("cpu", "gpu"))),
        (f"{OWN}/churn:1-neuronx-x86_64", "inferentia2"),
        (f"{OWN}/churn:1-aarch64", "graviton"),
        (f"{OWN}/churn:1-gpu-py3", "gpu"),
        (f"{OWN}/churn:1-neuronx", "inferentia2"),
        (f"{AWS}/pytorch-inference-arm64:2.6.0-cpu-py312-ubuntu22.04-sagemaker", "graviton"),
        (f"{AWS}/pytorch-inference-graviton:2.3.0-cpu-py311-ubuntu20.04-sagemaker", "graviton"),
        (f"{AWS}/pytorch-inference:2.6.0-cpu-py312", "x86"),
        (f"{OWN}/sagemaker-scikit-learn:1.0-1-arm64-cpu-py3", "graviton"),
        (f"{OWN}/sagemaker-scikit-learn:1.2-1-cpu-py3", "x86"),
    ],
)
def test_matching_and_unspecific_images_are_accepted(image: str, silicon: str) -> None:
    values = {**GIVEN, "image_uri": image, "silicon": silicon, "instance_type": TYPE[silicon]}
    assert validate(values, Inputs, "settings.yaml")


def test_the_tables_agree_with_the_catalogue_for_all_hosted_types() -> None:
    families, sizes = (TABLES[name][0] for name in ("families", "sizes"))
    lacking, unknown = (TABLES[name][0] for name in ("not_in_region", "refused_by_provider_5"))
    types = {
        f"ml.{family}.{size}": silicon
        for silicon, of_silicon in families.items()
        for family in of_silicon
        for size in sizes[family]
    }
    hosted = {name: one for name, one in load_all().items() if "hosting" in one.uses and one.family[0] != "t"}
    somewhere = {name for name in hosted if any(is_offered(name, region) for region in regions())}
    assert {name for name in somewhere if hosted[name].silicon} == {*types}
    for name, silicon in types.items():
        one = hosted[name]
        assert one.silicon == silicon, name
        assert (one.family in unknown or name in unknown) == is_refused_by_provider(name, "hosting", 5), name
        for region in regions():
            not_there = region in [*lacking.get(one.family, ()), *lacking.get(name, ())]
            assert not_there == (is_offered(name, region) is False), (name, region)
