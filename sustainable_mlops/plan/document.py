"""Parser and checks for plan JSON: supported version, completeness and nesting depth."""

import gc
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from sustainable_mlops.base.errors import UserError, describe_missing_file
from sustainable_mlops.base.lazy_pattern import LazyPattern

SHOW_COMMAND = "run `terraform show -json <plan file>` (or `tofu show -json`) and pass its output"
#: Maximum nesting depth. Terraform's own values nest less than 30 levels. Code that walks values may recurse this far.
MAX_DEPTH = 100

#: Other files that people pass by mistake, by a key that only such a file has.
_OTHER_FILES = {
    "AWSTemplateFormatVersion": "a CloudFormation template, not a Terraform plan",
    "lineage": "a state file, not a plan",
    "projects": "an Infracost report, not a Terraform plan",
    "bomFormat": "a software bill of materials, not a Terraform plan",
    "check_type": "a checkov report, not a Terraform plan",
    "provider_schemas": "the output of `terraform providers schema`, not a plan",
    "terraform": "Terraform configuration in JSON, not a plan",
    "resource": "Terraform configuration in JSON, not a plan",
}
#: Half of a surrogate pair: valid in JSON, but not printable.
_HALF_CHARACTER = LazyPattern(r"\\u[dD][89a-fA-F]")
_JSON_TYPES = {dict: "an object", list: "a list", str: "text", bool: "true or false", type(None): "null"}
_CONTAINERS = frozenset((dict, list))


def read_file(path: Path) -> bytes:
    """Return the bytes of a file. Raises UserError if it cannot be read."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise UserError(describe_missing_file(path)) from None
    except IsADirectoryError:
        raise UserError(f"{path}: is a folder; pass a file: {SHOW_COMMAND}") from None
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: cannot be read: {error}") from None


def parse_document(data: bytes, name: str) -> dict[str, Any]:
    """Parse plan JSON; `name` is the name of the file in messages.

    Raises UserError unless it is a complete plan of format version 1.
    """
    if data[:2] == b"PK":
        raise UserError(f"{name}: is a binary plan file; {SHOW_COMMAND}")
    document = _parse_json(_decode(data, name), name)
    if not isinstance(document, dict):
        raise UserError(f"{name}: must be an object, not {name_json_type(document)}; {SHOW_COMMAND}")
    _check_version(document, name)
    _check_depth(document, name)
    _check_completeness(document, name)
    return document


@contextmanager
def disable_garbage_collection() -> Iterator[None]:
    """Disable garbage collection. Parsing creates no garbage, and the search for it takes longer than parsing."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def _decode(data: bytes, name: str) -> str:
    # PowerShell's `>` writes UTF-16 with a byte order mark.
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise UserError(f"{name}: is not UTF-8 text (byte {error.start}); {SHOW_COMMAND}") from None
    if not text.strip():
        raise UserError(f"{name}: is empty; {SHOW_COMMAND}")
    return text


def _parse_json(text: str, name: str) -> Any:
    try:
        document = json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        if '"@level"' in text[:1000]:
            raise UserError(f"{name}: is the log of `terraform plan -json`, not a plan; {SHOW_COMMAND}") from None
        location = f"line {error.lineno}, column {error.colno}"
        raise UserError(f"{name}: is not JSON: {error.msg.removesuffix(' at')} at {location}; {SHOW_COMMAND}") from None
    except RecursionError:
        raise UserError(f"{name}: is nested too deep to be a plan; {SHOW_COMMAND}") from None
    except ValueError:  # NaN, Infinity, or more digits than Python accepts
        raise UserError(f"{name}: contains a number that Terraform does not write; {SHOW_COMMAND}") from None
    if _HALF_CHARACTER.search(text):
        _refuse_half_characters(document, name)
    return document


