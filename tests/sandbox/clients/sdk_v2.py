"""Scenarios of the SageMaker Python SDK, version 2. The arguments are a folder with train.csv, and a name."""

import json
import sys
import time
from pathlib import Path

import boto3
import numpy as np
import pandas as pd
import sagemaker
from sagemaker import image_uris
from sagemaker.async_inference import AsyncInferenceConfig
from sagemaker.automl.automl import AutoML
from sagemaker.deserializers import CSVDeserializer, JSONDeserializer
from sagemaker.estimator import Estimator
from sagemaker.experiments.run import Run, load_run
from sagemaker.feature_store.feature_group import FeatureGroup
from sagemaker.inputs import TrainingInput
from sagemaker.lineage.artifact import Artifact
from sagemaker.model import ModelPackage
from sagemaker.model_metrics import MetricsSource, ModelMetrics
from sagemaker.model_monitor import DataCaptureConfig, DefaultModelMonitor
from sagemaker.multidatamodel import MultiDataModel
from sagemaker.pipeline import PipelineModel
from sagemaker.processing import ProcessingInput, ProcessingOutput
from sagemaker.serializers import CSVSerializer, JSONSerializer
from sagemaker.serverless import ServerlessInferenceConfig
from sagemaker.sklearn.estimator import SKLearn
from sagemaker.sklearn.model import SKLearnModel
from sagemaker.sklearn.processing import SKLearnProcessor
from sagemaker.tuner import ContinuousParameter, HyperparameterTuner, IntegerParameter
from sagemaker.workflow.condition_step import ConditionStep
from sagemaker.workflow.conditions import ConditionLessThanOrEqualTo
from sagemaker.workflow.fail_step import FailStep
from sagemaker.workflow.functions import Join, JsonGet
from sagemaker.workflow.model_step import ModelStep
from sagemaker.workflow.parameters import ParameterFloat, ParameterString
from sagemaker.workflow.pipeline import Pipeline
from sagemaker.workflow.pipeline_context import PipelineSession
from sagemaker.workflow.properties import PropertyFile
from sagemaker.workflow.steps import CacheConfig, ProcessingStep, TrainingStep

from tests.sandbox.clients.results import attempt, check, reject, scenario

FOLDER, NAME = Path(sys.argv[1]), sys.argv[2]
INSTANCE = {"instance_type": "ml.m5.large", "instance_count": 1}
TRAIN = """
import argparse, json, os, pathlib
import numpy as np
def model_fn(folder): return float(pathlib.Path(folder, "scale").read_text())
def predict_fn(data, model): return np.asarray(data, dtype=float) * model
if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--scale", type=float, default=2)
    scale = parser.parse_args().scale
    data = np.loadtxt(os.path.join(os.environ["SM_CHANNEL_TRAIN"], "train.csv"), delimiter=",")
    print(f"validation:error={abs(scale - 2):.4f};", len(data))
    pathlib.Path(os.environ["SM_MODEL_DIR"], "scale").write_text(str(scale))
"""
PREPARE = """
import json, pathlib
out = pathlib.Path("/opt/ml/processing/out")
rows = [path.read_text() for path in pathlib.Path("/opt/ml/processing/in").rglob("*.csv")]
(out / "train.csv").write_text("".join(rows))
(out / "report.json").write_text(json.dumps({"error": {"value": 0.1}}))
"""
real_sleep = time.sleep
time.sleep = lambda seconds: real_sleep(min(float(seconds), 0.5))  # the SDK looks every 5 to 30 seconds

for file, text in (("train.py", TRAIN), ("prepare.py", PREPARE)):
    (FOLDER / file).write_text(text)
random = np.random.default_rng(1)
rows = random.normal(size=(200, 3)).astype("float32")
labels = (rows.sum(axis=1) > 0).astype("float32")
np.savetxt(FOLDER / "train.csv", np.column_stack([labels, rows]), delimiter=",", fmt="%.4f")

