"""Messages about AWS's own settings."""

import pytest

from sustainable_mlops.aws import make_client
from sustainable_mlops.errors import UserError


@pytest.mark.parametrize("value", ["x", "0", "-1", ""])
def test_attempts_that_are_no_number_are_one_line(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", value)
    with pytest.raises(UserError, match=f"AWS_MAX_ATTEMPTS: must be a whole number of at least 1, not '{value}'"):
        make_client("s3", "eu-north-1")
