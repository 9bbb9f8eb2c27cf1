"""The SageMaker SDK's trainer, processor and transformer. Their containers expect a real /opt/ml."""

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from sagemaker_sandbox import Sandbox
from sagemaker_sandbox.jobs.runtime import mounting
from tests.sandbox.job_runs import extract_tar
from tests.sandbox.sdk import BUCKET
from tests.sandbox.sdk import sdk_sandbox as sdk_sandbox
from tests.sandbox.sdk import session as session
from tests.sandbox.support import IMAGE, ROLE, create_tar, wait_until

pytestmark = pytest.mark.slow

TRAIN = """
import json, os, pathlib, sys
told = {"arguments": sys.argv[1:], "hosts": json.loads(os.environ["SM_HOSTS"])}
pathlib.Path(os.environ["SM_MODEL_DIR"], os.environ["SM_CURRENT_HOST_RANK"]).write_text(json.dumps(told))
"""

#: Script that ends only if it resumes from a checkpoint. Otherwise, it waits for an interruption. Each attempt has its
#: own log stream. The SDK lists the streams once, so it may follow only the first.
RESUME = """
import json, os, pathlib, sys, time
checkpoints = pathlib.Path("/opt/ml/checkpoints")
saved = sorted(path.name for path in checkpoints.iterdir())
print("checkpoints found:", saved, flush=True)
if not saved:
    (checkpoints / "first").write_text("of it")
    time.sleep(600)
told = {"saved": saved, "arguments": sys.argv[1:], "lr": json.loads(os.environ["SM_HPS"])["lr"]}
pathlib.Path(os.environ["SM_MODEL_DIR"], "told").write_text(json.dumps(told))
while pathlib.Path(sys.argv[-1]).exists():  # the reader of the log deletes it
    time.sleep(0.1)
"""

PROCESS = """
import os, pathlib, sys
for path in pathlib.Path("/opt/ml/processing/in").iterdir():
    pathlib.Path("/opt/ml/processing/out", path.name).write_text(path.read_text() + sys.argv[1])
"""

DOUBLE = """
def model_fn(folder):
    return 2
def transform_fn(model, data, content_type, accept):
    return "\\n".join(str(model * int(line)) for line in data.split()), accept
"""


@pytest.fixture(scope="module")
def store(sdk_sandbox: Sandbox) -> Any:
    s3 = sdk_sandbox.client("s3")
    for key, body in (("data/a", b"1\n"), ("data/b", b"2\n")):
        s3.put_object(Bucket=BUCKET, Key=key, Body=body)
    return s3


def read_contents(store: Any, prefix: str) -> dict[str, str]:
    entries = store.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])
    return {
        entry["Key"]: store.get_object(Bucket=BUCKET, Key=entry["Key"])["Body"].read().decode() for entry in entries
    }


def test_a_model_trainer_runs_its_script_on_two_instances(
    sdk_sandbox: Sandbox, session: Any, store: Any, tmp_path: Path
) -> None:
    from sagemaker.train import ModelTrainer
    from sagemaker.train.configs import Compute, SourceCode

    (tmp_path / "train.py").write_text(TRAIN)
    trainer = ModelTrainer(
        sagemaker_session=session,
        role=ROLE,
        training_image=IMAGE,
        source_code=SourceCode(source_dir=str(tmp_path), entry_script="train.py"),
        compute=Compute(instance_type="ml.m5.large", instance_count=2, volume_size_in_gb=1),
        hyperparameters={"lr": 0.1},
        base_job_name="trainer",
    )
    trainer.train(wait=False, logs=False)
    name = trainer._latest_training_job.training_job_name
    job = wait_for_end(sdk_sandbox, "training", name)
    if sdk_sandbox.opt_ml == mounting.PATHS:  # which its drivers name in files of their own
        assert "is not mounted here: paths in the request are translated" in job["FailureReason"]
        return
    assert job["TrainingJobStatus"] == "Completed", job
    _, key = job["ModelArtifacts"]["S3ModelArtifacts"].split(f"{BUCKET}/")
    expected = {"arguments": ["--lr", "0.1"], "hosts": ["algo-1", "algo-2"]}
    model = extract_tar(store.get_object(Bucket=BUCKET, Key=key)["Body"].read())
    assert {file: json.loads(text) for file, text in model.items()} == {"0": expected, "1": expected}


