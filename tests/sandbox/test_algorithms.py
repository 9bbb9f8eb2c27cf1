"""Built-in algorithms: training, and every kind of inference."""

import io
import json
import pickle
import re
import struct
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from sagemaker_sandbox.base.errors import NotEmulatedError
from sagemaker_sandbox.jobs.algorithms.built_in_algorithms import (
    kmeans_training,
    linear_learner_training,
    recordio,
    xgboost_serving,
)
from sagemaker_sandbox.jobs.algorithms.built_in_algorithms.errors import ClientError
from sagemaker_sandbox.jobs.algorithms.built_in_algorithms.training import TrainingContainer
from sagemaker_sandbox.jobs.algorithms.images import check_algorithm, find_algorithm
from tests.lazy_imports import LazyModule
from tests.sandbox.support import ROLE, catch_error, wait_until

if TYPE_CHECKING:
    from sagemaker_sandbox.jobs.algorithms.built_in_algorithms import xgboost_training
else:
    xgboost_training = LazyModule("sagemaker_sandbox.jobs.algorithms.built_in_algorithms.xgboost_training")

pytestmark = pytest.mark.slow

Fresh = Callable[[str], str]

XGBOOST = "662702820516.dkr.ecr.eu-north-1.amazonaws.com/sagemaker-xgboost:1.7-1"
OLD_XGBOOST = "669576153137.dkr.ecr.eu-north-1.amazonaws.com/xgboost:1"
LINEAR_LEARNER = "669576153137.dkr.ecr.eu-north-1.amazonaws.com/linear-learner:1"
KMEANS = "669576153137.dkr.ecr.eu-north-1.amazonaws.com/kmeans:1"

#: Points around three centers. The label of a point is its center.
_RANDOM = np.random.default_rng(0)
LABELS = _RANDOM.integers(0, 3, 300)
POINTS = np.array([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]])[LABELS] + _RANDOM.normal(scale=0.5, size=(300, 2))
NEW_POINTS = np.array([[0.2, -0.1], [9.8, 0.3], [0.1, 10.4]])


def to_csv(*columns: Any) -> bytes:
    text = io.StringIO()
    np.savetxt(text, np.column_stack(columns), delimiter=",", fmt="%.8g")
    return text.getvalue().encode()


def to_libsvm(labels: Any, points: Any) -> bytes:
    lines = (
        f"{label} {' '.join(f'{index}:{value:.8g}' for index, value in enumerate(row))}"
        for label, row in zip(labels, points, strict=True)
    )
    return "\n".join(lines).encode()


def to_varint(value: int) -> bytes:
    """Return an integer of Protocol Buffers."""
    return bytes([value & 127 | 128]) + to_varint(value >> 7) if value > 127 else bytes([value])


def to_recordio(points: Any, labels: Any = None, keys: Any = (), shape: Any = ()) -> bytes:
    """Encode records by hand, field by field, so that the test does not depend on the reader's own description."""

    def field(number: int, content: bytes) -> bytes:
        assert len(content) < 128
        return bytes([number << 3 | 2, len(content)]) + content

    def integers(number: int, values: Any) -> bytes:
        return field(number, b"".join(to_varint(value) for value in values)) if values else b""

    def value(numbers: Any, sparse: bytes = b"") -> bytes:
        tensor = field(2, field(1, struct.pack(f"<{len(numbers)}f", *numbers)) + sparse)
        return field(1, b"values") + field(2, tensor)

    frames = bytearray()
    for index, row in enumerate(points):
        record = field(1, value(row, integers(2, keys) + integers(3, shape)))
        record += b"" if labels is None else field(2, value([labels[index]]))
        frames += struct.pack("<II", 0xCED7230A, len(record)) + record + bytes(-len(record) % 4)
    return bytes(frames)


@pytest.fixture
def train(sagemaker: Any, s3: Any, bucket: str, fresh: Fresh) -> Callable[..., Any]:
    """Return a function that trains with objects by channel, and returns the final description."""

    def run(image: str, hyperparameters: dict[str, str], content_type: str, **channels: bytes) -> Any:
        name = fresh("algorithm")
        for channel, body in channels.items():
            s3.put_object(Bucket=bucket, Key=f"{name}/{channel}/data", Body=body)
        sagemaker.create_training_job(
            TrainingJobName=name,
            RoleArn=ROLE,
            AlgorithmSpecification={"TrainingImage": image, "TrainingInputMode": "Pipe"},
            HyperParameters=hyperparameters,
            InputDataConfig=[
                {
                    "ChannelName": channel,
                    "ContentType": content_type,
                    "DataSource": {
                        "S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/{name}/{channel}"}
                    },
                }
                for channel in channels
            ],
            OutputDataConfig={"S3OutputPath": f"s3://{bucket}/models"},
            ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1},
            CheckpointConfig={"S3Uri": f"s3://{bucket}/{name}/checkpoints"},
            StoppingCondition={"MaxRuntimeInSeconds": 600},
        )

        def find_end() -> Any:
            description = sagemaker.describe_training_job(TrainingJobName=name)
            return description if description["TrainingJobStatus"] in ("Completed", "Failed") else None

        return wait_until(find_end)

    return run


