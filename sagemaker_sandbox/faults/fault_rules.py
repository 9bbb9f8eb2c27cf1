"""Faults that can occur for each operation.

Sources: botocore's models, AWS's common errors, and the failures of the sandbox's own jobs.
"""

from collections.abc import Mapping

from botocore.exceptions import UnknownServiceError
from botocore.model import Shape

from sagemaker_sandbox.faults.fault import SAGEMAKER, Fault
from sustainable_mlops.aws.service_model import load_service_model
from sustainable_mlops.base.errors import UserError, did_you_mean

#: Services whose operations need no prefix in a fault.
_SAGEMAKER_SERVICES = (SAGEMAKER, "sagemaker-runtime", "sagemaker-featurestore-runtime", "sagemaker-metrics")

CAPACITY, INTERNAL, SPOT = "CapacityError", "InternalServerError", "SpotInterruption"
FAILED, CREATE_FAILED = "Failed", "CreateFailed"

#: Failures of a resource by the operation of SageMaker that creates it. The request itself succeeds.
FAILURES: Mapping[str, tuple[str, ...]] = {
    "CreateTrainingJob": (CAPACITY, INTERNAL, SPOT),
    "CreateProcessingJob": (CAPACITY, INTERNAL),
    "CreateTransformJob": (CAPACITY, INTERNAL),
    "CreateEndpoint": (FAILED,),
    "UpdateEndpoint": (FAILED,),
    "CreateFeatureGroup": (CREATE_FAILED,),
}
#: Operations of SageMaker whose resource can stay longer in its transitional status.
DELAYABLE_OPERATIONS = (
    *("CreateTrainingJob", "CreateProcessingJob", "CreateTransformJob"),
    *("CreateEndpoint", "UpdateEndpoint", "UpdateEndpointWeightsAndCapacities", "DeleteEndpoint"),
    *("CreateFeatureGroup", "UpdateFeatureGroup", "DeleteFeatureGroup"),
    *("DeleteHyperParameterTuningJob", "CreateInferenceRecommendationsJob"),
    *(f"{verb}MlflowTrackingServer" for verb in ("Create", "Update", "Start", "Stop", "Delete")),
    *("CreateMlflowApp", "UpdateMlflowApp", "DeleteMlflowApp"),
    *("CreateProject", "UpdateProject", "DeleteProject"),
)

#: HTTP status of the errors that any operation can return, by code. Sources: the page "Common Errors" of each service's
#: API reference, "Error Responses" of S3's, and "Error codes for the Amazon EC2 API".
_COMMON_ERRORS = {
    "ThrottlingException": 400,
    "InternalFailure": 500,
    "ServiceUnavailable": 503,
    "AccessDeniedException": 400,
    "ExpiredTokenException": 403,
}
_QUERY_ERRORS = {
    "Throttling": 400,
    "InternalFailure": 500,
    "ServiceUnavailable": 503,
    "AccessDenied": 403,
    "ExpiredToken": 403,
    "InvalidClientTokenId": 403,
}
_SERVICE_ERRORS = {
    "s3": {"SlowDown": 503, "InternalError": 500, "ServiceUnavailable": 503, "AccessDenied": 403, "ExpiredToken": 400},
    "ec2": {"RequestLimitExceeded": 503, "InternalError": 500, "Unavailable": 503, "UnauthorizedOperation": 403},
}


def resolve_fault(fault: Fault) -> Fault:
    """Return the fault with the service in its operation. Raises UserError for a fault that cannot occur."""
    fault = fault.model_copy(update={"operation": ":".join(_find_operation(fault))})
    if not (fault.error or fault.delay or fault.status_delay or fault.after_effect):
        raise UserError(f"{fault.operation}: the fault has no effect; set an error, a delay or a status delay")
    _check_error(fault)
    _check_combination(fault)
    return fault


def find_status(service: str, operation: str, error: str) -> int | None:
    """Return the HTTP status of an error that the operation can return, or None."""
    return _list_errors(service, operation).get(error)


def _find_operation(fault: Fault) -> tuple[str, str]:
    services = (fault.service,) if ":" in fault.operation else _SAGEMAKER_SERVICES
    names: dict[str, str] = {}
    for service in services:
        try:
            names |= dict.fromkeys(load_service_model(service).operation_names, service)
        except UnknownServiceError:
            raise UserError(f"botocore knows no service {service}{did_you_mean(service, _list_services())}") from None
    if fault.operation_name not in names:
        owner = fault.service if ":" in fault.operation else "SageMaker"
        hint = did_you_mean(fault.operation_name, names)
        example = "" if ":" in fault.operation else "; write the operation of another service like s3:PutObject"
        raise UserError(f"{owner} has no operation {fault.operation_name}{hint}{example}")
    return names[fault.operation_name], fault.operation_name


def _list_services() -> list[str]:
    """Return the names of all services that botocore knows."""
    import botocore.session

    services: list[str] = botocore.session.get_session().get_available_services()
    return services


def _check_error(fault: Fault) -> None:
    errors = [*_list_errors(fault.service, fault.operation_name), *list_failures(fault)]
    if fault.error is not None and fault.error not in errors:
        raise UserError(f"{fault.operation} has no error {fault.error}{did_you_mean(fault.error, errors)}")


def _check_combination(fault: Fault) -> None:
    if fault.status_delay and (fault.service != SAGEMAKER or fault.operation_name not in DELAYABLE_OPERATIONS):
        raise UserError(f"{fault.operation}: a status delay applies only to {', '.join(DELAYABLE_OPERATIONS)}")
    if fault.after_checkpoints is not None and fault.error != SPOT:
        raise UserError(f"{fault.operation}: after_checkpoints applies only to {SPOT}")
    affects_response = bool(fault.delay or fault.skip or fault.after_effect) or (
        fault.error is not None and fault.error not in list_failures(fault)
    )
    if sum((affects_response, bool(fault.status_delay), fault.error in list_failures(fault))) > 1:
        raise UserError(
            f"{fault.operation}: an error or delay of the response, a status delay and a failure are separate "
            "faults; inject one at a time"
        )


def list_failures(fault: Fault) -> tuple[str, ...]:
    """Return the possible failures of the resource that the fault's operation creates."""
    return FAILURES.get(fault.operation_name, ()) if fault.service == SAGEMAKER else ()


def _list_errors(service: str, operation: str) -> dict[str, int]:
    model = load_service_model(service)
    common = _SERVICE_ERRORS.get(service) or (_QUERY_ERRORS if model.resolved_protocol == "query" else _COMMON_ERRORS)
    shapes = model.operation_model(operation).error_shapes
    return common | dict(_find_code_and_status(shape) for shape in shapes)


def _find_code_and_status(shape: Shape) -> tuple[str, int]:
    """Return code and HTTP status as the model has them, else the shape's name and a status by the side at fault."""
    error = shape.metadata.get("error", {})
    is_server_fault = vars(shape)["_shape_model"].get("fault")  # botocore omits it from the metadata
    return error.get("code", shape.name), error.get("httpStatusCode") or (500 if is_server_fault else 400)
