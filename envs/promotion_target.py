"""Model in an environment, with the settings that the gate reads."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sustainable_mlops.aws import AccountClients
from sustainable_mlops.catalogue.instances import Silicon
from sustainable_mlops.jobs.specs.pipeline import MetricGate


@dataclass(frozen=True)
class DeclaredEndpoint:
    """An endpoint that the environment declares for a model."""

    #: Module of the endpoint, such as `serverless_endpoint`.
    kind: str
    #: Processor of its instances or workers.
    silicon: Silicon
    #: Additional inference specification of the package that it uses; None for the main one.
    specification: str | None = None

    @property
    def is_serverless(self) -> bool:
        """True if the endpoint has no instances."""
        return self.kind == "serverless_endpoint"


@dataclass(frozen=True)
class PromotionTarget:
    """A model in an environment, with the settings that the gate reads."""

    model: str
    environment: str
    folder: Path
    account_id: str
    region: str
    partition: str
    assume_role_arn: str | None
    #: Accounts whose packages are accepted, each with its package group of the model.
    groups: Mapping[str, str]
    #: Endpoints that the environment declares for the model.
    endpoints: tuple[DeclaredEndpoint, ...]
    #: Keys of these endpoints in the module `observability`.
    watched: tuple[str, ...]
    max_training_kg_co2e: float | None = None
    #: True if packages must record the digests of their source and their data.
    require_digests: bool = False
    #: Metric that the model's pipeline compares by.
    gate: MetricGate | None = None

    def make_account(self) -> AccountClients:
        """Return the AWS clients of the environment's account."""
        return AccountClients(self.region, self.assume_role_arn, self.account_id)

    def list_addresses(self, *, is_first: bool) -> tuple[str, ...]:
        """Return the patterns of the addresses that a promotion changes.

        The first package of a model creates its alarms too, and changes the dashboard of the environment.
        """
        endpoints = tuple(f'module.{endpoint.kind}["{self.model}"]' for endpoint in self.endpoints)
        if not is_first:
            return endpoints
        alarms = tuple(f'module.observability.*.*["{key}*"]' for key in self.watched)
        return (*endpoints, *alarms, "module.observability.aws_cloudwatch_dashboard.this")