@pytest.fixture
def deploy(sagemaker: Any, sandbox: Any, fresh: Fresh) -> Iterator[Callable[..., Callable[..., Any]]]:
    """Yield a function that deploys a trained model, and returns a function that invokes the endpoint."""
    endpoints: list[str] = []

    def run(image: str, job: Any, **variant: Any) -> Callable[..., Any]:
        name = fresh("algorithm")
        container = {"Image": image, "ModelDataUrl": job["ModelArtifacts"]["S3ModelArtifacts"]}
        sagemaker.create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=ROLE)
        variant = {"VariantName": "all", "ModelName": name} | (
            variant or {"InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
        )
        sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
        sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
        endpoints.append(name)
        sagemaker.get_waiter("endpoint_in_service").wait(
            EndpointName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 900}
        )
        runtime = sandbox.client("sagemaker-runtime")

        def invoke(body: bytes, content_type: str, **options: Any) -> Any:
            response = runtime.invoke_endpoint(EndpointName=name, Body=body, ContentType=content_type, **options)
            return response["Body"].read(), response["ContentType"]

        return invoke

    yield run
    for name in endpoints:
        sagemaker.delete_endpoint(EndpointName=name)


def read_model(s3: Any, bucket: str, job: Any) -> dict[str, bytes]:
    key = job["ModelArtifacts"]["S3ModelArtifacts"].removeprefix(f"s3://{bucket}/")
    with tarfile.open(fileobj=io.BytesIO(s3.get_object(Bucket=bucket, Key=key)["Body"].read())) as tar:
        return {member.name: file.read() for member in tar if (file := tar.extractfile(member))}


@pytest.mark.parametrize("content_type", ["text/csv", "text/x-libsvm"])
def test_xgboost_trains_and_answers_as_its_container_does(
    train: Callable[..., Any], deploy: Callable[..., Any], s3: Any, bucket: str, content_type: str
) -> None:
    import xgboost

    encode = to_csv if content_type == "text/csv" else to_libsvm
    hyperparameters = {"objective": "multi:softprob", "num_class": "3", "num_round": "7", "eval_metric": "mlogloss"}
    channels = {"train": encode(LABELS[:200], POINTS[:200]), "validation": encode(LABELS[200:], POINTS[200:])}
    job = train(XGBOOST, hyperparameters, content_type, **channels)
    assert job["TrainingJobStatus"] == "Completed", job
    metrics = {metric["MetricName"]: metric["Value"] for metric in job["FinalMetricDataList"]}
    assert metrics["validation:mlogloss"] < 0.3
    model = read_model(s3, bucket, job)
    assert list(model) == ["xgboost-model"]
    booster = xgboost.Booster(model_file=bytearray(model["xgboost-model"]))
    assert booster.num_boosted_rounds() == 7
    checkpoints = s3.list_objects_v2(Bucket=bucket, Prefix=f"{job['TrainingJobName']}/checkpoints/")["Contents"]
    assert sorted(entry["Key"].rpartition("/")[2] for entry in checkpoints)[-1] == "xgboost-checkpoint.6"

    expected = booster.predict(xgboost.DMatrix(NEW_POINTS))
    invoke = deploy(XGBOOST, job, ServerlessConfig={"MemorySizeInMB": 2048, "MaxConcurrency": 1})
    csv, csv_type = invoke(to_csv(NEW_POINTS), "text/csv")
    assert csv_type == "text/csv"
    np.testing.assert_allclose(np.loadtxt(io.BytesIO(csv), delimiter=","), expected, rtol=1e-5)
    as_json, _ = invoke(to_libsvm([0, 0, 0], NEW_POINTS), "text/libsvm", Accept="application/json")
    scores = [row["score"] for row in json.loads(as_json)["predictions"]]
    np.testing.assert_allclose(scores, expected, rtol=1e-5)
    code, message = catch_error(lambda: invoke(b"1,2,3\n", "text/csv"))
    assert code == "ModelError"
    assert "Feature size of csv inference data 3 is not consistent" in message


