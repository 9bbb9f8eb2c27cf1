"""UpdateEndpointWeightsAndCapacities: change of instances, weights and serverless settings of an endpoint."""

import time
import traceback
from collections.abc import Iterable, Mapping

from sagemaker_sandbox.base.errors import ValidationError
from sagemaker_sandbox.endpoints.deployments.endpoint_description import VARIANT_MEMBERS, EndpointDescription
from sagemaker_sandbox.endpoints.deployments.fleet_provider import FleetProvider
from sagemaker_sandbox.endpoints.deployments.traffic_shift import scale_fleet
from sagemaker_sandbox.endpoints.deployments.transition import Transition
from sagemaker_sandbox.endpoints.hosting.fleet import EndpointFleet
from sagemaker_sandbox.endpoints.hosting.instance import StartError
from sagemaker_sandbox.resources.region import AccountRegion
from sagemaker_sandbox.resources.resources import Fields, SageMakerResource

#: Members of a variant summary: desired value to current value.
_CURRENT_MEMBERS = {
    "DesiredWeight": "CurrentWeight",
    "DesiredInstanceCount": "CurrentInstanceCount",
    "DesiredServerlessConfig": "CurrentServerlessConfig",
}
#: Current value of a variant summary to the initial value in a configuration.
_INITIAL_MEMBERS = {
    "CurrentWeight": "InitialVariantWeight",
    "CurrentInstanceCount": "InitialInstanceCount",
    "CurrentServerlessConfig": "ServerlessConfig",
}


class CapacityUpdate(Transition):
    """One capacity update of an endpoint.

    `desired` maps each named variant to the summary members that change.
    """

    def __init__(
        self,
        region: AccountRegion,
        endpoint: SageMakerResource,
        desired: Mapping[str, Fields],
        fleet_provider: FleetProvider,
        description: EndpointDescription,
    ) -> None:
        super().__init__(region, endpoint.name)
        self._endpoint = endpoint
        self._fleet_provider = fleet_provider
        self._description = description
        self._desired = desired
        self._start_time = time.monotonic()
        self._previous = {
            name: {
                desired_member: summary[current_member]
                for desired_member, current_member in _CURRENT_MEMBERS.items()
                if current_member in summary
            }
            for name, summary in _list_summaries(endpoint.fields)
            if name in desired
        }
        self._is_rolling_back = False

    def start(self) -> None:
        """Start the update in the background."""
        increases: dict[str, int] = {}
        decreases: dict[str, int] = {}
        for name, summary in _list_summaries(self._endpoint.fields):
            summary |= self._desired.get(name, {})
            count, current = summary.get("DesiredInstanceCount", 0), summary.get("CurrentInstanceCount", 0)
            if name in self._desired and count != current:
                (increases if count > current else decreases)[name] = count
        self._description.set_status("Updating", {"FailureReason": None})
        for counts, direction in ((increases, "out"), (decreases, "in")):
            if counts:
                self._description.set_variant_status(
                    "Updating", f"Scaling {direction} desired instance count to {{}}.", counts
                )
        self.begin(self._scale)

    def _scale(self) -> None:
        self._apply(self._desired)
        self.wait_transition_time(self._start_time)
        delay = self.region.faults.take_status_delay("UpdateEndpointWeightsAndCapacities", self.name)
        self.schedule_move(self._finish, delay)

    def _apply(self, desired: Mapping[str, Fields]) -> None:
        traffic = self._fleet_provider.get_traffic(self.name)
        for name, members in desired.items():
            for fleet in traffic.fleets:
                self._update_fleet(fleet, name, members)

    def _update_fleet(self, fleet: EndpointFleet, variant: str, members: Fields) -> None:
        if "DesiredWeight" in members:
            fleet.set_weights({variant: members["DesiredWeight"]})
        if "DesiredInstanceCount" in members:
            scale_fleet(fleet, {variant: members["DesiredInstanceCount"]}, self.run_draining)
        if "DesiredServerlessConfig" in members:
            fleet.set_serverless(variant, members["DesiredServerlessConfig"])

    def _finish(self, reason: str | None = None) -> None:
        """Set the current values to the desired ones. With a reason, the update was rolled back."""
        with self.region.lock:
            self._endpoint.private |= {"config": self._build_config()}
            self._description.settle("InService", {"FailureReason": reason})
            self.end()

    def _build_config(self) -> Fields:
        """Return the configuration with the present counts and weights, for use after a restart."""
        config: Fields = dict(self._endpoint.private["config"])
        initial_values: dict[str, Fields] = {}
        for name, summary in _list_summaries(self._endpoint.fields):
            summary |= {
                current_member: summary[desired_member]
                for desired_member, current_member in _CURRENT_MEMBERS.items()
                if desired_member in summary
            }
            initial_values[name] = {
                initial_member: summary[current_member]
                for current_member, initial_member in _INITIAL_MEMBERS.items()
                if current_member in summary
            }
        for member in VARIANT_MEMBERS:
            if member in config:
                config[member] = [variant | initial_values[variant["VariantName"]] for variant in config[member]]
        return config

    def handle_error(self, error: Exception) -> None:
        """Roll back to the previous values (documented: status RollingBack).

        If the rollback fails too, the endpoint stays as it is.
        """
        if not isinstance(error, StartError):
            traceback.print_exception(error)
        reason = str(error) if isinstance(error, StartError) else "Request to service failed."
        with self.region.lock:
            for name, summary in _list_summaries(self._endpoint.fields):
                summary |= self._previous.get(name, {})
            if self._is_rolling_back:
                self._finish(reason)
                return
            self._is_rolling_back = True
            self._description.set_status("RollingBack")
            self.run_move(lambda: self._roll_back(reason))

    def _roll_back(self, reason: str) -> None:
        start_time = time.monotonic()
        self._apply(self._previous)
        self.wait_transition_time(start_time)
        self._finish(reason)


