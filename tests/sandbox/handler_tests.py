"""Check that a test notices each handler of an emulated operation.

`python -m tests.sandbox.handler_tests [OPERATION…]` runs the test that `handler_tests.yaml` names for each operation,
on a sandbox in this process. The handler is replaced by one with an empty, valid response. The command exits with 1 if
a test passes nevertheless, or if an operation has no test.
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

from sagemaker_sandbox import Sandbox
from sagemaker_sandbox.base import accounts
from sagemaker_sandbox.base.context import DEFAULT_ACCOUNT
from sagemaker_sandbox.control_plane.registry import OPERATIONS, Operation
from sagemaker_sandbox.process.server_process import ServerProcess
from sagemaker_sandbox.resources.handlers import SupportLevel
from sustainable_mlops.aws.service_model import load_service_model
from tests.sandbox import response_checks, support

TABLE = Path(__file__).with_suffix(".yaml")
#: Longest wait for a state that never comes, in seconds.
MAX_WAIT_SECONDS = 4.0
#: Plugins that are slow or useless with many runs in one process.
_PLUGINS = ("cacheprovider", "xdist", "unraisableexception", "threadexception")


def list_emulated_operations() -> dict[str, Operation]:
    """Return every emulated operation by name."""
    return {
        operation.name: operation
        for operation in OPERATIONS.operations.values()
        if operation.support.level is SupportLevel.EMULATED
    }


def load_table() -> dict[str, str]:
    """Return the test of each operation."""
    tests: dict[str, str] = yaml.safe_load(TABLE.read_text(encoding="utf-8"))
    return tests


def build_empty_response(operation: Operation) -> Any:
    """Return the smallest valid response."""
    shape = load_service_model(operation.service).operation_model(operation.name).output_shape
    return {} if shape is None else build_smallest_value(shape)


def build_smallest_value(shape: Shape) -> Any:
    """Return the smallest value of a shape: required members only, empty lists, zeros."""
    if shape.type_name == "structure":
        return {name: build_smallest_value(shape.members[name]) for name in shape.required_members}  # type: ignore[attr-defined]
    kinds = {"list": [], "map": {}, "string": "", "blob": b"", "boolean": False, "timestamp": support.EPOCH}
    return kinds.get(shape.type_name, 0)


@contextmanager
def replace_handler(operation: Operation) -> Iterator[None]:
    """Replace the handler of an operation by one with an empty response, during the block."""
    handler = getattr(operation.part, operation.method)

    @functools.wraps(handler)
    def handle(*_arguments: Any, **_more: Any) -> Any:
        return build_empty_response(operation)

    setattr(operation.part, operation.method, handle)
    try:
        yield
    finally:
        setattr(operation.part, operation.method, handler)


class InProcess(Sandbox):
    """The sandbox of this process. Stopping it removes all resources, except the role that all tests use."""

    def stop(self) -> bool:
        self._request("GET", "health")
        support.reset_sandbox(self)
        support.make_role(self)
        return True


@contextmanager
def serve_in_process() -> Iterator[Callable[..., Sandbox]]:
    """Start a sandbox in this process, and yield a replacement of Sandbox.start."""
    from werkzeug.serving import make_server

    from sagemaker_sandbox.base.client import make_client
    from sagemaker_sandbox.base.context import SandboxContext

    accounts.set_default_account(DEFAULT_ACCOUNT)
    from sagemaker_sandbox.server.application import Application

    with tempfile.TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as listener:
        endpoint = f"http://127.0.0.1:{listener.getsockname()[1]}"

        @functools.cache
        def client(service: str, region: str, account: str) -> Any:
            return make_client(service, region, endpoint, account)

        application = Application(SandboxContext(client=client, customer_client=client, folder=Path(folder)))
        wsgi_server = make_server("127.0.0.1", 0, application, threaded=True, fd=listener.fileno())
        threading.Thread(target=wsgi_server.serve_forever, daemon=True).start()
        yield lambda **_: InProcess(endpoint, "", ServerProcess.from_pid(os.getpid()))
        application.close()
        wsgi_server.shutdown()


def list_unnoticed(operations: list[Operation]) -> list[str]:
    """Return the operations whose empty response no test notices, with the reason."""
    tests_by_name, messages = load_table(), []
    with serve_in_process() as start, pytest.MonkeyPatch.context() as patch:
        patch.setattr(Sandbox, "start", start)
        patch.setattr(response_checks, "list_problems", lambda *_: ())  # only the tests should notice
        tests = sorted({tests_by_name[operation.name] for operation in operations if operation.name in tests_by_name})
        if (code := _run(*tests)) is not pytest.ExitCode.OK:
            return [f"with every handler in its place, the tests end with {code.name}"]
        patch.setattr(support, "max_wait_seconds", MAX_WAIT_SECONDS)
        for operation in operations:
            if operation.name not in tests_by_name:
                messages.append(f"{operation.name}: handler_tests.yaml names no test")
                continue
            with replace_handler(operation):
                code = _run(tests_by_name[operation.name])
            if code is not pytest.ExitCode.TESTS_FAILED:
                messages.append(f"{operation.name}: {tests_by_name[operation.name]} does not notice ({code.name})")
    return messages


def _run(*tests: str) -> pytest.ExitCode:
    disabled = [word for plugin in _PLUGINS for word in ("-p", f"no:{plugin}")]
    with redirect_stdout(StringIO()) as output, tempfile.TemporaryDirectory() as folder:
        code = pytest.ExitCode(pytest.main(["-q", "-x", f"--basetemp={folder}/tests", *disabled, *tests]))
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        print(output.getvalue())
    return code


def main() -> None:
    """Print the operations whose empty response no test notices."""
    emulated = list_emulated_operations()
    operations = [emulated[name] for name in sys.argv[1:]] or list(emulated.values())
    messages = list_unnoticed(operations)
    print("\n".join(messages) or f"{len(operations)} operations: a test notices each empty response")
    if not sys.argv[1:] and (unknown := sorted(load_table().keys() - emulated.keys())):
        print(f"handler_tests.yaml names operations that are not emulated: {', '.join(unknown)}")
        messages += unknown
    raise SystemExit(bool(messages))


if __name__ == "__main__":
    main()