def test_the_first_xgboost_version_saves_a_pickle_and_answers_one_line(
    train: Callable[..., Any], deploy: Callable[..., Any], s3: Any, bucket: str
) -> None:
    job = train(OLD_XGBOOST, {"num_round": "5", "objective": "reg:linear"}, "csv", train=to_csv(LABELS, POINTS))
    assert job["TrainingJobStatus"] == "Completed", job
    booster = pickle.loads(read_model(s3, bucket, job)["xgboost-model"])  # noqa: S301 - of this test
    assert booster.num_features() == 2
    csv, _ = deploy(OLD_XGBOOST, job)(to_csv(NEW_POINTS), "text/csv")
    np.testing.assert_allclose([float(text) for text in csv.decode().split(",")], [0, 1, 2], atol=0.6)


def test_a_model_in_a_pickle_of_an_old_xgboost_version_is_loaded(tmp_path: Path) -> None:
    import xgboost

    model = xgboost.train({}, xgboost.DMatrix(POINTS, label=LABELS), 3)
    # Version 0.90 saved the model without the configuration of the training, which the current version expects.
    old_state = {"handle": model.save_raw(), "feature_names": ["f0", "f1"], "feature_types": None}
    model.__class__ = type("Booster", (xgboost.Booster,), {"__getstate__": lambda _: old_state})
    model.__class__.__module__, model.__class__.__qualname__ = "xgboost.core", "Booster"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(xgboost.core, "Booster", model.__class__)
        content = pickle.dumps(model)
    (tmp_path / "xgboost-model").write_bytes(content)
    loaded = xgboost_serving.load_built_in_model(str(tmp_path))
    rows = xgboost.DMatrix(NEW_POINTS)
    np.testing.assert_allclose(loaded.predict(rows), model.predict(rows))


@pytest.mark.parametrize(
    ("hyperparameters", "labels", "expected"),
    [
        ({"predictor_type": "regressor"}, 3 * POINTS[:, 0] + 1, [{"score": 1.6}, {"score": 30.4}, {"score": 1.3}]),
        ({"predictor_type": "binary_classifier"}, LABELS == 1, [0, 1, 0]),
        ({"predictor_type": "multiclass_classifier", "num_classes": "4"}, LABELS, [0, 1, 2]),
    ],
    ids=["regressor", "binary", "multiclass"],
)
def test_the_linear_learner_answers_in_the_documented_form(
    train: Callable[..., Any], deploy: Callable[..., Any], hyperparameters: Any, labels: Any, expected: list[Any]
) -> None:
    job = train(
        LINEAR_LEARNER,
        hyperparameters | {"mini_batch_size": "100", "feature_dim": "2"},
        "application/x-recordio-protobuf",
        train=to_recordio(POINTS, labels),
        test=to_recordio(POINTS, labels),
    )
    assert job["TrainingJobStatus"] == "Completed", job
    assert {metric["MetricName"] for metric in job["FinalMetricDataList"]} > {"test:objective_loss"}
    invoke = deploy(LINEAR_LEARNER, job)
    body, content_type = invoke(to_csv(NEW_POINTS), "text/csv")
    assert content_type == "application/json"
    predictions = json.loads(body)["predictions"]
    if hyperparameters["predictor_type"] == "regressor":
        assert predictions == [{"score": pytest.approx(row["score"], abs=1e-3)} for row in expected]
    else:
        assert [row["predicted_label"] for row in predictions] == expected
    lines, _ = invoke(to_recordio(NEW_POINTS), "application/x-recordio-protobuf", Accept="application/jsonlines")
    rows = [json.loads(line) for line in lines.splitlines()]
    assert [row.keys() for row in rows] == [row.keys() for row in predictions]


