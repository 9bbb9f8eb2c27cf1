"""Tuning files: validation, and the inputs of the run key."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from sustainable_mlops.base.errors import UserError
from sustainable_mlops.jobs.kinds import TUNING
from sustainable_mlops.jobs.specs.tuning import TuningSpec
from tests.jobs.support import TUNE, WriteJob, merge_changes

LoadTuning = Callable[..., TuningSpec]


@pytest.fixture
def load_tuning(write_job: WriteJob) -> LoadTuning:
    """Return a function that loads a tuning beside its job file; arguments are changes to it."""

    def load(**changes: Any) -> TuningSpec:
        path = write_job().parent / "tune.yaml"
        path.write_text(yaml.safe_dump(merge_changes(TUNE, changes)))
        return TUNING.load(path)

    return load


GRID = {"strategy": "grid", "limits": {"max_jobs": ...}, "ranges": {"eta": ..., "max_depth": ...}}
VALUES = {"type": "categorical", "values": [1, 2]}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"objective": {"metric": "validation:auk"}}, "the training has no metric validation:auk; did you mean 'valid"),
        ({"objective": {"goal": "maximise"}}, "objective.goal: must be 'maximize' or 'minimize'"),
        ({"training": "missing.yaml"}, "missing.yaml: no such file"),
        ({"strategy": "annealing"}, "strategy: must be 'bayesian', 'hyperband', 'random' or 'grid'"),
        ({"early_stopping": "off"}, "early_stopping: off lets unpromising jobs run to their end; remove it"),
        (
            {"strategy": "hyperband", "hyperband": {"max_epochs": 9}, "early_stopping": "auto"},
            "early_stopping: hyperband stops jobs itself, and SageMaker refuses auto with it; remove it",
        ),
        ({"strategy": "hyperband"}, "hyperband: is missing; set max_epochs"),
        ({"hyperband": {"max_epochs": 9}}, "hyperband: needs the strategy hyperband, not bayesian; remove it"),
        ({"strategy": "hyperband", "hyperband": {"min_epochs": 9, "max_epochs": 3}}, "min_epochs (9) is above"),
        ({"limits": {"max_parallel": 3}}, "limits.max_parallel: 3 of 20 jobs in parallel cannot learn from each other"),
        ({"limits": {"max_jobs": 5, "max_parallel": 2}}, "use at most 1 (a tenth of max_jobs)"),
        ({"limits": {"max_jobs": ...}}, "limits.max_jobs: is missing; bayesian needs a number of jobs"),
        ({"limits": {"max_jobs": 751}}, "751 are more than SageMaker's limit with bayesian, 750"),
        ({"limits": {"max_runtime_minutes": ...}}, "limits.max_runtime_minutes: is missing; add it"),
        ({"limits": {"completion": {"jobs_without_improvement": 2}}}, "jobs_without_improvement: must be greater than"),
        ({"limits": {"completion": {"targets": 1.0}}}, "unknown key; did you mean 'target'?"),
        ({"ranges": {"eta": ...}, "limits": {"max_jobs": 10}}, "the ranges have only 8 combinations"),
        ({"ranges": {"eta": {"min": 2.0}}}, "ranges.eta: min (2) is above max (0.5)"),
        ({"ranges": {"eta": {"min": 0}}}, "logarithmic scaling needs numbers above 0, not 0; use linear"),
        ({"ranges": {"eta": {"scaling": "reverse_logarithmic", "max": 1}}}, "from 0 to below 1; use linear"),
        ({"ranges": {"eta": {"type": "float"}}}, "ranges.eta: "),
        ({"ranges": {"max_depth": {"max": 9.5}}}, "ranges.max_depth.max: must be a whole number"),
        ({"ranges": {"booster": {"type": "categorical", "values": ["a", "a"]}}}, "has a duplicate value; remove it"),
        ({"ranges": {"sagemaker_program": VALUES}}, "the launcher or SageMaker sets 'sagemaker_program'"),
        ({"strategy": "grid", "limits": {"max_jobs": ...}}, "a grid needs categorical values"),
        (
            merge_changes(GRID, {"ranges": {"depth": VALUES}, "limits": {"max_jobs": 2}}),
            "limits.max_jobs: a grid runs all of its combinations; remove it",
        ),
        ({"warm_start": {"parents": []}}, "warm_start.parents: "),
        ({"warm_start": {"parents": ["old.json"]}}, "warm_start.parents: the record "),
        ({"warm_start": {"parents": ["a"], "type": "same"}}, "must be 'identical' or 'transfer'"),
    ],
)
def test_an_invalid_file_is_reported_in_one_line(
    load_tuning: LoadTuning, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(UserError) as error:
        load_tuning(**changes)
    assert message in str(error.value)
    assert "\n" not in str(error.value)
    assert str(error.value).count(".yaml: ") == 1


def test_an_error_in_the_job_file_names_the_job_file(load_tuning: LoadTuning, write_job: WriteJob) -> None:
    job = write_job(compute={"spott": True})
    job = job.rename(job.parent / "bad.yaml")
    with pytest.raises(UserError, match=f"^{job}: compute.spott: unknown key; did you mean 'spot'"):
        load_tuning(training="bad.yaml")


def test_the_training_can_be_a_file_or_inline(load_tuning: LoadTuning, write_job: WriteJob, tmp_path: Path) -> None:
    elsewhere = load_tuning()
    document = yaml.safe_load(write_job().read_text())
    assert load_tuning(training=document).result_inputs == elsewhere.result_inputs
    (tmp_path / "deep").mkdir()
    path = tmp_path / "deep" / "tune.yaml"
    path.write_text(yaml.safe_dump(merge_changes(TUNE, {"training": "../job.yaml"})))
    assert (path.parent / TUNING.load(path).code.directory).resolve() == tmp_path


def test_the_strategy_decides_the_default_of_early_stopping(load_tuning: LoadTuning) -> None:
    assert load_tuning().is_early_stopping
    assert load_tuning(strategy="random").is_early_stopping
    assert not load_tuning(strategy="hyperband", hyperband={"max_epochs": 9}).is_early_stopping
    grid = merge_changes(GRID, {"ranges": {"depth": VALUES}})
    assert load_tuning(**grid).is_early_stopping
    assert not load_tuning(**grid, early_stopping="off").is_early_stopping
    assert load_tuning(**grid).jobs == 2


def test_the_result_inputs_contain_exactly_what_decides_the_search(load_tuning: LoadTuning) -> None:
    key = load_tuning().result_inputs
    for same in ({"name": "other"}, {"early_stopping": "auto"}):
        assert load_tuning(**same).result_inputs == key
    for other in (
        {"seed": 1},
        {"strategy": "random"},
        {"objective": {"goal": "minimize"}},
        {"ranges": {"eta": {"max": 0.4}}},
        {"limits": {"max_jobs": 21}},
        {"limits": {"completion": {"target": 0.8}}},
        {"warm_start": {"parents": ["earlier"]}},
    ):
        assert load_tuning(**other).result_inputs != key


def test_a_range_replaces_the_trainings_value(load_tuning: LoadTuning) -> None:
    assert load_tuning().parameters == {"num_round": 240}
    assert load_tuning(ranges={"num_round": {"type": "integer", "min": 1, "max": 9}}).parameters == {}


def test_a_record_of_a_training_is_not_a_parent(load_tuning: LoadTuning, tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text(
        '{"run_key": "k", "workload": "w", "environment": "dev", "region": "eu-north-1", "job_name": "j", '
        '"status": "Completed", "launched_at": "2026-11-24T12:00:00Z", "spot": true, "image": "i", '
        '"instance_type": "ml.m5.large", "instance_count": 1, "data": {}}'
    )
    with pytest.raises(UserError, match="is the record of a training job; write the path of the record of a tuning"):
        load_tuning(warm_start={"parents": ["run.json"]})
