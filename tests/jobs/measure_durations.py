"""Share of jobs whose duration is inside its estimated interval: `python -m tests.jobs.measure_durations`.

Seven jobs of each of six kinds run on a sandbox of this computer, with data and rounds of several sizes, in random
order. The first estimate of each job ignores earlier runs; the later estimate uses the earlier jobs of its kind.
This is not a test: its durations depend on the computer and on its other work. The last table has a row for each
kind: the jobs inside the interval, the median of estimate / measured, and the median width of the interval.
"""

import io
import os
import random
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import csv

from sagemaker_sandbox import Sandbox
from sustainable_mlops.base.terraform import ROOT
from sustainable_mlops.jobs.estimate import estimate_launch
from sustainable_mlops.jobs.figure import RunFigure
from sustainable_mlops.jobs.kinds import KINDS
from sustainable_mlops.jobs.launch import prepare, start, store
from sustainable_mlops.jobs.record import RunRecord, write_record
from sustainable_mlops.jobs.wait import wait_for_job
from tests.jobs.bench import Bench, make_bench
from tests.jobs.support import TRANSFORM_JOB, TUNE
from tests.sandbox.support import push_images

SEED = 20261129
_REGISTRY = "123456789012.dkr.ecr.eu-north-1.amazonaws.com"
_HEAD = """
import argparse, json, os, pathlib, shutil
import pandas as pd
parser = argparse.ArgumentParser()
for name in ("num_round", "n_estimators", "epochs"):
    parser.add_argument(f"--{name}", type=int)
parser.add_argument("--eta", type=float, default=0.3)
options = parser.parse_args()
def read(folder):
    return pd.concat(pd.read_csv(file, header=None) for file in sorted(pathlib.Path(folder).iterdir()))
"""
_TRAIN = """
table = read(os.environ["SM_CHANNEL_TRAIN"])
label, features = table[0] > 0, table.drop(columns=0)
model = pathlib.Path(os.environ["SM_MODEL_DIR"])
"""
SCRIPTS = {
    "prepare.py": _HEAD
    + """
table = read(pathlib.Path(os.environ["INPUT_DIR"]) / "rows")
for column in table.columns[1:]:
    table[f"mean_{column}"] = table[column].rolling(50, min_periods=1).mean()
table.to_parquet(pathlib.Path(os.environ["OUTPUT_DIR"]) / "features" / "features.parquet")
""",
    "trees.py": _HEAD
    + _TRAIN
    + """
import xgboost
parameters = {"objective": "binary:logistic", "eta": options.eta, "max_depth": 6}
booster = xgboost.train(parameters, xgboost.DMatrix(features, label), options.num_round)
booster.save_model(model / "model.ubj")
print(f"score={options.eta};", flush=True)
(model / "code").mkdir()
shutil.copy(pathlib.Path(__file__).with_name("inference.py"), model / "code")
""",
    "forest.py": _HEAD
    + _TRAIN
    + """
from sklearn.ensemble import RandomForestClassifier
forest = RandomForestClassifier(options.n_estimators, n_jobs=-1).fit(features, label)
(model / "model").write_text(str(forest.score(features[:1000], label[:1000])))
""",
    "network.py": _HEAD
    + _TRAIN
    + """
from sklearn.neural_network import MLPClassifier
network = MLPClassifier((64, 32), max_iter=options.epochs, n_iter_no_change=10**6).fit(features, label)
(model / "model").write_text(str(network.score(features[:1000], label[:1000])))
""",
    "inference.py": """
import io, pathlib
import pandas as pd
import xgboost
def model_fn(folder):
    booster = xgboost.Booster()
    booster.load_model(pathlib.Path(folder) / "model.ubj")
    return booster
def input_fn(body, content_type):
    text = body.decode() if isinstance(body, bytes) else body
    return pd.read_csv(io.StringIO(text), header=None).drop(columns=0)
def predict_fn(rows, booster):
    return booster.predict(xgboost.DMatrix(rows))
def output_fn(answers, accept):
    return "".join(f"{answer}\\n" for answer in answers), "text/csv"
""",
}
#: Sizes of each kind: MB of data, and rounds where the kind has them; for tuning also the number of jobs.
SIZES: dict[str, list[tuple[float, ...]]] = {
    "processing": [(0.1,), (0.3,), (1,), (3,), (10,), (30,), (60,)],
    "boosted trees": [(0.1, 20), (0.3, 100), (1, 50), (1, 400), (3, 100), (10, 30), (30, 20)],
    "forest": [(0.1, 50), (0.3, 100), (1, 20), (1, 100), (3, 30), (3, 60), (10, 10)],
    "network": [(0.1, 5), (0.3, 10), (1, 5), (1, 20), (3, 5), (3, 10), (10, 3)],
    "tuning": [(0.1, 20, 2), (0.3, 50, 2), (0.3, 100, 3), (1, 20, 2), (1, 50, 3), (3, 20, 2), (3, 40, 2)],
    "transform": [(0.02,), (0.05,), (0.1,), (0.3,), (1,), (2,), (4,)],
}
_LIMITS = {"max_runtime_minutes": 60}


