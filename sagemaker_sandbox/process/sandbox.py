"""Start, search, use and stop of a sandbox.

The module is cheap to import: moto and everything else run in the server's process.
"""

import fcntl
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlencode, urlsplit

from sagemaker_sandbox.base.client import (
    CREDENTIALS,
    build_connection_variables,
    build_s3_control_endpoint,
    make_client,
)
from sagemaker_sandbox.base.context import DEFAULT_ACCOUNT, DEFAULT_REGION
from sagemaker_sandbox.process.server_process import ServerProcess
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.catalogue import regions

if TYPE_CHECKING:
    from sagemaker_sandbox.faults.fault import Fault
    from sagemaker_sandbox.resources.usage_log import InstancePeriod

_ROOT = Path(__file__).resolve().parents[2]


def _find_folder() -> Path:
    """Return the folder of the sandbox in the background: `.local/` in a clone, else the user's cache."""
    if (_ROOT / "pyproject.toml").is_file():
        return _ROOT / ".local" / "sandbox"
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(cache, "sustainable-mlops", "sandbox")


FOLDER = _find_folder()
#: File with the endpoint, the Region and the process of the sandbox in the background.
RECORD = FOLDER / "sandbox.json"
#: Log of the sandbox in the background.
LOG = FOLDER / "sandbox.log"

#: Time for a server on a busy computer to respond, in seconds.
RESPONSE_SECONDS = 60.0


