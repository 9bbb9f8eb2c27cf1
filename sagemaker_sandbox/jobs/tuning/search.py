"""The four search strategies of Automatic Model Tuning. All but the grid use optuna.

Source: Understand the hyperparameter tuning strategies, in the SageMaker developer guide.
"""

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import TYPE_CHECKING, NamedTuple, Protocol

from sagemaker_sandbox.jobs.tuning.ranges import CategoricalRange, Coordinate, Range

if TYPE_CHECKING:
    from optuna.pruners import BasePruner
    from optuna.samplers import BaseSampler
    from optuna.trial import Trial

#: Number of random points at the beginning of a Bayesian search. AWS publishes no figure; assumed.
_FIRST_POINTS = 5

#: Number of draws of a new point from the sampler, before any untried point is used.
_MAX_DRAWS = 10


class Suggestion(NamedTuple):
    """The tuned hyperparameters of one training job, in SageMaker's form."""

    number: int
    hyperparameters: Mapping[str, str]


class Search(Protocol):
    """One strategy over the ranges of one training job definition."""

    def suggest(self) -> Suggestion | None:
        """Return the next suggestion, or None if all points were tried."""

    def record(self, suggestion: Suggestion, value: float | None) -> None:
        """Record the final objective of a job; None for a job that has none."""

    def should_stop(self, suggestion: Suggestion, values: Sequence[float]) -> bool:
        """Return whether the strategy stops a job with these values of the objective, one for each epoch."""

    def learn(self, hyperparameters: Mapping[str, str], value: float) -> None:
        """Add the result of a parent's job, if its hyperparameters lie within the ranges."""

    def enqueue(self, hyperparameters: Mapping[str, str]) -> None:
        """Suggest these hyperparameters first, if they lie within the ranges."""


def create_search(
    strategy: str,
    ranges: Sequence[Range],
    *,
    maximize: bool,
    seed: int | None = None,
    resources: tuple[int, int] | None = None,
) -> Search:
    """Return the search of a strategy. `resources` are Hyperband's minimum and maximum epochs."""
    if strategy == "Grid":
        return GridSearch(ranges)
    from optuna.pruners import HyperbandPruner
    from optuna.samplers import RandomSampler, TPESampler

    seed = None if seed is None else seed % 2**32
    if strategy == "Bayesian":
        return SamplerSearch(
            ranges, TPESampler(seed=seed, n_startup_trials=_FIRST_POINTS), maximize=maximize, seed=seed
        )
    if resources is None:
        return SamplerSearch(ranges, RandomSampler(seed=seed), maximize=maximize, seed=seed)
    minimum, maximum = resources
    pruner = HyperbandPruner(min_resource=minimum, max_resource=maximum)
    return SamplerSearch(
        ranges, RandomSampler(seed=seed), maximize=maximize, seed=seed, pruner=pruner, max_epochs=maximum
    )


class GridSearch:
    """A search of every combination, in the order of the request's values."""

    def __init__(self, ranges: Sequence[Range]) -> None:
        axes = [[(item.name, value) for value in item.values] for item in ranges if isinstance(item, CategoricalRange)]
        self._combinations: Iterator[tuple[int, tuple[tuple[str, str], ...]]] = enumerate(itertools.product(*axes))

    def suggest(self) -> Suggestion | None:
        """Return the next combination."""
        combination = next(self._combinations, None)
        return None if combination is None else Suggestion(combination[0], dict(combination[1]))

    def record(self, suggestion: Suggestion, value: float | None) -> None:
        """Do nothing: a grid does not depend on results."""

    def should_stop(self, suggestion: Suggestion, values: Sequence[float]) -> bool:  # noqa: ARG002 - the protocol's
        """Return False: a grid stops no job."""
        return False

    def learn(self, hyperparameters: Mapping[str, str], value: float) -> None:
        """Do nothing: a grid does not depend on results."""

    def enqueue(self, hyperparameters: Mapping[str, str]) -> None:
        """Do nothing: a grid keeps its order."""


