"""Endpoints and their status.

`deployments` changes the configuration that an endpoint serves, and `hosting` handles its requests.
"""

from collections.abc import Callable
from typing import Any

from sagemaker_sandbox.base.errors import ValidationError
from sagemaker_sandbox.endpoints.deployments import alarms, policy, updates
from sagemaker_sandbox.endpoints.deployments.capacity_update import CapacityUpdate, parse_desired_capacities
from sagemaker_sandbox.endpoints.deployments.deployment import EndpointDeployment
from sagemaker_sandbox.endpoints.deployments.deployment_spec import DeploymentSpec
from sagemaker_sandbox.endpoints.deployments.endpoint_description import (
    EndpointDescription,
    build_pending_summary,
    put_status,
)
from sagemaker_sandbox.endpoints.deployments.policy import DeploymentPolicy
from sagemaker_sandbox.endpoints.destinations import check_key, find_unreachable_destination
from sagemaker_sandbox.endpoints.endpoint_configs import EndpointConfigs
from sagemaker_sandbox.endpoints.fleets import Fleets
from sagemaker_sandbox.endpoints.hosting.endpoint import ServingState
from sagemaker_sandbox.resources.handlers import emulated_operation
from sagemaker_sandbox.resources.listing import list_page
from sagemaker_sandbox.resources.region import AccountRegion
from sagemaker_sandbox.resources.resources import Fields, ResourceFamily, SageMakerResource
from sagemaker_sandbox.sagemaker.models import Models
from sagemaker_sandbox.sagemaker.served_containers import resolve_containers

_CHANGING_STATUSES = ("Creating", "Updating", "RollingBack")


