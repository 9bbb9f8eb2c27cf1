"""The three supported partitions, with their Regions and DNS suffixes."""

import importlib
from typing import Any

import pytest
from pydantic import ValidationError

from envs.components.pipelines import Pipelines
from envs.settings import EnvironmentSettings
from modules.common import REGIONS, LocatedInputs
from modules.iam_statements import get_dns_suffix
from tests.cases import check_cases
from tests.envs.example import load_dev

PLACE: dict[str, Any] = {"name_prefix": "shop", "account_id": "123456789012"}
NOT_A_REGION = "region must be a Region of the catalogue such as eu-north-1, in partition aws, aws-cn or aws-us-gov"
REFUSED = [
    ("aws-eusc", "eu-central-1", "partition must be aws, aws-cn or aws-us-gov"),
    ("aws", "eusc-de-east-1", NOT_A_REGION),
    ("aws", "us-iso-east-1", NOT_A_REGION),
    ("aws", "cn-north-1", "Region cn-north-1 is in aws-cn, not in aws; set partition to aws-cn, or another region."),
    ("aws-cn", "eu-north-1", "Region eu-north-1 is in aws, not in aws-cn; set partition to aws"),
    ("aws-us-gov", "us-east-1", "Region us-east-1 is in aws, not in aws-us-gov; set partition to aws"),
]


@check_cases("region", REGIONS)
def test_all_known_regions_are_accepted_in_their_partition(region: str) -> None:
    partition = {"cn": "aws-cn", "us-gov": "aws-us-gov"}.get(region.rsplit("-", 2)[0], "aws")
    where = LocatedInputs(**PLACE, region=region, partition=partition)
    assert get_dns_suffix(where) == ("amazonaws.com.cn" if partition == "aws-cn" else "amazonaws.com")


@check_cases(("partition", "region", "message"), REFUSED)
def test_unknown_partitions_and_mismatched_regions_are_rejected(partition: str, region: str, message: str) -> None:
    with pytest.raises(ValidationError) as error_info:
        LocatedInputs(**PLACE, region=region, partition=partition)
    (error,) = error_info.value.errors()
    field, _, rest = message.partition(" must ")
    if not rest:
        assert message in error["msg"]
    else:
        assert error["loc"] == (field,)


@check_cases(
    ("module", "field", "arn"),
    [
        ("feature_store", "role_arn", "arn:aws-eusc:iam::123456789012:role/data"),
        ("feature_store", "kms_key_arn", "arn:aws-eusc:kms:eusc-de-east-1:123456789012:key/one"),
        ("serverless_endpoint", "model_package_arn", "arn:aws-iso:sagemaker:us-iso-east-1:1:model-package/a"),
    ],
)
def test_arns_of_other_partitions_are_rejected(module: str, field: str, arn: str) -> None:
    inputs: Any = importlib.import_module(f"modules.{module}.inputs").Inputs
    with pytest.raises(ValidationError) as error_info:
        inputs(**{field: arn})
    assert (field,) in [
        error["loc"] for error in error_info.value.errors() if error["type"] == "string_pattern_mismatch"
    ]


def test_environments_use_the_partition_of_their_region() -> None:
    dev = load_dev()
    assert "partition" not in EnvironmentSettings.model_validate(dev).located
    china = {**dev, "region": "cn-north-1", "models": {}, "pipelines": {}}
    assert EnvironmentSettings.model_validate(china).located["partition"] == "aws-cn"
    with pytest.raises(ValidationError, match="us-iso-east-1"):
        EnvironmentSettings.model_validate({**dev, "region": "us-iso-east-1"})


def test_framework_images_have_the_dns_suffix_of_their_region() -> None:
    dev = load_dev()
    china: Any = EnvironmentSettings.model_validate({**dev, "region": "cn-north-1", "models": {}, "pipelines": {}})
    address = Pipelines(china)._format_image_address("sagemaker-xgboost:3.0-5")
    assert address.endswith(".dkr.ecr.cn-north-1.amazonaws.com.cn/sagemaker-xgboost:3.0-5")
