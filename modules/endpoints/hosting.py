"""Resources of every endpoint: log group, models, configuration and endpoint."""

from collections.abc import Mapping, Sequence
from typing import Any

from cdktn_provider_aws.cloudwatch_log_group import CloudwatchLogGroup
from cdktn_provider_aws.sagemaker_endpoint import SagemakerEndpoint
from cdktn_provider_aws.sagemaker_endpoint_configuration import SagemakerEndpointConfiguration
from cdktn_provider_aws.sagemaker_model import SagemakerModel

from modules.endpoints.inputs import EndpointInputs, format_configuration_name_prefix
from sustainable_mlops.authoring.expressions import self_reference
from sustainable_mlops.authoring.resources import Module, Output, Outputs

CREATE_BEFORE_DESTROY = {"create_before_destroy": True}
_MODEL = "Without a name: a model cannot be updated, so each new model needs a new name."


def add_log_group(module: Module[Any], var: EndpointInputs, name: str) -> Any:
    """Add the log group of an endpoint's containers."""
    return module.add(
        CloudwatchLogGroup,
        "this",
        why="Without this, SageMaker creates the log group at the first request and keeps its logs forever.",
        skips={"CKV_AWS_338": "a container's logs are useful for weeks; log_retention_days sets the retention"},
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
    """Add a model that is replaced when `triggers` change."""
    return module.add(
        SagemakerModel,
        "this",
        why=_MODEL,
        execution_role_arn=var.role_arn,
        **arguments,
        tags=var.tags,
        lifecycle=create_before_destroy(triggers),
    )


def build_container_block(container: Any) -> dict[str, Any]:
    """Return the block of a container."""
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
    """Add the configuration of an endpoint; it is replaced when `triggers` change."""
    return module.add(
        SagemakerEndpointConfiguration,
        "this",
        why="An endpoint is updated only by a new configuration name, hence the name prefix and create_before_destroy.",
        name_prefix=format_configuration_name_prefix(name),
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
    """Add the endpoint of a configuration, after the resources in `after`."""
    served = self_reference(SagemakerEndpoint)
    return module.add(
        SagemakerEndpoint,
        "this",
        name=name,
        endpoint_config_name=configuration.name,
        **arguments,
        tags=var.tags,
        notes={
            "lifecycle": "After a failed or rolled-back update, the endpoint is in service with its old configuration. "
            "The provider reports success and then deletes that configuration, which is in use. The postcondition ends "
            "the apply before that."
        },
        lifecycle={
            "postcondition": {
                "condition": served.endpoint_config_name == configuration.name,
                "error_message": f"The endpoint {served.name} was rolled back and serves the old model: the new model "
                "did not start, or a rollback alarm went off. Nothing is lost. Check the alarms and the log group "
                f"/aws/sagemaker/Endpoints/{name}, then apply again with a model that works.",
            }
        },
        depends_on=[module.resources.aws_cloudwatch_log_group.this, *after],
    )


def build_endpoint_outputs(module: Module[Any], endpoint: Any) -> Outputs:
    """Return the outputs of every endpoint."""
    return {
        "endpoint_arn": Output(endpoint.arn, "ARN of the endpoint."),
        "endpoint_name": Output(endpoint.name, "Name of the endpoint to invoke."),
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
    """Add all resources of an endpoint with one variant and one container.

    The mappings are additional arguments of each resource. Returns the endpoint and its outputs.
    """
    add_log_group(module, var, name)
    sagemaker_model = add_model(module, var, **model, primary_container=build_container_block(var))
    endpoint_configuration = add_configuration(
        module,
        var,
        name,
        **configuration,
        production_variants=[{"variant_name": var.variant_name, "model_name": sagemaker_model.name, **variant}],
    )
    sagemaker_endpoint = add_endpoint(module, var, name, endpoint_configuration, **(endpoint or {}))
    return sagemaker_endpoint, {
        **build_endpoint_outputs(module, sagemaker_endpoint),
        "variant_name": Output(var.variant_name, "Name of the only variant, for metrics and autoscaling."),
    }
