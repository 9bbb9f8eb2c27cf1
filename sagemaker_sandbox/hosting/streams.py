"""An answer in parts as AWS's event stream (application/vnd.amazon.eventstream)."""

import json
import traceback
from collections.abc import Iterator

from sagemaker_sandbox.runtime.container_invocation import ModelError


def encode_events(parts: Iterator[bytes]) -> Iterator[bytes]:
    """A PayloadPart for each part; the error's event where the model fails on the way."""
    from moto.core.eventstream import EventStreamEncoder

    encode = EventStreamEncoder().encode_message
    try:
        for part in parts:
            headers = {":message-type": "event", ":event-type": "PayloadPart"}
            yield encode(headers | {":content-type": "application/octet-stream"}, part)
    except ModelError as error:
        told = {"Message": error.message, "ErrorCode": error.code}
        yield encode(_failure("ModelStreamError"), json.dumps(told).encode())
    except Exception as error:  # the answer has begun: this is the only way to say so
        traceback.print_exc()
        told = {"Message": f"{type(error).__name__}: {error}"}
        yield encode(_failure("InternalStreamFailure"), json.dumps(told).encode())
    finally:
        close = getattr(parts, "close", None)
        if close is not None:
            close()


def _failure(kind: str) -> dict[str, str]:
    return {":message-type": "exception", ":exception-type": kind, ":content-type": "application/json"}
