"""A model server's worker: one process that holds a model and answers one request at a time.

The contract with the user's script is that of the SageMaker Inference Toolkit
(https://github.com/aws/sagemaker-inference-toolkit): `model_fn`, `input_fn`, `predict_fn`, `output_fn`, or
`transform_fn` in place of the last three, with the toolkit's defaults.

Run by path, with `-P`, and free of imports from this project, so that the script sees nothing but its container's
packages. Messages go over stdin and stdout: a length-prefixed JSON header, then a length-prefixed body. The worker
lives as long as its stdin.
"""

import importlib
import io
import json
import os
import queue
import struct
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

JSON, CSV, NPY = "application/json", "text/csv", "application/x-npy"

Message = tuple[dict[str, Any], bytes]


def write_message(stream: IO[bytes], header: dict[str, Any], body: bytes = b"") -> None:
    """Write one message and flush."""
    text = json.dumps(header).encode()
    stream.write(struct.pack(">II", len(text), len(body)) + text + body)
    stream.flush()


def read_message(stream: IO[bytes]) -> Message | None:
    """Read one message; None where the other side has ended."""
    lengths = stream.read(8)
    if len(lengths) < 8:
        return None
    header_size, body_size = struct.unpack(">II", lengths)
    content = stream.read(header_size + body_size)
    if len(content) < header_size + body_size:
        return None
    return json.loads(content[:header_size]), content[header_size:]


class UnsupportedFormatError(Exception):
    """A content type that the toolkit's defaults do not know; answered with status 415."""

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


class Model:
    """The user's functions and the model that they loaded."""

    def __init__(self, script: Any, model_folder: str) -> None:
        if not hasattr(script, "model_fn"):
            raise NotImplementedError(f"{script.__name__}.py has no model_fn(model_dir) to load the model")
        parts = [name for name in ("input_fn", "predict_fn", "output_fn") if hasattr(script, name)]
        if hasattr(script, "transform_fn") and parts:
            raise ValueError(f"{script.__name__}.py: transform_fn cannot be used together with {', '.join(parts)}")
        self._input: Callable[..., Any] = getattr(script, "input_fn", default_input_fn)
        self._predict: Callable[..., Any] = getattr(script, "predict_fn", default_predict_fn)
        self._output: Callable[..., Any] = getattr(script, "output_fn", default_output_fn)
        self._transform: Callable[..., Any] = getattr(script, "transform_fn", self._steps)
        self._model = script.model_fn(model_folder)

    def _steps(self, model: Any, data: str | bytes, content_type: str, accept: str) -> Any:
        return self._output(self._predict(self._input(data, content_type), model), accept)

    def answer(self, body: bytes, content_type: str, accept: str) -> tuple[bytes, str]:
        """One request's answer and its content type; the script sees JSON and CSV as text, as in the toolkit."""
        if not accept or accept == "*/*":
            accept = os.environ.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", JSON)
        data = body.decode() if _media_type(content_type) in (JSON, CSV) else body
        result = self._transform(self._model, data, content_type, accept)
        if isinstance(result, tuple):
            result, accept = result
        return result.encode() if isinstance(result, str) else bytes(result), accept


def _error(error: Exception) -> dict[str, Any]:
    traceback.print_exc()
    status = 415 if isinstance(error, UnsupportedFormatError) else 500
    return {"status": status, "message": str(error) or type(error).__name__}


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
        model = Model(script, os.environ["SM_MODEL_DIR"])
    except Exception as error:  # whatever the user's code raises
        write_message(answers, _error(error))
        return
    write_message(answers, {"status": 200})
    while True:
        header, body = waiting.get()
        try:
            answer, content_type = model.answer(body, header["content_type"], header["accept"])
        except Exception as error:  # the same
            write_message(answers, _error(error))
        else:
            write_message(answers, {"status": 200, "content_type": content_type}, answer)


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
