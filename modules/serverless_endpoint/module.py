"""SageMaker Serverless Inference: between requests nothing runs and nothing is billed."""

from typing import Literal, Self

from cdktn_provider_aws.appautoscaling_policy import AppautoscalingPolicy
from cdktn_provider_aws.appautoscaling_target import AppautoscalingTarget
from cdktn_provider_aws.cloudwatch_log_group import CloudwatchLogGroup
from cdktn_provider_aws.sagemaker_endpoint import SagemakerEndpoint
from cdktn_provider_aws.sagemaker_endpoint_configuration import SagemakerEndpointConfiguration
from cdktn_provider_aws.sagemaker_model import SagemakerModel
from pydantic import model_validator

from modules.common import KmsKeyArn, Named, RoleArn
from modules.serverless_endpoint.refused import Refused, preconditions
from sustainable_mlops.authoring import Field, Module, ModuleInputs, Output, Outputs, must, number

#: The one variant. The provider would choose a random name, which autoscaling could not know.
VARIANT = "main"

ONE_SOURCE = (
    "model_package_arn: give either a model package, or image_uri (and model_data_url, unless the image holds the "
    "model); a package brings its own image and model."
)
NO_GPU = "image_uri: this image is for GPU, which a serverless endpoint does not have; use the image for CPU."
WITHIN = "provisioned_concurrency: min must be at most max, and max at most max_concurrency."


class ProvisionedConcurrency(ModuleInputs):
    min: int = Field(ge=1, le=200, description="Workers kept warm, and billed, at all times.")
    max: int = Field(ge=1, le=200, description="Most workers kept warm; at most max_concurrency.")
    target_utilization: float = Field(
        0.7, ge=0.1, le=1, description="Share of the warm workers that autoscaling keeps busy, from 0.1 to 1."
    )


class Inputs(Named, Refused):
    environment_variables: dict[str, str] = Field(
        default_factory=dict,
        description="Environment variables of the container; never secrets, since they can be read.",
    )
    image_uri: str | None = Field(
        None,
        description="Container image in Amazon ECR, for CPU.",
        pattern=r"^[0-9]{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(\.cn)?/[^ ]+$",
        json_schema_extra=must("be an image in Amazon ECR; a serverless endpoint takes no other registry"),
    )
    kms_key_arn: KmsKeyArn = Field(
        description="Key of the storage and the logs; its policy must let CloudWatch Logs use it."
    )
    log_retention_days: Literal[
        1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653
    ] = Field(30, description="How long the container's logs are kept, in days.")
    max_concurrency: int = Field(5, ge=1, le=200, description="Most requests served at once; more are throttled.")
    memory_mb: Literal[1024, 2048, 3072, 4096, 5120, 6144] = Field(
        2048, description="Memory of one worker, in MB; its vCPUs follow."
    )
    model_data_url: str | None = Field(
        None,
        description="Model archive for image_uri to serve: s3://bucket/…/model.tar.gz.",
        pattern=r"^s3://.+\.tar\.gz$",
        json_schema_extra=must("be a model archive in S3: s3://bucket/…/model.tar.gz"),
    )
    model_package_arn: str | None = Field(
        None,
        description="Approved model package to serve, instead of image_uri and model_data_url.",
        pattern=r"^arn:aws[a-z-]*:sagemaker:[a-z0-9-]+:[0-9]{12}:model-package/.+$",
        json_schema_extra=must("be the ARN of a model package (arn:aws:sagemaker:…:model-package/…)"),
    )
    provisioned_concurrency: ProvisionedConcurrency | None = Field(
        None, description="Workers kept warm against cold starts, with autoscaling; none by default, to scale to zero."
    )
    role_arn: RoleArn = Field(description="Role of the container: it reads the model and writes logs and metrics.")

    @model_validator(mode="after")
    def _rules_between_fields(self) -> Self:
        packaged = self.model_package_arn is not None
        if packaged == (self.image_uri is not None) or (packaged and self.model_data_url is not None):
            raise ValueError(ONE_SOURCE)
        if self.image_uri is not None and "-gpu-" in self.image_uri:
            raise ValueError(NO_GPU)
        warm = self.provisioned_concurrency
        if warm is not None and not warm.min <= warm.max <= self.max_concurrency:
            raise ValueError(WITHIN)
        return self


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
