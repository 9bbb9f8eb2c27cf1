"""Requests in any protocol: botocore serializes, signs and parses them, as an SDK of that protocol does."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import create_request_object, prepare_request_dict
from botocore.credentials import Credentials
from botocore.httpsession import URLLib3Session
from botocore.parsers import create_parser
from botocore.serialize import create_serializer

from sagemaker_sandbox import Sandbox
from sustainable_mlops.aws.service_model import load_service_model

CBOR = "smithy-rpc-v2-cbor"
_REGION = "eu-north-1"


class ProtocolResponse(NamedTuple):
    """A response: HTTP status, headers, body, and its fields by the service's model."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    fields: dict[str, Any]

    @property
    def code(self) -> str:
        """Code of the error."""
        return str(self.fields["Error"]["Code"])


def call(
    sandbox: Sandbox,
    service: str,
    protocol: str,
    operation: str,
    parameters: Mapping[str, Any] | None = None,
    *,
    presigned: bool = False,
) -> ProtocolResponse:
    """Call an operation in a protocol."""
    model = load_service_model(service).operation_model(operation)
    serializer = create_serializer(protocol, include_validation=False)
    serialized: Any = serializer.serialize_to_request(dict(parameters or {}), model)
    return send(sandbox, service, protocol, operation, serialized, presigned=presigned)


def send(
    sandbox: Sandbox,
    service: str,
    protocol: str,
    operation: str,
    serialized: dict[str, Any],
    *,
    presigned: bool = False,
) -> ProtocolResponse:
    """Sign and send a request, and parse the response as the operation's."""
    model = load_service_model(service)
    prepare_request_dict(serialized, sandbox.endpoint)
    request = create_request_object(serialized)
    sign = SigV4QueryAuth if presigned else SigV4Auth
    body = request.data
    if presigned and protocol != "query":
        request.data = b""  # botocore cannot presign a binary body, and only a query moves to the address
    sign(Credentials("AKIAIOSFODNN7EXAMPLE", "secret"), model.signing_name, _REGION).add_auth(request)
    request.data = request.data or (body if protocol != "query" else None)
    response = URLLib3Session().send(request.prepare())
    raw = {"body": response.content, "headers": response.headers, "status_code": response.status_code}
    parser = create_parser(protocol)
    shape: Any = model.operation_model(operation).output_shape
    fields: dict[str, Any] = parser.parse(raw, shape)
    if "Error" in fields and (modeled := model.shape_for_error_code(fields["Error"]["Code"])) is not None:
        fields |= parser.parse(raw, modeled)
    del fields["ResponseMetadata"]
    return ProtocolResponse(response.status_code, response.headers, response.content, comparable(fields))


def comparable(value: Any) -> Any:
    """Return a parsed value with its times to the millisecond, which is all that some protocols say."""
    if isinstance(value, dict):
        return {key: comparable(member) for key, member in value.items()}
    if isinstance(value, list):
        return [comparable(item) for item in value]
    return round(value.timestamp(), 3) if isinstance(value, datetime) else value
