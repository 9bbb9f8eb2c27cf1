"""Tuning jobs that AWS refuses."""

from collections.abc import Callable
from typing import Any

import pytest

from sagemaker_sandbox.base.errors import ApiError
from sagemaker_sandbox.jobs.tuning.checks import check_request
from sagemaker_sandbox.jobs.tuning.tuner import ParentTuningJob
from tests.cases import check_cases
from tests.sandbox.tuning import request

Change = Callable[[dict[str, Any]], Any]


def ranges(**members: Any) -> Change:
    """Return a change of the parameter ranges."""
    return lambda job_request: job_request["HyperParameterTuningJobConfig"].update(ParameterRanges=members)


def config(**members: Any) -> Change:
    return lambda job_request: job_request["HyperParameterTuningJobConfig"].update(members)


def definition(**members: Any) -> Change:
    """Return a change of members of the definition; None removes a member."""

    def change(job_request: dict[str, Any]) -> None:
        one = job_request["TrainingJobDefinition"] | members
        job_request["TrainingJobDefinition"] = {member: value for member, value in one.items() if value is not None}

    return change


def several(*changes: dict[str, Any]) -> Change:
    """Return a change to several definitions with these members; None removes a member."""

    def change(job_request: dict[str, Any]) -> None:
        settings = job_request["HyperParameterTuningJobConfig"]
        own = {
            "TuningObjective": settings.pop("HyperParameterTuningJobObjective"),
            "HyperParameterRanges": settings.pop("ParameterRanges"),
        }
        one = job_request.pop("TrainingJobDefinition") | own
        job_request["TrainingJobDefinitions"] = [
            {member: value for member, value in (one | changed).items() if value is not None} for changed in changes
        ]

    return change


def number(**members: str) -> dict[str, str]:
    return {"Name": "x", "MinValue": "1", "MaxValue": "9"} | members


_TWO = {"Name": "colour", "Values": ["red", "blue"]}


