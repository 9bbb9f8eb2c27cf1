"""Declared outputs of Callback and Lambda steps."""

from collections.abc import Callable, Mapping
from typing import Any

from sagemaker_sandbox.pipelines.definition import OutputParameter, StepDefinition
from sagemaker_sandbox.pipelines.expressions import to_text
from sagemaker_sandbox.pipelines.services import Fields, StepError


def list_outputs(outputs: Mapping[str, Any]) -> list[Fields]:
    return [{"Name": name, "Value": to_text(value)} for name, value in outputs.items()]


def convert_outputs(step: StepDefinition, outputs: Mapping[str, Any]) -> Fields:
    """Return the declared outputs of a step in their types. Raises StepError."""
    return {output.output_name: _convert(output, outputs) for output in step.output_parameters}


def _convert(output: OutputParameter, outputs: Mapping[str, Any]) -> Any:
    if output.output_name not in outputs:
        raise StepError(f"ClientError: Output parameter '{output.output_name}' is missing.")
    value = outputs[output.output_name]
    try:
        return CONVERSIONS[output.output_type](value)
    except (TypeError, ValueError):
        problem = f"{value!r} of output parameter '{output.output_name}' is not of type {output.output_type}"
        raise StepError(f"ClientError: {problem}.") from None


def _to_boolean(value: Any) -> bool:
    if to_text(value).lower() not in ("true", "false"):
        raise ValueError(value)
    return to_text(value).lower() == "true"


#: Conversion of a value by the name of its type. Raises ValueError.
CONVERSIONS: dict[str, Callable[[Any], Any]] = {
    "String": to_text,
    "Integer": int,
    "Float": float,
    "Boolean": _to_boolean,
}
