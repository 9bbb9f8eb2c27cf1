"""Adapt a request to what moto expects of one."""

import io
from typing import Any

from moto.core.utils import get_service_model
from werkzeug import Request

from sagemaker_sandbox import signature
from sagemaker_sandbox.service_lookup import find_services

_FORM = "application/x-www-form-urlencoded"


def adapt(request: Request) -> dict[str, Any]:
    """Return the WSGI environment to give to moto.

    moto finds the service in the Authorization header alone, and takes a query without a body for the first of the
    service's protocols. Presigned requests have neither the header nor a body.
    """
    environ = request.environ | {"wsgi.input": io.BytesIO(request.get_data())}
    service = signature.of(request).service
    if "Authorization" not in request.headers and service not in ("", "s3"):
        credential = request.args.get("X-Amz-Credential", "")
        environ["HTTP_AUTHORIZATION"] = f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=0"
    if "Action" in request.args and not request.content_type and _speaks_query(service):
        environ["CONTENT_TYPE"] = _FORM
    return environ


def _speaks_query(signing_name: str) -> bool:
    return any(
        "query" in get_service_model(model.service_name).metadata.get("protocols", ())
        for model in find_services(signing_name)
    )
