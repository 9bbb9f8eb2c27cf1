"""CloudFormation makes, changes and deletes the resources that SageMaker answers for, instead of moto's records.

moto knows the types of CloudFormation when it is loaded, so that these three of SageMaker are led here and no other can
be added.
"""

from dataclasses import dataclass
from typing import Any

from moto.sagemaker.models import FakeEndpoint, FakeEndpointConfig, Model

from sustainable_mlops.sandbox.plane.control_plane import ControlPlane

#: moto's class to what SageMaker calls the resource.
_KINDS = ((Model, "Model"), (FakeEndpointConfig, "EndpointConfig"), (FakeEndpoint, "Endpoint"))


@dataclass
class Made:
    """A resource of a stack: SageMaker has it, CloudFormation knows its ARN and its name."""

    kind: str
    arn: str
    type: str = ""

    @property
    def name(self) -> str:
        """What SageMaker's operations call it by."""
        return self.arn.rsplit("/", 1)[1]

    @property
    def physical_resource_id(self) -> str:
        """What Ref gives."""
        return self.arn

    def is_created(self) -> bool:
        """A stack does not wait for an endpoint to be in service."""
        return True

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
    for of_moto, kind in _KINDS:
        _lead(plane, of_moto, kind)


def _lead(plane: ControlPlane, of_moto: Any, kind: str) -> None:
    def create(resource_name: str, cloudformation_json: Any, account_id: str, region_name: str, **_: Any) -> Made:
        request = {f"{kind}Name": resource_name} | cloudformation_json["Properties"]
        answer = plane.call(account_id, region_name, f"Create{kind}", request)
        return Made(kind, answer[f"{kind}Arn"])

    def update(
        original_resource: Made, new_resource_name: str, cloudformation_json: Any, account_id: str, region_name: str
    ) -> Made:
        if kind == "Endpoint":
            wanted = {"EndpointConfigName": cloudformation_json["Properties"]["EndpointConfigName"]}
            plane.call(account_id, region_name, "UpdateEndpoint", {"EndpointName": original_resource.name, **wanted})
            return original_resource
        made = create(new_resource_name, cloudformation_json, account_id, region_name)
        delete(original_resource.arn, cloudformation_json, account_id, region_name)
        return made

    def delete(resource_name: str, cloudformation_json: Any, account_id: str, region_name: str) -> None:
        del cloudformation_json
        plane.call(account_id, region_name, f"Delete{kind}", {f"{kind}Name": resource_name.rsplit("/", 1)[-1]})

    of_moto.create_from_cloudformation_json = staticmethod(create)
    of_moto.update_from_cloudformation_json = staticmethod(update)
    of_moto.delete_from_cloudformation_json = staticmethod(delete)
