"""Smithy RPC v2 CBOR, the protocol of newer SDKs: requests become JSON, and JSON responses become CBOR.

Every service of the sandbox that supports CBOR also supports JSON. moto, faults and errors therefore need not know
CBOR. botocore reads and writes both formats. The specification is "Smithy RPC v2 CBOR protocol" on smithy.io.
"""

import base64
import gzip
import io
import json
import math
import re
import zlib
from collections.abc import Callable
from datetime import datetime
from typing import Any

from botocore.model import OperationModel, Shape
from botocore.parsers import JSONParser, ResponseParserError, RpcV2CBORParser
from botocore.serialize import RpcV2CBORSerializer
from werkzeug import Request, Response
from werkzeug.datastructures import Headers

from sagemaker_sandbox.base import signature
from sagemaker_sandbox.base.errors import ApiError, SerializationError, UnknownOperationError
from sagemaker_sandbox.base.service_lookup import find_services
from sagemaker_sandbox.connections import malformed_requests

PROTOCOL = "smithy-rpc-v2-cbor"
_HEADER, _VALUE = "smithy-protocol", "rpc-v2-cbor"
_CONTENT_TYPE = "application/cbor"
_PATH = re.compile(r"/service/([^/]+)/operation/([^/]+)$")
#: Exceptions of botocore's decoder for bytes that are not CBOR.
_NOT_CBOR = (ResponseParserError, ValueError, TypeError, OverflowError, MemoryError, RecursionError)
#: Shape of the two members of every error, `__type` and `message`.
_STRING = Shape("String", {"type": "string"})


def handle_request(request: Request, respond: Callable[[Request], Response]) -> Response:
    """Return the response of `respond`, in CBOR if the request is in CBOR."""
    if request.headers.get(_HEADER) != _VALUE:
        return respond(request)
    try:
        operation = _find_operation(request)
    except UnknownOperationError as error:
        return _encode_error(malformed_requests.build_error_response(_convert_request(request, b"{}"), error), None)
    try:
        translated = _translate(request, operation)
    except ApiError as error:
        return _encode_error(
            malformed_requests.build_error_response(_convert_request(request, b"{}", operation), error), operation
        )
    response = respond(translated)
    return _encode_error(response, operation) if response.status_code >= 300 else _encode(response, operation)


def _find_operation(request: Request) -> OperationModel:
    """Return the operation that the path names. Raises UnknownOperationError if the service has none or no CBOR."""
    match = _PATH.search(request.path)
    service, name = match.groups() if match and request.method == "POST" else ("", "")
    for model in find_services(signature.parse_signature(request).service):
        prefix = model.metadata.get("targetPrefix", "")
        # SDKs send the name of the service's shape, which the prefix may precede with a namespace.
        matches_service = service in (prefix, prefix.rpartition(".")[2])
        if matches_service and PROTOCOL in model.metadata.get("protocols", ()) and name in model.operation_names:
            return model.operation_model(name)
    raise UnknownOperationError(f"The service has no operation {(name or request.path)[:100]} in {_VALUE}.")


def _translate(request: Request, operation: OperationModel) -> Request:
    """Return the request in JSON. Raises SerializationError for a body that is not CBOR."""
    body = request.get_data()
    if request.headers.get("Content-Encoding") == "gzip":
        try:
            body = gzip.decompress(body)
        except (OSError, EOFError, zlib.error):
            raise SerializationError("The request is not compressed by gzip, as its Content-Encoding says.") from None
    try:
        fields = _convert_to_json(_decode(body)) if body else {}
        if not isinstance(fields, dict):
            raise SerializationError("The request is not a CBOR map.")
        return _convert_request(request, json.dumps(fields).encode(), operation)
    except _NOT_CBOR:
        raise SerializationError("The request is not CBOR.") from None


def _decode(body: bytes) -> Any:
    parser = RpcV2CBORParser()
    stream = parser.get_peekable_stream_from_bytes(body)
    item = parser.parse_data_item(stream)
    if stream.read(1):
        raise ValueError("bytes after the end")
    return item


def _convert_to_json(value: Any) -> Any:
    """Return a decoded value as JSON spells it: blobs in base64, times in seconds, numbers such as NaN by name."""
    if isinstance(value, dict):
        if not all(isinstance(key, str) for key in value):
            raise ValueError("a key that is not a string")
        return {key: _convert_to_json(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_convert_to_json(item) for item in value]
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, datetime):
        return value.timestamp()
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


