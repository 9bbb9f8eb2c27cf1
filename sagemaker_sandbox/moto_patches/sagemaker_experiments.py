"""SageMaker: moto fails with an internal error if DescribeExperiment names a missing experiment."""

from typing import Any

from moto.sagemaker.exceptions import ResourceNotFound
from moto.sagemaker.models import SageMakerModelBackend


def apply() -> None:
    """Check that the experiment exists before the operation."""
    describe_experiment = SageMakerModelBackend.describe_experiment

    def describe_existing_experiment(self: Any, experiment_name: str) -> Any:
        if experiment_name not in self.experiments:
            arn = f"arn:{self.partition}:sagemaker:{self.region_name}:{self.account_id}:experiment/{experiment_name}"
            raise ResourceNotFound(f"Experiment '{arn}' does not exist.")
        return describe_experiment(self, experiment_name)

    SageMakerModelBackend.describe_experiment = describe_existing_experiment
