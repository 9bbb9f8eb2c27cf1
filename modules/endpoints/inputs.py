"""Inputs of every kind of endpoint."""

from typing import Annotated, Any, ClassVar

from modules.common import ARN, EntityName, KmsKeyArn, NamedInputs, RoleArn, make_name_prefix
from sustainable_mlops.authoring import Field, ModuleInputs, must, rule
from sustainable_mlops.authoring.expressions import assume_not_null, is_expression, is_null, when
from sustainable_mlops.authoring.rules import InputRule
from sustainable_mlops.catalogue.limits import LogRetentionDays, get_limit, make_name_pattern

#: Default name of the first variant, usually the only one. A random name of the provider would be unknown to
#: autoscaling.
VARIANT = "main"
LONGEST_NAME = get_limit("endpoint_name_characters")

AlarmActions = list[
    Annotated[
        str,
        Field(
            pattern=rf"^{ARN}:[a-z0-9-]+:.+$",
            json_schema_extra=must("be an ARN, such as that of an SNS topic"),
        ),
    ]
]


ImageUri = Annotated[
    str,
    Field(
        pattern=r"^[0-9]{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(\.cn)?/[^ ]+$",
        json_schema_extra=must("be an image in Amazon ECR; other registries are not supported"),
    ),
]
ModelDataUrl = Annotated[
    str,
    Field(
        pattern=r"^s3://[^*?]+\.tar\.gz$",
        json_schema_extra=must("be a model archive in S3: s3://bucket/…/model.tar.gz"),
    ),
]


class ContainerInputs(ModuleInputs):
    """Inputs of a container with its model."""

    environment_variables: dict[str, str] = Field(
        default_factory=dict,
        description="Environment variables of the container. They are readable, so never put secrets in them.",
    )
    image_uri: ImageUri | None = Field(
        None, description="Container image in Amazon ECR, for the processor of the endpoint (silicon)."
    )
    model_data_url: ModelDataUrl | None = Field(
        None, description="Model archive for image_uri: s3://bucket/…/model.tar.gz."
    )
    model_package_arn: str | None = Field(
        None,
        description="Approved model package to serve, instead of image_uri and model_data_url.",
        pattern=rf"^{ARN}:sagemaker:[a-z0-9-]+:[0-9]{{12}}:model-package/.+$",
        json_schema_extra=must("be the ARN of a model package (arn:aws:sagemaker:…:model-package/…)"),
    )
    inference_specification_name: EntityName | None = Field(
        None,
        description="Additional inference specification of the package to use, such as its image for Graviton. "
        "Default: the package's main specification.",
    )

    rules: ClassVar[tuple[InputRule, ...]] = (
        rule(
            "inference_specification_name",
            lambda v: is_null(v.inference_specification_name) | ~is_null(v.model_package_arn),
            "it belongs to a model package; set model_package_arn, or remove it.",
        ),
    )


def has_one_source(v: Any) -> Any:
    """Return the condition that a container has exactly one image: its own or its package's."""
    return when(
        is_null(v.model_package_arn),
        ~is_null(v.image_uri),
        is_null(v.image_uri) & is_null(v.model_data_url),
    )


class SingleContainerInputs(ContainerInputs):
    """Inputs of an endpoint or variant with exactly one container."""

    rules: ClassVar[tuple[InputRule, ...]] = (
        rule(
            "model_package_arn",
            has_one_source,
            "set either a model package, or image_uri (with model_data_url unless the image contains the model); a "
            "package has its own image and model.",
        ),
    )


class EndpointInputs(NamedInputs):
    """Inputs of every endpoint: name, key, role and logs."""

    name: str | None = Field(
        None,
        description="Name of the endpoint, and prefix of its configurations' names. Default: name_prefix.",
        pattern=make_name_pattern(LONGEST_NAME),
        json_schema_extra=must(
            f"be 1 to {LONGEST_NAME} letters, digits and hyphens, without a hyphen at the start or the end"
        ),
    )
    kms_key_arn: KmsKeyArn = Field(
        description="KMS key of the storage and the logs. Its policy must allow CloudWatch Logs."
    )
    log_retention_days: LogRetentionDays = Field(30, description="Retention of the container's logs, in days.")
    role_arn: RoleArn = Field(description="Role of the container. It reads the model and writes logs and metrics.")
    variant_name: EntityName = Field(
        VARIANT,
        description="Name of the variant. To take over an endpoint that another module created, set the name of its "
        "existing variant, such as AllTraffic. SageMaker cannot rename the variant of an endpoint.",
    )


class RollbackInputs(ModuleInputs):
    """Inputs of an endpoint with automatic rollback."""

    alarm_actions: AlarmActions = Field(
        default_factory=list,
        description="ARNs of SNS topics that receive the rollback alarms, also outside deployments.",
    )
    more_rollback_alarms: list[str] = Field(
        default_factory=list,
        max_length=2,
        description="Names of further metric alarms that roll a deployment back, such as one on a metric of the model.",
    )


def get_endpoint_name(var: EndpointInputs) -> str:
    """Return the name of the endpoint."""
    if is_expression(var.name):
        return when(is_null(var.name), var.name_prefix, assume_not_null(var.name))
    return var.name or var.name_prefix


def format_configuration_name_prefix(name: str) -> str:
    """Return the `name_prefix` of an endpoint's configurations."""
    return make_name_prefix(name, LONGEST_NAME)
