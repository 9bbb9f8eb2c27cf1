"""What a person writes to tune: `tune.yaml`, a training and what is to be searched."""

import math
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, Tag, field_validator, model_validator

from sustainable_mlops.catalogue.limits import limit
from sustainable_mlops.jobs.platform import InlinePlatform
from sustainable_mlops.jobs.specs.common import Name, Network, Scalar, Source, Text, UtilizationFloor
from sustainable_mlops.jobs.specs.training import Training
from sustainable_mlops.settings import Settings

Scaling = Literal["auto", "linear", "logarithmic", "reverse_logarithmic"]

_SCALING = "How values are spread: auto lets SageMaker choose; logarithmic where a factor counts, not a difference."


class _Numbers(Settings):
    """What numeric ranges share."""

    scaling: Scaling = Field("auto", description=_SCALING)

    def _check(self, low: float, high: float) -> None:
        if not (math.isfinite(low) and math.isfinite(high)):
            raise ValueError("min and max must be finite")
        if low > high:
            raise ValueError(f"min ({low:g}) is above max ({high:g})")
        if self.scaling == "logarithmic" and low <= 0:
            raise ValueError(f"logarithmic scaling takes numbers above 0 only, not {low:g}; use linear")
        if self.scaling == "reverse_logarithmic" and not 0 <= low <= high < 1:
            raise ValueError("reverse_logarithmic scaling takes numbers from 0 to below 1 only; use linear")


class Continuous(_Numbers):
    """Numbers from min to max."""

    type: Literal["continuous"]
    min: float
    max: float

    @model_validator(mode="after")
    def _range(self) -> Self:
        self._check(self.min, self.max)
        return self


class Integer(_Numbers):
    """Whole numbers from min to max."""

    type: Literal["integer"]
    min: int
    max: int

    @model_validator(mode="after")
    def _range(self) -> Self:
        self._check(self.min, self.max)
        if self.scaling == "reverse_logarithmic":
            raise ValueError("reverse_logarithmic scaling is for continuous ranges")
        return self


class Categorical(Settings):
    """One of some values."""

    type: Literal["categorical"]
    values: list[Scalar] = Field(min_length=1, max_length=30)

    @field_validator("values")
    @classmethod
    def _once(cls, values: list[Scalar]) -> list[Scalar]:
        if len({(type(value), value) for value in values}) < len(values):
            raise ValueError("holds a value more than once")
        return values


Range = Annotated[Continuous | Integer | Categorical, Discriminator("type")]


class Objective(Settings):
    """What makes one model better than another."""

    metric: Text = Field(description="One of the training's metrics, printed after every epoch and at the end.")
    goal: Literal["maximize", "minimize"]


class Hyperband(Settings):
    """Epochs that the strategy deals out. The script must print the objective once an epoch, and save its model as it
    goes: a job is stopped after the last epoch at the latest."""

    min_epochs: int = Field(1, ge=1, description="A training goes on at least so long.")
    max_epochs: int = Field(ge=1, le=limit("tuning_hyperband_resource"), description="The longest training.")

    @model_validator(mode="after")
    def _range(self) -> Self:
        if self.min_epochs > self.max_epochs:
            raise ValueError(f"min_epochs ({self.min_epochs}) is above max_epochs ({self.max_epochs})")
        return self


class Completion(Settings):
    """What ends the search before it has run every job."""

    target: float | None = Field(None, description="The objective is as good as this.")
    jobs_without_improvement: int | None = Field(None, ge=3, description="So many jobs in a row were no better.")
    convergence: bool = Field(False, description="SageMaker finds that more jobs are unlikely to do better.")