with scenario("Session"):
    trust = (Path(__file__).parent / "trust.json").read_text()
    role = attempt("role", lambda: boto3.client("iam").create_role(RoleName=NAME, AssumeRolePolicyDocument=trust))
    ROLE = role["Role"]["Arn"]
    allowed = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})
    boto3.client("iam").put_role_policy(RoleName=NAME, PolicyName="all", PolicyDocument=allowed)
    session = sagemaker.Session()
    bucket = attempt("default_bucket", lambda: session.default_bucket())
    data = attempt("upload_data", lambda: session.upload_data(str(FOLDER / "train.csv"), key_prefix=f"{NAME}/data"))
    attempt("upload_string_as_file_body", lambda: session.upload_string_as_file_body("a", bucket, f"{NAME}/text"))
    check("read_s3_file", attempt("read_s3_file", lambda: session.read_s3_file(bucket, f"{NAME}/text")) == "a")
    files = attempt("list_s3_files", lambda: session.list_s3_files(bucket, NAME))
    check("listed files", len(files or []) == 2, files)
    attempt("download_data", lambda: session.download_data(str(FOLDER / "down"), bucket, f"{NAME}/data"))
    check("account_id", attempt("account_id", lambda: session.account_id()) == "123456789012")
    check("expand_role", attempt("expand_role", lambda: session.expand_role(NAME)) == ROLE)
    inputs = {"train": TrainingInput(f"s3://{bucket}/{NAME}/data", content_type="text/csv")}

with scenario("SKLearn estimator"):
    metrics = [{"Name": "validation:error", "Regex": "validation:error=([0-9.]+);"}]

    def make_sklearn(session: sagemaker.Session = session, **settings: object) -> SKLearn:
        return SKLearn(
            entry_point="train.py",
            source_dir=str(FOLDER / "code"),
            framework_version="1.2-1",
            py_version="py3",
            sagemaker_session=session,
            metric_definitions=metrics,
            base_job_name=NAME,
            **{"role": ROLE, **INSTANCE, **settings},
        )

    (FOLDER / "code").mkdir(exist_ok=True)
    (FOLDER / "code" / "train.py").write_text(TRAIN)
    estimator = make_sklearn(hyperparameters={"scale": 3})
    attempt("fit", lambda: estimator.fit(inputs))
    job = estimator.latest_training_job.name
    check("model_data", estimator.model_data.endswith("model.tar.gz"), estimator.model_data)
    frame = attempt("TrainingJobAnalytics.dataframe", lambda: estimator.training_job_analytics.dataframe())
    check("metric of the job", frame is not None and list(frame["value"]) == [1.0], frame)
    attempt("logs", lambda: estimator.logs())
    attached = attempt("attach", lambda: SKLearn.attach(job, sagemaker_session=session))
    check("hyperparameters of the attached job", attached and attached.hyperparameters()["scale"] == "3")
    reject("attach a missing job", "ValidationException", lambda: SKLearn.attach("none", sagemaker_session=session))
    reject("fit with a wrong role", "ValidationException", lambda: make_sklearn(role=ROLE + "x").fit(inputs))
    broken = make_sklearn(hyperparameters={"scale": "none"})
    reject("fit a script that fails", "UnexpectedStatusException", lambda: broken.fit(inputs))
    spot = make_sklearn(use_spot_instances=True, max_run=600, max_wait=900, checkpoint_s3_uri=f"s3://{bucket}/{NAME}/c")
    attempt("fit on managed spot", lambda: spot.fit(inputs, wait=False))
    attempt("stop", lambda: spot.latest_training_job.stop())

with scenario("Predictor"):
    settings = {"serializer": JSONSerializer(), "deserializer": JSONDeserializer(), "endpoint_name": NAME}
    capture = DataCaptureConfig(True, destination_s3_uri=f"s3://{bucket}/{NAME}/capture")
    predictor = attempt("deploy", lambda: estimator.deploy(1, "ml.m5.large", data_capture_config=capture, **settings))
    check("predict", attempt("predict", lambda: predictor.predict([[1, 2]])) == [[3, 6]])
    reject("predict with a wrong body", "ModelError", lambda: predictor.predict("text"))
    attempt("update_endpoint", lambda: predictor.update_endpoint(initial_instance_count=2, instance_type="ml.m5.large"))
    attempt("disable_data_capture", lambda: predictor.disable_data_capture())
    check("predict after the updates", attempt("predict again", lambda: predictor.predict([[1]])) == [[3]])
    attempt("endpoint_context", lambda: predictor.endpoint_context())
    other = sagemaker.Predictor(NAME, session, JSONSerializer(), CSVDeserializer())
    check("CSV response", attempt("predict with CSV", lambda: other.predict([[1, 2]])) == [["3.0", "6.0"]])
    reject("predict a missing endpoint", "ValidationError", lambda: sagemaker.Predictor("none", session).predict(b"1"))
    attempt("delete_model", lambda: predictor.delete_model())
    attempt("delete_endpoint", lambda: predictor.delete_endpoint())

