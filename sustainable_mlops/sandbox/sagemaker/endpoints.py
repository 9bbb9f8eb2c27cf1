"""Endpoints: their life, and the models they serve (see `hosting` for requests to them)."""

from sustainable_mlops.sandbox.errors import ValidationError
from sustainable_mlops.sandbox.sagemaker.endpoint_configs import EndpointConfigs, is_serverless
from sustainable_mlops.sandbox.sagemaker.model_packages import ModelPackages
from sustainable_mlops.sandbox.sagemaker.models import Models, containers
from sustainable_mlops.sandbox.sagemaker.region import Region
from sustainable_mlops.sandbox.sagemaker.resources import Family, Fields, Resource, list_page, now


class Endpoints(Family):
    """CreateEndpoint, UpdateEndpoint, UpdateEndpointWeightsAndCapacities, Describe, List, DeleteEndpoint."""

    arn_type = "endpoint"
    noun = "endpoint"

    def __init__(self, region: Region, configs: EndpointConfigs, models: Models, packages: ModelPackages) -> None:
        super().__init__(region)
        self._configs = configs
        self._models = models
        self._packages = packages

    def create_endpoint(self, request: Fields) -> Fields:
        """Creating, then InService; Failed where the model's data is not in S3."""
        name = request["EndpointName"]
        self.must_be_free(name)
        config = self._configs.get(request["EndpointConfigName"]).fields
        endpoint = self.add(name, {"EndpointName": name, "EndpointStatus": "Creating"}, request.get("Tags"))
        endpoint.fields["EndpointArn"] = endpoint.arn
        self._deploy(endpoint, config, request.get("DeploymentConfig"))
        return {"EndpointArn": endpoint.arn}

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
        failure = self._missing_data(models)
        first = endpoint.fields["EndpointStatus"] == "Creating"
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
                "_models": models,
            }
        if first:
            endpoint.fields["EndpointConfigName"] = config["EndpointConfigName"]
        endpoint.change(self.region.context.transition_seconds, outcome)

    def _resolve_models(self, config: Fields) -> dict[str, Fields]:
        """Variant name to the container it serves, resolved now: a model deleted later goes on being served."""
        resolved = {}
        for variant in config["ProductionVariants"]:
            if "ModelName" in variant:
                model = self._models.get(variant["ModelName"]).fields
                resolved[variant["VariantName"]] = self._container(containers(model)[0])
        return resolved

    def _container(self, container: Fields) -> Fields:
        """A container with the model package it names filled in."""
        if "ModelPackageName" not in container:
            return container
        package = self._packages.get(container["ModelPackageName"]).fields
        packaged = package["InferenceSpecification"]["Containers"][0]
        environment = packaged.get("Environment", {}) | container.get("Environment", {})
        resolved: Fields = packaged | container | {"Environment": environment}
        return resolved

    def _missing_data(self, models: dict[str, Fields]) -> str | None:
        for container in models.values():
            uri = model_data_uri(container)
            if uri is not None and not self.region.object_exists(uri):
                return f"Failed to download model data for container from URL {uri}: there is no such object."
        return None

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
        endpoint.change(self.region.context.transition_seconds, outcome)
        return {"EndpointArn": endpoint.arn}

    def describe_endpoint(self, request: Fields) -> Fields:
        """The endpoint as it is at this moment."""
        return self.get(request["EndpointName"]).fields

    def list_endpoints(self, request: Fields) -> Fields:
        """Summaries, newest first."""
        return list_page(self, request, "Endpoints", name="EndpointName", status="EndpointStatus")

    def delete_endpoint(self, request: Fields) -> Fields:
        """Deleting, then gone with its workers."""
        endpoint = self.get(request["EndpointName"])
        self._must_be_at_rest(endpoint)
        endpoint.fields["EndpointStatus"] = "Deleting"
        endpoint.change(self.region.context.transition_seconds, None)
        return {}

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
