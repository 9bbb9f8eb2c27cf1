"""An error in the form of a service's protocol, as moto serializes it by botocore's models.

An error in CBOR is written as JSON here; `rpc_v2_cbor` translates it.
"""

import re
import warnings

from moto.core.request import determine_request_protocol
from moto.core.serialize import SERIALIZERS, get_serializer_class
from moto.core.utils import get_service_model
from werkzeug import Response

from sagemaker_sandbox.errors import ApiError

# Few models name AWS's common errors, of which moto warns on every answer.
warnings.filterwarnings("ignore", message=r"Exception\(.*does not match an error shape", module="moto.core.serialize")

#: What XML cannot hold.
_UNPRINTABLE = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd]")


def written(error: ApiError, service: str, content_type: str, operation: str = "") -> Response:
    """The answer to a request of that type; `service` is botocore's name, `operation` empty where it is not known.

    Raises NotImplementedError for a type that the service does not speak.
    """
    model = get_service_model(service)
    protocol = determine_request_protocol(model, content_type)
    if protocol not in SERIALIZERS:  # what moto takes for CBOR's, as it has no type of the others
        raise NotImplementedError(f"{service} has no protocol with the content type {content_type!r}")
    error.message = _UNPRINTABLE.sub("?", error.message)
    serializer = get_serializer_class(service, protocol)(model.operation_model(operation or model.operation_names[0]))
    answer = serializer.serialize(error)
    response = Response(answer["body"], status=error.status, headers=answer["headers"])
    response.headers.setdefault("x-amzn-ErrorType", error.code)
    if content_type.startswith("application/x-amz-json"):
        response.content_type = content_type
    return response
