"""Programs that a fault may kill: commands of this project in a forked process, and Terraform."""

import contextlib
import io
import json
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from sagemaker_sandbox import Sandbox
from tests.account.chaos.case import Case, FaultKind, is_reached

#: Exit code of a killed process, and seconds after which a process counts as hanging.
KILLED, _MAX_SECONDS = -9, 900.0


def run_forked(work: Callable[[], Mapping[str, Any]], case: Case | None, sandbox: Sandbox) -> Any:
    """Run `work` in a forked process, which has loaded everything, and return its result.

    Returns None if the fault of the case killed the process.
    """
    with tempfile.NamedTemporaryFile("w+") as answer:
        child = os.fork()
        if child == 0:
            code = 1
            with contextlib.suppress(BaseException):
                Path(answer.name).write_text(json.dumps(work()))
                code = 0
            os._exit(code)

        def poll() -> int | None:
            pid, status = os.waitpid(child, os.WNOHANG)
            return os.waitstatus_to_exitcode(status) if pid else None

        code = _wait(poll, lambda: os.kill(child, signal.SIGKILL), case, sandbox)
        if code == KILLED:
            return None
        assert code == 0, f"the forked process ended with {code}"
        return json.load(answer)


def run_program(
    command: list[str], folder: Path, variables: Mapping[str, str], case: Case, sandbox: Sandbox
) -> tuple[int, str]:
    """Run a program, which the fault of the case may kill, and return its exit code and its output."""
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(
            command, cwd=folder, env=dict(variables), stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        )
        code = _wait(process.poll, process.kill, case, sandbox)
        output.seek(0)
        return code, output.read()


def _wait(poll: Callable[[], int | None], kill: Callable[[], None], case: Case | None, sandbox: Sandbox) -> int:
    """Wait for the end of a process. If the case kills the process, kill it while the sandbox delays its request."""
    deadline = time.monotonic() + _MAX_SECONDS
    while (code := poll()) is None:
        if case is not None and case.kind is FaultKind.KILLED and is_reached(case, sandbox):
            time.sleep(0.3)  # the request takes effect, if it is one with an effect
            kill()
            while (code := poll()) is None:
                time.sleep(0.01)
            return code
        if time.monotonic() > deadline:
            kill()
            raise AssertionError("the process hangs")
        time.sleep(0.05)
    return code


@contextlib.contextmanager
def capture() -> Any:
    """Capture stdout and stderr of a command in this process."""
    out, error = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(error):
        yield out, error
