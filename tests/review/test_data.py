"""Data at risk: what is deleted, replaced, or protected less than before."""

from typing import Any

import pytest

from sustainable_mlops.plan import Plan
from sustainable_mlops.review.comparison import Comparison
from sustainable_mlops.review.data import data_at_risk
from sustainable_mlops.review.deployment import deployment
from sustainable_mlops.review.risk import Level, Risk
from sustainable_mlops.review.stores import STORES
from tests.plan.build import change, declared, plan

BUCKET = {"bucket": "data", "id": "data", "arn": "arn:aws:s3:::data", "force_destroy": False}
KEY = {"arn": "arn:aws:kms:eu-north-1:123456789012:key/1", "deletion_window_in_days": 30, "is_enabled": True}


def risks(found: Plan) -> list[Risk]:
    comparison = Comparison(found)
    return [*data_at_risk(comparison), *deployment(comparison)]


def rules_of(*days: int, **more: Any) -> dict[str, Any]:
    rules = [
        {"id": str(n), "status": "Enabled", "expiration": [{"days": n}], "filter": [{"prefix": "raw/"}], **more}
        for n in days
    ]
    return {"bucket": "data", "rule": rules}


@pytest.mark.parametrize("kind", sorted(STORES))
def test_deleting_or_replacing_what_holds_data_is_a_risk(kind: str) -> None:
    before = {"arn": "arn:aws:x:eu-north-1:123456789012:y"}
    deleted = plan(change(f"{kind}.this", before=before))
    replaced = plan(change(f"{kind}.this", before, before=before, actions=["delete", "create"]))
    assert [(risk.id, risk.level) for risk in risks(deleted)] == [("DATA_DELETED", STORES[kind].level)]
    assert [(risk.id, risk.level) for risk in risks(replaced)] == [("DATA_REPLACED", STORES[kind].level)]


def test_a_replacement_that_leaves_an_old_object_to_delete_is_a_risk() -> None:
    found = risks(plan(change("aws_s3_bucket.this", before=BUCKET, deposed="1a2b3c4d")))
    assert [risk.id for risk in found] == ["DATA_DELETED"]
    assert "an old object" in found[0].what


def test_an_address_that_moves_is_no_risk() -> None:
    moved = change("aws_s3_bucket.this", BUCKET, before=BUCKET, previous_address="aws_s3_bucket.old")
    assert risks(plan(moved)) == []


def test_what_is_created_or_left_alone_is_no_risk() -> None:
    assert risks(plan(change("aws_s3_bucket.a", BUCKET), change("aws_kms_key.b", KEY, before=KEY))) == []


def test_what_is_forgotten_stays_but_is_looked_at() -> None:
    found = risks(plan(change("aws_s3_bucket.this", before=BUCKET, actions=["forget"])))
    assert [(risk.id, risk.level) for risk in found] == [("DATA_FORGOTTEN", Level.LOOK)]


def test_a_guard_of_the_modules_that_goes_away_is_told_with_what_it_guards() -> None:
    guard = change(
        "module.storage.terraform_data.deletion_protection", before={"triggers_replace": BUCKET["arn"]}, index="data"
    )
    (risk,) = risks(plan(guard))
    assert (risk.id, risk.level) == ("DATA_GUARD_REMOVED", Level.STOP)
    assert "arn:aws:s3:::data" in risk.what


DELETES = [{"home_efs_file_system": "Delete"}]
WEAKER = [
    ("aws_s3_bucket", "force_destroy", False, True),
    ("aws_ecr_repository", "force_delete", None, True),
    ("aws_kms_key", "deletion_window_in_days", 30, 7),
    ("aws_kms_key", "deletion_window_in_days", None, 7),
    ("aws_kms_key", "is_enabled", True, False),
    ("aws_db_instance", "deletion_protection", True, False),
    ("aws_db_instance", "skip_final_snapshot", False, True),
    ("aws_dynamodb_table", "deletion_protection_enabled", True, False),
    ("aws_dynamodb_table", "point_in_time_recovery", [{"enabled": True}], [{"enabled": False}]),
    ("aws_s3_bucket_versioning", "versioning_configuration", [{"status": "Enabled"}], [{"status": "Suspended"}]),
    ("aws_sagemaker_domain", "retention_policy", [{"home_efs_file_system": "Retain"}], DELETES),
    ("aws_cloudwatch_log_group", "retention_in_days", 0, 30),
]


@pytest.mark.parametrize(("kind", "name", "old", "new"), WEAKER)
def test_protecting_data_less_is_a_risk_and_more_is_none(kind: str, name: str, old: Any, new: Any) -> None:
    weaker = risks(plan(change(f"{kind}.this", {"id": "x", name: new}, before={"id": "x", name: old})))
    assert [risk.id for risk in weaker] == ["DATA_WEAKER"]
    assert risks(plan(change(f"{kind}.this", {"id": "x", name: old}, before={"id": "x", name: new}))) == []