class Sandbox:
    """A running sandbox.

    `Sandbox.start()` starts one that ends with this process or with the `with` block. `Sandbox.running()` returns the
    one that `sagemaker-sandbox start` left in the background.
    """

    def __init__(
        self,
        endpoint: str,
        ca_bundle: str,
        server: ServerProcess,
        region: str = DEFAULT_REGION,
        process: "subprocess.Popen[str] | None" = None,
    ) -> None:
        self.endpoint = endpoint
        #: Path of the certificates with which the sandbox answers for AWS's host names.
        self.ca_bundle = ca_bundle
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
        enforce_iam: bool = False,
    ) -> Self:
        """Start a sandbox for this process. It ends when this process ends, for whatever reason.

        `state` is a folder that keeps the resources for the next start. Port 0 takes a free port. `log` receives the
        server's messages, which otherwise go to stderr. `account` is the default account, and `region` the default
        Region of clients. `time_scale` is the number of sandbox seconds in one second of this computer. With
        `enforce_iam`, users and roles can do only what their policies allow. Raises UserError if the start fails.
        """
        _check_arguments(account, region)
        process, address = _spawn(state, port, log, account, time_scale, enforce_iam=enforce_iam, stdin=subprocess.PIPE)
        return cls(address["endpoint"], address["ca_bundle"], ServerProcess.from_pid(process.pid), region, process)

    @classmethod
    def start_in_background(
        cls,
        state: Path | None = None,
        port: int = 0,
        *,
        account: str = DEFAULT_ACCOUNT,
        region: str = DEFAULT_REGION,
        time_scale: float = 1.0,
        enforce_iam: bool = False,
    ) -> Self:
        """Start a sandbox that outlives this process. Raises UserError if one already runs."""
        _check_arguments(account, region)
        with _lock_start():
            running = cls.find()
            if running is not None:
                raise UserError(
                    f"sandbox: one already runs at {running.endpoint} (process {running.pid}); use it, or stop it first"
                )
            process, address = _spawn(
                state, port, LOG, account, time_scale, enforce_iam=enforce_iam, stdin=subprocess.DEVNULL
            )
            try:
                server = ServerProcess.from_pid(process.pid)
                sandbox = cls(address["endpoint"], address["ca_bundle"], server, region)
                partial = RECORD.with_suffix(".partial")
                partial.write_text(json.dumps({**address, "region": region, "server": asdict(sandbox.server)}))
                partial.replace(RECORD)
            except BaseException:  # Ctrl-C too: nothing else knows of this process
                process.kill()
                _reap(process)
                raise
        return sandbox

    @classmethod
    def find(cls) -> Self | None:
        """Return the sandbox in the background, even if it is too busy to respond; None if its process has ended."""
        try:
            record = json.loads(RECORD.read_text())
            server = ServerProcess(int(record["server"]["pid"]), float(record["server"]["start_time"]))
            sandbox = cls(record["endpoint"], record["ca_bundle"], server, record["region"])
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return sandbox if sandbox.server.is_alive else None

    @classmethod
    def running(cls) -> Self:
        """Return the sandbox in the background as soon as it responds. Raises UserError if none runs or responds."""
        deadline = time.monotonic() + RESPONSE_SECONDS
        while (sandbox := cls.find()) is not None:
            remaining_seconds = deadline - time.monotonic()
            try:
                sandbox._request("GET", "health", seconds=max(remaining_seconds, 0.1))
                return sandbox
            except UserError:
                if remaining_seconds <= 0:
                    raise UserError(
                        f"sandbox: no response from {sandbox.endpoint}, but its process {sandbox.pid} is alive: wait "
                        "until the computer is less busy, or stop it with `sagemaker-sandbox stop`"
                    ) from None
            time.sleep(0.1)
        raise UserError("sandbox: none is running; start one with `sagemaker-sandbox start`")

    @property
    def pid(self) -> int:
        """Process ID of the server."""
        return self.server.pid

    @property
    def environment(self) -> dict[str, str]:
        """Environment variables that direct Terraform, boto3 and the AWS CLI to the sandbox."""
        return {
            **build_connection_variables(self.endpoint, self.ca_bundle),
            "AWS_ENDPOINT_URL_S3_CONTROL": build_s3_control_endpoint(self.endpoint),
            "HTTP_PROXY": self.endpoint,
            "http_proxy": self.endpoint,
            **{name.upper(): value for name, value in CREDENTIALS.items()},
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_MAX_ATTEMPTS": "2",
        }

    def process_environment(self, base: Mapping[str, str] | None = None) -> dict[str, str]:
        """Return the complete environment of a process: `base` with the sandbox's variables.

        `base` is this process's environment by default. Its other AWS settings are left out.
        """
        inherited = os.environ if base is None else base
        return {name: value for name, value in inherited.items() if not name.startswith("AWS_")} | self.environment

    def client(self, service: str, region: str | None = None) -> Any:
        """Return a boto3 client of the sandbox, such as `sandbox.client("s3")`."""
        return make_client(service, region or self.region, self.endpoint)

    @property
    def opt_ml(self) -> str:
        """Access of job containers to /opt/ml: `mounted` in each container, or by translated `paths`."""
        return str(self._request("GET", "health")["opt_ml"])

    @property
    def opt_ml_cause(self) -> str:
        """Reason for translated `paths`; the empty string if /opt/ml is `mounted`."""
        return str(self._request("GET", "health")["opt_ml_cause"])

    def inventory(self) -> dict[str, dict[str, list[str]]]:
        """Return the names of all resources by service and type. It is empty if no resource is left."""
        resources: dict[str, dict[str, list[str]]] = self._request("GET", "inventory")
        return resources

    def fault(self, operation: str, **options: Any) -> "Fault":
        """Inject a fault, such as `sandbox.fault("s3:PutObject", error="SlowDown", times=2)`, and return it.

        `options` are the fields of `Fault`. Raises UserError for a fault that cannot occur.
        """
        from sagemaker_sandbox.faults.fault import Fault

        return Fault.model_validate(self._request("POST", "faults", {"operation": operation, **options}))

    def faults(self) -> "list[Fault]":
        """Return the pending faults, in order."""
        from sagemaker_sandbox.faults.fault import Fault

        return [Fault.model_validate(fault) for fault in self._request("GET", "faults")]

    def clear_faults(self) -> None:
        """Remove all pending faults."""
        self._request("DELETE", "faults")

    def set_carbon_factor(self, factor: float, months: Mapping[str, float] | None = None) -> None:
        """Set the factor of all emissions that the sandbox reports. `months` has factors of single months.

        A key of `months` is a month such as `2026-08`. Raises UserError for a negative factor or an invalid month.
        """
        self._request("POST", "carbon", {"factor": factor, "months": dict(months or {})})

    def add_instance_period(self, instance_type: str, start: datetime, end: datetime, **options: Any) -> None:
        """Add a period in which instances ran. The sandbox reports their emissions.

        `options` are further fields of `services.carbon.control.PastInstancePeriod`: count, region, account and
        purpose. Raises UserError for an invalid value.
        """
        times = {"start": start.isoformat(), "end": end.isoformat()}
        self._request("POST", "usage", {"region": self.region, "instance_type": instance_type, **times, **options})

    def list_instance_periods(self, account: str) -> "list[InstancePeriod]":
        """Return the periods in which instances of an account ran in the sandbox's Region.

        The period of a running instance ends now.
        """
        from sagemaker_sandbox.resources.usage_log import InstancePeriod

        periods = []
        for fields in self._request("GET", "usage"):
            if (fields.pop("account"), fields.pop("region")) == (account, self.region):
                times = {name: datetime.fromisoformat(fields[name]) for name in ("start", "end")}
                periods.append(InstancePeriod(**fields | times))
        return periods

    @contextmanager
    def record_calls(self) -> Iterator[list[dict[str, Any]]]:
        """Record the requests of clients during the block, and yield a list that is filled at the end.

        An item has the fields of `call_recorder.RecordedCall`.
        """
        calls: list[dict[str, Any]] = []
        self._request("POST", "calls")
        try:
            yield calls
        finally:
            calls.extend(self._request("DELETE", "calls"))

    def list_unused_grants(self, role: str = "") -> dict[str, Any]:
        """Return the grants that no request used, by `grants`, with the `active` and `idle` roles and the `limits`.

        `role` is a part of the names of roles and users. Raises UserError if the sandbox does not enforce IAM.
        """
        report: dict[str, Any] = self._request("GET", f"unused?{urlencode({'role': role})}")
        return report

    def advance(self, seconds: float) -> datetime:
        """Move the sandbox's time ahead, and return the new time.

        Everything that falls due in between has started by then. EventBridge rules, schedules and the retries of
        deliveries use this time. Raises UserError for a negative time, or for more than ten years.
        """
        response = self._request("POST", "time", {"advance": seconds}, seconds=10 * RESPONSE_SECONDS)
        return datetime.fromisoformat(response["now"])

    def stop(self) -> bool:
        """End the server with its jobs and model servers, and return when none of them runs.

        The state is saved if the sandbox has a state folder. Returns False if the server was killed after a timeout:
        the saved state then lacks the last seconds. Raises UserError if the server cannot be ended.
        """
        ended_in_time = self.server.stop()
        if self._process is not None:
            _reap(self._process)
            return ended_in_time
        with _lock_start():
            if self.find() is None:  # otherwise, the record belongs to a sandbox that has just started
                RECORD.unlink(missing_ok=True)
        return ended_in_time

    def _request(
        self, method: str, route: str, body: Mapping[str, Any] | None = None, seconds: float = RESPONSE_SECONDS
    ) -> Any:
        url = urlsplit(self.endpoint)
        connection = HTTPConnection(url.hostname or "", url.port, timeout=seconds)
        try:
            connection.request(method, f"/_sandbox/{route}", body=None if body is None else json.dumps(body))
            response = connection.getresponse()
            content = json.load(response)
        except (OSError, HTTPException, ValueError) as error:
            raise UserError(
                f"sandbox: no response from {self.endpoint} ({error}); see {LOG}, or restart the sandbox"
            ) from None
        finally:
            connection.close()
        if response.status >= HTTPStatus.BAD_REQUEST:
            raise UserError(f"sandbox: {content['error']}")
        return content

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _check_arguments(account: str, region: str) -> None:
    if not re.fullmatch(r"[0-9]{12}", account):
        raise UserError(f"sandbox: account {account}: an AWS account ID has 12 digits, such as {DEFAULT_ACCOUNT}")
    if regions.find(region) is None:
        raise UserError(f"sandbox: region {region}: AWS has no Region of this name; use one such as {DEFAULT_REGION}")


