"""Scenarios of the SageMaker Python SDK, version 3. The arguments are a folder for files, and a name."""

import json
import sys
import time
from pathlib import Path
from typing import Any

import boto3
import pandas as pd
from sagemaker.core.helper.session_helper import Session
from sagemaker.core.inference_config import AsyncInferenceConfig, ServerlessInferenceConfig
from sagemaker.core.parameter import ContinuousParameter
from sagemaker.core.processing import ScriptProcessor
from sagemaker.core.resources import (
    Endpoint,
    EndpointConfig,
    Model,
    ModelPackage,
    ModelPackageGroup,
    ProcessingJob,
    TrainingJob,
)
from sagemaker.core.shapes import (
    OfflineStoreConfig,
    OnlineStoreConfig,
    ProcessingInput,
    ProcessingOutput,
    ProcessingS3Input,
    ProcessingS3Output,
    ProductionVariant,
    S3StorageConfig,
)
from sagemaker.core.transformer import Transformer
from sagemaker.core.workflow.conditions import ConditionGreaterThan
from sagemaker.core.workflow.parameters import ParameterInteger
from sagemaker.core.workflow.pipeline_context import PipelineSession
from sagemaker.mlops.feature_store import FeatureGroupManager, ingest_dataframe
from sagemaker.mlops.feature_store.feature_utils import load_feature_definitions_from_dataframe
from sagemaker.mlops.workflow.condition_step import ConditionStep
from sagemaker.mlops.workflow.fail_step import FailStep
from sagemaker.mlops.workflow.pipeline import Pipeline
from sagemaker.mlops.workflow.steps import ProcessingStep
from sagemaker.serve import ModelBuilder
from sagemaker.train import ModelTrainer
from sagemaker.train.configs import Compute, InputData, OutputDataConfig, SourceCode
from sagemaker.train.tuner import HyperparameterTuner

from tests.sandbox.clients.results import attempt, check, reject, scenario

FOLDER, NAME = Path(sys.argv[1]), sys.argv[2]
IMAGE = "662702820516.dkr.ecr.eu-north-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
TRAIN = """
import argparse, os, pathlib
parser = argparse.ArgumentParser()
parser.add_argument("--scale", type=float, default=2)
scale = parser.parse_args().scale
rows = pathlib.Path(os.environ["SM_CHANNEL_TRAIN"], "data.csv").read_text().splitlines()
print(f"error={abs(scale - 2):.4f};", len(rows), flush=True)
pathlib.Path(os.environ["SM_MODEL_DIR"], "scale").write_text(str(scale))
"""
SERVE = """
import json, pathlib
def model_fn(folder): return float(pathlib.Path(folder, "scale").read_text())
def transform_fn(model, data, content_type, accept):
    data = data.decode() if isinstance(data, bytes) else data
    if content_type == "text/csv":
        return "\\n".join(str(model * float(value)) for value in data.split()), "text/csv"
    return json.dumps([model * value for value in json.loads(data)]), "application/json"
"""
PROCESS = """
import pathlib, sys
for path in pathlib.Path("/opt/ml/processing/in").iterdir():
    pathlib.Path("/opt/ml/processing/out", path.name).write_text(path.read_text() + sys.argv[1])
"""
real_sleep = time.sleep
time.sleep = lambda seconds: real_sleep(min(float(seconds), 0.5))  # the SDK looks every 5 to 30 seconds


def write(folder: str, file: str, text: str) -> str:
    """Write a file and return its folder."""
    path = FOLDER / folder
    path.mkdir(parents=True, exist_ok=True)
    (path / file).write_text(text)
    return str(path)


def invoke(endpoint: Any, *values: int) -> Any:
    response = endpoint.invoke(body=json.dumps(values), content_type="application/json", accept="application/json")
    return json.loads(response.body.read())


