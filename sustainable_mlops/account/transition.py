"""Endpoints in transition, such as after an interrupted apply.

A plan compares with the configuration that the endpoint still has. The apply would then request the configuration that
the endpoint has by that time, and SageMaker refuses that.
"""

import time
from collections.abc import Callable

from sustainable_mlops import aws
from sustainable_mlops.aws import Client
from sustainable_mlops.base.errors import UserError

#: Statuses that end by themselves. Source: SageMaker API reference, DescribeEndpoint, EndpointStatus.
_TRANSITIONS = ("Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting")
#: Poll interval and timeout, in seconds. The provider waits an hour for an update, too.
_PAUSE, _LONGEST = 2.0, 3600.0


def read_status(sagemaker: Client, name: str) -> str | None:
    """Return the status of an endpoint; None if it does not exist."""
    from botocore.exceptions import ClientError

    with aws.translate_aws_errors(f"endpoint {name}"):
        try:
            return str(sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"])
        except ClientError as error:
            if "Could not find" in str(error):  # the code ValidationException has other meanings too
                return None
            raise


def is_in_transition(sagemaker: Client, name: str) -> bool:
    """Return whether the endpoint is in transition."""
    return read_status(sagemaker, name) in _TRANSITIONS


def wait_until_settled(sagemaker: Client, name: str, sleep: Callable[[float], None] = time.sleep) -> str | None:
    """Block until the endpoint is not in transition; return its status, None if deleted. Raises UserError."""
    waited = 0.0
    while (status := read_status(sagemaker, name)) in _TRANSITIONS:
        if waited >= _LONGEST:
            raise UserError(f"endpoint {name}: is still {status} after {_LONGEST / 60:g} minutes; deploy again later")
        sleep(_PAUSE)
        waited += _PAUSE
    return status
