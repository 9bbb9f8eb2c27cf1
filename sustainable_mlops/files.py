"""Atomic file writes."""

import os
from contextlib import suppress
from pathlib import Path

from sustainable_mlops.errors import UserError


def write_file(path: Path, text: str) -> None:
    """Write a file completely or not at all, even if this process is killed. Raises UserError if it cannot."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        raise UserError(f"{path}: cannot be written: {error.strerror or error}") from None
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
