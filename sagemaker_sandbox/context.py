"""What every part of the sandbox's server may use: a folder, and the other services of any account."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sagemaker_sandbox.clock import Agendas, Clock

DEFAULT_ACCOUNT = "123456789012"
DEFAULT_REGION = "eu-north-1"


@dataclass(frozen=True)
class Context:
    """`client(service, region, account)` is boto3 talking to this very sandbox as that account; `folder` holds jobs
    and model servers."""

    client: Callable[[str, str, str], Any]
    #: As `client`, for what a service does on behalf of a customer: these requests meet faults.
    on_behalf: Callable[[str, str, str], Any]
    folder: Path
    #: The account of credentials that no other account has given out.
    account_id: str = DEFAULT_ACCOUNT
    #: The time of all that is scheduled, watched or scaled.
    clock: Clock = field(default_factory=Clock)
    #: The changes of endpoints that are under way.
    deployments: Agendas = field(default_factory=Agendas)
    #: How long a resource stays Creating, Updating or Deleting, in seconds.
    transition_seconds: float = 0.3
    #: How long a serverless worker stays warm without requests, in seconds. AWS publishes no figure; assumed.
    idle_seconds: float = 300.0