@pytest.mark.parametrize(("kind", "name", "old"), [(kind, name, old) for kind, name, old, _ in WEAKER])
def test_a_protection_that_is_unknown_until_apply_is_never_fine(kind: str, name: str, old: Any) -> None:
    entry = change(f"{kind}.this", {"id": "x"}, before={"id": "x", name: old}, unknown={name: True})
    found = risks(plan(entry))
    assert [(risk.id, risk.known, risk.level) for risk in found] == [("DATA_UNKNOWN", False, Level.LOOK)]


def test_versioning_that_goes_while_its_bucket_stays_is_a_risk() -> None:
    versioning = change("aws_s3_bucket_versioning.this", before={"bucket": "data"})
    stays = plan(change("aws_s3_bucket.this", BUCKET, before=BUCKET), versioning)
    goes = plan(change("aws_s3_bucket.this", before=BUCKET), versioning)
    assert [risk.id for risk in risks(stays)] == ["DATA_WEAKER"]
    assert [risk.id for risk in risks(goes)] == ["DATA_DELETED"]


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        (None, rules_of(30), ["DATA_EXPIRES"]),
        (rules_of(90), rules_of(30), ["DATA_EXPIRES"]),
        (rules_of(30), rules_of(90), []),
        (rules_of(30), rules_of(30, status="Disabled"), []),
        (rules_of(30, status="Disabled"), rules_of(30), ["DATA_EXPIRES"]),
        (rules_of(30, filter=[{"prefix": ""}]), rules_of(30), []),
        (rules_of(30), rules_of(30, filter=[{"prefix": ""}]), ["DATA_EXPIRES"]),
        (rules_of(30), rules_of(30, filter=[{"and": [{"prefix": "raw/", "tags": {"a": "b"}}]}]), []),
        (rules_of(30), rules_of(30, expiration=[{"expired_object_delete_marker": True}]), []),
        (rules_of(30), rules_of(30, transition=[{"days": 1, "storage_class": "GLACIER_IR"}]), []),
    ],
)
def test_objects_that_newly_expire_are_a_risk(before: Any, after: Any, found: list[str]) -> None:
    rules = change("aws_s3_bucket_lifecycle_configuration.this", after, before=before)
    assert [risk.id for risk in risks(plan(change("aws_s3_bucket.this", BUCKET, before=BUCKET), rules))] == found


def test_a_new_bucket_holds_nothing_that_could_expire() -> None:
    rules = change("aws_s3_bucket_lifecycle_configuration.this", rules_of(1))
    assert risks(plan(change("aws_s3_bucket.this", BUCKET), rules)) == []


def test_lifecycle_rules_that_are_unknown_until_apply_are_never_fine() -> None:
    rules = change(
        "aws_s3_bucket_lifecycle_configuration.this", {"bucket": "data"}, before=rules_of(30), unknown={"rule": True}
    )
    found = risks(plan(change("aws_s3_bucket.this", BUCKET, before=BUCKET), rules))
    assert [(risk.id, risk.known) for risk in found] == [("DATA_UNKNOWN", False)]


def endpoint_plan(name_after: str | None) -> Plan:
    """A configuration that is replaced under the name `first` or another, and the endpoint that follows it."""
    old, new = {"name": "first", "kms_key_arn": "a"}, {"name": name_after, "kms_key_arn": "b"}
    unknown = {"name": True} if name_after is None else {}
    following = ["aws_sagemaker_endpoint_configuration.c.name"]
    endpoint = {"name": "e", "endpoint_config_name": "first"}
    moved = {"name": "e", **({"endpoint_config_name": name_after} if name_after else {})}
    return plan(
        change(
            "aws_sagemaker_endpoint_configuration.c", new, before=old, unknown=unknown, actions=["delete", "create"]
        ),
        change(
            "aws_sagemaker_endpoint.e",
            moved,
            before=endpoint,
            unknown={"endpoint_config_name": True} if unknown else {},
        ),
        root={"resources": [declared("aws_sagemaker_endpoint.e", endpoint_config_name=following)]},
    )


def test_a_configuration_replaced_under_its_name_leaves_the_endpoint_as_it_was() -> None:
    (risk,) = risks(endpoint_plan("first"))
    assert (risk.id, risk.level) == ("ENDPOINT_STALE", Level.STOP)


@pytest.mark.parametrize("name", ["second", None])
def test_an_endpoint_that_follows_the_new_configuration_is_no_risk(name: str | None) -> None:
    assert risks(endpoint_plan(name)) == []
