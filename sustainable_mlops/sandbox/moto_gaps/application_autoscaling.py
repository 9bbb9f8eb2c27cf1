"""Application Auto Scaling: moto's list of dimensions is older than the API, and its targets have no tags."""

import json
from enum import Enum
from typing import Any

from moto.applicationautoscaling import models, responses
from moto.applicationautoscaling.exceptions import AWSValidationException
from moto.applicationautoscaling.responses import ApplicationAutoScalingResponse
from moto.core.exceptions import JsonRESTError

from sustainable_mlops.aws.service_model import service_model


def close() -> None:
    """Take the dimensions and namespaces from the service model; answer the operations on tags."""
    model = service_model("application-autoscaling")
    for shape, name in (
        ("ScalableDimension", "ScalableDimensionValueSet"),
        ("ServiceNamespace", "ServiceNamespaceValueSet"),
    ):
        known = {member.name: member.value for member in getattr(models, name)}
        new = {value: value for value in model.shape_for(shape).metadata["enum"] if value not in known.values()}
        extended = Enum(name, known | new)  # type: ignore[misc]  # members are known at run time only
        for module in (models, responses):
            setattr(module, name, extended)
    register = ApplicationAutoScalingResponse.register_scalable_target

    def register_with_tags(self: Any) -> str:
        answer: str = register(self)
        _target(self, json.loads(answer)["ScalableTargetARN"]).tags |= self._get_param("Tags") or {}
        return answer

    def list_tags_for_resource(self: Any) -> str:
        return json.dumps({"Tags": _target(self, self._get_param("ResourceARN")).tags})

    def tag_resource(self: Any) -> str:
        _target(self, self._get_param("ResourceARN")).tags |= self._get_param("Tags")
        return "{}"

    def untag_resource(self: Any) -> str:
        tags = _target(self, self._get_param("ResourceARN")).tags
        for key in self._get_param("TagKeys"):
            tags.pop(key, None)
        return "{}"

    ApplicationAutoScalingResponse.register_scalable_target = register_with_tags
    _answer_as_documented()
    for operation in (list_tags_for_resource, tag_resource, untag_resource):
        setattr(ApplicationAutoScalingResponse, operation.__name__, operation)


def _answer_as_documented() -> None:
    """A target that is not there, as it went with its endpoint, has the code that Terraform's provider knows."""
    deregister = ApplicationAutoScalingResponse.deregister_scalable_target

    def deregister_scalable_target(self: Any) -> str:
        try:
            answer: str = deregister(self)
        except AWSValidationException as error:
            raise JsonRESTError("ObjectNotFoundException", error.message) from None
        return answer

    ApplicationAutoScalingResponse.deregister_scalable_target = deregister_scalable_target


def _target(response: Any, arn: str) -> Any:
    for by_resource in response.applicationautoscaling_backend.targets.values():
        for target in by_resource.values():
            if target.arn == arn:
                target.__dict__.setdefault("tags", {})
                return target
    raise AWSValidationException(f"No scalable target found for resource ARN: {arn}")