@dataclass(frozen=True)
class Measurement:
    """One job: its measured seconds, and its estimates before the launch."""

    kind: str
    size: str
    seconds: float
    first: RunFigure
    #: None for the first job of its kind.
    later: RunFigure | None


def main() -> None:
    """Run the jobs and print the tables."""
    with tempfile.TemporaryDirectory() as folder, Sandbox.start() as sandbox:
        os.environ.update(sandbox.process_environment())
        bench = make_bench(sandbox, ROOT, Path(folder))
        push_images(sandbox, f"{_REGISTRY}/pytorch-training:2.6")
        for name, text in SCRIPTS.items():
            (bench.folder / name).write_text(text)
        measurements = []
        for one in measure_jobs(bench):
            measurements.append(one)
            later = f", later {_format(one.later, one.seconds)}" if one.later else ""
            print(
                f"{one.kind}, {one.size}: {one.seconds:.1f} s; first {_format(one.first, one.seconds)}{later}",
                flush=True,
            )
    print(f"\n{len(measurements)} jobs of {len(SIZES)} kinds on {os.cpu_count()} CPUs, load {os.getloadavg()[1]:.1f}")
    heads = [f"{when} {text}" for when in ("first", "later") for text in ("inside", "/ measured", "high / low")]
    print(" ".join([f"{'kind':<14} {'jobs':>4}", *(f"{head:>16}" for head in heads)]))
    for kind in (*SIZES, "all"):
        rows = [one for one in measurements if kind in ("all", one.kind)]
        print(_format_row(kind, rows))


def measure_jobs(bench: Bench) -> Iterator[Measurement]:
    """Yield the measurement of each job."""
    order = random.Random(SEED)  # noqa: S311 - no secret
    model = ""
    for kind, sizes in SIZES.items():
        for size in order.sample(sizes, len(sizes)):
            bench.put(f"rows/{size[0]}/part-0.csv", make_rows(size[0]))
            path = write_job(bench, kind, size, model)
            record, measurement = _run(bench, kind, path, size)
            if kind == "boosted trees":
                model = str(bench.folder / "out" / "runs" / f"{record.job_name}.json")
            yield measurement


def make_rows(megabytes: float) -> bytes:
    """Return a CSV of about this size, with eight columns of random numbers."""
    generator = np.random.default_rng(SEED)
    columns = {str(name): generator.normal(size=max(20, int(megabytes * 1e6 / 56))).round(3) for name in range(8)}
    buffer = io.BytesIO()
    csv.write_csv(pa.table(columns), buffer, csv.WriteOptions(include_header=False))
    return buffer.getvalue()


