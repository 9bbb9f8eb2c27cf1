"""What may go wrong with which operation: botocore's models and AWS's common errors say so, and the sandbox's jobs."""

from collections.abc import Mapping

from botocore.exceptions import UnknownServiceError
from botocore.model import Shape

from sagemaker_sandbox.faults.fault import SAGEMAKER, Fault
from sustainable_mlops.aws.service_model import service_model
from sustainable_mlops.errors import UserError, did_you_mean

#: Services whose operations need no prefix.
_OWN = (SAGEMAKER, "sagemaker-runtime", "sagemaker-featurestore-runtime", "sagemaker-metrics")

CAPACITY, INTERNAL, SPOT = "CapacityError", "InternalServerError", "SpotInterruption"
FAILED, CREATE_FAILED = "Failed", "CreateFailed"

#: How what an operation of SageMaker makes may fail, the request itself being accepted.
OUTCOMES: Mapping[str, tuple[str, ...]] = {
    "CreateTrainingJob": (CAPACITY, INTERNAL, SPOT),
    "CreateProcessingJob": (CAPACITY, INTERNAL),
    "CreateTransformJob": (CAPACITY, INTERNAL),
    "CreateEndpoint": (FAILED,),
    "UpdateEndpoint": (FAILED,),
    "CreateFeatureGroup": (CREATE_FAILED,),
}
#: Operations of SageMaker whose resource may stay longer in the status that they put it in.
SLOW = (
    *("CreateTrainingJob", "CreateProcessingJob", "CreateTransformJob"),
    *("CreateEndpoint", "UpdateEndpoint", "UpdateEndpointWeightsAndCapacities", "DeleteEndpoint"),
    *("CreateFeatureGroup", "UpdateFeatureGroup", "DeleteFeatureGroup"),
    *("DeleteHyperParameterTuningJob", "CreateInferenceRecommendationsJob"),
)

#: Code to HTTP status of the errors that any operation may answer: the page "Common Errors" of each service's API
#: reference, "Error Responses" of S3's and "Error codes for the Amazon EC2 API".
_COMMON = {
    "ThrottlingException": 400,
    "InternalFailure": 500,
    "ServiceUnavailable": 503,
    "AccessDeniedException": 400,
    "ExpiredTokenException": 403,
}
_QUERY = {
    "Throttling": 400,
    "InternalFailure": 500,
    "ServiceUnavailable": 503,
    "AccessDenied": 403,
    "ExpiredToken": 403,
    "InvalidClientTokenId": 403,
}
_OF_SERVICE = {
    "s3": {
        "SlowDown": 503,
        "InternalError": 500,
        "ServiceUnavailable": 503,
        "AccessDenied": 403,
        "ExpiredToken": 400,
    },
    "ec2": {"RequestLimitExceeded": 503, "InternalError": 500, "Unavailable": 503, "UnauthorizedOperation": 403},
}


def resolve(fault: Fault) -> Fault:
    """The fault with its operation's service written out. Raises UserError for one that cannot come about."""
    fault = fault.model_copy(update={"operation": ":".join(_operation(fault))})
    if not (fault.error or fault.delay or fault.status_delay):
        raise UserError(f"{fault.operation}: what is to go wrong? Say an error, a delay or a delay of the status")
    _check_error(fault)
    _check_combination(fault)
    return fault


def status(service: str, operation: str, error: str) -> int | None:
    """The HTTP status of an error that the operation may answer; None for one that it does not know."""
    return _errors(service, operation).get(error)


def _operation(fault: Fault) -> tuple[str, str]:
    services = (fault.service,) if ":" in fault.operation else _OWN
    names: dict[str, str] = {}
    for service in services:
        try:
            names |= dict.fromkeys(service_model(service).operation_names, service)
        except UnknownServiceError:
            raise UserError(f"botocore knows no service {service}{did_you_mean(service, _services())}") from None
    if fault.name not in names:
        where = fault.service if ":" in fault.operation else "SageMaker"
        hint = did_you_mean(fault.name, names)
        others = "" if ":" in fault.operation else "; another service's is said as s3:PutObject"
        raise UserError(f"{where} has no operation {fault.name}{hint}{others}")
    return names[fault.name], fault.name


def _services() -> list[str]:
    import botocore.session

    services: list[str] = botocore.session.get_session().get_available_services()
    return services


def _check_error(fault: Fault) -> None:
    known = [*_errors(fault.service, fault.name), *outcomes(fault)]
    if fault.error is not None and fault.error not in known:
        raise UserError(f"{fault.operation} has no error {fault.error}{did_you_mean(fault.error, known)}")


def _check_combination(fault: Fault) -> None:
    if fault.status_delay and (fault.service != SAGEMAKER or fault.name not in SLOW):
        raise UserError(f"{fault.operation}: nothing stays under way here; that can be said of {', '.join(SLOW)}")
    if fault.after_checkpoints is not None and fault.error != SPOT:
        raise UserError(f"{fault.operation}: checkpoints are waited for by {SPOT} alone")
    of_request = bool(fault.delay) or (fault.error is not None and fault.error not in outcomes(fault))
    if sum((of_request, bool(fault.status_delay), fault.error in outcomes(fault))) > 1:
        raise UserError(
            f"{fault.operation}: an answer, the time under way and the way it fails are faults of their own: "
            "ask for one at a time"
        )


def outcomes(fault: Fault) -> tuple[str, ...]:
    """How what the fault's operation makes may fail."""
    return OUTCOMES.get(fault.name, ()) if fault.service == SAGEMAKER else ()


def _errors(service: str, operation: str) -> dict[str, int]:
    model = service_model(service)
    common = _OF_SERVICE.get(service) or (_QUERY if model.resolved_protocol == "query" else _COMMON)
    shapes = model.operation_model(operation).error_shapes
    return common | dict(_code_and_status(shape) for shape in shapes)


def _code_and_status(shape: Shape) -> tuple[str, int]:
    """As the model says them, else the shape's name, and whose fault it is."""
    said = shape.metadata.get("error", {})
    its_fault = vars(shape)["_shape_model"].get("fault")  # which botocore leaves out of the metadata
    return said.get("code", shape.name), said.get("httpStatusCode") or (500 if its_fault else 400)
