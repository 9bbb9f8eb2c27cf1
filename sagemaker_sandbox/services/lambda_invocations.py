"""Lambda's Invoke. moto runs functions in containers of Docker; here a Python function runs as in a Lambda step.

Source: API reference, Invoke. Functions in other languages are refused.
"""

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol

from sagemaker_sandbox.base.errors import ApiError, NotEmulatedError, ValidationError
from sagemaker_sandbox.pipelines.functions import FunctionFailedError, UnsupportedRuntimeError
from sagemaker_sandbox.pipelines.services import StepError
from sagemaker_sandbox.resources.handlers import emulated_operation
from sagemaker_sandbox.resources.resources import Fields
from sagemaker_sandbox.services.registry import ServiceOperations, ServiceRequest

_LATEST = "$LATEST"


class FunctionServices(Protocol):
    """The functions of one Region of an account."""

    def has_function(self, name_or_arn: str) -> bool:
        """Return whether the function exists."""

    def invoke(self, function_arn: str, event: Fields) -> Any:
        """Return the result of a function. Raises StepError."""

    def start(self, name: str, work: Callable[[], None]) -> None:
        """Run `work` in a thread."""


class LambdaInvocations(ServiceOperations):
    """Invocation of functions. `find_functions` returns the functions of an account and a Region."""

    service = signing_name = "lambda"
    moto_service = "lambda"

    def __init__(self, find_functions: Callable[[str, str], FunctionServices]) -> None:
        self._find_functions = find_functions

    @emulated_operation
    def invoke(self, request: ServiceRequest) -> Fields:
        """Run the function, or start it for the type Event. A failed function is a response, not an error."""
        parameters = request.parameters
        name, kind = parameters["FunctionName"], parameters.get("InvocationType") or "RequestResponse"
        services = self._find_functions(request.account, request.region)
        if not services.has_function(name):
            raise ApiError(f"Function not found: {name}", code="ResourceNotFoundException", status=404)
        try:
            event = json.loads(parameters.get("Payload") or b"{}")
        except ValueError as error:
            raise ValidationError(f"Could not parse request body into json: {error}") from None
        if kind == "DryRun":
            return {"StatusCode": 204}
        if kind == "Event":
            services.start(f"function {name}", lambda: _invoke_without_result(services, name, event))
            return {"StatusCode": 202}
        response = {"StatusCode": 200, "ExecutedVersion": _LATEST}
        try:
            return response | {"Payload": json.dumps(services.invoke(name, event)).encode()}
        except UnsupportedRuntimeError as error:
            raise NotEmulatedError(f"Invoke of {name}", error.message) from None
        except StepError as error:
            kind_of_error = error.error_type if isinstance(error, FunctionFailedError) else "Unhandled"
            failure = {"errorMessage": error.message, "errorType": kind_of_error}
            return response | {"FunctionError": "Unhandled", "Payload": json.dumps(failure).encode()}


def _invoke_without_result(services: FunctionServices, name: str, event: Fields) -> None:
    """Invoke a function, and ignore its result and its failure."""
    with suppress(StepError):
        services.invoke(name, event)
