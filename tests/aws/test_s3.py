"""S3 addresses as requests name them."""

from sustainable_mlops.aws.s3 import S3Uri
from tests.cases import check_cases


@check_cases(
    "text",
    [
        "s3://my.bucket/a/b c",
        "https://my.bucket.s3.amazonaws.com/a/b%20c",
        "https://my.bucket.s3.eu-north-1.amazonaws.com/a/b%20c",
        "https://my.bucket.s3-eu-west-1.amazonaws.com/a/b%20c",
        "https://my.bucket.s3.dualstack.eu-north-1.amazonaws.com/a/b%20c",
        "https://my.bucket.s3-fips.us-gov-west-1.amazonaws.com/a/b%20c",
        "https://my.bucket.s3.cn-north-1.amazonaws.com.cn/a/b%20c",
        "https://s3.amazonaws.com/my.bucket/a/b%20c",
        "https://s3.eu-north-1.amazonaws.com/my.bucket/a/b%20c",
        "https://s3-fips.dualstack.us-east-1.amazonaws.com/my.bucket/a/b%20c",
        "https://s3.cn-north-1.amazonaws.com.cn/my.bucket/a/b%20c",
    ],
)
def test_an_object_may_be_named_in_each_of_the_ways_that_s3_has(text: str) -> None:
    assert S3Uri.parse_url(text) == S3Uri("my.bucket", "a/b c")


@check_cases("text", ["https://example.com/bucket/key", "https://s3.amazonaws.com/", "s3://", "bucket/key"])
def test_what_lies_elsewhere_is_no_address_in_s3(text: str) -> None:
    assert S3Uri.parse_url(text) is None
