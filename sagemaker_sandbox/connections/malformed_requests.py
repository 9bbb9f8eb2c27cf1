"""Errors for requests that moto cannot answer: AWS's error for an invalid request, else NotImplemented.

moto validates little, and every SDK retries its HTTP status 500 for minutes.
"""

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from contextlib import suppress
from urllib.parse import parse_qs

from botocore.model import ServiceModel
from moto.core.model import OperationModel
from moto.core.parse import QueryParser
from moto.core.utils import get_service_model
from werkzeug import Request, Response

from sagemaker_sandbox.base import signature
from sagemaker_sandbox.base.error_responses import serialize_error
from sagemaker_sandbox.base.errors import ApiError, SerializationError, UnknownOperationError
from sagemaker_sandbox.base.service_lookup import find_services
from sagemaker_sandbox.base.validation import validate

_JSON = re.compile(r"json", re.IGNORECASE)


class NotImplementedByMotoError(ApiError):
    """A request that moto does not implement. SDKs do not retry status 501."""

    code = "NotImplemented"
    status = 501


class MalformedXmlError(ApiError):
    """A body that is not XML, with S3's message."""

    code = "MalformedXML"


class InvalidActionError(ApiError):
    """A query that names no operation of its service."""

    code = "InvalidAction"


class MalformedInputError(ApiError):
    """A query parameter with a value of the wrong type."""

    code = "MalformedInput"


class RequestTimeoutError(ApiError):
    """The client sent less than Content-Length and timed out."""

    code = "RequestTimeout"

    def __init__(self) -> None:
        super().__init__(
            "Your socket connection to the server was not read from or written to within the timeout period. Idle "
            "connections will be closed."
        )


class IncompleteBodyError(ApiError):
    """The connection ended before the announced body was complete."""

    code = "IncompleteBody"

    def __init__(self) -> None:
        super().__init__("You did not provide the number of bytes specified by the Content-Length HTTP header.")


def explain_error(request: Request, error: Exception) -> ApiError:
    """Return AWS's error for a request that moto could not answer. `error` is the exception that moto raised."""
    try:
        _check(request)
    except ApiError as api_error:
        return api_error
    except RecursionError:
        return SerializationError("The request is nested too deeply.")
    description = f"{type(error).__name__}: {error}"
    return NotImplementedByMotoError(f"the sandbox cannot answer {request.method} {request.full_path}: {description}")


def build_error_response(request: Request, error: ApiError) -> Response:
    """Return the error in the form of the request's protocol."""
    content_type = request.headers.get("Content-Type", "")
    for service in (_find_service(request), _find_similar_service(request)):
        if service is not None:
            with suppress(NotImplementedError):
                return serialize_error(error, service, content_type)
    return serialize_error(error, "s3", "")


def _find_service(request: Request) -> str | None:
    """Return botocore's name of the requested service, or None if the request does not show it."""
    prefix = request.headers.get("X-Amz-Target", "").rpartition(".")[0]
    return next((str(model.service_name) for model in _list_services(request, prefix)), None)


def _find_similar_service(request: Request) -> str | None:
    """Return a service that uses the protocol of the request."""
    if _is_json(request):
        return "sagemaker"
    return "iam" if _is_query(request) else None


def _check(request: Request) -> None:
    """Raise ApiError for a body that the protocol or the service model does not allow."""
    if _is_json(request):
        _check_json(request)
    elif _is_query(request):
        _check_query(request)
    elif request.get_data():
        try:
            ET.fromstring(request.get_data())  # noqa: S314 the user's own request to this computer
        except (ET.ParseError, ValueError, LookupError):
            raise MalformedXmlError(
                "The XML you provided was not well-formed or did not validate against our published schema"
            ) from None


def _check_json(request: Request) -> None:
    try:
        fields = json.loads(request.get_data() or b"{}")
    except ValueError as error:
        raise SerializationError(f"The request is not JSON: {error}") from None
    if not isinstance(fields, dict):
        raise SerializationError("The request is not a JSON object.")
    prefix, _, operation = request.headers.get("X-Amz-Target", "").rpartition(".")
    if not operation:
        return
    models = list(_list_services(request, prefix))
    if not models:
        return
    for model in models:
        if operation in model.operation_names:
            shape = model.operation_model(operation).input_shape
            if shape is not None:
                validate(fields, shape)
            return
    raise UnknownOperationError(f"The service has no operation {operation[:100]}.")


def _check_query(request: Request) -> None:
    try:
        query = parse_qs(request.get_data().decode(), keep_blank_values=True)
    except ValueError as error:
        raise SerializationError(f"The request is not a query: {error}") from None
    action = (query.get("Action") or [""])[0]
    for model in _list_services(request):
        if action in model.operation_names:
            operation = get_service_model(model.service_name).operation_model(action)
            _check_values({name: values[0] for name, values in query.items()}, operation)
            return
    raise InvalidActionError(f"Could not find operation {action[:100]}.")


def _check_values(query: Mapping[str, str], operation: OperationModel) -> None:
    """Raise MalformedInputError for an invalid number or time."""
    try:
        QueryParser(operation).parse({"values": query})
    except (ValueError, TypeError, OverflowError):
        raise MalformedInputError("A query parameter has a value of the wrong type.") from None


def _list_services(request: Request, prefix: str = "") -> Iterator[ServiceModel]:
    return find_services(signature.parse_signature(request).service, prefix)


def _is_json(request: Request) -> bool:
    return bool(_JSON.search(request.headers.get("Content-Type", ""))) or "X-Amz-Target" in request.headers


def _is_query(request: Request) -> bool:
    return request.method == "POST" and request.mimetype == "application/x-www-form-urlencoded"
