"""`smlops transform` on the sandbox: predictions of a trained model for records in S3."""

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.jobs.bench import Bench

pytestmark = pytest.mark.slow

#: Script that "trains" the mean of the first column and writes a model with its serving code.
TRAIN = """
import json, os, pathlib, shutil

rows = [line.split(",") for file in pathlib.Path(os.environ["SM_CHANNEL_TRAIN"]).iterdir() for line in file.open()]
model = pathlib.Path(os.environ["SM_MODEL_DIR"])
(model / "mean.json").write_text(json.dumps(sum(float(row[0]) for row in rows) / len(rows)))
(model / "code").mkdir()
shutil.copy(pathlib.Path(__file__).with_name("inference.py"), model / "code")
"""
INFERENCE = """
import json, pathlib


def model_fn(folder):
    return json.loads((pathlib.Path(folder) / "mean.json").read_text())


def input_fn(body, content_type):
    text = body.decode() if isinstance(body, bytes) else body
    return [[float(value) for value in line.split(",")] for line in text.splitlines()]


def predict_fn(rows, mean):
    return [round(distance * 2 + delay - mean, 6) for distance, delay in rows]


def output_fn(answers, accept):
    return "".join(f"{answer}\\n" for answer in answers), "text/csv"
"""
JOB: dict[str, Any] = {
    "compute": {"instance_type": "ml.m5.large"},
    "limits": {"max_runtime_minutes": 10},
    "input": {"data": "re-creatable/asked/", "content_type": "text/csv"},
    "output": {"accept": "text/csv"},
}
RECORDS = [(f"f{number}", number % 7 + 0.5, number % 11) for number in range(500)]


@pytest.fixture
def trained_record(bench: Bench) -> dict[str, Any]:
    """Return the record of a run with a model."""
    (bench.folder / "train.py").write_text(TRAIN)
    (bench.folder / "inference.py").write_text(INFERENCE)
    bench.put("flight_delay/train/part-0", b"1,2\n3,4\n8,0\n")
    bench.write(metrics=..., hyperparameters=..., serving={"content_types": ["text/csv"]})
    for part, rows in (("a.csv", RECORDS[:300]), ("b.csv", RECORDS[300:])):
        bench.put(f"re-creatable/asked/{part}", "".join(f"{i},{x},{y}\n" for i, x, y in rows).encode())
    record: dict[str, Any] = bench.train()["record"]
    return record


def test_joined_predictions_equal_those_of_the_model(bench: Bench, trained_record: dict[str, Any]) -> None:
    local = f"out/runs/{trained_record['job_name']}.json"
    bench.write_file("predict.yaml", JOB, model=local, input={"filter": "$[1:]"}, output={"join": True})
    output = bench.launch("transform", "predict.yaml")
    record = output["record"]
    assert (output["outcome"], record["status"]) == ("transformed", "Completed")
    predictions = bench.read_objects(record["outputs"]["predictions"])
    assert sorted(predictions) == ["a.csv.out", "b.csv.out"]
    rows = [row for name in sorted(predictions) for row in csv.reader(io.StringIO(predictions[name].decode()))]
    namespace: dict[str, Any] = {}
    exec(INFERENCE, namespace)  # noqa: S102 - the script above
    expected = namespace["predict_fn"]([[x, y] for _, x, y in RECORDS], 4.0)
    assert [row[0] for row in rows] == [name for name, _, _ in RECORDS]
    assert [float(row[-1]) for row in rows] == expected
    assert record["figures"]["transform_seconds"]["value"] > 0

    repeated = bench.launch("transform", "predict.yaml", "--download", "copy")
    copies = {path.name: path.read_bytes() for path in (bench.folder / "copy").iterdir()}
    assert copies == predictions
    assert (repeated["outcome"], repeated["record"]["job_name"]) == ("done", record["job_name"])
    bench.put("re-creatable/asked/c.csv", b"f500,1,1\n")
    other = bench.launch("transform", "predict.yaml")["record"]
    assert other["sagemaker_model"] == record["sagemaker_model"]
    assert bench.read_objects(other["outputs"]["predictions"])["c.csv.out"] == b"f500,1,1,-1.0\n"
    models = bench.sandbox.client("sagemaker").list_models(NameContains=bench.name)["Models"]
    assert [model["ModelName"] for model in models] == [record["sagemaker_model"]]


def test_a_model_package_gives_the_predictions_of_its_run(bench: Bench, trained_record: dict[str, Any]) -> None:
    completed = bench.run("register", trained_record["job_name"])
    assert completed.returncode == 0, completed.stderr
    bench.write_file("predict.yaml", JOB, input={"filter": "$[1:]"})
    by_package = bench.launch("transform", "predict.yaml", "--model", completed.stdout.strip())
    by_record = bench.launch("transform", "predict.yaml", "--model", f"out/runs/{trained_record['job_name']}.json")
    assert (by_package["outcome"], by_record["outcome"]) == ("transformed", "done")
    assert by_record["record"]["job_name"] == by_package["record"]["job_name"]


def test_a_dry_run_creates_no_model_and_a_failure_reports_its_reason(
    bench: Bench, trained_record: dict[str, Any], tmp_path: Path
) -> None:
    model = ("--model", str(tmp_path / "out" / "runs" / f"{trained_record['job_name']}.json"))
    bench.write_file("predict.yaml", JOB)
    completed = bench.run("transform", "predict.yaml", "--dry-run", "--json", *model)
    assert completed.returncode == 0, completed.stderr
    answer = json.loads(completed.stdout)
    assert (answer["source"], answer["request"]["BatchStrategy"]) == (None, "MultiRecord")
    assert bench.sandbox.client("sagemaker").list_models(NameContains=bench.name)["Models"] == []

    failed = bench.run("transform", "predict.yaml", *model)  # the first column is not a number
    assert failed.returncode == 1
    command = re.search(r"show the log +aws logs filter-log-events --region \S+ (.*) --query", failed.stdout)
    assert command is not None
    options = dict(zip(*[iter(command[1].split())] * 2, strict=True))
    events = bench.sandbox.client("logs").filter_log_events(
        logGroupName=options["--log-group-name"], logStreamNamePrefix=options["--log-stream-name-prefix"]
    )["events"]
    assert any("could not convert string to float" in event["message"] for event in events)
    last = failed.stderr.splitlines()[-1]
    assert last.startswith(f"error: transform job {bench.name}-")
    assert "could not convert string to float" in last
    assert "Traceback" not in failed.stderr
