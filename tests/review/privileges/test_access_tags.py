"""Tags of resources that conditions of policies name."""

from typing import Any

import pytest

from sustainable_mlops.review.privileges import access_tags
from sustainable_mlops.review.risk import Level
from tests.cases import check_cases
from tests.plan.plan_builder import build_change
from tests.review.privileges.test_widening import KEPT, KEY_ARN, limit_by_tag, list_levels

INSTANCE_ARN = "arn:aws:ec2:eu-north-1:123456789012:instance/i-0a1b2c3d"
DATABASE_ARN = "arn:aws:rds:eu-north-1:123456789012:db:orders"


@check_cases(
    ("type_", "arn", "action", "key", "is_open"),
    [
        ("instance", INSTANCE_ARN, "ec2:StopInstances", "ec2:ResourceTag", True),
        ("instance", INSTANCE_ARN, "ssm:StartSession", "ssm:resourceTag", True),
        ("instance", INSTANCE_ARN, "ssm:SendCommand", "aws:ResourceTag", True),
        ("instance", INSTANCE_ARN, "ec2-instance-connect:SendSSHPublicKey", "aws:ResourceTag", True),
        ("instance", INSTANCE_ARN, "sqs:SendMessage", "aws:ResourceTag", False),
        ("iam_user", "arn:aws:iam::123456789012:user/u", "sts:TagSession", "iam:ResourceTag", True),
        ("api_gateway_rest_api", "arn:aws:apigateway:eu-north-1::/restapis/a", "execute-api:Invoke", "aws:ResourceTag",
         True),
        ("sagemaker_mlflow_tracking_server", "arn:aws:sagemaker:eu-north-1:123456789012:mlflow-tracking-server/m",
         "sagemaker-mlflow:*", "aws:ResourceTag", True),
        ("s3_bucket", "arn:aws:s3:::b", "s3:GetObject", "s3:BucketTag", True),
        ("s3_bucket", "arn:aws:s3:::b", "s3:GetObject", "s3:ExistingObjectTag", False),
        ("s3_object", "arn:aws:s3:::b/k", "s3:GetObject", "s3:ExistingObjectTag", True),
        ("s3_object", "arn:aws:s3:::b/k", "s3:GetObject", "aws:ResourceTag", False),
        ("db_instance", DATABASE_ARN, "rds:DeleteDBInstance", "rds:db-tag", True),
        ("db_instance", DATABASE_ARN, "rds:DeleteDBCluster", "rds:cluster-tag", False),
        ("db_instance", DATABASE_ARN, "rds:CreateDBInstance", "rds:req-tag", False),
        ("db_instance", DATABASE_ARN, "rds-data:ExecuteStatement", "aws:ResourceTag", True),
    ],
)  # fmt: skip
def test_a_tag_counts_for_the_services_and_keys_of_its_resource(
    type_: str, arn: str, action: str, key: str, is_open: bool
) -> None:
    sides = ({"arn": arn, "tags": {"team": team}} for team in ("ml", "a"))
    tagged = build_change(f"aws_{type_}.x", next(sides), before=next(sides))
    found = list_levels(KEPT, tagged, limit_by_tag("ml", Action=action, key=f"{key}/team"))
    assert found == [("PRIVILEGES_GRANTED", Level.LOOK)] * is_open


DEFAULT_TAGS = {"expressions": {"default_tags": [{"tags": {"references": ["var.tags"]}}]}}
ML, SEC, OTHER = {"team": "ml"}, {"team": "sec"}, {"a": "b"}


@check_cases(
    ("before", "tags", "provider", "effect", "is_open"),
    [
        # The last default tag is removed.
        ({"tags": None, "tags_all": ML}, None, {}, "Deny", True),
        ({"tags": OTHER, "tags_all": {**OTHER, **SEC}}, {"a": "c"}, {}, "Allow", False),
        # A default tag becomes unknown until apply.
        ({"tags": {}, "tags_all": ML}, {}, DEFAULT_TAGS, "Deny", True),
        ({"tags": OTHER, "tags_all": OTHER}, OTHER, DEFAULT_TAGS, "Allow", True),
        ({"tags": SEC, "tags_all": SEC}, SEC, DEFAULT_TAGS, "Allow", False),
    ],
)
def test_default_tags_that_the_plan_does_not_show_may_give_access(
    before: dict[str, Any], tags: Any, provider: dict[str, Any], effect: str, is_open: bool
) -> None:
    after = {"arn": KEY_ARN, "tags": tags}
    tagged = build_change("aws_kms_key.k", after, before={"arn": KEY_ARN, **before}, unknown={"tags_all": True})
    configuration = {"provider_config": {"aws": provider}, "root_module": {}}
    found = list_levels(KEPT, tagged, limit_by_tag("ml", effect), configuration=configuration)
    assert found == [("PRIVILEGES_GRANTED", Level.LOOK)] * is_open


