"""SageMaker Serverless Inference: between requests nothing runs and nothing is billed."""

from cdktn_provider_aws.appautoscaling_policy import AppautoscalingPolicy
from cdktn_provider_aws.appautoscaling_target import AppautoscalingTarget
from cdktn_provider_aws.cloudwatch_log_group import CloudwatchLogGroup
from cdktn_provider_aws.sagemaker_endpoint import SagemakerEndpoint
from cdktn_provider_aws.sagemaker_endpoint_configuration import SagemakerEndpointConfiguration
from cdktn_provider_aws.sagemaker_model import SagemakerModel

from modules import endpoints
from modules.serverless_endpoint.inputs import Inputs
from sustainable_mlops.authoring.expressions import each_of, given, list_of, one, optional, optional_map
from sustainable_mlops.authoring.resources import Module, Output, Outputs

#: The one variant. The provider would choose a random name, which autoscaling could not know.
VARIANT = "main"


class ServerlessEndpoint(Module[Inputs]):
    """An endpoint that scales to zero: between requests nothing runs and nothing is billed."""

    def build(self, var: Inputs) -> Outputs:
        name = self.local("name", endpoints.name_of(var), why="A name of its own may be longer than a prefix.")
        logs = self.add(
            CloudwatchLogGroup,
            "this",
            why="SageMaker would create it at the first request, and keep it for ever.",
            skips={"CKV_AWS_338": "a container's logs are read for weeks; log_retention_days says how long"},
            name=f"/aws/sagemaker/Endpoints/{name}",
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
            lifecycle={"create_before_destroy": True},
        )
        configuration = self.add(
            SagemakerEndpointConfiguration,
            "this",
            why="An endpoint follows only a new configuration name, hence the prefix and the order of replacement.",
            name_prefix=endpoints.prefix_of_configurations(name),
            kms_key_arn=var.kms_key_arn,
            tags=var.tags,
            production_variants=[
                {
                    "variant_name": VARIANT,
                    "model_name": model.name,
                    "serverless_config": {
                        "memory_size_in_mb": var.memory_mb,
                        "max_concurrency": var.max_concurrency,
                        "provisioned_concurrency": one(
                            list_of(optional(var.provisioned_concurrency), lambda warm: warm.min)
                        ),
                    },
                }
            ],
            lifecycle={"create_before_destroy": True},
        )
        endpoint = self.add(
            SagemakerEndpoint,
            "this",
            name=name,
            endpoint_config_name=configuration.name,
            tags=var.tags,
            depends_on=[logs],
        )
        self._scale_warm_workers(var, endpoint.name)
        return {
            "endpoint_arn": Output(endpoint.arn, "ARN of the endpoint."),
            "endpoint_name": Output(endpoint.name, "Name to invoke."),
            "log_group_name": Output(logs.name, "Log group of the container."),
            "variant_name": Output(VARIANT, "Its one variant, as metrics and autoscaling name it."),
        }

    def _scale_warm_workers(self, var: Inputs, endpoint_name: str) -> None:
        warm = each_of(optional_map(VARIANT, var.provisioned_concurrency))
        target = self.add(
            AppautoscalingTarget,
            "provisioned_concurrency",
            why="Warm workers are billed while they wait, so never without autoscaling.",
            for_each=warm,
            service_namespace="sagemaker",
            scalable_dimension="sagemaker:variant:DesiredProvisionedConcurrency",
            resource_id=f"endpoint/{endpoint_name}/variant/{warm.key}",
            min_capacity=warm.value.min,
            max_capacity=warm.value.max,
            tags=var.tags,
        )
        scaled = each_of(target)
        self.add(
            AppautoscalingPolicy,
            "provisioned_concurrency",
            for_each=scaled,
            name="provisioned-concurrency-utilization",
            policy_type="TargetTrackingScaling",
            service_namespace=scaled.value.service_namespace,
            scalable_dimension=scaled.value.scalable_dimension,
            resource_id=scaled.value.resource_id,
            target_tracking_scaling_policy_configuration={
                "target_value": given(var.provisioned_concurrency).target_utilization,
                "predefined_metric_specification": {
                    "predefined_metric_type": "SageMakerVariantProvisionedConcurrencyUtilization"
                },
            },
        )
