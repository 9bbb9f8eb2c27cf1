"""Inputs that every endpoint has, whatever it runs on."""

from typing import Annotated, Any, ClassVar

from modules.common import ARN, KmsKeyArn, LogRetentionDays, NamedInputs, RoleArn
from sustainable_mlops.authoring import Field, ModuleInputs, must, rule
from sustainable_mlops.authoring.expressions import assume_not_null, is_expression, is_null, truncate, when
from sustainable_mlops.authoring.rules import InputRule
from sustainable_mlops.catalogue.limits import limit

#: The first variant, mostly the only one. The provider would choose a random name, which autoscaling could not know.
VARIANT = "main"
LONGEST_NAME = limit("endpoint_name_characters")
#: What the provider writes behind a `name_prefix`.
SUFFIX = 26

AlarmActions = list[
    Annotated[
        str,
        Field(
            pattern=rf"^{ARN}:[a-z0-9-]+:.+$",
            json_schema_extra=must("be an ARN, such as that of an SNS topic"),
        ),
    ]
]


class ContainerInputs(ModuleInputs):
    """A container with its model."""

    environment_variables: dict[str, str] = Field(
        default_factory=dict,
        description="Environment variables of the container; never secrets, since they can be read.",
    )
    image_uri: str | None = Field(
        None,
        description="Container image in Amazon ECR, for the hardware that it runs on.",
        pattern=r"^[0-9]{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(\.cn)?/[^ ]+$",
        json_schema_extra=must("be an image in Amazon ECR; no other registry is taken"),
    )
    model_data_url: str | None = Field(
        None,
        description="Model archive for image_uri to serve: s3://bucket/…/model.tar.gz.",
        pattern=r"^s3://[^*?]+\.tar\.gz$",
        json_schema_extra=must("be a model archive in S3: s3://bucket/…/model.tar.gz"),
    )
    model_package_arn: str | None = Field(
        None,
        description="Approved model package to serve, instead of image_uri and model_data_url.",
        pattern=rf"^{ARN}:sagemaker:[a-z0-9-]+:[0-9]{{12}}:model-package/.+$",
        json_schema_extra=must("be the ARN of a model package (arn:aws:sagemaker:…:model-package/…)"),
    )
    inference_specification_name: str | None = Field(
        None,
        description="Which of the package's additional inference specifications to serve by, such as its image for "
        "Graviton; the package's own by default.",
        pattern=r"^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$",
        json_schema_extra=must("be 1 to 63 letters, digits and hyphens, and neither start nor end with a hyphen"),
    )

    rules: ClassVar[tuple[InputRule, ...]] = (
        rule(
            "inference_specification_name",
            lambda v: is_null(v.inference_specification_name) | ~is_null(v.model_package_arn),
            "it is of a model package; give model_package_arn, or leave it out.",
        ),
    )


def has_one_source(v: Any) -> Any:
    """Whether a container has an image, and one alone: its own or its package's."""
    return when(
        is_null(v.model_package_arn),
        ~is_null(v.image_uri),
        is_null(v.image_uri) & is_null(v.model_data_url),
    )


class SingleContainerInputs(ContainerInputs):
    """A container, and no more."""

    rules: ClassVar[tuple[InputRule, ...]] = (
        rule(
            "model_package_arn",
            has_one_source,
            "give either a model package, or image_uri (and model_data_url, unless the image holds the model); a "
            "package brings its own image and model.",
        ),
    )


class EndpointInputs(NamedInputs):
    """Inputs of every endpoint: its name, its key, its role and its container's logs."""

    name: str | None = Field(
        None,
        description="Name of the endpoint, and start of its configurations' names; name_prefix by default.",
        pattern=rf"^[a-zA-Z0-9](-*[a-zA-Z0-9]){{0,{LONGEST_NAME - 1}}}$",
        max_length=LONGEST_NAME,
        json_schema_extra=must(
            f"be 1 to {LONGEST_NAME} letters, digits and hyphens, and neither start nor end with a hyphen"
        ),
    )
    kms_key_arn: KmsKeyArn = Field(
        description="Key of the storage and the logs; its policy must let CloudWatch Logs use it."
    )
    log_retention_days: LogRetentionDays = Field(30, description="How long the container's logs are kept, in days.")
    role_arn: RoleArn = Field(description="Role of the container: it reads the model and writes logs and metrics.")


class RollbackInputs(ModuleInputs):
    """Inputs of an endpoint that goes back to its old model by itself."""

    alarm_actions: AlarmActions = Field(
        default_factory=list,
        description="Who is told when one of the alarms that roll a deployment back goes off, also outside one: ARNs "
        "of SNS topics.",
    )
    more_rollback_alarms: list[str] = Field(
        default_factory=list,
        max_length=2,
        description="Names of further alarms, on metrics, that roll a deployment back, such as one on the model's own.",
    )


def endpoint_name(var: EndpointInputs) -> str:
    """The endpoint's name."""
    if is_expression(var.name):
        return when(is_null(var.name), var.name_prefix, assume_not_null(var.name))
    return var.name or var.name_prefix


def configuration_name_prefix(name: str) -> str:
    """The `name_prefix` of an endpoint's configurations, whose names may be as long as its own."""
    return f"{truncate(name, LONGEST_NAME - SUFFIX - 1)}-"
