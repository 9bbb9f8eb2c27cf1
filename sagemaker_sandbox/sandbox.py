"""Start, find, use and stop a sandbox. Cheap to import: moto and all the rest live in the server's process."""

import fcntl
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from sustainable_mlops.catalogue import regions
from sustainable_mlops.errors import UserError
from sagemaker_sandbox.client import CREDENTIALS, make_client, s3_control_endpoint
from sagemaker_sandbox.context import DEFAULT_ACCOUNT, DEFAULT_REGION
from sagemaker_sandbox.server_process import ServerProcess
from sustainable_mlops.terraform import LOCAL

if TYPE_CHECKING:
    from sagemaker_sandbox.faults.fault import Fault

FOLDER = LOCAL / "sandbox"
#: Where the sandbox in the background says how to reach it.
RECORD = FOLDER / "sandbox.json"
LOG = FOLDER / "sandbox.log"

#: How long a server on a busy machine may take to answer, in seconds.
ANSWER_SECONDS = 60.0


class Sandbox:
    """A running sandbox. `Sandbox.start()` makes one that ends with this process (or the `with` block);
    `Sandbox.running()` is the one that `smlops sandbox start` left in the background."""

    def __init__(
        self,
        endpoint: str,
        server: ServerProcess,
        region: str = DEFAULT_REGION,
        process: "subprocess.Popen[str] | None" = None,
    ) -> None:
        self.endpoint = endpoint
        self.server = server
        self.region = region
        self._process = process

    @classmethod
    def start(
        cls,
        state: Path | None = None,
        port: int = 0,
        log: Path | None = None,
        *,
        account: str = DEFAULT_ACCOUNT,
        region: str = DEFAULT_REGION,
        time_scale: float = 1.0,
    ) -> Self:
        """Start a sandbox for this process: it ends when this process does, however that comes about.

        `state` keeps its resources for the next start; port 0 takes a free one; `log` receives its messages, which
        go to stderr otherwise; `account` is the one that it stands for, `region` where clients look if they are told
        no other; `time_scale` is how many seconds pass there in one of this machine's. Raises UserError where it cannot
        start.
        """
        _check(account, region)
        process, endpoint = _spawn(state, port, log, account, time_scale, stdin=subprocess.PIPE)
        return cls(endpoint, ServerProcess.of(process.pid), region, process)

    @classmethod
    def start_in_background(
        cls,
        state: Path | None = None,
        port: int = 0,
        *,
        account: str = DEFAULT_ACCOUNT,
        region: str = DEFAULT_REGION,
        time_scale: float = 1.0,
    ) -> Self:
        """Start a sandbox that outlives this process. Raises UserError where one runs already."""
        _check(account, region)
        with _only_one_starts():
            known = cls.find()
            if known is not None:
                raise UserError(
                    f"sandbox: one runs already at {known.endpoint} (process {known.pid}); use it, or stop it first"
                )
            process, endpoint = _spawn(state, port, LOG, account, time_scale, stdin=subprocess.DEVNULL)
            try:
                sandbox = cls(endpoint, ServerProcess.of(process.pid), region)
                partial = RECORD.with_suffix(".partial")
                partial.write_text(json.dumps({"endpoint": endpoint, "region": region, "server": vars(sandbox.server)}))
                partial.replace(RECORD)
            except BaseException:  # Ctrl-C too: nobody else knows of this process
                process.kill()
                _reap(process)
                raise
        return sandbox

    @classmethod
    def find(cls) -> Self | None:
        """The sandbox in the background, whether or not it has time to answer; None once its process has ended."""
        try:
            record = json.loads(RECORD.read_text())
            server = ServerProcess(int(record["server"]["pid"]), float(record["server"]["started"]))
            sandbox = cls(record["endpoint"], server, record["region"])
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return sandbox if sandbox.server.lives else None

    @classmethod
    def running(cls) -> Self:
        """The sandbox in the background, once it answers. Raises UserError where there is none, or none answers."""
        deadline = time.monotonic() + ANSWER_SECONDS
        while (sandbox := cls.find()) is not None:
            left = deadline - time.monotonic()
            try:
                sandbox._request("GET", "health", seconds=max(left, 0.1))
                return sandbox
            except UserError as error:
                if left <= 0:
                    raise UserError(
                        f"{error}, though its process {sandbox.pid} lives: wait until the machine is less busy, or end "
                        "it with `smlops sandbox stop`"
                    ) from None
            time.sleep(0.1)
        raise UserError("sandbox: none is running; start one with `smlops sandbox start`")

    @property
    def pid(self) -> int:
        """The server's process."""
        return self.server.pid

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
            **{name.upper(): value for name, value in CREDENTIALS.items()},
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_MAX_ATTEMPTS": "2",
        }

    def process_environment(self, base: Mapping[str, str] | None = None) -> dict[str, str]:
        """A whole environment for a process: `base` (this process's own) with no other AWS settings than these."""
        inherited = os.environ if base is None else base
        return {name: value for name, value in inherited.items() if not name.startswith("AWS_")} | self.environment

    def client(self, service: str, region: str | None = None) -> Any:
        """A boto3 client, `sandbox.client("s3")`."""
        return make_client(service, region or self.region, self.endpoint)

    @property
    def opt_ml(self) -> str:
        """How the containers of jobs see /opt/ml: `mounted` for each of them, or by translated `paths`."""
        return str(self._request("GET", "health")["opt_ml"])

    def inventory(self) -> dict[str, dict[str, list[str]]]:
        """Every resource there is: service, then type, to names. Empty: nothing is left."""
        answer: dict[str, dict[str, list[str]]] = self._request("GET", "inventory")
        return answer

    def fault(self, operation: str, **how: Any) -> "Fault":
        """Have something go wrong, `sandbox.fault("s3:PutObject", error="SlowDown", times=2)`: see `Fault` for `how`.

        The fault as it waits. Raises UserError for one that cannot come about.
        """
        from sagemaker_sandbox.faults.fault import Fault

        return Fault.model_validate(self._request("POST", "faults", {"operation": operation, **how}))

    def faults(self) -> "list[Fault]":
        """The faults that wait, in order."""
        from sagemaker_sandbox.faults.fault import Fault

        return [Fault.model_validate(fault) for fault in self._request("GET", "faults")]

    def clear_faults(self) -> None:
        """Nothing is to go wrong any more."""
        self._request("DELETE", "faults")

    @contextmanager
    def record_calls(self) -> Iterator[list[dict[str, Any]]]:
        """Record the requests of clients meanwhile; the list is filled at the end. See `sandbox.calls.Call`."""
        calls: list[dict[str, Any]] = []
        self._request("POST", "calls")
        try:
            yield calls
        finally:
            calls.extend(self._request("DELETE", "calls"))

    def advance(self, seconds: float) -> datetime:
        """Move the sandbox's time ahead; the moment that it is then. What falls due on the way has begun by then.

        Schedules of EventBridge and its Scheduler go by this time, and so do the retries of deliveries. Raises
        UserError for less than nothing, or more than ten years.
        """
        answer = self._request("POST", "time", {"advance": seconds}, seconds=10 * ANSWER_SECONDS)
        return datetime.fromisoformat(answer["now"])

    def stop(self) -> bool:
        """End the server, its training jobs and its model servers: when this returns, none of them runs.

        State is kept if that was asked for. False: it did not end in time and was killed, so that the state lacks the
        last seconds. Raises UserError where it cannot be ended.
        """
        in_time = self.server.end()
        if self._process is not None:
            _reap(self._process)
            return in_time
        with _only_one_starts():
            if self.find() is None:  # else the record is that of one which started as this one ended
                RECORD.unlink(missing_ok=True)
        return in_time

    def _request(
        self, method: str, route: str, body: Mapping[str, Any] | None = None, seconds: float = ANSWER_SECONDS
    ) -> Any:
        where = urlsplit(self.endpoint)
        connection = HTTPConnection(where.hostname or "", where.port, timeout=seconds)
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