def write_job(bench: Bench, kind: str, size: tuple[float, ...], model: str) -> Path:
    """Write the job file of a kind and size, and return its path."""
    name, data = f"{bench.name}-{kind.split()[0]}", f"rows/{size[0]}/"
    common: dict[str, Any] = {"name": name, "limits": _LIMITS, "compute": {"instance_type": "ml.m5.large"}}
    if kind == "processing":
        job: Mapping[str, Any] = common | {
            "source": {"entry_point": "prepare.py", "include": ["prepare.py"]},
            "image": f"{_REGISTRY}/scikit-learn:1.4-2",
            "inputs": {"rows": {"data": data}},
            "outputs": {"features": "re-creatable"},
        }
        bench.write_file("job.yaml", {}, **job)
    elif kind == "transform":
        job = common | {"model": model, "image": ..., "input": {"data": data, "content_type": "text/csv"}}
        bench.write_file("job.yaml", TRANSFORM_JOB, **job)
    else:
        script, image, rounds = {
            "forest": ("forest.py", "scikit-learn:1.4-2", "n_estimators"),
            "network": ("network.py", "pytorch-training:2.6", "epochs"),
        }.get(kind, ("trees.py", "xgboost:3.0-5", "num_round"))
        bench.write(
            name=name,
            limits=_LIMITS,
            compute={"instance_type": "ml.m5.large", "spot": False},
            source={"entry_point": script, "include": [script, "inference.py"]},
            image=f"{_REGISTRY}/{image}",
            data={"train": data},
            hyperparameters={"rounds": ..., rounds: int(size[1])},
            metrics={"round": ..., "resumed_from": ..., "validation:auc": ..., "score": "score=([0-9.]+)"},
            checkpoints="none",
            serving={"content_types": ["text/csv"]},
        )
    if kind == "tuning":
        limits = {"max_jobs": int(size[2]), "max_parallel": 1, "max_runtime_minutes": 60}
        search = {"training": "job.yaml", "strategy": "random", "objective": {"metric": "score"}, "limits": limits}
        bench.write_file("tune.yaml", TUNE, ranges={"max_depth": ...}, **search, platform=...)
        return bench.folder / "tune.yaml"
    return bench.folder / "job.yaml"


def _run(bench: Bench, title: str, path: Path, size: tuple[float, ...]) -> tuple[RunRecord, Measurement]:
    kind = KINDS[{"processing": "processing", "tuning": "tuning", "transform": "transform"}.get(title, "training")]
    history = bench.folder / "out"
    launch = prepare(kind, path)
    first, later = (estimate_launch(launch, folder).duration for folder in (bench.folder / "empty", history))
    record = start(launch)
    record = wait_for_job(record, launch.clients.sagemaker, show=lambda _: None)
    if record.status != "Completed":
        sys.exit(f"{path}: {record.job_name} is {record.status}: {record.failure_reason}")
    store(record, launch)
    write_record(record, history)
    seconds = record.figures[kind.seconds_figure_name].value
    parts = (f"{size[0]:g} MB", *(f"{one:g} {unit}" for one, unit in zip(size[1:], ("rounds", "jobs"), strict=False)))
    known = later if later.basis == "estimated" else None
    return record, Measurement(title, ", ".join(parts), seconds, first, known)


def _is_inside(figure: RunFigure, seconds: float) -> bool:
    return (figure.low or 0.0) <= seconds <= (figure.high or 0.0)


def _format(figure: RunFigure, seconds: float) -> str:
    mark = "" if _is_inside(figure, seconds) else " OUTSIDE"
    return f"{figure.value:.1f} ({figure.low:.1f} to {figure.high:.1f}){mark}"


def _format_row(kind: str, rows: list[Measurement]) -> str:
    cells = [f"{kind:<14} {len(rows):>4}"]
    for figures in (
        [(one.first, one.seconds) for one in rows],
        [(one.later, one.seconds) for one in rows if one.later],
    ):
        inside = sum(_is_inside(figure, seconds) for figure, seconds in figures)
        if not figures:
            continue
        ratio = median(figure.value / seconds for figure, seconds in figures)
        width = median((figure.high or 0.0) / (figure.low or 1.0) for figure, _ in figures)
        cells.append(f"{f'{inside} of {len(figures)}':>16} {ratio:>16.2f} {width:>16.0f}")
    return " ".join(cells)


if __name__ == "__main__":
    main()
