"""Endpoints: their life. What an endpoint serves changes by `deployments`; requests go to `hosting`."""

from collections.abc import Callable
from typing import Any

from sagemaker_sandbox.deployments import alarms, policy, updates
from sagemaker_sandbox.deployments.capacity_update import CapacityUpdate, parse_desired_capacities
from sagemaker_sandbox.deployments.deployment import EndpointDeployment
from sagemaker_sandbox.deployments.deployment_spec import DeploymentSpec
from sagemaker_sandbox.deployments.endpoint_description import EndpointDescription, build_pending_summary, put_status
from sagemaker_sandbox.deployments.policy import DeploymentPolicy
from sagemaker_sandbox.errors import ValidationError
from sagemaker_sandbox.hosting.endpoint import ServingState
from sagemaker_sandbox.parts.handlers import emulated_operation
from sagemaker_sandbox.parts.listing import list_page
from sagemaker_sandbox.parts.region import AccountRegion
from sagemaker_sandbox.parts.resources import ResourceFamily, Fields, SageMakerResource
from sagemaker_sandbox.sagemaker.destinations import check_key, unreachable
from sagemaker_sandbox.sagemaker.endpoint_configs import EndpointConfigs
from sagemaker_sandbox.sagemaker.fleets import Fleets
from sagemaker_sandbox.sagemaker.models import Models
from sagemaker_sandbox.sagemaker.served_containers import served_containers

_CHANGING = ("Creating", "Updating", "RollingBack")


