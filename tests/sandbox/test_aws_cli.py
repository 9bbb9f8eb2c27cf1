"""The AWS CLI: its waiters, names and pages work on the sandbox."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.loaders import Loader

from sagemaker_sandbox import Sandbox
from tests.sandbox.support import IMAGE, ROLE, create_tar

pytestmark = pytest.mark.slow

Cli = Callable[..., Any]

TRAIN = 'import os; open(os.environ["SM_MODEL_DIR"] + "/m", "w").write("m")'
TIMES = """
def model_fn(folder):
    return 3
def transform_fn(model, data, content_type, accept):
    data = data.decode() if isinstance(data, bytes) else data
    return "\\n".join(str(model * int(line)) for line in data.split()), accept
"""
CLUSTER = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}


@pytest.fixture
def aws(sandbox: Sandbox, aws_cli: Path, tmp_path: Path) -> Cli:
    """Return a function that runs `aws` with these arguments, and returns its output. A dict becomes JSON.

    It fails if the exit code is not `code`. The waiters are botocore's, but poll every second instead of every two
    minutes.
    """
    loader = Loader()
    version = loader.determine_latest_version("sagemaker", "waiters-2")
    waiters = loader.load_service_model("sagemaker", "waiters-2")
    fast_waiters = {name: waiter | {"delay": 1, "maxAttempts": 400} for name, waiter in waiters["waiters"].items()}
    folder = tmp_path / "models" / "sagemaker" / version
    folder.mkdir(parents=True)
    (folder / "waiters-2.json").write_text(json.dumps({"version": 2, "waiters": fast_waiters}))
    environment = sandbox.process_environment() | {"AWS_DATA_PATH": str(tmp_path / "models"), "AWS_PAGER": ""}
    environment["PATH"] = f"{aws_cli}{os.pathsep}{environment['PATH']}"

    def run(*arguments: str | dict[str, Any], code: int = 0) -> Any:
        words = [json.dumps(word) if isinstance(word, dict) else word for word in arguments]
        process = subprocess.run(["aws", *words], env=environment, cwd=tmp_path, capture_output=True, text=True)
        assert process.returncode == code, process.stderr
        if code:
            return process.stderr
        return json.loads(process.stdout) if process.stdout.startswith("{") else process.stdout

    return run


def test_jobs_and_an_endpoint_are_created_awaited_and_deleted(
    aws: Cli, tmp_path: Path, bucket: str, fresh: Callable[[str], str]
) -> None:
    name, sagemaker = fresh("cli"), "sagemaker"
    (tmp_path / "given").mkdir()
    for file, archive in (
        ("source.tar.gz", create_tar(train_py=TRAIN)),
        ("model.tar.gz", create_tar(code__inference_py=TIMES)),
    ):
        (tmp_path / "given" / file).write_bytes(archive)
    aws("s3", "cp", "--recursive", "given", f"s3://{bucket}/")
    training = {
        "TrainingJobName": name,
        "RoleArn": ROLE,
        "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        "HyperParameters": {
            "sagemaker_program": "train.py",
            "sagemaker_submit_directory": f"s3://{bucket}/source.tar.gz",
        },
        "OutputDataConfig": {"S3OutputPath": f"s3://{bucket}/models"},
        "ResourceConfig": CLUSTER,
        "StoppingCondition": {"MaxRuntimeInSeconds": 600},
    }
    aws(sagemaker, "create-training-job", "--cli-input-json", training)
    aws(sagemaker, "wait", "training-job-completed-or-stopped", "--training-job-name", name)
    description = aws(sagemaker, "describe-training-job", "--training-job-name", name)
    assert description["TrainingJobStatus"] == "Completed"

    target = {"S3Uri": f"s3://{bucket}/in", "LocalPath": "/opt/ml/processing/out", "S3UploadMode": "EndOfJob"}
    write = "seq 2 > /opt/ml/processing/out/numbers"
    processing = {
        "ProcessingJobName": name,
        "RoleArn": ROLE,
        "AppSpecification": {"ImageUri": IMAGE, "ContainerEntrypoint": ["sh", "-c", write]},
        "ProcessingOutputConfig": {"Outputs": [{"OutputName": "out", "S3Output": target}]},
        "ProcessingResources": {"ClusterConfig": CLUSTER},
    }
    failing = processing | {
        "ProcessingJobName": f"{name}-not",
        "AppSpecification": {"ImageUri": IMAGE, "ContainerEntrypoint": ["false"]},
    }
    waiter = ("wait", "processing-job-completed-or-stopped", "--processing-job-name")
    for job in (processing, failing):
        aws(sagemaker, "create-processing-job", "--cli-input-json", job)
    aws(sagemaker, *waiter, name)
    assert "terminal failure state" in aws(sagemaker, *waiter, f"{name}-not", code=255)

    container = {"Image": IMAGE, "ModelDataUrl": f"s3://{bucket}/model.tar.gz"}
    model = {"ModelName": name, "ExecutionRoleArn": ROLE, "PrimaryContainer": container}
    aws(sagemaker, "create-model", "--cli-input-json", model)
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/in"}}
    transform = {
        "TransformJobName": name,
        "ModelName": name,
        "TransformInput": {"DataSource": source, "ContentType": "text/csv"},
        "TransformOutput": {"S3OutputPath": f"s3://{bucket}/out"},
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
    }
    serverless = {"MemorySizeInMB": 2048, "MaxConcurrency": 1}
    variant = {"VariantName": "main", "ModelName": name, "ServerlessConfig": serverless}
    configuration = {"EndpointConfigName": name, "ProductionVariants": [variant]}
    aws(sagemaker, "create-transform-job", "--cli-input-json", transform)
    aws(sagemaker, "create-endpoint-config", "--cli-input-json", configuration)
    aws(sagemaker, "create-endpoint", "--endpoint-name", name, "--endpoint-config-name", name)
    aws(sagemaker, "wait", "transform-job-completed-or-stopped", "--transform-job-name", name)
    assert aws("s3", "cp", f"s3://{bucket}/out/numbers.out", "-").split() == ["3", "6"]
    aws(sagemaker, "wait", "endpoint-in-service", "--endpoint-name", name)
    invocation = ("--endpoint-name", name, "--content-type", "text/csv", "--body", "7", "answer")
    aws("sagemaker-runtime", "invoke-endpoint", *invocation)
    assert (tmp_path / "answer").read_text() == "21"
    aws(sagemaker, "delete-endpoint", "--endpoint-name", name)
    aws(sagemaker, "wait", "endpoint-deleted", "--endpoint-name", name)

    pages = ("--name-contains", name, "--page-size", "1", "--sort-by", "Name", "--sort-order", "Ascending")
    summaries = aws(sagemaker, "list-processing-jobs", *pages)["ProcessingJobSummaries"]
    assert [job["ProcessingJobName"] for job in summaries] == [name, f"{name}-not"]


def test_a_waiter_ends_for_endpoints_that_serve_or_fail(
    aws: Cli, sagemaker: Any, s3: Any, bucket: str, fresh: Callable[[str], str]
) -> None:
    """Use boto3 for everything else, because each call of the CLI takes a second."""
    serving, failing = fresh("cli"), fresh("cli")
    s3.put_object(Bucket=bucket, Key="model.tar.gz", Body=create_tar(code__inference_py=TIMES))
    container = {"Image": IMAGE, "ModelDataUrl": f"s3://{bucket}/model.tar.gz"}
    sagemaker.create_model(ModelName=serving, ExecutionRoleArn=ROLE, PrimaryContainer=container)
    variant = {"VariantName": "main", "ModelName": serving, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(EndpointConfigName=serving, ProductionVariants=[variant])
    waiter = ("sagemaker", "wait", "endpoint-in-service", "--endpoint-name")

    sagemaker.create_endpoint(EndpointName=serving, EndpointConfigName=serving)
    aws(*waiter, serving)
    s3.delete_object(Bucket=bucket, Key="model.tar.gz")
    sagemaker.create_endpoint(EndpointName=failing, EndpointConfigName=serving)
    assert "terminal failure state" in aws(*waiter, failing, code=255)
    assert f"s3://{bucket}/model.tar.gz" in sagemaker.describe_endpoint(EndpointName=failing)["FailureReason"]
    for endpoint in (serving, failing):
        sagemaker.delete_endpoint(EndpointName=endpoint)
        aws("sagemaker", "wait", "endpoint-deleted", "--endpoint-name", endpoint)
