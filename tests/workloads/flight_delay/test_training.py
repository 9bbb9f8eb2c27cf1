"""Training as SageMaker runs it: interrupted anywhere, it ends with the same model, byte for byte."""

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

from sustainable_mlops.jobs.specs.training import TrainingSpec
from sustainable_mlops.settings import load_yaml
from workloads.flight_delay import train
from workloads.flight_delay.checkpoints import Checkpoints
from workloads.flight_delay.features import LABEL

pytestmark = pytest.mark.slow

#: A small model, with every interval odd to the others.
SMALL = {
    "num_round": 13,
    "max_depth": 3,
    "min_child_weight": 5,
    "eval_every": 4,
    "checkpoint_every": 3,
    "early_stopping_rounds": 0,
}


@pytest.fixture(scope="module")
def job(root: Path) -> TrainingSpec:
    """The workload's own job file."""
    return load_yaml(root / "workloads" / "flight_delay" / "job.yaml", TrainingSpec)


@pytest.fixture(autouse=True, scope="module")
def sigterm() -> Iterator[None]:
    """Training takes SIGTERM over for its process, which here is pytest's."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


class Killed(BaseException):
    """The process dies, as far as code can tell within it."""


def arguments(folder: Path, data: Path, **changed: object) -> list[str]:
    """The command line of a training whose outputs go to `folder`."""
    given = {
        **{channel: data / channel for channel in ("train", "validation", "test")},
        "model_dir": folder / "model",
        "checkpoint_dir": folder / "checkpoints",
        "output_data_dir": folder,
        **SMALL,
        **changed,
    }
    return [f"--{name}={value}" for name, value in given.items()]


def trained(folder: Path, data: Path, **changed: object) -> Path:
    """Trains within this process; gives the folder, with model/, checkpoints/ and metrics.json."""
    train.main(arguments(folder, data, **changed))
    return folder


def model_files(folder: Path) -> dict[str, bytes]:
    """All that goes into model.tar.gz."""
    model = folder / "model"
    return {str(path.relative_to(model)): path.read_bytes() for path in model.rglob("*") if path.is_file()}


@contextmanager
def dying_after(round_: int) -> Iterator[None]:
    """Training dies right after a round, before anything is saved of it."""
    reached = Checkpoints.record_round

    def dies(self: Checkpoints, now: int) -> None:
        reached(self, now)
        if now == round_:
            raise Killed

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Checkpoints, "record_round", dies)
        with pytest.raises(Killed):
            yield


def lives(folder: Path) -> list[dict[str, int]]:
    """From which round to which each life went."""
    found: list[dict[str, int]] = json.loads((folder / "checkpoints" / "lives.json").read_text())["lives"]
    return found


@pytest.fixture(scope="module")
def whole(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A training that was left alone."""
    return trained(tmp_path_factory.mktemp("whole"), data)


def test_killed_at_random_moments_it_ends_with_the_same_model(
    data: Path, job: TrainingSpec, root: Path, tmp_path: Path
) -> None:
    """Real processes, with the files that the job file sends and no others, started as the XGBoost container does."""
    code = tmp_path / "code"
    code.mkdir()
    for name in job.source.include:
        shutil.copy(root / "workloads" / "flight_delay" / name, code)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | job.environment
    environment |= {f"SM_CHANNEL_{channel.upper()}": str(data / channel) for channel in ("train", "validation", "test")}
    settings = {**SMALL, "num_round": 300}  # far from its end when it is killed, however late that is
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
    chance = random.Random(20130101)  # noqa: S311 - a seed, so that a failure can be repeated
    for first, last in ((1, 60), (61, 140)):
        process, after = start(folder), chance.randint(first, last)
        limit = time.monotonic() + 300
        while not (folder / "checkpoints" / "lives.json").exists() or lives(folder)[-1]["to"] < after:
            assert process.poll() is None
            assert time.monotonic() < limit
            time.sleep(0.001)
        process.kill()
        assert process.wait() == -signal.SIGKILL
    assert start(folder).wait(300) == 0
    assert undisturbed.wait(300) == 0
    assert len(lives(folder)) == 3
    assert model_files(folder) == model_files(tmp_path / "undisturbed")


