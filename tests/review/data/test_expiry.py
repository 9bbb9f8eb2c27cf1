"""Objects and images that newly expire or move."""

import json
from typing import Any

from sustainable_mlops.review.risk import Level
from tests.cases import check_cases
from tests.plan.plan_builder import build_change, build_plan
from tests.review.data.plans import BUCKET, risks


def build_rules(*days: int, expires: Any = None, old: Any = None, **more: Any) -> dict[str, Any]:
    """Return lifecycle rules for objects under raw/, or for their old versions."""
    kinds: list[dict[str, Any]] = [{"expiration": [{"days": n}]} for n in days]
    kinds += [{"expiration": [expires]}] if expires else []
    kinds += [{"noncurrent_version_expiration": [{"noncurrent_days": 30, **old}]}] if old is not None else []
    rules = [{"status": "Enabled", "filter": [{"prefix": "raw/"}], **kind, **more} for kind in kinds]
    return {"bucket": "data", "rule": rules}


def larger(size: Any) -> Any:
    return [{"prefix": "raw/", "object_size_greater_than": size}]


@check_cases(
    ("before", "after", "level"),
    [
        (None, {}, Level.LOOK),
        (None, {"noncurrent_days": 1}, Level.STOP),
        ({"noncurrent_days": 365}, {"noncurrent_days": 90}, Level.LOOK),
        ({"noncurrent_days": 365}, {"noncurrent_days": 30}, Level.STOP),
        ({"noncurrent_days": 7}, {"noncurrent_days": 6}, Level.STOP),
        ({"noncurrent_days": 5}, {"noncurrent_days": 3}, Level.LOOK),
    ],
)
def test_old_versions_may_go_but_not_all_at_once(before: Any, after: Any, level: Level) -> None:
    old = None if before is None else build_rules(old=before)
    rules = build_change("aws_s3_bucket_lifecycle_configuration.this", build_rules(old=after), before=old)
    found_risks = risks(build_plan(build_change("aws_s3_bucket.this", BUCKET, before=BUCKET), rules))
    assert [(risk.id, risk.level) for risk in found_risks] == [("DATA_EXPIRES", level)]


def test_old_versions_that_went_soon_elsewhere_did_not_go_here() -> None:
    old, new = (build_rules(old={"noncurrent_days": days})["rule"] for days in (3, 1))
    elsewhere = {**old[0], "filter": [{"prefix": "scratch/"}]}
    before, after = ({"bucket": "data", "rule": rules} for rules in ([elsewhere], [elsewhere, *new]))
    rules = build_change("aws_s3_bucket_lifecycle_configuration.this", after, before=before)
    found_risks = risks(build_plan(build_change("aws_s3_bucket.this", BUCKET, before=BUCKET), rules))
    assert [(risk.id, risk.level) for risk in found_risks] == [("DATA_EXPIRES", Level.STOP)]


def test_removed_versioning_of_a_remaining_bucket_is_a_risk() -> None:
    versioning = build_change("aws_s3_bucket_versioning.this", before={"bucket": "data"})
    stays = build_plan(build_change("aws_s3_bucket.this", BUCKET, before=BUCKET), versioning)
    goes = build_plan(build_change("aws_s3_bucket.this", before=BUCKET), versioning)
    assert [risk.id for risk in risks(stays)] == ["DATA_WEAKER"]
    assert [risk.id for risk in risks(goes)] == ["DATA_DELETED"]


