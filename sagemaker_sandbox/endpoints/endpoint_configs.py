"""Endpoint configurations, and the combinations that SageMaker refuses.

The exclusions are documented with each feature (developer guide: serverless inference, feature exclusions; asynchronous
inference; shadow tests; API reference: CreateEndpointConfig). Most messages are not.

A key is accepted for instances with a local disk: it "does not encrypt instance local storage" (API reference).
Policies can require a key in every request.
"""

from sagemaker_sandbox.base.errors import ValidationError
from sagemaker_sandbox.endpoints import variants
from sagemaker_sandbox.resources.handlers import emulated_operation
from sagemaker_sandbox.resources.listing import list_page
from sagemaker_sandbox.resources.region import AccountRegion
from sagemaker_sandbox.resources.resources import Fields, ResourceFamily
from sagemaker_sandbox.sagemaker.container_definitions import is_multi_model
from sagemaker_sandbox.sagemaker.models import Models, list_containers
from sagemaker_sandbox.sagemaker.served_containers import resolve_containers
from sustainable_mlops.catalogue.images import is_image_of_account
from sustainable_mlops.catalogue.limits import METRIC_INTERVALS


class EndpointConfigs(ResourceFamily):
    """Handlers of CreateEndpointConfig, DescribeEndpointConfig, ListEndpointConfigs and DeleteEndpointConfig."""

    arn_type = "endpoint-config"
    noun = "endpoint configuration"

    def __init__(self, region: AccountRegion, models: Models) -> None:
        super().__init__(region)
        self._models = models

    @emulated_operation
    def create_endpoint_config(self, request: Fields) -> Fields:
        """Create a configuration. Refuse missing models, and variants that exclude each other."""
        self.check_name_is_free(request["EndpointConfigName"])
        production, shadow = request["ProductionVariants"], request.get("ShadowProductionVariants", [])
        names = [variant["VariantName"] for variant in (*production, *shadow)]
        if len(set(names)) < len(names):
            raise ValidationError("Production variant names must be unique within an endpoint configuration.")
        for member, variant_list in (("productionVariants", production), ("shadowProductionVariants", shadow)):
            for number, variant in enumerate(variant_list, start=1):
                variants.check_variant(self.region, variant, f"{member}.{number}.member")
        models = [self._models.get(variant["ModelName"]).fields for variant in (*production, *shadow)]
        for pool in (pool for variant in (*production, *shadow) for pool in variant.get("InstancePools", ())):
            if "ModelNameOverride" in pool:
                self._models.get(pool["ModelNameOverride"])
        _check_metrics(request)
        self._check_combination(request, models)
        config = self.add(request["EndpointConfigName"], dict(request), request.get("Tags"))
        config.fields["EndpointConfigArn"] = config.arn
        for member, variant_list in (("ProductionVariants", production), ("ShadowProductionVariants", shadow)):
            if variant_list:
                config.fields[member] = [{"InitialVariantWeight": 1.0} | variant for variant in variant_list]
        return {"EndpointConfigArn": config.arn}

    def _check_combination(self, request: Fields, models: list[Fields]) -> None:
        all_variants = [*request["ProductionVariants"], *request.get("ShadowProductionVariants", ())]
        if any("ServerlessConfig" in variant for variant in all_variants):
            _check_serverless(request, models[0])
            self._check_serverless_images(models[0])
        if "ShadowProductionVariants" in request:
            _check_shadow(request, models)
        if "AsyncInferenceConfig" in request:
            _check_asynchronous(request, models)

    def _check_serverless_images(self, model: Fields) -> None:
        """Refuse images of other accounts, except those of AWS. The message is AWS's."""
        account = self.region.account_id
        images = [container["Image"] for container in resolve_containers(self.region, model) if "Image" in container]
        if not all(is_image_of_account(image, account) for image in images):
            raise ValidationError(
                "The container image URI is not a prebuilt SageMaker algorithm or deep learning image, or the "
                "bring-your-own container image URI does not reside in an Amazon ECR repository within the same AWS "
                "account creating the endpoint."
            )

    @emulated_operation
    def describe_endpoint_config(self, request: Fields) -> Fields:
        """Return the configuration as created."""
        return self.get(request["EndpointConfigName"]).fields

    @emulated_operation
    def list_endpoint_configs(self, request: Fields) -> Fields:
        """Return summaries, newest first."""
        return list_page("ListEndpointConfigs", request, self, name="EndpointConfigName")

    @emulated_operation
    def delete_endpoint_config(self, request: Fields) -> Fields:
        """Delete the configuration. As on AWS, an endpoint that uses it keeps serving."""
        self.remove(self.get(request["EndpointConfigName"]))
        return {}


def _check_metrics(request: Fields) -> None:
    """Check the publishing interval; the service model has no list of its values."""
    seconds = request.get("MetricsConfig", {}).get("MetricPublishFrequencyInSeconds", METRIC_INTERVALS[0])
    if seconds not in METRIC_INTERVALS:
        allowed = ", ".join(map(str, METRIC_INTERVALS))
        raise ValidationError(f"MetricPublishFrequencyInSeconds must be one of {allowed}, not {seconds}.")


def _check_serverless(request: Fields, model: Fields) -> None:
    if len(request["ProductionVariants"]) > 1 or "ShadowProductionVariants" in request:
        raise _create_unsupported_error("a serverless endpoint has exactly one production variant")
    if request.get("DataCaptureConfig", {}).get("EnableCapture"):
        raise _create_unsupported_error("data capture is not supported for serverless endpoints")
    if "AsyncInferenceConfig" in request:
        raise _create_unsupported_error("asynchronous inference is not supported for serverless endpoints")
    if "VpcConfig" in model:
        raise _create_unsupported_error("VpcConfig is not supported for serverless endpoints")
    if model["EnableNetworkIsolation"]:
        raise _create_unsupported_error("network isolation is not supported for serverless endpoints")
    if len(list_containers(model)) > 1:
        raise _create_unsupported_error("a serverless endpoint serves one container, not an inference pipeline")
    if any(map(is_multi_model, list_containers(model))):
        raise _create_unsupported_error("multi-model containers are not supported for serverless endpoints")
    if any("ModelDataSource" in container for container in list_containers(model)):
        raise _create_unsupported_error("ModelDataSource is not supported for serverless endpoints")


def _check_shadow(request: Fields, models: list[Fields]) -> None:
    if len(request["ProductionVariants"]) > 1 or len(request["ShadowProductionVariants"]) > 1:
        raise ValidationError(
            "You can only specify one variant for ProductionVariants and one variant for ShadowProductionVariants."
        )
    if "AsyncInferenceConfig" in request:
        raise _create_unsupported_error("asynchronous inference is not supported for shadow variants")
    for model in models:
        if len(list_containers(model)) > 1 or any(map(is_multi_model, list_containers(model))):
            raise _create_unsupported_error("several containers or models are not supported for shadow variants")


def _check_asynchronous(request: Fields, models: list[Fields]) -> None:
    if len(request["ProductionVariants"]) > 1:
        raise _create_unsupported_error("an asynchronous endpoint has exactly one production variant")
    if any(map(is_multi_model, list_containers(models[0]))):
        raise _create_unsupported_error("multi-model containers are not supported for asynchronous endpoints")


def _create_unsupported_error(reason: str) -> ValidationError:
    return ValidationError(f"One or more endpoint features are not supported using this configuration: {reason}.")
