"""Environment of a script, compared with the toolkit in SageMaker's framework containers."""

import fcntl
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from sagemaker_sandbox.jobs.runtime.training_definition import TrainingDefinition
from tests.sandbox.job_runs import BUCKET, IMAGE, ROLE, Job, Run, put_objects
from tests.sandbox.job_runs import moto_client as moto_client
from tests.sandbox.job_runs import run as run
from tests.sandbox.job_runs import store as store
from tests.sandbox.support import create_tar
from tests.wheel import check_output, find_shared_folder

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

pytestmark = pytest.mark.slow

SCRIPT = """
import json, os, pathlib, sys
seen = {"arguments": sys.argv[1:], "environment": dict(os.environ)}
pathlib.Path(os.environ["SM_OUTPUT_DATA_DIR"], os.environ["SM_CURRENT_HOST"]).write_text(json.dumps(seen))
"""

ORACLE = """
import json, sys
from sagemaker_training.environment import Environment
json.dump({"arguments": Environment().to_cmd_args(), "environment": Environment().to_env_vars()}, sys.stdout)
"""


@pytest.fixture(scope="session")
def toolkit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the toolkit's source, downloaded once by its hash."""
    folder = find_shared_folder(tmp_path_factory) / "training-toolkit"
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            requirements = Path(__file__).with_name("training-toolkit.txt")
            arguments = ("--no-deps", "--no-binary", ":all:", "--require-hashes", "-r", requirements, "-d", folder)
            check_output(sys.executable, "-m", "pip", "download", "-q", *arguments)
            with tarfile.open(next(folder.glob("*.tar.gz"))) as archive:
                archive.extractall(folder, filter="data")
    return next(folder.glob("*/src"))


def run_toolkit(toolkit: Path, job: Job, host: str) -> dict[str, Any]:
    """Return the toolkit's own arguments and environment for the same /opt/ml."""
    variables = {"SAGEMAKER_BASE_DIR": str(job.folder.resolve() / host), "PYTHONPATH": str(toolkit)}
    variables |= {"TRAINING_JOB_NAME": "told", "PATH": os.environ["PATH"]}
    process = subprocess.run([sys.executable, "-c", ORACLE], env=variables, capture_output=True, check=True)
    result: dict[str, Any] = json.loads(process.stdout)
    return result


@pytest.mark.parametrize("count", [1, 2], ids=["one instance", "two instances"])
def test_arguments_and_variables_equal_those_of_the_toolkit(
    run: Run, store: "S3Client", toolkit: Path, count: int
) -> None:
    put_objects(store, source=create_tar(train_py=SCRIPT), data__a="1", data__b="2")
    channel = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/data/", "S3DataDistributionType": "ShardedByS3Key"}
    request = {
        "TrainingJobName": "told",
        "RoleArn": ROLE,
        "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        "HyperParameters": {
            "sagemaker_program": "train.py",
            "sagemaker_submit_directory": json.dumps(f"s3://{BUCKET}/source"),
            "sagemaker_container_log_level": "10",
            "sagemaker_region": '"eu-north-1"',
            "sagemaker_own": "1",
            "_tuning_objective_metric": "auc",
            "depth": "6",
            "n": "1",
            "name": '"x y"',
            "plain": "text",
            "flag": "true",
            "nothing": "null",
            "map": '{"b": 2, "a": 1}',
            "list": "[1, 2]",
        },
        "InputDataConfig": [
            {"ChannelName": "train", "ContentType": "text/csv", "DataSource": {"S3DataSource": channel}},
            {"ChannelName": "test", "InputMode": "FastFile", "DataSource": {"S3DataSource": channel}},
        ],
        "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/models"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": count, "VolumeSizeInGB": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": 600},
    }
    job = run(TrainingDefinition(request))
    assert job.end().status == "Completed", job.end().failure_reason
    for number in range(1, count + 1):
        host = f"algo-{number}"
        script_result = json.loads(next((job.folder / host / "output" / "data").iterdir()).read_text())
        toolkit_result = run_toolkit(toolkit, job, host)
        assert script_result["arguments"] == toolkit_result["arguments"]
        sm_variables = {name: value for name, value in script_result["environment"].items() if name.startswith("SM_")}
        assert parse_values(sm_variables) == parse_values(toolkit_result["environment"])
        assert len(list((job.folder / host / "input" / "data" / "train").iterdir())) == 2 // count


def parse_values(variables: dict[str, str]) -> dict[str, Any]:
    """Return the variables with parsed JSON, so that a difference is easy to see."""

    def value(text: str) -> Any:
        try:
            return json.loads(text)
        except ValueError:
            return text

    return {name: value(text) for name, text in variables.items()}
