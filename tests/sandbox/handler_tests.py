"""Each operation that behaves has a test that fails once its handler answers well-formed nothing.

`python -m tests.sandbox.handler_tests [OPERATION…]` runs the test that `behaves.yaml` names for each, on a sandbox in this
process whose handler of that operation is replaced, and exits 1 where a test does not notice, or none is named.
"""

import functools
import os
import socket
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import yaml
from botocore.model import Shape

from sagemaker_sandbox import Sandbox, accounts
from sagemaker_sandbox.context import DEFAULT_ACCOUNT
from sagemaker_sandbox.parts.handlers import SupportLevel
from sagemaker_sandbox.plane.registry import OPERATIONS, Operation
from sagemaker_sandbox.server_process import ServerProcess
from sustainable_mlops.aws.service_model import service_model
from tests.sandbox import response_checks, support

TABLE = Path(__file__).with_suffix(".yaml")
#: How long a state is waited for that does not come, in seconds.
PATIENCE = 4.0
#: Each of many runs in this process would search all memory for what nobody awaited, and rotate folders.
_PLUGINS = ("cacheprovider", "xdist", "unraisableexception", "threadexception")


def behaving() -> dict[str, Operation]:
    """Every operation that behaves, by its name."""
    return {one.name: one for one in OPERATIONS.operations.values() if one.support.level is SupportLevel.EMULATED}


def table() -> dict[str, str]:
    """Operation to the test that notices."""
    named: dict[str, str] = yaml.safe_load(TABLE.read_text(encoding="utf-8"))
    return named


def nothing(operation: Operation) -> Any:
    """A well-formed answer that holds nothing."""
    shape = service_model(operation.service).operation_model(operation.name).output_shape
    return {} if shape is None else least(shape)


def least(shape: Shape) -> Any:
    """The smallest value of a shape: required members alone, empty lists, zeros."""
    if shape.type_name == "structure":
        return {name: least(shape.members[name]) for name in shape.required_members}  # type: ignore[attr-defined]
    kinds = {"list": [], "map": {}, "string": "", "blob": b"", "boolean": False, "timestamp": support.EPOCH}
    return kinds.get(shape.type_name, 0)


@contextmanager
def emptied(operation: Operation) -> Iterator[None]:
    """The handler of an operation answers nothing meanwhile."""
    handler = getattr(operation.part, operation.method)

    @functools.wraps(handler)
    def empty(*_arguments: Any, **_more: Any) -> Any:
        return nothing(operation)

    setattr(operation.part, operation.method, empty)
    try:
        yield
    finally:
        setattr(operation.part, operation.method, handler)


class InProcess(Sandbox):
    """The sandbox of this process; to stop it is to empty it, but for the role that all others' tests name."""

    def stop(self) -> bool:
        self._request("GET", "health")
        support.reset(self)
        support.make_role(self)
        return True


@contextmanager
def server() -> Iterator[Callable[..., Sandbox]]:
    """What stands in for Sandbox.start."""
    from werkzeug.serving import make_server

    from sagemaker_sandbox.client import make_client
    from sagemaker_sandbox.context import SandboxContext

    accounts.set_default_account(DEFAULT_ACCOUNT)
    from sagemaker_sandbox.application import Application

    with tempfile.TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as listener:
        endpoint = f"http://127.0.0.1:{listener.getsockname()[1]}"

        @functools.cache
        def client(service: str, region: str, account: str) -> Any:
            return make_client(service, region, endpoint, account)

        application = Application(SandboxContext(client=client, customer_client=client, folder=Path(folder)))
        listening = make_server("127.0.0.1", 0, application, threaded=True, fd=listener.fileno())
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        yield lambda **_: InProcess(endpoint, ServerProcess.from_pid(os.getpid()))
        application.close()
        listening.shutdown()


def unnoticed(operations: list[Operation]) -> list[str]:
    """The operations whose emptiness no test notices, and why."""
    named, found = table(), []
    with server() as start, pytest.MonkeyPatch.context() as patch:
        patch.setattr(Sandbox, "start", start)
        patch.setattr(response_checks, "problems", lambda *_: ())  # the tests alone are to notice
        tests = sorted({named[one.name] for one in operations if one.name in named})
        if (code := _run(*tests)) is not pytest.ExitCode.OK:
            return [f"with every handler in its place, the tests end with {code.name}"]
        patch.setattr(support, "patience", PATIENCE)
        for operation in operations:
            if operation.name not in named:
                found.append(f"{operation.name}: behaves.yaml names no test")
                continue
            with emptied(operation):
                code = _run(named[operation.name])
            if code is not pytest.ExitCode.TESTS_FAILED:
                found.append(f"{operation.name}: {named[operation.name]} does not notice ({code.name})")
    return found


def _run(*tests: str) -> pytest.ExitCode:
    without = [word for plugin in _PLUGINS for word in ("-p", f"no:{plugin}")]
    with redirect_stdout(StringIO()) as said, tempfile.TemporaryDirectory() as folder:
        code = pytest.ExitCode(pytest.main(["-q", "-x", f"--basetemp={folder}/tests", *without, *tests]))
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        print(said.getvalue())
    return code


def main() -> None:
    """Print what is not noticed."""
    known = behaving()
    wanted = [known[name] for name in sys.argv[1:]] or list(known.values())
    found = unnoticed(wanted)
    print("\n".join(found) or f"{len(wanted)} operations: a test notices each that answers nothing")
    if not sys.argv[1:] and (more := sorted(table().keys() - known.keys())):
        print(f"behaves.yaml names what does not behave: {', '.join(more)}")
        found += more
    raise SystemExit(bool(found))


if __name__ == "__main__":
    main()
