"""Streaming responses in the AWS event stream format (application/vnd.amazon.eventstream)."""

import json
import traceback
from collections.abc import Iterator

from sagemaker_sandbox.jobs.runtime.container_invocation import ModelError


def encode_events(parts: Iterator[bytes]) -> Iterator[bytes]:
    """Yield a PayloadPart event for each part. If the model fails, yield an error event last."""
    from moto.core.eventstream import EventStreamEncoder

    encode = EventStreamEncoder().encode_message
    try:
        for part in parts:
            headers = {":message-type": "event", ":event-type": "PayloadPart"}
            yield encode(headers | {":content-type": "application/octet-stream"}, part)
    except ModelError as error:
        payload = {"Message": error.message, "ErrorCode": error.code}
        yield encode(_build_error_headers("ModelStreamError"), json.dumps(payload).encode())
    except Exception as error:  # the response has started: only an event can report the error
        traceback.print_exc()
        payload = {"Message": f"{type(error).__name__}: {error}"}
        yield encode(_build_error_headers("InternalStreamFailure"), json.dumps(payload).encode())
    finally:
        close = getattr(parts, "close", None)
        if close is not None:
            close()


def _build_error_headers(kind: str) -> dict[str, str]:
    return {":message-type": "exception", ":exception-type": kind, ":content-type": "application/json"}