with scenario("Model"):

    def make_model(session: sagemaker.Session = session) -> SKLearnModel:
        return SKLearnModel(
            estimator.model_data, ROLE, entry_point=str(FOLDER / "code" / "train.py"), framework_version="1.2-1",
            sagemaker_session=session,
        )  # fmt: skip

    serverless = ServerlessInferenceConfig(memory_size_in_mb=1024, max_concurrency=2)
    settings["endpoint_name"] = f"{NAME}-serverless"
    predictor = attempt(
        "deploy serverless", lambda: make_model().deploy(serverless_inference_config=serverless, **settings)
    )
    check("predict serverless", attempt("predict", lambda: predictor.predict([[1]])) == [[3]])
    queue = AsyncInferenceConfig(output_path=f"s3://{bucket}/{NAME}/async")
    settings["endpoint_name"] = f"{NAME}-async"
    predictor = attempt(
        "deploy asynchronous", lambda: make_model().deploy(1, "ml.m5.large", async_inference_config=queue, **settings)
    )
    check("predict asynchronous", attempt("AsyncPredictor.predict", lambda: predictor.predict([[1]])) == [[3]])
    later = attempt("AsyncPredictor.predict_async", lambda: predictor.predict_async([[2]]))
    check(
        "get_result",
        attempt("get_result", lambda: later.get_result(sagemaker.async_inference.WaiterConfig(1800, 1))) == [[6]],
    )
    transformer = attempt(
        "transformer", lambda: estimator.transformer(1, "ml.m5.large", output_path=f"s3://{bucket}/{NAME}/t/")
    )
    attempt("transform", lambda: transformer.transform(data, content_type="text/csv", split_type="Line"))
    files = session.list_s3_files(bucket, f"{NAME}/t/")
    check("output of the transform", len(files) == 1, files)
    chain = PipelineModel([make_model(), make_model()], ROLE, sagemaker_session=session)
    attempt("PipelineModel.deploy", lambda: chain.deploy(1, "ml.m5.large", endpoint_name=f"{NAME}-chain"))
    many = MultiDataModel(f"{NAME}-many", f"s3://{bucket}/{NAME}/many/", model=make_model(), sagemaker_session=session)
    settings["endpoint_name"] = f"{NAME}-many"
    predictor = attempt("MultiDataModel.deploy", lambda: many.deploy(1, "ml.m5.large", **settings))
    attempt(
        "MultiDataModel.add_model",
        lambda: many.add_model(many.model.repacked_model_data or estimator.model_data, "one.tar.gz"),
    )
    attempt("MultiDataModel.list_models", lambda: list(many.list_models()))
    check(
        "predict with a target model",
        attempt("predict", lambda: predictor.predict([[1]], target_model="one.tar.gz")) == [[3]],
    )

with scenario("built-in algorithms"):
    image = image_uris.retrieve("xgboost", session.boto_region_name, version="1.7-1")
    xgboost = Estimator(image, ROLE, output_path=f"s3://{bucket}/{NAME}/xgb", sagemaker_session=session, **INSTANCE)
    xgboost.set_hyperparameters(num_round=5, objective="binary:logistic", eval_metric="auc")
    channels = {"train": inputs["train"], "validation": inputs["train"]}
    attempt("Estimator.fit with XGBoost", lambda: xgboost.fit(channels))
    settings = {"serializer": CSVSerializer(), "deserializer": CSVDeserializer()}
    predictor = attempt("deploy", lambda: xgboost.deploy(1, "ml.m5.large", **settings))
    value = attempt("predict", lambda: predictor.predict("1.5,1.5,1.5"))
    check("probability", value and float(value[0][0]) > 0.5, value)
    learner = sagemaker.LinearLearner(ROLE, predictor_type="binary_classifier", sagemaker_session=session, **INSTANCE)
    records = attempt("LinearLearner.record_set", lambda: learner.record_set(rows, labels))
    attempt("LinearLearner.fit", lambda: learner.fit(records))
    predictor = attempt("LinearLearner.deploy", lambda: learner.deploy(1, "ml.m5.large"))
    value = attempt("predict", lambda: predictor.predict(rows[:2]))
    check("labels", value and len(value) == 2 and "predicted_label" in value[0].label, value)
    kmeans = sagemaker.KMeans(ROLE, k=3, sagemaker_session=session, **INSTANCE)
    attempt("KMeans.fit", lambda: kmeans.fit(kmeans.record_set(rows)))
    attempt(
        "PCA.fit",
        lambda: (pca := sagemaker.PCA(ROLE, num_components=2, sagemaker_session=session, **INSTANCE)).fit(
            pca.record_set(rows)
        ),
    )

