"""Lambda functions in Python, run as processes of this machine: the code is what CreateFunction was given."""

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

from sagemaker_sandbox.pipelines.outside import Fields, StepError
from sagemaker_sandbox.runtime.container import build_launch_command
from sagemaker_sandbox.runtime.process import kill_group
from sagemaker_sandbox.scratch import CONTAINER_VARIABLE

#: A Lambda step waits ten minutes at most, whatever the function's own limit. Source: "Lambda step", developer guide.
_LONGEST = 600
_LOOK = 0.2  # seconds between two looks at whether it must end
#: Of this process's own environment, what a function gets.
_INHERITED = ("PATH", "HOME", "LANG", "TMPDIR")
#: Reads the event from stdin; what the handler answers goes to the file that is named, as stdout is the function's.
_RUN = """
import importlib, json, sys
module, _, handler = sys.argv[1].rpartition(".")
answer = getattr(importlib.import_module(module.replace("/", ".")), handler)(json.load(sys.stdin), None)
with open(sys.argv[2], "w") as file:
    json.dump(answer, file)
"""


class Function(NamedTuple):
    """A function: its code as a ZIP archive, `module.function`, its runtime, and its limit in seconds."""

    code: bytes
    handler: str
    runtime: str
    timeout_seconds: int
    environment: Mapping[str, str]


def run(
    function: Function, event: Fields, environment: Mapping[str, str], scratch: Path, closing: threading.Event
) -> Any:
    """What the handler answers to `event`; raises StepError, as it does once `closing` is set.

    `environment` is what AWS gives every function: Region, credentials, and here the address of the sandbox. Its files
    are in a folder of its own under `scratch` while it runs, and it dies with this process (Linux).
    """
    if not function.runtime.startswith("python"):
        raise StepError(f"ClientError: The sandbox runs functions in Python, and this one is in {function.runtime}.")
    scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="function-", dir=scratch) as folder:
        code, answer = Path(folder, "code"), Path(folder, "answer.json")
        with zipfile.ZipFile(io.BytesIO(function.code)) as archive:
            archive.extractall(code)
        command = [sys.executable, "-c", _RUN, function.handler, str(answer)]
        inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
        own = {"PYTHONPATH": str(code), CONTAINER_VARIABLE: folder}
        surroundings = {**inherited, **environment, **function.environment, **own}
        process = subprocess.Popen(
            build_launch_command(command, {"workdir": str(code), "parent": os.getpid()}),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=surroundings,
            start_new_session=True,
        )
        said = _wait(process, json.dumps(event).encode(), min(function.timeout_seconds, _LONGEST), closing)
        if process.returncode != 0:
            last = said.decode(errors="replace").strip().splitlines()[-1:] or ["it ended without a word"]
            raise StepError(f"ClientError: The Lambda function failed: {last[0]}")
        return json.loads(answer.read_text())


def _wait(process: "subprocess.Popen[bytes]", event: bytes, limit: float, closing: threading.Event) -> bytes:
    """What it says on stderr until it ends; it is ended after `limit` seconds, or when the sandbox closes."""
    end = time.monotonic() + limit
    unsent: bytes | None = event
    while True:
        try:
            return process.communicate(unsent, timeout=_LOOK)[1]
        except subprocess.TimeoutExpired:
            unsent = None
            if time.monotonic() < end and not closing.is_set():
                continue
            kill_group(process)
            process.communicate()
            why = "was ended with the sandbox" if closing.is_set() else f"did not end within {limit} seconds"
            raise StepError(f"ClientError: The Lambda function {why}.") from None
