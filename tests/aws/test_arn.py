"""ARNs are read by their parts."""

import pytest

from sustainable_mlops.aws import Arn


@pytest.mark.parametrize(
    ("text", "arn", "name"),
    [
        (
            "arn:aws:sagemaker:eu-north-1:123456789012:endpoint/churn",
            Arn("aws", "sagemaker", "eu-north-1", "123456789012", "endpoint/churn"),
            "churn",
        ),
        ("arn:aws-cn:s3:::data/raw/a:b.csv", Arn("aws-cn", "s3", "", "", "data/raw/a:b.csv"), "a:b.csv"),
        (
            "arn:aws:logs:eu-north-1:123456789012:log-group:/aws/x:*",
            Arn("aws", "logs", "eu-north-1", "123456789012", "log-group:/aws/x:*"),
            "x:*",
        ),
        (
            "arn:aws:sns:eu-north-1:123456789012:alarms",
            Arn("aws", "sns", "eu-north-1", "123456789012", "alarms"),
            "alarms",
        ),
    ],
)
def test_an_arn_has_five_parts_and_a_name(text: str, arn: Arn, name: str) -> None:
    parsed = Arn.parse_or_none(text)
    assert parsed is not None
    assert (parsed, parsed.name, str(parsed)) == (arn, name, text)


@pytest.mark.parametrize("text", ["", "churn", "arn:aws:s3", "arn:aws:s3::", "urn:aws:s3:::data", "s3://data/raw"])
def test_other_text_is_no_arn(text: str) -> None:
    assert Arn.parse_or_none(text) is None
    with pytest.raises(ValueError, match="is not an ARN"):
        Arn.parse(text)