def _check(account: str, region: str) -> None:
    if not re.fullmatch(r"[0-9]{12}", account):
        raise UserError(f"sandbox: account {account}: an AWS account has 12 digits, such as {DEFAULT_ACCOUNT}")
    if regions.find(region) is None:
        raise UserError(f"sandbox: region {region}: AWS has none of that name; say one such as {DEFAULT_REGION}")


@contextmanager
def _only_one_starts() -> Iterator[None]:
    """Others that want to start a sandbox in the background wait here."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with RECORD.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _spawn(
    state: Path | None, port: int, log: Path | None, account: str, time_scale: float, stdin: int
) -> tuple["subprocess.Popen[str]", str]:
    """The server's process and its endpoint, as soon as requests are answered."""
    command = [sys.executable, "-m", "sagemaker_sandbox.server", "--port", str(port), "--account", account]
    command += ["--time-scale", str(time_scale)]
    if state is not None:
        command += ["--state", str(state.absolute())]
    if stdin == subprocess.PIPE:
        command.append("--until-stdin-closes")
    variables = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    stderr = log.open("ab") if log is not None else None
    try:
        process = subprocess.Popen(
            command,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=stderr,
            env=variables | {"AWS_EC2_METADATA_DISABLED": "true"},
            text=True,
            start_new_session=True,
        )
    finally:
        if stderr is not None:
            stderr.close()
    try:
        return process, _endpoint(process, log)
    except BaseException:  # Ctrl-C too: nobody else knows of this process
        process.kill()
        _reap(process)
        raise


def _endpoint(process: "subprocess.Popen[str]", log: Path | None) -> str:
    assert process.stdout is not None
    with process.stdout as stdout:
        line = stdout.readline()
    started: dict[str, str] = json.loads(line) if line else {"error": f"sandbox: did not start; see {log or 'above'}"}
    if "error" in started:
        raise UserError(started["error"])
    return started["endpoint"]


def _reap(process: "subprocess.Popen[str]") -> None:
    if process.stdin is not None:
        process.stdin.close()
    process.wait()
