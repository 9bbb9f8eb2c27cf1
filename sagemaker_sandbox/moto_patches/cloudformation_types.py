"""CloudFormation: moto ignores resources of types that it does not know, and reports the stack as complete.

A type of SageMaker that the sandbox lacks is refused instead.
"""

from typing import Any

from moto.cloudformation import parsing
from moto.cloudformation.exceptions import ValidationError

_PREFIX = "AWS::SageMaker::"


def apply() -> None:
    """Refuse unknown types of SageMaker."""
    find_class = parsing.resource_class_from_type

    def resource_class_from_type(resource_type: str) -> Any:
        resource_class = find_class(resource_type)
        if resource_class is None and resource_type.startswith(_PREFIX):
            known_types = ", ".join(
                sorted(name.removeprefix(_PREFIX) for name in parsing.get_model_map() if name.startswith(_PREFIX))
            )
            raise ValidationError(
                message=f"{resource_type} is not emulated by the sandbox. It has {_PREFIX} with {known_types}."
            )
        return resource_class

    parsing.resource_class_from_type = resource_class_from_type