@check_cases(
    ("type_", "old", "how"),
    [
        ("awscc_ecs_cluster", [{"key": "team", "value": "sec"}], "unknown"),
        ("awscc_ecs_cluster", [{"key": "team", "value": "sec"}], "sensitive"),
        ("aws_kms_key", "sec", "unknown"),
        ("google_compute_instance", ["sec"], "unknown"),
        ("google_compute_instance", ["sec"], "sensitive"),
    ],
)
def test_hidden_tags_of_aws_resources_need_a_look(type_: str, old: Any, how: str) -> None:
    after = {"name": "x"} if how == "unknown" else {"name": "x", "tags": ["ml"]}
    tagged = build_change(f"{type_}.x", after, before={"name": "x", "tags": old})
    tagged["change"][f"after_{how}"] = {"tags": True}
    levels = [Level.LOOK] if type_.startswith("aws") else []
    assert list_levels(KEPT, tagged, limit_by_tag("ml")) == [("PRIVILEGES_GRANTED", level) for level in levels]


@check_cases(
    ("type_", "attribute"),
    [
        ("ec2_tag", "resource_id"),
        ("ecs_tag", "resource_arn"),
        ("dynamodb_tag", "resource_arn"),
        ("transfer_tag", "resource_arn"),
        ("autoscaling_group_tag", "autoscaling_group_name"),
    ],
)
def test_a_resource_that_only_sets_a_tag_is_compared_too(type_: str, attribute: str) -> None:
    def build(value: str | None, name: str | None = "x") -> dict[str, Any] | None:
        tag = {"key": "team", "value": value}
        inner = {"tag": [tag]} if type_ == "autoscaling_group_tag" else tag
        return None if value is None else {**({} if name is None else {attribute: name}), **inner}

    def list_tag_levels(before: Any, after: Any, effect: str = "Allow", **more: Any) -> list[Level]:
        tagged = build_change(f"aws_{type_}.t", after, before=before, **more)
        return [level for _, level in list_levels(KEPT, tagged, limit_by_tag("ml", effect))]

    assert list_tag_levels(None, build("ml")) == [Level.LOOK]
    assert list_tag_levels(build("a"), build("ml")) == [Level.LOOK]
    assert list_tag_levels(build("ml"), None, "Deny") == [Level.LOOK]
    assert list_tag_levels(build("ml"), build("ml", "y"), actions=["delete", "create"]) == [Level.LOOK]
    assert list_tag_levels(build("ml"), build("ml", "y"), "Deny", actions=["delete", "create"]) == [Level.LOOK]
    assert list_tag_levels(None, build("a")) == []
    assert list_tag_levels(build("ml"), None) == []
    assert list_tag_levels(build("ml"), None, "Deny", actions=["forget"]) == []
    assert list_tag_levels(None, build("ml", None), unknown={attribute: True}) == []


def test_the_tags_of_an_autoscaling_group_are_compared() -> None:
    before, after = ({"name": "g", "tag": [{"key": "team", "value": value}]} for value in ("a", "ml"))
    tagged = build_change("aws_autoscaling_group.g", after, before=before)
    assert list_levels(KEPT, tagged, limit_by_tag("ml")) == [("PRIVILEGES_GRANTED", Level.LOOK)]


def test_a_tag_is_compared_only_with_the_conditions_on_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> bool:
        raise AssertionError("compares ARNs")

    monkeypatch.setattr(access_tags, "_may_act_on", refuse)
    sides = ([{"arn": f"{KEY_ARN}{n}", "tags": {"team": "a", "cost": cost}} for n in range(3)] for cost in "12")
    tagged = [build_change(f"aws_kms_key.k{n}", after, before=before)
              for n, (before, after) in enumerate(zip(*sides, strict=True))]  # fmt: skip
    assert list_levels(KEPT, *tagged, limit_by_tag("ml")) == []
    # A condition on the tag that the new value does not meet needs no comparison of ARNs either.
    assert list_levels(KEPT, *tagged, limit_by_tag("3", key="aws:ResourceTag/cost")) == []
