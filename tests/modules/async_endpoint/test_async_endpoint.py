"""Input validation of an asynchronous endpoint."""

from typing import Any

import pytest

from modules.async_endpoint.inputs import Inputs
from modules.endpoints.inputs import LONGEST_NAME
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.settings import validate
from tests.cases import check_cases

OWN = "123456789012.dkr.ecr.eu-north-1.amazonaws.com"
KEY = "arn:aws:kms:eu-north-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
GIVEN = {
    "name_prefix": "shop",
    "account_id": "123456789012",
    "region": "eu-north-1",
    "image_uri": f"{OWN}/churn:1",
    "kms_key_arn": KEY,
    "role_arn": "arn:aws:iam::123456789012:role/r",
    "s3_uri": "s3://shop-artifacts/async-inference",
}


@check_cases(
    ("inputs", "message"),
    [
        ({"min_instances": 3}, "min_instances: must be at most max_instances, which is 2"),
        ({"bake_seconds": 3600}, "bake_seconds: must be less than or equal to 3000"),
        ({"requests_per_instance": 1001}, "requests_per_instance: must be less than or equal to 1000"),
        ({"instance_type": "ml.c8g.large"}, "version 5 of the AWS provider refuses ml.c8g.large"),
        ({"image_uri": f"{OWN}/churn:1-gpu-py3"}, "this image is for gpu, and ml.c7g.xlarge is graviton"),
        ({"s3_uri": "s3://shop-artifacts"}, "s3_uri: 's3://shop-artifacts' must be a prefix in a bucket"),
        ({"s3_uri": "s3://shop-artifacts/async/"}, "or a slash at its end"),
        ({"s3_uri": "s3://shop-artifacts/*"}, "without wildcards"),
        ({"model_data_url": "s3://shop-artifacts/*/model.tar.gz"}, "must be a model archive in S3"),
        ({"image_uri": None}, "model_package_arn: set either"),
        ({"inference_specification_name": "graviton"}, "inference_specification_name: it belongs to a model package"),
        ({"name": "a" * (LONGEST_NAME + 1)}, f"must be 1 to {LONGEST_NAME} letters, digits and hyphens"),
    ],
)
def test_invalid_settings_are_rejected(inputs: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError) as error:
        validate({**GIVEN, **inputs}, Inputs, "settings.yaml")
    assert message in str(error.value)
