"""Context that every part of the sandbox's server uses."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sagemaker_sandbox.base.clock import Clock, ScheduledTasks

DEFAULT_ACCOUNT = "123456789012"
DEFAULT_REGION = "eu-north-1"
#: Mark in the WSGI environment of a request that IAM has allowed. The policy of a bucket is not evaluated again.
ALLOWED_BY_IAM = "sagemaker_sandbox.allowed_by_iam"


@dataclass(frozen=True)
class SandboxContext:
    """Clients of the sandbox, its folder, its account, its clock and its durations.

    `client(service, region, account)` returns a boto3 client of this sandbox. `folder` holds the files of jobs and
    model servers.
    """

    client: Callable[[str, str, str], Any]
    #: The same for requests that a service sends on behalf of a customer. Faults apply to them.
    customer_client: Callable[[str, str, str], Any]
    folder: Path
    #: Account of credentials that no account has issued.
    account_id: str = DEFAULT_ACCOUNT
    #: Time of schedules, alarms and scaling.
    clock: Clock = field(default_factory=Clock)
    #: Endpoint deployments in progress.
    deployments: ScheduledTasks = field(default_factory=ScheduledTasks)
    #: Duration of Creating, Updating and Deleting, in seconds.
    transition_seconds: float = 0.3
    #: Time a serverless worker stays warm without requests, in seconds. AWS publishes no figure; assumed.
    idle_seconds: float = 300.0
    #: Environment variables with which the clients of a job or a function reach the sandbox.
    variables: Mapping[str, str] = field(default_factory=dict)
    #: True if IAM refuses requests that no policy allows.
    enforces_iam: bool = False
