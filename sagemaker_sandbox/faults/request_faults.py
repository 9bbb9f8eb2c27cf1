"""Faults of HTTP requests: the requested operation, and the error in the form of its protocol.

moto routes and serializes with botocore's models. A CBOR request arrives here as JSON (`rpc_v2_cbor`).
"""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qsl

from moto.core.request import Request as MotoRequest
from moto.core.routing import get_service_router
from moto.core.utils import get_service_model
from werkzeug import Request, Response
from werkzeug.exceptions import HTTPException

from sagemaker_sandbox.base.client import INTERNAL_USER_AGENT
from sagemaker_sandbox.base.error_responses import serialize_error
from sagemaker_sandbox.connections.bodies import BodyStream
from sagemaker_sandbox.faults.fault import Fault
from sagemaker_sandbox.faults.fault_queue import FaultQueue, InjectedError
from sustainable_mlops.aws.service_model import load_service_model


class LostResponseError(ConnectionAbortedError):
    """The end of a connection without a response, although the request took effect."""


def respond_with_faults(
    faults: FaultQueue, request: Request, signing_name: str, respond: Callable[[], Response]
) -> Response:
    """Return the response of `respond` after the delay of a matching fault, or the fault's error instead.

    `signing_name` is the signing name of the request. The sandbox's own requests meet no faults. Raises
    LostResponseError for a fault that loses the response.
    """
    match = _take_fault(faults, request, signing_name)
    if match is None:
        return respond()
    fault, operation, moto_request = match
    response = respond() if fault.after_effect else None
    time.sleep(fault.delay)
    if fault.error is not None:
        return serialize_error(InjectedError(fault), fault.service, moto_request.content_type or "", operation)
    if fault.after_effect:
        raise LostResponseError
    return respond() if response is None else response


def _take_fault(faults: FaultQueue, request: Request, signing_name: str) -> tuple[Fault, str, MotoRequest] | None:
    """Use the fault that matches a request; return it with the operation and the request for moto."""
    services = {fault.service for fault in faults.list_pending()}
    if not services or INTERNAL_USER_AGENT in request.headers.get("User-Agent", ""):
        return None
    for service in sorted(services):
        if load_service_model(service).signing_name != signing_name:
            continue
        moto_request = _create_moto_request(service, request)
        try:
            operation, labels = get_service_router(service).match(moto_request)
        except (HTTPException, NotImplementedError):  # not this service, or a protocol that moto lacks
            continue
        names = [*map(str, labels.values()), *request.args.values(), *_list_body_values(request)]
        fault = faults.take_for_request(service, operation.name, names)
        return None if fault is None else (fault, operation.name, moto_request)
    return None


def _create_moto_request(service: str, request: Request) -> MotoRequest:
    """Return the request for moto. moto finds the protocol by content type; for REST, it takes any."""
    environ = request.environ | {"wsgi.input": BodyStream(request.get_data())}
    if get_service_model(service).protocol.startswith("rest-"):
        environ["CONTENT_TYPE"] = ""
    return MotoRequest(environ)


def _list_body_values(request: Request) -> Iterator[str]:
    """Yield the strings at the top level of a JSON or query body."""
    body = request.get_data()
    if request.mimetype == "application/x-www-form-urlencoded":
        yield from (value for _, value in parse_qsl(body.decode(errors="replace")))
    elif "json" in request.mimetype:
        try:
            fields: Any = json.loads(body or b"{}")
        except (ValueError, RecursionError):
            return
        if isinstance(fields, dict):
            yield from (value for value in fields.values() if isinstance(value, str))
