"""Errors in the code of an author: file and line, what is wrong, and what to write."""

import inspect
import re
import sysconfig
import traceback
from pathlib import Path
from typing import Any

from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.terraform import ROOT

_LIBRARY = str(ROOT / "sustainable_mlops")
_PYTHON = (*(sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib")), "<")


def make_author_error(message: str, location: str | None = None) -> UserError:
    """Return the error to raise. `location` defaults to the author's current line."""
    location = find_author_location() if location is None else location
    return UserError(f"{location}: {message}" if location else message)


def find_author_location(skip_file: str = "") -> str:
    """Return `file:line` of the innermost frame in an author's code, or an empty string.

    Frames of this library, of Python and of `skip_file` are skipped.
    """
    frame = inspect.currentframe()
    while frame is not None:
        file = frame.f_code.co_filename
        if is_author_file(file) and file != skip_file:
            return f"{make_relative(file)}:{frame.f_lineno}"
        frame = frame.f_back
    return ""


def locate_error(error: Exception) -> str:
    """Return `file:line` of the author's line that raised a Python error, or an empty string."""
    lines = [frame for frame in traceback.extract_tb(error.__traceback__) if is_author_file(frame.filename)]
    return f"{make_relative(lines[-1].filename)}:{lines[-1].lineno}" if lines else ""


def is_author_file(file: str) -> bool:
    """Return True for a Python file of an author: not of this library, and not of Python."""
    return not file.startswith((_LIBRARY, *_PYTHON)) and Path(file).suffix == ".py"


def locate_field(model: type[Any], name: str) -> str:
    """Return `file:line` of the declaration of a field."""
    owner = next((cls for cls in model.__mro__ if name in vars(cls).get("__annotations__", {})), model)
    try:
        lines, first = inspect.getsourcelines(owner)
        file = inspect.getfile(owner)
    except (OSError, TypeError):
        return ""
    offset = next((index for index, line in enumerate(lines) if re.match(rf"\s+{name}\s*:", line)), 0)
    return f"{make_relative(file)}:{first + offset}"


def locate_definition(definition: Any) -> str:
    """Return `file:line` of the first line of a function or class."""
    _, first = inspect.getsourcelines(definition)
    return f"{make_relative(inspect.getfile(definition))}:{first}"


def make_relative(file: str) -> str:
    """Return a path relative to the repository, if it is in there."""
    return str(Path(file).relative_to(ROOT)) if file.startswith(str(ROOT)) else file
