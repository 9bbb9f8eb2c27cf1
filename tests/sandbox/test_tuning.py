"""The engine of tuning jobs against training jobs that are a function: what is launched, stopped and found."""

import math
import re
import statistics
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sagemaker_sandbox.jobs.tuning import ranges
from sagemaker_sandbox.jobs.tuning.early_stopping import is_behind
from tests.cases import check_cases
from tests.sandbox.tuning import BEGAN, TuningSimulation, bowl, parent, request

# Ranges


@settings(deadline=None)  # the first example imports optuna
@given(
    low=st.integers(-1000, 1000),
    span=st.integers(0, 1000),
    scaling=st.sampled_from(["Auto", "Linear"]),
    where=st.floats(0, 1),
)
def test_an_integer_range_holds_whole_numbers_within_its_ends(low: int, span: int, scaling: str, where: float) -> None:
    [one] = ranges.parse_ranges({"IntegerParameterRanges": [_make_range(low, low + span, scaling)]})
    assert low <= int(one.to_text(_coordinate(one, where))) <= low + span
    assert one.to_text(_coordinate(one, 0)) == str(low)
    assert one.to_text(_coordinate(one, 1)) == str(low + span)


@settings(deadline=None)  # the first example imports optuna
@given(
    scaling=st.sampled_from(["Auto", "Linear", "Logarithmic", "ReverseLogarithmic"]),
    ends=st.tuples(st.floats(1e-6, 0.999), st.floats(1e-6, 0.999)).map(sorted),
    where=st.floats(0, 1),
)
def test_a_continuous_range_converts_values_on_every_scale(scaling: str, ends: Any, where: float) -> None:
    [one] = ranges.parse_ranges({"ContinuousParameterRanges": [_make_range(ends[0], ends[1], scaling)]})
    coordinate = _coordinate(one, where)
    value = one.to_text(coordinate)
    assert ends[0] <= float(value) <= ends[1]
    assert one.find_coordinate(value) == pytest.approx(coordinate, rel=1e-6, abs=1e-9)
    assert one.find_coordinate("1000") is None
    assert one.find_coordinate("blue") is None


@check_cases(
    ("scaling", "middle"),
    [("Linear", 0.4505), ("Logarithmic", 0.03), ("ReverseLogarithmic", 1 - math.sqrt(0.999 * 0.1)), ("Auto", 0.03)],
)
def test_a_scale_determines_the_middle_value(scaling: str, middle: float) -> None:
    [one] = ranges.parse_ranges({"ContinuousParameterRanges": [_make_range(0.001, 0.9, scaling)]})
    assert float(one.to_text(_coordinate(one, 0.5))) == pytest.approx(middle, rel=1e-3)


def _make_range(low: float, high: float, scaling: str) -> dict[str, str]:
    return {"Name": "x", "MinValue": str(low), "MaxValue": str(high), "ScalingType": scaling}


def _coordinate(one: ranges.Range, where: float) -> float:
    searched: Any = one.build_distribution()
    return float(searched.low + where * (searched.high - searched.low))


# Strategies


@check_cases("strategy", ["Random", "Bayesian", "Hyperband"])
def test_the_same_seed_tries_the_same_and_another_one_does_not(strategy: str) -> None:
    def tried(seed: int) -> list[Mapping[str, str]]:
        world = TuningSimulation(request(strategy, RandomSeed=seed))
        world.run_to_end()
        return world.tried()

    assert len(tried(1)) == 12
    assert tried(1) == tried(1)
    assert tried(1) != tried(2)


def test_random_search_covers_its_ranges_evenly_on_their_scales() -> None:
    world = TuningSimulation(request("Random", jobs=300), epochs=1)
    world.run_to_end()
    rates = [float(tried["rate"]) for tried in world.tried()]
    depths = [int(tried["depth"]) for tried in world.tried()]
    assert all(0.001 <= rate <= 1 for rate in rates)
    assert 0.02 < statistics.median(rates) < 0.05
    assert set(depths) == set(range(1, 10))
    assert all(20 <= depths.count(depth) <= 50 for depth in (1, 9))


def test_a_grid_tries_every_combination_once() -> None:
    axes = [{"Name": "a", "Values": ["x", "y", "z"]}, {"Name": "b", "Values": ["1", "2"]}]
    job_request = request("Grid", jobs=None, ParameterRanges={"CategoricalParameterRanges": axes})
    world = TuningSimulation(job_request, lambda tried, _epoch: float(tried["a"] != "y") + float(tried["b"]))
    tuner = world.run_to_end()
    assert [(tried["a"], tried["b"]) for tried in world.tried()] == [(a, b) for a in "xyz" for b in "12"]
    assert tuner.build_fields()["BestTrainingJob"]["TunedHyperParameters"] == {"a": "y", "b": "1"}


