"""Endpoints: their life, and the models they serve (see `hosting` for requests to them)."""

from typing import Any

from sustainable_mlops.sandbox.errors import ValidationError
from sustainable_mlops.sandbox.faults.known import FAILED
from sustainable_mlops.sandbox.parts.listing import list_page
from sustainable_mlops.sandbox.parts.objects import object_exists
from sustainable_mlops.sandbox.parts.operations import behaves
from sustainable_mlops.sandbox.parts.region import Region
from sustainable_mlops.sandbox.parts.resources import Family, Fields, Resource, now
from sustainable_mlops.sandbox.sagemaker.endpoint_configs import EndpointConfigs, is_serverless
from sustainable_mlops.sandbox.sagemaker.models import Models
from sustainable_mlops.sandbox.sagemaker.served import served_containers


class Endpoints(Family):
    """CreateEndpoint, UpdateEndpoint, UpdateEndpointWeightsAndCapacities, Describe, List, DeleteEndpoint."""

    arn_type = "endpoint"
    noun = "endpoint"

    def __init__(self, region: Region, configs: EndpointConfigs, models: Models) -> None:
        super().__init__(region)
        self._configs = configs
        self._models = models

    @behaves
    def create_endpoint(self, request: Fields) -> Fields:
        """Creating, then InService; Failed where the model's data is not in S3."""
        name = request["EndpointName"]
        self.must_be_free(name)
        config = self._configs.get(request["EndpointConfigName"]).fields
        endpoint = self.add(name, {"EndpointName": name, "EndpointStatus": "Creating"}, request.get("Tags"))
        endpoint.fields["EndpointArn"] = endpoint.arn
        self._deploy(endpoint, config, request.get("DeploymentConfig"))
        return {"EndpointArn": endpoint.arn}

    @behaves
    def update_endpoint(self, request: Fields) -> Fields:
        """Updating, then InService with the new configuration; the old one serves until then."""
        endpoint = self.get(request["EndpointName"])
        config = self._configs.get(request["EndpointConfigName"]).fields
        self._must_be_at_rest(endpoint)
        if is_serverless(config) and not _serves_serverless(endpoint):
            raise ValidationError(
                f'Cannot update endpoint "{endpoint.arn}": an instance-based endpoint cannot become serverless.'
            )
        endpoint.fields["EndpointStatus"] = "Updating"
        self._deploy(endpoint, config, request.get("DeploymentConfig"))
        return {"EndpointArn": endpoint.arn}

    def _deploy(self, endpoint: Resource, config: Fields, deployment: Fields | None) -> None:
        """Have the endpoint serve a configuration once its transition is over."""
        models = self._resolve_models(config)
        first = endpoint.fields["EndpointStatus"] == "Creating"
        if first:
            endpoint.fields["EndpointConfigName"] = config["EndpointConfigName"]

        def look_and_change() -> None:
            failure = self._missing_data(models)
            with self.region.lock:
                self._change(endpoint, config, models, deployment, failure, first=first)

        self.region.start(f"endpoint {endpoint.name}", look_and_change)

    def _change(
        self,
        endpoint: Resource,
        config: Fields,
        models: dict[str, Fields],
        deployment: Fields | None,
        failure: str | None,
        *,
        first: bool,
    ) -> None:
        """Begin the transition to a configuration whose data are there, or back from one whose data are not."""
        operation = "CreateEndpoint" if first else "UpdateEndpoint"
        if (fault := self.region.faults.outcome(operation, endpoint.name, FAILED)) is not None:
            failure = fault.message or "Request to service failed."
        private: Fields = {}
        outcome: Fields = {"EndpointStatus": "InService", "LastModifiedTime": now(), "FailureReason": failure}
        if failure and first:
            outcome["EndpointStatus"] = "Failed"
        if first or not failure:  # A failed update rolls back: what served before goes on serving.
            outcome |= {
                "EndpointConfigName": config["EndpointConfigName"],
                "ProductionVariants": [_variant_summary(variant, models) for variant in config["ProductionVariants"]],
                "LastDeploymentConfig": deployment,
                "AsyncInferenceConfig": config.get("AsyncInferenceConfig"),
                "DataCaptureConfig": _capture_summary(config),
            }
            private = {"models": models}
        endpoint.change(self.region.transition_seconds(operation, endpoint.name), outcome, private)

    def _resolve_models(self, config: Fields) -> dict[str, Fields]:
        """Variant name to the container it serves, resolved now: a model deleted later goes on being served."""
        resolved = {}
        for variant in config["ProductionVariants"]:
            if "ModelName" in variant:
                model = self._models.get(variant["ModelName"]).fields
                resolved[variant["VariantName"]] = served_containers(self.region, model)[0]
        return resolved

    def _missing_data(self, models: dict[str, Fields]) -> str | None:
        s3 = self.region.client("s3")
        for container in models.values():
            uri = model_data_uri(container)
            if uri is not None and not object_exists(s3, uri):
                return f"Failed to download model data for container from URL {uri}: there is no such object."
        return None

    @behaves
    def update_endpoint_weights_and_capacities(self, request: Fields) -> Fields:
        """New weights, instance counts or serverless settings for the variants named."""
        endpoint = self.get(request["EndpointName"])
        self._must_be_at_rest(endpoint)
        variants = {variant["VariantName"]: variant for variant in endpoint.fields["ProductionVariants"]}
        for desired in request["DesiredWeightsAndCapacities"]:
            if desired["VariantName"] not in variants:
                raise ValidationError(f"Could not find variant {desired['VariantName']} of endpoint {endpoint.arn}.")
            variants[desired["VariantName"]] = _scaled(variants[desired["VariantName"]], desired)
        endpoint.fields["EndpointStatus"] = "Updating"
        outcome = {
            "EndpointStatus": "InService",
            "ProductionVariants": list(variants.values()),
            "LastModifiedTime": now(),
        }
        endpoint.change(self.region.transition_seconds("UpdateEndpointWeightsAndCapacities", endpoint.name), outcome)
        return {"EndpointArn": endpoint.arn}

    @behaves
    def describe_endpoint(self, request: Fields) -> Fields:
        """The endpoint as it is at this moment."""
        return self.get(request["EndpointName"]).fields

    @behaves
    def list_endpoints(self, request: Fields) -> Fields:
        """Summaries, newest first."""
        return list_page("ListEndpoints", request, self, name="EndpointName", status="EndpointStatus")

    @behaves
    def delete_endpoint(self, request: Fields) -> Fields:
        """Deleting, then gone with its workers."""
        endpoint = self.get(request["EndpointName"])
        self._must_be_at_rest(endpoint)
        endpoint.fields["EndpointStatus"] = "Deleting"
        endpoint.delete(self.region.transition_seconds("DeleteEndpoint", endpoint.name))
        return {}

    def restore(self, kept: Any) -> None:
        """What was about to begin when the sandbox ended has not begun."""
        super().restore(kept)
        for endpoint in self.resources.values():
            if endpoint.coming is None and endpoint.fields["EndpointStatus"] in ("Creating", "Updating"):
                first = endpoint.fields["EndpointStatus"] == "Creating"
                endpoint.fields["EndpointStatus"] = "Failed" if first else "InService"
                endpoint.fields["FailureReason"] = "The sandbox ended during the deployment; deploy again."

    def _must_be_at_rest(self, endpoint: Resource) -> None:
        if endpoint.fields["EndpointStatus"] in ("Creating", "Updating", "Deleting"):
            raise ValidationError(f'Cannot update in-progress endpoint "{endpoint.arn}".')


