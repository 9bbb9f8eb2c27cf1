"""Training as SageMaker runs it: interruptions at any moment give the same model, byte for byte."""

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pytest

from sustainable_mlops.base.settings import load_yaml
from sustainable_mlops.jobs.specs.training import TrainingSpec
from tests.workloads.model_files import read_model_files
from workloads.flight_delay import train
from workloads.flight_delay.checkpoints import Checkpoints
from workloads.flight_delay.features import LABEL

pytestmark = pytest.mark.slow

#: Hyperparameters of a small model; no interval divides another.
SHORT_TRAINING = {
    "num_round": 13,
    "max_depth": 3,
    "min_child_weight": 5,
    "eval_every": 4,
    "checkpoint_every": 3,
    "early_stopping_rounds": 0,
}


@pytest.fixture(scope="module")
def job(root: Path) -> TrainingSpec:
    """Return the workload's own job file."""
    return load_yaml(root / "workloads" / "flight_delay" / "job.yaml", TrainingSpec)


class ProcessKilled(BaseException):
    """End of the process, as the code inside it sees it."""


def make_arguments(folder: Path, data: Path, **changes: object) -> list[str]:
    """Return the command line of a training whose outputs go to `folder`."""
    values = {
        **{channel: data / channel for channel in ("train", "validation", "test")},
        "model_dir": folder / "model",
        "checkpoint_dir": folder / "checkpoints",
        "output_data_dir": folder,
        **SHORT_TRAINING,
        **changes,
    }
    return [f"--{name}={value}" for name, value in values.items()]


def train_model(folder: Path, data: Path, **changes: object) -> Path:
    """Train in this process; return the folder with model/, checkpoints/ and metrics.json."""
    train.main(make_arguments(folder, data, **changes))
    return folder


@contextmanager
def kill_after(round_: int) -> Iterator[None]:
    """End the training right after a round, before anything of it is saved."""
    record_round = Checkpoints.record_round

    def kill_after_round(self: Checkpoints, now: int) -> None:
        record_round(self, now)
        if now == round_:
            raise ProcessKilled

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Checkpoints, "record_round", kill_after_round)
        with pytest.raises(ProcessKilled):
            yield


def read_lives(folder: Path) -> list[dict[str, int]]:
    """Return the first and last round of each life."""
    lives: list[dict[str, int]] = json.loads((folder / "checkpoints" / "lives.json").read_text())["lives"]
    return lives