with scenario("Session"):
    trust = (Path(__file__).parent / "trust.json").read_text()
    role = attempt("role", lambda: boto3.client("iam").create_role(RoleName=NAME, AssumeRolePolicyDocument=trust))
    ROLE = role["Role"]["Arn"]
    allowed = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})
    boto3.client("iam").put_role_policy(RoleName=NAME, PolicyName="all", PolicyDocument=allowed)
    session = Session()
    bucket = attempt("default_bucket", lambda: session.default_bucket())
    data = write("data", "data.csv", "1\n2\n")
    attempt("upload_data", lambda: session.upload_data(data, key_prefix=f"{NAME}/data"))
    attempt("read_s3_file", lambda: session.read_s3_file(bucket, f"{NAME}/data/data.csv"))
    files = attempt("list_s3_files", lambda: session.list_s3_files(bucket, NAME))
    check("listed files", len(files or []) == 1, files)
    check("account_id", attempt("account_id", lambda: session.account_id()) == "123456789012")
    DATA = f"s3://{bucket}/{NAME}/data"
    INPUTS = [InputData(channel_name="train", data_source=DATA)]


def make_trainer(**settings: Any) -> ModelTrainer:
    return ModelTrainer(
        sagemaker_session=session,
        training_image=IMAGE,
        source_code=SourceCode(source_dir=write("train", "train.py", TRAIN), entry_script="train.py"),
        compute=Compute(instance_type="ml.m5.large", instance_count=1, volume_size_in_gb=1),
        output_data_config=OutputDataConfig(s3_output_path=f"s3://{bucket}/{NAME}/models"),
        base_job_name=NAME,
        **{"role": ROLE, **settings},
    )


with scenario("ModelTrainer"):
    trainer = make_trainer(hyperparameters={"scale": 3})
    attempt("train", lambda: trainer.train(INPUTS))
    job = trainer._latest_training_job
    job.refresh()
    check("status", job.training_job_status == "Completed", job.failure_reason)
    model_data = job.model_artifacts.s3_model_artifacts
    attempt("TrainingJob.get", lambda: TrainingJob.get(job.training_job_name))
    jobs = attempt("TrainingJob.get_all", lambda: list(TrainingJob.get_all(name_contains=NAME)))
    check("listed jobs", jobs and len(jobs) == 1, jobs)
    reject("TrainingJob.get of a missing job", "ValidationException", lambda: TrainingJob.get("none"))
    failing = make_trainer(hyperparameters={"scale": "none"})
    reject("train a script that fails", "FailedStatusError", lambda: failing.train(INPUTS))
    reject("train with a wrong role", "RoleValidationError", lambda: make_trainer(role=ROLE + "x").train(INPUTS))
    stopped = make_trainer()
    attempt("train without waiting", lambda: stopped.train(INPUTS, wait=False))
    attempt("TrainingJob.stop", lambda: stopped._latest_training_job.stop())
    attempt("TrainingJob.wait", lambda: stopped._latest_training_job.wait())

with scenario("ModelBuilder"):

    def make_builder() -> ModelBuilder:
        return ModelBuilder(
            image_uri=IMAGE,
            s3_model_data_url=model_data,
            source_code=SourceCode(source_dir=write("serve", "inference.py", SERVE), entry_script="inference.py"),
            role_arn=ROLE,
            instance_type="ml.m5.large",
            sagemaker_session=session,
        )

    builder = make_builder()
    model = attempt("build", lambda: builder.build())
    endpoint = attempt("deploy", lambda: builder.deploy(endpoint_name=NAME, initial_instance_count=1))
    check("Endpoint.invoke", attempt("invoke", lambda: invoke(endpoint, 1, 2)) == [3, 6])
    reject("invoke with a wrong body", "ModelError", lambda: endpoint.invoke(body="{", content_type="application/json"))
    other = make_builder()
    attempt("build again", lambda: other.build())
    settings = ServerlessInferenceConfig(memory_size_in_mb=1024, max_concurrency=2)
    serverless = attempt("deploy serverless", lambda: other.deploy(f"{NAME}-serverless", inference_config=settings))
    check("invoke serverless", attempt("invoke", lambda: invoke(serverless, 1)) == [3])
    third = make_builder()
    attempt("build for asynchronous inference", lambda: third.build())
    queue = AsyncInferenceConfig(output_path=f"s3://{bucket}/{NAME}/async")
    later = attempt(
        "deploy asynchronous",
        lambda: third.deploy(f"{NAME}-async", initial_instance_count=1, inference_config=queue),
    )
    boto3.client("s3").put_object(Bucket=bucket, Key=f"{NAME}/request.json", Body=b"[1]")
    place = f"s3://{bucket}/{NAME}/request.json"
    attempt("Endpoint.invoke_async", lambda: later.invoke_async(input_location=place, content_type="application/json"))