def model_data_uri(container: Fields) -> str | None:
    """Where a container's model archive is in S3, if it has one."""
    source = container.get("ModelDataSource", {}).get("S3DataSource", {})
    uri: str | None = container.get("ModelDataUrl") or source.get("S3Uri")
    return uri


def _serves_serverless(endpoint: Resource) -> bool:
    return any("CurrentServerlessConfig" in variant for variant in endpoint.fields.get("ProductionVariants", []))


def _variant_summary(variant: Fields, models: dict[str, Fields]) -> Fields:
    weight = variant["InitialVariantWeight"]
    summary: Fields = {"VariantName": variant["VariantName"], "CurrentWeight": weight, "DesiredWeight": weight}
    image = models.get(variant["VariantName"], {}).get("Image")
    if image:
        summary["DeployedImages"] = [{"SpecifiedImage": image, "ResolvedImage": image, "ResolutionTime": now()}]
    if "ServerlessConfig" in variant:
        serverless = variant["ServerlessConfig"]
        return summary | {"CurrentServerlessConfig": serverless, "DesiredServerlessConfig": serverless}
    count = variant.get("InitialInstanceCount", 0)
    return summary | {"CurrentInstanceCount": count, "DesiredInstanceCount": count}


def _capture_summary(config: Fields) -> Fields | None:
    capture = config.get("DataCaptureConfig")
    if capture is None:
        return None
    enabled = capture.get("EnableCapture", False)
    return {
        "EnableCapture": enabled,
        "CaptureStatus": "Started" if enabled else "Stopped",
        "CurrentSamplingPercentage": capture["InitialSamplingPercentage"],
        "DestinationS3Uri": capture["DestinationS3Uri"],
        "KmsKeyId": capture.get("KmsKeyId", ""),
    }


def _scaled(variant: Fields, desired: Fields) -> Fields:
    """A variant with its new weight, instance count and serverless settings, where given."""
    scaled = dict(variant)
    if "DesiredWeight" in desired:
        scaled |= {"CurrentWeight": desired["DesiredWeight"], "DesiredWeight": desired["DesiredWeight"]}
    if "DesiredInstanceCount" in desired:
        count = desired["DesiredInstanceCount"]
        scaled |= {"CurrentInstanceCount": count, "DesiredInstanceCount": count}
    if "ServerlessUpdateConfig" in desired:
        serverless = variant["CurrentServerlessConfig"] | desired["ServerlessUpdateConfig"]
        scaled |= {"CurrentServerlessConfig": serverless, "DesiredServerlessConfig": serverless}
    return scaled
