"""API calls of automation steps, with the role of the automation."""

import json
import re
from collections.abc import Mapping
from typing import Any

from botocore import xform_name
from botocore.exceptions import BotoCoreError, ClientError, UnknownServiceError

from sagemaker_sandbox.base.context import SandboxContext
from sagemaker_sandbox.iam import permissions
from sagemaker_sandbox.iam.permissions import DeliveryNotPermittedError, ServiceCall
from sustainable_mlops.aws.service_model import load_service_model

SERVICE = "ssm.amazonaws.com"
_WORDS = re.compile(r"(?<=[a-z])(?=[A-Z])")


class ApiCallError(Exception):
    """A failed call. The message becomes the failure message of the step."""


class ApiCaller:
    """API calls in an account and Region. Without a role, permissions are not checked: the automation has those of its
    caller."""

    def __init__(self, context: SandboxContext, account: str, region: str, role: str) -> None:
        self._context = context
        self._account = account
        self._region = region
        self._role = role

    def call(self, service: str, api: str, parameters: Mapping[str, Any]) -> Any:
        """Return the response as JSON data. Raises ApiCallError."""
        operation = _find_operation(service, api)
        call = ServiceCall(service, operation, dict(parameters), self._find_resource(service, operation, parameters))
        try:
            self._check_permissions(call)
            client = self._context.customer_client(service, self._region, self._account)
            response = getattr(client, xform_name(operation))(**call.parameters)
        except DeliveryNotPermittedError as error:
            raise ApiCallError(
                f"An error occurred (AccessDeniedException) when calling the {operation} operation: {error}"
            ) from None
        except (ClientError, BotoCoreError) as error:
            raise ApiCallError(str(error)) from None
        return json.loads(json.dumps(response, default=str))

    def _check_permissions(self, call: ServiceCall) -> None:
        if not self._role:
            return
        permissions.check_role(self._account, self._role, SERVICE, call)
        permissions.check_role_key(self._context, self._account, self._role, call)
        permissions.check_endpoint_deletion(self._context, self._account, self._region, self._role, call)

    def _find_resource(self, service: str, operation: str, parameters: Mapping[str, Any]) -> str | None:
        """Return the ARN of a request's resource, or None if the parameters do not contain it."""
        location = f"{self._region}:{self._account}"
        if service == "cloudwatch" and operation == "DescribeAlarms":
            names = parameters.get("AlarmNames") or []
            # Composite alarms need permission for all alarms (API reference).
            is_single = "CompositeAlarm" not in (parameters.get("AlarmTypes") or []) and len(names) == 1
            return f"arn:aws:cloudwatch:{location}:alarm:{names[0]}" if is_single else "*"
        for name, value in parameters.items():
            if isinstance(value, str) and value.startswith("arn:"):
                return value
            if service == "sagemaker" and name.endswith("Name") and isinstance(value, str):
                return (
                    f"arn:aws:sagemaker:{location}:{_WORDS.sub('-', name.removesuffix('Name')).lower()}/{value.lower()}"
                )
        return None


def _find_operation(service: str, api: str) -> str:
    """Return botocore's name of an operation or of its method. Raises ApiCallError."""
    try:
        operations = load_service_model(service).operation_names
    except UnknownServiceError:
        raise ApiCallError(f"There is no service {service}") from None
    match = next((name for name in operations if api in (name, xform_name(name))), None)
    if match is None:
        raise ApiCallError(f"{service} has no operation {api}")
    return str(match)