@check_cases(
    ("strategy", "change", "code", "why"),
    [
        ("Random", ranges(IntegerParameterRanges=[number(MaxValue="0")]), "Validation", "MinValue 1 must be less than"),
        ("Random", ranges(IntegerParameterRanges=[number(MaxValue="9.5")]), "Validation", "is not an integer: '9.5'"),
        ("Random", ranges(ContinuousParameterRanges=[number(MaxValue="nan")]), "Validation", "is not a number: 'nan'"),
        (
            "Random",
            ranges(ContinuousParameterRanges=[number(MinValue="0", ScalingType="Logarithmic")]),
            "Validation",
            "Logarithmic scaling works only for ranges whose values are greater than 0",
        ),
        (
            "Random",
            ranges(ContinuousParameterRanges=[number(MinValue="0", MaxValue="1", ScalingType="ReverseLogarithmic")]),
            "Validation",
            "within the range 0<=x<1.0",
        ),
        ("Random", ranges(IntegerParameterRanges=[number(), number()]), "Validation", "x has more than one range"),
        (
            "Random",
            ranges(CategoricalParameterRanges=[_TWO | {"Values": ["red", "red"]}]),
            "Validation",
            "colour has the value 'red' more than once",
        ),
        (
            "Bayesian",
            ranges(CategoricalParameterRanges=[_TWO]),
            "Validation",
            "You don't have enough combinations of hyperparameter ranges. The total number of hyperparameter "
            "combinations for the provided ranges [2.0] must be equal or greater than the value of MaxNumberOfJobs, "
            "[12]. Provide additional ranges.",
        ),
        (
            "Random",
            ranges(IntegerParameterRanges=[number(Name=f"x{index}") for index in range(31)]),
            "ResourceLimitExceeded",
            "at most 30 hyperparameters, not 31",
        ),
        ("Random", ranges(IntegerParameterRanges=[number(Name="epochs")]), "Validation", "static and tunable: epochs"),
        ("Grid", config(), "Validation", "Only categorical parameters are supported"),
        (
            "Grid",
            ranges(CategoricalParameterRanges=[_TWO]),
            "Validation",
            "should equal the total number of distinct categorical combinations possible, 2",
        ),
        ("Hyperband", config(TrainingJobEarlyStoppingType="Auto"), "Validation", "must be Off to use the Hyperband"),
        ("Hyperband", definition(StaticHyperParameters={}), "Validation", "MaxResource of the HyperbandStrategyConfig"),
        (
            "Hyperband",
            config(StrategyConfig={"HyperbandStrategyConfig": {"MinResource": 10}}),
            "Validation",
            "MinResource 10 must be less than or equal to MaxResource 9",
        ),
        (
            "Hyperband",
            config(StrategyConfig={"HyperbandStrategyConfig": {"MaxResource": 20_001}}),
            "Validation",
            "at most 20000, not 20001",
        ),
        (
            "Bayesian",
            config(StrategyConfig={"HyperbandStrategyConfig": {"MaxResource": 9}}),
            "Validation",
            "only supported for the Hyperband strategy",
        ),
        (
            "Bayesian",
            config(ResourceLimits={"MaxNumberOfTrainingJobs": 751, "MaxParallelTrainingJobs": 1}),
            "ResourceLimitExceeded",
            "MaxNumberOfTrainingJobs can be at most 750 with Bayesian, not 751",
        ),
        (
            "Random",
            config(ResourceLimits={"MaxNumberOfTrainingJobs": 751, "MaxParallelTrainingJobs": 101}),
            "ResourceLimitExceeded",
            "MaxParallelTrainingJobs can be at most 100",
        ),
        (
            "Random",
            config(HyperParameterTuningJobObjective={"Type": "Minimize", "MetricName": "auc"}),
            "Validation",
            "A metric is required for this hyperparameter tuning job objective. Provide a metric in the metric "
            "definitions.",
        ),
        ("Random", definition(ResourceConfig=None), "Validation", "Either ResourceConfig or HyperParameterTuning"),
        (
            "Random",
            definition(ResourceConfig=None, HyperParameterTuningResourceConfig={}),
            "Validation",
            "either InstanceConfigs or InstanceType",
        ),
        (
            "Random",
            lambda job_request: job_request.pop("TrainingJobDefinition"),
            "Validation",
            "Either TrainingJobDefinition or",
        ),
        (
            "Random",
            lambda job_request: job_request["HyperParameterTuningJobConfig"].pop("HyperParameterTuningJobObjective"),
            "Validation",
            "HyperParameterTuningJobObjective must be specified",
        ),
        ("Random", definition(HyperParameterRanges={}), "Validation", "are for TrainingJobDefinitions"),
        ("Random", several({}), "Validation", "needs a DefinitionName"),
        ("Random", several({"DefinitionName": "a"}, {"DefinitionName": "a"}), "Validation", "must be unique"),
        (
            "Random",
            several(
                {"DefinitionName": "a"},
                {"DefinitionName": "b", "TuningObjective": {"Type": "Maximize", "MetricName": "loss"}},
            ),
            "Validation",
            "of the same Type",
        ),
        (
            "Random",
            lambda job_request: job_request.update(Autotune={"Mode": "Enabled"}),
            "Validation",
            "Autotune is not emulated",
        ),
    ],
)
def test_impossible_tuning_jobs_are_refused(strategy: str, change: Change, code: str, why: str) -> None:
    job_request = request(strategy)
    change(job_request)
    with pytest.raises(ApiError) as refused:
        check_request(job_request)
    assert refused.value.code.removesuffix("Exception") == code
    assert why in refused.value.message


@check_cases("strategy", ["Random", "Bayesian", "Hyperband"])
def test_valid_tuning_jobs_are_accepted(strategy: str) -> None:
    check_request(request(strategy))


def test_a_grid_may_name_the_number_of_its_combinations() -> None:
    check_request(request("Grid", jobs=2, ParameterRanges={"CategoricalParameterRanges": [_TWO]}))


def test_several_definitions_may_each_have_a_name_an_objective_and_ranges() -> None:
    job_request = request()
    several({"DefinitionName": "a"}, {"DefinitionName": "b"})(job_request)
    check_request(job_request)


@check_cases(
    ("change", "why"),
    [
        (config(HyperParameterTuningJobObjective={"Type": "Maximize", "MetricName": "loss"}), "The objective metric"),
        (definition(StaticHyperParameters={}), "The total number of static plus tunable hyperparameters must be"),
        (
            ranges(ContinuousParameterRanges=[number(Name="rate"), number(Name="depth")]),
            "The type of hyperparameter depth, continuous, must be the same as in the parent tuning job tune, integer",
        ),
        (
            config(ResourceLimits={"MaxNumberOfTrainingJobs": 10_000, "MaxParallelTrainingJobs": 1}),
            "Training jobs of parents count too: 1 of them",
        ),
    ],
)
def test_a_parent_must_have_searched_the_same(change: Change, why: str) -> None:
    job_request = request()
    parent = ParentTuningJob(request(), [{}])
    check_request(job_request, [parent])
    change(job_request)
    with pytest.raises(ApiError, match=why):
        check_request(job_request, [parent])
