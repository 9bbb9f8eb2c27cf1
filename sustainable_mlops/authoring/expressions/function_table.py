"""Terraform functions in use: their HCL names and their Python equivalents.

Sets are sorted lists here. Maps are iterated in the order of their keys, as in Terraform.
"""

import base64
import csv
import hashlib
import io
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NoReturn


@dataclass(frozen=True)
class TerraformFunction:
    """Function with its HCL name and its Python equivalent; with `spreads`, its argument is a list of arguments."""

    hcl: str
    python: Callable[..., Any]
    spreads: bool = False


def list_items(collection: Any) -> list[tuple[Any, Any]]:
    """Return the keys and items of a mapping, a model or a list, in Terraform's order."""
    if isinstance(collection, Mapping):
        return sorted(collection.items())
    if hasattr(collection, "model_fields_set"):
        return sorted(dict(collection).items())
    return list(enumerate(sorted(collection) if isinstance(collection, set | frozenset) else collection))


def require_number(value: Any) -> Any:
    """Return a number, as Decimal if it is not an integer. Raises ValueError for other values."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{value!r} is not a number")
    return Decimal(repr(value)) if isinstance(value, float) else value


def _require_not_null(value: Any) -> Any:
    if value is None:
        raise ValueError("null cannot be looked up")
    return value


def _merge(maps: Iterable[Any]) -> dict[Any, Any]:
    return {key: item for mapping in maps for key, item in list_items(mapping)}


def _decode_csv(text: str) -> list[dict[str, str]]:
    header, *rows = filter(None, csv.reader(io.StringIO(text)))
    return [dict(zip(header, row, strict=True)) for row in rows]


def _refuse_file(*_: Any) -> NoReturn:
    raise ValueError("only Terraform can read files")


def _remove_duplicates(items: Iterable[Any]) -> list[Any]:
    """Return the items in the order of their first occurrence. Items may be lists, which have no hash."""
    unique: list[Any] = []
    for item in items:
        if item not in unique:
            unique.append(item)
    return unique


def _coalesce(*values: Any) -> Any:
    for value in values:
        if value not in (None, ""):
            return value
    raise ValueError("all values are null or empty")


def _get_only_item(items: list[Any]) -> Any:
    (item,) = items or [None]
    return item


def _match(pattern: str, text: str) -> Any:
    match = re.search(pattern, text)
    if match is None:
        raise ValueError(f"nothing in {text!r} matches {pattern}")
    return list(match.groups()) if match.groups() else match[0]


def _parse_number(text: str) -> int | float:
    return int(float(text)) if float(text).is_integer() else float(text)


def _encode_json(value: Any) -> str:
    whole = json.loads(json.dumps(value, default=dict), parse_float=_parse_number)  # 2.0 is 2 to Terraform
    text = json.dumps(whole, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.translate({ord(character): f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"})


def _set(items: Iterable[Any]) -> list[Any]:
    return sorted(set(items))


FUNCTIONS = {
    # `can` and `try` are evaluated separately, because their argument may fail.
    "can": TerraformFunction("can", lambda _: True),
    "try": TerraformFunction("try", lambda value, _: value),
    "coalesce": TerraformFunction("coalesce", _coalesce),
    "concat": TerraformFunction("concat", lambda *lists: [item for items in lists for item in items]),
    "contains": TerraformFunction("contains", lambda items, item: _require_not_null(item) in items),
    "csv": TerraformFunction("csvdecode", _decode_csv),
    "truncate": TerraformFunction("substr", lambda text, start, length: text[start : start + length]),
    "decoded": TerraformFunction("jsondecode", json.loads),
    "distinct": TerraformFunction("distinct", _remove_duplicates),
    "file": TerraformFunction("file", _refuse_file),
    "filled": TerraformFunction("templatefile", _refuse_file),
    "flatten": TerraformFunction("flatten", lambda lists: [item for items in lists for item in items]),
    "format": TerraformFunction(
        "format", lambda pattern, value: format(require_number(value), pattern.removeprefix("%"))
    ),
    "get": TerraformFunction("lookup", lambda mapping, key, default: mapping.get(_require_not_null(key), default)),
    "highest": TerraformFunction("max", lambda values: max(map(require_number, values)), spreads=True),
    "holds": TerraformFunction("strcontains", lambda text, part: part in text),
    "join": TerraformFunction("join", lambda separator, items: separator.join(items)),
    "json": TerraformFunction("jsonencode", _encode_json),
    "keys": TerraformFunction("keys", lambda mapping: [key for key, _ in list_items(mapping)]),
    "length": TerraformFunction("length", len),
    "sha256": TerraformFunction("sha256", lambda text: hashlib.sha256(text.encode()).hexdigest()),
    "base64encode": TerraformFunction("base64encode", lambda text: base64.b64encode(text.encode()).decode()),
    "lower": TerraformFunction("lower", lambda text: text.lower()),
    "lowest": TerraformFunction("min", lambda values: min(map(require_number, values)), spreads=True),
    "merge": TerraformFunction("merge", lambda *maps: _merge(maps)),
    "merge_all": TerraformFunction("merge", _merge, spreads=True),
    "nonsensitive": TerraformFunction("nonsensitive", lambda value: value),
    "one": TerraformFunction("one", _get_only_item),
    "optional": TerraformFunction("[*]", lambda value: [] if value is None else [value]),
    "regex": TerraformFunction("regex", _match),
    "regexall": TerraformFunction(
        "regexall", lambda pattern, text: [list(one.groups()) for one in re.finditer(pattern, text)]
    ),
    "replace": TerraformFunction("replace", lambda text, old, new: text.replace(old, new)),
    "set_of": TerraformFunction("toset", _set),
    "intersection": TerraformFunction("setintersection", lambda one, other: _set(set(one) & set(other))),
    "split": TerraformFunction("split", lambda separator, text: text.split(separator)),
    "title": TerraformFunction(
        "title", lambda text: re.sub(r"(?<![A-Za-z0-9_])[a-z]", lambda match: match[0].upper(), text)
    ),
    "upper": TerraformFunction("upper", lambda text: text.upper()),
    "difference": TerraformFunction("setsubtract", lambda one, other: _set(set(one) - set(other))),
    # `every` is a comprehension whose items must all be true.
    "all": TerraformFunction("alltrue", all),
}
