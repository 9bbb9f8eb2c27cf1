"""Recorder of the requests that clients send, as in CloudTrail: operation, parameters and user agent.

The recorder is off until `Sandbox.record_calls` starts it. Tests compare IAM policies with the calls of Terraform.
"""

import functools
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

from sagemaker_sandbox.base import signature
from sagemaker_sandbox.base.client import INTERNAL_USER_AGENT
from sagemaker_sandbox.connections.bodies import BodyStream

#: botocore's service names by signing name, if the two differ.
SERVICES_BY_SIGNING_NAME: Mapping[str, tuple[str, ...]] = {
    "monitoring": ("cloudwatch",),
    "s3": ("s3control", "s3"),  # S3 Control first: its paths could also be paths of a bucket
    "sagemaker": ("sagemaker", "sagemaker-runtime", "sagemaker-featurestore-runtime", "sagemaker-metrics"),
    "servicequotas": ("service-quotas",),
}
#: Largest body that is searched for parameters, in bytes. Larger bodies are data.
_MAX_BODY_BYTES = 1_000_000


@dataclass(frozen=True)
class RecordedCall:
    """One request: service and operation in botocore's words, its scalar parameters, user agent and HTTP status."""

    service: str
    operation: str
    user_agent: str
    status: int
    parameters: dict[str, str] = field(default_factory=dict)


class CallRecorder:
    """Thread-safe list of the recorded calls. Requests of the sandbox itself are left out."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: list[RecordedCall] | None = None

    def start(self) -> None:
        """Start an empty record."""
        with self._lock:
            self._calls = []

    def stop(self) -> list[dict[str, Any]]:
        """Stop recording, and return the recorded calls in order."""
        with self._lock:
            calls, self._calls = self._calls or [], None
        return [asdict(call) for call in calls]

    def add(self, request: Request, status: int) -> None:
        """Record one request if the recorder is on."""
        if self._calls is None or request.path.startswith("/_sandbox/") or _is_internal(request):
            return
        call = describe_call(request, status)
        with self._lock:
            if self._calls is not None:
                self._calls.append(call)


def _is_internal(request: Request) -> bool:
    return INTERNAL_USER_AGENT in request.headers.get("User-Agent", "")


def describe_call(request: Request, status: int) -> RecordedCall:
    """Return the call that a request makes. An unknown operation has the name in the request, or an empty one."""
    signing_name = signature.parse_signature(request).service
    service, operation, labels = _route(request, SERVICES_BY_SIGNING_NAME.get(signing_name, (signing_name,)))
    parameters = {**labels, **dict(request.args.items()), **_list_body_parameters(request)}
    return RecordedCall(service, operation, request.headers.get("User-Agent", ""), status, parameters)


def _route(request: Request, services: Sequence[str]) -> tuple[str, str, dict[str, str]]:
    """Return the service, the operation, and the parameters in the path."""
    for service in filter(None, services):
        try:
            protocol = get_service_model(service).protocol
            operation, labels = get_service_router(service).match(_make_moto_request(request, protocol))
        except (HTTPException, NotImplementedError, UnknownServiceError):
            continue
        return service, operation.name, {name: str(value) for name, value in labels.items()}
    target = request.headers.get("X-Amz-Target", "").rpartition(".")[2]
    return services[-1], target or dict(_read_form(request)).get("Action", ""), {}


def _make_moto_request(request: Request, protocol: str) -> MotoRequest:
    """Return the request for moto's router, without the content type for REST.

    The router derives the protocol from the content type, and bodies of REST requests have any type.
    """
    environ = request.environ | {"wsgi.input": BodyStream(request.get_data())}
    if protocol.startswith("rest-"):
        environ["CONTENT_TYPE"] = ""
    return MotoRequest(environ)


def _list_body_parameters(request: Request) -> dict[str, str]:
    """Return the scalar values at the top level of a JSON or query body."""
    if len(request.get_data()) > _MAX_BODY_BYTES:
        return {}
    if request.mimetype == "application/x-www-form-urlencoded":
        return dict(_read_form(request))
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


def _read_form(request: Request) -> tuple[tuple[str, str], ...]:
    if request.mimetype != "application/x-www-form-urlencoded":
        return ()
    return _parse_form(request.get_data())
