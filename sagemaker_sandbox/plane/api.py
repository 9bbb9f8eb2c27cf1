"""SageMaker's HTTP interfaces: the control plane (JSON 1.1), SageMaker Runtime and Feature Store Runtime (REST)."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from werkzeug import Request, Response

from sustainable_mlops.aws.service_model import service_model
from sagemaker_sandbox.errors import ApiError, NotEmulatedError, SerializationError, ValidationError
from sagemaker_sandbox.featurestore import api as feature_store_api
from sagemaker_sandbox.featurestore.api import Records
from sagemaker_sandbox.featurestore.records import RecordError
from sagemaker_sandbox.parts.handlers import SupportLevel
from sagemaker_sandbox.parts.resources import Fields
from sagemaker_sandbox.plane import moto_operations, runtime_api
from sagemaker_sandbox.plane.control_plane import ControlPlane, json_value
from sagemaker_sandbox.plane.moto_tags import keep
from sagemaker_sandbox.plane.registry import COVERAGE, Parts
from sagemaker_sandbox.validation import validate

TARGET = "SageMaker."
_METRICS = re.compile(r"/(?P<operation>Batch(Put|Get)Metrics)")


class Api:
    """Answers any request that is signed for SageMaker. `moto` answers what is only recorded."""

    def __init__(self, plane: ControlPlane, moto: Callable[[Request], Response]) -> None:
        self._plane = plane
        self._moto = moto

    def respond(self, request: Request, account: str, region: str) -> Response:
        """The answer to one request, errors included."""
        target = request.headers.get("X-Amz-Target", "")
        try:
            if target:
                return self._control_plane(target, request, account, region)
            if metrics := _METRICS.fullmatch(request.path):
                return self._metrics(metrics["operation"], request)
            parts = self._plane.parts(account, region)
            if (operation := runtime_api.asked(request)) is not None:
                return _invoke(parts, operation, request)
            return _json(_records(parts, request))
        except ApiError as error:
            return _refusal(error, rest=not target)
        except RecursionError:
            return _refusal(SerializationError("The request is nested too deeply."), rest=not target)

    def _control_plane(self, target: str, request: Request, account: str, region: str) -> Response:
        known = self._plane.known(target.removeprefix(TARGET))
        fields = _body(request, SerializationError)
        if (known.part is None or moto_operations.is_about(known.name, fields)) and known.declared.level is not SupportLevel.REFUSED:
            self._plane.check(account, known, fields)
            return _tagged(self._moto(request), account, region, fields)
        return _json(self._plane.call(account, region, known.name, fields))

    def _metrics(self, operation: str, request: Request) -> Response:
        known = COVERAGE.operations["sagemaker-metrics", operation]
        if known.declared.level is SupportLevel.REFUSED:
            raise NotEmulatedError(operation, known.declared.note)
        shape = service_model("sagemaker-metrics").operation_model(operation).input_shape
        assert shape is not None
        validate(_body(request, ValidationError), shape)
        return self._moto(request)


def _tagged(answer: Response, account: str, region: str, request: Fields) -> Response:
    """moto's answer; what it has recorded has the tags that were asked for."""
    made = answer.get_json(force=True, silent=True) if answer.status_code < 300 and request.get("Tags") else None
    for member, arn in (made or {}).items():
        if member.endswith("Arn"):
            keep(account, region, arn, request["Tags"])
    return answer


def _body(request: Request, refused: type[ApiError]) -> Fields:
    try:
        fields = json.loads(request.get_data() or b"{}")
    except (ValueError, RecursionError) as error:
        raise refused(f"The request is not JSON: {type(error).__name__}: {error}") from None
    if not isinstance(fields, dict):
        raise refused("The request is not a JSON object.")
    return fields


def _records(parts: Parts, request: Request) -> Fields:
    operation, arguments = feature_store_api.read(request)
    known = COVERAGE.find(Records.service, operation)
    if known is None:
        raise RecordError(f"Feature Store Runtime has no operation {operation}.")
    if known.declared.level is SupportLevel.REFUSED:
        raise NotEmulatedError(operation, known.declared.note)
    shape = service_model(Records.service).operation_model(operation).input_shape
    assert shape is not None
    try:
        validate(arguments, shape)
    except ValidationError as error:
        raise RecordError(error.message) from None
    given = {member: value for member, value in arguments.items() if value is not None}
    answer: Fields = getattr(parts.of(Records), known.method)(given)
    return answer


def _invoke(parts: Parts, operation: str, request: Request) -> Response:
    known = COVERAGE.operations[runtime_api.SERVICE, operation]
    if known.declared.level is SupportLevel.REFUSED or known.part is None:
        raise NotEmulatedError(operation, known.declared.note)
    answer: Fields = getattr(parts.of(known.part), known.method)(runtime_api.read(operation, request))
    return runtime_api.written(operation, answer)


def _json(value: Mapping[str, Any]) -> Response:
    return Response(json.dumps(json_value(value)), content_type="application/x-amz-json-1.1")


def _refusal(error: ApiError, *, rest: bool) -> Response:
    """JSON 1.1 names the error in the body, REST in a header."""
    body: Fields = {"Message": error.message} if rest else {"__type": error.code, "message": error.message}
    body |= error.details
    response = Response(json.dumps(body), status=error.status, content_type="application/x-amz-json-1.1")
    response.headers["x-amzn-ErrorType"] = error.code
    return response
