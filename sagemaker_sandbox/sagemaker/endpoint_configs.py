"""Endpoint configurations, and the combinations that SageMaker refuses.

What excludes what is documented where each feature is (developer guide: serverless inference, feature exclusions;
asynchronous inference; shadow tests; API reference: CreateEndpointConfig); the words of most of it are not.
A key is taken for instances whose data lies on a disk of their own: it "does not encrypt instance local storage" (API
reference), and whoever must by policy name a key in every request does.
"""

from sagemaker_sandbox.errors import ValidationError
from sagemaker_sandbox.parts.listing import list_page
from sagemaker_sandbox.parts.handlers import emulated_operation
from sagemaker_sandbox.parts.region import AccountRegion
from sagemaker_sandbox.parts.resources import ResourceFamily, Fields
from sagemaker_sandbox.sagemaker import variants
from sagemaker_sandbox.sagemaker.container_definitions import is_multi_model
from sagemaker_sandbox.sagemaker.models import Models, containers


class EndpointConfigs(ResourceFamily):
    """CreateEndpointConfig, DescribeEndpointConfig, ListEndpointConfigs, DeleteEndpointConfig."""

    arn_type = "endpoint-config"
    noun = "endpoint configuration"

    def __init__(self, region: AccountRegion, models: Models) -> None:
        super().__init__(region)
        self._models = models

    @emulated_operation
    def create_endpoint_config(self, request: Fields) -> Fields:
        """Refused where a model does not exist, or where its variants ask for what they cannot have together."""
        self.check_name_is_free(request["EndpointConfigName"])
        production, shadow = request["ProductionVariants"], request.get("ShadowProductionVariants", [])
        names = [variant["VariantName"] for variant in (*production, *shadow)]
        if len(set(names)) < len(names):
            raise ValidationError("Production variant names must be unique within an endpoint configuration.")
        for member, listed in (("productionVariants", production), ("shadowProductionVariants", shadow)):
            for number, variant in enumerate(listed, start=1):
                variants.check(self.region, variant, f"{member}.{number}.member")
        models = [self._models.get(variant["ModelName"]).fields for variant in (*production, *shadow)]
        for pool in (pool for variant in (*production, *shadow) for pool in variant.get("InstancePools", ())):
            if "ModelNameOverride" in pool:
                self._models.get(pool["ModelNameOverride"])
        self._check_together(request, models)
        config = self.add(request["EndpointConfigName"], dict(request), request.get("Tags"))
        config.fields["EndpointConfigArn"] = config.arn
        for member, listed in (("ProductionVariants", production), ("ShadowProductionVariants", shadow)):
            if listed:
                config.fields[member] = [{"InitialVariantWeight": 1.0} | variant for variant in listed]
        return {"EndpointConfigArn": config.arn}

    def _check_together(self, request: Fields, models: list[Fields]) -> None:
        every = [*request["ProductionVariants"], *request.get("ShadowProductionVariants", ())]
        if any("ServerlessConfig" in variant for variant in every):
            _check_serverless(request, models[0])
        if "ShadowProductionVariants" in request:
            _check_shadow(request, models)
        if "AsyncInferenceConfig" in request:
            _check_asynchronous(request, models)

    @emulated_operation
    def describe_endpoint_config(self, request: Fields) -> Fields:
        """The configuration as created."""
        return self.get(request["EndpointConfigName"]).fields

    @emulated_operation
    def list_endpoint_configs(self, request: Fields) -> Fields:
        """Summaries, newest first."""
        return list_page("ListEndpointConfigs", request, self, name="EndpointConfigName")

    @emulated_operation
    def delete_endpoint_config(self, request: Fields) -> Fields:
        """Allowed while an endpoint uses it, as on AWS: the endpoint goes on serving."""
        self.remove(self.get(request["EndpointConfigName"]))
        return {}


def _check_serverless(request: Fields, model: Fields) -> None:
    if len(request["ProductionVariants"]) > 1 or "ShadowProductionVariants" in request:
        raise _unsupported("a serverless endpoint has exactly one production variant")
    if request.get("DataCaptureConfig", {}).get("EnableCapture"):
        raise _unsupported("data capture is not supported for serverless endpoints")
    if "AsyncInferenceConfig" in request:
        raise _unsupported("asynchronous inference is not supported for serverless endpoints")
    if "VpcConfig" in model:
        raise _unsupported("VpcConfig is not supported for serverless endpoints")
    if model["EnableNetworkIsolation"]:
        raise _unsupported("network isolation is not supported for serverless endpoints")
    if len(containers(model)) > 1:
        raise _unsupported("a serverless endpoint serves one container, not an inference pipeline")
    if any(map(is_multi_model, containers(model))):
        raise _unsupported("multi-model containers are not supported for serverless endpoints")
    if any("ModelDataSource" in container for container in containers(model)):
        raise _unsupported("ModelDataSource is not supported for serverless endpoints")


def _check_shadow(request: Fields, models: list[Fields]) -> None:
    if len(request["ProductionVariants"]) > 1 or len(request["ShadowProductionVariants"]) > 1:
        raise ValidationError(
            "You can only specify one variant for ProductionVariants and one variant for ShadowProductionVariants."
        )
    if "AsyncInferenceConfig" in request:
        raise _unsupported("asynchronous inference is not supported for shadow variants")
    for model in models:
        if len(containers(model)) > 1 or any(map(is_multi_model, containers(model))):
            raise _unsupported("several containers or models are not supported for shadow variants")


def _check_asynchronous(request: Fields, models: list[Fields]) -> None:
    if len(request["ProductionVariants"]) > 1:
        raise _unsupported("an asynchronous endpoint has exactly one production variant")
    if any(map(is_multi_model, containers(models[0]))):
        raise _unsupported("multi-model containers are not supported for asynchronous endpoints")


def _unsupported(what: str) -> ValidationError:
    return ValidationError(f"One or more endpoint features are not supported using this configuration: {what}.")