class TuningLimits(Settings):
    """How far the search goes, whatever it finds. `training.limits` are each job's own."""

    max_jobs: int | None = Field(
        None, ge=1, description="Trainings at most; needed but for a grid, which has its combinations."
    )
    max_parallel: int = Field(
        1,
        ge=1,
        le=limit("tuning_parallel_training_jobs"),
        description="At once; bayesian: a tenth of max_jobs at most.",
    )
    max_runtime_minutes: int = Field(ge=2, le=15768000 // 60, description="Longest search, in minutes.")
    completion: Completion = Field(Completion())


class WarmStart(Settings):
    """Earlier tunings to begin from. Their jobs count towards SageMaker's limit, not towards max_jobs."""

    parents: list[Text] = Field(min_length=1, max_length=5, description="Names of tuning jobs, or records of runs.")
    type: Literal["identical", "transfer"] = Field(
        "identical", description="identical: same data and code, so results count; transfer: they are hints."
    )


def _training_form(training: object) -> str:
    return "<path>" if isinstance(training, str) else "<inline>"


class Tuning(Settings):
    """A tuning, as `tune.yaml` describes it."""

    name: Name = Field(
        description="Letters, digits, single hyphens: starts the names of the tuning and its jobs, which have room for "
        "9 characters of it."
    )
    training: Annotated[
        Annotated[Text, Tag("<path>")] | Annotated[Training, Tag("<inline>")], Discriminator(_training_form)
    ] = Field(description="What each job does: a job file, relative to this one, or the same document written here.")
    objective: Objective
    ranges: dict[Text, Range] = Field(
        min_length=1,
        max_length=limit("tuning_hyperparameters"),
        description="Hyperparameter to what is tried of it, in place of the training's own value.",
    )
    strategy: Literal["bayesian", "hyperband", "random", "grid"] = Field(
        "bayesian", description="bayesian learns from every job; hyperband stops the worse half again and again."
    )
    early_stopping: Literal["auto", "off"] | None = Field(
        None, description="auto stops jobs that will not win: as the strategy wants it unless given."
    )
    hyperband: Hyperband | None = Field(None, description="Only with strategy: hyperband, which needs it.")
    limits: TuningLimits
    warm_start: WarmStart | None = None
    seed: int = Field(0, ge=0, le=2**31 - 1, description="The same seed makes the same proposals.")

    @property
    def job(self) -> Training:
        """The training, once the file that names it was read with its own."""
        if isinstance(self.training, str):
            raise TypeError(f"the job file {self.training} was not read")
        return self.training

    @property
    def platform(self) -> str | InlinePlatform:
        """The training's, as all that a job of its own would have."""
        return self.job.platform

    @property
    def network(self) -> Network:
        """The training's."""
        return self.job.network

    @property
    def tags(self) -> Mapping[str, str]:
        """The training's."""
        return self.job.tags

    @property
    def workload(self) -> str:
        """The training's: its best model is one of that workload's."""
        return self.job.workload

    @property
    def code(self) -> Source:
        """The code that trains."""
        return self.job.code

    @property
    def parameters(self) -> Mapping[str, Scalar]:
        """What every job has alike."""
        return {name: value for name, value in self.job.parameters.items() if name not in self.ranges}

    @property
    def resumable(self) -> bool:
        """Whether an interrupted job goes on from its checkpoints."""
        return self.job.resumable

    @property
    def floor(self) -> UtilizationFloor | None:
        """Of each job's limits."""
        return self.job.floor

    @property
    def decides(self) -> Mapping[str, Any]:
        """All of the training that does, and the whole search: one with other limits may find something else."""
        search = self.model_dump(mode="json", exclude={"name", "training", "early_stopping"})
        own = {"hyperparameters": dict(self.parameters), "search": {**search, "stops_early": self.stops_early}}
        return {"kind": "tuning", **self.job.decides, **own}

    @property
    def stops_early(self) -> bool:
        """Whether SageMaker compares running jobs with those before, and stops the worse."""
        return self.strategy != "hyperband" if self.early_stopping is None else self.early_stopping == "auto"

    @field_validator("ranges")
    @classmethod
    def _free_names(cls, ranges: dict[str, Range]) -> dict[str, Range]:
        for name in ranges:
            if name.startswith(("sagemaker_", "_")):
                raise ValueError(f"'{name}' is set by the launcher or SageMaker; remove it")
        return ranges

    @model_validator(mode="after")
    def _combinations(self) -> Self:
        for problem in (*self._stopping(), *self._size()):
            raise ValueError(problem)
        return self

    def _stopping(self) -> Iterator[str]:
        if self.strategy == "hyperband":
            if self.early_stopping == "auto":
                yield "early_stopping: hyperband stops jobs itself, and SageMaker refuses auto with it; remove it"
            if self.hyperband is None:
                yield "hyperband: is missing; give max_epochs, as often as a training prints its objective"
        else:
            if self.hyperband is not None:
                yield f"hyperband: is for that strategy, not for {self.strategy}; remove it"
            if self.early_stopping == "off" and self.strategy != "grid":
                yield "early_stopping: off lets jobs that will not win run to their end; remove it"

    def _size(self) -> Iterator[str]:
        jobs, parallel = self.limits.max_jobs, self.limits.max_parallel
        if self.strategy == "grid":
            if jobs is not None:
                yield "limits.max_jobs: a grid runs each of its combinations; remove it"
            yield from (
                f"ranges.{name}: a grid takes categorical values only; list those to be tried"
                for name, one in self.ranges.items()
                if not isinstance(one, Categorical)
            )
            if self.combinations > limit("tuning_training_jobs"):
                yield f"ranges: {self.combinations} combinations are more than SageMaker's most, " + str(
                    limit("tuning_training_jobs")
                )
            return
        if jobs is None:
            yield f"limits.max_jobs: is missing; {self.strategy} runs as many as you say"
            return
        most = limit("tuning_training_jobs_random" if self.strategy == "random" else "tuning_training_jobs")
        if jobs > most:
            yield f"limits.max_jobs: {jobs} are more than SageMaker's most with {self.strategy}, {most}"
        if jobs > self.combinations:
            yield f"limits.max_jobs: there are only {self.combinations} combinations of the ranges' values, not {jobs}"
        allowed = max(1, jobs // 10)
        if self.strategy == "bayesian" and parallel > allowed:
            yield (
                f"limits.max_parallel: {parallel} of {jobs} jobs at once could not learn from each other; "
                f"use {allowed} at most (a tenth of max_jobs), or strategy: random"
            )

    @property
    def combinations(self) -> float:
        """How many different jobs the ranges allow; infinite with a continuous one."""
        return math.prod(map(_size, self.ranges.values()))

    @property
    def jobs(self) -> int:
        """Trainings at most."""
        return int(self.combinations) if self.limits.max_jobs is None else self.limits.max_jobs


def _size(one: Range) -> float:
    if isinstance(one, Categorical):
        return len(one.values)
    return one.max - one.min + 1 if isinstance(one, Integer) else (math.inf if one.max > one.min else 1)
