"""The sandbox's server process: it listens on one port, keeps the state, and ends what it started."""

import argparse
import errno
import functools
import json
import os
import signal
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sustainable_mlops.errors import UserError
from sagemaker_sandbox import accounts, scratch
from sagemaker_sandbox.client import INTERNAL, make_client
from sagemaker_sandbox.clock import Clock
from sagemaker_sandbox.context import DEFAULT_ACCOUNT, Context
from sagemaker_sandbox.persistence import State

HOST = "127.0.0.1"
#: How long a connection may stay silent within a request, in seconds; an idle one is closed then, too.
SILENCE_SECONDS = 60.0


def main() -> None:
    """Serve until SIGTERM or SIGINT or, with --until-stdin-closes, until the parent process is gone.

    The first line on stdout is JSON: the endpoint once requests are answered, or the error that prevents it.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--state", type=Path)
    parser.add_argument("--account", default=DEFAULT_ACCOUNT)
    parser.add_argument("--time-scale", type=float, default=1.0)
    parser.add_argument("--until-stdin-closes", action="store_true")
    parser.add_argument("--silence-seconds", type=float, default=SILENCE_SECONDS)
    arguments = parser.parse_args()
    try:
        with scratch.folder() as folder, _bind(arguments.port) as listener:
            server = Server(listener, folder, arguments.state, arguments.account, arguments.time_scale)
            server.serve(until_stdin_closes=arguments.until_stdin_closes, silence_seconds=arguments.silence_seconds)
    except UserError as error:
        print(json.dumps({"error": str(error)}), flush=True)
        raise SystemExit(2) from None
    # All is closed and saved. To take moto's modules apart one by one would cost seconds, and free nothing that the
    # end of the process does not.
    os._exit(0)


def _bind(port: int) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
    except OSError as error:
        reason = "is in use" if error.errno == errno.EADDRINUSE else f"cannot be used ({error.strerror})"
        listener.close()
        raise UserError(
            f"sandbox: port {port} of {HOST} {reason}; choose another with --port, or leave it out"
        ) from None
    listener.listen(1024)  # hundreds may ask at once
    return listener


class Server:
    """One listening socket and what answers on it. Raises UserError where the state cannot be read."""

    def __init__(
        self, listener: socket.socket, folder: Path, state: Path | None, account: str, time_scale: float
    ) -> None:
        self.endpoint = f"http://{HOST}:{listener.getsockname()[1]}"
        self._listener = listener
        self._state = State(state, account) if state is not None else None
        accounts.set_default(account)
        # Here, so that a port in use is told before all of this loads.
        from sagemaker_sandbox.application import Application

        context = Context(
            client=_client_factory(self.endpoint, INTERNAL),
            on_behalf=_client_factory(self.endpoint, ""),
            folder=folder,
            account_id=account,
            clock=Clock(time_scale),
        )
        self._application = Application(context)
        if self._state is not None:
            self._state.restore(self._application)

    def serve(self, *, until_stdin_closes: bool, silence_seconds: float) -> None:
        """Answer requests until told to stop."""
        from werkzeug.serving import make_server

        handler, descriptor = _request_handler(silence_seconds), self._listener.fileno()
        server = make_server(HOST, 0, self._application, threaded=True, request_handler=handler, fd=descriptor)

        # A daemon, so that whatever goes wrong here ends the process.
        answering = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        answering.start()
        # Any thread may take a signal, say one that starts a job, but only the main thread runs Python's handlers, and
        # that sleeps on: of an Event it would hear nothing. What the interpreter writes to this pipe wakes it.
        end, ended = os.pipe()
        os.set_blocking(ended, False)
        signal.set_wakeup_fd(ended)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: None)
        if until_stdin_closes:
            threading.Thread(target=_wait_for_end_of_stdin, args=(ended,), daemon=True).start()
        if self._state is not None:
            self._state.start_saving(self._application)
        print(json.dumps({"endpoint": self.endpoint}), flush=True)
        os.read(end, 1)
        # Jobs and buffers end while requests are still answered: both write to the sandbox's S3.
        self._application.close()
        server.shutdown()
        answering.join()
        if self._state is not None:
            self._state.stop_saving(self._application)


def _wait_for_end_of_stdin(ended: int) -> None:
    # Not sys.stdin: its lock must be free when the interpreter ends.
    while os.read(0, 1024):
        pass
    os.write(ended, b"\0")


def _request_handler(silence_seconds: float) -> type[Any]:
    from moto.moto_server.werkzeug_app import MotoRequestHandler

    class Handler(MotoRequestHandler):  # type: ignore[misc]  # moto is untyped
        """Answers without delay, and logs failures only."""

        disable_nagle_algorithm = True
        protocol_version = "HTTP/1.1"
        timeout = silence_seconds

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            del size
            if str(code).startswith("5"):
                self.log("error", "%s %s", self.requestline, code)

        def log_error(self, format: str, *args: Any) -> None:  # noqa: A002 the name that http.server gives it
            if not format.startswith("Request timed out"):  # an idle connection is closed, and that is all
                super().log_error(format, *args)

    return Handler


def _client_factory(endpoint: str, user_agent: str) -> Callable[[str, str, str], Any]:
    """`client(service, region, account)`: boto3 on this very server, one client for each."""
    lock = threading.Lock()

    @functools.cache
    def make(service: str, region: str, account: str) -> Any:
        own = {"user_agent_extra": user_agent, "retries": {"total_max_attempts": 1}}
        return make_client(service, region, endpoint, account, **own)

    def client(service: str, region: str, account: str) -> Any:
        with lock:
            return make(service, region, account)

    return client


if __name__ == "__main__":
    main()
