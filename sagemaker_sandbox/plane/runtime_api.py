"""SageMaker Runtime over HTTP: a request as the members of botocore's model, and an answer as its headers and body."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from botocore.model import OperationModel, Shape
from werkzeug import Request, Response

from sagemaker_sandbox.errors import ApiError
from sagemaker_sandbox.hosting.invocation import InvocationError
from sagemaker_sandbox.hosting.streams import encode_events
from sagemaker_sandbox.parts.resources import Fields
from sagemaker_sandbox.validation import validate
from sustainable_mlops.aws.service_model import service_model

SERVICE = "sagemaker-runtime"
_ROUTE = re.compile(r"/endpoints/(?P<endpoint>[^/]+)/(?P<kind>[a-z-]*invocations[a-z-]*)")


def asked(request: Request) -> str | None:
    """The operation that a request names; None for one of another service. Raises InvocationError."""
    route = _ROUTE.fullmatch(request.path)
    if route is None or request.method != "POST":
        return None
    model = service_model(SERVICE)
    for name in model.operation_names:
        if str(model.operation_model(name).http["requestUri"]).endswith(f"/{route['kind']}"):
            return str(name)
    raise InvocationError(f"SageMaker Runtime has no {route['kind']}.")


def read(operation: str, request: Request) -> Fields:
    """What is asked of that operation, checked. Raises InvocationError."""
    route = _ROUTE.fullmatch(request.path)
    shape = service_model(SERVICE).operation_model(operation).input_shape
    assert route is not None
    assert shape is not None
    given: Fields = {"EndpointName": unquote(route["endpoint"])}
    for member, kind in shape.members.items():
        if kind.serialization.get("location") == "header":
            text = request.headers.get(kind.serialization["name"])
            if text is not None:
                given[member] = _value(text, kind, member)
    try:
        validate(given | {"Body": ""}, shape)  # which members are there; what the body may be is its endpoint's matter
    except ApiError as error:
        raise InvocationError(error.message) from None
    body = request.get_data()
    return given | {"Body": body} if body or operation != "InvokeEndpointAsync" else given


def _value(text: str, kind: Shape, member: str) -> Any:
    if kind.type_name != "integer":
        return text
    try:
        return int(text)
    except ValueError:
        raise InvocationError(f"{member}: {text!r} is no integer") from None


def written(operation: str, answer: Fields) -> Response:
    """The answer as that operation gives it; a body in parts is sent as they come."""
    model = service_model(SERVICE).operation_model(operation)
    shape = model.output_shape
    assert shape is not None
    headers: dict[str, str] = {}
    told: dict[str, str] = {}
    for member, kind in shape.members.items():
        if answer.get(member) in (None, "") or member == "Body":
            continue
        if kind.serialization.get("location") == "header":
            headers[kind.serialization["name"]] = str(answer[member])
        else:
            told[member] = answer[member]
    body = _body(model, answer, told)
    if isinstance(body, Iterator):
        headers["Content-Type"] = "application/vnd.amazon.eventstream"
    return Response(body, status=model.http.get("responseCode", 200), headers=headers)


def _body(model: OperationModel, answer: Fields, told: Mapping[str, str]) -> bytes | Iterator[bytes]:
    if model.has_event_stream_output:
        return encode_events(answer["Body"])
    body: bytes = answer["Body"] if "Body" in answer else json.dumps(told).encode()
    return body
