"""`smlops tune` on the sandbox: real searches whose jobs compute a known function."""

import json
import math
from typing import Any

import pytest
import yaml

from tests.jobs.bench import Bench
from tests.jobs.support import TUNE, merge_changes

pytestmark = pytest.mark.slow

#: Script with its best score, 1, at rate = 0.7. Each epoch halves the remaining error.
SCRIPT = """
import argparse, os, pathlib, time
parser = argparse.ArgumentParser()
parser.add_argument("--rate", type=float)
parser.add_argument("--epochs", type=int)
parser.add_argument("--pause", type=float)
parser.add_argument("--hold")  # there, no job goes on from an epoch, and says so; the first to end puts it there
options = parser.parse_args()
for epoch in range(1, options.epochs + 1):
    (pathlib.Path(os.environ["SM_MODEL_DIR"]) / "model").write_text(str(options.rate))
    print(f"score={1 - (options.rate - 0.7) ** 2 - 0.5 ** epoch:.6f};", flush=True)
    time.sleep(options.pause)
    while options.hold and os.path.exists(options.hold):
        pathlib.Path(options.hold + ".held").touch()
        time.sleep(0.05)
if options.hold and os.path.exists(options.hold + ".armed"):
    os.rename(options.hold + ".armed", options.hold)
"""
RANGES = {"eta": ..., "max_depth": ..., "rate": {"type": "continuous", "min": 0, "max": 1}}


