"""Refuse requests that botocore's service model does not allow, in SageMaker's own words."""

from collections.abc import Mapping
from typing import Any

from botocore.model import Shape

from sustainable_mlops.aws.constraints import Violation, WrongTypeError, as_text, violations
from sagemaker_sandbox.errors import SerializationError, ValidationError


def validate(request: Mapping[str, Any], shape: Shape) -> None:
    """Raise SerializationError for a value of the wrong type, else ValidationError that names every violation."""
    try:
        found = list(violations(request, shape))
    except WrongTypeError as error:
        wanted = f"{error.shape.type_name} ({error.shape.name})"
        raise SerializationError(f"{_json_type(error.value)} can not be converted to {wanted}") from None
    if found:
        noun = "error" if len(found) == 1 else "errors"
        raise ValidationError(f"{len(found)} validation {noun} detected: {'; '.join(map(_told, found))}")


def _told(violation: Violation) -> str:
    value = "null" if violation.value is None else f"'{as_text(violation.value)}'"
    return f"Value {value} at '{violation.path}' failed to satisfy constraint: {violation.constraint}"


def _json_type(value: Any) -> str:
    if isinstance(value, bool):
        return f"{str(value).upper()}_VALUE"
    kinds = {str: "STRING_VALUE", int: "NUMBER_VALUE", float: "NUMBER_VALUE", list: "START_ARRAY", dict: "START_OBJECT"}
    return kinds.get(type(value), type(value).__name__)
