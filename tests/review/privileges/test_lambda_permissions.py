"""Permissions to invoke a Lambda function, by principal and source."""

from typing import Any

from sustainable_mlops.review.comparison import Comparison
from sustainable_mlops.review.privileges.exposure import find_exposure_risks
from sustainable_mlops.review.risk import Level
from tests.cases import check_cases
from tests.plan.plan_builder import build_change, build_configuration, build_plan

OWN, OTHER = "123456789012", "999999999999"
CALLER = build_change("data.aws_caller_identity.me", {"account_id": OWN}, actions=["read"])
BUCKET = {"id": "data", "bucket": "data", "arn": "arn:aws:s3:::data"}
API = "apigateway.amazonaws.com"


def permission(principal: str, **more: Any) -> dict[str, Any]:
    return {"function_name": "load", "action": "lambda:InvokeFunction", "principal": principal, **more}


def list_permission_risks(*changes: dict[str, Any], **more: Any) -> list[tuple[Level, str]]:
    found_risks = find_exposure_risks(Comparison(build_plan(CALLER, *changes, **more)))
    return [(risk.level, risk.description) for risk in found_risks if risk.address == "aws_lambda_permission.p"]


def api(account: str, path: str = "a1b2/*/*") -> str:
    return f"arn:aws:execute-api:eu-north-1:{account}:{path}"


LEVELS = [
    (permission(API, source_arn=api(OWN)), Level.NOTE, f"only for {api(OWN)}"),
    (permission(API, source_account=OWN), Level.NOTE, f"only for {OWN}"),
    (permission("s3.amazonaws.com", source_arn="arn:aws:s3:::data"), Level.NOTE, "only for arn:aws:s3:::data"),
    (
        permission("s3.amazonaws.com", source_arn="arn:aws:s3:::elsewhere", source_account=OWN),
        Level.NOTE,
        "only for arn:aws:s3:::elsewhere",
    ),
    ({**permission("alexa-appkit.amazon.com"), "event_source_token": "skill"}, Level.NOTE, "with a token"),
    (permission(API), Level.LOOK, "for any account"),
    (permission("s3.amazonaws.com", source_arn="arn:aws:s3:::elsewhere"), Level.LOOK, "not known"),
    (permission(API, source_arn="arn:aws:execute-api:*:*:*"), Level.LOOK, "not known"),
    (permission(API, source_arn=api(OTHER)), Level.STOP, f"another account: {OTHER}"),
    (permission(API, source_account=OTHER), Level.STOP, f"another account: {OTHER}"),
    (permission(OTHER), Level.STOP, f"another account: {OTHER}"),
    (permission(OWN), Level.LOOK, "lets 123456789012 use load"),
    (permission("*"), Level.STOP, "everyone"),
    (permission("*", principal_org_id="o-1"), Level.LOOK, "every account of o-1"),
    (permission("*", principal_org_id="o-1", function_url_auth_type="NONE"), Level.STOP, "everyone"),
]


@check_cases(("values", "level", "text"), LEVELS, ids=[str(number) for number in range(len(LEVELS))])
def test_a_new_permission_has_a_level_by_principal_and_source(values: dict[str, Any], level: Level, text: str) -> None:
    bucket = build_change("aws_s3_bucket.data", BUCKET, before=BUCKET)
    ((risk_level, description),) = list_permission_risks(bucket, build_change("aws_lambda_permission.p", values))
    assert risk_level is level
    assert text in description


def test_a_source_that_the_plan_creates_is_a_note() -> None:
    rule = build_change("aws_cloudwatch_event_rule.r", {"name": "r"}, unknown={"arn": True})
    entry = build_change("aws_lambda_permission.p", permission("events.amazonaws.com"), unknown={"source_arn": True})

    def find(reference: str) -> list[tuple[Level, str]]:
        root = {"resources": [build_configuration("aws_lambda_permission.p", source_arn=[reference])]}
        return list_permission_risks(rule, entry, root=root)

    assert find("aws_cloudwatch_event_rule.r.arn") == [
        (Level.NOTE, "lets events.amazonaws.com use load (only for aws_cloudwatch_event_rule.r, known after apply)")
    ]
    assert [level for level, _ in find("local.source")] == [Level.LOOK]


def test_a_permission_that_loses_its_source_needs_a_look() -> None:
    limited, open_ = permission(API, source_arn=api(OWN)), permission(API)
    for before, after, level in ((limited, open_, Level.LOOK), (open_, limited, Level.NOTE)):
        entry = build_change("aws_lambda_permission.p", after, before=before, actions=["delete", "create"])
        assert [risk_level for risk_level, _ in list_permission_risks(entry)] == [level]
    same = build_change("aws_lambda_permission.p", {**limited, "qualifier": "a"}, before=limited)
    assert list_permission_risks(same) == []
