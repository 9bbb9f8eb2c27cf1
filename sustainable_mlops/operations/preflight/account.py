"""The account as a preflight reads it: clients, and reads that may be denied."""

from collections.abc import Callable, Iterator
from typing import Any

from sustainable_mlops.aws import Client, error_code
from sustainable_mlops.aws.clients import assume_role
from sustainable_mlops.operations.preflight.finding import Finding, cannot_tell

#: Codes by which services deny a read.
_DENIED = (
    "AccessDenied",
    "AccessDeniedException",
    "AuthorizationError",
    "AuthorizationErrorException",
    "UnauthorizedOperation",
    "403",
)
#: Regions that are always enabled, by the start of their partition's names.
_HOMES = {"cn-": "cn-north-1", "us-gov-": "us-gov-west-1"}


class DeniedError(Exception):
    """Error for a read that AWS denied or did not answer."""

    def __init__(self, action: str, reason: str, *, denied: bool) -> None:
        super().__init__(reason)
        self.action = action if denied else ""
        self.reason = reason


class SignedOutError(DeniedError):
    """Error for missing credentials."""


class Account:
    """Reads in one account and Region, with the role that Terraform assumes where the settings name one."""

    def __init__(self, region: str, role_arn: str | None = None) -> None:
        """Assume the role, if there is one. Raises AwsError if that fails."""
        self.region = region
        self._credentials = assume_role(role_arn, region) if role_arn else {}
        self._clients: dict[tuple[str, str], Client] = {}

    @property
    def home_region(self) -> str:
        """A Region of the same partition that no account can disable."""
        return next((home for start, home in _HOMES.items() if self.region.startswith(start)), "us-east-1")

    def client(self, service: str, region: str | None = None) -> Client:
        """Return the client of a service in the environment's Region, or in another one."""
        import boto3
        from botocore.config import Config

        key = service, region or self.region
        if key not in self._clients:
            config = Config(retries={"mode": "standard", "total_max_attempts": 3}, connect_timeout=5, read_timeout=20)
            make: Any = boto3.client
            self._clients[key] = make(service, region_name=key[1], config=config, **self._credentials)
        return self._clients[key]

    def read(self, action: str, call: Callable[[], Any], absent: tuple[str, ...] = ()) -> Any:
        """Return the response of a read, or None for an error code in `absent`. Raises DeniedError."""
        from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

        try:
            return call()
        except ClientError as error:
            code = error_code(error)
            if code in absent:
                return None
            raise DeniedError(action, f"{action}: {code}", denied=code in _DENIED) from None
        except NoCredentialsError:
            raise SignedOutError(action, "no credentials found", denied=False) from None
        except BotoCoreError as error:
            raise DeniedError(action, f"{action}: {error}", denied=False) from None


def guard(check: str, run: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    """Yield the findings of a check, and one more if a read is denied."""
    try:
        yield from run()
    except DeniedError as error:
        yield cannot_tell(check, str(error), error.action)
