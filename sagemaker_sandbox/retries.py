"""A client that has lost an answer asks again: it gets the answer that it lost, and nothing is done twice.

SDKs give each call an id, which all its attempts carry, and count these (botocore's `handlers.py` does). Without
this, a deletion that is asked for twice is refused, as the first is under way.
"""

import re
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future

from werkzeug import Request, Response

_CALL, _ATTEMPT = "amz-sdk-invocation-id", "amz-sdk-request"
_FIRST = re.compile(r"attempt=1\b|$")
_MOST = 512
#: A longer answer is kept for nobody, in bytes: what changes something answers in few, what is read can be read again.
_LONGEST = 2**16


class Answers:
    """The latest answers to calls that succeeded, by the call's id, and those that are being made."""

    def __init__(self) -> None:
        self._given: OrderedDict[str, Future[Response | None]] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, request: Request, answer: Callable[[], Response]) -> Response:
        """The answer to `request`: that of an earlier attempt of the call, if it succeeds, else `answer()`."""
        call, first = request.headers.get(_CALL, ""), _FIRST.match(request.headers.get(_ATTEMPT, ""))
        if not call:
            return answer()
        with self._lock:
            earlier = None if first else self._given.get(call)
        if earlier is not None and (given := earlier.result()) is not None:
            return given
        return self._answer(call, answer)

    def _answer(self, call: str, answer: Callable[[], Response]) -> Response:
        """What `answer` gives, kept for later attempts of the call, which wait for it."""
        coming: Future[Response | None] = Future()
        with self._lock:
            self._given[call] = coming
            if len(self._given) > _MOST:
                self._given.popitem(last=False)
        found = None
        try:
            found = answer()
            return found
        finally:
            whole = found is not None and found.status_code < 300 and not found.is_streamed
            kept = found is not None and whole and len(found.data) <= _LONGEST
            coming.set_result(found if kept else None)
