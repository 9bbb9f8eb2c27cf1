"""Names of the plans that are reviewed together."""

from collections.abc import Sequence
from pathlib import Path

from sustainable_mlops.base.errors import UserError

STDIN = "-"


def name_plans(plans: Sequence[str], explicit_names: Sequence[str]) -> list[str]:
    """Return a name for each of `plans`, which are paths or `-`.

    The names are `explicit_names`, in order, or derived from the paths. A single plan has its path as its name.
    Several plans have the shortest part that differs: `envs/dev/plan.json` and `envs/prod/plan.json` are `dev` and
    `prod`. Raises UserError if the names are not different.
    """
    _refuse_duplicates(plans)
    if not explicit_names:
        return _name_by_path(plans)
    if len(explicit_names) != len(plans):
        raise UserError(
            f"--name: {len(explicit_names)} names for {len(plans)} plans; pass one name per plan, in order, or none"
        )
    for name in explicit_names:
        if explicit_names.count(name) > 1 or not name.strip():
            raise UserError(f"--name {name}: must be different for each plan" if name.strip() else "--name: is empty")
    return list(map(_make_printable, explicit_names))


def get_label(plan: str) -> str:
    """Return the name of the file for messages."""
    return "stdin" if plan == STDIN else plan


def _refuse_duplicates(plans: Sequence[str]) -> None:
    known_paths = set()
    for plan in plans:
        if Path(plan) in known_paths:
            raise UserError(
                "-: stdin can be read only once; pass - once"
                if plan == STDIN
                else f"{plan}: appears twice; pass each plan once"
            )
        known_paths.add(Path(plan))


def _name_by_path(plans: Sequence[str]) -> list[str]:
    labels = [_make_printable(get_label(plan)) for plan in plans]
    if len(labels) == 1:
        return labels
    parts = [(*path.parts[:-1], path.stem) for path in map(Path, labels)]
    for position in range(1, min(map(len, parts)) + 1):
        names = [path_parts[-position] for path_parts in parts]
        if len(set(names)) == len(names):
            return names
    start = _count_common_parts(parts)
    end = _count_common_parts([path_parts[start:][:0:-1] for path_parts in parts])
    names = ["/".join(path_parts[start : len(path_parts) - end]) for path_parts in parts]
    return names if len(set(names)) == len(names) and all(names) else labels


def _count_common_parts(parts: Sequence[Sequence[str]]) -> int:
    """Return the number of parts that all paths start with."""
    length = min(map(len, parts))
    return next(
        (position for position in range(length) if len({path_parts[position] for path_parts in parts}) > 1), length
    )


def _make_printable(name: str) -> str:
    """Return the name without bytes that are not UTF-8, which cannot be written."""
    return name.encode(errors="surrogateescape").decode(errors="replace")