class TuningBench:
    """Tunings on a bench: a job file, and tuning files beside it."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        (bench.folder / "train.py").write_text(SCRIPT)
        self.train()

    def train(self, **hyperparameters: Any) -> None:
        """Write the job file with these hyperparameters."""
        values = {"rounds": ..., "epochs": 8, "pause": 0.0, **hyperparameters}
        self.bench.write(
            hyperparameters=values, metrics={"round": ..., "resumed_from": ..., "score": "score=([0-9.-]+)"}
        )

    def write(self, **changes: Any) -> None:
        """Write the tuning file."""
        base = merge_changes(
            TUNE, {"name": self.bench.name, "training": "job.yaml", "objective": {"metric": "score"}, "ranges": RANGES}
        )
        (self.bench.folder / "tune.yaml").write_text(yaml.safe_dump(merge_changes(base, changes)))

    def run_tuning(self, *arguments: str) -> dict[str, Any]:
        """Run the command and return its output."""
        return self.bench.launch("tune", "tune.yaml", *arguments)


@pytest.fixture
def tuning_bench(bench: Bench) -> TuningBench:
    return TuningBench(bench)


def find_best_trial(record: dict[str, Any]) -> dict[str, Any]:
    """Return the trial whose model the record has."""
    trial: dict[str, Any] = next(trial for trial in record["trials"] if trial["job_name"] == record["best"])
    return trial


def test_a_search_ends_at_its_target_and_its_best_model_is_registered(tuning_bench: TuningBench) -> None:
    bench = tuning_bench.bench
    tuning_bench.write(limits={"completion": {"target": 0.9}})
    completed = bench.run("tune", "tune.yaml")
    assert completed.returncode == 0, completed.stderr

    repeated = tuning_bench.run_tuning()
    record = repeated["record"]
    assert (repeated["outcome"], repeated["estimate"], record["kind"]) == ("done", None, "tuning")
    duration_source = record["expected"]["duration"]["source"]
    assert duration_source.startswith("at most 20 jobs; completion criteria may end the tuning job earlier")
    trials, best_trial = record["trials"], find_best_trial(record)
    assert best_trial["objective"] == max(trial["objective"] for trial in trials) >= 0.9
    assert len(trials) < 20
    assert all(trial["objective"] < 0.9 for trial in trials if trial is not best_trial)
    assert bench.read_model(record).decode() == best_trial["hyperparameters"]["rate"]
    assert record["metrics"]["score"] == pytest.approx(best_trial["objective"])
    seconds = {name: sum(trial[name] for trial in trials) for name in ("training_seconds", "billable_seconds")}
    for figure, total in seconds.items():
        assert record["figures"][figure]["value"] == total
    saved = 1 - seconds["billable_seconds"] / seconds["training_seconds"]  # SageMaker tells whole seconds
    assert record["figures"]["spot_saving_fraction"]["value"] == pytest.approx(saved)
    assert record["figures"]["co2e"]["value"] > 0
    for job_suffix in (trial["job_name"].removeprefix(record["job_name"]) for trial in trials):
        assert job_suffix in completed.stdout

    package = json.loads(bench.run("register", record["job_name"], "--json").stdout)
    described = bench.sandbox.client("sagemaker").describe_model_package(ModelPackageName=package["model_package_arn"])
    (container,) = described["InferenceSpecification"]["Containers"]
    assert container["ModelDataUrl"] == record["model"]
    assert described["CustomerMetadataProperties"]["training_job"] == record["best"]


def test_a_probe_is_one_short_training_and_gives_the_estimate_of_the_search(tuning_bench: TuningBench) -> None:
    tuning_bench.train(epochs=30)
    tuning_bench.write()
    answer = tuning_bench.run_tuning("--probe")
    probe, duration = answer["record"], answer["estimate"]["duration"]
    assert (answer["outcome"], probe["kind"], probe["status"]) == ("probed", "training", "Completed")
    assert (probe["hyperparameters"]["epochs"], probe["hyperparameters"]["rate"]) == (3, 0.5)
    assert duration["source"].startswith("at most 20 jobs;")
    assert f"({probe['job_name']})" in duration["source"]
    sagemaker = tuning_bench.bench.sandbox.client("sagemaker")
    name = tuning_bench.bench.name
    assert sagemaker.list_hyper_parameter_tuning_jobs(NameContains=name)["HyperParameterTuningJobSummaries"] == []


def test_hyperband_runs_the_better_jobs_longer(tuning_bench: TuningBench) -> None:
    tuning_bench.train(epochs=9, pause=1.0)  # long enough to stop a job before its end
    hyperband = {"strategy": "hyperband", "hyperband": {"max_epochs": 9}}
    tuning_bench.write(**hyperband, limits={"max_jobs": 8, "max_parallel": 4})
    record = tuning_bench.run_tuning()["record"]
    best_trial = find_best_trial(record)
    assert best_trial["objective"] == max(trial["objective"] for trial in record["trials"])
    assert tuning_bench.bench.read_model(record).decode() == best_trial["hyperparameters"]["rate"]
    epochs = [compute_epochs(trial) for trial in record["trials"]]
    assert len(epochs) == 8
    assert max(epochs) == compute_epochs(best_trial) == 9
    assert min(epochs) < 9


def compute_epochs(trial: dict[str, Any]) -> int:
    """Compute the epochs of a trial from its objective."""
    left_to_learn = 1 - (float(trial["hyperparameters"]["rate"]) - 0.7) ** 2 - trial["objective"]
    return round(-math.log2(left_to_learn))


def test_a_search_starts_from_earlier_searches_by_record_or_name(tuning_bench: TuningBench) -> None:
    tuning_bench.write(strategy="random", limits={"max_jobs": 4, "max_parallel": 4}, seed=1)
    parent = tuning_bench.run_tuning()["record"]
    few = {"strategy": "random", "limits": {"max_jobs": 1}, "seed": 2}
    tuning_bench.write(**few, warm_start={"parents": [f"out/runs/{parent['job_name']}.json"]})
    child = tuning_bench.run_tuning()["record"]
    assert child["parents"] == [parent["job_name"]]
    assert len(child["trials"]) == 1
    # Same data and code: the parents' results count, and the best of all is the run's model.
    own = child["trials"][0]["objective"]
    better = parent if find_best_trial(parent)["objective"] > own else child
    assert child["model"] == (parent["model"] if better is parent else child["model"])
    assert child["metrics"]["score"] == pytest.approx(max(own, find_best_trial(parent)["objective"]))

    tuning_bench.write(**few, warm_start={"parents": [parent["job_name"]], "type": "transfer"})
    other = tuning_bench.run_tuning()["record"]
    assert other["run_key"] != child["run_key"]
    assert other["best"] == other["trials"][0]["job_name"]

    tuning_bench.write(**few, warm_start={"parents": ["never-was"]})
    refused = tuning_bench.bench.run("tune", "tune.yaml")
    assert (refused.returncode, refused.stdout) == (2, "")
    message = "warm_start.parents: the tuning job never-was does not exist; correct or remove it"
    assert refused.stderr == f"error: tune.yaml: {message}\n"


def test_a_stopped_search_resumes_with_the_remaining_number_of_jobs(tuning_bench: TuningBench) -> None:
    bench, hold = tuning_bench.bench, tuning_bench.bench.folder / "hold"
    (bench.folder / "hold.armed").touch()
    tuning_bench.train(hold=str(hold))
    tuning_bench.write(strategy="random", limits={"max_jobs": 3})
    launched = tuning_bench.run_tuning("--no-wait")["record"]
    sagemaker, name = bench.sandbox.client("sagemaker"), launched["job_name"]
    bench.wait_until(lambda: hold.with_suffix(".held").exists() and count_jobs(sagemaker, name).get("Completed") == 1)
    sagemaker.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
    bench.wait_until(lambda: count_jobs(sagemaker, name) == {"Completed": 1, "Stopped": 1})
    hold.unlink()

    dry = json.loads(bench.run("tune", "tune.yaml", "--dry-run", "--json").stdout)
    assert dry["decision"] == "resume"
    record = tuning_bench.run_tuning()["record"]
    assert (record["status"], record["resumed"], record["parents"]) == ("Completed", True, [name])
    # The stopped job had printed an objective, which counts: one of three jobs remains.
    assert len(record["trials"]) == 1


def count_jobs(sagemaker: Any, name: str) -> dict[str, int]:
    """Return the number of jobs of a tuning by status."""
    described = sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
    return {status: count for status, count in described["TrainingJobStatusCounters"].items() if count}
