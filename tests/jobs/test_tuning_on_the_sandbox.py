"""`smlops tune` on the sandbox: searches that really run, whose jobs are a known function."""

import json
import math
from typing import Any

import pytest
import yaml

from tests.jobs.bench import Bench
from tests.jobs.support import TUNE, merged

pytestmark = pytest.mark.slow

#: Best, 1, at rate = 0.7; each epoch halves what is left to learn.
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


class Tunings:
    """Tunings on a bench: a job file beside files that tune it."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        (bench.folder / "train.py").write_text(SCRIPT)
        self.train()

    def train(self, **hyperparameters: Any) -> None:
        """The job file, with these hyperparameters."""
        given = {"rounds": ..., "epochs": 8, "pause": 0.0, **hyperparameters}
        self.bench.write(
            hyperparameters=given, metrics={"round": ..., "resumed_from": ..., "score": "score=([0-9.-]+)"}
        )

    def write(self, **changes: Any) -> None:
        """The tuning file."""
        base = merged(
            TUNE, {"name": self.bench.name, "training": "job.yaml", "objective": {"metric": "score"}, "ranges": RANGES}
        )
        (self.bench.folder / "tune.yaml").write_text(yaml.safe_dump(merged(base, changes)))

    def tune(self, *arguments: str) -> dict[str, Any]:
        """The command's answer."""
        return self.bench.launch("tune", "tune.yaml", *arguments)


@pytest.fixture
def tunings(bench: Bench) -> Tunings:
    return Tunings(bench)


def best(record: dict[str, Any]) -> dict[str, Any]:
    """The trial whose model the record has."""
    found: dict[str, Any] = next(trial for trial in record["trials"] if trial["job_name"] == record["best"])
    return found


def test_a_search_ends_at_its_target_is_not_made_twice_and_its_best_model_is_registered(tunings: Tunings) -> None:
    bench = tunings.bench
    tunings.write(limits={"completion": {"target": 0.9}})
    done = bench.run("tune", "tune.yaml")
    assert done.returncode == 0, done.stderr

    again = tunings.tune()
    record = again["record"]
    assert (again["outcome"], again["estimate"], record["kind"]) == ("done", None, "tuning")
    rests_on = record["expected"]["duration"]["source"]
    assert rests_on.startswith("20 jobs at most; completion criteria may end the search before")
    trials, found = record["trials"], best(record)
    assert found["objective"] == max(trial["objective"] for trial in trials) >= 0.9
    assert len(trials) < 20
    assert all(trial["objective"] < 0.9 for trial in trials if trial is not found)
    assert bench.model(record).decode() == found["hyperparameters"]["rate"]
    assert record["metrics"]["score"] == pytest.approx(found["objective"])
    seconds = {one: sum(trial[one] for trial in trials) for one in ("training_seconds", "billable_seconds")}
    for figure, total in seconds.items():
        assert record["figures"][figure]["value"] == total
    saved = 1 - seconds["billable_seconds"] / seconds["training_seconds"]  # SageMaker tells whole seconds
    assert record["figures"]["spot_saving_fraction"]["value"] == pytest.approx(saved)
    assert record["figures"]["co2e"]["value"] > 0
    for shown in (trial["job_name"].removeprefix(record["job_name"]) for trial in trials):
        assert shown in done.stdout

    package = json.loads(bench.run("register", record["job_name"], "--json").stdout)
    described = bench.sandbox.client("sagemaker").describe_model_package(ModelPackageName=package["model_package_arn"])
    (container,) = described["InferenceSpecification"]["Containers"]
    assert container["ModelDataUrl"] == record["model"]
    assert described["CustomerMetadataProperties"]["training_job"] == record["best"]


def test_hyperband_gives_its_epochs_to_the_better_jobs(tunings: Tunings) -> None:
    tunings.train(epochs=9, pause=0.4)
    hyperband = {"strategy": "hyperband", "hyperband": {"max_epochs": 9}}
    tunings.write(**hyperband, limits={"max_jobs": 8, "max_parallel": 4})
    record = tunings.tune()["record"]
    found = best(record)
    assert found["objective"] == max(trial["objective"] for trial in record["trials"])
    assert tunings.bench.model(record).decode() == found["hyperparameters"]["rate"]
    epochs = [epochs_of(trial) for trial in record["trials"]]
    assert len(epochs) == 8
    assert max(epochs) == epochs_of(found) == 9
    assert min(epochs) < 9


def epochs_of(trial: dict[str, Any]) -> int:
    """How far a trial came, which its objective tells."""
    left_to_learn = 1 - (float(trial["hyperparameters"]["rate"]) - 0.7) ** 2 - trial["objective"]
    return round(-math.log2(left_to_learn))


def test_a_search_begins_from_earlier_ones_by_record_or_name(tunings: Tunings) -> None:
    tunings.write(strategy="random", limits={"max_jobs": 4, "max_parallel": 4}, seed=1)
    parent = tunings.tune()["record"]
    few = {"strategy": "random", "limits": {"max_jobs": 1}, "seed": 2}
    tunings.write(**few, warm_start={"parents": [f"out/runs/{parent['job_name']}.json"]})
    child = tunings.tune()["record"]
    assert child["parents"] == [parent["job_name"]]
    assert len(child["trials"]) == 1
    # Same data and code: what the parents found counts, and whichever is best is the run's model.
    own = child["trials"][0]["objective"]
    better = parent if best(parent)["objective"] > own else child
    assert child["model"] == (parent["model"] if better is parent else child["model"])
    assert child["metrics"]["score"] == pytest.approx(max(own, best(parent)["objective"]))

    tunings.write(**few, warm_start={"parents": [parent["job_name"]], "type": "transfer"})
    other = tunings.tune()["record"]
    assert other["run_key"] != child["run_key"]
    assert other["best"] == other["trials"][0]["job_name"]

    tunings.write(**few, warm_start={"parents": ["never-was"]})
    refused = tunings.bench.run("tune", "tune.yaml")
    assert (refused.returncode, refused.stdout) == (2, "")
    told = "warm_start.parents: the tuning job never-was does not exist; correct or remove it"
    assert refused.stderr == f"error: tune.yaml: {told}\n"


def test_a_search_that_was_stopped_goes_on_and_launches_as_many_jobs_less(tunings: Tunings) -> None:
    bench, hold = tunings.bench, tunings.bench.folder / "hold"
    (bench.folder / "hold.armed").touch()
    tunings.train(hold=str(hold))
    tunings.write(strategy="random", limits={"max_jobs": 3})
    launched = tunings.tune("--no-wait")["record"]
    sagemaker, name = bench.sandbox.client("sagemaker"), launched["job_name"]
    bench.await_(lambda: hold.with_suffix(".held").exists() and counted(sagemaker, name).get("Completed") == 1)
    sagemaker.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
    bench.await_(lambda: counted(sagemaker, name) == {"Completed": 1, "Stopped": 1})
    hold.unlink()

    dry = json.loads(bench.run("tune", "tune.yaml", "--dry-run", "--json").stdout)
    assert dry["decision"] == "resume"
    record = tunings.tune()["record"]
    assert (record["status"], record["resumed"], record["parents"]) == ("Completed", True, [name])
    # The one that was stopped had printed an objective by then, which counts: one of three is left.
    assert len(record["trials"]) == 1


def counted(sagemaker: Any, name: str) -> dict[str, int]:
    """How many jobs of a tuning are in which status."""
    described = sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
    return {status: count for status, count in described["TrainingJobStatusCounters"].items() if count}
