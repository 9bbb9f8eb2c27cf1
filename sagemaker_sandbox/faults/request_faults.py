"""Faults of HTTP requests: the requested operation, and the error in the form of its protocol.

moto routes and serializes with botocore's models. A CBOR request arrives here as JSON (`rpc_v2_cbor`).
"""

import json
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl

from moto.core.request import Request as MotoRequest
from moto.core.routing import get_service_router
from moto.core.utils import get_service_model
from werkzeug import Request, Response
from werkzeug.exceptions import HTTPException

from sagemaker_sandbox.client import INTERNAL_USER_AGENT
from sagemaker_sandbox.connections.bodies import BodyStream
from sagemaker_sandbox.error_responses import serialize_error
from sagemaker_sandbox.faults.fault import Fault
from sagemaker_sandbox.faults.fault_queue import FaultQueue, InjectedError
from sustainable_mlops.aws.service_model import load_service_model


def apply_fault(faults: FaultQueue, request: Request, signing_name: str) -> Response | None:
    """Wait for the delay of a matching fault, and return the response with its error, if it has one.

    `signing_name` is the signing name of the request. The sandbox's own requests meet no faults.
    """
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
        return None if fault is None else _respond(fault, operation.name, moto_request)
    return None


def _create_moto_request(service: str, request: Request) -> MotoRequest:
    """Return the request for moto. moto finds the protocol by content type; for REST, it takes any."""
    environ = request.environ | {"wsgi.input": BodyStream(request.get_data())}
    if get_service_model(service).protocol.startswith("rest-"):
        environ["CONTENT_TYPE"] = ""
    return MotoRequest(environ)


def _respond(fault: Fault, operation: str, moto_request: MotoRequest) -> Response | None:
    time.sleep(fault.delay)
    if fault.error is None:
        return None
    return serialize_error(InjectedError(fault), fault.service, moto_request.content_type or "", operation)


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