with scenario("Endpoint and Model"):
    attempt("Model.get_all", lambda: list(Model.get_all()))
    variant = ProductionVariant(
        variant_name="AllTraffic",
        model_name=model.model_name,
        instance_type="ml.m5.large",
        initial_instance_count=1,
    )
    config = attempt(
        "EndpointConfig.create",
        lambda: EndpointConfig.create(endpoint_config_name=f"{NAME}-b", production_variants=[variant]),
    )
    endpoint.endpoint_config_name = f"{NAME}-b"
    attempt("Endpoint.update", lambda: endpoint.update())
    attempt("Endpoint.wait_for_status", lambda: endpoint.wait_for_status("InService", poll=1, timeout=900))
    attempt("Endpoint.delete", lambda: endpoint.delete())
    attempt("Endpoint.wait_for_delete", lambda: endpoint.wait_for_delete(poll=1, timeout=900))
    reject("Endpoint.get of a missing endpoint", "ValidationException", lambda: Endpoint.get(NAME))

with scenario("Transformer and Processor"):
    transformer = Transformer(
        model_name=model.model_name,
        instance_count=1,
        instance_type="ml.m5.large",
        output_path=f"s3://{bucket}/{NAME}/transformed",
        sagemaker_session=session,
    )
    attempt("transform", lambda: transformer.transform(data=DATA, content_type="text/csv", split_type="Line"))
    files = session.list_s3_files(bucket, f"{NAME}/transformed")
    check("output of the transform", len(files) == 1, files)

    def make_processor(session: Any) -> ScriptProcessor:
        return ScriptProcessor(
            role=ROLE,
            image_uri=IMAGE,
            command=["python3"],
            instance_count=1,
            instance_type="ml.m5.large",
            volume_size_in_gb=1,
            sagemaker_session=session,
        )

    source = ProcessingS3Input(
        s3_uri=DATA, local_path="/opt/ml/processing/in", s3_data_type="S3Prefix", s3_input_mode="File"
    )
    target = ProcessingS3Output(
        s3_uri=f"s3://{bucket}/{NAME}/processed", local_path="/opt/ml/processing/out", s3_upload_mode="EndOfJob"
    )
    run = {
        "code": write("process", "process.py", PROCESS) + "/process.py",
        "inputs": [ProcessingInput(input_name="in", s3_input=source)],
        "outputs": [ProcessingOutput(output_name="out", s3_output=target)],
        "arguments": ["more"],
    }
    attempt("ScriptProcessor.run", lambda: make_processor(session).run(**run))
    text = attempt("read the output", lambda: session.read_s3_file(bucket, f"{NAME}/processed/data.csv"))
    check("output", text == "1\n2\nmore", text)
    attempt("ProcessingJob.get_all", lambda: list(ProcessingJob.get_all()))

