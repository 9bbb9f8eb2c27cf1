"""Service models of botocore: operations, shapes and constraints of each AWS service."""

import functools

import botocore.session
from botocore.model import ServiceModel


@functools.cache
def load_service_model(service: str) -> ServiceModel:
    """Return the model of a service, by its name in botocore."""
    return botocore.session.get_session().get_service_model(service)


def list_enum_values(shape: str) -> list[str]:
    """Return the values that SageMaker allows for the string `shape`."""
    values: list[str] = getattr(load_service_model("sagemaker").shape_for(shape), "enum", [])
    return values
