"""Roles that a check creates for itself, to try single permissions."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import ClientError

from clone.prove import inventory
from clone.prove.context import ProofError, ProofRun
from clone.prove.settings import TAG
from sustainable_mlops import aws

#: Minutes until IAM knows a new role and its policy everywhere: it takes seconds.
_MINUTES = 3
_DENIED = ("AccessDenied", "AccessDeniedException", "InvalidClientTokenId", "UnrecognizedClientException")


def is_denied(error: ClientError) -> bool:
    """Return whether IAM refused the request."""
    return aws.read_error_code(error) in _DENIED


class TemporaryRole:
    """A role of the run with one policy, which the caller may assume."""

    def __init__(self, run: ProofRun, name: str) -> None:
        self._run, self._iam = run, run.get_client("iam")
        self.name = f"{run.name}-{name}"
        self.arn = ""

    def create(self, trust: dict[str, Any]) -> None:
        """Create the role with a principal that may assume it."""
        statement = {"Effect": "Allow", "Principal": trust, "Action": "sts:AssumeRole"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        tags = [{"Key": TAG, "Value": self._run.name}]
        role = self._iam.create_role(RoleName=self.name, AssumeRolePolicyDocument=document, Tags=tags)
        self.arn = str(role["Role"]["Arn"])

    def replace_policy(self, *statements: dict[str, Any]) -> None:
        """Replace the policy of the role by one with these Allow statements."""
        elements = [{"Effect": "Allow", **statement} for statement in statements]
        document = json.dumps({"Version": "2012-10-17", "Statement": elements})
        self._iam.put_role_policy(RoleName=self.name, PolicyName="try", PolicyDocument=document)

    def get_client(self, service: str) -> Any:
        """Return a client with the credentials of the role."""
        sts = self._run.get_client("sts")

        def assume() -> Any:
            try:
                return sts.assume_role(RoleArn=self.arn, RoleSessionName=self._run.name)["Credentials"]
            except ClientError as error:
                if not is_denied(error):
                    raise
            return None

        credentials = self._run.wait("a session of a new role", assume, _MINUTES)
        return self._run.recorder.create_client(
            service,
            aws_access_key_id=credentials["AccessKeyId"],
            aws_secret_access_key=credentials["SecretAccessKey"],
            aws_session_token=credentials["SessionToken"],
        )

    def wait_until_allowed(
        self, purpose: str, call: Callable[[], Any], minutes: float = _MINUTES, pattern: str = ""
    ) -> Any:
        """Call until IAM allows it, and return the response. Raises the last refusal after the timeout.

        A refusal is an error of IAM, or another one that matches the pattern.
        """
        refusals: list[ClientError] = []

        def poll() -> Any:
            try:
                return [call()]
            except ClientError as error:
                if not is_denied(error) and not (pattern and re.search(pattern, str(error), re.IGNORECASE)):
                    raise
                refusals.append(error)
            return None

        try:
            return self._run.wait(purpose, poll, minutes)[0]
        except ProofError:
            raise refusals[-1] from None


@contextmanager
def create_temporary_role(run: ProofRun, name: str, trust: dict[str, Any] | None = None) -> Iterator[TemporaryRole]:
    """Create a role that the account may assume, or another principal. Delete it at the end."""
    role = TemporaryRole(run, name)
    role.create(trust or {"AWS": f"arn:aws:iam::{run.settings.account}:root"})
    try:
        yield role
    finally:
        kind = inventory.FoundResource("role", role.name)
        inventory.delete_resource(run.recorder, kind, run.settings.account)
