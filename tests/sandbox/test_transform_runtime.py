"""Batch transform jobs as processes: a served model receives every record, and responses are joined with records."""

import gzip
import json
from typing import TYPE_CHECKING, Any

import pytest

from sagemaker_sandbox.jobs.runtime import records
from sagemaker_sandbox.jobs.runtime.model_data import ModelDataSource
from sagemaker_sandbox.jobs.runtime.transform_definition import ServedModel, TransformDefinition
from tests.cases import check_cases
from tests.sandbox.job_runs import BUCKET, Run, list_keys, put_objects, read_object
from tests.sandbox.job_runs import moto_client as moto_client
from tests.sandbox.job_runs import run as run
from tests.sandbox.job_runs import store as store
from tests.sandbox.support import create_tar, wait_until

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

pytestmark = pytest.mark.slow

CSV, JSON = "text/csv", "application/json"

#: Model script: returns for each line the sum of its numbers and the number of lines; for JSON, the sum of `values`.
SUMS = """
import json, os, pathlib
def model_fn(folder):
    return float(pathlib.Path(folder, "factor").read_text())
def transform_fn(model, data, content_type, accept):
    if "slow" in data:
        pathlib.Path(os.environ["STARTED"]).touch()
        import time; time.sleep(600)
    if content_type == "application/json":
        return json.dumps({"sum": model * sum(json.loads(data)["values"])}), accept
    lines = data.split("\\n")
    return "\\n".join(f"{model * sum(map(float, line.split(',')))},{len(lines)}" for line in lines) + "\\n", accept
"""
MODEL = create_tar(factor="2", code__inference_py=SUMS)


def build_request(
    content_type: str = CSV, *, input_members: Any = None, output: Any = None, **changes: Any
) -> dict[str, Any]:
    """Return the request of a job over everything under in/."""
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/in/"}}
    return {
        "TransformJobName": "job",
        "ModelName": "sums",
        "TransformInput": {"DataSource": source, "ContentType": content_type, "SplitType": "Line"}
        | (input_members or {}),
        "TransformOutput": {"S3OutputPath": f"s3://{BUCKET}/out", "Accept": content_type, "AssembleWith": "Line"}
        | (output or {}),
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
    } | changes


@pytest.fixture
def model(store: "S3Client") -> ServedModel:
    put_objects(store, model=MODEL)
    return ServedModel([ModelDataSource(f"s3://{BUCKET}/model")])


def test_every_object_has_its_output_in_the_order_of_its_records(
    run: Run, store: "S3Client", model: ServedModel
) -> None:
    rows = [f"{number},1" for number in range(50)]
    put_objects(store, in__a="1,2\n3,4\n", in__deep__b="\n".join(rows))
    job = run(TransformDefinition(build_request(BatchStrategy="SingleRecord", MaxConcurrentTransforms=3), model))
    end = job.end()
    assert end.status == "Completed", (end.failure_reason, job.log)
    assert list_keys(store, "out/") == ["out/a.out", "out/deep/b.out"]
    assert read_object(store, "out/a.out") == b"6.0,1\n14.0,1\n"
    assert read_object(store, "out/deep/b.out").decode().split() == [f"{2.0 * (number + 1)},1" for number in range(50)]


def test_batches_are_filled_and_responses_are_joined_with_records(
    run: Run, store: "S3Client", model: ServedModel
) -> None:
    wide = ",".join(["0" * 120_000 + "1"] * 5)  # two such lines do not fit one megabyte
    put_objects(store, in__rows=gzip.compress(f"id1,1,2\nid2,3,4\nid3,{wide}\nid4,{wide}\n".encode()))
    processing = {"InputFilter": "$[1:]", "JoinSource": "Input", "OutputFilter": "$[0,-2:]"}
    work = build_request(input_members={"CompressionType": "Gzip"}, DataProcessing=processing, MaxPayloadInMB=1)
    end = run(TransformDefinition(work, model)).end()
    assert end.status == "Completed", end.failure_reason
    assert read_object(store, "out/rows.out") == b"id1,6.0,3\nid2,14.0,3\nid3,10.0,3\nid4,10.0,1\n"


def test_json_objects_are_joined_under_the_names_of_sagemaker(run: Run, store: "S3Client", model: ServedModel) -> None:
    put_objects(store, in__one=json.dumps({"id": 7, "values": [1, 2], "note": "x"}))
    processing = {"JoinSource": "Input", "OutputFilter": "$['id','SageMakerOutput']"}
    work = build_request(
        JSON, input_members={"SplitType": "None"}, output={"AssembleWith": "None"}, DataProcessing=processing
    )
    end = run(TransformDefinition(work, model)).end()
    assert end.status == "Completed", end.failure_reason
    assert json.loads(read_object(store, "out/one.out")) == {"id": 7, "SageMakerOutput": {"sum": 6.0}}


