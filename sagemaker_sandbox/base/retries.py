"""Cache of responses for clients that retry after they lost a response.

The client receives the response that it lost, and nothing is done twice. SDKs send an ID with each call, which all of
its attempts share, and number the attempts (see `handlers.py` of botocore). On a busy computer the AWS provider of
Terraform sent 14 of 18,335 calls again, because it had closed the connection before it read the response. Without this
cache, the second attempt of a creation finds its own resource, and is refused.
"""

import re
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future

from werkzeug import Request, Response

_CALL_HEADER, _ATTEMPT_HEADER = "amz-sdk-invocation-id", "amz-sdk-request"
_READS = ("GET", "HEAD")
_FIRST_ATTEMPT = re.compile(r"attempt=1\b|$")
_MAX_CALLS = 512
#: Largest cached response, in bytes. Responses to changes are short, and a read can be repeated.
_MAX_BYTES = 2**16


class ResponseCache:
    """The latest responses of successful calls by call ID, and the calls in progress."""

    def __init__(self) -> None:
        self._responses: OrderedDict[str, Future[Response | None]] = OrderedDict()
        self._lock = threading.Lock()

    def respond_once(self, request: Request, respond: Callable[[], Response]) -> Response:
        """Return the response of an earlier successful attempt of the call, else that of `respond()`."""
        call, is_first = (
            request.headers.get(_CALL_HEADER, ""),
            _FIRST_ATTEMPT.match(request.headers.get(_ATTEMPT_HEADER, "")),
        )
        if not call or request.method in _READS:
            return respond()
        with self._lock:
            earlier = None if is_first else self._responses.get(call)
        if earlier is not None and (response := earlier.result()) is not None:
            return response
        return self._respond(call, respond)

    def _respond(self, call: str, respond: Callable[[], Response]) -> Response:
        """Return the response of `respond`. Later attempts of the call wait for it and receive it."""
        future: Future[Response | None] = Future()
        with self._lock:
            self._responses[call] = future
            if len(self._responses) > _MAX_CALLS:
                self._responses.popitem(last=False)
        response = None
        try:
            response = respond()
            return response
        finally:
            is_successful = response is not None and response.status_code < 300 and not response.is_streamed
            is_cacheable = response is not None and is_successful and len(response.data) <= _MAX_BYTES
            future.set_result(response if is_cacheable else None)
