"""What an endpoint needs of the role of its container: its logs, its metrics, its image and its model."""

from typing import Any

from modules import containers
from modules.endpoints.inputs import Endpoint, name_of
from modules.needs import Place, statement, together, where_given
from sustainable_mlops.authoring.expressions import concat, groups, list_of, replace
from sustainable_mlops.authoring.expressions.evaluation import folded


def statements(var: Any, at: Place, *own: dict[str, Any]) -> Any:
    """The statements of inference by one container, after those of the endpoint's own kind; `var` is read but for its
    role.

    Of a model package only Terraform's caller and SageMaker know where its image and its model are.
    """
    image = where_given(var.image_uri, lambda image: containers.images([repository_arn(image, at)]))
    model = where_given(var.model_data_url, lambda url: read_models([object_arn(url, at)]))
    return together([*own, *of_any(var, at)], image, model)


def of_any(var: Endpoint, at: Place) -> list[dict[str, Any]]:
    """What the containers of every endpoint do."""
    return [
        containers.logs(at, f"{log_group_name(var)}:*"),
        containers.metrics("/aws/sagemaker/*"),
        containers.registry_login(),
    ]


def read_models(objects: Any) -> dict[str, Any]:
    """Reading models, by ARN."""
    return statement("ReadModel", ["s3:GetObject"], objects)


def watch_alarms(var: Any, at: Place, *own: Any) -> dict[str, Any]:
    """Looking at all alarms that roll a deployment back, lists of names `own`, which SageMaker does as this role."""
    names = concat(*own, var.more_rollback_alarms)
    arns = list_of(names, lambda name: f"arn:{at.partition}:cloudwatch:{at.region}:{at.account_id}:alarm:{name}")
    return statement("WatchAlarms", ["cloudwatch:DescribeAlarms"], folded(arns))


def log_group_name(var: Endpoint) -> str:
    """The name of the log group that SageMaker writes to."""
    return f"/aws/sagemaker/Endpoints/{name_of(var)}"


def object_arn(address: str, at: Place) -> str:
    """What is at an s3:// address."""
    return f"arn:{at.partition}:s3:::{replace(address, 's3://', '')}"


def repository_arn(image: str, at: Place) -> str:
    """The repository of an image such as 123456789012.dkr.ecr.eu-north-1.amazonaws.com/shop/churn:1."""
    account, region, repository = (
        groups(r"^([0-9]+)\.dkr\.ecr\.([^.]+)\.[^/]+/([^:@]+)", image)[part] for part in range(3)
    )
    return f"arn:{at.partition}:ecr:{region}:{account}:repository/{repository}"
