"""What every endpoint is made of: log group, model, configuration, and the endpoint that follows them."""

from collections.abc import Mapping
from typing import Any

from cdktn_provider_aws.cloudwatch_log_group import CloudwatchLogGroup
from cdktn_provider_aws.sagemaker_endpoint import SagemakerEndpoint
from cdktn_provider_aws.sagemaker_endpoint_configuration import SagemakerEndpointConfiguration
from cdktn_provider_aws.sagemaker_model import SagemakerModel

from modules.endpoints.inputs import Endpoint, prefix_of_configurations
from sustainable_mlops.authoring.resources import Module, Output, Outputs

#: The one variant. The provider would choose a random name, which autoscaling could not know.
VARIANT = "main"


def add(
    module: Module[Any],
    var: Endpoint,
    name: str,
    *,
    model: Mapping[str, Any],
    variant: Mapping[str, Any],
    configuration: Mapping[str, Any],
) -> tuple[Any, Outputs]:
    """Add them, each with these arguments besides; returns the endpoint, and the outputs of every endpoint."""
    logs = module.add(
        CloudwatchLogGroup,
        "this",
        why="SageMaker would create it at the first request, and keep it for ever.",
        skips={"CKV_AWS_338": "a container's logs are read for weeks; log_retention_days says how long"},
        name=f"/aws/sagemaker/Endpoints/{name}",
        kms_key_id=var.kms_key_arn,
        retention_in_days=var.log_retention_days,
        tags=var.tags,
    )
    served = module.add(
        SagemakerModel,
        "this",
        why="No name: a model cannot be changed, so each new one needs a name of its own.",
        execution_role_arn=var.role_arn,
        **model,
        tags=var.tags,
        primary_container={
            "image": var.image_uri,
            "model_data_url": var.model_data_url,
            "model_package_name": var.model_package_arn,
            "inference_specification_name": var.inference_specification_name,
            "environment": var.environment_variables,
        },
        lifecycle={"create_before_destroy": True},
    )
    configured = module.add(
        SagemakerEndpointConfiguration,
        "this",
        why="An endpoint follows only a new configuration name, hence the prefix and the order of replacement.",
        name_prefix=prefix_of_configurations(name),
        **configuration,
        tags=var.tags,
        production_variants=[{"variant_name": VARIANT, "model_name": served.name, **variant}],
        lifecycle={"create_before_destroy": True},
    )
    endpoint = module.add(
        SagemakerEndpoint,
        "this",
        name=name,
        endpoint_config_name=configured.name,
        tags=var.tags,
        depends_on=[logs],
    )
    return endpoint, {
        "endpoint_arn": Output(endpoint.arn, "ARN of the endpoint."),
        "endpoint_name": Output(endpoint.name, "Name to invoke."),
        "log_group_name": Output(logs.name, "Log group of the container."),
        "variant_name": Output(VARIANT, "Its one variant, as metrics and autoscaling name it."),
    }


def goes_with_endpoint(endpoint: Any) -> dict[str, Any]:
    """The arguments of a scalable target that make it anew where its endpoint is."""
    return _goes_with(endpoint, "AWS takes the target away with its endpoint, also where another of its name follows.")


def goes_with_target(target: Any) -> dict[str, Any]:
    """The arguments of a scaling policy that make it anew where its target is."""
    return _goes_with(target, "AWS deletes the policies of a target with it.")


def _goes_with(resource: Any, why: str) -> dict[str, Any]:
    return {"notes": {"lifecycle": why}, "lifecycle": {"replace_triggered_by": [resource.id]}}
