"""The request of a tuning, also checked by the sandbox, which has stricter rules than the service model."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from sagemaker_sandbox.jobs.tuning import checks
from sustainable_mlops.aws import Clients
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.jobs.estimate import estimate_launch
from sustainable_mlops.jobs.kinds import TRAINING, TUNING
from sustainable_mlops.jobs.launch import JobLaunch, prepare
from sustainable_mlops.jobs.record import RunRecord, TuningTrial
from tests.jobs.support import PLATFORM, TUNE, WriteJob, merge_changes

CATEGORICAL = {"type": "categorical", "values": [0.1, "0.2", "fast", True], "min": ..., "max": ..., "scaling": ...}
STRATEGIES: dict[str, dict[str, Any]] = {
    "bayesian": {"limits": {"completion": {"target": 0.8, "jobs_without_improvement": 5, "convergence": True}}},
    "random": {"strategy": "random", "limits": {"max_parallel": 10}},
    "hyperband": {"strategy": "hyperband", "hyperband": {"min_epochs": 2, "max_epochs": 9}},
    "grid": {
        "strategy": "grid",
        "ranges": {"eta": CATEGORICAL, "max_depth": {"type": "categorical", "values": [2, 9], "min": ..., "max": ...}},
        "limits": {"max_jobs": ...},
    },
}


@pytest.fixture
def launch(cloud: Clients, write_job: WriteJob) -> Any:  # noqa: ARG001
    """Return a function that prepares a tuning; arguments are changes to it, `job` changes its training."""

    def make(job: dict[str, Any] | None = None, **changes: Any) -> JobLaunch:
        document = merge_changes(TUNE, changes)
        path = write_job(**(job or {})).parent / "tune.yaml"
        path.write_text(yaml.safe_dump(document))
        return prepare(TUNING, path)

    return make


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_sagemaker_accepts_the_request_of_every_strategy(launch: Any, strategy: str) -> None:
    request = launch(**STRATEGIES[strategy]).request
    checks.check_request(request)
    config = request["HyperParameterTuningJobConfig"]
    assert config["Strategy"] == strategy.capitalize()
    assert config["TrainingJobEarlyStoppingType"] == ("Off" if strategy == "hyperband" else "Auto")
    assert config["ResourceLimits"]["MaxRuntimeInSeconds"] == 7200
    assert config["ResourceLimits"]["MaxNumberOfTrainingJobs"] == (8 if strategy == "grid" else 20)


def test_a_probe_has_the_middle_of_each_range_that_the_training_does_not_set(
    cloud: Clients,  # noqa: ARG001
    write_job: WriteJob,
) -> None:
    ranges = {
        "eta": {"type": "continuous", "min": 0.01, "max": 1, "scaling": "logarithmic"},
        "lambda": {"type": "continuous", "min": 0, "max": 3, "scaling": "linear"},
        "max_bin": {"type": "integer", "min": 2, "max": 10, "scaling": "linear"},
        "booster": {"type": "categorical", "values": ["dart", "gbtree"]},
        "max_depth": ...,
    }
    path = write_job().parent / "tune.yaml"
    path.write_text(yaml.safe_dump(merge_changes(TUNE, {"ranges": ranges})))
    hyperparameters = prepare(TUNING, path, probe=True).request["HyperParameters"]
    chosen = {name: hyperparameters[name] for name in ("eta", "lambda", "max_bin", "booster", "num_round")}
    assert chosen == {"eta": "0.1", "lambda": "1.5", "max_bin": "6", "booster": "gbtree", "num_round": "24"}


def test_each_job_is_the_training_with_spot_checkpoints_and_caps(launch: Any, write_job: WriteJob) -> None:
    prepared = launch(ranges={"num_round": {"type": "integer", "min": 1, "max": 9}})
    definition = prepared.request["TrainingJobDefinition"]
    alone = prepare(TRAINING, write_job()).request
    same = ("RoleArn", "ResourceConfig", "StoppingCondition", "EnableManagedSpotTraining", "InputDataConfig")
    assert {member: definition[member] for member in same} == {member: alone[member] for member in same}
    assert definition["CheckpointConfig"]["S3Uri"].endswith(f"/checkpoints/flight-delay/{prepared.record.run_key}/")
    assert "num_round" not in definition["StaticHyperParameters"]
    assert definition["StaticHyperParameters"]["sagemaker_program"] == alone["HyperParameters"]["sagemaker_program"]
    assert len(prepared.record.job_name) <= 32


def test_categorical_values_keep_their_types(launch: Any) -> None:
    ranges = launch(**STRATEGIES["grid"]).request["HyperParameterTuningJobConfig"]["ParameterRanges"]
    values = {
        parameter_range["Name"]: parameter_range["Values"] for parameter_range in ranges["CategoricalParameterRanges"]
    }
    assert values == {"eta": ["0.1", '"0.2"', "fast", "true"], "max_depth": ["2", "9"]}


def make_stopped_record(prepared: JobLaunch, objectives: list[float | None]) -> RunRecord:
    trials = [
        TuningTrial(job_name=f"t-{number}", status="Completed", hyperparameters={}, objective=value)
        for number, value in enumerate(objectives)
    ]
    return prepared.record.model_copy(update={"status": "Stopped", "job_name": "cut-short", "trials": trials})


def test_a_stopped_search_resumes_from_its_jobs(launch: Any) -> None:
    prepared = launch()
    resumed_request = TUNING.resume_request(
        prepared.request, make_stopped_record(prepared, [0.6, None, 0.7]), checkpoints=True
    )
    assert resumed_request is not None
    assert resumed_request["HyperParameterTuningJobConfig"]["ResourceLimits"]["MaxNumberOfTrainingJobs"] == 18
    assert resumed_request["WarmStartConfig"] == {
        "ParentHyperParameterTuningJobs": [{"HyperParameterTuningJobName": "cut-short"}],
        "WarmStartType": "IdenticalDataAndAlgorithm",
    }
    # The resumed search is stopped too: 18 jobs remained, and it ran one.
    once_more = make_stopped_record(prepared, [0.6]).model_copy(update={"max_jobs": 18})
    resumed_request = TUNING.resume_request(prepared.request, once_more, checkpoints=True)
    assert resumed_request is not None
    assert resumed_request["HyperParameterTuningJobConfig"]["ResourceLimits"]["MaxNumberOfTrainingJobs"] == 17
    assert TUNING.resume_request(prepared.request, make_stopped_record(prepared, [None]), checkpoints=True) is None
    grid = launch(**STRATEGIES["grid"])
    assert TUNING.resume_request(grid.request, make_stopped_record(grid, [0.6]), checkpoints=True) is None


def test_an_estimate_counts_the_jobs_and_states_its_assumptions(launch: Any, tmp_path: Path) -> None:
    one = estimate_launch(launch(strategy="random"), tmp_path)
    assert "at most 20 jobs; some jobs are stopped early, which leaves 80 % (50 to 100 %)" in one.duration.source
    # 72 s (at most 224) for a start and 240 rounds.
    assert one.duration.value == pytest.approx(20 * 0.8 * 72.4, rel=1e-4)
    assert one.duration.high == pytest.approx(20 * 224, rel=1e-4)
    criteria = {"completion": {"target": 0.8}}
    ends_before = estimate_launch(launch(strategy="random", limits=criteria), tmp_path)
    assert ends_before.duration.value == pytest.approx(0.75 * one.duration.value)
    assert ends_before.duration.low == pytest.approx(0.3 * (one.duration.low or 0))


def test_a_warm_pool_needs_a_platform_that_allows_it(launch: Any) -> None:
    warm = {"compute": {"spot": False, "keep_alive_minutes": 10}}
    resources = launch(job=warm).request["TrainingJobDefinition"]["ResourceConfig"]
    assert resources["KeepAlivePeriodInSeconds"] == 600
    inline = {name: value for name, value in PLATFORM.items() if name != "account_id"}
    others = {"buckets": {"logs": ...}, "roles": {"pipeline": ...}}
    # The name of the environment does not matter.
    prod = merge_changes(inline, {"environment": "prod", **others})
    assert launch(job={**warm, "platform": prod}).request["TrainingJobDefinition"]["ResourceConfig"] == resources
    prod = merge_changes(inline, {"environment": "prod", "warm_pools": False, **others})
    with pytest.raises(UserError, match=r"environment prod allows no warm pools; remove .*envs/prod/settings\.yaml"):
        launch(job={**warm, "platform": prod})
