"""CloudWatch Logs operations that change the KMS key of an existing log group. moto has neither of them."""

from typing import Any

from sagemaker_sandbox.resources.handlers import emulated_operation
from sagemaker_sandbox.resources.resources import Fields
from sagemaker_sandbox.services.registry import ServiceOperations, ServiceRequest


class LogGroupKeyOperations(ServiceOperations):
    """Operations of log groups' keys."""

    service = moto_service = signing_name = "logs"

    @emulated_operation
    def associate_kms_key(self, request: ServiceRequest) -> Fields:
        """Set the key of a log group."""
        _find_group(request).kms_key_id = request.parameters["kmsKeyId"]
        return {}

    @emulated_operation
    def disassociate_kms_key(self, request: ServiceRequest) -> Fields:
        """Remove the key of a log group."""
        _find_group(request).kms_key_id = None
        return {}


def _find_group(request: ServiceRequest) -> Any:
    """Return the log group that a request names, by its name or its ARN."""
    from moto.logs.exceptions import ResourceNotFoundException
    from moto.logs.models import logs_backends

    name = request.parameters.get("logGroupName")
    if not name:
        arn = request.parameters.get("resourceIdentifier") or ""
        name = arn.partition(":log-group:")[2].removesuffix(":*")
    group = logs_backends[request.account][request.region].groups.get(name)
    if group is None:
        raise ResourceNotFoundException()
    return group
