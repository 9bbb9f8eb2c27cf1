#!/usr/bin/env python3
"""The server of the image in Containerfile: SageMaker's contract, on top of the four functions of a serving script.

SageMaker starts `serve`, sends GET /ping until the response is 200, and sends requests to POST /invocations, on port
8080. The model package names the serving script and its folder (SAGEMAKER_PROGRAM, SAGEMAKER_SUBMIT_DIRECTORY).
https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html
"""

import importlib
import os
import signal
import sys
import threading
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import ModuleType
from typing import Any


def import_script() -> ModuleType:
    """Import the serving script."""
    sys.path.insert(0, os.environ.get("SAGEMAKER_SUBMIT_DIRECTORY", "/opt/ml/model/code"))
    return importlib.import_module(os.environ.get("SAGEMAKER_PROGRAM", "inference.py").removesuffix(".py"))


def make_server(code: ModuleType, model_dir: str, port: int) -> ThreadingHTTPServer:
    """Return a server with its model loaded, so that it is healthy as soon as it responds."""
    model = code.model_fn(model_dir)
    lock = threading.Lock()  # two concurrent requests are not faster, neither on a chip nor on a CPU

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._respond(200 if self.path == "/ping" else 404, b"", "text/plain")

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if self.path != "/invocations":
                self._respond(404, b"", "text/plain")
                return
            try:
                request = code.input_fn(body, self.headers.get("Content-Type", "application/json"))
                with lock:
                    prediction = code.predict_fn(request, model)
                text, kind = code.output_fn(prediction, self.headers.get("Accept", "*/*"))
            except ValueError as error:  # InputError is one: report the invalid request to the client
                self._respond(400, str(error).encode(), "text/plain")
            except Exception:
                traceback.print_exc()
                self._respond(500, b"the model failed on this request; see its log", "text/plain")
            else:
                self._respond(200, text.encode() if isinstance(text, str) else text, kind)

        def _respond(self, status: int, body: bytes, kind: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_request(self, code: Any = "-", size: Any = "-") -> None:
            """Log nothing: one log line per request costs more than the prediction."""

    return ThreadingHTTPServer(("", port), Handler)


def main() -> None:
    """Serve until SIGTERM."""
    server = make_server(import_script(), "/opt/ml/model", int(os.environ.get("SAGEMAKER_BIND_TO_PORT", "8080")))
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    server.serve_forever()


if __name__ == "__main__":
    main()
