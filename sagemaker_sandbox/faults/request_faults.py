"""Faults of requests over HTTP: which operation of which service is asked for, and the error in its protocol's form.

moto routes and serializes by botocore's models. A request in CBOR arrives here as JSON (`rpc_v2_cbor`).
"""

import io
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

from sustainable_mlops.aws.service_model import service_model
from sagemaker_sandbox.client import INTERNAL
from sagemaker_sandbox.faults.armed import Faults, RefusedOnRequestError
from sagemaker_sandbox.faults.fault import Fault
from sagemaker_sandbox.refusals import written


def meet(faults: Faults, request: Request, signed: str) -> Response | None:
    """Wait as long as a fault says, then answer the error that it says, if any.

    `signed` is the name of the service that the request is signed for. The sandbox's own requests meet none.
    """
    services = {fault.service for fault in faults.listed()}
    if not services or INTERNAL in request.headers.get("User-Agent", ""):
        return None
    for service in sorted(services):
        if service_model(service).signing_name != signed:
            continue
        asked = _asked(service, request)
        try:
            operation, labels = get_service_router(service).match(asked)
        except (HTTPException, NotImplementedError):  # none of this service's, or of a protocol that moto has not
            continue
        names = [*map(str, labels.values()), *request.args.values(), *_in_body(request)]
        fault = faults.of_request(service, operation.name, names)
        return None if fault is None else _met(fault, operation.name, asked)
    return None


def _asked(service: str, request: Request) -> MotoRequest:
    """The request for moto, which tells the protocol by the type of the body; that of REST may have any."""
    environ = request.environ | {"wsgi.input": io.BytesIO(request.get_data())}
    if get_service_model(service).protocol.startswith("rest-"):
        environ["CONTENT_TYPE"] = ""
    return MotoRequest(environ)


def _met(fault: Fault, operation: str, asked: MotoRequest) -> Response | None:
    time.sleep(fault.delay)
    if fault.error is None:
        return None
    return written(RefusedOnRequestError(fault), fault.service, asked.content_type or "", operation)


def _in_body(request: Request) -> Iterator[str]:
    """The strings at the top of a body of JSON or of a query."""
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