def _refuse_constant(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a number")


def _refuse_half_characters(document: Any, name: str) -> None:
    """Raise UserError if a text contains half of a surrogate pair, which can be neither printed nor written."""
    try:
        json.dumps(document, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise UserError(f"{name}: contains half a character (a lone \\ud800 to \\udfff); {SHOW_COMMAND}") from None
    except RecursionError:
        raise UserError(f"{name}: is nested too deep to be a plan; {SHOW_COMMAND}") from None


def _check_version(document: dict[str, Any], name: str) -> None:
    version = document.get("format_version")
    if version is None:
        description = next((text for key, text in _OTHER_FILES.items() if key in document), "not a Terraform plan")
        missing = "" if description != "not a Terraform plan" else " (format_version is missing)"
        raise UserError(f"{name}: is {description}{missing}; {SHOW_COMMAND}")
    if not isinstance(version, str) or not re.fullmatch(r"[0-9]{1,6}\.[0-9]{1,6}(\..*)?", version):
        raise UserError(f"{name}: format_version: must be like '1.2', not {quote_value(version)}; {SHOW_COMMAND}")
    if int(version.split(".")[0]) != 1:
        supported = "only version 1.x is, which Terraform 1.1 and newer and OpenTofu write"
        raise UserError(f"{name}: format_version: {version} is not supported; {supported}")


def _check_depth(document: dict[str, Any], name: str) -> None:
    # planned_values is read module by module, and only its addresses.
    parts = {key: value for key, value in document.items() if key != "planned_values"}
    if _is_too_deep(parts, MAX_DEPTH):
        changes = document.get("resource_changes")
        locations = [(key, value) for key, value in parts.items() if key != "resource_changes"]
        locations += [(f"resource_changes[{n}]", c) for n, c in enumerate(changes if isinstance(changes, list) else [])]
        location = next(
            (location for location, value in locations if _is_too_deep(value, MAX_DEPTH - 2)), "resource_changes"
        )
        raise UserError(
            f"{name}: {location}: is nested more than {MAX_DEPTH} levels deep, which no plan is; {SHOW_COMMAND}"
        )


def _is_too_deep(value: Any, deepest: int) -> bool:
    """Return whether `value` is nested deeper than `deepest`.

    The check goes level by level, because a document may be nested deeper than Python can recurse.
    """
    level = [value] if type(value) in _CONTAINERS else []
    for _ in range(deepest):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if type(outer) is dict else outer)
            if type(inner) in _CONTAINERS
        ]
        if not level:
            return False
    return True


def _check_completeness(document: dict[str, Any], name: str) -> None:
    """Raise UserError if the plan leaves something out. A review would rate such a plan as smaller than it is."""
    if "planned_values" not in document and "resource_changes" not in document:
        description = "a state, not a plan" if "values" in document or len(document) <= 2 else "not a plan"
        raise UserError(
            f"{name}: is {description} (it has neither resource_changes nor planned_values); {SHOW_COMMAND}"
        )
    if document.get("errored") is True:
        raise UserError(f"{name}: errored: the plan ended in an error and is incomplete; fix the error and plan again")
    for key in ("configuration", "planned_values", "prior_state", "variables"):
        if not isinstance(document.get(key, {}), dict):
            raise UserError(f"{name}: {key}: must be an object, not {name_json_type(document[key])}; {SHOW_COMMAND}")
    for key in ("resource_changes", "action_invocations", "deferred_action_invocations"):
        if not isinstance(document.get(key, []), list):
            raise UserError(f"{name}: {key}: must be a list, not {name_json_type(document[key])}; {SHOW_COMMAND}")


def parse_embedded_json(text: str) -> Any:
    """Parse JSON text inside a plan. Return None if it cannot be parsed."""
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
        if _HALF_CHARACTER.search(text):
            json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return None
    return None if _is_too_deep(value, MAX_DEPTH) else value


def name_json_type(value: Any) -> str:
    """Return the JSON type of `value` in words."""
    return _JSON_TYPES.get(type(value), "a number")


def quote_value(value: Any) -> str:
    """Return `value` as text that is short and safe enough for one line of a message."""
    text = repr(value) if isinstance(value, str) else name_json_type(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
