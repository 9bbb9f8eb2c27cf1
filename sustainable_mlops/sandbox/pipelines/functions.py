"""Lambda functions in Python, run as processes of this machine: the code is what CreateFunction was given."""

import io
import json
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from sustainable_mlops.sandbox.pipelines.outside import Fields, StepError

#: A Lambda step waits ten minutes at most, whatever the function's own limit. Source: "Lambda step", developer guide.
_LONGEST = 600
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


def run(function: Function, event: Fields, environment: Mapping[str, str]) -> Any:
    """What the handler answers to `event`; raises StepError.

    `environment` is what AWS gives every function: Region, credentials, and here the address of the sandbox.
    """
    if not function.runtime.startswith("python"):
        raise StepError(f"ClientError: The sandbox runs functions in Python, and this one is in {function.runtime}.")
    with tempfile.TemporaryDirectory(prefix="function-") as folder:
        code, answer = Path(folder, "code"), Path(folder, "answer.json")
        with zipfile.ZipFile(io.BytesIO(function.code)) as archive:
            archive.extractall(code)
        command = [sys.executable, "-c", _RUN, function.handler, str(answer)]
        surroundings = {**os.environ, **environment, **function.environment, "PYTHONPATH": str(code)}
        limit = min(function.timeout_seconds, _LONGEST)
        try:
            done = subprocess.run(
                command,
                input=json.dumps(event),
                cwd=code,
                env=surroundings,
                capture_output=True,
                text=True,
                timeout=limit,
            )
        except subprocess.TimeoutExpired:
            raise StepError(f"ClientError: The Lambda function did not end within {limit} seconds.") from None
        if done.returncode != 0:
            last = done.stderr.strip().splitlines()[-1:] or ["it ended without a word"]
            raise StepError(f"ClientError: The Lambda function failed: {last[0]}")
        return json.loads(answer.read_text())