@check_cases(
    ("before", "after", "expected"),
    [
        (None, build_rules(30), ["DATA_EXPIRES"]),
        (build_rules(90), build_rules(30), ["DATA_EXPIRES"]),
        (build_rules(30), build_rules(90), []),
        (build_rules(30), build_rules(30, status="Disabled"), []),
        (build_rules(30, status="Disabled"), build_rules(30), ["DATA_EXPIRES"]),
        (build_rules(30, filter=[{"prefix": ""}]), build_rules(30), []),
        (build_rules(30), build_rules(30, filter=[{"prefix": ""}]), ["DATA_EXPIRES"]),
        (build_rules(30), build_rules(30, filter=[{"and": [{"prefix": "raw/", "tags": {"a": "b"}}]}]), []),
        (build_rules(30), build_rules(30, expiration=[{"expired_object_delete_marker": True}]), []),
        (build_rules(30), build_rules(expires={"date": "2040-01-01"}), ["DATA_EXPIRES"]),
        (build_rules(expires={"date": "2040-01-01"}), build_rules(expires={"date": "2027-01-01"}), ["DATA_EXPIRES"]),
        (build_rules(expires={"date": "2027-01-01"}), build_rules(expires={"date": "2040-01-01"}), []),
        (
            build_rules(old={"newer_noncurrent_versions": 9}),
            build_rules(old={"newer_noncurrent_versions": 1}),
            ["DATA_EXPIRES"],
        ),
        (build_rules(old={"newer_noncurrent_versions": 9}), build_rules(old={}), ["DATA_EXPIRES"]),
        (build_rules(old={}), build_rules(old={"newer_noncurrent_versions": "9"}), []),
        (build_rules(30, filter=larger(10)), build_rules(30, filter=larger(1000)), []),
        (build_rules(30, filter=larger(1000)), build_rules(30, filter=larger("10")), ["DATA_EXPIRES"]),
        (build_rules(30, filter=larger(10)), build_rules(30, filter=[{}]), ["DATA_EXPIRES"]),
        (build_rules(30), build_rules(30, transition=[{"days": 1, "storage_class": "GLACIER_IR"}]), []),
    ],
)
def test_objects_that_newly_expire_are_a_risk(before: Any, after: Any, expected: list[str]) -> None:
    rules = build_change("aws_s3_bucket_lifecycle_configuration.this", after, before=before)
    assert [
        risk.id for risk in risks(build_plan(build_change("aws_s3_bucket.this", BUCKET, before=BUCKET), rules))
    ] == expected


def move(storage_class: str, **more: Any) -> dict[str, Any]:
    """Return a lifecycle rule that moves objects under raw/ to a storage class after 30 days."""
    transition = {"days": 30, "storage_class": storage_class}
    return {"bucket": "data", "rule": [{"status": "Enabled", "filter": [{"prefix": "raw/"}], "transition": [transition],
                                        **more}]}  # fmt: skip


@check_cases(
    ("before", "after", "expected"),
    [
        (move("INTELLIGENT_TIERING"), move("ONEZONE_IA"), ["DATA_WEAKER"]),
        (None, move("ONEZONE_IA"), ["DATA_WEAKER"]),
        (move("ONEZONE_IA"), move("ONEZONE_IA", filter=[{"prefix": ""}]), ["DATA_WEAKER"]),
        (move("ONEZONE_IA", status="Disabled"), move("ONEZONE_IA"), ["DATA_WEAKER"]),
        (move("ONEZONE_IA"), move("STANDARD_IA"), []),
        (move("ONEZONE_IA"), move("ONEZONE_IA", id="x"), []),
        (None, move("INTELLIGENT_TIERING"), []),
        (None, move("ONEZONE_IA", filter=[{"prefix": "re-creatable/"}]), []),
        (None, move("GLACIER", noncurrent_version_transition=[{"storage_class": "ONEZONE_IA"}]), []),
    ],
)
def test_objects_that_newly_move_to_one_zone_are_a_risk(before: Any, after: Any, expected: list[str]) -> None:
    rules = build_change("aws_s3_bucket_lifecycle_configuration.this", after, before=before)
    existing, new = (build_change("aws_s3_bucket.this", BUCKET, before=old) for old in (BUCKET, None))
    assert [risk.id for risk in risks(build_plan(existing, rules))] == expected
    if before is None:
        assert risks(build_plan(new, rules)) == []


