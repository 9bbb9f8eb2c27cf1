"""Requirements of an environment on its account, read from the settings."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sustainable_mlops.aws.parameters import get_platform_parameter
from sustainable_mlops.catalogue.quotas import QuotaUse

EndpointKind = Literal["serverless", "async", "realtime"]


@dataclass(frozen=True)
class EndpointDemand:
    """Demand of one endpoint on the account's quotas, and its instances without requests."""

    name: str
    kind: EndpointKind
    instance_type: str = ""
    #: Instances that it starts with; of an asynchronous endpoint none stay on without requests.
    min_instances: int = 0
    max_instances: int = 0
    #: Instances of a deployment besides those in service: as many as these for blue/green.
    deployment_instances: int = 0
    max_concurrency: int = 0
    memory_mb: int = 0
    provisioned_concurrency: int = 0


@dataclass(frozen=True)
class JobDemand:
    """Instances of one type that a step of a pipeline runs on."""

    use: QuotaUse
    instance_type: str
    instances: int
    source: str


@dataclass(frozen=True)
class PreflightTarget:
    """Account, Region and planned resources of one environment."""

    environment: str
    folder: Path
    account_id: str
    region: str
    name_prefix: str
    assume_role_arn: str | None
    state_bucket: str
    #: Boundary of the roles that the environment creates.
    permissions_boundary_arn: str | None = None
    buckets: tuple[str, ...] = ()
    #: Alias of the environment's key; None if the settings name an existing key.
    key_alias: str | None = None
    log_groups: tuple[str, ...] = ()
    #: Those that the next apply adopts, by the setting existing_log_groups.
    adopted_log_groups: tuple[str, ...] = ()
    #: Those that another environment of the account and Region owns.
    shared_log_groups: tuple[str, ...] = ()
    endpoints: tuple[EndpointDemand, ...] = ()
    jobs: tuple[JobDemand, ...] = ()
    feature_groups: tuple[str, ...] = ()
    #: Full names of the services with an interface endpoint that the environment creates.
    endpoint_services: tuple[str, ...] = ()
    #: ARN of the topic of alarms, and the endpoints that the settings subscribe to it.
    alarm_topic: str = ""
    alarm_subscribers: tuple[str, ...] = ()

    @property
    def platform_parameter(self) -> str:
        """Name of the SSM parameter that the first apply creates."""
        return get_platform_parameter(self.environment)

    @property
    def scales(self) -> bool:
        """True if Application Auto Scaling scales an endpoint."""
        return any(one.kind != "serverless" or one.provisioned_concurrency for one in self.endpoints)
