"""A model server's worker: one process that holds a model and answers one request at a time.

The contract with the user's script is that of the SageMaker Inference Toolkit
(https://github.com/aws/sagemaker-inference-toolkit): `model_fn`, `input_fn`, `predict_fn`, `output_fn`, or
`transform_fn` in place of the last three, with the toolkit's defaults.

Run by path, with `-P`, and free of imports from this project, so that the script sees nothing but its container's
packages. Messages go over stdin and stdout: a length-prefixed JSON header, then a length-prefixed body. An answer that
the script yields in parts is as many messages; `more` says that another follows. The worker lives as long as its stdin.
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
from pathlib import Path
from typing import IO, Any, Protocol

JSON, CSV, NPY = "application/json", "text/csv", "application/x-npy"

Message = tuple[dict[str, Any], bytes]


class Readable(Protocol):
    """What messages come from."""

    def read(self, size: int, /) -> bytes:
        """So many bytes at most, none at the end."""


def write_message(stream: IO[bytes], header: dict[str, Any], body: bytes = b"") -> None:
    """Write one message and flush."""
    text = json.dumps(header).encode()
    stream.write(struct.pack(">II", len(text), len(body)) + text + body)
    stream.flush()


def read_message(stream: Readable) -> Message | None:
    """Read one message; None where the other side has ended."""
    lengths = _read(stream, 8)
    if len(lengths) < 8:
        return None
    header_size, body_size = struct.unpack(">II", lengths)
    header, body = _read(stream, header_size), _read(stream, body_size)
    return (json.loads(header), body) if len(header) + len(body) == header_size + body_size else None


def _read(stream: Readable, size: int) -> bytes:
    """So many bytes, or fewer where the other side has ended."""
    found = bytearray()
    while len(found) < size and (more := stream.read(size - len(found))):
        found += more
    return bytes(found)


class UnsupportedFormatError(Exception):
    """A content type that the toolkit's defaults do not know."""

    status_code = 415

    def __init__(self, content_type: str) -> None:
        super().__init__(
            f"Content type {content_type} is not supported by this framework. Please implement input_fn to "
            "deserialize the request data or an output_fn to serialize the response."
        )


def default_input_fn(data: str | bytes, content_type: str) -> Any:
    """The request as a numpy array."""
    import numpy as np

    kind = _media_type(content_type)
    if kind == JSON:
        return np.array(json.loads(data))
    if kind == CSV:
        return np.genfromtxt(io.StringIO(str(data)), delimiter=",")
    if kind == NPY and isinstance(data, bytes):
        return np.load(io.BytesIO(data), allow_pickle=False)  # the toolkit allows pickle: a request could run code
    raise UnsupportedFormatError(content_type)


def default_predict_fn(data: Any, model: Any) -> Any:
    """The model is callable or has `predict`, as in the framework containers."""
    return model.predict(data) if hasattr(model, "predict") else model(data)


def default_output_fn(prediction: Any, accept: str) -> str | bytes:
    """An array-like prediction as JSON, CSV or NPY."""
    import numpy as np

    kind = _media_type(accept)
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


