"""SageMaker's HTTP interfaces: control plane (JSON 1.1), SageMaker Runtime and Feature Store Runtime (REST)."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from werkzeug import Request, Response

from sagemaker_sandbox.base import signature
from sagemaker_sandbox.base.errors import ApiError, NotEmulatedError, SerializationError, ValidationError
from sagemaker_sandbox.base.validation import validate
from sagemaker_sandbox.control_plane import moto_operations, runtime_api
from sagemaker_sandbox.control_plane.control_plane import ControlPlane, convert_to_json
from sagemaker_sandbox.control_plane.registry import OPERATIONS, RegionParts
from sagemaker_sandbox.feature_store import api as feature_store_api
from sagemaker_sandbox.feature_store.api import FeatureRecords
from sagemaker_sandbox.feature_store.records import RecordError
from sagemaker_sandbox.iam import roles
from sagemaker_sandbox.resources.callers import act_for
from sagemaker_sandbox.resources.handlers import SupportLevel
from sagemaker_sandbox.resources.resources import Fields
from sustainable_mlops.aws.service_model import load_service_model

#: Prefix of the X-Amz-Target header.
TARGET = "SageMaker."
_METRICS = re.compile(r"/(?P<operation>Batch(Put|Get)Metrics)")


class Api:
    """Handler of every request that is signed for SageMaker. `moto` responds to recorded operations."""

    def __init__(self, plane: ControlPlane, moto: Callable[[Request], Response]) -> None:
        self._plane = plane
        self._moto = moto

    def respond(self, request: Request, account: str, region: str) -> Response:
        """Return the response to one request, also for errors."""
        target = request.headers.get("X-Amz-Target", "")
        try:
            if target:
                return self._respond_control_plane(target, request, account, region)
            if metrics := _METRICS.fullmatch(request.path):
                return self._respond_metrics(metrics["operation"], request)
            parts = self._plane.get_parts(account, region)
            if (operation := runtime_api.find_operation(request)) is not None:
                return _respond_runtime(parts, operation, request)
            return _create_json_response(_respond_records(parts, request))
        except ApiError as error:
            return _create_error_response(error, rest=not target)
        except RecursionError:
            return _create_error_response(SerializationError("The request is nested too deeply."), rest=not target)

    def _respond_control_plane(self, target: str, request: Request, account: str, region: str) -> Response:
        operation = self._plane.find_operation(target.removeprefix(TARGET))
        fields = _parse_body(request, SerializationError)
        if (
            operation.part is None or moto_operations.is_answered_by_moto(operation.name, fields)
        ) and operation.support.level is not SupportLevel.REFUSED:
            self._plane.check_request(account, operation, fields)
            return _add_tags(self._moto(request), account, region, fields)
        key = signature.parse_signature(request).key
        with act_for(lambda: roles.find_principal(key)):
            return _create_json_response(self._plane.call(account, region, operation.name, fields))

    def _respond_metrics(self, operation: str, request: Request) -> Response:
        metrics_operation = OPERATIONS.operations["sagemaker-metrics", operation]
        if metrics_operation.support.level is SupportLevel.REFUSED:
            raise NotEmulatedError(operation, metrics_operation.support.note)
        shape = load_service_model("sagemaker-metrics").operation_model(operation).input_shape
        assert shape is not None
        validate(_parse_body(request, ValidationError), shape)
        return self._moto(request)


def _add_tags(response: Response, account: str, region: str, request: Fields) -> Response:
    """Return moto's response, after the requested tags were added to the recorded resource."""
    arns = response.get_json(force=True, silent=True) if response.status_code < 300 and request.get("Tags") else None
    for member, arn in (arns or {}).items():
        if member.endswith("Arn"):
            moto_operations.set_tags(account, region, arn, request["Tags"])
    return response


def _parse_body(request: Request, error_type: type[ApiError]) -> Fields:
    try:
        fields = json.loads(request.get_data() or b"{}")
    except (ValueError, RecursionError) as error:
        raise error_type(f"The request is not JSON: {type(error).__name__}: {error}") from None
    if not isinstance(fields, dict):
        raise error_type("The request is not a JSON object.")
    return fields


def _respond_records(parts: RegionParts, request: Request) -> Fields:
    operation, arguments = feature_store_api.parse_request(request)
    found_operation = OPERATIONS.find(FeatureRecords.service, operation)
    if found_operation is None:
        raise RecordError(f"Feature Store Runtime has no operation {operation}.")
    if found_operation.support.level is SupportLevel.REFUSED:
        raise NotEmulatedError(operation, found_operation.support.note)
    shape = load_service_model(FeatureRecords.service).operation_model(operation).input_shape
    assert shape is not None
    try:
        validate(arguments, shape)
    except ValidationError as error:
        raise RecordError(error.message) from None
    present_arguments = {member: value for member, value in arguments.items() if value is not None}
    response: Fields = getattr(parts.get(FeatureRecords), found_operation.method)(present_arguments)
    return response


def _respond_runtime(parts: RegionParts, operation: str, request: Request) -> Response:
    runtime_operation = OPERATIONS.operations[runtime_api.SERVICE, operation]
    if runtime_operation.support.level is SupportLevel.REFUSED or runtime_operation.part is None:
        raise NotEmulatedError(operation, runtime_operation.support.note)
    response: Fields = getattr(parts.get(runtime_operation.part), runtime_operation.method)(
        runtime_api.parse_request(operation, request)
    )
    return runtime_api.build_response(operation, response)


def _create_json_response(value: Mapping[str, Any]) -> Response:
    return Response(json.dumps(convert_to_json(value)), content_type="application/x-amz-json-1.1")


def _create_error_response(error: ApiError, *, rest: bool) -> Response:
    """Return the error. JSON 1.1 names it in the body, REST in a header."""
    body: Fields = {"Message": error.message} if rest else {"__type": error.code, "message": error.message}
    body |= error.details
    response = Response(json.dumps(body), status=error.status, content_type="application/x-amz-json-1.1")
    response.headers["x-amzn-ErrorType"] = error.code
    return response
