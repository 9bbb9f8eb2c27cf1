"""Notification of the end of a request, as in the developer guide ("Check prediction results")."""

import base64
import json
from datetime import datetime

from sagemaker_sandbox.endpoints.asynchronous.request import AsyncRequest
from sagemaker_sandbox.resources.resources import Fields

#: Largest response that a notification contains. Source: IncludeInferenceResponseIn in the API reference.
MAX_RESPONSE_BYTES = 128 * 1024
_REQUEST = {
    "Accept": "accept",
    "ContentType": "contentType",
    "CustomAttributes": "customAttributes",
    "EndpointName": "endpointName",
    "InputLocation": "inputLocation",
}


def build_message(request: AsyncRequest, region: str, moment: datetime, *, with_response: bool) -> str:
    """Return the message of a notification.

    AWS documents that it can contain the response, but not the encoding; the one here is that which clients expect.
    """
    outcome = request.outcome
    assert outcome is not None
    message: Fields = {
        "awsRegion": region,
        "eventTime": _format_time(moment),
        "receivedTime": _format_time(request.received),
        "invocationStatus": "Failed" if outcome.failure else "Completed",
    }
    if outcome.failure:
        message["failureReason"] = outcome.failure
    message["requestParameters"] = {
        name: request.parameters[member] for member, name in _REQUEST.items() if request.parameters.get(member)
    }
    if not outcome.failure:
        message["responseParameters"] = {"contentType": outcome.content_type} | (
            {"outputLocation": request.output} if request.output else {}
        )
    if with_response and outcome.body is not None and len(outcome.body) <= MAX_RESPONSE_BYTES:
        message["responseBody"] = {"content": base64.b64encode(outcome.body).decode(), "encoding": "BASE64"}
    message |= {
        "inferenceId": request.inference_id,
        "eventVersion": "1.0",
        "eventSource": "aws:sagemaker",
        "eventName": "InferenceResult",
    }
    return json.dumps(message, separators=(",", ":"))


def _format_time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"