class Endpoints(ResourceFamily):
    """Handlers of the operations on endpoints.

    `private` of a serving endpoint holds its configuration: see `DeploymentSpec`.
    """

    arn_type = "endpoint"
    noun = "endpoint"

    def __init__(self, region: AccountRegion, configs: EndpointConfigs, models: Models, fleets: Fleets) -> None:
        super().__init__(region)
        self._configs = configs
        self._models = models
        self._fleets = fleets
        #: Checks before an update, with the endpoint and the new configuration. They may raise ValidationError.
        self.update_checks: list[Callable[[SageMakerResource, Fields], None]] = []
        #: Functions to call with the name of each endpoint that is being deleted. The Region's lock is held.
        self.on_deletion: list[Callable[[str], None]] = []
        #: Checks before instances start, without the lock. They return the failure reason or None.
        self.start_checks: list[Callable[[DeploymentSpec], str | None]] = [_find_unreachable]
        fleets.find_serving = self._find_serving
        self.on_removed.append(fleets.release)

    @emulated_operation
    def create_endpoint(self, request: Fields) -> Fields:
        """Create an endpoint: Creating, then InService, or Failed if a container does not start."""
        name, deployment = request["EndpointName"], updates.resolve_deployment_config(request)
        self.check_name_is_free(name)
        spec = self._build_spec(self._configs.get(request["EndpointConfigName"]).fields)
        self._build_policy(deployment, spec)
        names = {"EndpointName": name, "EndpointConfigName": spec.config["EndpointConfigName"]}
        endpoint = self.add(name, names, request.get("Tags"))
        endpoint.fields |= {"EndpointArn": endpoint.arn, "CreationTime": self.region.clock.now()}
        self._deploy("Creating", endpoint, spec, deployment, updates.ALL_AT_ONCE)
        return {"EndpointArn": endpoint.arn}

    @emulated_operation
    def update_endpoint(self, request: Fields) -> Fields:
        """Update an endpoint: Updating, then InService with the new configuration.

        After a rollback, the endpoint is InService with the old one.
        """
        endpoint = self.get(request["EndpointName"])
        config = self._configs.get(request["EndpointConfigName"]).fields
        self._check_is_settled(endpoint)
        self._check_serves(endpoint)
        self._configs.get(endpoint.fields["EndpointConfigName"])  # AWS requires that it still exists
        updates.check_configuration(endpoint, config)
        updates.check_endpoint_kind(endpoint, config)
        for check in self.update_checks:
            check(endpoint, config)
        deployment = updates.resolve_deployment_config(request, endpoint)
        spec = self._build_spec(updates.retain_variant_properties(config, endpoint, request))
        self._deploy("Updating", endpoint, spec, deployment, self._build_policy(deployment, spec, endpoint))
        return {"EndpointArn": endpoint.arn}

    def _build_spec(self, config: Fields) -> DeploymentSpec:
        """Return what the endpoint will serve. A model that is deleted later is still served."""
        check_key(self.region, config)
        models = {
            variant["VariantName"]: self._models.get(variant["ModelName"]).fields
            for member in ("ProductionVariants", "ShadowProductionVariants")
            for variant in config.get(member) or ()
            if "ModelName" in variant
        }
        containers = {name: resolve_containers(self.region, model) for name, model in models.items()}
        roles = {name: model["ExecutionRoleArn"] for name, model in models.items() if "ExecutionRoleArn" in model}
        return DeploymentSpec(config, containers, roles)

    def _build_policy(
        self, deployment: Fields | None, spec: DeploymentSpec, endpoint: SageMakerResource | None = None
    ) -> DeploymentPolicy:
        """Return the deployment policy of a DeploymentConfig. Raises ValidationError."""
        new_policy = DeploymentPolicy(deployment or {})
        policy.check_policy(new_policy, spec.instance_counts, is_serverless=updates.is_serverless(spec.config))
        alarms.check_alarms_exist(self.region.account_id, self.region.name, new_policy.alarms)
        if endpoint is None:
            return new_policy
        served_config = endpoint.private["config"]
        if new_policy.has_update_policy:
            policy.check_variant_names(
                updates.list_variant_names(served_config), updates.list_variant_names(spec.config)
            )
        if new_policy.rolling is not None and endpoint.fields["EndpointStatus"] == "UpdateRollbackFailed":
            raise ValidationError(f'Cannot roll endpoint "{endpoint.arn}", which serves two configurations.')
        return new_policy if updates.has_guardrails(served_config, spec.config) else updates.ALL_AT_ONCE

    def _deploy(
        self,
        status: str,
        endpoint: SageMakerResource,
        spec: DeploymentSpec,
        deployment: Fields | None,
        deployment_policy: DeploymentPolicy,
    ) -> None:
        """Deploy another configuration in the background."""
        description = EndpointDescription(self.region, endpoint, deployment_events=updates.has_guardrails(spec.config))
        summary = build_pending_summary(spec.config, spec.models, self.region.clock.now())
        description.set_status(status, summary | {"LastDeploymentConfig": deployment, "FailureReason": None})
        EndpointDeployment(
            self.region, endpoint, spec, deployment_policy, self._fleets, description, self._find_start_failure
        ).start()

    def _find_start_failure(self, spec: DeploymentSpec) -> str | None:
        return next((reason for check in self.start_checks if (reason := check(spec)) is not None), None)

    @emulated_operation
    def update_endpoint_weights_and_capacities(self, request: Fields) -> Fields:
        """Change weights, instance counts or serverless settings of the named variants.

        The response shows the desired values immediately, and the current values follow.
        """
        endpoint = self.get(request["EndpointName"])
        self._check_is_settled(endpoint)
        self._check_serves(endpoint, "InService")
        capacities = parse_desired_capacities(endpoint, request["DesiredWeightsAndCapacities"])
        CapacityUpdate(
            self.region, endpoint, capacities, self._fleets, EndpointDescription(self.region, endpoint)
        ).start()
        return {"EndpointArn": endpoint.arn}

    @emulated_operation
    def describe_endpoint(self, request: Fields) -> Fields:
        """Return the endpoint as it is at this moment."""
        return self.get(request["EndpointName"]).fields

    @emulated_operation
    def list_endpoints(self, request: Fields) -> Fields:
        """Return summaries, newest first."""
        return list_page("ListEndpoints", request, self, name="EndpointName", status="EndpointStatus")

    @emulated_operation
    def delete_endpoint(self, request: Fields) -> Fields:
        """Delete an endpoint with its instances. Refuse this during another change."""
        endpoint = self.get(request["EndpointName"])
        self._check_is_settled(endpoint)
        EndpointDescription(self.region, endpoint).settle("Deleting")
        self.schedule_deletion(endpoint, "DeleteEndpoint")
        for notify in self.on_deletion:
            notify(endpoint.name)
        self._fleets.release(endpoint.name)
        return {}

    def restore(self, snapshot: Any) -> None:
        """Restore the endpoints.

        A deployment in progress has ended, and the endpoint serves its old configuration, if any.
        """
        super().restore(snapshot)
        moment = self.region.clock.now()
        ended_deployment: Fields = {
            "PendingDeploymentSummary": None,
            "FailureReason": "The sandbox ended during the deployment; deploy again.",
        }
        for endpoint in self.resources.values():
            if endpoint.fields["EndpointStatus"] in (*_CHANGING_STATUSES, "UpdateRollbackFailed"):
                serving = DeploymentSpec.from_private(endpoint.private).describe(moment) if endpoint.private else {}
                put_status(endpoint, "InService" if serving else "Failed", moment, serving | ended_deployment)

    def _check_is_settled(self, endpoint: SageMakerResource) -> None:
        if endpoint.fields["EndpointStatus"] in (*_CHANGING_STATUSES, "Deleting"):
            raise ValidationError(f'Cannot update in-progress endpoint "{endpoint.arn}".')

    def _check_serves(self, endpoint: SageMakerResource, *statuses: str) -> None:
        """Raise ValidationError unless the endpoint serves, or has one of the statuses.

        A failed endpoint can only be deleted. AWS publishes no message for this.
        """
        status = endpoint.fields["EndpointStatus"]
        if status == "Failed" or status not in (statuses or (status,)):
            raise ValidationError(f'Cannot update endpoint "{endpoint.arn}", whose status is {status}.')

    def _find_serving(self, name: str) -> ServingState | None:
        with self.region.lock:
            endpoint = self.find(name)
            if endpoint is None or endpoint.is_being_deleted or "config" not in endpoint.private:
                return None
            return ServingState(endpoint.private["config"], endpoint.private["models"])


def _find_unreachable(spec: DeploymentSpec) -> str | None:
    """Return the failure reason if the endpoint cannot write to its destinations."""
    reasons = (find_unreachable_destination(spec.config, role) for role in dict.fromkeys(spec.roles.values()))
    return next((reason for reason in reasons if reason is not None), None)
