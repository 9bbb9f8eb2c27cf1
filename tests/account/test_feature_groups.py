"""Adding declared features to feature groups that exist."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from sustainable_mlops.account import feature_groups
from sustainable_mlops.account.feature_groups import DeclaredFeatureGroup, Evolution
from sustainable_mlops.base.errors import UserError

ARN = "arn:aws:sagemaker:eu-north-1:123456789012:feature-group/shop-orders"
GROUP = DeclaredFeatureGroup(
    name="shop-orders", arn=ARN, features={"order_id": "String", "ordered_at": "String", "amount": "Fractional"}
)


@pytest.fixture
def sagemaker() -> Any:
    return boto3.client("sagemaker", "eu-north-1", aws_access_key_id="x", aws_secret_access_key="x")  # noqa: S106


@pytest.fixture
def aws(sagemaker: Any) -> Iterator[Stubber]:
    """Yield a stub that returns responses in order, and checks each against SageMaker's own model."""
    with Stubber(sagemaker) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def make_description(features: Mapping[str, str], **more: Any) -> dict[str, Any]:
    return {
        "FeatureGroupArn": ARN,
        "FeatureGroupName": "shop-orders",
        "RecordIdentifierFeatureName": "order_id",
        "EventTimeFeatureName": "ordered_at",
        "FeatureDefinitions": [{"FeatureName": name, "FeatureType": kind} for name, kind in features.items()],
        "CreationTime": 0,
        "FeatureGroupStatus": "Created",
        "NextToken": "",
        **more,
    }


def test_what_a_group_lacks_is_found_over_all_pages(sagemaker: Any, aws: Stubber) -> None:
    aws.add_response("describe_feature_group", make_description({"order_id": "String"}, NextToken="2"))
    aws.add_response(
        "describe_feature_group",
        make_description({"ordered_at": "String"}),
        {"FeatureGroupName": "shop-orders", "NextToken": "2"},
    )
    assert feature_groups.find_missing_features(GROUP, sagemaker) == Evolution("shop-orders", {"amount": "Fractional"})


@pytest.mark.parametrize(
    ("features", "message"),
    [
        ({"order_id": "String", "paid": "Integral"}, "'paid' is no longer declared.*declare it again, as Integral"),
        ({"order_id": "Integral"}, "'order_id' is Integral and cannot become String"),
    ],
)
def test_removing_or_retyping_a_feature_is_refused(
    sagemaker: Any, aws: Stubber, features: dict[str, str], message: str
) -> None:
    aws.add_response("describe_feature_group", make_description(features))
    with pytest.raises(UserError, match=f"^shop-orders: feature {message}"):
        feature_groups.find_missing_features(GROUP, sagemaker)


def test_a_group_that_was_never_applied_is_reported(sagemaker: Any, aws: Stubber) -> None:
    aws.add_client_error("describe_feature_group", "ResourceNotFound")
    with pytest.raises(UserError, match="shop-orders: there is no such feature group; apply first"):
        feature_groups.find_missing_features(GROUP, sagemaker)


def test_many_features_are_added_in_turns_and_each_turn_is_waited_for(sagemaker: Any, aws: Stubber) -> None:
    evolution = Evolution("shop-orders", {f"f{number:03}": "Integral" for number in range(101)})
    names = [f"f{number:03}" for number in range(101)]
    for turn in (names[:100], names[100:]):
        additions = [{"FeatureName": name, "FeatureType": "Integral"} for name in turn]
        aws.add_response(
            "update_feature_group",
            {"FeatureGroupArn": ARN},
            {"FeatureGroupName": "shop-orders", "FeatureAdditions": additions},
        )
        for status in ("InProgress", "Successful"):
            aws.add_response(
                "describe_feature_group", make_description(GROUP.features, LastUpdateStatus={"Status": status})
            )
    pauses: list[float] = []
    feature_groups.add_features(evolution, sagemaker, pauses.append)
    assert len(pauses) == 2


def test_a_failed_update_ends_with_its_reason(sagemaker: Any, aws: Stubber) -> None:
    aws.add_response("update_feature_group", {"FeatureGroupArn": ARN})
    failed = {"Status": "Failed", "FailureReason": "no table"}
    aws.add_response("describe_feature_group", make_description(GROUP.features, LastUpdateStatus=failed))
    with pytest.raises(UserError, match="shop-orders: SageMaker could not add the features: no table"):
        feature_groups.add_features(Evolution("shop-orders", {"paid": "Integral"}), sagemaker)


@pytest.mark.parametrize("output", ["platform", "feature_groups"])
def test_groups_are_read_from_an_environments_outputs_and_from_the_modules(output: str) -> None:
    groups: dict[str, Any] = {
        "orders": {**GROUP.model_dump(), "online": False, "offline_s3_uri": "s3://shop-data/orders"}
    }
    value: dict[str, Any] = {"environment": "dev", "feature_groups": groups} if output == "platform" else groups
    assert feature_groups.read_declarations({output: {"value": value}}, "envs/dev") == {"orders": GROUP}


def test_an_unknown_group_is_reported_with_the_nearest_name() -> None:
    with pytest.raises(UserError, match="there is no declared feature group 'order'; did you mean 'orders'"):
        feature_groups.select_groups({"orders": GROUP}, ["order"])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no such file"),
        ("{", "is not the output of `terraform output -json`; write it again"),
        ("[]", "is not the output of `terraform output -json`; write it again"),
        ("{}", "there is no output `platform` or `feature_groups`"),
        (json.dumps({"feature_groups": {"value": {"orders": {"name": "x"}}}}), "feature_groups.orders.arn: is missing"),
        (
            json.dumps({"feature_groups": {"value": {"orders": {"name": "x", "arn": "x", "features": {}}}}}),
            "feature_groups.orders.arn: 'x' is not an ARN",
        ),
    ],
    ids=["missing", "not JSON", "no object", "no output", "no group", "no ARN"],
)
def test_a_bad_declaration_ends_with_one_line_and_code_2(
    root: Path, tmp_path: Path, content: str | None, message: str
) -> None:
    file = tmp_path / "declared.json"
    if content is not None:
        file.write_text(content)
    command = [sys.executable, str(root / "scripts" / "smlops.py"), "evolve", "--declared", str(file)]
    process = subprocess.run(command, env=dict(os.environ), capture_output=True, text=True, check=False)
    assert (process.returncode, process.stdout) == (2, "")
    assert message in process.stderr
    assert len(process.stderr.splitlines()) == 1