def _media_type(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


class RequestContext:
    """What a function of the script that takes one argument more is given: the request's headers, and the answer's."""

    def __init__(self, model_dir: str, headers: dict[str, str]) -> None:
        self.system_properties = {"model_dir": model_dir, "gpu_id": None}
        self._asked = {name.lower(): value for name, value in headers.items()}
        self.headers: dict[str, str] = {}

    def get_all_request_header(self, _index: int = 0) -> dict[str, str]:
        """Every header of the request."""
        return dict(self._asked)

    def get_request_header(self, _index: int, name: str) -> str | None:
        """One of them."""
        return self._asked.get(name.lower())

    def set_response_header(self, _index: int, name: str, value: str) -> None:
        """A header of the answer."""
        self.headers[name.lower()] = value

    def set_response_content_type(self, _index: int, value: str) -> None:
        """The answer's Content-Type."""
        self.headers["content-type"] = value

    def get_response_content_type(self, _index: int = 0) -> str | None:
        """What it was set to."""
        return self.headers.get("content-type")


class UserModel:
    """The user's functions and the model that they loaded."""

    def __init__(self, script: Any, model_folder: str) -> None:
        if not hasattr(script, "model_fn"):
            raise NotImplementedError(f"{script.__name__}.py has no model_fn(model_dir) to load the model")
        parts = [name for name in ("input_fn", "predict_fn", "output_fn") if hasattr(script, name)]
        if hasattr(script, "transform_fn") and parts:
            raise ValueError(f"{script.__name__}.py: transform_fn cannot be used together with {', '.join(parts)}")
        self._folder = model_folder
        self._input: Callable[..., Any] = getattr(script, "input_fn", default_input_fn)
        self._predict: Callable[..., Any] = getattr(script, "predict_fn", default_predict_fn)
        self._output: Callable[..., Any] = getattr(script, "output_fn", default_output_fn)
        self._transform: Callable[..., Any] | None = getattr(script, "transform_fn", None)
        self._model = _call(script.model_fn, RequestContext(model_folder, {}), model_folder)

    def _answer(self, context: RequestContext, data: str | bytes, content_type: str, accept: str) -> Any:
        if self._transform is not None:
            return _call(self._transform, context, self._model, data, content_type, accept)
        given = _call(self._input, context, data, content_type)
        return _call(self._output, context, _call(self._predict, context, given, self._model), accept)

    def respond(self, body: bytes, headers: dict[str, str]) -> tuple[Any, dict[str, str]]:
        """One request's answer, whole or an iterator over its parts, and its headers.

        The script sees JSON and CSV as text, as in the toolkit.
        """
        content_type, accept = headers.get("content-type", ""), headers.get("accept", "")
        if not accept or accept == "*/*":
            accept = os.environ.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", JSON)
        data = body.decode() if _media_type(content_type) in (JSON, CSV) else body
        context = RequestContext(self._folder, headers)
        result = self._answer(context, data, content_type, accept)
        if isinstance(result, tuple):
            result, accept = result
        return result, _headers({"content-type": accept} | context.headers)


def _headers(given: dict[str, Any]) -> dict[str, str]:
    """Those that say something. Raises ValueError for what HTTP cannot carry."""
    found = {name: str(value) for name, value in given.items() if value is not None}
    for name, value in found.items():
        value.encode("latin-1")
        if not value.isprintable():
            raise ValueError(f"{value!r} cannot be the value of the header {name}")
    return found


def _call(function: Callable[..., Any], context: RequestContext, *given: Any) -> Any:
    """A function of the script's, with the context where it takes one argument more, as the toolkit does."""
    try:
        takes = len(inspect.signature(function).parameters)
    except (TypeError, ValueError):  # it is built in
        takes = len(given)
    return function(*given, context) if takes == len(given) + 1 else function(*given)


def _error(error: Exception) -> dict[str, Any]:
    traceback.print_exc()
    status = getattr(error, "status_code", None)  # as the toolkit's own errors have it
    failed = isinstance(status, int) and 400 <= status < 600
    return {"status": status if failed else 500, "message": str(error) or type(error).__name__}


def _serve(requests: IO[bytes], answers: IO[bytes]) -> None:
    waiting: queue.SimpleQueue[Message] = queue.SimpleQueue()

    def receive() -> None:
        while (message := read_message(requests)) is not None:
            waiting.put(message)
        os._exit(0)  # the server is gone, whatever the model is doing

    threading.Thread(target=receive, daemon=True).start()
    code = Path(os.environ["SAGEMAKER_SUBMIT_DIRECTORY"])
    sys.path.insert(0, str(code))
    try:
        script = importlib.import_module(Path(os.environ["SAGEMAKER_PROGRAM"]).stem)
        model = UserModel(script, os.environ["SM_MODEL_DIR"])
    except Exception as error:  # whatever the user's code raises
        write_message(answers, _error(error))
        return
    write_message(answers, {"status": 200})
    while True:
        header, body = waiting.get()
        try:
            _tell(answers, *model.respond(body, header["headers"]))
        except Exception as error:  # the same
            write_message(answers, _error(error))


def _tell(answers: IO[bytes], result: Any, headers: dict[str, str]) -> None:
    """An answer in one message or, where the script yields it, in parts as they come, and an empty one at the end."""
    begin = {"status": 200, "headers": headers}
    if isinstance(result, Iterator):
        for part in result:
            write_message(answers, begin | {"more": True}, _bytes(part))
        result = b""
    write_message(answers, begin, _bytes(result))


def _bytes(part: Any) -> bytes:
    return part.encode() if isinstance(part, str) else bytes(part)


def main() -> None:
    """Keep stdin and stdout for messages; what the script prints, at any level, goes to stderr."""
    requests = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    _serve(requests, answers)


if __name__ == "__main__":
    main()
