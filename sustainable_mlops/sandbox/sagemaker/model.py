"""botocore's description of SageMaker's services: every operation, shape and constraint."""

import functools

import botocore.session
from botocore.model import ServiceModel


@functools.cache
def service_model(service: str) -> ServiceModel:
    """The model of a service, by botocore's name of it."""
    return botocore.session.get_session().get_service_model(service)
