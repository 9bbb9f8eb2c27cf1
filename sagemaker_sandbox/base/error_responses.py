"""Responses to failed requests in the protocol of the service. moto serializes them with botocore's models.

An error for a CBOR request is JSON here, and `rpc_v2_cbor` translates it.
"""

import re
import warnings

from moto.core.request import determine_request_protocol
from moto.core.serialize import SERIALIZERS, get_serializer_class
from moto.core.utils import get_service_model
from werkzeug import Response

from sagemaker_sandbox.base.errors import ApiError

# moto warns if a model lacks AWS's common errors, as most models do.
warnings.filterwarnings("ignore", message=r"Exception\(.*does not match an error shape", module="moto.core.serialize")

#: Characters that XML cannot hold.
_UNPRINTABLE = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd]")


def serialize_error(error: ApiError, service: str, content_type: str, operation: str = "") -> Response:
    """Return the response to a request with this content type.

    `service` is botocore's name. `operation` is empty if it is unknown. Raises NotImplementedError for a content type
    that the service does not support.
    """
    model = get_service_model(service)
    protocol = determine_request_protocol(model, content_type)
    if protocol not in SERIALIZERS:  # moto assumes CBOR for an unknown content type
        raise NotImplementedError(f"{service} has no protocol with the content type {content_type!r}")
    error.message = _UNPRINTABLE.sub("?", error.message)
    serializer = get_serializer_class(service, protocol)(model.operation_model(operation or model.operation_names[0]))
    serialized = serializer.serialize(error)
    response = Response(serialized["body"], status=error.status, headers=serialized["headers"])
    response.headers.setdefault("x-amzn-ErrorType", error.code)
    if content_type.startswith("application/x-amz-json"):
        response.content_type = content_type
    return response
