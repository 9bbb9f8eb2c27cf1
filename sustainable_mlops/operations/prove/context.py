"""Context of a run: clients, limits, steps and the outputs of the shared base."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.markup import escape

from sustainable_mlops import cli
from sustainable_mlops.operations.prove.costs import RunSpending
from sustainable_mlops.operations.prove.evidence import Recorder
from sustainable_mlops.operations.prove.proof import Proof
from sustainable_mlops.operations.prove.run_limits import RunLimits
from sustainable_mlops.operations.prove.settings import ProofSettings
from sustainable_mlops.steps import Steps
from sustainable_mlops.terraform import Terraform

#: Pauses between two polls: the first, its growth factor and the longest, in seconds.
_FIRST, _GROWTH, _LONGEST = 0.2, 1.5, 5.0


class ProofError(Exception):
    """Error for a failed expectation about a module."""


def say(text: str) -> None:
    """Print a line on stderr without markup, because texts of AWS and Terraform may have brackets."""
    cli.say(escape(text))


class ProofRun:
    """State of one run."""

    def __init__(self, settings: ProofSettings) -> None:
        self.settings = settings
        self.name = settings.name
        self.recorder = Recorder(settings.region)
        self.spending = RunSpending(settings.region)
        self.limits = RunLimits(settings.cap_minutes, settings.cap_usd, self.spending.get_spending, say)
        self.steps = Steps(cli.console)
        self.proof = Proof()
        #: Outputs of the shared base.
        self.base: dict[str, Any] = {}

    def get_client(self, service: str) -> Any:
        """Return a boto3 client that records request IDs."""
        return self.recorder.get_client(service)

    def make_terraform(self, root: str) -> Terraform:
        """Return the driver of one of the run's root modules."""
        return Terraform(self.get_folder(root))

    def get_folder(self, root: str) -> Path:
        """Return the folder of a root module."""
        return self.settings.folder / root

    def get_endpoint_name(self, kind: str) -> str:
        """Return the name of the run's endpoint of a kind."""
        return f"{self.name}-{kind}"

    def get_role_arn(self, phase: str) -> str:
        """Return the role of a phase; before `access` is applied, a placeholder that only plans may use."""
        roles = self.base.get("role_arns")
        return str(roles[phase]) if roles else f"arn:aws:iam::{self.settings.account}:role/{self.name}-{phase}"

    def get_bucket_name(self, purpose: str) -> str:
        """Return the name of one of the buckets of `storage`."""
        return str(self.base["buckets"][purpose]["name"])

    @property
    def key(self) -> str:
        """The key of `storage`."""
        return str(self.base["kms_key_arn"])

    def get_common_inputs(self, prefix: str = "") -> dict[str, Any]:
        """Return the inputs that most modules share."""
        return {
            "name_prefix": prefix or self.name,
            "account_id": self.settings.account,
            "region": self.settings.region,
        }

    def put(self, purpose: str, key: str, body: bytes) -> str:
        """Put an object, and return its S3 URI."""
        bucket = self.get_bucket_name(purpose)
        self.get_client("s3").put_object(Bucket=bucket, Key=key, Body=body)
        return f"s3://{bucket}/{key}"

    def wait(self, purpose: str, poll: Callable[[], Any], minutes: float = 30.0) -> Any:
        """Call `poll` repeatedly and return its first true result. Raises ProofError after the timeout."""
        end, pause = time.monotonic() + minutes * 60, _FIRST
        while not (answer := poll()):
            self.limits.check()
            self.settings.touch()
            if time.monotonic() > end:
                raise ProofError(f"{purpose}: did not happen within {minutes:g} minutes")
            time.sleep(pause)
            pause = min(pause * _GROWTH, _LONGEST)
        return answer