@pytest.mark.parametrize("strategy", ["Random", "Bayesian"])
def test_no_combination_is_tried_twice(strategy: str) -> None:
    axes = [{"Name": "a", "Values": [*"stuvwxyz"]}, {"Name": "b", "Values": ["1", "2"]}]
    job_request = request(strategy, jobs=16, ParameterRanges={"CategoricalParameterRanges": axes})
    world = TuningSimulation(job_request, lambda tried, _epoch: float(tried["b"]), epochs=1)
    world.run_to_end()
    assert len({tuple(tried.values()) for tried in world.tried()}) == 16


@check_cases("seed", [1, 2, 3])
def test_bayesian_search_approaches_the_optimum(seed: int) -> None:
    def late(strategy: str) -> float:
        tuner = TuningSimulation(request(strategy, jobs=40, RandomSeed=seed), epochs=1).run_to_end()
        return statistics.median(trial.values[-1] for trial in tuner.trials[20:])

    assert late("Bayesian") < late("Random") / 1.5


def test_hyperband_stops_jobs_between_its_minimum_and_maximum_epochs() -> None:
    resources = {"HyperbandStrategyConfig": {"MinResource": 2, "MaxResource": 18}}
    world = TuningSimulation(request("Hyperband", jobs=40, parallel=4, StrategyConfig=resources), epochs=30)
    tuner = world.run_to_end()
    lengths = world.epochs_of("Stopped")
    assert len(lengths) == 40
    assert (min(lengths), max(lengths)) == (2, 18)
    assert sum(lengths) < 40 * 18 / 2
    fields = tuner.build_fields()
    best = fields["BestTrainingJob"]
    assert next(len(trial.values) for trial in tuner.trials if trial.name == best["TrainingJobName"]) == 18
    assert fields["TrainingJobStatusCounters"]["Stopped"] == fields["ObjectiveStatusCounters"]["Succeeded"] == 40


def test_hyperband_takes_its_maximum_epochs_from_the_static_hyperparameters() -> None:
    world = TuningSimulation(request("Hyperband"), epochs=30)
    world.run_to_end()
    assert max(world.epochs_of("Stopped")) == 9


# Early stopping


def test_a_job_is_behind_the_median_of_the_running_averages() -> None:
    # At the second epoch the averages are 3, 5 and 8, whose median is 5; the last job never got so far.
    completed = [[4.0, 2.0, 1.0], [6.0, 4.0, 2.0], [9.0, 7.0, 6.0], [1.0]]
    assert is_behind([9.0, 5.1], completed, maximize=False)
    assert not is_behind([9.0, 5.0], completed, maximize=False)
    assert is_behind([9.0, 4.9], completed, maximize=True)
    assert not is_behind([9.0, 5.0], completed, maximize=True)
    assert not is_behind([9.0, 9.0, 9.0, 9.0], completed, maximize=False)
    assert not is_behind([], completed, maximize=False)


def test_early_stopping_stops_jobs_and_the_optimum_is_reached() -> None:
    off, auto = (
        TuningSimulation(request(jobs=30)),
        TuningSimulation(request(jobs=30, TrainingJobEarlyStoppingType="Auto")),
    )
    off.run_to_end()
    auto.run_to_end()
    assert off.epochs_of("Stopped") == []
    assert len(auto.epochs_of("Stopped")) >= 10
    chosen = [world.tuner.build_fields()["BestTrainingJob"]["TunedHyperParameters"] for world in (off, auto)]
    assert chosen[0] == chosen[1]


# Limits and completion


@pytest.mark.parametrize("parallel", [1, 3])
def test_no_more_jobs_run_at_once_or_in_all_than_is_allowed(parallel: int) -> None:
    world = TuningSimulation(request(jobs=10, parallel=parallel))
    tuner = world.run_to_end()
    assert (world.max_running, len(tuner.trials)) == (parallel, 10)
    assert tuner.build_fields()["TrainingJobStatusCounters"]["Completed"] == 10


def test_at_its_maximum_runtime_it_stops_its_jobs_and_completes() -> None:
    world = TuningSimulation(
        request(jobs=50, ResourceLimits={"MaxParallelTrainingJobs": 2, "MaxRuntimeInSeconds": 720})
    )
    while world.tuner.seconds_left > 0:
        world.tick()
    world.tuner.end("Completed")
    tuner = world.run_to_end()
    assert tuner.build_fields()["HyperParameterTuningJobStatus"] == "Completed"
    assert tuner.build_fields()["ConsumedResources"] == {"RuntimeInSeconds": 720}
    assert tuner.build_fields()["TrainingJobStatusCounters"] == {
        "Completed": 2,
        "InProgress": 0,
        "RetryableError": 0,
        "NonRetryableError": 0,
        "Stopped": 2,
    }


