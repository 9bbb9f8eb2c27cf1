"""The file of a tuning job: `tune.yaml`, with a training and the settings of its tuning."""

import math
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, Tag, field_validator, model_validator

from sustainable_mlops.base.settings import Settings
from sustainable_mlops.catalogue.limits import get_limit
from sustainable_mlops.jobs.platform import InlinePlatform
from sustainable_mlops.jobs.specs.common import Name, Network, Scalar, SourceSpec, Text, UtilizationFloor
from sustainable_mlops.jobs.specs.training import TrainingSpec

Scaling = Literal["auto", "linear", "logarithmic", "reverse_logarithmic"]

_SCALING = "Spread of the values: auto (SageMaker chooses), linear, or logarithmic if factors matter, not differences."


class _NumericRange(Settings):
    """Fields of numeric ranges."""

    scaling: Scaling = Field("auto", description=_SCALING)

    def _check_bounds(self, low: float, high: float) -> None:
        if not (math.isfinite(low) and math.isfinite(high)):
            raise ValueError("min and max must be finite")
        if low > high:
            raise ValueError(f"min ({low:g}) is above max ({high:g}); lower min or raise max")
        if self.scaling == "logarithmic" and low <= 0:
            raise ValueError(f"logarithmic scaling needs numbers above 0, not {low:g}; use linear")
        if self.scaling == "reverse_logarithmic" and not 0 <= low <= high < 1:
            raise ValueError("reverse_logarithmic scaling needs numbers from 0 to below 1; use linear")


class ContinuousRangeSpec(_NumericRange):
    """Real numbers from min to max."""

    type: Literal["continuous"]
    min: float
    max: float

    @model_validator(mode="after")
    def _check_range(self) -> Self:
        self._check_bounds(self.min, self.max)
        return self


class IntegerRangeSpec(_NumericRange):
    """Whole numbers from min to max."""

    type: Literal["integer"]
    min: int
    max: int

    @model_validator(mode="after")
    def _check_range(self) -> Self:
        self._check_bounds(self.min, self.max)
        if self.scaling == "reverse_logarithmic":
            raise ValueError("reverse_logarithmic scaling needs a continuous range; use linear")
        return self


class CategoricalRangeSpec(Settings):
    """A list of values."""

    type: Literal["categorical"]
    values: list[Scalar] = Field(min_length=1, max_length=30)

    @field_validator("values")
    @classmethod
    def _check_duplicates(cls, values: list[Scalar]) -> list[Scalar]:
        if len({(type(value), value) for value in values}) < len(values):
            raise ValueError("has a duplicate value; remove it")
        return values


Range = Annotated[ContinuousRangeSpec | IntegerRangeSpec | CategoricalRangeSpec, Discriminator("type")]


class TuningObjective(Settings):
    """Metric and direction that rank the models."""

    metric: Text = Field(description="Metric of the training job, printed after every epoch and at the end.")
    goal: Literal["maximize", "minimize"]


class HyperbandLimits(Settings):
    """Epochs that Hyperband assigns to its jobs.

    The script must print the objective once per epoch, and save its model regularly: a job is stopped after its last
    epoch at the latest.
    """

    min_epochs: int = Field(1, ge=1, description="Minimum epochs of a training job.")
    max_epochs: int = Field(
        ge=1, le=get_limit("tuning_hyperband_resource"), description="Maximum epochs of a training job."
    )

    @model_validator(mode="after")
    def _check_range(self) -> Self:
        if self.min_epochs > self.max_epochs:
            raise ValueError(f"min_epochs ({self.min_epochs}) is above max_epochs ({self.max_epochs})")
        return self


class CompletionCriteria(Settings):
    """Criteria that end the tuning job before its last training job."""

    target: float | None = Field(None, description="Objective value that ends the tuning job.")
    jobs_without_improvement: int | None = Field(
        None, ge=3, description="Number of consecutive jobs without improvement."
    )
    convergence: bool = Field(False, description="End when SageMaker expects no improvement from more jobs.")


