"""The sandbox's server process: one port, SageMaker's requests to this package, all others to moto."""

import argparse
import errno
import functools
import io
import json
import os
import re
import signal
import socket
import tempfile
import threading
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from werkzeug import Request, Response

from sustainable_mlops.errors import UserError
from sustainable_mlops.sandbox import accounts
from sustainable_mlops.sandbox.client import make_client
from sustainable_mlops.sandbox.context import DEFAULT_ACCOUNT, DEFAULT_REGION, Context
from sustainable_mlops.sandbox.persistence import State
from sustainable_mlops.sandbox.retries import Answers

HOST = "127.0.0.1"
#: Credential=<key>/<date>/<region>/<service>/aws4_request
_SCOPE = re.compile(r"Credential=[^/]+/\d+/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request")


class Application:
    """The WSGI application. Its parts are imported here, so that a port in use is told before they load."""

    def __init__(self, context: Context) -> None:
        from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

        from sustainable_mlops.sandbox import moto_gaps
        from sustainable_mlops.sandbox.control import Control
        from sustainable_mlops.sandbox.featurestore.store import FeatureStore
        from sustainable_mlops.sandbox.plane.api import TARGET, Api
        from sustainable_mlops.sandbox.plane.control_plane import ControlPlane

        moto_gaps.close_all()
        self.restored_services: set[str] = set()
        self.sagemaker = ControlPlane(context)
        self._api = Api(self.sagemaker, self._of_moto)
        self._target, self._feature_store = TARGET, FeatureStore
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._answers = Answers()
        self._control = Control(context, self.sagemaker, self.moto_services)

    def moto_services(self) -> list[str]:
        """moto's names of the services that may hold something: those asked for anything, or brought back."""
        asked = set(self._moto.app_instances) - {"moto_api", "instance_metadata"}
        return sorted(asked | self.restored_services)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        try:
            return self._answer(Request(environ))(environ, start_response)
        except Exception as error:  # Whatever moto or the sandbox trips over: a 500 would be retried for minutes.
            traceback.print_exc()
            return _not_implemented(Request(environ), error)(environ, start_response)

    def _answer(self, request: Request) -> Callable[[dict[str, Any], Any], Iterable[bytes]]:
        """The application that has the answer: a response, or moto."""
        if request.path.startswith("/_sandbox/"):
            return self._control.respond(request)
        scope = _SCOPE.search(request.headers.get("Authorization", ""))
        signed_for_sagemaker = scope is not None and scope["service"] == "sagemaker"
        if signed_for_sagemaker or request.headers.get("X-Amz-Target", "").startswith(self._target):
            region = scope["region"] if scope else DEFAULT_REGION
            account = accounts.account_of(request.headers)
            return self._answers.of(request, lambda: self._api.respond(request, account, region))
        if request.method in ("GET", "DELETE") and scope is not None and scope["service"] == "s3":
            # Whoever looks into a bucket sees every record that was put before.
            self._flush(bucket=request.path.split("/")[1])
        moto: Callable[[dict[str, Any], Any], Iterable[bytes]] = self._moto
        if request.method == "POST" and request.mimetype == "application/x-www-form-urlencoded":
            return self._answers.of(request, lambda: self._of_moto(request))
        return moto

    def _of_moto(self, request: Request) -> Response:
        """moto's whole answer; the request's body may have been read already."""
        environ = request.environ | {"wsgi.input": io.BytesIO(request.get_data())}
        return Response.from_app(self._moto, environ, buffered=True)

    def _flush(self, bucket: str) -> None:
        for parts in self.sagemaker:
            parts.of(self._feature_store).flush(bucket)


def _not_implemented(request: Request, error: Exception) -> Response:
    """501, which no SDK retries, in the form that the request's protocol has for errors."""
    reason = f"the sandbox cannot answer {request.method} {request.full_path}: {type(error).__name__}: {error}"
    if "json" in request.headers.get("Content-Type", ""):
        body, content_type = json.dumps({"__type": "NotImplemented", "message": reason}), "application/json"
    else:
        details = f"<Code>NotImplemented</Code><Message>{escape(reason)}</Message>"
        root = "<Error>{}</Error>" if request.method != "POST" else "<ErrorResponse><Error>{}</Error></ErrorResponse>"
        body, content_type = root.format(details), "application/xml"
    return Response(body, status=501, content_type=content_type, headers={"x-amzn-ErrorType": "NotImplemented"})


def main() -> None:
    """Serve until SIGTERM or SIGINT or, with --until-stdin-closes, until the parent process is gone.

    The first line on stdout is JSON: the endpoint once requests are answered, or the error that prevents it.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--state", type=Path)
    parser.add_argument("--account", default=DEFAULT_ACCOUNT)
    parser.add_argument("--until-stdin-closes", action="store_true")
    arguments = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory(prefix="sandbox-") as scratch, _bind(arguments.port) as listener:
            server = Server(listener, Path(scratch), arguments.state, arguments.account)
            server.serve(until_stdin_closes=arguments.until_stdin_closes)
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
    listener.listen(128)
    return listener


class Server:
    """One listening socket and what answers on it. Raises UserError where the state cannot be read."""

    def __init__(self, listener: socket.socket, scratch: Path, state: Path | None, account: str) -> None:
        self.endpoint = f"http://{HOST}:{listener.getsockname()[1]}"
        self._listener = listener
        self._state = State(state, account) if state is not None else None
        accounts.set_default(account)
        context = Context(client=_client_factory(self.endpoint), folder=scratch, account_id=account)
        self._application = Application(context)
        if self._state is not None:
            self._application.restored_services = self._state.restore(self._application.sagemaker)

    def serve(self, *, until_stdin_closes: bool) -> None:
        """Answer requests until told to stop."""
        from werkzeug.serving import make_server

        handler, descriptor = _request_handler(), self._listener.fileno()
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
        print(json.dumps({"endpoint": self.endpoint}), flush=True)
        os.read(end, 1)
        # Jobs and buffers end while requests are still answered: both write to the sandbox's S3.
        self._application.sagemaker.close()
        server.shutdown()
        answering.join()
        if self._state is not None:
            self._state.save(self._application.sagemaker, self._application.moto_services())


def _wait_for_end_of_stdin(ended: int) -> None:
    # Not sys.stdin: its lock must be free when the interpreter ends.
    while os.read(0, 1024):
        pass
    os.write(ended, b"\0")


def _request_handler() -> type[Any]:
    from moto.moto_server.werkzeug_app import MotoRequestHandler

    class Handler(MotoRequestHandler):  # type: ignore[misc]  # moto is untyped
        """Answers without delay, and logs failures only."""

        disable_nagle_algorithm = True
        protocol_version = "HTTP/1.1"

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            del size
            if str(code).startswith("5"):
                self.log("error", "%s %s", self.requestline, code)

    return Handler


def _client_factory(endpoint: str) -> Callable[[str, str, str], Any]:
    """`client(service, region, account)`: boto3 on this very server, one client for each."""
    lock = threading.Lock()

    @functools.cache
    def make(service: str, region: str, account: str) -> Any:
        return make_client(service, region, endpoint, account, retries={"total_max_attempts": 1})

    def client(service: str, region: str, account: str) -> Any:
        with lock:
            return make(service, region, account)

    return client


if __name__ == "__main__":
    main()
