"""A client that has lost an answer asks again: it gets the answer that it lost, and nothing is done twice.

SDKs give each call an id, which all its attempts carry, and count these (botocore's `handlers.py` does). Without
this, a deletion that is asked for twice is refused, as the first is under way.
"""

import re
import threading
from collections import OrderedDict
from collections.abc import Callable

from werkzeug import Request, Response

_CALL, _ATTEMPT = "amz-sdk-invocation-id", "amz-sdk-request"
_FIRST = re.compile(r"attempt=1\b|$")
_MOST = 512


class Answers:
    """The latest answers to calls that succeeded, by the call's id."""

    def __init__(self) -> None:
        self._given: OrderedDict[str, Response] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, request: Request, answer: Callable[[], Response]) -> Response:
        """The answer to `request`: given before where it is a retry of a call that succeeded, else `answer()`."""
        call = request.headers.get(_CALL, "")
        if call and not _FIRST.match(request.headers.get(_ATTEMPT, "")):
            with self._lock:
                given = self._given.get(call)
            if given is not None:
                return given
        found = answer()
        if call and found.status_code < 300:
            with self._lock:
                self._given[call] = found
                if len(self._given) > _MOST:
                    self._given.popitem(last=False)
        return found
