"""What reports call the plans that are reviewed together."""

from collections.abc import Sequence
from pathlib import Path

from sustainable_mlops.errors import UserError

STDIN = "-"


def names(plans: Sequence[str], given: Sequence[str]) -> list[str]:
    """A name for each of `plans`, which are paths or `-`: those `given`, in order, else by the paths.

    A lone plan is called by its path; several by the shortest part that tells them apart: `envs/dev/plan.json` and
    `envs/prod/plan.json` are `dev` and `prod`. Raises UserError where that is not one different name each.
    """
    _refuse_twice(plans)
    if not given:
        return _by_path(plans)
    if len(given) != len(plans):
        raise UserError(f"--name: {len(given)} given for {len(plans)} plans; give each its own, in order, or none")
    for name in given:
        if given.count(name) > 1 or not name.strip():
            raise UserError(f"--name {name}: must be different for each plan" if name.strip() else "--name: is empty")
    return list(map(_printable, given))


def label(plan: str) -> str:
    """How messages call the file."""
    return "stdin" if plan == STDIN else plan


def _refuse_twice(plans: Sequence[str]) -> None:
    seen = set()
    for plan in plans:
        if Path(plan) in seen:
            raise UserError("-: stdin can be read once" if plan == STDIN else f"{plan}: is given twice")
        seen.add(Path(plan))


def _by_path(plans: Sequence[str]) -> list[str]:
    labels = [_printable(label(plan)) for plan in plans]
    if len(labels) == 1:
        return labels
    parts = [(*path.parts[:-1], path.stem) for path in map(Path, labels)]
    for position in range(1, min(map(len, parts)) + 1):
        found = [one[-position] for one in parts]
        if len(set(found)) == len(found):
            return found
    start = _common(parts)
    end = _common([one[start:][:0:-1] for one in parts])
    found = ["/".join(one[start : len(one) - end]) for one in parts]
    return found if len(set(found)) == len(found) and all(found) else labels


def _common(parts: Sequence[Sequence[str]]) -> int:
    """How many parts all of them start with."""
    length = min(map(len, parts))
    return next((at for at in range(length) if len({one[at] for one in parts}) > 1), length)


def _printable(name: str) -> str:
    """What is no UTF-8 in an argument cannot be written either."""
    return name.encode(errors="surrogateescape").decode(errors="replace")
