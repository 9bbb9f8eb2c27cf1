"""CloudFormation makes, changes and deletes the resources that SageMaker answers for, instead of moto's records.

moto knows the types of CloudFormation when it is loaded, so that these three of SageMaker are led here and no other can
be added.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, ClassVar

from moto.sagemaker.models import FakeEndpoint, FakeEndpointConfig, Model

from sagemaker_sandbox.errors import ApiError
from sagemaker_sandbox.plane.control_plane import ControlPlane

#: moto's class to what SageMaker calls the resource.
_KINDS = ((Model, "Model"), (FakeEndpointConfig, "EndpointConfig"), (FakeEndpoint, "Endpoint"))
_IN_PROGRESS = ("Creating", "Updating", "RollingBack", "Deleting")
#: What a template says of an endpoint that can change while it serves.
_UPDATED = ("EndpointConfigName", "DeploymentConfig", "RetainAllVariantProperties", "ExcludeRetainedVariantProperties")


@dataclass
class Made:
    """A resource of a stack: SageMaker has it, CloudFormation knows its ARN and its name."""

    kind: str
    arn: str
    type: str = ""
    #: The SageMaker that has them all.
    plane: ClassVar[ControlPlane]

    @property
    def name(self) -> str:
        """What SageMaker's operations call it by."""
        return self.arn.rsplit("/", 1)[1]

    @property
    def physical_resource_id(self) -> str:
        """What Ref gives."""
        return self.arn

    def is_created(self) -> bool:
        """Whoever made it has waited."""
        return True

    def status(self) -> str:
        """What the endpoint is at; empty once it is gone."""
        _, _, _, region, account, _ = self.arn.split(":", 5)
        try:
            answer = self.plane.call(account, region, "DescribeEndpoint", {"EndpointName": self.name})
        except ApiError:
            return ""
        return str(answer["EndpointStatus"])

    def settled(self, seconds: float = 30.0) -> "Made":
        """Itself, once an endpoint is in service, has failed or is gone: no stack is complete before."""
        deadline = time.monotonic() + seconds
        while self.kind == "Endpoint" and self.status() in _IN_PROGRESS and time.monotonic() < deadline:
            time.sleep(0.05)
        return self

    def has_cfn_attr(self, attr: str) -> bool:
        """Whether `get_cfn_attribute` knows it."""
        return attr == f"{self.kind}Name"

    def get_cfn_attribute(self, attribute_name: str) -> str:
        """What Fn::GetAtt gives."""
        # Here: CloudFormation loads half of moto, and few ask for it.
        from moto.cloudformation.exceptions import UnformattedGetAttTemplateException

        if not self.has_cfn_attr(attribute_name):
            raise UnformattedGetAttTemplateException
        return self.name


def share(plane: ControlPlane) -> None:
    """Lead moto's CloudFormation to the plane."""
    Made.plane = plane
    for of_moto, kind in _KINDS:
        _lead(plane, of_moto, kind)


@contextmanager
def _refusals() -> Iterator[None]:
    """What SageMaker refuses, CloudFormation refuses."""
    try:
        yield
    except ApiError as error:
        from moto.cloudformation.exceptions import ValidationError

        raise ValidationError(message=f"{error.code}: {error.message}") from None


def _afterwards(delete: Callable[[], None]) -> None:
    """Delete what was replaced once the rest of the stack is updated, which may depend on it; failing ends nothing."""
    # Here: CloudFormation loads half of moto, and few ask for it.
    from flask import after_this_request
    from moto.cloudformation.exceptions import ValidationError

    @after_this_request
    def clean_up(response: Any) -> Any:
        with suppress(ValidationError):
            delete()
        return response


def _lead(plane: ControlPlane, of_moto: Any, kind: str) -> None:
    @_refusals()
    def create(resource_name: str, cloudformation_json: Any, account_id: str, region_name: str, **_: Any) -> Made:
        request = {f"{kind}Name": resource_name} | cloudformation_json["Properties"]
        answer = plane.call(account_id, region_name, f"Create{kind}", request)
        return Made(kind, answer[f"{kind}Arn"]).settled()

    @_refusals()
    def update(
        original_resource: Made, new_resource_name: str, cloudformation_json: Any, account_id: str, region_name: str
    ) -> Made:
        if kind == "Endpoint":
            said = cloudformation_json["Properties"]
            wanted = {member: said[member] for member in _UPDATED if member in said}
            plane.call(account_id, region_name, "UpdateEndpoint", {"EndpointName": original_resource.name, **wanted})
            return original_resource.settled()
        made = create(new_resource_name, cloudformation_json, account_id, region_name)
        _afterwards(lambda: delete(original_resource.arn, cloudformation_json, account_id, region_name))
        return made

    @_refusals()
    def delete(resource_name: str, cloudformation_json: Any, account_id: str, region_name: str) -> None:
        del cloudformation_json
        name = resource_name.rsplit("/", 1)[-1]
        plane.call(account_id, region_name, f"Delete{kind}", {f"{kind}Name": name})
        Made(kind, f"arn:aws:sagemaker:{region_name}:{account_id}:{kind.lower()}/{name}").settled()

    of_moto.create_from_cloudformation_json = staticmethod(create)
    of_moto.update_from_cloudformation_json = staticmethod(update)
    of_moto.delete_from_cloudformation_json = staticmethod(delete)
