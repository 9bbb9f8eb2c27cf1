"""Endpoint configurations, and the combinations that SageMaker refuses (docs: "Deploy models with Serverless
Inference", feature exclusions)."""

from sustainable_mlops.catalogue.limits import serverless_memory_mb
from sustainable_mlops.sandbox.errors import ValidationError
from sustainable_mlops.sandbox.parts.listing import list_page
from sustainable_mlops.sandbox.parts.operations import behaves
from sustainable_mlops.sandbox.parts.region import Region
from sustainable_mlops.sandbox.parts.resources import Family, Fields
from sustainable_mlops.sandbox.sagemaker.models import Models, containers


class EndpointConfigs(Family):
    """CreateEndpointConfig, DescribeEndpointConfig, ListEndpointConfigs, DeleteEndpointConfig."""

    arn_type = "endpoint-config"
    noun = "endpoint configuration"

    def __init__(self, region: Region, models: Models) -> None:
        super().__init__(region)
        self._models = models

    @behaves
    def create_endpoint_config(self, request: Fields) -> Fields:
        """Refused where a model does not exist, or where a serverless variant asks for what serverless has not."""
        self.must_be_free(request["EndpointConfigName"])
        variants = request["ProductionVariants"]
        names = [variant["VariantName"] for variant in variants]
        if len(set(names)) < len(names):
            raise ValidationError("Production variant names must be unique within an endpoint configuration.")
        for variant in variants:
            self._check_variant(variant)
        if any("ServerlessConfig" in variant for variant in variants):
            self._check_serverless(request)
        config = self.add(request["EndpointConfigName"], dict(request), request.get("Tags"))
        config.fields["EndpointConfigArn"] = config.arn
        config.fields["ProductionVariants"] = [{"InitialVariantWeight": 1.0} | variant for variant in variants]
        return {"EndpointConfigArn": config.arn}

    def _check_variant(self, variant: Fields) -> None:
        name = variant["VariantName"]
        if "ModelName" in variant:
            self._models.get(variant["ModelName"])
        if "ServerlessConfig" in variant:
            _check_serverless_variant(variant)
        elif not any(member in variant for member in ("InstanceType", "InstancePools")):
            raise ValidationError(f"InstanceType must be specified for production variant {name}.")
        elif "ModelName" in variant and "InitialInstanceCount" not in variant and "InstancePools" not in variant:
            raise ValidationError(f"InitialInstanceCount must be specified for production variant {name}.")

    def _check_serverless(self, request: Fields) -> None:
        variants = request["ProductionVariants"]
        if len(variants) > 1 or request.get("ShadowProductionVariants"):
            raise _unsupported("a serverless endpoint has exactly one production variant")
        if request.get("DataCaptureConfig", {}).get("EnableCapture"):
            raise _unsupported("data capture is not supported for serverless endpoints")
        if "AsyncInferenceConfig" in request:
            raise _unsupported("asynchronous inference is not supported for serverless endpoints")
        if "ModelName" not in variants[0]:
            raise _unsupported("a serverless variant names its model; inference components are not supported")
        model = self._models.get(variants[0]["ModelName"]).fields
        if "VpcConfig" in model:
            raise _unsupported("VpcConfig is not supported for serverless endpoints")
        if model["EnableNetworkIsolation"]:
            raise _unsupported("network isolation is not supported for serverless endpoints")
        if len(containers(model)) > 1:
            raise _unsupported("a serverless endpoint serves one container, not an inference pipeline")
        if any(container.get("Mode") == "MultiModel" for container in containers(model)):
            raise _unsupported("multi-model containers are not supported for serverless endpoints")

    @behaves
    def describe_endpoint_config(self, request: Fields) -> Fields:
        """The configuration as created."""
        return self.get(request["EndpointConfigName"]).fields

    @behaves
    def list_endpoint_configs(self, request: Fields) -> Fields:
        """Summaries, newest first."""
        return list_page("ListEndpointConfigs", request, self, name="EndpointConfigName")

    @behaves
    def delete_endpoint_config(self, request: Fields) -> Fields:
        """Allowed while an endpoint uses it, as on AWS: the endpoint goes on serving."""
        self.remove(self.get(request["EndpointConfigName"]))
        return {}


def is_serverless(config: Fields) -> bool:
    """Whether a configuration's variants are serverless."""
    return "ServerlessConfig" in config["ProductionVariants"][0]


def _check_serverless_variant(variant: Fields) -> None:
    name, serverless = variant["VariantName"], variant["ServerlessConfig"]
    for member in (
        "InstanceType",
        "InitialInstanceCount",
        "InstancePools",
        "AcceleratorType",
        "ManagedInstanceScaling",
    ):
        if member in variant:
            raise ValidationError(
                f"{member} cannot be specified together with ServerlessConfig for production variant {name}."
            )
    memory = serverless["MemorySizeInMB"]
    if memory not in serverless_memory_mb():
        allowed = ", ".join(str(size) for size in serverless_memory_mb())
        raise ValidationError(
            f"1 validation error detected: Value '{memory}' at 'productionVariants.1.member.serverlessConfig."
            f"memorySizeInMB' failed to satisfy constraint: Member must satisfy enum value set: [{allowed}]"
        )
    if serverless.get("ProvisionedConcurrency", 0) > serverless["MaxConcurrency"]:
        raise ValidationError(
            f"ProvisionedConcurrency must be less than or equal to MaxConcurrency for production variant {name}."
        )


def _unsupported(what: str) -> ValidationError:
    return ValidationError(f"One or more endpoint features are not supported using this configuration: {what}.")
