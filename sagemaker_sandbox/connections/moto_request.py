"""Adaptation of requests to moto's expectations."""

from collections.abc import Callable
from typing import Any, TypeVar

from moto.core.utils import get_service_model
from werkzeug import Request

from sagemaker_sandbox.base import signature
from sagemaker_sandbox.base.service_lookup import find_services
from sagemaker_sandbox.connections.bodies import BodyStream

_Result = TypeVar("_Result")

_FORM = "application/x-www-form-urlencoded"
#: Most attempts to read a collection that other requests change.
_MAX_ATTEMPTS = 20


def adapt_request(request: Request) -> dict[str, Any]:
    """Return the WSGI environment for moto.

    moto finds the service only in the Authorization header, and assumes the service's first protocol for a query
    without a body. Presigned requests have neither the header nor a body.
    """
    environ = request.environ | {"wsgi.input": BodyStream(request.get_data())}
    service = signature.parse_signature(request).service
    if "Authorization" not in request.headers and service not in ("", "s3"):
        credential = request.args.get("X-Amz-Credential", "")
        environ["HTTP_AUTHORIZATION"] = f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=0"
    if "Action" in request.args and not request.content_type and _has_query_protocol(service):
        environ["CONTENT_TYPE"] = _FORM
    return environ


def _has_query_protocol(signing_name: str) -> bool:
    return any(
        "query" in get_service_model(model.service_name).metadata.get("protocols", ())
        for model in find_services(signing_name)
    )


def repeat_interrupted(respond: Callable[[], _Result]) -> _Result:
    """Return the result of `respond`, and repeat it while another request changes a collection that it reads.

    moto has no locks. Python ends the iteration over a collection whose size changes with a RuntimeError.
    """
    for _ in range(_MAX_ATTEMPTS - 1):
        try:
            return respond()
        except RuntimeError as error:
            if "during iteration" not in str(error):
                raise
    return respond()