def _convert_request(request: Request, body: bytes, operation: OperationModel | None = None) -> Request:
    """Return the request with a body of JSON, as an SDK sends it that speaks JSON."""
    version, target = "1.0", ""
    if operation is not None:
        metadata = operation.service_model.metadata
        version, target = metadata.get("jsonVersion", version), f"{metadata['targetPrefix']}.{operation.name}"
    removed = ("HTTP_SMITHY_PROTOCOL", "HTTP_CONTENT_ENCODING", "HTTP_ACCEPT", "werkzeug.request")
    environ = {name: value for name, value in request.environ.items() if name not in removed}
    query = f"?{request.query_string.decode()}" if request.query_string else ""
    environ |= {
        "PATH_INFO": "/",
        "RAW_URI": f"/{query}",
        "REQUEST_URI": f"/{query}",
        "CONTENT_TYPE": f"application/x-amz-json-{version}",
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_X_AMZ_TARGET": target,
        "wsgi.input": io.BytesIO(body),
    }
    return Request(environ)


class _JsonReader(JSONParser):
    """A parser of JSON responses that reads numbers which JSON spells as strings."""

    def _handle_float(self, _shape: Shape, value: Any) -> float:
        """Return a number that JSON may spell as a string."""
        return float(value)

    _handle_double = _handle_float

    def read(self, response: Response, shape: Shape) -> dict[str, Any]:
        """Return the members of a shape that a response holds."""
        fields: dict[str, Any] = self.parse({"body": response.get_data(), "headers": {}, "status_code": 200}, shape)
        del fields["ResponseMetadata"]
        return fields


class _CborEncoder(RpcV2CBORSerializer):
    """A serializer of responses, which botocore has for requests alone."""

    def encode(self, members: dict[str, tuple[Shape, Any]]) -> bytes:
        """Return a map of these names to values of these shapes."""
        encoder: Any = self  # botocore's stubs leave out the methods that requests do not need
        body = bytearray()
        size, length = encoder._get_additional_info_and_num_bytes(len(members))
        body.extend(encoder._get_initial_byte(self.MAP_MAJOR_TYPE, size))
        if length:
            body.extend(len(members).to_bytes(length, "big"))
        for name, (shape, value) in members.items():
            encoder._serialize_type_string(body, name, None, None)
            encoder._serialize_data_item(body, value, shape)
        return bytes(body)


def _encode(response: Response, operation: OperationModel) -> Response:
    if operation.output_shape is None:
        return _convert_response(response, b"")
    return _convert_response(response, _CborEncoder().encode(_list_members(response, operation.output_shape)))


def _encode_error(response: Response, operation: OperationModel | None) -> Response:
    try:
        fields = dict(json.loads(response.get_data()))
    except (ValueError, TypeError):  # a message of moto, without a protocol
        fields = {"__type": "InternalFailure", "message": response.get_data(as_text=True)}
    kind = str(fields.get("__type", ""))
    members: dict[str, tuple[Shape, Any]] = {}
    for shape in operation.error_shapes if operation is not None else ():
        if shape.name == kind.rpartition("#")[2]:
            members = _list_members(response, shape)
    message = fields.get("message", fields.get("Message", ""))
    members |= {"__type": (_STRING, kind), "message": (_STRING, message)}
    return _convert_response(response, _CborEncoder().encode(members))


def _list_members(response: Response, shape: Any) -> dict[str, tuple[Shape, Any]]:
    """Return the members of a structure that a JSON response holds, by their names on the wire."""
    fields = _JsonReader().read(response, shape)
    shapes = {name: shape.members[name] for name in fields}
    return {member.serialization.get("name", name): (member, fields[name]) for name, member in shapes.items()}


def _convert_response(response: Response, body: bytes) -> Response:
    headers = Headers(response.headers)
    headers.remove("Content-Length")
    headers.remove("Content-Type")
    headers[_HEADER] = _VALUE
    encoded = Response(body, status=response.status, headers=headers)
    encoded.headers.remove("Content-Type")  # a response without a body has none
    if body:
        encoded.headers["Content-Type"] = _CONTENT_TYPE
    return encoded
