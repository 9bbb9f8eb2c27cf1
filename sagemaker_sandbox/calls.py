"""A record of the requests that clients send, as CloudTrail keeps one: which operation, with what, and who sent it.

It is off until `Sandbox.record_calls` turns it on. Tests use it to hold IAM policies to what Terraform really calls.
"""

import functools
import io
import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from botocore.exceptions import UnknownServiceError
from moto.core.request import Request as MotoRequest
from moto.core.routing import get_service_router
from moto.core.utils import get_service_model
from werkzeug import Request
from werkzeug.exceptions import HTTPException

from sagemaker_sandbox import signature
from sagemaker_sandbox.client import INTERNAL

#: botocore's services by the name that their requests are signed for, where this is not the service's own.
SIGNED_FOR: Mapping[str, tuple[str, ...]] = {
    "monitoring": ("cloudwatch",),
    "s3": ("s3control", "s3"),  # a path of S3 Control's could be a bucket's, too
    "sagemaker": ("sagemaker", "sagemaker-runtime", "sagemaker-featurestore-runtime", "sagemaker-metrics"),
    "servicequotas": ("service-quotas",),
}
#: Bodies of at most this size are read for parameters; larger ones are data.
_MOST_BYTES = 1_000_000


@dataclass(frozen=True)
class Call:
    """One request: botocore's service and operation, the scalar parameters at its top, and the client's user agent."""

    service: str
    operation: str
    user_agent: str
    status: int
    parameters: dict[str, str] = field(default_factory=dict)


class Calls:
    """The record. Requests of the sandbox itself are left out."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: list[Call] | None = None

    def start(self) -> None:
        """Begin an empty record."""
        with self._lock:
            self._calls = []

    def stop(self) -> list[dict[str, Any]]:
        """Return the recorded calls in order, and record no more."""
        with self._lock:
            calls, self._calls = self._calls or [], None
        return [asdict(call) for call in calls]

    def add(self, request: Request, status: int) -> None:
        """Record one request where the record is on."""
        if self._calls is None or request.path.startswith("/_sandbox/") or _is_internal(request):
            return
        call = describe(request, status)
        with self._lock:
            if self._calls is not None:
                self._calls.append(call)


def _is_internal(request: Request) -> bool:
    return INTERNAL in request.headers.get("User-Agent", "")


def describe(request: Request, status: int) -> Call:
    """Return what a request calls. The operation is empty where no service here has it."""
    signed = signature.of(request).service
    service, operation, labels = _route(request, SIGNED_FOR.get(signed, (signed,)))
    parameters = {**labels, **dict(request.args.items()), **_body_parameters(request)}
    return Call(service, operation, request.headers.get("User-Agent", ""), status, parameters)


def _route(request: Request, services: Sequence[str]) -> tuple[str, str, dict[str, str]]:
    """Return the service, the operation, and the parameters in the path."""
    for service in filter(None, services):
        try:
            protocol = get_service_model(service).protocol
            operation, labels = get_service_router(service).match(_moto_request(request, protocol))
        except (HTTPException, NotImplementedError, UnknownServiceError):
            continue
        return service, operation.name, {name: str(value) for name, value in labels.items()}
    target = request.headers.get("X-Amz-Target", "").rpartition(".")[2]
    return services[-1], target or dict(_form(request)).get("Action", ""), {}


def _moto_request(request: Request, protocol: str) -> MotoRequest:
    """Return the request for moto's router, which tells the protocol by the type of the body; REST may have any."""
    environ = request.environ | {"wsgi.input": io.BytesIO(request.get_data())}
    if protocol.startswith("rest-"):
        environ["CONTENT_TYPE"] = ""
    return MotoRequest(environ)


def _body_parameters(request: Request) -> dict[str, str]:
    """Return the scalar values at the top of a body of JSON or of a query."""
    if len(request.get_data()) > _MOST_BYTES:
        return {}
    if request.mimetype == "application/x-www-form-urlencoded":
        return dict(_form(request))
    if "json" not in request.mimetype:
        return {}
    try:
        fields = json.loads(request.get_data() or b"{}")
    except (ValueError, RecursionError):
        return {}
    if not isinstance(fields, dict):
        return {}
    return {name: str(value) for name, value in fields.items() if isinstance(value, str | int | float | bool)}


@functools.lru_cache(maxsize=8)
def _parse_form(body: bytes) -> tuple[tuple[str, str], ...]:
    return tuple(parse_qsl(body.decode(errors="replace")))


def _form(request: Request) -> tuple[tuple[str, str], ...]:
    if request.mimetype != "application/x-www-form-urlencoded":
        return ()
    return _parse_form(request.get_data())
