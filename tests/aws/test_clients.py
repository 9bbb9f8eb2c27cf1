"""Messages about AWS's own settings."""

from pathlib import Path

import boto3
import pytest

from sustainable_mlops.account.preflight import Account
from sustainable_mlops.aws import make_client, translate_aws_errors
from sustainable_mlops.base.errors import UserError


@pytest.mark.parametrize("value", ["x", "0", "-1", ""])
def test_attempts_that_are_no_number_are_one_line(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", value)
    with pytest.raises(UserError, match=f"AWS_MAX_ATTEMPTS: must be a whole number of at least 1, not '{value}'"):
        make_client("s3", "eu-north-1")


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        (
            "AWS_ENDPOINT_URL",
            "localhost:5000",
            "Invalid endpoint: localhost:5000; write AWS_ENDPOINT_URL with its scheme",
        ),
        (
            "AWS_PROFILE",
            "prdo",
            "AWS_PROFILE: there is no profile 'prdo' in the AWS configuration; did you mean 'prod'",
        ),
    ],
)
def test_a_wrong_variable_is_one_line_with_the_remedy(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variable: str, value: str, message: str
) -> None:
    (tmp_path / "config").write_text("[profile prod]\nregion = eu-north-1\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    monkeypatch.setenv(variable, value)
    with pytest.raises(UserError, match=message):
        make_client("s3", "eu-north-1")


def test_a_scan_of_an_account_ends_soon_without_a_network() -> None:
    config = Account("eu-north-1").client("sts").meta.config
    assert (config.connect_timeout, config.read_timeout, config.retries["total_max_attempts"]) == (5, 20, 3)


def test_a_region_without_endpoint_is_one_line_that_names_the_region(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    credentials = {"aws_access_key_id": "a", "aws_secret_access_key": "b"}
    with (
        pytest.raises(UserError, match=r"AWS: cannot connect to http://127.0.0.1:1/; check the network and the Region"),
        translate_aws_errors("AWS"),
    ):
        make_client("s3", "eu-north-1", credentials=credentials).list_buckets()
