"""botocore's description of AWS's services: every operation, shape and constraint."""

import functools

import botocore.session
from botocore.model import ServiceModel


@functools.cache
def service_model(service: str) -> ServiceModel:
    """The model of a service, by botocore's name of it."""
    return botocore.session.get_session().get_service_model(service)


def enumeration(shape: str) -> list[str]:
    """The values that SageMaker allows for the string `shape`."""
    values: list[str] = getattr(service_model("sagemaker").shape_for(shape), "enum", [])
    return values
