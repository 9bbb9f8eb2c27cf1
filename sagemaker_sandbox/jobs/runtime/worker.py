"""Worker process of a model server: it holds a model and answers one request at a time.

The contract with the user script is that of the SageMaker Inference Toolkit
(https://github.com/aws/sagemaker-inference-toolkit): `model_fn`, `input_fn`, `predict_fn`, `output_fn`, or
`transform_fn` in place of the last three, with the defaults of the toolkit. The server of the XGBoost and scikit-learn
containers is a Flask application (https://github.com/aws/sagemaker-containers). So the response may be a WSGI
application, such as a Flask response, which has its own status.

This file runs by path, with `-P`, and imports nothing from this project but the handlers of a built-in algorithm's
image. Messages use stdin and stdout: a length-prefixed JSON header, then a length-prefixed body. A response in
parts is one message for each part; `more` announces another one. The worker lives as long as its stdin.
"""

import importlib
import inspect
import io
import json
import os
import queue
import struct
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import IO, Any, Protocol
from wsgiref.util import setup_testing_defaults

JSON, CSV, NPY = "application/json", "text/csv", "application/x-npy"

Message = tuple[dict[str, Any], bytes]


class Readable(Protocol):
    """Source of messages."""

    def read(self, size: int, /) -> bytes:
        """Return at most `size` bytes; none at the end."""


def write_message(stream: IO[bytes], header: dict[str, Any], body: bytes = b"") -> None:
    """Write one message and flush."""
    text = json.dumps(header).encode()
    stream.write(struct.pack(">II", len(text), len(body)) + text + body)
    stream.flush()


def read_message(stream: Readable) -> Message | None:
    """Return one message; None if the other side has ended."""
    lengths = _read(stream, 8)
    if len(lengths) < 8:
        return None
    header_size, body_size = struct.unpack(">II", lengths)
    header, body = _read(stream, header_size), _read(stream, body_size)
    return (json.loads(header), body) if len(header) + len(body) == header_size + body_size else None


def _read(stream: Readable, size: int) -> bytes:
    """Return `size` bytes, or fewer if the other side has ended."""
    content = bytearray()
    while len(content) < size and (more := stream.read(size - len(content))):
        content += more
    return bytes(content)


class UnsupportedFormatError(Exception):
    """A content type that the defaults of the toolkit do not support."""

    status_code = 415

    def __init__(self, content_type: str) -> None:
        super().__init__(
            f"Content type {content_type} is not supported by this framework. Please implement input_fn to "
            "deserialize the request data or an output_fn to serialize the response."
        )


class ResponseError(Exception):
    """Response of the script with a status that reports an error."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status_code = status


def _run_application(application: Any) -> tuple[bytes, dict[str, str]]:
    """Return the body and the headers of a WSGI application's response. Raises ResponseError for a status of errors."""
    environ: dict[str, Any] = {"REQUEST_METHOD": "POST", "PATH_INFO": "/invocations"}
    setup_testing_defaults(environ)
    status, headers = 200, {}

    def start_response(status_line: str, fields: list[tuple[str, str]], _error: Any = None) -> None:
        nonlocal status, headers
        status, headers = int(status_line.split()[0]), {name.lower(): value for name, value in fields}

    body = b"".join(application(environ, start_response))
    if status >= 400:
        raise ResponseError(status, body.decode(errors="replace"))
    headers.pop("content-length", None)
    return body, headers


def default_input_fn(data: str | bytes, content_type: str) -> Any:
    """Return the request as a numpy array. A single row becomes a matrix, as in the scikit-learn container."""
    array = _decode_array(data, content_type)
    return array.reshape(1, -1) if array.ndim == 1 and array.dtype.names is None else array


def _decode_array(data: str | bytes, content_type: str) -> Any:
    import numpy as np

    kind = _get_media_type(content_type)
    if kind == JSON:
        return np.array(json.loads(data))
    if kind == CSV:
        return np.genfromtxt(io.StringIO(str(data)), delimiter=",")
    if kind == NPY and isinstance(data, bytes):
        return np.load(
            io.BytesIO(data), allow_pickle=False
        )  # unlike the toolkit, without pickle: a request could run code
    raise UnsupportedFormatError(content_type)