with scenario("HyperparameterTuner"):
    ranges = {"scale": ContinuousParameter(1, 3)}
    tuner = HyperparameterTuner(
        make_sklearn(),
        "validation:error",
        ranges,
        metrics,
        objective_type="Minimize",
        max_jobs=3,
        max_parallel_jobs=2,
        base_tuning_job_name=NAME,
    )
    attempt("fit", lambda: tuner.fit(inputs))
    attempt("best_training_job", lambda: tuner.best_training_job())
    frame = attempt("analytics", lambda: tuner.analytics().dataframe())
    check("trials", frame is not None and len(frame) == 3, frame)
    attempt("best_estimator", lambda: tuner.best_estimator())
    built_in = HyperparameterTuner(
        xgboost, "validation:auc", {"max_depth": IntegerParameter(1, 4)}, max_jobs=2, max_parallel_jobs=2
    )
    attempt("fit with XGBoost", lambda: built_in.fit(channels))

with scenario("Processor"):
    processor = SKLearnProcessor("1.2-1", ROLE, sagemaker_session=session, base_job_name=NAME, **INSTANCE)
    outputs = [ProcessingOutput(source="/opt/ml/processing/out", output_name="out")]
    processing_inputs = [ProcessingInput(source=data, destination="/opt/ml/processing/in")]
    attempt("run", lambda: processor.run(str(FOLDER / "prepare.py"), processing_inputs, outputs))
    check("output", processor.latest_job.describe()["ProcessingJobStatus"] == "Completed")

with scenario("Pipeline"):
    pipelines = PipelineSession()
    rate, scale = ParameterFloat("Limit", 0.5), ParameterString("Scale", "2")
    report = PropertyFile("report", output_name="out", path="report.json")
    prepare = SKLearnProcessor("1.2-1", ROLE, sagemaker_session=pipelines, **INSTANCE)
    cache = CacheConfig(enable_caching=True, expire_after="1d")
    first = ProcessingStep(
        "Prepare",
        step_args=prepare.run(str(FOLDER / "prepare.py"), processing_inputs, outputs),
        property_files=[report],
        cache_config=cache,
    )
    training = make_sklearn(pipelines, hyperparameters={"scale": scale})
    prepared = TrainingInput(first.properties.ProcessingOutputConfig.Outputs["out"].S3Output.S3Uri)
    second = TrainingStep("Train", step_args=training.fit({"train": prepared}), cache_config=cache)
    model = SKLearnModel(
        second.properties.ModelArtifacts.S3ModelArtifacts,
        ROLE,
        entry_point=str(FOLDER / "code" / "train.py"),
        framework_version="1.2-1",
        sagemaker_session=pipelines,
    )
    types = {"content_types": ["text/csv"], "response_types": ["text/csv"], "inference_instances": ["ml.m5.large"]}
    statistics = ModelMetrics(
        model_statistics=MetricsSource("application/json", Join("/", [f"s3://{bucket}", "report.json"]))
    )
    register = ModelStep(
        "Register", step_args=model.register(**types, model_package_group_name=f"{NAME}-pipe", model_metrics=statistics)
    )
    condition = ConditionLessThanOrEqualTo(
        JsonGet(step_name="Prepare", property_file=report, json_path="error.value"), rate
    )
    decide = ConditionStep(
        "Decide",
        conditions=[condition],
        if_steps=[register],
        else_steps=[FailStep("Stop", error_message="The error is above the limit.")],
    )
    pipeline = Pipeline(NAME, [rate, scale], steps=[first, second, decide], sagemaker_session=pipelines)
    attempt("upsert", lambda: pipeline.upsert(ROLE))
    attempt("describe", lambda: pipeline.describe())
    execution = attempt("start", lambda: pipeline.start(parameters={"Scale": "3"}))
    attempt("wait", lambda: execution.wait(delay=1, max_attempts=2400))
    steps = attempt("list_steps", lambda: execution.list_steps()) or []
    check("statuses", [step["StepStatus"] for step in steps] == ["Succeeded"] * len(steps) and len(steps) >= 4, steps)
    attempt("list_parameters", lambda: execution.list_parameters())
    reject("start with an unknown parameter", "ValidationException", lambda: pipeline.start(parameters={"None": "3"}))
    failing = attempt("start that fails", lambda: pipeline.start(parameters={"Limit": 0.01}))
    reject("wait for a failed execution", "WaiterError", lambda: failing.wait(delay=1, max_attempts=2400))
    attempt("update", lambda: pipeline.update(ROLE))
    attempt("delete", lambda: pipeline.delete())

