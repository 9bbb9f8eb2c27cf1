"""HTTP interface of Application Auto Scaling (JSON 1.1) for SageMaker's resources.

moto handles all other namespaces.
"""

import json
from typing import Any

from werkzeug import Request, Response

from sagemaker_sandbox.base.error_responses import serialize_error
from sagemaker_sandbox.base.errors import ApiError, NotEmulatedError
from sagemaker_sandbox.base.validation import validate
from sagemaker_sandbox.control_plane.control_plane import ControlPlane, convert_to_json
from sagemaker_sandbox.control_plane.registry import OPERATIONS, Operation
from sagemaker_sandbox.endpoints.autoscaling.dimensions import NAMESPACE
from sagemaker_sandbox.resources.handlers import SupportLevel
from sagemaker_sandbox.resources.resources import Fields
from sagemaker_sandbox.resources.response_shape import shape_output
from sustainable_mlops.aws.service_model import load_service_model

SERVICE = "application-autoscaling"


class ScalingApi:
    """Handler of requests that are signed for Application Auto Scaling."""

    def __init__(self, plane: ControlPlane) -> None:
        self._plane = plane

    def is_about_sagemaker(self, request: Request) -> bool:
        """Return whether this API, not moto, handles the request. It also handles all requests about tags."""
        operation = _find_operation(request)
        return operation is not None and _parse_fields(request).get("ServiceNamespace", NAMESPACE) == NAMESPACE

    def respond(self, request: Request, account: str, region: str) -> Response:
        """Return the response to one request, also for errors."""
        operation = _find_operation(request)
        assert operation is not None
        try:
            response = self._call_handler(operation, _parse_fields(request), account, region)
        except ApiError as error:
            return serialize_error(error, SERVICE, request.headers.get("Content-Type", ""), operation.name)
        return Response(json.dumps(convert_to_json(response)), content_type="application/x-amz-json-1.1")

    def _call_handler(self, operation: Operation, fields: Fields, account: str, region: str) -> Fields:
        model = load_service_model(SERVICE).operation_model(operation.name)
        assert model.input_shape is not None
        validate(fields, model.input_shape)
        if operation.support.level is SupportLevel.REFUSED or operation.part is None:
            raise NotEmulatedError(operation.name, operation.support.note)
        part = self._plane.get_parts(account, region).get(operation.part)
        present_members = {member: value for member, value in fields.items() if value is not None}
        return shape_output(getattr(part, operation.method)(present_members), model.output_shape)


def _find_operation(request: Request) -> Operation | None:
    return OPERATIONS.find(SERVICE, request.headers.get("X-Amz-Target", "").rpartition(".")[2])


def _parse_fields(request: Request) -> Fields:
    """Return the request's members. moto refuses requests that are not JSON objects."""
    try:
        fields: Any = json.loads(request.get_data() or b"{}")
    except (ValueError, RecursionError):
        fields = None
    return fields if isinstance(fields, dict) else {"ServiceNamespace": ""}
