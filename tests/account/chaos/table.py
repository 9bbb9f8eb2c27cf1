"""Table of the chaos script, which docs/environments.md shows for one seed."""

import random
from collections.abc import Iterator, Sequence

from tests.account.chaos.case import FaultKind, Operation, Result

#: Rows of the table.
LABELS = {
    Operation.APPLY: "apply of an environment",
    Operation.LAUNCH: "training",
    Operation.PIPELINE: "pipeline",
    Operation.PROMOTION: "promotion and its apply",
}
#: Columns of the table for the kinds of faults.
COLUMNS = {
    FaultKind.BEFORE_EFFECT: "before effect",
    FaultKind.AFTER_EFFECT: "response lost",
    FaultKind.THROTTLING: "throttling",
    FaultKind.EXPIRED: "expired credentials",
    FaultKind.KILLED: "killed",
}


def draw_seeds(seed: int, count: int) -> list[int]:
    """Return the seeds of the cases of a run."""
    source = random.Random(seed)  # noqa: S311 no secret
    return [source.randrange(2**32) for _ in range(count)]


def format_table(results: Sequence[Result]) -> Iterator[str]:
    """Yield the lines of the table of the page."""
    yield f"| operation | {' | '.join(COLUMNS.values())} | completed by client retries | converged |"
    yield f"|---|{'---:|' * (len(COLUMNS) + 2)}"
    for operation, label in LABELS.items():
        own = [one for one in results if one.operation == operation]
        kinds = [sum(one.kind == kind for one in own) for kind in COLUMNS]
        converged = [one for one in own if one.converged and not one.problem]
        retried = sum(not one.commands for one in converged)
        yield f"| {label} | {' | '.join(map(str, kinds))} | {retried} | {len(converged)} of {len(own)} |"