with scenario("ModelPackage"):
    package = attempt(
        "register",
        lambda: make_model().register(**types, model_package_group_name=NAME, approval_status="PendingManualApproval"),
    )
    attempt("update_approval_status", lambda: package.update_approval_status("Approved"))
    arn = package.model_package_arn
    package = ModelPackage(ROLE, model_package_arn=arn, sagemaker_session=session)
    attempt("deploy", lambda: package.deploy(1, "ml.m5.large", endpoint_name=f"{NAME}-package"))
    predictor = sagemaker.Predictor(f"{NAME}-package", session, JSONSerializer(), JSONDeserializer())
    check("predict", attempt("predict", lambda: predictor.predict([[1]])) == [[3]])

with scenario("FeatureGroup"):
    frame = pd.DataFrame({"id": ["a", "b"], "time": ["2026-01-01T00:00:00Z"] * 2, "value": [1.5, 2.5]}).astype(
        {"id": "string", "time": "string"}
    )
    group = FeatureGroup(NAME, sagemaker_session=session)
    attempt("load_feature_definitions", lambda: group.load_feature_definitions(frame))
    attempt(
        "create", lambda: group.create(f"s3://{bucket}/{NAME}/features", "id", "time", ROLE, enable_online_store=True)
    )
    status = ""
    for _ in range(100):
        status = group.describe()["FeatureGroupStatus"]
        if status == "Created":
            break
        time.sleep(0.5)
    check("describe", status == "Created", status)
    attempt("ingest", lambda: group.ingest(frame, max_workers=1, wait=True))
    record = attempt("get_record", lambda: group.get_record("a"))
    check("record", record and {"FeatureName": "value", "ValueAsString": "1.5"} in record, record)
    attempt("update_feature_metadata", lambda: group.update_feature_metadata("value", description="a value"))
    attempt("as_hive_ddl", lambda: group.as_hive_ddl())
    query = group.athena_query()
    attempt("athena_query", lambda: query.run("SELECT 1", f"s3://{bucket}/{NAME}/query"))
    attempt("delete_record", lambda: group.delete_record("a", "2026-01-02T00:00:00Z"))
    attempt("delete", lambda: group.delete())

with scenario("Experiments"):

    def track() -> None:
        with Run(experiment_name=NAME, run_name="one", sagemaker_session=session) as run:
            run.log_parameter("scale", 3)
            run.log_metric("error", 0.5, step=1)
            run.log_file(str(FOLDER / "train.csv"), name="data", is_output=False)

    attempt("Run with parameters and a metric", track)
    run = attempt("load_run", lambda: load_run(experiment_name=NAME, run_name="one", sagemaker_session=session))
    attempt(
        "Artifact.create", lambda: Artifact.create(NAME, "s3://a/b", artifact_type="Model", sagemaker_session=session)
    )

with scenario("not emulated"):
    monitor = DefaultModelMonitor(ROLE, sagemaker_session=session)
    attempt(
        "AutoML.fit", lambda: AutoML(ROLE, "label", sagemaker_session=session, max_candidates=1).fit(data, wait=False)
    )
    attempt(
        "create_monitoring_schedule",
        lambda: monitor.create_monitoring_schedule(
            endpoint_input=f"{NAME}-package", output_s3_uri=f"s3://{bucket}/{NAME}/m"
        ),
    )
