"""The requests that steps make, as the role that the automation has assumed."""

import json
import re
from collections.abc import Mapping
from typing import Any

from botocore import xform_name
from botocore.exceptions import BotoCoreError, ClientError, UnknownServiceError

from sagemaker_sandbox import permissions
from sagemaker_sandbox.context import SandboxContext
from sagemaker_sandbox.permissions import DeliveryNotPermittedError, ServiceCall
from sustainable_mlops.aws.service_model import service_model

SERVICE = "ssm.amazonaws.com"
_WORDS = re.compile(r"(?<=[a-z])(?=[A-Z])")


class AskingError(Exception):
    """A request that was refused, or could not be made: the step fails with these words."""


class Asking:
    """Requests on behalf of an account in a Region. Without a role nobody is asked whether they are allowed: the
    automation acts as who has started it."""

    def __init__(self, context: SandboxContext, account: str, region: str, role: str) -> None:
        self._context = context
        self._account = account
        self._region = region
        self._role = role

    def ask(self, service: str, api: str, parameters: Mapping[str, Any]) -> Any:
        """The answer as JSON has it. Raises AskingError."""
        operation = _operation(service, api)
        call = ServiceCall(service, operation, dict(parameters), self._about(service, operation, parameters))
        try:
            self._must_be_allowed(call)
            client = self._context.customer_client(service, self._region, self._account)
            answer = getattr(client, xform_name(operation))(**call.parameters)
        except DeliveryNotPermittedError as error:
            raise AskingError(
                f"An error occurred (AccessDeniedException) when calling the {operation} operation: {error}"
            ) from None
        except (ClientError, BotoCoreError) as error:
            raise AskingError(str(error)) from None
        return json.loads(json.dumps(answer, default=str))

    def _must_be_allowed(self, call: ServiceCall) -> None:
        if not self._role:
            return
        permissions.check_role(self._account, self._role, SERVICE, call)
        permissions.check_role_key(self._context, self._account, self._role, call)
        permissions.check_endpoint_deletion(self._context, self._account, self._region, self._role, call)

    def _about(self, service: str, operation: str, parameters: Mapping[str, Any]) -> str | None:
        """The ARN that a request is about, where that is plain from what it says."""
        place = f"{self._region}:{self._account}"
        if service == "cloudwatch" and operation == "DescribeAlarms":
            names = parameters.get("AlarmNames") or []
            # Composite alarms are shown to who may see all alarms alone, as the API reference has it.
            alone = "CompositeAlarm" not in (parameters.get("AlarmTypes") or []) and len(names) == 1
            return f"arn:aws:cloudwatch:{place}:alarm:{names[0]}" if alone else "*"
        for name, value in parameters.items():
            if isinstance(value, str) and value.startswith("arn:"):
                return value
            if service == "sagemaker" and name.endswith("Name") and isinstance(value, str):
                return f"arn:aws:sagemaker:{place}:{_WORDS.sub('-', name.removesuffix('Name')).lower()}/{value.lower()}"
        return None


def _operation(service: str, api: str) -> str:
    """botocore's name of an operation, which may be given as a method's. Raises AskingError."""
    try:
        known = service_model(service).operation_names
    except UnknownServiceError:
        raise AskingError(f"There is no service {service}") from None
    found = next((name for name in known if api in (name, xform_name(name))), None)
    if found is None:
        raise AskingError(f"{service} has no operation {api}")
    return str(found)
