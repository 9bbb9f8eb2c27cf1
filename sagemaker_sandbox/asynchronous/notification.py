"""What a topic is told of a request's end, as the developer guide has it ("Check prediction results")."""

import base64
import json
from datetime import datetime

from sagemaker_sandbox.asynchronous.request import AsyncRequest
from sagemaker_sandbox.parts.resources import Fields

#: A larger answer is not in the notice. Source: IncludeInferenceResponseIn in the API reference.
MAX_RESPONSE_BYTES = 128 * 1024
_REQUEST = {
    "Accept": "accept",
    "ContentType": "contentType",
    "CustomAttributes": "customAttributes",
    "EndpointName": "endpointName",
    "InputLocation": "inputLocation",
}


def build_message(request: AsyncRequest, region: str, moment: datetime, *, with_answer: bool) -> str:
    """The message; how an answer stands in it is as clients read it, AWS documents no more than that it does."""
    outcome = request.outcome
    assert outcome is not None
    told: Fields = {
        "awsRegion": region,
        "eventTime": _moment(moment),
        "receivedTime": _moment(request.received),
        "invocationStatus": "Failed" if outcome.failure else "Completed",
    }
    if outcome.failure:
        told["failureReason"] = outcome.failure
    told["requestParameters"] = {
        name: request.parameters[member] for member, name in _REQUEST.items() if request.parameters.get(member)
    }
    if not outcome.failure:
        told["responseParameters"] = {"contentType": outcome.content_type} | (
            {"outputLocation": request.output} if request.output else {}
        )
    if with_answer and outcome.body is not None and len(outcome.body) <= MAX_RESPONSE_BYTES:
        told["responseBody"] = {"content": base64.b64encode(outcome.body).decode(), "encoding": "BASE64"}
    told |= {
        "inferenceId": request.inference_id,
        "eventVersion": "1.0",
        "eventSource": "aws:sagemaker",
        "eventName": "InferenceResult",
    }
    return json.dumps(told, separators=(",", ":"))


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"