def test_it_completes_at_the_target_and_stops_its_jobs() -> None:
    criteria = {"TargetObjectiveMetricValue": 0.5}
    world = TuningSimulation(request(jobs=100, parallel=2, TuningJobCompletionCriteria=criteria), epochs=3)
    tuner = world.run_to_end()
    objectives = [trial.objective for trial in tuner.trials if trial.status == "Completed"]
    assert [value for value in objectives if value is not None and value <= 0.5]
    assert all(trial.objective and trial.objective > 0.5 for trial in tuner.trials[:-2])
    assert len(tuner.trials) < 100


def test_it_completes_after_jobs_without_an_improvement_of_one_percent() -> None:
    losses = iter([10.0, 8.0, 7.95, 9.0, 7.93])
    criteria = {"BestObjectiveNotImproving": {"MaxNumberOfTrainingJobsNotImproving": 3}}
    world = TuningSimulation(request(jobs=50, TuningJobCompletionCriteria=criteria), lambda *_: next(losses), epochs=1)
    tuner = world.run_to_end()
    assert len(tuner.trials) == 5
    assert tuner.build_fields()["TuningJobCompletionDetails"] == {"NumberOfTrainingJobsObjectiveNotImproving": 3}
    assert tuner.build_fields()["BestTrainingJob"]["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] == 7.93


@pytest.mark.parametrize(("answer", "ends"), [("Enabled", True), ("Disabled", False)])
def test_convergence_is_reported_and_ends_the_search_on_request(answer: str, ends: bool) -> None:
    criteria = {"ConvergenceDetected": {"CompleteOnConvergence": answer}}
    world = TuningSimulation(request(jobs=50, TuningJobCompletionCriteria=criteria), lambda *_: 1.0, epochs=1)
    tuner = world.run_to_end()
    assert (len(tuner.trials) < 50) is ends
    assert (
        BEGAN < tuner.build_fields()["TuningJobCompletionDetails"]["ConvergenceDetectedTime"] < world.now + timedelta(1)
    )


def test_a_stopped_tuning_job_stops_its_jobs_first() -> None:
    world = TuningSimulation(request(parallel=2))
    world.tick()
    world.tuner.end("Stopped")
    assert not world.tuner.is_over
    assert world.tuner.build_fields()["HyperParameterTuningJobStatus"] == "Stopping"
    fields = world.run_to_end().build_fields()
    assert fields["HyperParameterTuningJobStatus"] == "Stopped"
    assert fields["TrainingJobStatusCounters"]["Stopped"] == len(world.created) == 2
    assert fields["HyperParameterTuningEndTime"] == BEGAN + timedelta(minutes=1)


# Failures


@pytest.mark.parametrize(("jobs", "attempts"), [(12, 5), (2, 2)])
def test_five_failed_jobs_or_all_that_there_are_fail_the_tuning_job(jobs: int, attempts: int) -> None:
    world = TuningSimulation(request(jobs=jobs))
    while not world.tuner.is_over:
        launched = world.tuner.launch()
        if launched:
            world.tell(launched[0], "Failed", [1.0], FailureReason="AlgorithmError: no")
    fields = world.tuner.build_fields()
    assert fields["FailureReason"].startswith(f"No training job succeeded after {attempts} attempts.")
    assert (fields["HyperParameterTuningJobStatus"], len(world.tuner.trials)) == ("Failed", attempts)
    assert fields["TrainingJobStatusCounters"]["NonRetryableError"] == attempts
    assert fields["ObjectiveStatusCounters"]["Failed"] == attempts
    assert "BestTrainingJob" not in fields


def test_jobs_that_emit_no_objective_fail_the_tuning_job() -> None:
    fields = TuningSimulation(request(), lambda *_: math.nan, epochs=1)
    tuner = fields.tuner
    while not tuner.is_over:
        launched = tuner.launch()
        if launched:
            fields.tell(launched[0], "Completed", [])
    assert str(tuner.failure_reason).startswith("No objective metrics found after running 5 training jobs.")


def test_a_failed_job_among_others_is_counted_and_never_the_best() -> None:
    world = TuningSimulation(request(jobs=6))
    launched = world.tuner.launch()
    assert launched is not None
    world.tell(launched[0], "Failed", [-100.0], FailureReason="InternalServerError: gone")
    tuner = world.run_to_end()
    fields = tuner.build_fields()
    assert fields["HyperParameterTuningJobStatus"] == "Completed"
    assert fields["TrainingJobStatusCounters"]["RetryableError"] == 1
    assert fields["ObjectiveStatusCounters"] == {"Succeeded": 5, "Pending": 0, "Failed": 1}
    assert fields["BestTrainingJob"]["TrainingJobName"] != launched[0].name
    summary = tuner.build_summaries()[0]
    assert (summary["ObjectiveStatus"], summary["FailureReason"]) == ("Failed", "InternalServerError: gone")


# Warm start


def test_identical_data_continues_from_the_parents() -> None:
    before = parent(request("Bayesian", jobs=30))
    job_request = request("Bayesian", jobs=5, RandomSeed=8)
    job_request["HyperParameterTuningJobName"] = "again"
    job_request["WarmStartConfig"] = {"WarmStartType": "IdenticalDataAndAlgorithm"}
    cold, warm = TuningSimulation(job_request), TuningSimulation(job_request, parents=[before])
    first = [statistics.median(t.values[-1] for t in world.run_to_end().trials) for world in (cold, warm)]
    assert first[1] < first[0]
    overall = warm.tuner.build_fields()["OverallBestTrainingJob"]
    values = [s["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] for s in before.summaries]
    values += [s["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] for s in warm.tuner.build_summaries()]
    assert overall["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] == min(values)
    assert overall["TuningJobName"] in ("tune", "again")


def test_other_data_begins_with_the_best_point() -> None:
    before = parent(request("Random", jobs=20))
    best = min(before.summaries, key=lambda s: s["FinalHyperParameterTuningJobObjectiveMetric"]["Value"])
    job_request = request("Random", jobs=3)
    job_request["WarmStartConfig"] = {"WarmStartType": "TransferLearning"}
    world = TuningSimulation(job_request, parents=[before])
    fields = world.run_to_end().build_fields()
    first = world.tried()[0]
    assert first["depth"] == best["TunedHyperParameters"]["depth"]
    assert float(first["rate"]) == pytest.approx(float(best["TunedHyperParameters"]["rate"]))
    assert "OverallBestTrainingJob" not in fields


# Training jobs


def test_a_training_job_has_its_definition_with_its_own_name_and_checkpoints() -> None:
    job_request = request(jobs=2) | {"Tags": [{"Key": "team", "Value": "a"}]}
    definition = job_request["TrainingJobDefinition"]
    definition["CheckpointConfig"] = {"S3Uri": "s3://bucket/checkpoints/"}
    instances = [
        {"InstanceType": "ml.c5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 5},
        {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5},
    ]
    del definition["ResourceConfig"]
    definition["HyperParameterTuningResourceConfig"] = {"InstanceConfigs": instances}
    world = TuningSimulation(job_request)
    world.run_to_end()
    names = [job["TrainingJobName"] for job in world.created]
    assert all(re.fullmatch(rf"tune-00{number}-[0-9a-f]{{8}}", name) for number, name in enumerate(names, 1))
    job = world.created[0]
    assert job["HyperParameters"] == {
        "epochs": "9",
        "_tuning_objective_metric": "loss",
        **world.tuner.trials[0].suggestion.hyperparameters,
    }
    assert job["ResourceConfig"] == instances[0]
    assert job["CheckpointConfig"] == {"S3Uri": f"s3://bucket/checkpoints/{names[0]}"}
    assert (job["Tags"], job["RoleArn"]) == ([{"Key": "team", "Value": "a"}], definition["RoleArn"])


def test_several_definitions_take_turns_each_in_its_own_ranges() -> None:
    job_request = request("Bayesian", jobs=20)
    objective = job_request["HyperParameterTuningJobConfig"].pop("HyperParameterTuningJobObjective")
    searched = job_request["HyperParameterTuningJobConfig"].pop("ParameterRanges")
    one = job_request.pop("TrainingJobDefinition") | {"TuningObjective": objective}
    job_request["TrainingJobDefinitions"] = [
        one | {"DefinitionName": "deep", "HyperParameterRanges": searched},
        one
        | {
            "DefinitionName": "wide",
            "HyperParameterRanges": {"CategoricalParameterRanges": [{"Name": "width", "Values": ["1", "2"]}]},
        },
    ]
    world = TuningSimulation(job_request, lambda tried, epoch: bowl(tried, epoch) if "rate" in tried else 9.0)
    tuner = world.run_to_end()
    names = [summary["TrainingJobDefinitionName"] for summary in tuner.build_summaries()]
    assert names[:4] == ["deep", "wide", "deep", "wide"]
    # The second one has two combinations: the first goes on alone.
    assert names[4:] == ["deep"] * 16
    assert tuner.build_fields()["BestTrainingJob"]["TrainingJobDefinitionName"] == "deep"
