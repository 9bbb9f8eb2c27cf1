"""The account as a preflight reads it: clients, and reads that may be denied."""

from collections.abc import Callable, Iterator
from typing import Any

from sustainable_mlops.account.preflight.finding import PreflightFinding, build_unknown_finding
from sustainable_mlops.aws import AccountClients, read_error_code
from sustainable_mlops.aws.errors import build_credentials_error
from sustainable_mlops.catalogue.regions import find_partition

#: Codes by which services deny a read.
_DENIED = (
    "AccessDenied",
    "AccessDeniedException",
    "AuthorizationError",
    "AuthorizationErrorException",
    "UnauthorizedOperation",
    "403",
)
#: A Region of each partition that is always enabled.
_HOMES = {"aws": "us-east-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}


class DeniedError(Exception):
    """Error for a read that AWS denied or did not answer."""

    def __init__(self, action: str, reason: str, *, denied: bool) -> None:
        super().__init__(reason)
        self.action = action if denied else ""
        self.reason = reason


class Account(AccountClients):
    """Reader of one account and Region. It uses the role that Terraform assumes, if the settings name one."""

    def _build_config(self) -> Any:
        """Return the configuration of clients with short timeouts, because a person waits for each check."""
        from botocore.config import Config

        return Config(retries={"mode": "standard", "total_max_attempts": 3}, connect_timeout=5, read_timeout=20)

    @property
    def home_region(self) -> str:
        """A Region of the same partition that no account can disable."""
        return _HOMES[find_partition(self.region)]

    def read(self, action: str, call: Callable[[], Any], absent: tuple[str, ...] = ()) -> Any:
        """Return the response of a read, or None for an error code in `absent`.

        Raises DeniedError, and UserError if there are no credentials.
        """
        from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

        try:
            return call()
        except ClientError as error:
            code = read_error_code(error)
            if code in absent:
                return None
            raise DeniedError(action, f"{action}: {code}", denied=code in _DENIED) from None
        except NoCredentialsError:
            raise build_credentials_error(action) from None
        except BotoCoreError as error:
            raise DeniedError(action, f"{action}: {error}", denied=False) from None


def report_denied_read(check: str, run: Callable[[], Iterator[PreflightFinding]]) -> Iterator[PreflightFinding]:
    """Yield the findings of a check, and one more if a read is denied."""
    try:
        yield from run()
    except DeniedError as error:
        yield build_unknown_finding(check, str(error), error.action)