def test_an_object_that_fails_fails_the_job_but_not_the_other_objects(
    run: Run, store: "S3Client", model: ServedModel
) -> None:
    put_objects(store, in__a="1,2\nnone,4\n", in__b="5,6\n")
    work = build_request(ModelClientConfig={"InvocationsMaxRetries": 0, "InvocationsTimeoutInSeconds": 60})
    job = run(TransformDefinition(work, model))
    end = job.end()
    assert end.status == "Failed"
    assert end.failure_reason is not None
    assert end.failure_reason.startswith(
        "AlgorithmError: See job logs for more information: s3://flights/in/a: Bad HTTP status received from "
        "algorithm: 500: could not convert string to float"
    )
    assert list_keys(store, "out/") == ["out/b.out"]
    assert "ValueError" in job.log


def test_an_object_that_is_not_gzip_is_reported_but_not_the_others(
    run: Run, store: "S3Client", model: ServedModel
) -> None:
    whole = gzip.compress(b"1,2\n" * 1000)
    put_objects(store, in__a=whole[:15] + b"\xff" * 8 + whole[23:], in__b=whole)
    end = run(TransformDefinition(build_request(input_members={"CompressionType": "Gzip"}), model)).end()
    assert "s3://flights/in/a: not gzip: " in (end.failure_reason or "")
    assert list_keys(store, "out/") == ["out/b.out"]


def test_a_stopped_job_has_no_output(run: Run, store: "S3Client", model: ServedModel) -> None:
    put_objects(store, in__a="1,2\n", in__b="slow\n")
    marker = "/opt/ml/started"
    job = run(TransformDefinition(build_request(Environment={"STARTED": marker}), model))
    wait_until((job.folder / "algo-1" / "started").exists)
    job.run.stop()
    assert job.end().status == "Stopped"
    assert list_keys(store, "out/") == []


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"input_members": {"SplitType": "RecordIO"}}, "the sandbox does not split RecordIO; use Line or None"),
        ({"DataProcessing": {"InputFilter": "$["}}, "DataProcessing.InputFilter: '$[' is not a JSONPath"),
        ({"DataProcessing": {"OutputFilter": "$[0] | $[1]"}}, "is not a JSONPath"),
        (
            {"content_type": "image/png", "DataProcessing": {"JoinSource": "Input"}},
            "TransformInput.ContentType: DataProcessing needs text/csv, application/json or",
        ),
        ({}, "No S3 objects found under S3 URL"),
    ],
    ids=["split", "filter", "union", "type", "no data"],
)
def test_an_unsupported_request_fails_with_one_line(
    run: Run, model: ServedModel, changes: dict[str, Any], reason: str
) -> None:
    end = run(TransformDefinition(build_request(**changes), model)).end()
    assert end.status == "Failed"
    assert end.failure_reason is not None
    assert end.failure_reason.startswith("ClientError: ")
    assert reason in end.failure_reason
    assert "\n" not in end.failure_reason


@check_cases(
    ("settings", "record", "model_input", "response", "expected"),
    [
        ({}, b"1,2", b"1,2", b"x", b"x"),
        ({"InputFilter": "$[-1]"}, b'a,"b,c"', b'"b,c"', b"1", b"1"),
        ({"OutputFilter": "$[0,5:]"}, b"r", b"r", b"0,1,2,3,4,5,6", b"0,5,6"),
        ({"JoinSource": "Input"}, b'a,"b,c"', b'a,"b,c"', b"0.5", b'a,"b,c",0.5'),
    ],
)
def test_rows_are_filtered_and_joined(
    settings: dict[str, str], record: bytes, model_input: bytes, response: bytes, expected: bytes
) -> None:
    processing = records.DataProcessing({"DataProcessing": settings}, CSV, CSV)
    assert processing.filter_input(record) == model_input
    if processing.is_per_record:
        assert processing.filter_output(record, response) == expected


@check_cases(
    ("settings", "record", "response", "expected"),
    [
        ({"JoinSource": "Input"}, b'{"a":1}', b"[2]", {"a": 1, "SageMakerOutput": [2]}),
        ({"JoinSource": "Input"}, b"[1]", b'{"b":2}', {"SageMakerInput": [1], "SageMakerOutput": {"b": 2}}),
        ({"OutputFilter": "$.b"}, b"[1]", b'{"b":2}', 2),
        ({"OutputFilter": "$[1:]"}, b"[1]", b"[1,2,3]", [2, 3]),
    ],
)
def test_objects_are_filtered_and_joined(
    settings: dict[str, str], record: bytes, response: bytes, expected: object
) -> None:
    processing = records.DataProcessing({"DataProcessing": settings}, JSON, JSON)
    assert json.loads(processing.filter_output(record, response)) == expected
