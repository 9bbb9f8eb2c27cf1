"""Reads of text files, and atomic writes."""

import errno
import glob
import io
import os
from contextlib import suppress
from pathlib import Path

from sustainable_mlops.base.errors import UserError, describe_missing_file

#: Error numbers of a full disk and of a full quota.
DISK_FULL = (errno.ENOSPC, errno.EDQUOT)


def read_text(path: Path) -> str:
    """Return the text of a UTF-8 file. Raises UserError with the location and the remedy if it cannot be read."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise UserError(describe_missing_file(path)) from None
    except IsADirectoryError:
        raise UserError(f"{path}: is a folder; pass a file") from None
    except OSError as error:
        raise UserError(
            f"{path}: cannot be read: {error.strerror or error}; correct the path or its permissions"
        ) from None
    try:
        return io.TextIOWrapper(io.BytesIO(content), encoding="utf-8").read()  # with universal newlines
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        byte = content[error.start]
        raise UserError(f"{path}: line {line}: is not UTF-8 text (byte {byte:#04x}); save the file as UTF-8") from None


def write_file(path: Path, text: str) -> None:
    """Write a file completely or not at all, even if this process is killed. Raises UserError if it cannot.

    The next write of the file removes what a killed process left.
    """
    if path.is_dir():
        raise UserError(f"{path}: is a folder; pass a file")
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_partials(path)
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        remedy = "free some space" if error.errno in DISK_FULL else "correct the permissions"
        raise UserError(
            f"{path}: cannot be written: {error.strerror or error}; {remedy}, or choose another path"
        ) from None
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)


def _remove_partials(path: Path) -> None:
    """Remove the partial copies of a file whose processes have ended."""
    for partial in path.parent.glob(f".{glob.escape(path.name)}.*.partial"):
        process = partial.name.removesuffix(".partial").rpartition(".")[2]
        if process.isdigit() and not _is_running(int(process)):
            with suppress(OSError):
                partial.unlink(missing_ok=True)


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        return True
    return True
