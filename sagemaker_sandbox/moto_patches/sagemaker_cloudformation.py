"""CloudFormation support for SageMaker's types. moto has five of them, with records of its own.

`TYPES` lists the types. Each is created, changed and deleted through SageMaker's operations, so that it is the same
resource as any other. The values of Ref and Fn::GetAtt are those of the CloudFormation template reference.
"""

import functools
import json
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, ClassVar

from botocore.model import StructureShape
from moto.core.common_models import CloudFormationModel
from moto.sagemaker import models

from sagemaker_sandbox.base.errors import ApiError
from sagemaker_sandbox.control_plane.control_plane import ControlPlane
from sagemaker_sandbox.resources.resources import Fields
from sustainable_mlops.aws.arn import Arn
from sustainable_mlops.aws.service_model import load_service_model

_IN_PROGRESS = ("Creating", "Updating", "RollingBack", "Deleting", "Pending")


@dataclass(frozen=True)
class StackType:
    """A type of CloudFormation, such as AWS::SageMaker::Pipeline."""

    #: SageMaker's name of the type in operations.
    kind: str
    #: Member of Describe and Delete that identifies a resource.
    identity: str
    arn_member: str
    #: Member of Describe with the status, if it takes time to change.
    status_member: str = ""
    #: Property with the name, if CloudFormation may generate it.
    name_member: str = ""
    #: Ref returns the identity, not the ARN.
    is_ref_identity: bool = False
    #: Properties that Update changes. A change of another property replaces the resource.
    updatable_properties: tuple[str, ...] = ()
    #: Class of moto, if it has one.
    moto_class: Any = None
    #: Operation that must precede Delete of a resource that is InService.
    stop_operation: str = ""


def _make_type(kind: str, **options: Any) -> StackType:
    identity = options.get("identity", f"{kind}Name")
    return StackType(kind, **{"identity": identity, "arn_member": f"{kind}Arn", "name_member": identity} | options)


#: Monitoring types share the names of their members.
_DEFINITION = {"identity": "JobDefinitionName", "arn_member": "JobDefinitionArn"}
_ENDPOINT_PROPERTIES = (
    "EndpointConfigName",
    "DeploymentConfig",
    "RetainAllVariantProperties",
    "ExcludeRetainedVariantProperties",
)
_PIPELINE_PROPERTIES = (
    "ParallelismConfiguration",
    "PipelineDefinition",
    "PipelineDescription",
    "PipelineDisplayName",
    "RoleArn",
)
TYPES = (
    _make_type("CodeRepository", updatable_properties=("GitConfig",)),
    _make_type("DataQualityJobDefinition", **_DEFINITION),
    _make_type(
        "Domain",
        identity="DomainId",
        name_member="DomainName",
        is_ref_identity=True,
        updatable_properties=("DefaultUserSettings", "DefaultSpaceSettings", "SubnetIds"),
    ),
    _make_type(
        "Endpoint",
        status_member="EndpointStatus",
        updatable_properties=_ENDPOINT_PROPERTIES,
        moto_class=models.FakeEndpoint,
    ),
    _make_type("EndpointConfig", moto_class=models.FakeEndpointConfig),
    _make_type("FeatureGroup", status_member="FeatureGroupStatus", is_ref_identity=True),
    _make_type("Model", moto_class=models.Model),
    _make_type("ModelBiasJobDefinition", **_DEFINITION),
    _make_type("ModelExplainabilityJobDefinition", **_DEFINITION),
    _make_type("ModelPackageGroup", updatable_properties=("ModelPackageGroupPolicy",)),
    _make_type("ModelQualityJobDefinition", **_DEFINITION),
    _make_type(
        "NotebookInstance",
        status_member="NotebookInstanceStatus",
        moto_class=models.FakeSagemakerNotebookInstance,
        stop_operation="StopNotebookInstance",
    ),
    _make_type(
        "NotebookInstanceLifecycleConfig",
        updatable_properties=("OnCreate", "OnStart"),
        moto_class=models.FakeSageMakerNotebookInstanceLifecycleConfig,
    ),
    _make_type("Pipeline", is_ref_identity=True, updatable_properties=_PIPELINE_PROPERTIES),
    _make_type("StudioLifecycleConfig", is_ref_identity=True),
)
_TYPES_BY_KIND = {stack_type.kind: stack_type for stack_type in TYPES}
#: Property that another operation sets.
_POLICY = "ModelPackageGroupPolicy"


