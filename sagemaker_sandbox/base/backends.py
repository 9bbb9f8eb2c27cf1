"""State of a service by account and Region: moto's, or the sandbox's own for a service that moto lacks."""

import importlib
from typing import Any

#: Modules with the state of services that moto lacks, by botocore's name. Their `BACKENDS` has moto's form, so that the
#: state is saved, restored, listed and reset as moto's.
OWN_BACKENDS = {
    "bcm-data-exports": "sagemaker_sandbox.services.dataexports.exports",
    "wellarchitected": "sagemaker_sandbox.services.wellarchitected.lens_reviews",
}


def get_backends(service: str) -> Any:
    """Return the backends of a service by account and Region.

    `service` is moto's name of it, or botocore's if moto lacks it.
    """
    if service in OWN_BACKENDS:
        return importlib.import_module(OWN_BACKENDS[service]).BACKENDS
    from moto.backends import get_backend

    return get_backend(service)


def find_backend(service: str, account: str, region: str) -> Any:
    """Return the backend of a service in an account and a Region, or None if the Region does not exist."""
    try:
        return get_backends(service)[account][region]
    except KeyError:
        return None
