"""The functions in use: each one's name in HCL and the same in Python.

Sets are sorted lists here, and maps are gone through by key, as Terraform does.
"""

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NoReturn


@dataclass(frozen=True)
class Function:
    """`hcl` is its name there, `python` what it gives for values; of one that `spreads` the arguments are a list."""

    hcl: str
    python: Callable[..., Any]
    spreads: bool = False


def by_key(collection: Any) -> list[tuple[Any, Any]]:
    """Keys and items of a mapping, a model or a list, in Terraform's order."""
    if isinstance(collection, Mapping):
        return sorted(collection.items())
    if hasattr(collection, "model_fields_set"):
        return sorted(dict(collection).items())
    return list(enumerate(sorted(collection) if isinstance(collection, set | frozenset) else collection))


def number(value: Any) -> Any:
    """A value that is a number, in decimal where it is no integer. Raises ValueError on another."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{value!r} is no number")
    return Decimal(repr(value)) if isinstance(value, float) else value


def _given(value: Any) -> Any:
    if value is None:
        raise ValueError("null is neither looked for nor looked up")
    return value


def _merged(maps: Iterable[Any]) -> dict[Any, Any]:
    return {key: item for mapping in maps for key, item in by_key(mapping)}


def _rows(text: str) -> list[dict[str, str]]:
    header, *rows = filter(None, csv.reader(io.StringIO(text)))
    return [dict(zip(header, row, strict=True)) for row in rows]


def _of_terraform(*_: Any) -> NoReturn:
    raise ValueError("files are read by Terraform alone")


def _first(*values: Any) -> Any:
    for value in values:
        if value not in (None, ""):
            return value
    raise ValueError("no value is given")


def _one(items: list[Any]) -> Any:
    (item,) = items or [None]
    return item


def _regex(pattern: str, text: str) -> Any:
    found = re.search(pattern, text)
    if found is None:
        raise ValueError(f"nothing in {text!r} matches {pattern}")
    return list(found.groups()) if found.groups() else found[0]


def _shortest(text: str) -> int | float:
    return int(float(text)) if float(text).is_integer() else float(text)


def _json(value: Any) -> str:
    whole = json.loads(json.dumps(value, default=dict), parse_float=_shortest)  # 2.0 is 2 to Terraform
    text = json.dumps(whole, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.translate({ord(character): f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"})


def _set(items: Iterable[Any]) -> list[Any]:
    return sorted(set(items))


FUNCTIONS = {
    # Their argument may be an error, so that it is evaluated by itself.
    "can": Function("can", lambda _: True),
    "try": Function("try", lambda value, _: value),
    "coalesce": Function("coalesce", _first),
    "concat": Function("concat", lambda *lists: [item for items in lists for item in items]),
    "contains": Function("contains", lambda items, item: _given(item) in items),
    "csv": Function("csvdecode", _rows),
    "cut": Function("substr", lambda text, start, length: text[start : start + length]),
    "decoded": Function("jsondecode", json.loads),
    "distinct": Function("distinct", lambda items: list(dict.fromkeys(items))),
    "file": Function("file", _of_terraform),
    "filled": Function("templatefile", _of_terraform),
    "flatten": Function("flatten", lambda lists: [item for items in lists for item in items]),
    "format": Function("format", lambda pattern, value: format(number(value), pattern.removeprefix("%"))),
    "get": Function("lookup", lambda mapping, key, default: mapping.get(_given(key), default)),
    "highest": Function("max", lambda values: max(map(number, values)), spreads=True),
    "holds": Function("strcontains", lambda text, part: part in text),
    "join": Function("join", lambda separator, items: separator.join(items)),
    "json": Function("jsonencode", _json),
    "keys": Function("keys", lambda mapping: [key for key, _ in by_key(mapping)]),
    "length": Function("length", len),
    "lower": Function("lower", lambda text: text.lower()),
    "lowest": Function("min", lambda values: min(map(number, values)), spreads=True),
    "merge": Function("merge", lambda *maps: _merged(maps)),
    "merged": Function("merge", _merged, spreads=True),
    "one": Function("one", _one),
    "optional": Function("[*]", lambda value: [] if value is None else [value]),
    "regex": Function("regex", _regex),
    "replace": Function("replace", lambda text, old, new: text.replace(old, new)),
    "set_of": Function("toset", _set),
    "shared": Function("setintersection", lambda one, other: _set(set(one) & set(other))),
    "split": Function("split", lambda separator, text: text.split(separator)),
    "title": Function("title", lambda text: re.sub(r"(?<![A-Za-z0-9_])[a-z]", lambda found: found[0].upper(), text)),
    "upper": Function("upper", lambda text: text.upper()),
    "without": Function("setsubtract", lambda one, other: _set(set(one) - set(other))),
    # `every` is a comprehension whose items must all be true.
    "all": Function("alltrue", all),
}
