#!/usr/bin/env python3
"""The server of the image in Containerfile: SageMaker's contract, over the four functions of a serving script.

SageMaker starts `serve`, asks GET /ping until it answers 200, and sends requests to POST /invocations, on port 8080.
Which script serves, and where it lies, a model package says (SAGEMAKER_PROGRAM, SAGEMAKER_SUBMIT_DIRECTORY).
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


def script() -> ModuleType:
    """The serving script."""
    sys.path.insert(0, os.environ.get("SAGEMAKER_SUBMIT_DIRECTORY", "/opt/ml/model/code"))
    return importlib.import_module(os.environ.get("SAGEMAKER_PROGRAM", "inference.py").removesuffix(".py"))


def server(code: ModuleType, model_dir: str, port: int) -> ThreadingHTTPServer:
    """A server whose model is loaded, so that it is well as soon as it answers."""
    model = code.model_fn(model_dir)
    one_at_a_time = threading.Lock()  # a chip, or the processor, is not faster for two

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer(200 if self.path == "/ping" else 404, b"", "text/plain")

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if self.path != "/invocations":
                self._answer(404, b"", "text/plain")
                return
            try:
                request = code.input_fn(body, self.headers.get("Content-Type", "application/json"))
                with one_at_a_time:
                    found = code.predict_fn(request, model)
                text, kind = code.output_fn(found, self.headers.get("Accept", "*/*"))
            except ValueError as error:  # InputError is one: the caller's mistake, told to him
                self._answer(400, str(error).encode(), "text/plain")
            except Exception:
                traceback.print_exc()
                self._answer(500, b"the model failed on this request; its log says why", "text/plain")
            else:
                self._answer(200, text.encode() if isinstance(text, str) else text, kind)

        def _answer(self, status: int, body: bytes, kind: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_request(self, code: Any = "-", size: Any = "-") -> None:
            """Nothing: a log line a request costs more than the prediction."""

    return ThreadingHTTPServer(("", port), Handler)


def main() -> None:
    """Serves until SIGTERM."""
    running = server(script(), "/opt/ml/model", int(os.environ.get("SAGEMAKER_BIND_TO_PORT", "8080")))
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=running.shutdown).start())
    running.serve_forever()


if __name__ == "__main__":
    main()