def _list_summaries(fields: Fields) -> list[tuple[str, Fields]]:
    return [(summary["VariantName"], summary) for member in VARIANT_MEMBERS for summary in fields.get(member) or ()]


def parse_desired_capacities(endpoint: SageMakerResource, requested: Iterable[Fields]) -> dict[str, Fields]:
    """Return the summary members to change, by variant. Raises ValidationError.

    `requested` is DesiredWeightsAndCapacities of the request.
    """
    variants = dict(_list_summaries(endpoint.fields))
    desired: dict[str, Fields] = {}
    for item in requested:
        name = item["VariantName"]
        if name not in variants:
            config = endpoint.fields["EndpointConfigName"]
            raise ValidationError(
                f'The variant name(s) "{name}" is/are not present within endpoint configuration "{config}".'
            )
        if name in desired:
            raise ValidationError(f'The variant name "{name}" was non-unique within the request.')
        desired[name] = _parse_item(endpoint.fields, name, variants[name], item)
    return desired


def _parse_item(fields: Fields, name: str, variant: Fields, requested: Fields) -> Fields:
    """Return the summary members to change for one variant. AWS publishes no wording of the errors."""
    desired: Fields = {
        member: requested[member] for member in ("DesiredWeight", "DesiredInstanceCount") if member in requested
    }
    is_serverless = "CurrentServerlessConfig" in variant
    if "DesiredInstanceCount" in requested and is_serverless:
        raise ValidationError(f"DesiredInstanceCount cannot be specified for serverless variant {name}.")
    if requested.get("DesiredInstanceCount") == 0 and "AsyncInferenceConfig" not in fields:
        raise ValidationError(
            f"DesiredInstanceCount must be at least 1 for variant {name}: only asynchronous endpoints scale to zero."
        )
    if "ServerlessUpdateConfig" in requested:
        if not is_serverless:
            raise ValidationError(f"ServerlessUpdateConfig cannot be specified for instance-based variant {name}.")
        settings = variant["CurrentServerlessConfig"] | requested["ServerlessUpdateConfig"]
        if settings.get("ProvisionedConcurrency", 0) > settings["MaxConcurrency"]:
            raise ValidationError(
                f"ProvisionedConcurrency must be less than or equal to MaxConcurrency for production variant {name}."
            )
        desired["DesiredServerlessConfig"] = settings
    return desired