class TuningLimits(Settings):
    """Limits of the tuning job. `training.limits` holds for each training job."""

    max_jobs: int | None = Field(
        None,
        ge=1,
        description="Maximum number of training jobs; required, except for a grid, which runs its combinations.",
    )
    max_parallel: int = Field(
        1,
        ge=1,
        le=get_limit("tuning_parallel_training_jobs"),
        description="Parallel training jobs; bayesian: at most a tenth of max_jobs.",
    )
    max_runtime_minutes: int = Field(ge=2, le=15768000 // 60, description="Maximum time of the tuning job, in minutes.")
    completion: CompletionCriteria = Field(CompletionCriteria())


class WarmStart(Settings):
    """Earlier tuning jobs as a start. Their jobs count toward SageMaker's limit, not toward max_jobs."""

    parents: list[Text] = Field(min_length=1, max_length=5, description="Names of tuning jobs, or records of runs.")
    type: Literal["identical", "transfer"] = Field(
        "identical", description="identical: same data and code, so earlier results count; transfer: they are hints."
    )


def _tag_training(training: object) -> str:
    return "<path>" if isinstance(training, str) else "<inline>"


class TuningSpec(Settings):
    """A tuning job, as described by `tune.yaml`."""

    name: Name = Field(
        description="Letters, digits, single hyphens. Prefix of the names of the tuning job and its training jobs; the "
        "latter contain its first 9 characters."
    )
    training: Annotated[
        Annotated[Text, Tag("<path>")] | Annotated[TrainingSpec, Tag("<inline>")], Discriminator(_tag_training)
    ] = Field(description="Training of each job: a job file, relative to this file, or the same document inline.")
    objective: TuningObjective
    ranges: dict[Text, Range] = Field(
        min_length=1,
        max_length=get_limit("tuning_hyperparameters"),
        description="Range of each hyperparameter, which replaces the training's value.",
    )
    strategy: Literal["bayesian", "hyperband", "random", "grid"] = Field(
        "bayesian", description="bayesian learns from every job; hyperband repeatedly stops the worse half."
    )
    early_stopping: Literal["auto", "off"] | None = Field(
        None, description="auto stops jobs that are unlikely to win; the default depends on the strategy."
    )
    hyperband: HyperbandLimits | None = Field(None, description="Required with strategy: hyperband, and only then.")
    limits: TuningLimits
    warm_start: WarmStart | None = None
    seed: int = Field(
        0, ge=0, le=2**31 - 1, description="Seed of the proposals: the same seed gives the same proposals."
    )

    @property
    def job(self) -> TrainingSpec:
        """The training job file, after it was read."""
        if isinstance(self.training, str):
            raise TypeError(f"the job file {self.training} was not read")
        return self.training

    @property
    def typical_job(self) -> TrainingSpec:
        """The training job file with the middle of each range that it does not set itself."""
        middles = {name: _find_middle(parameter_range) for name, parameter_range in self.ranges.items()}
        return self.job.model_copy(update={"hyperparameters": {**middles, **self.job.parameters}})

    @property
    def platform(self) -> str | InlinePlatform:
        """The platform of the training jobs."""
        return self.job.platform

    @property
    def network(self) -> Network:
        """The network of the training jobs."""
        return self.job.network

    @property
    def tags(self) -> Mapping[str, str]:
        """The tags of the training jobs."""
        return self.job.tags

    @property
    def workload(self) -> str:
        """The workload of the training jobs: the best model belongs to it."""
        return self.job.workload

    @property
    def code(self) -> SourceSpec:
        """The training code."""
        return self.job.code

    @property
    def parameters(self) -> Mapping[str, Scalar]:
        """Hyperparameters that all jobs share."""
        return {name: value for name, value in self.job.parameters.items() if name not in self.ranges}

    @property
    def is_resumable(self) -> bool:
        """True if an interrupted job resumes from its checkpoints."""
        return self.job.is_resumable

    @property
    def floor(self) -> UtilizationFloor | None:
        """The utilization floor of each job's limits."""
        return self.job.floor

    @property
    def result_inputs(self) -> Mapping[str, Any]:
        """Result inputs of the training jobs and of the tuning job: other limits may find another model."""
        search = self.model_dump(mode="json", exclude={"name", "training", "early_stopping"})
        own_inputs = {
            "hyperparameters": dict(self.parameters),
            "search": {**search, "stops_early": self.is_early_stopping},
        }
        return {"kind": "tuning", **self.job.result_inputs, **own_inputs}

    @property
    def is_early_stopping(self) -> bool:
        """True if SageMaker stops jobs that are worse than earlier ones."""
        return self.strategy != "hyperband" if self.early_stopping is None else self.early_stopping == "auto"

    @field_validator("ranges")
    @classmethod
    def _check_names(cls, ranges: dict[str, Range]) -> dict[str, Range]:
        for name in ranges:
            if name.startswith(("sagemaker_", "_")):
                raise ValueError(f"the launcher or SageMaker sets '{name}'; remove it")
        return ranges

    @model_validator(mode="after")
    def _check_combinations(self) -> Self:
        for problem in (*self._list_stopping_problems(), *self._list_size_problems()):
            raise ValueError(problem)
        return self

    def _list_stopping_problems(self) -> Iterator[str]:
        if self.strategy == "hyperband":
            if self.early_stopping == "auto":
                yield "early_stopping: hyperband stops jobs itself, and SageMaker refuses auto with it; remove it"
            if self.hyperband is None:
                yield "hyperband: is missing; set max_epochs to the number of times a training job prints its objective"
        else:
            if self.hyperband is not None:
                yield f"hyperband: needs the strategy hyperband, not {self.strategy}; remove it"
            if self.early_stopping == "off" and self.strategy != "grid":
                yield "early_stopping: off lets unpromising jobs run to their end; remove it"

    def _list_size_problems(self) -> Iterator[str]:
        jobs, parallel = self.limits.max_jobs, self.limits.max_parallel
        if self.strategy == "grid":
            if jobs is not None:
                yield "limits.max_jobs: a grid runs all of its combinations; remove it"
            yield from (
                f"ranges.{name}: a grid needs categorical values; list the values to try"
                for name, parameter_range in self.ranges.items()
                if not isinstance(parameter_range, CategoricalRangeSpec)
            )
            if self.combination_count > get_limit("tuning_training_jobs"):
                yield f"ranges: {self.combination_count} combinations are more than SageMaker's limit of " + str(
                    get_limit("tuning_training_jobs")
                )
            return
        if jobs is None:
            yield f"limits.max_jobs: is missing; {self.strategy} needs a number of jobs"
            return
        max_jobs = get_limit("tuning_training_jobs_random" if self.strategy == "random" else "tuning_training_jobs")
        if jobs > max_jobs:
            yield f"limits.max_jobs: {jobs} are more than SageMaker's limit with {self.strategy}, {max_jobs}"
        if jobs > self.combination_count:
            yield f"limits.max_jobs: the ranges have only {self.combination_count} combinations, not {jobs}"
        allowed = max(1, jobs // 10)
        if self.strategy == "bayesian" and parallel > allowed:
            yield (
                f"limits.max_parallel: {parallel} of {jobs} jobs in parallel cannot learn from each other; "
                f"use at most {allowed} (a tenth of max_jobs), or strategy: random"
            )

    @property
    def combination_count(self) -> float:
        """Number of different jobs in the ranges; infinite with a continuous range."""
        return math.prod(map(_count_values, self.ranges.values()))

    @property
    def jobs(self) -> int:
        """Maximum number of training jobs."""
        return int(self.combination_count) if self.limits.max_jobs is None else self.limits.max_jobs


def _find_middle(parameter_range: Range) -> Scalar:
    if isinstance(parameter_range, CategoricalRangeSpec):
        return parameter_range.values[len(parameter_range.values) // 2]
    low, high = parameter_range.min, parameter_range.max
    middle = math.sqrt(low * high) if parameter_range.scaling == "logarithmic" else (low + high) / 2
    return round(middle) if isinstance(parameter_range, IntegerRangeSpec) else middle


def _count_values(parameter_range: Range) -> float:
    if isinstance(parameter_range, CategoricalRangeSpec):
        return len(parameter_range.values)
    return (
        parameter_range.max - parameter_range.min + 1
        if isinstance(parameter_range, IntegerRangeSpec)
        else (math.inf if parameter_range.max > parameter_range.min else 1)
    )