def test_kmeans_finds_the_centers_and_transforms_in_batch(
    train: Callable[..., Any], deploy: Callable[..., Any], sagemaker: Any, s3: Any, bucket: str, fresh: Fresh
) -> None:
    job = train(
        KMEANS, {"k": "3", "feature_dim": "2"}, "text/csv;label_size=0", train=to_csv(POINTS), test=to_csv(POINTS)
    )
    assert job["TrainingJobStatus"] == "Completed", job
    metrics = {metric["MetricName"]: metric["Value"] for metric in job["FinalMetricDataList"]}
    assert metrics["test:msd"] == pytest.approx(0.5, rel=0.2)  # two variances of 0.25
    instances = {"instances": [{"features": row} for row in NEW_POINTS.tolist()]}
    body, _ = deploy(KMEANS, job)(json.dumps(instances).encode(), "application/json")
    rows = json.loads(body)["predictions"]
    assert len({row["closest_cluster"] for row in rows}) == 3
    assert all(0 <= row["distance_to_cluster"] < 1 for row in rows)

    name = fresh("algorithm")
    container = {"Image": KMEANS, "ModelDataUrl": job["ModelArtifacts"]["S3ModelArtifacts"]}
    sagemaker.create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=ROLE)
    s3.put_object(Bucket=bucket, Key="new/points.csv", Body=to_csv(NEW_POINTS))
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/new"}}
    sagemaker.create_transform_job(
        TransformJobName=name,
        ModelName=name,
        TransformInput={"DataSource": source, "ContentType": "text/csv", "SplitType": "Line"},
        TransformOutput={"S3OutputPath": f"s3://{bucket}/out", "AssembleWith": "Line"},
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
    )
    sagemaker.get_waiter("transform_job_completed_or_stopped").wait(
        TransformJobName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 900}
    )
    output = s3.get_object(Bucket=bucket, Key="out/points.csv.out")["Body"].read()
    assert [json.loads(line) for line in output.splitlines()] == rows


def test_a_job_with_invalid_input_fails_with_the_reason(train: Callable[..., Any]) -> None:
    job = train(XGBOOST, {}, "text/csv", train=b"1,2\n")
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"] == "ClientError: Missing required hyperparameter: num_round, exit code: 1"


@pytest.mark.parametrize(
    ("trainer", "hyperparameters", "data", "reason"),
    [
        (xgboost_training, {"num_round": "1", "depth": "3"}, b"1,2\n", "Extraneous hyperparameter found: depth"),
        (xgboost_training, {"num_round": "1", "eta": "2"}, b"1,2\n", "eta: '2' is not an accepted value"),
        (xgboost_training, {"num_round": "1"}, b"label,a\n1,2\n", "data.csv is not CSV of numbers without a header"),
        (xgboost_training, {"num_round": "1", "objective": "none"}, b"1,2\n0,1\n", "XGB train call failed"),
        (kmeans_training, {"k": "2", "feature_dim": "3"}, b"9,1,2\n9,3,4\n", "is 3, but the data have 2 features"),
        (linear_learner_training, {"predictor_type": "binary_classifier"}, b"2,1\n", "must be 0 or 1"),
    ],
    ids=["unknown", "range", "header", "library", "width", "label"],
)
def test_invalid_input_returns_a_client_error(
    tmp_path: Path, trainer: Any, hyperparameters: Any, data: bytes, reason: str
) -> None:
    with pytest.raises(ClientError, match=reason):
        trainer.train(make_container(tmp_path, hyperparameters, train=data))


def make_container(folder: Path, hyperparameters: dict[str, str], **channels: bytes) -> TrainingContainer:
    """Write the input of a job, with CSV by channel."""
    config = folder / "input" / "config"
    config.mkdir(parents=True)
    for channel, content in channels.items():
        (folder / "input" / "data" / channel).mkdir(parents=True)
        (folder / "input" / "data" / channel / "data.csv").write_bytes(content)
    files = {
        "hyperparameters": hyperparameters,
        "inputdataconfig": {channel: {"ContentType": "text/csv"} for channel in channels},
        "resourceconfig": {"current_host": "algo-1", "hosts": ["algo-1"]},
    }
    for name, values in files.items():
        (config / f"{name}.json").write_text(json.dumps(values))
    (folder / "model").mkdir()
    return TrainingContainer(folder, "1.7-1")


