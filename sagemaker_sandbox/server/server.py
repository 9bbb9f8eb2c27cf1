"""The sandbox's server process: it listens on one port, saves the state, and ends everything that it started."""

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

from sagemaker_sandbox.base import accounts, scratch
from sagemaker_sandbox.base.client import (
    INTERNAL_READ_SECONDS,
    INTERNAL_USER_AGENT,
    build_connection_variables,
    make_client,
)
from sagemaker_sandbox.base.clock import Clock
from sagemaker_sandbox.base.context import DEFAULT_ACCOUNT, SandboxContext
from sagemaker_sandbox.connections.certificates import CertificateAuthority
from sagemaker_sandbox.jobs.runtime.visible_paths import show_file
from sagemaker_sandbox.server.persistence import StateFolder
from sustainable_mlops.base.errors import UserError

HOST = "127.0.0.1"
#: Longest pause within a request, and longest idle time of a connection, in seconds. It is longer than the minute
#: between the requests of tasks that run each minute.
SILENCE_SECONDS = 75.0


def main() -> None:
    """Serve until SIGTERM or SIGINT or, with --until-stdin-closes, until the parent process ends.

    The first line on stdout is JSON: the endpoint and the path of the certificates when the server is ready, or the
    error that prevents the start.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--state", type=Path)
    parser.add_argument("--account", default=DEFAULT_ACCOUNT)
    parser.add_argument("--time-scale", type=float, default=1.0)
    parser.add_argument("--enforce-iam", action="store_true")
    parser.add_argument("--until-stdin-closes", action="store_true")
    parser.add_argument("--silence-seconds", type=float, default=SILENCE_SECONDS)
    arguments = parser.parse_args()
    try:
        with scratch.open_folder() as folder, _bind(arguments.port) as listener:
            server = Server(
                listener,
                folder,
                arguments.state,
                arguments.account,
                arguments.time_scale,
                enforces_iam=arguments.enforce_iam,
            )
            server.serve(until_stdin_closes=arguments.until_stdin_closes, silence_seconds=arguments.silence_seconds)
    except UserError as error:
        print(json.dumps({"error": str(error)}), flush=True)
        raise SystemExit(2) from None
    # Everything is closed and saved. An ordinary exit would spend seconds on the release of moto's modules.
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
            f"sandbox: port {port} of {HOST} {reason}; choose another with --port, or omit the option"
        ) from None
    listener.listen(1024)  # tests send hundreds of requests at the same time
    return listener


class Server:
    """One listening socket and the application behind it. Raises UserError if the state cannot be read."""

    def __init__(
        self,
        listener: socket.socket,
        folder: Path,
        state: Path | None,
        account: str,
        time_scale: float,
        *,
        enforces_iam: bool,
    ) -> None:
        self.endpoint = f"http://{HOST}:{listener.getsockname()[1]}"
        self._listener = listener
        self._state = StateFolder(state, account) if state is not None else None
        accounts.set_default_account(account)
        # Imported here: a port in use is reported before these modules load.
        from sagemaker_sandbox.server.application import Application

        self._ca_bundle = folder / "certificates.pem"
        self._certificates = CertificateAuthority(self._ca_bundle)
        show_file(self._ca_bundle)
        context = SandboxContext(
            client=_create_client_factory(self.endpoint, INTERNAL_USER_AGENT),
            customer_client=_create_client_factory(self.endpoint, ""),
            folder=folder,
            account_id=account,
            clock=Clock(time_scale),
            variables=build_connection_variables(self.endpoint, str(self._ca_bundle)),
            enforces_iam=enforces_iam,
        )
        self._application = Application(context)
        if self._state is not None:
            self._state.restore(self._application)

    def serve(self, *, until_stdin_closes: bool, silence_seconds: float) -> None:
        """Handle requests until a signal or the end of stdin."""
        from werkzeug.serving import make_server

        from sagemaker_sandbox.connections.handler import create_request_handler

        handler, descriptor = create_request_handler(silence_seconds, self._certificates), self._listener.fileno()
        server = make_server(HOST, 0, self._application, threaded=True, request_handler=handler, fd=descriptor)

        # A daemon thread, so that a failure here ends the process.
        server_thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        server_thread.start()
        # The kernel may deliver a signal to any thread, but Python runs handlers in the main thread only, and an Event
        # would not wake that thread. The interpreter writes a byte to this pipe, which does.
        end_reader, end_writer = os.pipe()
        os.set_blocking(end_writer, False)
        signal.set_wakeup_fd(end_writer)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: None)
        if until_stdin_closes:
            threading.Thread(target=_wait_for_end_of_stdin, args=(end_writer,), daemon=True).start()
        if self._state is not None:
            self._state.start_saving(self._application)
        print(json.dumps({"endpoint": self.endpoint, "ca_bundle": str(self._ca_bundle)}), flush=True)
        os.read(end_reader, 1)
        # Jobs and buffers write to the sandbox's S3, so they end while it still handles requests.
        self._application.close()
        server.shutdown()
        server_thread.join()
        if self._state is not None:
            self._state.stop_saving(self._application)


def _wait_for_end_of_stdin(end_writer: int) -> None:
    # Not sys.stdin: its lock must be free when the interpreter ends.
    while os.read(0, 1024):
        pass
    os.write(end_writer, b"\0")


def _create_client_factory(endpoint: str, user_agent: str) -> Callable[[str, str, str], Any]:
    """Return `client(service, region, account)`: a cached boto3 client of this server."""
    lock = threading.Lock()

    @functools.cache
    def create(service: str, region: str, account: str) -> Any:
        config = {
            "user_agent_extra": user_agent,
            "retries": {"total_max_attempts": 1},
            "read_timeout": INTERNAL_READ_SECONDS,
        }
        return make_client(service, region, endpoint, account, **config)

    def client(service: str, region: str, account: str) -> Any:
        with lock:
            return create(service, region, account)

    return client


if __name__ == "__main__":
    main()