def test_killed_after_any_round_it_ends_with_the_same_model(
    whole: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for death in range(1, SMALL["num_round"] + 1):
        folder = tmp_path / f"killed-{death}"
        with dying_after(death):
            trained(folder, data)
        capsys.readouterr()
        trained(folder, data)
        assert model_files(folder) == model_files(whole)
        resumed = (death - 1) // 3 * 3
        assert f"life=2; resumed_from_round={resumed}; rounds_redone={death - resumed};" in capsys.readouterr().out
        report = json.loads((folder / "metrics.json").read_text())
        assert report["lives"] == lives(folder) == [{"from": 0, "to": death}, {"from": resumed, "to": 13}]
        assert report["rounds_redone"] == death - resumed


def test_early_stopping_keeps_the_best_model_also_when_killed(data: Path, tmp_path: Path) -> None:
    settings = {"num_round": 400, "eta": 0.3, "min_child_weight": 1, "max_depth": 8, "early_stopping_rounds": 20}
    alone = trained(tmp_path / "alone", data, **settings)
    report = json.loads((alone / "metrics.json").read_text())
    best = max(report["history"], key=lambda evaluation: evaluation["validation_auc"])
    assert best["round"] == report["rounds_kept"]
    assert best["round"] + 20 == report["rounds"] < 400
    assert report["metrics"]["validation:auc"] == pytest.approx(best["validation_auc"], abs=1e-6)

    with dying_after(report["rounds"] - 1):
        trained(tmp_path / "killed", data, **settings)
    assert model_files(trained(tmp_path / "killed", data, **settings)) == model_files(alone)


def test_sigterm_ends_the_round_saves_it_and_loses_nothing(
    whole: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    reached = Checkpoints.record_round

    def signalled(self: Checkpoints, now: int) -> None:
        reached(self, now)
        if now == 10:
            os.kill(os.getpid(), signal.SIGTERM)

    with monkeypatch.context() as patched:
        patched.setattr(Checkpoints, "record_round", signalled)
        with pytest.raises(SystemExit) as ended:
            trained(tmp_path, data)
    assert ended.value.code == 128 + signal.SIGTERM
    assert "interrupted_at_round=10;" in capsys.readouterr().out
    assert not (tmp_path / "model").exists()
    assert model_files(trained(tmp_path, data)) == model_files(whole)
    assert "life=2; resumed_from_round=10; rounds_redone=0;" in capsys.readouterr().out


def test_the_number_of_threads_does_not_change_the_model(
    whole: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SM_NUM_CPUS", "3")
    assert model_files(trained(tmp_path, data)) == model_files(whole)


@pytest.fixture
def resumable(whole: Path, tmp_path: Path) -> Path:
    """A folder with the checkpoints of the training that was left alone."""
    shutil.copytree(whole / "checkpoints", tmp_path / "checkpoints")
    return tmp_path


def kept(folder: Path) -> list[Path]:
    """The checkpoints, oldest first."""
    return sorted((folder / "checkpoints").glob("round-*.checkpoint"))


def test_the_last_few_checkpoints_are_kept(whole: Path) -> None:
    assert [path.name for path in kept(whole)] == [f"round-{n:06d}.checkpoint" for n in (9, 12, 13)]


def test_a_finished_training_boosts_no_further(
    resumable: Path, whole: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trained(resumable, data)
    said = capsys.readouterr().out
    assert "resumed_from_round=13;" in said
    assert "round=4;" not in said
    assert model_files(resumable) == model_files(whole)


def test_a_damaged_checkpoint_is_passed_over_for_the_one_before(
    resumable: Path, whole: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    newest = kept(resumable)[-1]
    content = bytearray(newest.read_bytes())
    content[len(content) // 2] ^= 1
    newest.write_bytes(content)
    trained(resumable, data)
    said = capsys.readouterr()
    assert said.err == f"warning: checkpoint {newest} is damaged, trying the one before\n"
    assert "resumed_from_round=12;" in said.out
    assert model_files(resumable) == model_files(whole)


def test_what_a_crash_and_sagemaker_leave_beside_the_checkpoints_does_no_harm(
    resumable: Path, whole: Path, data: Path
) -> None:
    half = resumable / "checkpoints" / ".round-000999.checkpoint"
    half.write_bytes(b"half")
    (resumable / "checkpoints" / "round-000013.checkpoint.sagemaker-uploaded").touch()
    (resumable / "checkpoints" / "lives.json").write_text("{")
    assert model_files(trained(resumable, data)) == model_files(whole)
    assert not half.exists()


def refusal(capsys: pytest.CaptureFixture[str], *given: str) -> list[str]:
    """What train.py says when it refuses: warnings, then one line; exit code 2."""
    with pytest.raises(SystemExit) as ended:
        train.main(list(given))
    assert ended.value.code == 2
    said = capsys.readouterr()
    assert "=" not in said.out
    return said.err.splitlines()


def test_only_damaged_checkpoints_are_refused(resumable: Path, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path, length in zip(kept(resumable), (0, 100, -1), strict=True):
        path.write_bytes(path.read_bytes()[:length])
    *warnings, error = refusal(capsys, *arguments(resumable, data))
    assert [line.partition(":")[0] for line in warnings] == ["warning"] * 3
    folder = resumable / "checkpoints"
    assert error == f"error: all checkpoints in {folder} are damaged: empty the folder to train from the start"
    assert not (resumable / "model").exists()


def test_a_checkpoint_of_another_run_is_refused(
    resumable: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    newest = kept(resumable)[-1]
    for changed, told in (
        ({"max_depth": 4}, "max_depth was 3 and is 4; use the same data and hyperparameters, or another"),
        ({"train": data / "test"}, "train data was "),
    ):
        [error] = refusal(capsys, *arguments(resumable, data, **changed))
        assert error.startswith(f"error: checkpoint {newest} is of another run: {told}")
    assert not (resumable / "model").exists()


def test_every_metric_of_the_job_file_is_found_in_the_log(
    job: TrainingSpec, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    metrics = json.loads((trained(tmp_path, data) / "metrics.json").read_text())["metrics"]
    log = capsys.readouterr().out
    for name, expression in job.metrics.items():
        values = re.findall(expression, log)
        assert values, f"{name} is not in the log"
        if name in metrics:
            assert float(values[-1]) == pytest.approx(metrics[name], abs=1e-4)


def test_the_script_takes_every_hyperparameter_of_the_job_file(job: TrainingSpec, data: Path, tmp_path: Path) -> None:
    options = train.parse_arguments(arguments(tmp_path, data, **job.hyperparameters))
    assert {name: getattr(options, name) for name in job.hyperparameters} == job.hyperparameters


def test_the_model_beats_chance_on_flights_it_has_not_seen(whole: Path) -> None:
    metrics = json.loads((whole / "metrics.json").read_text())["metrics"]
    assert metrics["test:auc"] > 0.55  # thirteen rounds on a week of flights
    assert 0 < metrics["test:late_rate"] < 0.5
    assert metrics["test:majority_accuracy"] == 1 - metrics["test:late_rate"]


@pytest.mark.parametrize(
    ("argument", "told"),
    [
        ("--num_round=0", "argument --num_round: 0 is not an integer of at least 1"),
        ("--max_depth=5.5", "argument --max_depth: 5.5 is not an integer from 1 to 16"),
        ("--eta=fast", "argument --eta: fast is not a number from 1e-06 to 1"),
        ("--min_child_weight=nan", "argument --min_child_weight: nan is not a number of at least 0"),
        ("--depth=4", "unrecognized arguments: --depth=4"),
        ("--train=nowhere", "channel train has no *.parquet in nowhere"),
    ],
)
def test_a_wrong_argument_is_named(
    argument: str, told: str, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    [error] = refusal(capsys, *arguments(tmp_path, data), argument)
    assert error.startswith(f"error: {told}")
    assert not (tmp_path / "model").exists()


def test_a_missing_channel_is_named(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SM_CHANNEL_TRAIN", raising=False)
    assert refusal(capsys) == ["error: no folder for train: give --train or set SM_CHANNEL_TRAIN"]


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        ("truncated", "flights.parquet cannot be read"),
        ("column", "flights.parquet lacks wind_gust_mph: prepare it again with prepare.py"),
        ("text", "feature distance_miles must be a number (Integral)"),
        ("labels", f"channel validation: {LABEL} must be 0 for some flights, 1 for others, and nothing else"),
    ],
)
def test_wrong_data_is_named(
    damage: str,
    told: str,
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
    [error] = refusal(capsys, *arguments(tmp_path, data, validation=path.parent))
    assert told in error
    assert not (tmp_path / "model").exists()
