"""AMT's four strategies: what to try next. optuna is behind all but the grid.

Source: Understand the hyperparameter tuning strategies, in the SageMaker developer guide.
"""

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import TYPE_CHECKING, NamedTuple, Protocol

from sagemaker_sandbox.tuning.ranges import CategoricalRange, Coordinate, Range

if TYPE_CHECKING:
    from optuna.pruners import BasePruner
    from optuna.samplers import BaseSampler
    from optuna.trial import Trial

#: Random points that a Bayesian search begins with. AWS publishes no figure; assumed.
_FIRST_POINTS = 5

#: How often the sampler may come back to what was tried, before any other point is as good.
_DRAWS = 10


class Suggestion(NamedTuple):
    """What one training job is to try: the tuned hyperparameters, as SageMaker passes them."""

    number: int
    hyperparameters: Mapping[str, str]


class Search(Protocol):
    """One strategy over the ranges of one training job definition."""

    def ask(self) -> Suggestion | None:
        """What to try next; None where all has been tried."""

    def tell(self, suggestion: Suggestion, value: float | None) -> None:
        """The final objective of a job; None for a job that has none."""

    def stops(self, suggestion: Suggestion, values: Sequence[float]) -> bool:
        """Whether the strategy itself stops a job with these values of the objective, one an epoch."""

    def learn(self, hyperparameters: Mapping[str, str], value: float) -> None:
        """Take a job of a parent for one of its own, where its hyperparameters lie within the ranges."""

    def begin_with(self, hyperparameters: Mapping[str, str]) -> None:
        """Try these first, where they lie within the ranges."""


def make_search(
    strategy: str,
    ranges: Sequence[Range],
    *,
    maximize: bool,
    seed: int | None = None,
    resources: tuple[int, int] | None = None,
) -> Search:
    """The search of that strategy. `resources` are Hyperband's least and most epochs; the same `seed` repeats it."""
    if strategy == "Grid":
        return Grid(ranges)
    from optuna.pruners import HyperbandPruner
    from optuna.samplers import RandomSampler, TPESampler

    seed = None if seed is None else seed % 2**32
    if strategy == "Bayesian":
        return Sampled(ranges, TPESampler(seed=seed, n_startup_trials=_FIRST_POINTS), maximize=maximize, seed=seed)
    if resources is None:
        return Sampled(ranges, RandomSampler(seed=seed), maximize=maximize, seed=seed)
    least, most = resources
    pruner = HyperbandPruner(min_resource=least, max_resource=most)
    return Sampled(ranges, RandomSampler(seed=seed), maximize=maximize, seed=seed, pruner=pruner, most_epochs=most)


class Grid:
    """Every combination once, in the order in which the values are given."""

    def __init__(self, ranges: Sequence[Range]) -> None:
        axes = [[(one.name, value) for value in one.values] for one in ranges if isinstance(one, CategoricalRange)]
        self._left: Iterator[tuple[int, tuple[tuple[str, str], ...]]] = enumerate(itertools.product(*axes))

    def ask(self) -> Suggestion | None:
        """The next combination."""
        found = next(self._left, None)
        return None if found is None else Suggestion(found[0], dict(found[1]))

    def tell(self, suggestion: Suggestion, value: float | None) -> None:
        """No result changes what a grid tries."""

    def stops(self, suggestion: Suggestion, values: Sequence[float]) -> bool:  # noqa: ARG002 - the protocol's
        """Never."""
        return False

    def learn(self, hyperparameters: Mapping[str, str], value: float) -> None:
        """No result changes what a grid tries."""

    def begin_with(self, hyperparameters: Mapping[str, str]) -> None:
        """A grid keeps its order."""


class Sampled:
    """A sampler of optuna's proposes, and with `pruner` a job goes on only while that lets it.

    A job is stopped after `most_epochs` in any case.
    """

    def __init__(
        self,
        ranges: Sequence[Range],
        sampler: "BaseSampler",
        *,
        maximize: bool,
        seed: int | None = None,
        pruner: "BasePruner | None" = None,
        most_epochs: float = math.inf,
    ) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._ranges, self._random = ranges, Random(seed)  # noqa: S311 - no secret
        self._distributions = {one.name: one.distribution() for one in ranges}
        # The name decides which bracket of Hyperband a job belongs to: a random one could not be repeated.
        self._study = optuna.create_study(
            study_name="tuning",
            direction="maximize" if maximize else "minimize",
            sampler=sampler,
            pruner=pruner or optuna.pruners.NopPruner(),
        )
        self._prunes, self._most_epochs = pruner is not None, most_epochs
        #: Trials that run, by number, and how many epochs each has reported.
        self._trials: dict[int, Trial] = {}
        self._epochs: dict[int, int] = {}
        self._seen: set[tuple[str, ...]] = set()

    def ask(self) -> Suggestion | None:
        """A point that was not tried before."""
        if len(self._seen) >= math.prod(one.size for one in self._ranges):
            return None
        for _ in range(_DRAWS):
            trial, texts = self._draw()
            if tuple(texts.values()) not in self._seen:
                break
            self._fail(trial)
        else:
            self._study.enqueue_trial(self._untried())
            trial, texts = self._draw()
        self._seen.add(tuple(texts.values()))
        self._trials[trial.number] = trial
        return Suggestion(trial.number, texts)

    def _draw(self) -> "tuple[Trial, dict[str, str]]":
        trial = self._study.ask(self._distributions)
        return trial, {one.name: one.text(trial.params[one.name]) for one in self._ranges}

    def _untried(self) -> dict[str, Coordinate]:
        while True:
            point = {one.name: one.anywhere(self._random) for one in self._ranges}
            if tuple(one.text(point[one.name]) for one in self._ranges) not in self._seen:
                return point

    def _fail(self, trial: "Trial") -> None:
        from optuna.trial import TrialState

        self._study.tell(trial, state=TrialState.FAIL)

    def tell(self, suggestion: Suggestion, value: float | None) -> None:
        """The sampler learns from it; of a job that failed only that it is over."""
        trial = self._trials.pop(suggestion.number)
        if value is None:
            self._fail(trial)
        else:
            self._study.tell(trial, value)

    def stops(self, suggestion: Suggestion, values: Sequence[float]) -> bool:
        """Where the pruner says so, or after the most epochs."""
        if not self._prunes:
            return False
        trial, reported = self._trials[suggestion.number], self._epochs.get(suggestion.number, 0)
        for epoch, value in enumerate(values[reported:], reported + 1):
            self._epochs[suggestion.number] = epoch
            trial.report(value, epoch)
            if trial.should_prune():
                return True
        return len(values) >= self._most_epochs

    def learn(self, hyperparameters: Mapping[str, str], value: float) -> None:
        """One more observation for the sampler."""
        from optuna.trial import create_trial

        point = self._point(hyperparameters)
        if point is not None:
            self._study.add_trial(create_trial(params=point, distributions=self._distributions, value=value))

    def begin_with(self, hyperparameters: Mapping[str, str]) -> None:
        """The next proposal, after what else is to be tried first."""
        point = self._point(hyperparameters)
        if point is not None:
            self._study.enqueue_trial(point, skip_if_exists=True)

    def _point(self, hyperparameters: Mapping[str, str]) -> dict[str, Coordinate] | None:
        point: dict[str, Coordinate] = {}
        for one in self._ranges:
            coordinate = one.coordinate(hyperparameters.get(one.name, ""))
            if coordinate is None:
                return None
            point[one.name] = coordinate
        return point