@pytest.fixture(scope="module")
def uninterrupted(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of an uninterrupted training."""
    return train_model(tmp_path_factory.mktemp("whole"), data)


def test_a_training_killed_at_random_moments_gives_the_same_model(
    data: Path, job: TrainingSpec, root: Path, tmp_path: Path
) -> None:
    """Real processes with the files of the job file only, started as the XGBoost container does."""
    code = tmp_path / "code"
    code.mkdir()
    for name in job.source.include:
        shutil.copy(root / "workloads" / "flight_delay" / name, code)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | job.environment
    environment |= {f"SM_CHANNEL_{channel.upper()}": str(data / channel) for channel in ("train", "validation", "test")}
    settings = {**SHORT_TRAINING, "num_round": 300}  # enough rounds to be far from the end when it is killed
    options = [part for name, value in settings.items() for part in (f"--{name}", str(value))]

    def start(folder: Path) -> "subprocess.Popen[bytes]":
        folders = {"SM_MODEL_DIR": folder / "model", "CHECKPOINT_DIR": folder / "checkpoints"}
        return subprocess.Popen(
            [sys.executable, "-m", "train", *options],
            cwd=code,
            env={**environment, **{name: str(path) for name, path in folders.items()}},
            stdout=subprocess.DEVNULL,
        )

    undisturbed = start(tmp_path / "undisturbed")
    folder = tmp_path / "killed"
    random_source = random.Random(20130101)  # noqa: S311 - a seed, so that a failure can be repeated
    for first, last in ((1, 60), (61, 140)):
        process, after = start(folder), random_source.randint(first, last)
        limit = time.monotonic() + 300
        while not (folder / "checkpoints" / "lives.json").exists() or read_lives(folder)[-1]["to"] < after:
            assert process.poll() is None
            assert time.monotonic() < limit
            time.sleep(0.001)
        process.kill()
        assert process.wait() == -signal.SIGKILL
    assert start(folder).wait(300) == 0
    assert undisturbed.wait(300) == 0
    assert len(read_lives(folder)) == 3
    assert read_model_files(folder) == read_model_files(tmp_path / "undisturbed")


def test_a_training_killed_after_any_round_gives_the_same_model(
    uninterrupted: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for last_round in range(1, SHORT_TRAINING["num_round"] + 1):
        folder = tmp_path / f"killed-{last_round}"
        with kill_after(last_round):
            train_model(folder, data)
        capsys.readouterr()
        train_model(folder, data)
        assert read_model_files(folder) == read_model_files(uninterrupted)
        resumed = (last_round - 1) // 3 * 3
        assert f"life=2; resumed_from_round={resumed}; rounds_redone={last_round - resumed};" in capsys.readouterr().out
        report = json.loads((folder / "metrics.json").read_text())
        assert report["lives"] == read_lives(folder) == [{"from": 0, "to": last_round}, {"from": resumed, "to": 13}]
        assert report["rounds_redone"] == last_round - resumed


def test_early_stopping_keeps_the_best_model_also_after_a_kill(data: Path, tmp_path: Path) -> None:
    settings = {"num_round": 400, "eta": 0.3, "min_child_weight": 1, "max_depth": 8, "early_stopping_rounds": 20}
    uninterrupted_run = train_model(tmp_path / "alone", data, **settings)
    report = json.loads((uninterrupted_run / "metrics.json").read_text())
    best = max(report["history"], key=lambda evaluation: evaluation["validation_auc"])
    assert best["round"] == report["rounds_kept"]
    assert best["round"] + 20 == report["rounds"] < 400
    assert report["metrics"]["validation:auc"] == pytest.approx(best["validation_auc"], abs=1e-6)

    with kill_after(report["rounds"] - 1):
        train_model(tmp_path / "killed", data, **settings)
    assert read_model_files(train_model(tmp_path / "killed", data, **settings)) == read_model_files(uninterrupted_run)


def test_sigterm_ends_the_round_with_a_checkpoint(
    uninterrupted: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    record_round = Checkpoints.record_round

    def send_sigterm(self: Checkpoints, now: int) -> None:
        record_round(self, now)
        if now == 10:
            os.kill(os.getpid(), signal.SIGTERM)

    with monkeypatch.context() as patched:
        patched.setattr(Checkpoints, "record_round", send_sigterm)
        with pytest.raises(SystemExit) as exit_info:
            train_model(tmp_path, data)
    assert exit_info.value.code == 128 + signal.SIGTERM
    assert "interrupted_at_round=10;" in capsys.readouterr().out
    assert not (tmp_path / "model").exists()
    assert read_model_files(train_model(tmp_path, data)) == read_model_files(uninterrupted)
    assert "life=2; resumed_from_round=10; rounds_redone=0;" in capsys.readouterr().out


def test_the_number_of_threads_does_not_change_the_model(
    uninterrupted: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SM_NUM_CPUS", "3")
    assert read_model_files(train_model(tmp_path, data)) == read_model_files(uninterrupted)


@pytest.fixture
def resumable(uninterrupted: Path, tmp_path: Path) -> Path:
    """Return a folder with the checkpoints of the uninterrupted training."""
    shutil.copytree(uninterrupted / "checkpoints", tmp_path / "checkpoints")
    return tmp_path


def list_checkpoints(folder: Path) -> list[Path]:
    """Return the checkpoints, the oldest first."""
    return sorted((folder / "checkpoints").glob("round-*.checkpoint"))


def test_the_last_few_checkpoints_are_kept(uninterrupted: Path) -> None:
    assert [path.name for path in list_checkpoints(uninterrupted)] == [f"round-{n:06d}.checkpoint" for n in (9, 12, 13)]


def test_a_finished_training_does_not_boost_again(
    resumable: Path, uninterrupted: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train_model(resumable, data)
    output = capsys.readouterr().out
    assert "resumed_from_round=13;" in output
    assert "round=4;" not in output
    assert read_model_files(resumable) == read_model_files(uninterrupted)


def test_a_damaged_checkpoint_is_skipped_for_the_one_before(
    resumable: Path, uninterrupted: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    newest = list_checkpoints(resumable)[-1]
    content = bytearray(newest.read_bytes())
    content[len(content) // 2] ^= 1
    newest.write_bytes(content)
    train_model(resumable, data)
    output = capsys.readouterr()
    assert output.err == f"warning: checkpoint {newest} is damaged, trying the one before\n"
    assert "resumed_from_round=12;" in output.out
    assert read_model_files(resumable) == read_model_files(uninterrupted)


def test_partial_files_and_marker_files_are_ignored(resumable: Path, uninterrupted: Path, data: Path) -> None:
    partial_file = resumable / "checkpoints" / ".round-000999.checkpoint"
    partial_file.write_bytes(b"half")
    (resumable / "checkpoints" / "round-000013.checkpoint.sagemaker-uploaded").touch()
    (resumable / "checkpoints" / "lives.json").write_text("{")
    assert read_model_files(train_model(resumable, data)) == read_model_files(uninterrupted)
    assert not partial_file.exists()


def read_error(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    """Return the lines that train.py prints when it exits with code 2: warnings, then one error."""
    with pytest.raises(SystemExit) as exit_info:
        train.main(list(arguments))
    assert exit_info.value.code == 2
    output = capsys.readouterr()
    assert "=" not in output.out
    return output.err.splitlines()


def test_checkpoints_that_are_all_damaged_are_rejected(
    resumable: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path, length in zip(list_checkpoints(resumable), (0, 100, -1), strict=True):
        path.write_bytes(path.read_bytes()[:length])
    *warnings, error = read_error(capsys, *make_arguments(resumable, data))
    assert [line.partition(":")[0] for line in warnings] == ["warning"] * 3
    folder = resumable / "checkpoints"
    assert error == f"error: all checkpoints in {folder} are damaged: empty the folder to train from the start"
    assert not (resumable / "model").exists()


def test_a_checkpoint_of_another_run_is_rejected(
    resumable: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    newest = list_checkpoints(resumable)[-1]
    for changed, message in (
        ({"max_depth": 4}, "max_depth was 3 and is 4; use the same data and hyperparameters, or another"),
        ({"train": data / "test"}, "train data was "),
    ):
        [error] = read_error(capsys, *make_arguments(resumable, data, **changed))
        assert error.startswith(f"error: checkpoint {newest} is of another run: {message}")
    assert not (resumable / "model").exists()


def test_every_metric_of_the_job_file_is_found_in_the_log(
    job: TrainingSpec, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    metrics = json.loads((train_model(tmp_path, data) / "metrics.json").read_text())["metrics"]
    log = capsys.readouterr().out
    for name, expression in job.metrics.items():
        values = re.findall(expression, log)
        assert values, f"{name} is not in the log"
        if name in metrics:
            assert float(values[-1]) == pytest.approx(metrics[name], abs=1e-4)


def test_the_script_accepts_every_hyperparameter_of_the_job_file(job: TrainingSpec, data: Path, tmp_path: Path) -> None:
    options = train.parse_arguments(make_arguments(tmp_path, data, **job.hyperparameters))
    assert {name: getattr(options, name) for name in job.hyperparameters} == job.hyperparameters


def test_the_model_beats_chance_on_unseen_flights(uninterrupted: Path) -> None:
    metrics = json.loads((uninterrupted / "metrics.json").read_text())["metrics"]
    assert metrics["test:auc"] > 0.55  # thirteen rounds on a week of flights
    assert 0 < metrics["test:late_rate"] < 0.5
    assert metrics["test:majority_accuracy"] == 1 - metrics["test:late_rate"]


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("--num_round=0", "argument --num_round: 0 is not an integer of at least 1"),
        ("--max_depth=5.5", "argument --max_depth: 5.5 is not an integer from 1 to 16"),
        ("--eta=fast", "argument --eta: fast is not a number from 1e-06 to 1"),
        ("--min_child_weight=nan", "argument --min_child_weight: nan is not a number of at least 0"),
        ("--depth=4", "unrecognized arguments: --depth=4"),
        ("--train=nowhere", "channel train has no *.parquet in nowhere"),
    ],
)
def test_an_invalid_argument_is_named(
    argument: str, message: str, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    [error] = read_error(capsys, *make_arguments(tmp_path, data), argument)
    assert error.startswith(f"error: {message}")
    assert not (tmp_path / "model").exists()


def test_a_missing_channel_is_named(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SM_CHANNEL_TRAIN", raising=False)
    assert read_error(capsys) == ["error: no folder for train: give --train or set SM_CHANNEL_TRAIN"]


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        ("truncated", "flights.parquet cannot be read"),
        ("column", "flights.parquet lacks wind_gust_mph: prepare it again with prepare.py"),
        ("text", "feature distance_miles must be a number (Integral)"),
        ("labels", f"channel validation: {LABEL} must be 0 for some flights, 1 for others, and nothing else"),
    ],
)
def test_invalid_data_is_named(
    damage: str,
    message: str,
    parts: dict[str, pd.DataFrame],
    data: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    frame, path = parts["validation"].head(100), tmp_path / "validation" / "flights.parquet"
    path.parent.mkdir()
    if damage == "column":
        frame = frame.drop(columns="wind_gust_mph")
    elif damage == "text":
        frame = frame.assign(distance_miles="far")
    elif damage == "labels":
        frame = frame.assign(**{LABEL: 0})
    frame.to_parquet(path)
    if damage == "truncated":
        path.write_bytes(path.read_bytes()[:-500])
    [error] = read_error(capsys, *make_arguments(tmp_path, data, validation=path.parent))
    assert message in error
    assert not (tmp_path / "model").exists()
