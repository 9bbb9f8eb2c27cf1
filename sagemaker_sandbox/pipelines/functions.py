"""Lambda functions in Python, which run as processes of this computer."""

import io
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from sagemaker_sandbox.jobs.runtime import mounting
from sagemaker_sandbox.jobs.runtime.container import Container
from sagemaker_sandbox.jobs.runtime.process import kill_group
from sagemaker_sandbox.pipelines.services import Fields, StepError

#: Maximum duration of a Lambda step, for any timeout of the function. Source: "Lambda step", developer guide.
_MAX_SECONDS = 600
_INTERVAL = 0.2  # seconds between two checks of the end
#: Program of the function's process. It reads the event from stdin and writes the result to a file.
_RUN = """
import importlib, json, sys
module, _, handler = sys.argv[1].rpartition(".")
result = getattr(importlib.import_module(module.replace("/", ".")), handler)(json.load(sys.stdin), None)
with open(sys.argv[2], "w") as file:
    json.dump(result, file)
"""


class UnsupportedRuntimeError(StepError):
    """A function in another language than Python."""


class FunctionFailedError(StepError):
    """An exception of a function."""

    def __init__(self, line: str) -> None:
        super().__init__(f"ClientError: The Lambda function failed: {line}")
        #: Name of the exception, if the line has one.
        self.error_type = line.partition(":")[0].rpartition(".")[2] if ":" in line else "Error"


class LambdaFunction(NamedTuple):
    """A function: its code as a ZIP archive, `module.function`, its runtime, and its timeout in seconds."""

    code: bytes
    handler: str
    runtime: str
    timeout_seconds: int
    environment: Mapping[str, str]


def run_function(
    function: LambdaFunction, event: Fields, environment: Mapping[str, str], scratch: Path, closing: threading.Event
) -> Any:
    """Return the handler's result for an event. Raises StepError, also when `closing` is set.

    `environment` has the variables of every function: Region, credentials, and the address of the sandbox. The files of
    the function are in a folder under `scratch` while it runs. The function ends with this process (Linux).
    """
    if not function.runtime.startswith("python"):
        raise UnsupportedRuntimeError(f"ClientError: The sandbox runs functions in Python, not in {function.runtime}.")
    scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="function-", dir=scratch) as folder:
        container = Container(Path(folder, "ml"), mounted=mounting.is_opt_ml_mounted())
        container.reset()
        result = container.output / "result.json"
        with zipfile.ZipFile(io.BytesIO(function.code)) as archive:
            archive.extractall(container.code)
        command = [sys.executable, "-c", _RUN, function.handler, container.to_container_path(result)]
        code = {"PYTHONPATH": container.to_container_path(container.code)}
        process = subprocess.Popen(
            container.build_command(command, container.code, parent=os.getpid()),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=container.build_environment({**environment, **function.environment, **code}),
            start_new_session=True,
        )
        stderr = _wait(process, json.dumps(event).encode(), min(function.timeout_seconds, _MAX_SECONDS), closing)
        if process.returncode != 0:
            last = stderr.decode(errors="replace").strip().splitlines()[-1:] or ["it ended without a message"]
            raise FunctionFailedError(last[0])
        return json.loads(result.read_text())


def _wait(process: "subprocess.Popen[bytes]", event: bytes, limit: float, closing: threading.Event) -> bytes:
    """Return the stderr of a process. It is ended after `limit` seconds, or when the sandbox closes."""
    end = time.monotonic() + limit
    unsent: bytes | None = event
    while True:
        try:
            return process.communicate(unsent, timeout=_INTERVAL)[1]
        except subprocess.TimeoutExpired:
            unsent = None
            if time.monotonic() < end and not closing.is_set():
                continue
            kill_group(process)
            process.communicate()
            cause = "was ended with the sandbox" if closing.is_set() else f"did not end within {limit} seconds"
            raise StepError(f"ClientError: The Lambda function {cause}.") from None