def test_a_spot_job_resumes_from_its_checkpoint_while_its_log_is_followed(
    sdk_sandbox: Sandbox, session: Any, store: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    from sagemaker.core.shapes import CheckpointConfig, StoppingCondition
    from sagemaker.core.utils.exceptions import FailedStatusError
    from sagemaker.train import ModelTrainer
    from sagemaker.train.configs import Compute, SourceCode

    (tmp_path / "resume.py").write_text(RESUME)
    unread = tmp_path / "unread"
    unread.touch()
    trainer = ModelTrainer(
        sagemaker_session=session,
        role=ROLE,
        training_image=IMAGE,
        source_code=SourceCode(source_dir=str(tmp_path), command="python3 resume.py", args=["--depth", 3, str(unread)]),
        compute=Compute(
            instance_type="ml.m5.large", instance_count=1, volume_size_in_gb=1, enable_managed_spot_training=True
        ),
        stopping_condition=StoppingCondition(max_runtime_in_seconds=300, max_wait_time_in_seconds=600),
        hyperparameters={"lr": 0.1},
        base_job_name="spot",
    ).with_checkpoint_config(CheckpointConfig(s3_uri=f"s3://{BUCKET}/checkpoints"))
    sdk_sandbox.fault("CreateTrainingJob", error="SpotInterruption", after_checkpoints=1, resource="spot")
    if sdk_sandbox.opt_ml == mounting.PATHS:
        with pytest.raises(FailedStatusError, match="is not mounted here"):
            trainer.train(wait=True, logs=False)
        return
    read = threading.Event()

    def reader() -> None:
        while not read.wait(0.1):
            if "checkpoints found:" in caplog.text:
                unread.unlink(missing_ok=True)

    thread = threading.Thread(target=reader)
    thread.start()
    try:
        with caplog.at_level("INFO"):
            trainer.train(wait=True, logs=True)
    finally:
        read.set()
        thread.join()
    job = wait_for_end(sdk_sandbox, "training", trainer._latest_training_job.training_job_name)
    assert "Interrupted" in [transition["Status"] for transition in job["SecondaryStatusTransitions"]]
    assert "checkpoints found:" in caplog.text
    _, key = job["ModelArtifacts"]["S3ModelArtifacts"].split(f"{BUCKET}/")
    result = json.loads(extract_tar(store.get_object(Bucket=BUCKET, Key=key)["Body"].read())["told"])
    assert result == {"saved": ["first"], "arguments": ["--depth", "3", str(unread)], "lr": 0.1}


def test_a_script_processor_shards_its_input(sdk_sandbox: Sandbox, session: Any, store: Any, tmp_path: Path) -> None:
    from sagemaker.core.processing import ScriptProcessor
    from sagemaker.core.shapes import ProcessingInput, ProcessingOutput, ProcessingS3Input, ProcessingS3Output

    (tmp_path / "process.py").write_text(PROCESS)
    processor = ScriptProcessor(
        role=ROLE,
        image_uri=IMAGE,
        command=["python3"],
        instance_count=2,
        instance_type="ml.m5.large",
        volume_size_in_gb=1,
        sagemaker_session=session,
    )
    source = ProcessingS3Input(
        s3_uri=f"s3://{BUCKET}/data",
        local_path="/opt/ml/processing/in",
        s3_data_type="S3Prefix",
        s3_input_mode="File",
        s3_data_distribution_type="ShardedByS3Key",
    )
    target = ProcessingS3Output(
        s3_uri=f"s3://{BUCKET}/processed", local_path="/opt/ml/processing/out", s3_upload_mode="EndOfJob"
    )
    processor.run(
        code=str(tmp_path / "process.py"),
        inputs=[ProcessingInput(input_name="in", s3_input=source)],
        outputs=[ProcessingOutput(output_name="out", s3_output=target)],
        arguments=["seen"],
        wait=False,
        logs=False,
    )
    job = wait_for_end(sdk_sandbox, "processing", processor.latest_job.processing_job_name)
    if sdk_sandbox.opt_ml == mounting.PATHS:
        assert "is not mounted here: paths in the request are translated" in job["FailureReason"]
        return
    assert job["ProcessingJobStatus"] == "Completed", job
    assert read_contents(store, "processed/") == {"processed/a": "1\nseen", "processed/b": "2\nseen"}


def test_a_transformer_sends_every_line_to_the_model(sdk_sandbox: Sandbox, session: Any, store: Any) -> None:
    from sagemaker.core.transformer import Transformer

    store.put_object(Bucket=BUCKET, Key="model.tar.gz", Body=create_tar(code__inference_py=DOUBLE))
    container = {"Image": IMAGE, "ModelDataUrl": f"s3://{BUCKET}/model.tar.gz"}
    sdk_sandbox.client("sagemaker").create_model(ModelName="double", PrimaryContainer=container, ExecutionRoleArn=ROLE)
    transformer = Transformer(
        model_name="double",
        instance_count=1,
        instance_type="ml.m5.large",
        output_path=f"s3://{BUCKET}/transformed",
        assemble_with="Line",
        accept="text/csv",
        sagemaker_session=session,
    )
    transformer.transform(f"s3://{BUCKET}/data", content_type="text/csv", split_type="Line", wait=False, logs=False)
    job = wait_for_end(sdk_sandbox, "transform", transformer.latest_transform_job.transform_job_name)
    assert job["TransformJobStatus"] == "Completed", job
    assert read_contents(store, "transformed/") == {"transformed/a.out": "2\n", "transformed/b.out": "4\n"}


def wait_for_end(sandbox: Sandbox, kind: str, name: str) -> Any:
    """Return the description of a finished job of this kind."""
    member = f"{kind.capitalize()}Job"
    describe = getattr(sandbox.client("sagemaker"), f"describe_{kind}_job")

    def find_finished() -> Any:
        job = describe(**{f"{member}Name": name})
        return job if job[f"{member}Status"] in ("Completed", "Failed", "Stopped") else None

    return wait_until(find_finished)
