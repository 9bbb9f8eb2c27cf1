"""Conditions of policies, with known and unknown condition keys."""

from sagemaker_sandbox.iam.conditions import are_met
from tests.cases import check_cases

ARN = "arn:aws:events:eu-north-1:123456789012:rule/flights-failed"


@check_cases(
    ("condition", "met"),
    [
        ({}, True),
        ({"StringEquals": {"aws:SourceArn": ARN}}, True),
        ({"StringEquals": {"AWS:SOURCEARN": ["another", ARN]}}, True),
        ({"StringEquals": {"aws:SourceArn": ARN.upper()}}, False),
        ({"StringEqualsIgnoreCase": {"aws:SourceArn": ARN.upper()}}, True),
        ({"StringNotEquals": {"aws:SourceArn": ARN}}, False),
        ({"StringNotEquals": {"aws:SourceArn": ["another", ARN]}}, False),
        ({"StringNotEquals": {"aws:SourceArn": "another"}}, True),
        ({"StringLike": {"aws:SourceArn": "arn:*:rule/flights-?ailed"}}, True),
        ({"StringNotLike": {"aws:SourceArn": "arn:*"}}, False),
        ({"ArnLike": {"aws:SourceArn": "arn:aws:events:*:123456789012:rule/flights-*"}}, True),
        ({"ArnEquals": {"aws:SourceArn": "arn:aws:events:*:rule/flights-failed"}}, False),
        ({"ArnNotLike": {"aws:SourceArn": "arn:aws:events:*:*:rule/*"}}, False),
        ({"Bool": {"aws:SecureTransport": "false"}}, False),
        ({"Bool": {"aws:SecureTransport": True}}, True),
        ({"StringEquals": {"absent": "x"}}, False),
        ({"StringEqualsIfExists": {"absent": "x"}}, True),
        ({"StringNotEquals": {"absent": "x"}}, True),
        ({"Null": {"absent": "true"}}, True),
        ({"Null": {"aws:SourceArn": "true"}}, False),
        ({"Null": {"aws:SourceArn": False}}, True),
        ({"StringEquals": {"unknown": "x"}}, None),
        ({"NumericLessThan": {"aws:SourceArn": "1"}}, None),
        ({"ForAnyValue:StringEquals": {"aws:SourceArn": ARN}}, None),
        ({"StringEquals": {"unknown": "x", "absent": "x"}}, False),
        ({"StringEquals": {"unknown": "x", "aws:SourceArn": ARN}}, None),
    ],
)
def test_a_condition_is_met_not_met_or_unknown(condition: dict[str, dict[str, str]], met: bool | None) -> None:
    known = {"aws:SourceArn": ARN, "absent": None, "aws:SecureTransport": "true"}
    assert are_met({"Condition": condition}, known) is met
