"""A search by the SageMaker SDK, as it comes."""

from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.sdk import sdk_environment as sdk_environment
from tests.sandbox.support import IMAGE

pytestmark = pytest.mark.slow

TRAIN = """
import os
print(f"loss={(float(os.environ['SM_HP_RATE']) - 7) ** 2};", flush=True)
"""


@pytest.mark.usefixtures("sdk_environment")
def test_the_sdks_tuner_searches_and_names_the_best_job(sagemaker: Any, bucket: str, tmp_path: Path) -> None:
    # Here, not above: several seconds, and it configures logging.
    import boto3
    from sagemaker.core.helper import IamRoleResolver
    from sagemaker.core.helper.session_helper import Session
    from sagemaker.core.parameter import ContinuousParameter
    from sagemaker.core.training.configs import Compute, OutputDataConfig, SourceCode
    from sagemaker.train import ModelTrainer
    from sagemaker.train.tuner import HyperparameterTuner

    (tmp_path / "train.py").write_text(TRAIN)
    session = Session(boto3.Session(region_name="eu-north-1"), default_bucket=bucket)
    trainer = ModelTrainer(
        sagemaker_session=session,
        role=IamRoleResolver(session).create_execution_role(role_type="training"),
        training_image=IMAGE,
        source_code=SourceCode(source_dir=str(tmp_path), entry_script="train.py"),
        compute=Compute(instance_type="ml.m5.large", instance_count=1),
        output_data_config=OutputDataConfig(s3_output_path=f"s3://{bucket}/models"),
    )
    tuner = HyperparameterTuner(
        trainer,
        objective_metric_name="loss",
        objective_type="Minimize",
        hyperparameter_ranges={"rate": ContinuousParameter(0, 20)},
        metric_definitions=[{"Name": "loss", "Regex": "loss=(.*);"}],
        strategy="Bayesian",
        early_stopping_type="Auto",
        max_jobs=4,
        max_parallel_jobs=2,
        random_seed=3,
    )
    tuner.tune(wait=True)
    table = tuner.analytics().dataframe()
    assert set(table["TrainingJobStatus"]) <= {"Completed", "Stopped"}
    assert len(table) == 4
    best = table.loc[table["FinalObjectiveValue"].idxmin()]
    assert tuner.best_training_job() == best["TrainingJobName"]
    assert (best["rate"] - 7) ** 2 == pytest.approx(best["FinalObjectiveValue"])
    child = sagemaker.describe_training_job(TrainingJobName=tuner.best_training_job())
    assert float(child["HyperParameters"]["rate"]) == best["rate"]
