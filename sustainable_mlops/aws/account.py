"""AWS clients of an environment's account, with the role that Terraform assumes there."""

from typing import Any

from sustainable_mlops.aws.clients import Client, Clients, assume_role, make_client
from sustainable_mlops.aws.errors import translate_aws_errors
from sustainable_mlops.base.errors import UserError


class AccountClients:
    """AWS clients of one account and Region, with the assumed role where the settings name one.

    The role is assumed with the first client. A command that changes anything calls `check` before.
    """

    def __init__(self, region: str, role_arn: str | None = None, account_id: str | None = None) -> None:
        self.region = region
        self.account_id = account_id
        self.role_arn = role_arn
        self._credentials: dict[str, str] | None = None
        self._clients: dict[tuple[str, str], Client] = {}

    def client(self, service: str, region: str | None = None) -> Client:
        """Return the client of a service in the environment's Region, or in another one. Raises UserError."""
        key = service, region or self.region
        if key not in self._clients:
            if self._credentials is None:
                self._credentials = assume_role(self.role_arn, self.region) if self.role_arn else {}
            self._clients[key] = make_client(*key, config=self._build_config(), credentials=self._credentials)
        return self._clients[key]

    def _build_config(self) -> Any:
        """Return botocore's configuration of every client; None stands for the configuration of launchers."""
        return None

    def check(self) -> None:
        """Raise UserError where the credentials are of another account than the environment."""
        with translate_aws_errors("sts:GetCallerIdentity"):
            identity = self.client("sts").get_caller_identity()
        if identity["Account"] != self.account_id:
            raise UserError(
                f"the credentials belong to account {identity['Account']} ({identity['Arn']}), but the environment is "
                f"in account {self.account_id}. Nothing was changed. Use a profile of account {self.account_id}."
            )

    def connect(self) -> Clients:
        """Return the clients of a launch. Raises UserError."""
        return Clients(s3=self.client("s3"), sagemaker=self.client("sagemaker"))