class SamplerSearch:
    """A search with a sampler of optuna. A job stops if `pruner` says so, and after `max_epochs`."""

    def __init__(
        self,
        ranges: Sequence[Range],
        sampler: "BaseSampler",
        *,
        maximize: bool,
        seed: int | None = None,
        pruner: "BasePruner | None" = None,
        max_epochs: float = math.inf,
    ) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._ranges, self._random = ranges, Random(seed)  # noqa: S311 - no secret
        self._distributions = {item.name: item.build_distribution() for item in ranges}
        # The name determines the Hyperband bracket of a job, so it must be constant for repeatable results.
        self._study = optuna.create_study(
            study_name="tuning",
            direction="maximize" if maximize else "minimize",
            sampler=sampler,
            pruner=pruner or optuna.pruners.NopPruner(),
        )
        self._has_pruner, self._max_epochs = pruner is not None, max_epochs
        #: Running trials by number, and the number of epochs that each has reported.
        self._trials: dict[int, Trial] = {}
        self._epochs: dict[int, int] = {}
        self._suggested: set[tuple[str, ...]] = set()

    def suggest(self) -> Suggestion | None:
        """Return a point that was not suggested before."""
        if len(self._suggested) >= math.prod(item.size for item in self._ranges):
            return None
        for _ in range(_MAX_DRAWS):
            trial, texts = self._draw()
            if tuple(texts.values()) not in self._suggested:
                break
            self._fail(trial)
        else:
            self._study.enqueue_trial(self._draw_new_point())
            trial, texts = self._draw()
        self._suggested.add(tuple(texts.values()))
        self._trials[trial.number] = trial
        return Suggestion(trial.number, texts)

    def _draw(self) -> "tuple[Trial, dict[str, str]]":
        trial = self._study.ask(self._distributions)
        return trial, {item.name: item.to_text(trial.params[item.name]) for item in self._ranges}

    def _draw_new_point(self) -> dict[str, Coordinate]:
        while True:
            point = {item.name: item.draw(self._random) for item in self._ranges}
            if tuple(item.to_text(point[item.name]) for item in self._ranges) not in self._suggested:
                return point

    def _fail(self, trial: "Trial") -> None:
        from optuna.trial import TrialState

        self._study.tell(trial, state=TrialState.FAIL)

    def record(self, suggestion: Suggestion, value: float | None) -> None:
        """Give the objective to the sampler; a failed job has none."""
        trial = self._trials.pop(suggestion.number)
        if value is None:
            self._fail(trial)
        else:
            self._study.tell(trial, value)

    def should_stop(self, suggestion: Suggestion, values: Sequence[float]) -> bool:
        """Return whether the pruner stops the trial, or the maximum of epochs is reached."""
        if not self._has_pruner:
            return False
        trial, reported_count = self._trials[suggestion.number], self._epochs.get(suggestion.number, 0)
        for epoch, value in enumerate(values[reported_count:], reported_count + 1):
            self._epochs[suggestion.number] = epoch
            trial.report(value, epoch)
            if trial.should_prune():
                return True
        return len(values) >= self._max_epochs

    def learn(self, hyperparameters: Mapping[str, str], value: float) -> None:
        """Add an observation to the sampler."""
        from optuna.trial import create_trial

        point = self._make_point(hyperparameters)
        if point is not None:
            self._study.add_trial(create_trial(params=point, distributions=self._distributions, value=value))

    def enqueue(self, hyperparameters: Mapping[str, str]) -> None:
        """Suggest these hyperparameters next, after those that were enqueued before."""
        point = self._make_point(hyperparameters)
        if point is not None:
            self._study.enqueue_trial(point, skip_if_exists=True)

    def _make_point(self, hyperparameters: Mapping[str, str]) -> dict[str, Coordinate] | None:
        point: dict[str, Coordinate] = {}
        for item in self._ranges:
            coordinate = item.find_coordinate(hyperparameters.get(item.name, ""))
            if coordinate is None:
                return None
            point[item.name] = coordinate
        return point
