"""UpdateEndpointWeightsAndCapacities: instances, weights and serverless settings of an endpoint that serves change."""

import time
import traceback
from collections.abc import Iterable, Mapping

from sagemaker_sandbox.deployments.endpoint_description import VARIANT_MEMBERS, EndpointDescription
from sagemaker_sandbox.deployments.fleet_provider import FleetProvider
from sagemaker_sandbox.deployments.handover import scale_fleet
from sagemaker_sandbox.deployments.transition import Transition
from sagemaker_sandbox.errors import ValidationError
from sagemaker_sandbox.hosting.fleet import EndpointFleet
from sagemaker_sandbox.hosting.instance import StartError
from sagemaker_sandbox.parts.region import AccountRegion
from sagemaker_sandbox.parts.resources import Fields, SageMakerResource

#: Of a variant's summary: what is wanted of it, and what it has.
_HAS = {
    "DesiredWeight": "CurrentWeight",
    "DesiredInstanceCount": "CurrentInstanceCount",
    "DesiredServerlessConfig": "CurrentServerlessConfig",
}
#: Where a configuration says what is had at the beginning.
_BEGINS = {
    "CurrentWeight": "InitialVariantWeight",
    "CurrentInstanceCount": "InitialInstanceCount",
    "CurrentServerlessConfig": "ServerlessConfig",
}


class CapacityUpdate(Transition):
    """Of one endpoint: `desired` holds, for each variant named, the members of its summary that are to be different."""

    def __init__(
        self,
        region: AccountRegion,
        endpoint: SageMakerResource,
        desired: Mapping[str, Fields],
        hosts: FleetProvider,
        shown: EndpointDescription,
    ) -> None:
        super().__init__(region, endpoint.name)
        self._endpoint = endpoint
        self._hosts = hosts
        self._shown = shown
        self._desired = desired
        self._began = time.monotonic()
        self._before = {
            name: {wanted: summary[has] for wanted, has in _HAS.items() if has in summary}
            for name, summary in _summaries(endpoint.fields)
            if name in desired
        }
        self._goes_back = False

    def start(self) -> None:
        """Begin in the background."""
        more: dict[str, int] = {}
        fewer: dict[str, int] = {}
        for name, summary in _summaries(self._endpoint.fields):
            summary |= self._desired.get(name, {})
            count, had = summary.get("DesiredInstanceCount", 0), summary.get("CurrentInstanceCount", 0)
            if name in self._desired and count != had:
                (more if count > had else fewer)[name] = count
        self._shown.set_status("Updating", {"FailureReason": None})
        for numbers, way in ((more, "out"), (fewer, "in")):
            if numbers:
                self._shown.set_variant_status("Updating", f"Scaling {way} desired instance count to {{}}.", numbers)
        self.begin(self._scale)

    def _scale(self) -> None:
        self._apply(self._desired)
        self.wait_transition_time(self._began)
        self.rest_then(
            self.region.faults.take_status_delay("UpdateEndpointWeightsAndCapacities", self.name), self._finish
        )

    def _apply(self, desired: Mapping[str, Fields]) -> None:
        traffic = self._hosts.get_traffic(self.name)
        for name, members in desired.items():
            for fleet in traffic.fleets:
                self._change(fleet, name, members)

    def _change(self, fleet: EndpointFleet, variant: str, members: Fields) -> None:
        if "DesiredWeight" in members:
            fleet.set_weights({variant: members["DesiredWeight"]})
        if "DesiredInstanceCount" in members:
            scale_fleet(fleet, {variant: members["DesiredInstanceCount"]}, self.run_draining)
        if "DesiredServerlessConfig" in members:
            fleet.set_serverless(variant, members["DesiredServerlessConfig"])

    def _finish(self, why: str | None = None) -> None:
        """Current is what was desired; or it is as before, and `why`."""
        with self.region.lock:
            self._endpoint.private |= {"config": self._config()}
            self._shown.settle("InService", {"FailureReason": why})
            self.end()

    def _config(self) -> Fields:
        """The configuration that serves, which begins after a restart with what there is now."""
        config: Fields = dict(self._endpoint.private["config"])
        now: dict[str, Fields] = {}
        for name, summary in _summaries(self._endpoint.fields):
            summary |= {has: summary[wanted] for wanted, has in _HAS.items() if wanted in summary}
            now[name] = {begins: summary[has] for has, begins in _BEGINS.items() if has in summary}
        for member in VARIANT_MEMBERS:
            if member in config:
                config[member] = [variant | now[variant["VariantName"]] for variant in config[member]]
        return config

    def handle_error(self, error: Exception) -> None:
        """Back to what there was (documented: status RollingBack); what cannot go back either stays as it is."""
        if not isinstance(error, StartError):
            traceback.print_exception(error)
        why = str(error) if isinstance(error, StartError) else "Request to service failed."
        with self.region.lock:
            for name, summary in _summaries(self._endpoint.fields):
                summary |= self._before.get(name, {})
            if self._goes_back:
                self._finish(why)
                return
            self._goes_back = True
            self._shown.set_status("RollingBack")
            self.run_move(lambda: self._back(why))

    def _back(self, why: str) -> None:
        began = time.monotonic()
        self._apply(self._before)
        self.wait_transition_time(began)
        self._finish(why)


def _summaries(fields: Fields) -> list[tuple[str, Fields]]:
    return [(one["VariantName"], one) for member in VARIANT_MEMBERS for one in fields.get(member) or ()]


def parse_desired_capacities(endpoint: SageMakerResource, asked: Iterable[Fields]) -> dict[str, Fields]:
    """What a request's DesiredWeightsAndCapacities want of the variants. Raises ValidationError."""
    variants = dict(_summaries(endpoint.fields))
    found: dict[str, Fields] = {}
    for one in asked:
        name = one["VariantName"]
        if name not in variants:
            config = endpoint.fields["EndpointConfigName"]
            raise ValidationError(
                f'The variant name(s) "{name}" is/are not present within endpoint configuration "{config}".'
            )
        if name in found:
            raise ValidationError(f'The variant name "{name}" was non-unique within the request.')
        found[name] = _desired(endpoint.fields, name, variants[name], one)
    return found


def _desired(fields: Fields, name: str, variant: Fields, asked: Fields) -> Fields:
    """AWS publishes no wording."""
    wanted: Fields = {member: asked[member] for member in ("DesiredWeight", "DesiredInstanceCount") if member in asked}
    serverless = "CurrentServerlessConfig" in variant
    if "DesiredInstanceCount" in asked and serverless:
        raise ValidationError(f"DesiredInstanceCount cannot be specified for serverless variant {name}.")
    if asked.get("DesiredInstanceCount") == 0 and "AsyncInferenceConfig" not in fields:
        raise ValidationError(
            f"DesiredInstanceCount must be at least 1 for variant {name}: only asynchronous endpoints scale to zero."
        )
    if "ServerlessUpdateConfig" in asked:
        if not serverless:
            raise ValidationError(f"ServerlessUpdateConfig cannot be specified for instance-based variant {name}.")
        settings = variant["CurrentServerlessConfig"] | asked["ServerlessUpdateConfig"]
        if settings.get("ProvisionedConcurrency", 0) > settings["MaxConcurrency"]:
            raise ValidationError(
                f"ProvisionedConcurrency must be less than or equal to MaxConcurrency for production variant {name}."
            )
        wanted["DesiredServerlessConfig"] = settings
    return wanted
