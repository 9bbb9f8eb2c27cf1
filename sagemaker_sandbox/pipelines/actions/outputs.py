"""The outputs that a Callback or Lambda step declares."""

from collections.abc import Callable, Mapping
from typing import Any

from sagemaker_sandbox.pipelines.definition import OutputParameter, Step
from sagemaker_sandbox.pipelines.expressions import as_text
from sagemaker_sandbox.pipelines.outside import Fields, StepError


def listed(given: Mapping[str, Any]) -> list[Fields]:
    return [{"Name": name, "Value": as_text(value)} for name, value in given.items()]


def typed(step: Step, given: Mapping[str, Any]) -> Fields:
    """The outputs that the step declares, each of its type."""
    return {output.output_name: _converted(output, given) for output in step.output_parameters}


def _converted(output: OutputParameter, given: Mapping[str, Any]) -> Any:
    if output.output_name not in given:
        raise StepError(f"ClientError: Output parameter '{output.output_name}' is missing.")
    value = given[output.output_name]
    try:
        return CONVERSIONS[output.output_type](value)
    except (TypeError, ValueError):
        wanted = f"{value!r} of output parameter '{output.output_name}' is no {output.output_type}"
        raise StepError(f"ClientError: {wanted}.") from None


def _boolean(value: Any) -> bool:
    if as_text(value).lower() not in ("true", "false"):
        raise ValueError(value)
    return as_text(value).lower() == "true"


#: From a type's name to what makes a value of it; raises ValueError.
CONVERSIONS: dict[str, Callable[[Any], Any]] = {
    "String": as_text,
    "Integer": int,
    "Float": float,
    "Boolean": _boolean,
}
