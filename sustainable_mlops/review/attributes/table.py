"""The list of attributes, specific before general: rows of types, rows of any type, patterns of names."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from sustainable_mlops.review.attributes.paths import contains_path, normalize_path
from sustainable_mlops.review.attributes.row import AttributeRow
from sustainable_mlops.review.attributes.rows.access import ACCESS_ROWS
from sustainable_mlops.review.attributes.rows.any_type import NAME_ROWS, PATH_ROWS
from sustainable_mlops.review.attributes.rows.data import DATA_ROWS
from sustainable_mlops.review.attributes.rows.neutral import CONTENT_PATTERNS, CONTENT_ROWS, NEUTRAL_PATTERNS
from sustainable_mlops.review.attributes.rows.safeguards import SAFEGUARD_ROWS
from sustainable_mlops.review.attributes.rows.trust import TRUST_ROWS
from sustainable_mlops.review.risk import Level, RiskArea
from sustainable_mlops.review.stores import find_data_store

_PATTERNS = CONTENT_PATTERNS + NAME_ROWS + NEUTRAL_PATTERNS
ROWS: tuple[AttributeRow, ...] = (
    *(DATA_ROWS + ACCESS_ROWS + SAFEGUARD_ROWS + TRUST_ROWS + CONTENT_ROWS),
    *PATH_ROWS,
    *_PATTERNS,
)
ROWS_BY_TYPE: dict[str, list[AttributeRow]] = {}
for _row in ROWS:
    for _type in _row.types:
        ROWS_BY_TYPE.setdefault(_type, []).append(_row)
#: Names that need the name of their block: `public_access.type` is read as `public_access_type`.
_GENERIC_NAMES = frozenset({"type", "types", "mode", "value", "option", "level", "none", "count"})


@lru_cache(maxsize=4096)
def list_rows(type_: str) -> tuple[AttributeRow, ...]:
    """Return the rows of a type with a path, its own rows first.

    For a type without data of its own, protections of deletion and backups have the level `look`.
    """
    own = ROWS_BY_TYPE.get(type_, [])
    paths = {path for row in own for path in row.paths}
    data_store = find_data_store(type_)
    is_minor = data_store is None or data_store.level is not Level.STOP
    return (
        *own,
        *(
            row._replace(level=Level.LOOK) if is_minor and row.area is RiskArea.DATA else row
            for row in PATH_ROWS
            if row.path not in paths
        ),
    )


@lru_cache(maxsize=16384)
def list_path_rows(type_: str, path: str) -> list[AttributeRow]:
    """Return the rows of a type whose path is `path`, or a block around it."""
    rows = ((row, frozenset(map(normalize_path, row.paths))) for row in list_rows(type_))
    return [row for row, paths in rows if contains_path(paths, path)]


def find_name_row(path: str, values: Iterable[Any]) -> AttributeRow | None:
    """Return the first row that matches the name of an attribute, or these values of it."""
    shown = [*values]
    return next((row for row in _list_candidates(path) if row.matches_value is None or _match_all(row, shown)), None)


def _match_all(row: AttributeRow, values: list[Any]) -> bool:
    return row.matches_value is not None and bool(values) and all(map(row.matches_value, values))


@lru_cache(maxsize=16384)
def _list_candidates(path: str) -> list[AttributeRow]:
    *outer, name = path.split(".")
    full_path = ".".join([*outer[:-1], f"{outer[-1]}_{name}"]) if outer and name in _GENERIC_NAMES else path
    return [row for row in _PATTERNS if row.names and row.names.fullmatch(path if row.is_weaker is None else full_path)]
