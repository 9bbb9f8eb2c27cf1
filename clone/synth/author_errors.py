"""Errors in the sources of modules and environments, reported with file and line."""

import contextlib
import traceback
from collections.abc import Iterator
from pathlib import Path

from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.terraform import ROOT

_SOURCES = (ROOT / "modules", ROOT / "envs")


@contextlib.contextmanager
def report_author_errors() -> Iterator[None]:
    """Convert exceptions from an author's code to UserError; other exceptions pass unchanged."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        if (location := _find_location(error)) is None:
            raise
        message = error.msg if isinstance(error, SyntaxError) else str(error)
        raise UserError(f"{location}: {type(error).__name__}: {' '.join(message.split())}") from error


def _find_location(error: Exception) -> str | None:
    locations = [(Path(frame.filename), frame.lineno) for frame in traceback.extract_tb(error.__traceback__)]
    if isinstance(error, SyntaxError):
        locations.append((Path(error.filename or ""), error.lineno))
    own = [(file, line) for file, line in locations if any(folder in file.parents for folder in _SOURCES)]
    return f"{own[-1][0].relative_to(ROOT)}:{own[-1][1]}" if own else None
