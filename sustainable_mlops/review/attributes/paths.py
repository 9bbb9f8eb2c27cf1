"""Paths of attributes without positions, in lower case."""

from sustainable_mlops.base.lazy_pattern import LazyPattern

_CAPITAL = LazyPattern(r"(?<=[a-z0-9])(?=[A-Z])")
_SEPARATORS = LazyPattern(r"[^a-z0-9]+")


def normalize_name(name: str) -> str:
    """Return the name in lower case with underscores: `readonlyRootFilesystem` as `readonly_root_filesystem`."""
    return _SEPARATORS.sub("_", _CAPITAL.sub("_", name).lower()).strip("_") or "_"


def normalize_path(path: str) -> str:
    """Return the path without positions, as in `attribute_changes.changes`."""
    parts = (part for part in path.split(".") if not part.isdecimal() and part != "*")
    return ".".join(normalize_name(part) for part in parts)


def contains_path(paths: frozenset[str], path: str) -> bool:
    """Return whether `paths` contain the path or a block around it."""
    names = path.split(".")
    return any(".".join(names[:length]) in paths for length in range(1, len(names) + 1))
