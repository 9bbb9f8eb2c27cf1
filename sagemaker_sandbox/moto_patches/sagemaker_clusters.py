"""SageMaker: moto fails with an internal error if CreateCluster omits ThreadsPerCore, which is optional."""

from typing import Any

from moto.sagemaker.models import SageMakerModelBackend


def apply() -> None:
    """Record instance groups without ThreadsPerCore."""
    create_cluster = SageMakerModelBackend.create_cluster

    def create_cluster_without_defaults(self: Any, *, instance_groups: list[dict[str, Any]], **fields: Any) -> Any:
        groups = [{"ThreadsPerCore": None} | group for group in instance_groups]
        arn = create_cluster(self, instance_groups=groups, **fields)
        for group in groups:
            if group["ThreadsPerCore"] is None:
                del group["ThreadsPerCore"]
        return arn

    SageMakerModelBackend.create_cluster = create_cluster_without_defaults
