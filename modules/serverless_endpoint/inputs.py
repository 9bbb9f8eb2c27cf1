"""Inputs of `serverless_endpoint`."""

from typing import Annotated, Literal

from modules.common import KmsKeyArn, RoleArn
from modules.endpoints import Endpoint
from modules.serverless_endpoint.refused import Refused
from sustainable_mlops.authoring import Field, ModuleInputs, must, one_of, rule
from sustainable_mlops.authoring.expressions import holds, is_null, when
from sustainable_mlops.catalogue.limits import limit, serverless_memory_mb

AT_ONCE = limit("serverless_concurrency")


class ProvisionedConcurrency(ModuleInputs):
    min: int = Field(ge=1, le=AT_ONCE, description="Workers kept warm, and billed, at all times.")
    max: int = Field(ge=1, le=AT_ONCE, description="Most workers kept warm; at most max_concurrency.")
    target_utilization: float = Field(
        0.7, ge=0.1, le=1, description="Share of the warm workers that autoscaling keeps busy, from 0.1 to 1."
    )


class Inputs(Endpoint, Refused):
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
    max_concurrency: int = Field(5, ge=1, le=AT_ONCE, description="Most requests served at once; more are throttled.")
    memory_mb: Annotated[int, one_of(serverless_memory_mb())] = Field(
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

    rules = (
        rule(
            "model_package_arn",
            lambda v: when(
                is_null(v.model_package_arn),
                ~is_null(v.image_uri),
                is_null(v.image_uri) & is_null(v.model_data_url),
            ),
            "give either a model package, or image_uri (and model_data_url, unless the image holds the model); a "
            "package brings its own image and model.",
        ),
        rule(
            "image_uri",
            lambda v: is_null(v.image_uri) | ~holds(v.image_uri, "-gpu-"),
            "this image is for GPU, which a serverless endpoint does not have; use the image for CPU.",
        ),
        rule(
            "provisioned_concurrency",
            lambda v: (
                is_null(v.provisioned_concurrency)
                | (
                    (v.provisioned_concurrency.min <= v.provisioned_concurrency.max)
                    & (v.provisioned_concurrency.max <= v.max_concurrency)
                )
            ),
            "min must be at most max, and max at most max_concurrency.",
        ),
    )
