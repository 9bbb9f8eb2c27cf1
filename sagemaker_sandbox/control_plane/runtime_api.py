"""HTTP interface of SageMaker Runtime: requests and responses in the form of botocore's model."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from botocore.model import OperationModel, Shape
from werkzeug import Request, Response

from sagemaker_sandbox.base.errors import ApiError
from sagemaker_sandbox.base.validation import validate
from sagemaker_sandbox.endpoints.hosting.invocation import InvocationError
from sagemaker_sandbox.endpoints.hosting.streams import encode_events
from sagemaker_sandbox.resources.resources import Fields
from sustainable_mlops.aws.service_model import load_service_model

SERVICE = "sagemaker-runtime"
_ROUTE = re.compile(r"/endpoints/(?P<endpoint>[^/]+)/(?P<kind>[a-z-]*invocations[a-z-]*)")


def find_operation(request: Request) -> str | None:
    """Return the operation of a request, or None for another service. Raises InvocationError."""
    route = _ROUTE.fullmatch(request.path)
    if route is None or request.method != "POST":
        return None
    model = load_service_model(SERVICE)
    for name in model.operation_names:
        if str(model.operation_model(name).http["requestUri"]).endswith(f"/{route['kind']}"):
            return str(name)
    raise InvocationError(f"SageMaker Runtime has no {route['kind']}.")


def parse_request(operation: str, request: Request) -> Fields:
    """Return the checked members of a request. Raises InvocationError."""
    route = _ROUTE.fullmatch(request.path)
    shape = load_service_model(SERVICE).operation_model(operation).input_shape
    assert route is not None
    assert shape is not None
    members: Fields = {"EndpointName": unquote(route["endpoint"])}
    for member, kind in shape.members.items():
        if kind.serialization.get("location") == "header":
            text = request.headers.get(kind.serialization["name"])
            if text is not None:
                members[member] = _parse_value(text, kind, member)
    try:
        validate(members | {"Body": ""}, shape)  # the endpoint checks the body
    except ApiError as error:
        raise InvocationError(error.message) from None
    body = request.get_data()
    return members | {"Body": body} if body or operation != "InvokeEndpointAsync" else members


def _parse_value(text: str, kind: Shape, member: str) -> Any:
    if kind.type_name != "integer":
        return text
    try:
        return int(text)
    except ValueError:
        raise InvocationError(f"{member}: {text!r} is not an integer") from None


def build_response(operation: str, members: Fields) -> Response:
    """Return the HTTP response of an operation. A body in parts is sent as the parts arrive."""
    model = load_service_model(SERVICE).operation_model(operation)
    shape = model.output_shape
    assert shape is not None
    headers: dict[str, str] = {}
    body_members: dict[str, str] = {}
    for member, kind in shape.members.items():
        if members.get(member) in (None, "") or member == "Body":
            continue
        if kind.serialization.get("location") == "header":
            headers[kind.serialization["name"]] = str(members[member])
        else:
            body_members[member] = members[member]
    body = _build_body(model, members, body_members)
    if isinstance(body, Iterator):
        headers["Content-Type"] = "application/vnd.amazon.eventstream"
    return Response(body, status=model.http.get("responseCode", 200), headers=headers)


def _build_body(model: OperationModel, members: Fields, body_members: Mapping[str, str]) -> bytes | Iterator[bytes]:
    if model.has_event_stream_output:
        return encode_events(members["Body"])
    body: bytes = members["Body"] if "Body" in members else json.dumps(body_members).encode()
    return body
