"""IAM statements that an endpoint needs in the role of its container: logs, metrics, image and model."""

from typing import Any

from modules import containers
from modules.endpoints.inputs import EndpointInputs, get_endpoint_name
from modules.iam_statements import ArnLocation, build_optional_statement, build_statement, join_lists
from sustainable_mlops.authoring.expressions import concat, groups, list_of, replace
from sustainable_mlops.authoring.expressions.evaluation import fold_constants


def build_statements(var: Any, at: ArnLocation, *own: dict[str, Any]) -> Any:
    """Return the statements of an endpoint with one container, after its `own` statements.

    Reads all inputs except the role. A model package adds no statements, because the module does not know where its
    image and its model are.
    """
    image = build_optional_statement(
        var.image_uri, lambda image: containers.pull_images([build_repository_arn(image, at)])
    )
    model = build_optional_statement(var.model_data_url, lambda url: read_models([build_object_arn(url, at)]))
    return join_lists([*own, *build_common_statements(var, at)], image, model)


def build_common_statements(var: EndpointInputs, at: ArnLocation) -> list[dict[str, Any]]:
    """Return the statements of every endpoint's containers."""
    return [
        containers.write_logs(at, f"{log_group_name(var)}:*"),
        containers.publish_metrics("/aws/sagemaker/*"),
        containers.log_in_to_registry(),
    ]


def read_models(objects: Any) -> dict[str, Any]:
    """Return the statement to read models with these ARNs."""
    return build_statement("ReadModel", ["s3:GetObject"], objects)


def describe_alarms(var: Any, at: ArnLocation, *own: Any) -> dict[str, Any]:
    """Return the statement to describe all rollback alarms, which SageMaker does with this role.

    `own` are lists of alarm names.
    """
    names = concat(*own, var.more_rollback_alarms)
    arns = list_of(names, lambda name: f"arn:{at.partition}:cloudwatch:{at.region}:{at.account_id}:alarm:{name}")
    return build_statement("WatchAlarms", ["cloudwatch:DescribeAlarms"], fold_constants(arns))


def log_group_name(var: EndpointInputs) -> str:
    """Return the name of the log group that SageMaker writes to."""
    return f"/aws/sagemaker/Endpoints/{get_endpoint_name(var)}"


def build_object_arn(address: str, at: ArnLocation) -> str:
    """Return the ARN of an s3:// address."""
    return f"arn:{at.partition}:s3:::{replace(address, 's3://', '')}"


def build_repository_arn(image: str, at: ArnLocation) -> str:
    """Return the ARN of the repository of an image such as <account>.dkr.ecr.<region>.amazonaws.com/shop/churn:1."""
    account, region, repository = (
        groups(r"^([0-9]+)\.dkr\.ecr\.([^.]+)\.[^/]+/([^:@]+)", image)[part] for part in range(3)
    )
    return f"arn:{at.partition}:ecr:{region}:{account}:repository/{repository}"
