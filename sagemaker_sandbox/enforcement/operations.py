"""The operation of an HTTP request, with its parameters, parsed by moto from botocore's models."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from botocore.exceptions import UnknownServiceError
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import Request as MotoRequest
from moto.core.request import determine_request_protocol
from moto.core.routing import get_service_router
from moto.core.utils import get_service_model
from werkzeug import Request
from werkzeug.exceptions import HTTPException

from sagemaker_sandbox.base import signature
from sagemaker_sandbox.base.service_lookup import find_services
from sagemaker_sandbox.connections import moto_request
from sagemaker_sandbox.connections.call_recorder import SERVICES_BY_SIGNING_NAME


class RequestedOperation(NamedTuple):
    """An operation. `service` is botocore's name of the service."""

    service: str
    signing_name: str
    name: str
    parameters: Mapping[str, Any]


def parse_operation(request: Request) -> RequestedOperation | None:
    """Return the operation of a request, or None if no service has it."""
    signing_name = signature.parse_signature(request).service
    services = SERVICES_BY_SIGNING_NAME.get(signing_name) or [
        str(model.service_name) for model in find_services(signing_name)
    ]
    for service in services:
        environ = moto_request.adapt_request(request)
        try:
            model = get_service_model(service)
            if model.protocol.startswith("rest-"):
                environ["CONTENT_TYPE"] = ""
            adapted = MotoRequest(environ)
            operation, labels = get_service_router(service).match(adapted)
            protocol = determine_request_protocol(model, adapted.content_type)
        except (HTTPException, NotImplementedError, UnknownServiceError):
            continue
        request_parts = {
            "method": adapted.method,
            "values": adapted.values,
            "headers": adapted.headers,
            "body": b"" if operation.has_streaming_input else adapted.data,
            "url_path": adapted.path,
            "url_params": labels,
        }
        try:
            parameters = PROTOCOL_PARSERS[protocol](operation).parse(request_parts)
        except Exception:
            parameters = {name: str(value) for name, value in labels.items()}
        return RequestedOperation(service, signing_name, operation.name, parameters)
    return None


def walk_members(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield each member of parameters, at any depth, with its name."""
    if isinstance(value, Mapping):
        for name, member in value.items():
            yield name, member
            yield from walk_members(member)
    elif isinstance(value, list):
        for item in value:
            yield from walk_members(item)
