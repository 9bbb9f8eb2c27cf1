"""What every endpoint is made of: log group, models, configuration, and the endpoint that follows them."""

from collections.abc import Mapping, Sequence
from typing import Any

from cdktn_provider_aws.cloudwatch_log_group import CloudwatchLogGroup
from cdktn_provider_aws.sagemaker_endpoint import SagemakerEndpoint
from cdktn_provider_aws.sagemaker_endpoint_configuration import SagemakerEndpointConfiguration
from cdktn_provider_aws.sagemaker_model import SagemakerModel

from modules.endpoints.inputs import VARIANT, EndpointInputs, configuration_name_prefix
from sustainable_mlops.authoring.expressions import self_reference
from sustainable_mlops.authoring.resources import Module, Output, Outputs

CREATE_BEFORE_DESTROY = {"create_before_destroy": True}
_MODEL = "No name: a model cannot be changed, so each new one needs a name of its own."


def add_log_group(module: Module[Any], var: EndpointInputs, name: str) -> Any:
    """Add the log group of an endpoint's containers."""
    return module.add(
        CloudwatchLogGroup,
        "this",
        why="SageMaker would create it at the first request, and keep it for ever.",
        skips={"CKV_AWS_338": "a container's logs are read for weeks; log_retention_days says how long"},
        name=f"/aws/sagemaker/Endpoints/{name}",
        kms_key_id=var.kms_key_arn,
        retention_in_days=var.log_retention_days,
        tags=var.tags,
    )


def create_before_destroy(triggers: Sequence[Any] = ()) -> dict[str, Any]:
    """Return a lifecycle with create_before_destroy and replacement when `triggers` change."""
    return {**CREATE_BEFORE_DESTROY, **({"replace_triggered_by": list(triggers)} if triggers else {})}


def add_deployment_trigger(module: Module[Any], deployment: Mapping[str, Any]) -> Any:
    """Add the resource that replaces the configuration when the endpoint's `deployment_config` changes."""
    from sustainable_mlops.authoring.cdktn import DataResource

    return module.add(
        DataResource,
        "deployment",
        why="SageMaker refuses an update to an endpoint's current configuration. The provider would send one when only "
        "deployment_config changes, so this replaces the configuration.",
        input=deployment,
    )


def add_model(module: Module[Any], var: EndpointInputs, *, triggers: Sequence[Any] = (), **arguments: Any) -> Any:
    """Add a model, which each change of `triggers` replaces."""
    return module.add(
        SagemakerModel,
        "this",
        why=_MODEL,
        execution_role_arn=var.role_arn,
        **arguments,
        tags=var.tags,
        lifecycle=create_before_destroy(triggers),
    )


def container_block(container: Any) -> dict[str, Any]:
    """The block of a container."""
    return {
        "image": container.image_uri,
        "model_data_url": container.model_data_url,
        "model_package_name": container.model_package_arn,
        "inference_specification_name": container.inference_specification_name,
        "environment": container.environment_variables,
    }


def add_configuration(
    module: Module[Any], var: EndpointInputs, name: str, *, triggers: Sequence[Any] = (), **arguments: Any
) -> Any:
    """Add the configuration of an endpoint, which each change of `triggers` replaces."""
    return module.add(
        SagemakerEndpointConfiguration,
        "this",
        why="An endpoint follows only a new configuration name, hence the prefix and the order of replacement.",
        name_prefix=configuration_name_prefix(name),
        **arguments,
        tags=var.tags,
        lifecycle=create_before_destroy(triggers),
    )


def add_endpoint(
    module: Module[Any],
    var: EndpointInputs,
    name: str,
    configuration: Any,
    *,
    after: Sequence[Any] = (),
    **arguments: Any,
) -> Any:
    """Add the endpoint of a configuration, after these resources."""
    served = self_reference(SagemakerEndpoint)
    return module.add(
        SagemakerEndpoint,
        "this",
        name=name,
        endpoint_config_name=configuration.name,
        **arguments,
        tags=var.tags,
        notes={
            "lifecycle": "After an update that failed or was rolled back the endpoint is in service with its old "
            "configuration. The provider takes that for success and then deletes the configuration, which is in use; "
            "here the apply ends before that."
        },
        lifecycle={
            "postcondition": {
                "condition": served.endpoint_config_name == configuration.name,
                "error_message": f"The endpoint {served.name} has gone back to its old configuration and serves the "
                "old model: the new one did not start, or a rollback alarm went off. Nothing is lost. See the alarms "
                f"and the log group /aws/sagemaker/Endpoints/{name}, then apply again with a model that works.",
            }
        },
        depends_on=[module.resources.aws_cloudwatch_log_group.this, *after],
    )


def endpoint_outputs(module: Module[Any], endpoint: Any) -> Outputs:
    """The outputs of every endpoint."""
    return {
        "endpoint_arn": Output(endpoint.arn, "ARN of the endpoint."),
        "endpoint_name": Output(endpoint.name, "Name to invoke."),
        "log_group_name": Output(
            module.resources.aws_cloudwatch_log_group.this.name, "Log group of the endpoint's containers."
        ),
    }


def add_single_container_endpoint(
    module: Module[Any],
    var: Any,
    name: str,
    *,
    model: Mapping[str, Any],
    variant: Mapping[str, Any],
    configuration: Mapping[str, Any],
    endpoint: Mapping[str, Any] | None = None,
) -> tuple[Any, Outputs]:
    """Add all of it for one variant with one container, each with these arguments besides.

    Returns the endpoint, and the outputs of every endpoint.
    """
    add_log_group(module, var, name)
    sagemaker_model = add_model(module, var, **model, primary_container=container_block(var))
    endpoint_configuration = add_configuration(
        module,
        var,
        name,
        **configuration,
        production_variants=[{"variant_name": VARIANT, "model_name": sagemaker_model.name, **variant}],
    )
    sagemaker_endpoint = add_endpoint(module, var, name, endpoint_configuration, **(endpoint or {}))
    return sagemaker_endpoint, {
        **endpoint_outputs(module, sagemaker_endpoint),
        "variant_name": Output(VARIANT, "Its one variant, as metrics and autoscaling name it."),
    }
