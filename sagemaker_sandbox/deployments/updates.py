"""What an update keeps of the endpoint as it is, and what no update does."""

from typing import Any

from sagemaker_sandbox.deployments.endpoint_description import VARIANT_MEMBERS
from sagemaker_sandbox.deployments.policy import DeploymentPolicy
from sagemaker_sandbox.errors import ValidationError
from sagemaker_sandbox.parts.resources import Fields, SageMakerResource

#: VariantPropertyType to the member of a configuration's variant, and of what DescribeEndpoint answers of it.
_RETAINED = {
    "DesiredInstanceCount": ("InitialInstanceCount", "CurrentInstanceCount"),
    "DesiredWeight": ("InitialVariantWeight", "CurrentWeight"),
}


def resolve_deployment_config(request: Fields, endpoint: SageMakerResource | None = None) -> Fields | None:
    """The DeploymentConfig of a request, or the last one where that is to be retained."""
    given: Fields | None = request.get("DeploymentConfig")
    if not request.get("RetainDeploymentConfig") or endpoint is None:
        return given
    if given is not None:
        raise ValidationError("DeploymentConfig cannot be specified when RetainDeploymentConfig is true.")
    return endpoint.fields.get("LastDeploymentConfig")


def retain_variant_properties(config: Fields, endpoint: SageMakerResource, request: Fields) -> Fields:
    """The configuration, with the counts and weights that variants of the same names have now where these are to stay.

    DataCaptureConfig is documented as not supported, and is not retained.
    """
    if not request.get("RetainAllVariantProperties"):
        return config
    excluded = {one["VariantPropertyType"] for one in request.get("ExcludeRetainedVariantProperties", ())}
    members = [pair for kind, pair in _RETAINED.items() if kind not in excluded]
    kept: Fields = dict(config)
    for member in VARIANT_MEMBERS:
        now = {one["VariantName"]: one for one in endpoint.fields.get(member) or ()}
        if config.get(member):
            kept[member] = [_kept(one, now.get(one["VariantName"], {}), members) for one in config[member]]
    return kept


def _kept(variant: Fields, now: Fields, members: list[tuple[str, str]]) -> Fields:
    return variant | {to: now[of] for to, of in members if to in variant and of in now}


def check_configuration(endpoint: SageMakerResource, config: Fields) -> None:
    """Raise ValidationError where an update names the configuration that the endpoint has.

    API reference, UpdateEndpoint: "You cannot update an endpoint with the current EndpointConfig. To update an
    endpoint, you must create a new EndpointConfig." An endpoint that serves two after a failed rollback may name
    either. AWS publishes no wording of the error.
    """
    current = endpoint.fields["EndpointConfigName"]
    if config["EndpointConfigName"] == current and endpoint.fields["EndpointStatus"] != "UpdateRollbackFailed":
        raise ValidationError(
            f'Cannot update endpoint "{endpoint.arn}" with its current endpoint configuration {current}; create a new '
            "endpoint configuration."
        )


def check_endpoint_kind(endpoint: SageMakerResource, config: Fields) -> None:
    """Raise ValidationError where an endpoint would become of another kind, which only some may."""
    was, name = endpoint.private["config"], endpoint.name
    if is_serverless(config) and not is_serverless(was):
        raise ValidationError(
            f'Cannot update endpoint "{endpoint.arn}": an instance-based endpoint cannot become serverless.'
        )
    if "AsyncInferenceConfig" in was and "AsyncInferenceConfig" not in config:
        raise ValidationError(f"The AsyncInferenceConfig parameter cannot be removed from this endpoint {name}.")
    if "AsyncInferenceConfig" not in was and "AsyncInferenceConfig" in config:
        raise ValidationError(f"The AsyncInferenceConfig parameter cannot be added to this endpoint {name}.")


def is_serverless(config: Fields) -> bool:
    """Whether a configuration's variants are serverless."""
    return "ServerlessConfig" in config["ProductionVariants"][0]


def has_guardrails(*configs: Fields) -> bool:
    """Whether deployment guardrails apply: developer guide, "Exclusions"; they are for instances alone.

    Nothing here comes from AWS Marketplace, whose containers are excluded, too.
    """
    return not any(
        _excluded(variant) for config in configs for member in VARIANT_MEMBERS for variant in config.get(member) or ()
    )


def _excluded(variant: Fields) -> bool:
    types: list[Any] = [
        variant.get("InstanceType", ""),
        *(one["InstanceType"] for one in variant.get("InstancePools", ())),
    ]
    return (
        "ServerlessConfig" in variant
        or "AcceleratorType" in variant
        or any(str(one).startswith("ml.inf1.") for one in types)
    )


def list_variant_names(config: Fields) -> list[str]:
    """The production variants of a configuration."""
    return [variant["VariantName"] for variant in config["ProductionVariants"]]


ALL_AT_ONCE = DeploymentPolicy({})