def default_predict_fn(data: Any, model: Any) -> Any:
    """Call the model or its `predict` method, as the framework containers do."""
    return model.predict(data) if hasattr(model, "predict") else model(data)


def default_output_fn(prediction: Any, accept: str) -> str | bytes:
    """Return an array-like prediction as JSON, CSV or NPY."""
    import numpy as np

    kind = _get_media_type(accept)
    if kind == JSON:
        return json.dumps(prediction, default=lambda value: value.tolist())
    if kind == CSV:
        text = io.StringIO()
        np.savetxt(text, np.atleast_1d(prediction), delimiter=",", fmt="%s")
        return text.getvalue()
    if kind == NPY:
        array = io.BytesIO()
        np.save(array, prediction)
        return array.getvalue()
    raise UnsupportedFormatError(accept)


def _get_media_type(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


class RequestContext:
    """Context of a request for script functions with one more parameter: request and response headers."""

    def __init__(self, model_dir: str, headers: dict[str, str]) -> None:
        self.system_properties = {"model_dir": model_dir, "gpu_id": None}
        self._request_headers = {name.lower(): value for name, value in headers.items()}
        self.headers: dict[str, str] = {}

    def get_all_request_header(self, _index: int = 0) -> dict[str, str]:
        """Return all headers of the request."""
        return dict(self._request_headers)

    def get_request_header(self, _index: int, name: str) -> str | None:
        """Return one header of the request."""
        return self._request_headers.get(name.lower())

    def set_response_header(self, _index: int, name: str, value: str) -> None:
        """Set a header of the response."""
        self.headers[name.lower()] = value

    def set_response_content_type(self, _index: int, value: str) -> None:
        """Set the Content-Type of the response."""
        self.headers["content-type"] = value

    def get_response_content_type(self, _index: int = 0) -> str | None:
        """Return the Content-Type that was set."""
        return self.headers.get("content-type")


class BuiltInScript:
    """Handlers of a built-in algorithm, in the form of a user script."""

    def __init__(self, handlers: Any) -> None:
        self.model_fn = handlers.load_built_in_model
        self.transform_fn = handlers.transform_built_in


class UserModel:
    """The functions of the user script, and the model that they loaded.

    Where the script lacks a function, the image's own default takes its place, if it has one.
    """

    def __init__(self, script: Any, model_folder: str) -> None:
        if not hasattr(script, "model_fn"):
            raise NotImplementedError(f"{script.__name__}.py has no model_fn(model_dir) to load the model")
        parts = [name for name in ("input_fn", "predict_fn", "output_fn") if hasattr(script, name)]
        if hasattr(script, "transform_fn") and parts:
            raise ValueError(f"{script.__name__}.py: transform_fn cannot be used together with {', '.join(parts)}")
        self._folder = model_folder
        self._input = _find_function(script, "input_fn", default_input_fn)
        self._predict = _find_function(script, "predict_fn", default_predict_fn)
        self._output: Callable[..., Any] = getattr(script, "output_fn", default_output_fn)
        #: Content type of the response to a request without Accept. A built-in algorithm has its own.
        self._default_accept = "" if isinstance(script, BuiltInScript) else JSON
        self._transform: Callable[..., Any] | None = getattr(script, "transform_fn", None)
        self._model = _call(script.model_fn, RequestContext(model_folder, {}), model_folder)

    def _run_functions(self, context: RequestContext, data: str | bytes, content_type: str, accept: str) -> Any:
        if self._transform is not None:
            return _call(self._transform, context, self._model, data, content_type, accept)
        model_input = _call(self._input, context, data, content_type)
        return _call(self._output, context, _call(self._predict, context, model_input, self._model), accept)

    def respond(self, body: bytes, headers: dict[str, str]) -> tuple[Any, dict[str, str]]:
        """Return the response to one request, whole or as an iterator of parts, and its headers.

        The script receives JSON and CSV as text, as in the toolkit.
        """
        content_type, accept = headers.get("content-type", ""), headers.get("accept", "")
        if not accept or accept == "*/*":
            accept = os.environ.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", self._default_accept)
        data = body.decode() if _get_media_type(content_type) in (JSON, CSV) else body
        context = RequestContext(self._folder, headers)
        result = self._run_functions(context, data, content_type, accept)
        if isinstance(result, tuple):
            result, accept = result
        if callable(result):
            return _run_application(result)
        return result, _format_headers({"content-type": accept} | context.headers)


def _format_headers(headers: dict[str, Any]) -> dict[str, str]:
    """Return the headers that have a value. Raises ValueError for values that HTTP cannot carry."""
    formatted = {name: str(value) for name, value in headers.items() if value is not None}
    for name, value in formatted.items():
        value.encode("latin-1")
        if not value.isprintable():
            raise ValueError(f"{value!r} cannot be the value of the header {name}")
    return formatted


def _call(function: Callable[..., Any], context: RequestContext, *arguments: Any) -> Any:
    """Call a function of the script. It also receives the context if it has one more parameter, as in the toolkit."""
    try:
        parameter_count = len(inspect.signature(function).parameters)
    except (TypeError, ValueError):  # a built-in function
        parameter_count = len(arguments)
    return function(*arguments, context) if parameter_count == len(arguments) + 1 else function(*arguments)


def _build_error(error: Exception) -> dict[str, Any]:
    if not isinstance(error, ResponseError):
        traceback.print_exc()
    status = getattr(error, "status_code", None)  # attribute of errors of the toolkit
    has_status = isinstance(status, int) and 400 <= status < 600
    return {"status": status if has_status else 500, "message": str(error) or type(error).__name__}


def _serve(requests: IO[bytes], responses: IO[bytes]) -> None:
    messages: queue.SimpleQueue[Message] = queue.SimpleQueue()

    def receive() -> None:
        while (message := read_message(requests)) is not None:
            messages.put(message)
        os._exit(0)  # the server has ended

    threading.Thread(target=receive, daemon=True).start()
    try:
        model = UserModel(_import_script(), os.environ["SM_MODEL_DIR"])
    except Exception as error:  # any error of user code
        write_message(responses, _build_error(error))
        return
    write_message(responses, {"status": 200})
    while True:
        header, body = messages.get()
        try:
            _write_response(responses, *model.respond(body, header["headers"]))
        except Exception as error:  # any error of user code
            write_message(responses, _build_error(error))


@cache
def _import_handlers() -> Any:
    """Return the module with the handlers of a built-in algorithm's image, or None for another image."""
    if "SANDBOX_HANDLERS" not in os.environ:
        return None
    sys.path.append(str(Path(__file__).parents[1] / "algorithms"))
    return importlib.import_module(os.environ["SANDBOX_HANDLERS"])


def _import_script() -> Any:
    """Return the module of the user, or the handlers of the built-in algorithm if the model has no script."""
    if "SAGEMAKER_PROGRAM" not in os.environ:
        return BuiltInScript(_import_handlers())
    sys.path.insert(0, str(Path(os.environ["SAGEMAKER_SUBMIT_DIRECTORY"])))
    return importlib.import_module(Path(os.environ["SAGEMAKER_PROGRAM"]).stem)


def _find_function(script: Any, name: str, default: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function of the script, or the image's own default, or `default`.

    A script with all functions needs no handlers of the image, whose import takes time.
    """
    function: Callable[..., Any] | None = getattr(script, name, None)
    if function is None and not hasattr(script, "transform_fn"):
        function = getattr(_import_handlers(), f"default_{name}", None)
    return function or default


def _write_response(responses: IO[bytes], result: Any, headers: dict[str, str]) -> None:
    """Write a response as one message, or in parts followed by an empty message."""
    header = {"status": 200, "headers": headers}
    if isinstance(result, Iterator):
        for part in result:
            write_message(responses, header | {"more": True}, _to_bytes(part))
        result = b""
    write_message(responses, header, _to_bytes(result))


def _to_bytes(part: Any) -> bytes:
    return part.encode() if isinstance(part, str) else bytes(part)


def main() -> None:
    """Reserve stdin and stdout for messages. All output of the script goes to stderr."""
    requests = os.fdopen(os.dup(0), "rb")
    responses = os.fdopen(os.dup(1), "wb")
    null_device = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null_device, 0)
    os.dup2(2, 1)
    _serve(requests, responses)


if __name__ == "__main__":
    main()
