"""IAM: moto composes the names of service-linked roles. The role of SageMaker's scaling has another name on AWS.

Source: Application Auto Scaling user guide, "Service-linked roles".
"""

from typing import Any

from moto.iam.models import IAMBackend

_NAMES = {
    "sagemaker.application-autoscaling.amazonaws.com": "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"
}


def apply() -> None:
    """Give the role AWS's name."""
    create_service_linked_role, create_role = IAMBackend.create_service_linked_role, IAMBackend.create_role

    def create_role_with_aws_name(self: Any, service_name: str, description: str, suffix: str) -> Any:
        role = create_service_linked_role(self, service_name, description, suffix)
        name = _NAMES.get(service_name)
        if name is None:
            return role
        document, path = role.assume_role_policy_document, role.path
        self.delete_role(role.name)
        return create_role(self, name, document, path, None, description, [], "3600", linked_service=service_name)

    IAMBackend.create_service_linked_role = create_role_with_aws_name
