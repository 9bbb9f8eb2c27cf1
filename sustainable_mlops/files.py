"""Files as others see them: as they were, or whole."""

import os
from contextlib import suppress
from pathlib import Path

from sustainable_mlops.errors import UserError


def write_whole(path: Path, text: str) -> None:
    """Write a file whole or not at all, whatever ends this process meanwhile. Raises UserError where it cannot be."""
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