@pytest.mark.parametrize(
    ("metrics", "objective", "best"),
    [
        ({"eval_metric": "f1"}, None, max),
        ({"eval_metric": "r2"}, None, max),
        ({"eval_metric": "mse"}, None, min),
        ({"eval_metric": "auc"}, None, max),
        ({"eval_metric": "f1,logloss"}, None, min),
        ({"eval_metric": "logloss,f1"}, None, max),
        ({"eval_metric": "logloss", "_tuning_objective_metric": "validation:f1"}, "f1", max),
        ({}, "logloss", min),
    ],
    ids=["own", "value", "own minimum", "library", "library last", "own last", "tuning", "default"],
)
def test_xgboost_stops_when_the_last_metric_no_longer_improves(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], metrics: dict[str, str], objective: str | None, best: Any
) -> None:
    import xgboost

    random, rounds = np.random.default_rng(1), 3
    labels, points = random.integers(0, 2, 200), random.normal(size=(200, 2))
    points[:, 0] += labels
    hyperparameters = {"objective": "binary:logistic", "num_round": "300", "early_stopping_rounds": str(rounds)}
    channels = {"train": to_csv(labels[:100], points[:100]), "validation": to_csv(labels[100:], points[100:])}
    xgboost_training.train(make_container(tmp_path, hyperparameters | metrics, **channels))
    metric = objective or metrics["eval_metric"].rpartition(",")[2]
    values = [float(value) for value in re.findall(rf"validation-{metric}:([-\d.]+)", capsys.readouterr().out)]
    model = xgboost.Booster(model_file=bytearray((tmp_path / "model" / "xgboost-model").read_bytes()))
    assert len(values) < 300, "stopped early"
    assert model.num_boosted_rounds() == len(values) - rounds == values.index(best(values)) + 1, "the best model"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (to_recordio([[1.0]], [0]) + to_recordio([[2.0]]), "only 1 of 2 records have a label"),
        (to_recordio([[1.0]], keys=[7], shape=[5]), "do not fit its values and its shape"),
        (to_recordio([[1.0]], keys=[1, 2]), "do not fit its values and its shape"),
        (to_recordio([[1.0]], keys=[2**63]), "Unable to read recordio-protobuf"),
    ],
    ids=["label", "key", "number of keys", "large key"],
)
def test_records_that_contradict_each_other_are_refused(content: bytes, reason: str) -> None:
    with pytest.raises(ClientError, match=reason):
        recordio.read_records(content)


def test_a_sparse_record_has_its_values_by_key() -> None:
    features, labels = recordio.read_records(to_recordio([[1.0, 2.0]], keys=[1, 3], shape=[5]))
    assert (features.tolist(), labels) == ([[0, 1, 0, 2, 0]], None)


@pytest.mark.parametrize(
    ("variables", "accept", "expected"),
    [
        ({}, "", "{0}\n{1}\n"),
        ({"SAGEMAKER_BATCH": "true"}, "", "{0}\n{1}\n"),
        ({"SAGEMAKER_MULTI_MODEL": "true"}, "", "[{0}, {1}]"),
        ({"SAGEMAKER_MULTI_MODEL": "true"}, "text/csv", "{0},{1}"),
        ({"SAGEMAKER_INFERENCE_OUTPUT": "predicted_score"}, "application/jsonlines", None),
    ],
    ids=["endpoint", "batch", "multi-model", "multi-model CSV", "selected"],
)
def test_xgboost_responses_depend_on_the_kind_of_container(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], accept: str, expected: str | None
) -> None:
    import xgboost

    monkeypatch.setenv("SANDBOX_ALGORITHM_TAG", "1.5-1")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    model = xgboost.train({}, xgboost.DMatrix(POINTS, label=LABELS), 3)
    values = model.predict(xgboost.DMatrix(NEW_POINTS[:2])).tolist()
    body, _ = xgboost_serving.transform_built_in(model, to_csv(NEW_POINTS[:2]), "text/csv", accept)
    if expected is None:
        assert [json.loads(line) for line in body.splitlines()] == [{"predicted_score": value} for value in values]
    else:
        assert body.decode() == expected.format(*values)


def test_other_algorithms_are_refused_with_a_substitute() -> None:
    image = LINEAR_LEARNER.replace("linear-learner", "pca")
    with pytest.raises(NotEmulatedError, match="algorithm pca is not emulated by the sandbox"):
        check_algorithm(image)
    check_algorithm(image.replace("669576153137", "123456789012"))  # an image of the user


def test_image_addresses_of_the_sdk_select_the_algorithm_in_each_region() -> None:
    from sagemaker.core import image_uris

    regions = ("eu-north-1", "us-east-1", "cn-north-1", "us-gov-west-1", "ap-southeast-4")
    for region in regions:
        for framework, version in (
            ("xgboost", "1.7-1"),
            ("xgboost", "0.90-2"),
            ("linear-learner", "1"),
            ("kmeans", "1"),
        ):
            assert find_algorithm(image_uris.retrieve(framework, region, version)) is not None, (framework, region)
        assert find_algorithm(image_uris.retrieve("sklearn", region, "1.2-1")) is None
    assert find_algorithm(XGBOOST.replace("eu-north-1", "eu-west-1")) is None  # not the account of that Region