with scenario("HyperparameterTuner"):
    tuner = HyperparameterTuner(
        make_trainer(hyperparameters={"scale": 2}),
        objective_metric_name="error",
        objective_type="Minimize",
        hyperparameter_ranges={"scale": ContinuousParameter(1, 3)},
        metric_definitions=[{"Name": "error", "Regex": "error=(.*);"}],
        max_jobs=3,
        max_parallel_jobs=2,
    )
    attempt("tune", lambda: tuner.tune(INPUTS, wait=True))
    attempt("best_training_job", lambda: tuner.best_training_job())
    frame = attempt("analytics", lambda: tuner.analytics().dataframe())
    check("trials", frame is not None and len(frame) == 3, frame)

with scenario("Pipeline"):
    pipelines = PipelineSession()
    limit = ParameterInteger("Limit", default_value=1)
    step = ProcessingStep("Process", step_args=make_processor(pipelines).run(**run))
    decide = ConditionStep(
        "Decide",
        conditions=[ConditionGreaterThan(limit, 0)],
        if_steps=[step],
        else_steps=[FailStep("Stop", error_message="Too low.")],
    )
    pipeline = Pipeline(NAME, parameters=[limit], steps=[decide], sagemaker_session=pipelines)
    attempt("upsert", lambda: pipeline.upsert(role_arn=ROLE))
    execution = attempt("start", lambda: pipeline.start())
    attempt("wait", lambda: execution.wait(delay=1, max_attempts=2000))
    steps = attempt("list_steps", lambda: execution.list_steps()) or []
    check("statuses", [step["StepStatus"] for step in steps] == ["Succeeded"] * 2, steps)
    low = attempt("start with a parameter", lambda: pipeline.start(parameters={"Limit": 0}))
    reject("wait for a failed execution", "WaiterError", lambda: low.wait(delay=1, max_attempts=2000))
    attempt("delete", lambda: pipeline.delete())

with scenario("ModelPackage"):
    group = attempt("ModelPackageGroup.create", lambda: ModelPackageGroup.create(model_package_group_name=NAME))
    # Not ModelPackage.create: version 3.27 reads a member of the response that the API does not have.
    request = {
        "ModelPackageGroupName": NAME,
        "InferenceSpecification": {
            "Containers": [{"Image": IMAGE, "ModelDataUrl": model_data}],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
        "ModelApprovalStatus": "PendingManualApproval",
    }
    response = attempt("create_model_package", lambda: session.sagemaker_client.create_model_package(**request))
    package = attempt("ModelPackage.get", lambda: ModelPackage.get(response["ModelPackageArn"]))
    attempt("ModelPackage.update", lambda: package.update(model_approval_status="Approved"))
    versions = attempt("get_all", lambda: list(ModelPackage.get_all(model_package_group_name=NAME)))
    check("versions", versions and len(versions) == 1, versions)
    attempt("ModelPackage.delete", lambda: package.delete())
    attempt("ModelPackageGroup.delete", lambda: group.delete())

with scenario("FeatureGroup"):
    frame = pd.DataFrame({"id": ["a", "b"], "at": "2026-01-01T00:00:00Z", "value": [1.5, 2.5]})
    frame = frame.astype({"id": "string", "at": "string"})
    store = OfflineStoreConfig(s3_storage_config=S3StorageConfig(s3_uri=f"s3://{bucket}/{NAME}/offline"))
    features = attempt(
        "FeatureGroupManager.create",
        lambda: FeatureGroupManager.create(
            feature_group_name=NAME,
            record_identifier_feature_name="id",
            event_time_feature_name="at",
            feature_definitions=load_feature_definitions_from_dataframe(frame),
            role_arn=ROLE,
            online_store_config=OnlineStoreConfig(enable_online_store=True),
            offline_store_config=store,
        ),
    )
    attempt("wait_for_status", lambda: features.wait_for_status("Created", poll=1, timeout=900))
    attempt("ingest_dataframe", lambda: ingest_dataframe(NAME, frame, max_workers=1))
    record = attempt("get_record", lambda: features.get_record(record_identifier_value_as_string="a"))
    check("record", record and "1.5" in [value.value_as_string for value in record.record], record)
    attempt("delete", lambda: features.delete())
