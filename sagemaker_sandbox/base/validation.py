"""Validation of requests against botocore's service model, with SageMaker's messages."""

from collections.abc import Mapping
from typing import Any

from botocore.model import Shape

from sagemaker_sandbox.base.errors import SerializationError, ValidationError
from sustainable_mlops.aws.constraints import Violation, WrongTypeError, format_value, list_violations


def validate(request: Mapping[str, Any], shape: Shape) -> None:
    """Raise SerializationError for a value of the wrong type, else ValidationError that names every violation."""
    try:
        violation_list = list(list_violations(request, shape))
    except WrongTypeError as error:
        expected = f"{error.shape.type_name} ({error.shape.name})"
        raise SerializationError(f"{_get_json_type(error.value)} can not be converted to {expected}") from None
    if violation_list:
        noun = "error" if len(violation_list) == 1 else "errors"
        raise ValidationError(
            f"{len(violation_list)} validation {noun} detected: {'; '.join(map(_describe, violation_list))}"
        )


def _describe(violation: Violation) -> str:
    value = "null" if violation.value is None else f"'{format_value(violation.value)}'"
    return f"Value {value} at '{violation.path}' failed to satisfy constraint: {violation.constraint}"


def _get_json_type(value: Any) -> str:
    if isinstance(value, bool):
        return f"{str(value).upper()}_VALUE"
    kinds = {str: "STRING_VALUE", int: "NUMBER_VALUE", float: "NUMBER_VALUE", list: "START_ARRAY", dict: "START_OBJECT"}
    return kinds.get(type(value), type(value).__name__)
