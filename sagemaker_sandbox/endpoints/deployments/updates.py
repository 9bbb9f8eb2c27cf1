"""Rules of UpdateEndpoint: properties that an update retains, and changes that it rejects."""

from sagemaker_sandbox.base.errors import ValidationError
from sagemaker_sandbox.endpoints.deployments.endpoint_description import VARIANT_MEMBERS
from sagemaker_sandbox.endpoints.deployments.policy import DeploymentPolicy
from sagemaker_sandbox.resources.instance_types import list_instance_types
from sagemaker_sandbox.resources.resources import Fields, SageMakerResource

#: VariantPropertyType to the members in a configuration and in the response of DescribeEndpoint.
_RETAINED_MEMBERS = {
    "DesiredInstanceCount": ("InitialInstanceCount", "CurrentInstanceCount"),
    "DesiredWeight": ("InitialVariantWeight", "CurrentWeight"),
}


def resolve_deployment_config(request: Fields, endpoint: SageMakerResource | None = None) -> Fields | None:
    """Return the DeploymentConfig of a request, or the previous one if it is retained."""
    requested: Fields | None = request.get("DeploymentConfig")
    if not request.get("RetainDeploymentConfig") or endpoint is None:
        return requested
    if requested is not None:
        raise ValidationError("DeploymentConfig cannot be specified when RetainDeploymentConfig is true.")
    return endpoint.fields.get("LastDeploymentConfig")


def retain_variant_properties(config: Fields, endpoint: SageMakerResource, request: Fields) -> Fields:
    """Return the configuration with the present counts and weights, if the request retains them.

    Variants are matched by name. DataCaptureConfig is documented as not supported, so it is not retained.
    """
    if not request.get("RetainAllVariantProperties"):
        return config
    excluded = {item["VariantPropertyType"] for item in request.get("ExcludeRetainedVariantProperties", ())}
    members = [pair for kind, pair in _RETAINED_MEMBERS.items() if kind not in excluded]
    retained: Fields = dict(config)
    for member in VARIANT_MEMBERS:
        current = {item["VariantName"]: item for item in endpoint.fields.get(member) or ()}
        if config.get(member):
            retained[member] = [
                _merge_properties(item, current.get(item["VariantName"], {}), members) for item in config[member]
            ]
    return retained


def _merge_properties(variant: Fields, current: Fields, members: list[tuple[str, str]]) -> Fields:
    return variant | {target: current[source] for target, source in members if target in variant and source in current}


def check_configuration(endpoint: SageMakerResource, config: Fields) -> None:
    """Raise ValidationError if an update names the configuration that the endpoint already has.

    API reference, UpdateEndpoint: "You cannot update an endpoint with the current EndpointConfig. To update an
    endpoint, you must create a new EndpointConfig." After a failed rollback an endpoint serves two configurations, and
    an update may name either. AWS publishes no wording of the error.
    """
    current = endpoint.fields["EndpointConfigName"]
    if config["EndpointConfigName"] == current and endpoint.fields["EndpointStatus"] != "UpdateRollbackFailed":
        raise ValidationError(
            f'Cannot update endpoint "{endpoint.arn}" with its current endpoint configuration {current}; create a new '
            "endpoint configuration."
        )


def check_endpoint_kind(endpoint: SageMakerResource, config: Fields) -> None:
    """Raise ValidationError for an update that changes the kind of endpoint, where this is not allowed."""
    current, name = endpoint.private["config"], endpoint.name
    if is_serverless(config) and not is_serverless(current):
        raise ValidationError(
            f'Cannot update endpoint "{endpoint.arn}": an instance-based endpoint cannot become serverless.'
        )
    if "AsyncInferenceConfig" in current and "AsyncInferenceConfig" not in config:
        raise ValidationError(f"The AsyncInferenceConfig parameter cannot be removed from this endpoint {name}.")
    if "AsyncInferenceConfig" not in current and "AsyncInferenceConfig" in config:
        raise ValidationError(f"The AsyncInferenceConfig parameter cannot be added to this endpoint {name}.")


def is_serverless(config: Fields) -> bool:
    """Return whether the variants of a configuration are serverless."""
    return "ServerlessConfig" in config["ProductionVariants"][0]


def has_guardrails(*configs: Fields) -> bool:
    """Return whether deployment guardrails apply to all configurations.

    They apply to instances only: developer guide, "Exclusions". Containers from AWS Marketplace are excluded too, but
    the sandbox has none.
    """
    return not any(
        _is_excluded(variant)
        for config in configs
        for member in VARIANT_MEMBERS
        for variant in config.get(member) or ()
    )


def _is_excluded(variant: Fields) -> bool:
    return (
        "ServerlessConfig" in variant
        or "AcceleratorType" in variant
        or any(kind.startswith("ml.inf1.") for kind in list_instance_types(variant))
    )


def list_variant_names(config: Fields) -> list[str]:
    """Return the names of the production variants of a configuration."""
    return [variant["VariantName"] for variant in config["ProductionVariants"]]


ALL_AT_ONCE = DeploymentPolicy({})
