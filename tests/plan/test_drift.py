"""Drift counts as a change if a plan accepts it. The fixtures are real plans."""

from typing import Any

import pytest

from sustainable_mlops.base.errors import UserError
from sustainable_mlops.plan import Plan, Resource, load
from tests.cases import check_cases
from tests.plan.plan_builder import build_change, build_configuration, build_plan
from tests.plan.test_load import FIXTURES


def list_drift(plan: Plan) -> dict[str, tuple[str, tuple[str, ...]]]:
    return {resource.address: (resource.action, resource.drift) for resource in plan.resources if resource.drift}


def test_a_refresh_only_plan_accepts_all_drift() -> None:
    plan = load(FIXTURES / "refresh_only.json")
    assert plan.is_refresh_only
    assert list_drift(plan) == {
        "aws_iam_role.r": ("update", ("assume_role_policy", "inline_policy")),
        "aws_iam_role_policy.p": ("update", ("policy",)),
        "aws_kms_key.k": ("update", ("enable_key_rotation",)),
        "aws_s3_bucket_versioning.b": ("update", ("versioning_configuration",)),
    }
    assert [resource.address for resource in plan.deleted_outside_terraform] == ["aws_sns_topic.gone"]
    key = plan.find_resource("aws_kms_key.k")
    assert isinstance(key, Resource)
    assert (key.old.get("enable_key_rotation"), key.get("enable_key_rotation")) == (True, False)


def test_a_plan_accepts_drift_of_ignored_and_computed_attributes() -> None:
    plan = load(FIXTURES / "drift.json")
    assert not plan.is_refresh_only
    assert list_drift(plan) == {
        "aws_iam_role.r": ("update", ("assume_role_policy", "inline_policy")),
        "aws_kms_key.k": ("update", ("enable_key_rotation",)),
    }
    reverted = plan.find_resource("aws_s3_bucket_versioning.b")
    assert isinstance(reverted, Resource)
    assert reverted.old.get("versioning_configuration.0.status") == "Suspended"


OLD, NEW = {"a": 1, "b": 1, "tags": None}, {"a": 2, "b": 2, "tags": {}}


def plan_drift(entry: dict[str, Any], drift: dict[str, Any], **more: Any) -> Resource:
    return build_plan(entry, resource_drift=[drift], **more).resources[0]


def test_an_update_accepts_drift_of_other_attributes() -> None:
    entry = build_change("aws_x.y", {"a": 2, "b": 3}, before={"a": 2, "b": 2})
    plan = plan_drift(entry, build_change("aws_x.y", NEW, before=OLD))
    assert plan.drift == ("a",)
    assert plan.old.values == {"a": 1, "b": 2}


@pytest.mark.parametrize("actions", [["delete"], ["delete", "create"]])
def test_a_destroyed_resource_accepts_no_drift(actions: list[str]) -> None:
    after = None if actions == ["delete"] else NEW
    entry = build_change("aws_x.y", after, before=NEW, actions=actions)
    assert plan_drift(entry, build_change("aws_x.y", NEW, before=OLD)).drift == ()


def test_an_unset_attribute_that_reads_back_as_empty_is_not_drift() -> None:
    old = {"a": None, "b": [{"c": None, "d": None}], "e": ""}
    new = {"a": [], "b": [{"c": False, "d": ""}], "e": None}
    plan = plan_drift(build_change("aws_x.y", new, before=new), build_change("aws_x.y", new, before=old))
    assert (plan.action, plan.drift) == ("no-op", ())


def test_bucket_attributes_of_companion_resources_are_not_drift() -> None:
    old, new = ({"bucket": "b", "versioning": [{"enabled": value}], "policy": ""} for value in (True, False))
    bucket, drift = build_change("aws_s3_bucket.b", new, before=new), build_change("aws_s3_bucket.b", new, before=old)
    values = {"bucket": "b", "versioning_configuration": [{"status": "Suspended"}]}
    versioning = build_change("aws_s3_bucket_versioning.v", values, before=values)
    assert build_plan(bucket, versioning, resource_drift=[drift]).resources[0].drift == ()
    assert build_plan(bucket, resource_drift=[drift]).resources[0].drift == ("versioning",)


def test_sensitive_values_stay_sensitive_on_both_sides() -> None:
    old, new = {"token": "first-secret"}, {"token": "second-secret"}
    entry = build_change("aws_x.y", new, before=new, sensitive={"token": True})
    plan = plan_drift(entry, build_change("aws_x.y", new, before=old, sensitive={"token": True}))
    assert plan.drift == ("token",)
    assert repr([plan.before, plan.after]) == "[{'token': '(sensitive)'}, {'token': '(sensitive)'}]"


def test_a_cloudformation_type_can_drift() -> None:
    old, new = ({"role_name": "r", "assume_role_policy_document": text} for text in ("{}", "[]"))
    plan = plan_drift(
        build_change("awscc_iam_role.r", new, before=new), build_change("awscc_iam_role.r", new, before=old)
    )
    assert (plan.old.get("assume_role_policy"), plan.get("assume_role_policy")) == ("{}", "[]")


def test_a_deposed_object_is_not_its_successor() -> None:
    drift = build_change("aws_x.y", NEW, before=OLD, deposed="12345678")
    assert plan_drift(build_change("aws_x.y", NEW, before=NEW), drift).drift == ()


@check_cases(
    ("drift", "message"),
    [
        ({}, "resource_drift: must be a list, not an object"),
        ([1], r"resource_drift\[0\]: must be an object, not a number"),
        ([{"change": None}], r"resource_drift\[0\].change: must be an object, not null"),
    ],
)
def test_malformed_drift_is_refused(drift: Any, message: str) -> None:
    with pytest.raises(UserError, match=message):
        build_plan(
            build_change("aws_x.y", NEW, before=NEW),
            root={"resources": [build_configuration("aws_x.y")]},
            resource_drift=drift or {"a": 1},
        )
