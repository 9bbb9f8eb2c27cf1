"""Application Auto Scaling's HTTP interface (JSON 1.1) for all that is SageMaker's; moto answers for the others."""

import json
from typing import Any

from werkzeug import Request, Response

from sustainable_mlops.aws.service_model import service_model
from sagemaker_sandbox.autoscaling.dimensions import NAMESPACE
from sagemaker_sandbox.errors import ApiError, NotEmulatedError
from sagemaker_sandbox.parts.handlers import SupportLevel
from sagemaker_sandbox.parts.resources import Fields
from sagemaker_sandbox.parts.shaping import shape_output
from sagemaker_sandbox.plane.control_plane import ControlPlane, json_value
from sagemaker_sandbox.plane.registry import COVERAGE, Operation
from sagemaker_sandbox.error_responses import serialize_error
from sagemaker_sandbox.validation import validate

SERVICE = "application-autoscaling"


class ScalingApi:
    """Answers requests that are signed for Application Auto Scaling."""

    def __init__(self, plane: ControlPlane) -> None:
        self._plane = plane

    def is_about_sagemaker(self, request: Request) -> bool:
        """Whether it is this API's, or moto's. Of tags, moto knows nothing."""
        known = _known(request)
        return known is not None and _fields(request).get("ServiceNamespace", NAMESPACE) == NAMESPACE

    def respond(self, request: Request, account: str, region: str) -> Response:
        """The answer to one request, errors included."""
        known = _known(request)
        assert known is not None
        try:
            answer = self._answer(known, _fields(request), account, region)
        except ApiError as error:
            return serialize_error(error, SERVICE, request.headers.get("Content-Type", ""), known.name)
        return Response(json.dumps(json_value(answer)), content_type="application/x-amz-json-1.1")

    def _answer(self, known: Operation, fields: Fields, account: str, region: str) -> Fields:
        model = service_model(SERVICE).operation_model(known.name)
        assert model.input_shape is not None
        validate(fields, model.input_shape)
        if known.declared.level is SupportLevel.REFUSED or known.part is None:
            raise NotEmulatedError(known.name, known.declared.note)
        part = self._plane.parts(account, region).of(known.part)
        given = {member: value for member, value in fields.items() if value is not None}
        return shape_output(getattr(part, known.method)(given), model.output_shape)


def _known(request: Request) -> Operation | None:
    return COVERAGE.find(SERVICE, request.headers.get("X-Amz-Target", "").rpartition(".")[2])


def _fields(request: Request) -> Fields:
    """What is no JSON object, moto is to refuse."""
    try:
        found: Any = json.loads(request.get_data() or b"{}")
    except (ValueError, RecursionError):
        found = None
    return found if isinstance(found, dict) else {"ServiceNamespace": ""}
