"""Context of a run: clients, limits, steps and the outputs of its root modules."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.markup import escape

from clone.prove.costs import RunSpending
from clone.prove.evidence import Recorder
from clone.prove.processes import RunningProcesses, RunTerraform
from clone.prove.proof import Proof
from clone.prove.run_limits import RunLimits
from clone.prove.settings import ProofSettings
from sustainable_mlops.base import cli
from sustainable_mlops.base.steps import Step
from sustainable_mlops.base.terraform import Terraform

#: Pauses between two polls: the first, its growth factor and the longest, in seconds.
_FIRST, _GROWTH, _LONGEST = 0.2, 1.5, 5.0


class ProofError(Exception):
    """Error for a failed expectation about a module."""


def say(text: str) -> None:
    """Print a line on stderr without markup, because texts of AWS and Terraform may have brackets."""
    cli.say(escape(text))


class ProofSteps:
    """Steps of modules that are proved at the same time: one line at the begin of each and one at its end."""

    @contextmanager
    def step(self, title: str) -> Iterator[Step]:
        """Run one step."""
        cli.console.print(f"[dim]. {escape(title)}[/dim]", highlight=False, soft_wrap=True)
        step = Step(title)
        try:
            yield step
        except BaseException:
            cli.console.print(f"[red]✗[/red] {escape(title)}", highlight=False, soft_wrap=True)
            raise
        step.seconds = time.monotonic() - step.begin
        line = f"[green]✓[/green] {escape(title):<34} {step.seconds:5.1f} s   [dim]{step.result}"
        cli.console.print(line, highlight=False, soft_wrap=True)


class ProofRun:
    """State of one run."""

    def __init__(self, settings: ProofSettings) -> None:
        self.settings = settings
        self.name = settings.name
        self.recorder = Recorder(settings.region)
        usd, self._earlier_seconds = settings.load_progress()
        self.spending = RunSpending(settings.region, usd)
        self.processes = RunningProcesses()
        self.limits = RunLimits(
            settings.cap_minutes, settings.cap_usd, self.spending.get_spending, say, self.processes.stop
        )
        self.steps = ProofSteps()
        self.proof = Proof()
        #: Held during a processing job: a new account has a quota of one instance.
        self.processing = threading.Lock()
        #: Held while the files of the environment are synthesized, which two stages use.
        self.synthesis = threading.Lock()
        #: Outputs of each applied root module.
        self.published: dict[str, dict[str, Any]] = {}
        #: Outputs of the shared base.
        self.base: dict[str, Any] = {}
        self._begin = time.monotonic()

    def get_seconds(self) -> float:
        """Return the duration of all parts of the run so far."""
        return self._earlier_seconds + time.monotonic() - self._begin

    def save_progress(self) -> None:
        """Write the cost and the duration so far, for a run that continues."""
        self.settings.save_progress(self.spending.get_spending(), self.get_seconds())

    def get_client(self, service: str, region: str = "") -> Any:
        """Return a boto3 client that records request IDs, of another Region if one is given."""
        return self.recorder.get_client(service, region)

    def make_terraform(self, root: str) -> Terraform:
        """Return the driver of one of the run's root modules."""
        return RunTerraform(self.get_folder(root), self.processes, self.limits.check)

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
            if time.monotonic() > end:
                raise ProofError(f"{purpose}: did not happen within {minutes:g} minutes")
            time.sleep(pause)
            pause = min(pause * _GROWTH, _LONGEST)
        return answer
