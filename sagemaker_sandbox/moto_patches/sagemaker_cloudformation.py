"""CloudFormation support for models, endpoint configurations and endpoints of this package instead of moto's records.

moto fixes its list of CloudFormation types when it loads. These three types of SageMaker are therefore redirected here,
and no other type can be added.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, ClassVar

from moto.sagemaker.models import FakeEndpoint, FakeEndpointConfig, Model

from sagemaker_sandbox.errors import ApiError
from sagemaker_sandbox.plane.control_plane import ControlPlane

#: moto's classes with SageMaker's name of the resource.
_KINDS = ((Model, "Model"), (FakeEndpointConfig, "EndpointConfig"), (FakeEndpoint, "Endpoint"))
_IN_PROGRESS = ("Creating", "Updating", "RollingBack", "Deleting")
#: Properties of an endpoint that an update can change.
_UPDATABLE_PROPERTIES = (
    "EndpointConfigName",
    "DeploymentConfig",
    "RetainAllVariantProperties",
    "ExcludeRetainedVariantProperties",
)


@dataclass
class StackResource:
    """A resource of a stack. SageMaker has the resource, and CloudFormation knows its ARN and its name."""

    kind: str
    arn: str
    type: str = ""
    #: Control plane with all resources.
    plane: ClassVar[ControlPlane]

    @property
    def name(self) -> str:
        """Name of the resource in SageMaker's operations."""
        return self.arn.rsplit("/", 1)[1]

    @property
    def physical_resource_id(self) -> str:
        """Value of Ref."""
        return self.arn

    def is_created(self) -> bool:
        """Return True, because the creation has waited for the resource."""
        return True

    def status(self) -> str:
        """Return the status of the endpoint, or an empty string after its deletion."""
        _, _, _, region, account, _ = self.arn.split(":", 5)
        try:
            answer = self.plane.call(account, region, "DescribeEndpoint", {"EndpointName": self.name})
        except ApiError:
            return ""
        return str(answer["EndpointStatus"])

    def wait_until_settled(self, seconds: float = 30.0) -> "StackResource":
        """Wait until the endpoint is in service, has failed or is deleted, and return this resource.

        The stack is not complete before.
        """
        deadline = time.monotonic() + seconds
        while self.kind == "Endpoint" and self.status() in _IN_PROGRESS and time.monotonic() < deadline:
            time.sleep(0.05)
        return self

    def has_cfn_attr(self, attr: str) -> bool:
        """Return whether `get_cfn_attribute` has the attribute."""
        return attr == f"{self.kind}Name"

    def get_cfn_attribute(self, attribute_name: str) -> str:
        """Return the value of Fn::GetAtt."""
        # Imported here: CloudFormation loads half of moto, and few tests use it.
        from moto.cloudformation.exceptions import UnformattedGetAttTemplateException

        if not self.has_cfn_attr(attribute_name):
            raise UnformattedGetAttTemplateException
        return self.name


def apply(plane: ControlPlane) -> None:
    """Redirect moto's CloudFormation to the control plane."""
    StackResource.plane = plane
    for moto_class, kind in _KINDS:
        _redirect(plane, moto_class, kind)


@contextmanager
def _translate_errors() -> Iterator[None]:
    """Turn errors of SageMaker into errors of CloudFormation."""
    try:
        yield
    except ApiError as error:
        from moto.cloudformation.exceptions import ValidationError

        raise ValidationError(message=f"{error.code}: {error.message}") from None


def _delete_later(delete: Callable[[], None]) -> None:
    """Delete a replaced resource after the rest of the stack, which may depend on it. A failure is ignored."""
    # Imported here: CloudFormation loads half of moto, and few tests use it.
    from flask import after_this_request
    from moto.cloudformation.exceptions import ValidationError

    @after_this_request
    def clean_up(response: Any) -> Any:
        with suppress(ValidationError):
            delete()
        return response


def _redirect(plane: ControlPlane, moto_class: Any, kind: str) -> None:
    @_translate_errors()
    def create(
        resource_name: str, cloudformation_json: Any, account_id: str, region_name: str, **_: Any
    ) -> StackResource:
        request = {f"{kind}Name": resource_name} | cloudformation_json["Properties"]
        answer = plane.call(account_id, region_name, f"Create{kind}", request)
        return StackResource(kind, answer[f"{kind}Arn"]).wait_until_settled()

    @_translate_errors()
    def update(
        original_resource: StackResource,
        new_resource_name: str,
        cloudformation_json: Any,
        account_id: str,
        region_name: str,
    ) -> StackResource:
        if kind == "Endpoint":
            properties = cloudformation_json["Properties"]
            changes = {member: properties[member] for member in _UPDATABLE_PROPERTIES if member in properties}
            plane.call(account_id, region_name, "UpdateEndpoint", {"EndpointName": original_resource.name, **changes})
            return original_resource.wait_until_settled()
        replacement = create(new_resource_name, cloudformation_json, account_id, region_name)
        _delete_later(lambda: delete(original_resource.arn, cloudformation_json, account_id, region_name))
        return replacement

    @_translate_errors()
    def delete(resource_name: str, cloudformation_json: Any, account_id: str, region_name: str) -> None:
        del cloudformation_json
        name = resource_name.rsplit("/", 1)[-1]
        plane.call(account_id, region_name, f"Delete{kind}", {f"{kind}Name": name})
        StackResource(kind, f"arn:aws:sagemaker:{region_name}:{account_id}:{kind.lower()}/{name}").wait_until_settled()

    moto_class.create_from_cloudformation_json = staticmethod(create)
    moto_class.update_from_cloudformation_json = staticmethod(update)
    moto_class.delete_from_cloudformation_json = staticmethod(delete)