@dataclass
class StackResource:
    """A resource of a stack. SageMaker has the resource, and CloudFormation knows its ARN and its properties."""

    kind: str
    arn: str
    #: Value of Ref.
    physical_resource_id: str
    properties: Fields
    type: str = ""
    #: Control plane with all resources.
    plane: ClassVar[ControlPlane]

    @property
    def stack_type(self) -> StackType:
        """Type of the resource."""
        return _TYPES_BY_KIND[self.kind]

    def is_created(self) -> bool:
        """Return True, because the creation has waited for the resource."""
        return True

    def call(self, operation: str, request: Fields) -> Fields:
        """Return the response to an operation on this resource."""
        identity = {self.stack_type.identity: self.arn.rsplit("/", 1)[1]}
        _, _, region, account, _ = Arn.parse(self.arn)
        return _call(self.plane, account, region, operation, identity | request)

    def describe(self) -> Fields:
        """Return the description, or an empty one after the deletion."""
        try:
            return self.call(f"Describe{self.kind}", {})
        except ApiError:
            return {}

    def wait_until_settled(self, seconds: float = 30.0) -> "StackResource":
        """Wait until the resource is ready, has failed or is deleted, and return it.

        The stack is not complete before.
        """
        member, deadline = self.stack_type.status_member, time.monotonic() + seconds
        while member and self.describe().get(member) in _IN_PROGRESS and time.monotonic() < deadline:
            time.sleep(0.05)
        return self

    def has_cfn_attr(self, attr: str) -> bool:
        """Return whether `get_cfn_attribute` has the attribute."""
        return _has_attribute(self.kind, attr)

    def get_cfn_attribute(self, attribute_name: str) -> str:
        """Return the value of Fn::GetAtt, which is a member of the description."""
        # Imported here: CloudFormation loads half of moto, and few tests use it.
        from moto.cloudformation.exceptions import UnformattedGetAttTemplateException

        if not self.has_cfn_attr(attribute_name):
            raise UnformattedGetAttTemplateException
        return str(self.describe().get(attribute_name, ""))


def apply(plane: ControlPlane) -> None:
    """Redirect moto's CloudFormation to the control plane, and add the types that moto lacks."""
    StackResource.plane = plane
    for stack_type in TYPES:
        _redirect(plane, stack_type)


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


def _redirect(plane: ControlPlane, stack_type: StackType) -> None:
    kind = stack_type.kind

    @_translate_errors()
    def create(
        resource_name: str, cloudformation_json: Any, account_id: str, region_name: str, **_: Any
    ) -> StackResource:
        properties = cloudformation_json["Properties"]
        request = {stack_type.name_member: resource_name} | _convert_properties(properties)
        arn = _call(plane, account_id, region_name, f"Create{kind}", request)[stack_type.arn_member]
        reference = arn.rsplit("/", 1)[1] if stack_type.is_ref_identity else arn
        resource = StackResource(kind, arn, reference, properties).wait_until_settled()
        _put_policy(resource, properties)
        return resource

    @_translate_errors()
    def update(
        original_resource: StackResource,
        new_resource_name: str,
        cloudformation_json: Any,
        account_id: str,
        region_name: str,
    ) -> StackResource:
        properties, former = cloudformation_json["Properties"], original_resource.properties
        changes = {name for name in properties | former if properties.get(name) != former.get(name)}
        if changes <= {*stack_type.updatable_properties, "Tags"}:
            original_resource.properties = properties
            if "Tags" in changes:
                call = functools.partial(_call, plane, account_id, region_name)
                _change_tags(call, original_resource.arn, former.get("Tags", []), properties.get("Tags", []))
            members = {name: properties[name] for name in stack_type.updatable_properties if name in properties}
            request = _convert_properties(members)
            if request:
                original_resource.call(f"Update{kind}", request)
            _put_policy(original_resource, properties)
            if _POLICY in former and _POLICY not in properties:
                original_resource.call("DeleteModelPackageGroupPolicy", {})
            return original_resource.wait_until_settled()
        replacement = create(new_resource_name, cloudformation_json, account_id, region_name)
        _delete_later(lambda: delete(original_resource.arn, cloudformation_json, account_id, region_name))
        return replacement

    @_translate_errors()
    def delete(resource_name: str, cloudformation_json: Any, account_id: str, region_name: str) -> None:
        del cloudformation_json
        name = resource_name.rsplit("/", 1)[-1]
        resource = StackResource(kind, f"arn:aws:sagemaker:{region_name}:{account_id}:any/{name}", name, {})
        if stack_type.stop_operation and resource.describe().get(stack_type.status_member) == "InService":
            resource.call(stack_type.stop_operation, {})
        resource.call(f"Delete{kind}", {})
        resource.wait_until_settled()

    moto_class = stack_type.moto_class or _create_class(kind)
    moto_class.create_from_cloudformation_json = staticmethod(create)
    moto_class.update_from_cloudformation_json = staticmethod(update)
    moto_class.delete_from_cloudformation_json = staticmethod(delete)
    moto_class.has_cfn_attr = staticmethod(lambda attr: _has_attribute(kind, attr))


