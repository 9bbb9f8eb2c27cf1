"""`smlops transform` on the sandbox: a model that a job trained, asked about records in S3."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from tests.jobs.bench import Bench

pytestmark = pytest.mark.slow

#: "Trains" the mean of the first column, and leaves what serves it in the model's archive.
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
ASKED = [(f"f{number}", number % 7 + 0.5, number % 11) for number in range(500)]


@pytest.fixture
def trained(bench: Bench) -> dict[str, Any]:
    """The record of a run with a model."""
    (bench.folder / "train.py").write_text(TRAIN)
    (bench.folder / "inference.py").write_text(INFERENCE)
    bench.put("flight_delay/train/part-0", b"1,2\n3,4\n8,0\n")
    bench.write(metrics=..., hyperparameters=..., serving={"content_types": ["text/csv"]})
    for part, rows in (("a.csv", ASKED[:300]), ("b.csv", ASKED[300:])):
        bench.put(f"re-creatable/asked/{part}", "".join(f"{i},{x},{y}\n" for i, x, y in rows).encode())
    record: dict[str, Any] = bench.train()["record"]
    return record


def test_predictions_beside_their_records_equal_the_models_own(bench: Bench, trained: dict[str, Any]) -> None:
    local = f"out/runs/{trained['job_name']}.json"
    bench.write_file("predict.yaml", JOB, model=local, input={"filter": "$[1:]"}, output={"join": True})
    answer = bench.launch("transform", "predict.yaml")
    record = answer["record"]
    assert (answer["outcome"], record["status"]) == ("transformed", "Completed")
    found = bench.objects(record["outputs"]["predictions"])
    assert sorted(found) == ["a.csv.out", "b.csv.out"]
    rows = [row for name in sorted(found) for row in csv.reader(io.StringIO(found[name].decode()))]
    namespace: dict[str, Any] = {}
    exec(INFERENCE, namespace)  # noqa: S102 - the script above
    expected = namespace["predict_fn"]([[x, y] for _, x, y in ASKED], 4.0)
    assert [row[0] for row in rows] == [name for name, _, _ in ASKED]
    assert [float(row[-1]) for row in rows] == expected
    assert record["figures"]["transform_seconds"]["value"] > 0

    again = bench.launch("transform", "predict.yaml")
    assert (again["outcome"], again["record"]["job_name"]) == ("done", record["job_name"])
    bench.put("re-creatable/asked/c.csv", b"f500,1,1\n")
    other = bench.launch("transform", "predict.yaml")["record"]
    assert other["sagemaker_model"] == record["sagemaker_model"]
    assert bench.objects(other["outputs"]["predictions"])["c.csv.out"] == b"f500,1,1,-1.0\n"
    models = bench.sandbox.client("sagemaker").list_models(NameContains=bench.name)["Models"]
    assert [model["ModelName"] for model in models] == [record["sagemaker_model"]]


def test_a_version_in_the_registry_predicts_as_its_run_does(bench: Bench, trained: dict[str, Any]) -> None:
    done = bench.run("register", trained["job_name"])
    assert done.returncode == 0, done.stderr
    bench.write_file("predict.yaml", JOB, input={"filter": "$[1:]"})
    by_package = bench.launch("transform", "predict.yaml", "--model", done.stdout.strip())
    by_record = bench.launch("transform", "predict.yaml", "--model", f"out/runs/{trained['job_name']}.json")
    assert (by_package["outcome"], by_record["outcome"]) == ("transformed", "done")
    assert by_record["record"]["job_name"] == by_package["record"]["job_name"]


def test_a_dry_run_leaves_no_model_and_a_failure_ends_with_its_reason(
    bench: Bench, trained: dict[str, Any], tmp_path: Path
) -> None:
    model = ("--model", str(tmp_path / "out" / "runs" / f"{trained['job_name']}.json"))
    bench.write_file("predict.yaml", JOB)
    done = bench.run("transform", "predict.yaml", "--dry-run", "--json", *model)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert (answer["source"], answer["request"]["BatchStrategy"]) == (None, "MultiRecord")
    assert bench.sandbox.client("sagemaker").list_models(NameContains=bench.name)["Models"] == []

    failed = bench.run("transform", "predict.yaml", *model)  # the first column is no number
    assert failed.returncode == 1
    last = failed.stderr.splitlines()[-1]
    assert last.startswith(f"error: transform job {bench.name}-")
    assert "could not convert string to float" in last
    assert "Traceback" not in failed.stderr
