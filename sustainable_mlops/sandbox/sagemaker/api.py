"""SageMaker's HTTP interfaces: the control plane (JSON 1.1), SageMaker Runtime and Feature Store Runtime (REST)."""

import json
import re
import threading
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote

from botocore import xform_name
from werkzeug import Request, Response

from sustainable_mlops.aws.service_model import service_model
from sustainable_mlops.sandbox.context import Context
from sustainable_mlops.sandbox.errors import ApiError, NotEmulatedError, SerializationError
from sustainable_mlops.sandbox.featurestore import api as feature_store_api
from sustainable_mlops.sandbox.sagemaker.families import Families
from sustainable_mlops.sandbox.sagemaker.hosting import InvocationError, ModelFailureError
from sustainable_mlops.sandbox.sagemaker.region import Region
from sustainable_mlops.sandbox.sagemaker.resources import Fields
from sustainable_mlops.sandbox.sagemaker.shaping import shape_output
from sustainable_mlops.sandbox.validation import validate

_INVOCATION = re.compile(r"/endpoints/(?P<endpoint>[^/]+)/(?P<kind>[a-z-]*invocations[a-z-]*)")


class SageMaker:
    """All regions. `respond` answers any request that is signed for SageMaker."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.regions: dict[str, Families] = {}
        self._lock = threading.Lock()
        #: Interruptions that wait for a job: part of its name, and the checkpoints to wait for.
        self._interruptions: list[tuple[str, int]] = []

    def arm_interruption(self, job_name_contains: str, after_checkpoints: int) -> None:
        """Interrupt the next managed-spot job whose name matches, once that many of its checkpoints are in S3."""
        self._interruptions.append((job_name_contains, after_checkpoints))

    def take_interruption(self, job_name: str) -> int | None:
        """The checkpoints after which this job is to be interrupted; each armed interruption is used once."""
        for interruption in self._interruptions:
            if interruption[0] in job_name:
                self._interruptions.remove(interruption)
                return interruption[1]
        return None

    def flush(self, bucket: str) -> None:
        """Write the offline stores' rows that are bound for this bucket."""
        for families in list(self.regions.values()):
            families.feature_store.flush(bucket)

    def close(self) -> None:
        """End jobs and workers, and write what is still buffered."""
        for families in list(self.regions.values()):
            families.close()

    def region(self, name: str) -> Families:
        """What the region of that name holds; every region exists."""
        with self._lock:
            if name not in self.regions:
                self.regions[name] = Families(Region(name, self.context, self.take_interruption))
            return self.regions[name]

    def respond(self, request: Request, region_name: str) -> Response:
        """The answer to one request, errors included."""
        families = self.region(region_name)
        target = request.headers.get("X-Amz-Target", "")
        try:
            if target.startswith("SageMaker."):
                return _json(_control_plane(families, target.removeprefix("SageMaker."), request.get_data()))
            if invocation := _INVOCATION.fullmatch(request.path):
                return _invoke(families, invocation, request)
            return _json(feature_store_api.respond(families.feature_store, request))
        except ApiError as error:
            return _refusal(error, rest=not target)


def _control_plane(families: Families, operation: str, body: bytes) -> Fields:
    model = service_model("sagemaker")
    if operation not in model.operation_names:
        raise _UnknownOperationError(f"SageMaker has no operation {operation}.")
    try:
        request = json.loads(body or b"{}")
    except ValueError as error:
        raise SerializationError(f"The request is not JSON: {error}") from None
    if not isinstance(request, dict):
        raise SerializationError("The request is not a JSON object.")
    handler = _handler(families, operation)
    shapes = model.operation_model(operation)
    if shapes.input_shape is not None:
        validate(request, shapes.input_shape)
    given = {member: value for member, value in request.items() if value is not None}
    with families.region.lock:
        return shape_output(handler(given), shapes.output_shape)


def _handler(families: Families, operation: str) -> Callable[[Fields], Fields]:
    """Operations are methods of their family: CreateModel is `Models.create_model`."""
    for family in (*families.all, families.tags):
        handler: Callable[[Fields], Fields] | None = getattr(family, xform_name(operation), None)
        if handler is not None:
            return handler
    raise NotEmulatedError(operation)


def _invoke(families: Families, invocation: re.Match[str], request: Request) -> Response:
    if invocation["kind"] != "invocations":
        raise InvocationError(f"{invocation['kind']} is not emulated by the sandbox.")
    answer = families.hosting.invoke(unquote(invocation["endpoint"]), request.get_data(), request.headers)
    headers = {"x-Amzn-Invoked-Production-Variant": answer.variant}
    return Response(answer.body, content_type=answer.content_type, headers=headers)


class _UnknownOperationError(ApiError):
    code = "UnknownOperationException"


def _json(value: Mapping[str, Any]) -> Response:
    return Response(json.dumps(value), content_type="application/x-amz-json-1.1")


def _refusal(error: ApiError, *, rest: bool) -> Response:
    """JSON 1.1 names the error in the body, REST in a header."""
    body: Fields = {"Message": error.message} if rest else {"__type": error.code, "message": error.message}
    if isinstance(error, ModelFailureError):
        body |= error.details
    response = Response(json.dumps(body), status=error.status, content_type="application/x-amz-json-1.1")
    response.headers["x-amzn-ErrorType"] = error.code
    return response