def test_a_storage_class_that_is_unknown_until_apply_is_never_fine() -> None:
    unknown = {"rule": [{"transition": [{"storage_class": True}]}]}
    rules = build_change(
        "aws_s3_bucket_lifecycle_configuration.this", move(""), before=move("GLACIER"), unknown=unknown
    )
    assert [risk.id for risk in risks(build_plan(rules))] == ["DATA_UNKNOWN"]


def test_an_earlier_expiry_tells_when_the_same_objects_expired_before() -> None:
    bucket = build_change("aws_s3_bucket.this", BUCKET, before=BUCKET)
    descriptions = []
    for before in (build_rules(365), build_rules(365, filter=[{"prefix": "raw/x/"}])):
        rules = build_change("aws_s3_bucket_lifecycle_configuration.this", build_rules(30), before=before)
        descriptions += [risk.description for risk in risks(build_plan(bucket, rules))]
    assert descriptions == [
        "earlier expiry: objects under raw/ are deleted after 30 days; before, after 365 days",
        "new expiry: objects under raw/ are deleted after 30 days",
    ]


def test_a_new_bucket_holds_nothing_that_could_expire() -> None:
    rules = build_change("aws_s3_bucket_lifecycle_configuration.this", build_rules(1))
    assert risks(build_plan(build_change("aws_s3_bucket.this", BUCKET), rules)) == []


def test_lifecycle_rules_that_are_unknown_until_apply_are_never_fine() -> None:
    rules = build_change(
        "aws_s3_bucket_lifecycle_configuration.this", {"bucket": "data"}, before=build_rules(30), unknown={"rule": True}
    )
    found_risks = risks(build_plan(build_change("aws_s3_bucket.this", BUCKET, before=BUCKET), rules))
    assert [(risk.id, risk.is_known) for risk in found_risks] == [("DATA_UNKNOWN", False)]


def test_lifecycle_rules_whose_objects_are_hidden_are_never_fine() -> None:
    hide = {"rule": [{"filter": [{"prefix": True}]}]}
    bucket = build_change("aws_s3_bucket.this", BUCKET, before=BUCKET)
    for after, expected in (("", ["DATA_UNKNOWN"]), ("raw/", [])):
        new = build_rules(30, filter=[{"prefix": after}])
        rules = build_change("aws_s3_bucket_lifecycle_configuration.this", {**new, "id": "y"}, before=build_rules(30),
                       sensitive=hide)  # fmt: skip
        assert [risk.id for risk in risks(build_plan(bucket, rules))] == expected


def images(number: int, status: str = "any", **more: Any) -> str:
    selection = {"tagStatus": status, "countType": "imageCountMoreThan", "countNumber": number, **more}
    return json.dumps({"rules": [{"rulePriority": 1, "selection": selection, "action": {"type": "expire"}}]})


@check_cases(
    ("before", "after", "level"),
    [
        (None, images(1), Level.STOP),
        (images(9), images(1), Level.STOP),
        (images(1), images(9), None),
        (images(1), images(9, "tagged", tagPrefixList=["v"]), None),
        (images(1, "tagged", tagPrefixList=["v"]), images(1, "tagged", tagPatternList=["v*"]), None),
        (images(1, "tagged", tagPrefixList=["v"]), images(1), Level.STOP),
        (images(1), images(9, countType="sinceImagePushed"), Level.STOP),
        (None, images(1, "untagged"), Level.LOOK),
        (None, "{", Level.LOOK),
    ],
)
def test_images_that_newly_expire_are_a_risk(before: str | None, after: str, level: Level | None) -> None:
    repository = {"name": "r", "arn": "arn:aws:ecr:eu-north-1:123456789012:repository/r"}
    old = None if before is None else {"repository": "r", "policy": before}
    policy = build_change("aws_ecr_lifecycle_policy.p", {"repository": "r", "policy": after}, before=old)
    found_risks = risks(build_plan(build_change("aws_ecr_repository.r", repository, before=repository), policy))
    assert [risk.level for risk in found_risks] == ([] if level is None else [level])
    assert risks(build_plan(build_change("aws_ecr_repository.r", repository), policy)) == []