class Endpoints(ResourceFamily):
    """CreateEndpoint, UpdateEndpoint, UpdateEndpointWeightsAndCapacities, Describe, List, DeleteEndpoint.

    Once an endpoint serves, its `private` holds what: see `Wanted.kept`.
    """

    arn_type = "endpoint"
    noun = "endpoint"

    def __init__(self, region: AccountRegion, configs: EndpointConfigs, models: Models, fleets: Fleets) -> None:
        super().__init__(region)
        self._configs = configs
        self._models = models
        self._fleets = fleets
        #: Asked before an update, with the endpoint that it is of and the new configuration; may raise ValidationError.
        self.before_update: list[Callable[[SageMakerResource, Fields], None]] = []
        #: Told the name of each endpoint that is being deleted, with the Region's lock held.
        self.deleting: list[Callable[[str], None]] = []
        #: Asked before instances start, without the lock: why what is wanted is not made, if so.
        self.refusals: list[Callable[[DeploymentSpec], str | None]] = [_unreachable]
        fleets.serving = self._serving
        self.on_removed.append(fleets.let_go)

    @emulated_operation
    def create_endpoint(self, request: Fields) -> Fields:
        """Creating, then InService; Failed where a container does not start."""
        name, deployment = request["EndpointName"], updates.resolve_deployment_config(request)
        self.check_name_is_free(name)
        wanted = self._wanted(self._configs.get(request["EndpointConfigName"]).fields)
        self._policy(deployment, wanted)
        named = {"EndpointName": name, "EndpointConfigName": wanted.config["EndpointConfigName"]}
        endpoint = self.add(name, named, request.get("Tags"))
        endpoint.fields |= {"EndpointArn": endpoint.arn, "CreationTime": self.region.clock.now()}
        self._deploy("Creating", endpoint, wanted, deployment, updates.ALL_AT_ONCE)
        return {"EndpointArn": endpoint.arn}

    @emulated_operation
    def update_endpoint(self, request: Fields) -> Fields:
        """Updating, then InService with the new configuration; with the old one where the update is rolled back."""
        endpoint = self.get(request["EndpointName"])
        config = self._configs.get(request["EndpointConfigName"]).fields
        self._must_be_at_rest(endpoint)
        self._must_serve(endpoint)
        self._configs.get(endpoint.fields["EndpointConfigName"])  # which AWS wants to be there still
        updates.check_configuration(endpoint, config)
        updates.check_endpoint_kind(endpoint, config)
        for ask in self.before_update:
            ask(endpoint, config)
        deployment = updates.resolve_deployment_config(request, endpoint)
        wanted = self._wanted(updates.retain_variant_properties(config, endpoint, request))
        self._deploy("Updating", endpoint, wanted, deployment, self._policy(deployment, wanted, endpoint))
        return {"EndpointArn": endpoint.arn}

    def _wanted(self, config: Fields) -> DeploymentSpec:
        """What a configuration makes an endpoint serve, found out now: a model deleted later goes on being served."""
        check_key(self.region, config)
        models = {
            variant["VariantName"]: self._models.get(variant["ModelName"]).fields
            for member in ("ProductionVariants", "ShadowProductionVariants")
            for variant in config.get(member) or ()
            if "ModelName" in variant
        }
        containers = {name: served_containers(self.region, model) for name, model in models.items()}
        roles = {name: model["ExecutionRoleArn"] for name, model in models.items() if "ExecutionRoleArn" in model}
        return DeploymentSpec(config, containers, roles)

    def _policy(
        self, deployment: Fields | None, wanted: DeploymentSpec, endpoint: SageMakerResource | None = None
    ) -> DeploymentPolicy:
        """How to deploy by a DeploymentConfig. Raises ValidationError."""
        asked = DeploymentPolicy(deployment or {})
        policy.check_policy(asked, wanted.instance_counts, serverless=updates.is_serverless(wanted.config))
        alarms.check_alarms_exist(self.region.account_id, self.region.name, asked.alarms)
        if endpoint is None:
            return asked
        served = endpoint.private["config"]
        if asked.has_update_policy:
            policy.check_variant_names(updates.list_variant_names(served), updates.list_variant_names(wanted.config))
        if asked.rolling is not None and endpoint.fields["EndpointStatus"] == "UpdateRollbackFailed":
            raise ValidationError(f'Cannot roll endpoint "{endpoint.arn}", which serves two configurations.')
        return asked if updates.has_guardrails(served, wanted.config) else updates.ALL_AT_ONCE

    def _deploy(
        self, status: str, endpoint: SageMakerResource, wanted: DeploymentSpec, deployment: Fields | None, how: DeploymentPolicy
    ) -> None:
        """Have the endpoint serve another configuration, in the background."""
        shown = EndpointDescription(self.region, endpoint, deployment_events=updates.has_guardrails(wanted.config))
        begun = build_pending_summary(wanted.config, wanted.models, self.region.clock.now())
        shown.set_status(status, begun | {"LastDeploymentConfig": deployment, "FailureReason": None})
        EndpointDeployment(self.region, endpoint, wanted, how, self._fleets, shown, self._refusal).start()

    def _refusal(self, wanted: DeploymentSpec) -> str | None:
        return next((why for ask in self.refusals if (why := ask(wanted)) is not None), None)

    @emulated_operation
    def update_endpoint_weights_and_capacities(self, request: Fields) -> Fields:
        """New weights, instance counts or serverless settings for the variants named: desired at once, had in time."""
        endpoint = self.get(request["EndpointName"])
        self._must_be_at_rest(endpoint)
        self._must_serve(endpoint, "InService")
        wanted = parse_desired_capacities(endpoint, request["DesiredWeightsAndCapacities"])
        CapacityUpdate(self.region, endpoint, wanted, self._fleets, EndpointDescription(self.region, endpoint)).start()
        return {"EndpointArn": endpoint.arn}

    @emulated_operation
    def describe_endpoint(self, request: Fields) -> Fields:
        """The endpoint as it is at this moment."""
        return self.get(request["EndpointName"]).fields

    @emulated_operation
    def list_endpoints(self, request: Fields) -> Fields:
        """Summaries, newest first."""
        return list_page("ListEndpoints", request, self, name="EndpointName", status="EndpointStatus")

    @emulated_operation
    def delete_endpoint(self, request: Fields) -> Fields:
        """Deleting, then gone with its instances; refused while anything else is under way."""
        endpoint = self.get(request["EndpointName"])
        self._must_be_at_rest(endpoint)
        EndpointDescription(self.region, endpoint).settle("Deleting")
        seconds = self.region.transition_seconds("DeleteEndpoint", endpoint.name)
        endpoint.schedule_deletion(seconds)
        for tell in self.deleting:
            tell(endpoint.name)
        self._fleets.let_go(endpoint.name)
        at_once = seconds <= self.region.context.transition_seconds
        self.region.start_thread(f"bury {endpoint.name}", lambda: self._bury(endpoint.name, seconds), blocks_clock=at_once)
        return {}

    def _bury(self, name: str, seconds: float) -> None:
        """Let an endpoint be gone once it is, whether or not anybody looks."""
        if not self.region.closing.wait(seconds):
            with self.region.lock:
                self.find(name)

    def restore(self, kept: Any) -> None:
        """What was under way when the sandbox ended is over: what served before serves, if anything did."""
        super().restore(kept)
        moment = self.region.clock.now()
        over: Fields = {
            "PendingDeploymentSummary": None,
            "FailureReason": "The sandbox ended during the deployment; deploy again.",
        }
        for endpoint in self.resources.values():
            if endpoint.fields["EndpointStatus"] in (*_CHANGING, "UpdateRollbackFailed"):
                served = DeploymentSpec.from_private(endpoint.private).describe(moment) if endpoint.private else {}
                put_status(endpoint, "InService" if served else "Failed", moment, served | over)

    def _must_be_at_rest(self, endpoint: SageMakerResource) -> None:
        if endpoint.fields["EndpointStatus"] in (*_CHANGING, "Deleting"):
            raise ValidationError(f'Cannot update in-progress endpoint "{endpoint.arn}".')

    def _must_serve(self, endpoint: SageMakerResource, *statuses: str) -> None:
        """Documented: a failed endpoint can be deleted, and nothing else. AWS publishes no wording."""
        status = endpoint.fields["EndpointStatus"]
        if status == "Failed" or status not in (statuses or (status,)):
            raise ValidationError(f'Cannot update endpoint "{endpoint.arn}", whose status is {status}.')

    def _serving(self, name: str) -> ServingState | None:
        with self.region.lock:
            endpoint = self.find(name)
            if endpoint is None or endpoint.is_being_deleted or "config" not in endpoint.private:
                return None
            return ServingState(endpoint.private["config"], endpoint.private["models"])


def _unreachable(wanted: DeploymentSpec) -> str | None:
    """Why an endpoint cannot write where its configuration says."""
    found = (unreachable(wanted.config, role) for role in dict.fromkeys(wanted.roles.values()))
    return next((why for why in found if why is not None), None)