@contextmanager
def _lock_start() -> Iterator[None]:
    """Hold the lock that lets only one process at a time start or stop the sandbox in the background."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with RECORD.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _spawn(
    state: Path | None, port: int, log: Path | None, account: str, time_scale: float, *, enforce_iam: bool, stdin: int
) -> tuple["subprocess.Popen[str]", dict[str, str]]:
    """Start the server's process, and return it with `endpoint` and `ca_bundle` as soon as the server is ready."""
    command = [sys.executable, "-m", "sagemaker_sandbox.server.server", "--port", str(port), "--account", account]
    command += ["--time-scale", str(time_scale)]
    if enforce_iam:
        command.append("--enforce-iam")
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
        return process, _read_address(process, log)
    except BaseException:  # Ctrl-C too: nothing else knows of this process
        process.kill()
        _reap(process)
        raise


def _read_address(process: "subprocess.Popen[str]", log: Path | None) -> dict[str, str]:
    assert process.stdout is not None
    with process.stdout as stdout:
        line = stdout.readline()
    message: dict[str, str] = (
        json.loads(line) if line else {"error": f"sandbox: did not start; see {log or 'the messages above'}"}
    )
    if "error" in message:
        raise UserError(message["error"])
    return message


def _reap(process: "subprocess.Popen[str]") -> None:
    if process.stdin is not None:
        process.stdin.close()
    process.wait()
