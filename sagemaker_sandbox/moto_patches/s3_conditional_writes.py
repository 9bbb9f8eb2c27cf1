"""Conditional writes of S3: moto checks the condition and writes in two steps, so two clients can both succeed.

Source: "How to prevent object overwrites with conditional writes" and "Conditional deletes", S3 user guide. Terraform's
backend locks its state by `If-None-Match`.
"""

import functools
import threading
from collections.abc import Callable
from typing import Any

from moto.s3.responses import S3Response

_LOCKS = tuple(threading.RLock() for _ in range(64))


#: Response to a condition that S3 does not support.
_NOT_IMPLEMENTED = (
    501,
    {"Content-Type": "application/xml"},
    "<Error><Code>NotImplemented</Code><Message>A header you provided implies functionality that is not implemented"
    "</Message></Error>",
)


def apply() -> None:
    """Serialize conditional writes of the same object."""
    for name in ("put_object", "delete_object", "_key_response_post"):
        setattr(S3Response, name, _lock_key(getattr(S3Response, name)))


def _lock_key(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def call(response: Any, *arguments: Any, **options: Any) -> Any:
        condition = response.headers.get("If-None-Match")
        if condition is None and response.headers.get("If-Match") is None:
            return function(response, *arguments, **options)
        if condition not in (None, "*"):
            return _NOT_IMPLEMENTED
        with _LOCKS[hash((response.bucket_name, response.parse_key_name())) % len(_LOCKS)]:
            return function(response, *arguments, **options)

    return call
