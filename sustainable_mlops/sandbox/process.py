"""Start, find, use and stop a sandbox. Cheap to import: moto and all the rest live in the server's process."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote, urlsplit

from sustainable_mlops.errors import UserError
from sustainable_mlops.sandbox.client import make_client, s3_control_endpoint
from sustainable_mlops.sandbox.context import ACCOUNT_ID, DEFAULT_REGION
from sustainable_mlops.terraform import LOCAL

FOLDER = LOCAL / "sandbox"
#: Where the sandbox in the background says how to reach it.
RECORD = FOLDER / "sandbox.json"
LOG = FOLDER / "sandbox.log"

_STOP_SECONDS = 20.0
_ANSWER_SECONDS = 60.0


class Sandbox:
    """A running sandbox. `Sandbox.start()` makes one that ends with this process (or the `with` block);
    `Sandbox.running()` is the one that `smlops sandbox start` left in the background."""

    def __init__(self, endpoint: str, pid: int, process: "subprocess.Popen[str] | None" = None) -> None:
        self.endpoint = endpoint
        self.pid = pid
        self._process = process

    @classmethod
    def start(cls, state: Path | None = None, port: int = 0, log: Path | None = None) -> Self:
        """Start a sandbox for this process: it ends when this process does, however that comes about.

        `state` keeps its resources for the next start; port 0 takes a free one; `log` receives its messages, which
        go to stderr otherwise. Raises UserError where it cannot start.
        """
        process = _spawn(state, port, log, stdin=subprocess.PIPE)
        started = _first_line(process, log)
        return cls(started["endpoint"], started["pid"], process)

    @classmethod
    def start_in_background(cls, state: Path | None = None, port: int = 0) -> Self:
        """Start a sandbox that outlives this process. Raises UserError where one runs already."""
        known = cls.find()
        if known is not None:
            raise UserError(f"sandbox: one runs already at {known.endpoint}; use it, or stop it first")
        FOLDER.mkdir(parents=True, exist_ok=True)
        process = _spawn(state, port, LOG, stdin=subprocess.DEVNULL)
        started = _first_line(process, LOG)
        partial = RECORD.with_suffix(".partial")
        partial.write_text(json.dumps(started))
        partial.replace(RECORD)
        return cls(started["endpoint"], started["pid"])

    @classmethod
    def find(cls) -> Self | None:
        """The sandbox in the background, if it answers."""
        try:
            record = json.loads(RECORD.read_text())
            sandbox = cls(record["endpoint"], record["pid"])
            return sandbox if sandbox.health()["pid"] == sandbox.pid else None
        except (OSError, ValueError, KeyError, UserError):
            return None

    @classmethod
    def running(cls) -> Self:
        """The sandbox in the background. Raises UserError where there is none."""
        sandbox = cls.find()
        if sandbox is None:
            raise UserError("sandbox: none is running; start one with `smlops sandbox start`")
        return sandbox

    @property
    def environment(self) -> dict[str, str]:
        """The variables that lead Terraform, boto3 and the AWS CLI here. Add them to a process's own."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ENDPOINT_URL_S3_CONTROL": s3_control_endpoint(self.endpoint),
            "HTTP_PROXY": self.endpoint,
            "http_proxy": self.endpoint,
            "NO_PROXY": "127.0.0.1",
            "no_proxy": "127.0.0.1",
            "AWS_ACCESS_KEY_ID": "sandbox",
            "AWS_SECRET_ACCESS_KEY": "sandbox",
            "AWS_REGION": DEFAULT_REGION,
            "AWS_DEFAULT_REGION": DEFAULT_REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_MAX_ATTEMPTS": "2",
        }

    def process_environment(self, base: Mapping[str, str] | None = None) -> dict[str, str]:
        """A whole environment for a process: `base` (this process's own) with no other AWS settings than these."""
        inherited = os.environ if base is None else base
        return {name: value for name, value in inherited.items() if not name.startswith("AWS_")} | self.environment

    def client(self, service: str, region: str = DEFAULT_REGION) -> Any:
        """A boto3 client, `sandbox.client("s3")`."""
        return make_client(service, region, self.endpoint)

    def health(self) -> dict[str, Any]:
        """Raises UserError where it does not answer."""
        answer: dict[str, Any] = self._request("GET", "health")
        return answer

    def inventory(self) -> dict[str, dict[str, list[str]]]:
        """Every resource there is: service, then type, to names. Empty: nothing is left."""
        answer: dict[str, dict[str, list[str]]] = self._request("GET", "inventory")
        return answer

    def arm_interruption(self, after_checkpoints: int = 1, job_name_contains: str = "") -> None:
        """Interrupt the next managed-spot training job whose name matches, once it has that many checkpoints in S3."""
        body = {"after_checkpoints": after_checkpoints, "job_name_contains": job_name_contains}
        self._request("POST", "interruptions", body)

    def interrupt(self, job_name: str) -> None:
        """Interrupt a managed-spot training job now. Raises UserError where it is none or does not run."""
        self._request("POST", f"training-jobs/{quote(job_name, safe='')}/interrupt", {})

    def stop(self) -> None:
        """End the server, its training jobs and its model servers; state is kept if that was asked for."""
        if self._process is not None:
            self._process.terminate()
            _wait(self._process)
            return
        if self.health()["pid"] == self.pid:  # Never signal a process that only inherited the number.
            os.kill(self.pid, signal.SIGTERM)
            deadline = time.monotonic() + _STOP_SECONDS
            while self._alive() and time.monotonic() < deadline:
                time.sleep(0.05)
        RECORD.unlink(missing_ok=True)

    def _alive(self) -> bool:
        try:
            self.health()
        except UserError:
            return False
        return True

    def _request(self, method: str, route: str, body: Mapping[str, Any] | None = None) -> Any:
        where = urlsplit(self.endpoint)
        connection = HTTPConnection(where.hostname or "", where.port, timeout=_ANSWER_SECONDS)
        try:
            connection.request(method, f"/_sandbox/{route}", body=None if body is None else json.dumps(body))
            response = connection.getresponse()
            answer = json.load(response)
        except (OSError, HTTPException, ValueError) as error:
            raise UserError(f"sandbox: nothing answers at {self.endpoint} ({error})") from None
        finally:
            connection.close()
        if response.status >= HTTPStatus.BAD_REQUEST:
            raise UserError(f"sandbox: {answer['error']}")
        return answer

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _spawn(state: Path | None, port: int, log: Path | None, stdin: int) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "sustainable_mlops.sandbox.server", "--port", str(port)]
    if state is not None:
        command += ["--state", str(state.absolute())]
    if stdin == subprocess.PIPE:
        command.append("--until-stdin-closes")
    variables = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    variables |= {"MOTO_ACCOUNT_ID": ACCOUNT_ID, "AWS_EC2_METADATA_DISABLED": "true"}
    stderr = log.open("ab") if log is not None else None
    try:
        return subprocess.Popen(
            command,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=stderr,
            env=variables,
            text=True,
            start_new_session=True,
        )
    finally:
        if stderr is not None:
            stderr.close()


def _first_line(process: "subprocess.Popen[str]", log: Path | None) -> dict[str, Any]:
    """The endpoint and process id, as soon as requests are answered."""
    assert process.stdout is not None
    with process.stdout as stdout:
        line = stdout.readline()
    started: dict[str, Any] = json.loads(line) if line else {"error": f"sandbox: did not start; see {log or 'above'}"}
    if "error" in started:
        _wait(process)
        raise UserError(started["error"])
    return started


def _wait(process: "subprocess.Popen[str]") -> None:
    if process.stdin is not None:
        process.stdin.close()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