def _create_class(kind: str) -> Any:
    """Return a class for a type that moto lacks. moto lists the subclasses when CloudFormation is first used."""
    members = {
        "cloudformation_name_type": staticmethod(lambda: ""),
        "cloudformation_type": staticmethod(lambda: f"AWS::SageMaker::{kind}"),
    }
    return type(f"Stack{kind}", (CloudFormationModel,), members)


def _has_attribute(kind: str, attribute: str) -> bool:
    shape = load_service_model("sagemaker").operation_model(f"Describe{kind}").output_shape
    return isinstance(shape, StructureShape) and attribute in shape.members


def _call(plane: ControlPlane, account: str, region: str, operation: str, request: Fields) -> Fields:
    """Return the response to an operation, with the idempotency tokens that an SDK would add."""
    shape = load_service_model("sagemaker").operation_model(operation).input_shape
    members = shape.members if isinstance(shape, StructureShape) else {}
    tokens = {name: str(uuid.uuid4()) for name, member in members.items() if member.metadata.get("idempotencyToken")}
    return plane.call(account, region, operation, tokens | request)


def _convert_properties(properties: Mapping[str, Any]) -> Fields:
    """Return the members of a request. Few properties differ from them."""
    request = {name: value for name, value in properties.items() if name != _POLICY}
    definition = request.get("PipelineDefinition")
    if isinstance(definition, dict):
        del request["PipelineDefinition"]
        if "PipelineDefinitionBody" in definition:
            request["PipelineDefinition"] = definition["PipelineDefinitionBody"]
        elif location := definition.get("PipelineDefinitionS3Location"):
            names = {"Bucket": "Bucket", "Key": "ObjectKey", "Version": "VersionId"}
            request["PipelineDefinitionS3Location"] = {
                member: location[name] for name, member in names.items() if name in location
            }
    return request


def _change_tags(call: Callable[[str, Fields], Fields], arn: str, former: list[Fields], tags: list[Fields]) -> None:
    """Remove the tags whose keys are gone, and set the others."""
    removed_keys = sorted({tag["Key"] for tag in former} - {tag["Key"] for tag in tags})
    if removed_keys:
        call("DeleteTags", {"ResourceArn": arn, "TagKeys": removed_keys})
    if tags:
        call("AddTags", {"ResourceArn": arn, "Tags": tags})


def _put_policy(resource: StackResource, properties: Mapping[str, Any]) -> None:
    """Set the policy of a model package group, which is a property in CloudFormation only."""
    if _POLICY in properties:
        policy = properties[_POLICY]
        text = policy if isinstance(policy, str) else json.dumps(policy)
        resource.call("PutModelPackageGroupPolicy", {"ResourcePolicy": text})
