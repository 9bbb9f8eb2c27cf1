"""The SageMaker SDK as it is, on the sandbox: what its classes write runs, and what they ask is answered."""

import io
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sagemaker_sandbox import Sandbox
from tests.sandbox.support import create_tar, make_role

pytestmark = pytest.mark.slow

TRAIN = """
import os, pathlib, sys
assert pathlib.Path(os.environ["SM_CHANNEL_TRAIN"], "data").read_text() == "flights\\n"
pathlib.Path(os.environ["SM_MODEL_DIR"], "depth").write_text(sys.argv[sys.argv.index("--depth") + 1])
"""
SQUARE = "def handler(event, context):\n    return {'square': event['x'] ** 2}\n"


@pytest.fixture
def function(sandbox: Sandbox, fresh: Callable[[str], str]) -> str:
    """Create a Lambda function that squares, and return its ARN."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as content:
        content.writestr("index.py", SQUARE)
    name = fresh("square")
    function = sandbox.client("lambda").create_function(
        FunctionName=name,
        Role=make_role(sandbox, name),
        Runtime="python3.12",
        Handler="index.handler",
        Timeout=60,
        Code={"ZipFile": archive.getvalue()},
    )
    return str(function["FunctionArn"])


@pytest.fixture
def role(sandbox: Sandbox) -> str:
    """Create a role with all permissions: the SDK checks them in IAM before it starts a job."""
    allowed = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    arn = make_role(sandbox, "sdk")
    sandbox.client("iam").put_role_policy(RoleName="sdk", PolicyName="all", PolicyDocument=json.dumps(allowed))
    return arn


def test_a_pipeline_of_the_sdk_runs_and_then_runs_from_the_cache(
    sandbox: Sandbox, s3: Any, bucket: str, role: str, function: str
) -> None:
    s3.put_object(Bucket=bucket, Key="source.tar.gz", Body=create_tar(train_py=TRAIN))
    program = Path(__file__).with_name("sdk_pipeline.py")
    process = subprocess.run(
        [sys.executable, str(program), bucket, role, function, f"s3://{bucket}/source.tar.gz"],
        env={**os.environ, **sandbox.environment},
        capture_output=True,
        text=True,
    )
    assert process.returncode == 0, process.stderr[-3000:]
    report = json.loads(process.stdout.splitlines()[-1])
    assert report["again"].endswith(":pipeline/sdk"), "an upsert of what exists is an update"
    first, second, third = report["executions"]
    assert (first["status"], second["status"], third["status"]) == ("Succeeded", "Succeeded", "Failed")
    squares = ["Square-0", "Square-1", "Square-2"]
    assert sorted(group_by_name(first)) == ["Enough", "Prepare", *squares, "Squares", "Train"]
    assert group_by_name(first)["Squares"]["Metadata"]["ForEach"]["Selector"] == {"StepName": "Square", "Index": 1}
    assert cached(first) == []
    assert cached(second) == ["Prepare", "Train"], "of what is cached at all, everything"
    assert group_by_name(third)["Too-few"]["FailureReason"] == "only 4 in sdk"
    assert report["waiter"] == "WaiterError"


def group_by_name(execution: dict[str, Any]) -> dict[str, Any]:
    return {step["StepName"]: step for step in execution["steps"]}


def cached(execution: dict[str, Any]) -> list[str]:
    return sorted(name for name, step in group_by_name(execution).items() if "CacheHitResult" in step)
