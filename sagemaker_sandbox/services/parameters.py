"""Parameters of requests to services that moto lacks: their validation, and pages of lists."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sagemaker_sandbox.base.errors import ValidationError
from sagemaker_sandbox.base.validation import validate
from sagemaker_sandbox.resources.resources import Fields
from sagemaker_sandbox.services.registry import ServiceRequest
from sustainable_mlops.aws.service_model import load_service_model


def check_parameters(service: str, operation: str, request: ServiceRequest) -> Fields:
    """Return the request's parameters. Raises ValidationError if the service model does not allow them."""
    shape = load_service_model(service).operation_model(operation).input_shape
    if shape is not None:
        validate(_to_json(request.parameters), shape)
    return request.parameters


def build_page(key: str, items: Sequence[Any], request: ServiceRequest, largest: int) -> Fields:
    """Return one page of `items` as the response member `key`, with a token if others follow."""
    token = str(request.parameters.get("NextToken") or "0")
    if not token.isdecimal():
        raise ValidationError("The NextToken is invalid.")
    start, size = int(token), int(request.parameters.get("MaxResults") or largest)
    page: Fields = {key: list(items[start : start + size])}
    return page | ({"NextToken": str(start + size)} if start + size < len(items) else {})


def _to_json(value: Any) -> Any:
    """Return parsed parameters with times as text, which the validation expects."""
    if isinstance(value, Mapping):
        return {key: _to_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_to_json(item) for item in value]
    return value.isoformat() if isinstance(value, datetime) else value
