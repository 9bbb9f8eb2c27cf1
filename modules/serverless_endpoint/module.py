"""SageMaker Serverless Inference: between requests nothing runs and nothing is billed."""

from cdktn_provider_aws.appautoscaling_policy import AppautoscalingPolicy
from cdktn_provider_aws.appautoscaling_target import AppautoscalingTarget
from cdktn_provider_aws.cloudwatch_log_group import CloudwatchLogGroup
from cdktn_provider_aws.sagemaker_endpoint import SagemakerEndpoint
from cdktn_provider_aws.sagemaker_endpoint_configuration import SagemakerEndpointConfiguration
from cdktn_provider_aws.sagemaker_model import SagemakerModel

from modules.serverless_endpoint.inputs import NO_GPU, ONE_SOURCE, WITHIN, Inputs
from modules.serverless_endpoint.refused import preconditions
from sustainable_mlops.authoring.resources import Module, Output, Outputs, number

#: The one variant. The provider would choose a random name, which autoscaling could not know.
VARIANT = "main"


class ServerlessEndpoint(Module[Inputs]):
    """An endpoint that scales to zero: between requests nothing runs and nothing is billed."""

    def build(self, var: Inputs) -> Outputs:
        logs = self.add(
            CloudwatchLogGroup,
            "this",
            why="SageMaker would create it at the first request, and keep it for ever.",
            skips={"CKV_AWS_338": "a container's logs are read for weeks; log_retention_days says how long"},
            name="/aws/sagemaker/Endpoints/${var.name_prefix}",
            kms_key_id=var.kms_key_arn,
            retention_in_days=var.log_retention_days,
            tags=var.tags,
        )
        model = self.add(
            SagemakerModel,
            "this",
            why="No name: a model cannot be changed, so each new one needs a name of its own.",
            skips={"CKV_AWS_370": "a serverless endpoint refuses a model with network isolation"},
            execution_role_arn=var.role_arn,
            tags=var.tags,
            primary_container={
                "image": var.image_uri,
                "model_data_url": var.model_data_url,
                "model_package_name": var.model_package_arn,
                "environment": var.environment_variables,
            },
            lifecycle={"create_before_destroy": True, "precondition": [*_source(), *preconditions()]},
        )
        configuration = self.add(
            SagemakerEndpointConfiguration,
            "this",
            why="An endpoint follows only a new configuration name, hence the prefix and the order of replacement.",
            name_prefix="${var.name_prefix}-",
            kms_key_arn=var.kms_key_arn,
            tags=var.tags,
            production_variants=[
                {
                    "variant_name": VARIANT,
                    "model_name": model.name,
                    "serverless_config": {
                        "memory_size_in_mb": var.memory_mb,
                        "max_concurrency": var.max_concurrency,
                        "provisioned_concurrency": number("one(var.provisioned_concurrency[*].min)"),
                    },
                }
            ],
            lifecycle={"create_before_destroy": True, "precondition": [_warm_workers()]},
        )
        endpoint = self.add(
            SagemakerEndpoint,
            "this",
            name=var.name_prefix,
            endpoint_config_name=configuration.name,
            tags=var.tags,
            depends_on=[logs.address],
        )
        self._scale_warm_workers(var, endpoint.name)
        return {
            "endpoint_arn": Output(endpoint.arn, "ARN of the endpoint."),
            "endpoint_name": Output(endpoint.name, "Name to invoke."),
            "log_group_name": Output(logs.name, "Log group of the container."),
            "variant_name": Output(VARIANT, "Its one variant, as metrics and autoscaling name it."),
        }

    def _scale_warm_workers(self, var: Inputs, endpoint_name: str) -> None:
        target = self.add(
            AppautoscalingTarget,
            "provisioned_concurrency",
            why="Warm workers are billed while they wait, so never without autoscaling.",
            for_each=f"${{var.provisioned_concurrency == null ? {{}} : {{ {VARIANT} = var.provisioned_concurrency }}}}",
            service_namespace="sagemaker",
            scalable_dimension="sagemaker:variant:DesiredProvisionedConcurrency",
            resource_id=f"endpoint/{endpoint_name}/variant/${{each.key}}",
            min_capacity=number("each.value.min"),
            max_capacity=number("each.value.max"),
            tags=var.tags,
        )
        self.add(
            AppautoscalingPolicy,
            "provisioned_concurrency",
            for_each=f"${{{target.address}}}",
            name="provisioned-concurrency-utilization",
            policy_type="TargetTrackingScaling",
            service_namespace="${each.value.service_namespace}",
            scalable_dimension="${each.value.scalable_dimension}",
            resource_id="${each.value.resource_id}",
            target_tracking_scaling_policy_configuration={
                "target_value": number("var.provisioned_concurrency.target_utilization"),
                "predefined_metric_specification": {
                    "predefined_metric_type": "SageMakerVariantProvisionedConcurrencyUtilization"
                },
            },
        )


def _source() -> list[dict[str, str]]:
    """Where the model comes from."""
    return [
        {
            "condition": "${var.model_package_arn == null ? var.image_uri != null : "
            "var.image_uri == null && var.model_data_url == null}",
            "error_message": ONE_SOURCE,
        },
        {
            "condition": '${var.image_uri == null ? true : !strcontains(var.image_uri, "-gpu-")}',
            "error_message": NO_GPU,
        },
    ]


def _warm_workers() -> dict[str, str]:
    return {
        "condition": "${var.provisioned_concurrency == null ? true : "
        "var.provisioned_concurrency.min <= var.provisioned_concurrency.max && "
        "var.provisioned_concurrency.max <= var.max_concurrency}",
        "error_message": WITHIN,
    }
