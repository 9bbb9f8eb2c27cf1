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
        ({"NumericLessThan": {"aws:SourceArn": "1"}}, False),
        ({"StringStartsWith": {"aws:SourceArn": "arn"}}, None),
        ({"ForAnyValue:StringEquals": {"aws:SourceArn": ARN}}, True),
        ({"StringEquals": {"unknown": "x", "absent": "x"}}, False),
        ({"StringEquals": {"unknown": "x", "aws:SourceArn": ARN}}, None),
    ],
)
def test_a_condition_is_met_not_met_or_unknown(condition: dict[str, dict[str, str]], met: bool | None) -> None:
    known = {"aws:SourceArn": ARN, "absent": None, "aws:SecureTransport": "true"}
    assert are_met({"Condition": condition}, known) is met


@check_cases(
    ("condition", "met"),
    [
        ({"NumericLessThan": {"s3:TlsVersion": "1.2"}}, False),
        ({"NumericGreaterThanEquals": {"s3:TlsVersion": 1.2}}, True),
        ({"NumericNotEquals": {"s3:TlsVersion": "1.3"}}, False),
        ({"DateLessThan": {"aws:CurrentTime": "2026-12-01T00:00:00Z"}}, True),
        ({"DateGreaterThan": {"aws:CurrentTime": "1795953600"}}, True),
        ({"DateNotEquals": {"aws:CurrentTime": "2026-11-30T00:00:00Z"}}, False),
        ({"IpAddress": {"aws:SourceIp": ["10.0.0.0/8", "203.0.113.0/24"]}}, True),
        ({"NotIpAddress": {"aws:SourceIp": "203.0.113.7"}}, False),
        ({"BinaryEquals": {"key": "QmluYXJ5"}}, True),
        # Keys with several values: IAM user guide, "Single-valued vs. multivalued context keys".
        ({"ForAllValues:StringEquals": {"aws:TagKeys": ["environment", "cost-center", "owner"]}}, True),
        ({"ForAllValues:StringEquals": {"aws:TagKeys": ["environment"]}}, False),
        ({"ForAllValues:StringEquals": {"absent": "x"}}, True),
        ({"ForAllValues:StringNotEquals": {"aws:TagKeys": ["environment"]}}, False),
        ({"ForAnyValue:StringEquals": {"aws:TagKeys": ["environment"]}}, True),
        ({"ForAnyValue:StringLike": {"aws:TagKeys": ["own*"]}}, False),
        ({"ForAnyValue:StringEquals": {"absent": "x"}}, False),
        ({"ForAnyValue:StringNotEquals": {"aws:TagKeys": ["environment"]}}, True),
        ({"ForAnyValue:StringEqualsIfExists": {"absent": "x"}}, True),
        ({"StringNotEquals": {"aws:TagKeys": "environment"}}, False),
        ({"Null": {"absent": "true"}, "Bool": {"aws:SecureTransport": "true"}}, False),
        ({"NoOperator": {"key": "x"}}, False),
    ],
)
def test_with_all_keys_a_condition_is_met_or_not(condition: dict[str, dict[str, str]], met: bool) -> None:
    keys = {
        "s3:TlsVersion": "1.3",
        "aws:CurrentTime": "2026-11-30T00:00:00Z",
        "aws:SourceIp": "203.0.113.7",
        "aws:TagKeys": ["environment", "cost-center"],
        "key": "QmluYXJ5",
    }
    assert are_met({"Condition": condition}, keys, is_complete=True) is met
