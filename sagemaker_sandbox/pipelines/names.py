"""Names of executions, jobs and callbacks."""

import re
import secrets
import string

_LETTERS = string.ascii_lowercase + string.digits
_MIXED = string.ascii_letters + string.digits
_SUFFIX_LENGTH = 10
_MAX_LENGTH = 63
#: Characters of the step's name in the name of a tuning job, which AWS limits to 32 characters.
_TUNING_STEP_LENGTH = 7


def create_execution_id() -> str:
    """Return twelve random letters and digits."""
    return _choose_letters(_LETTERS, 12)


def create_callback_token() -> str:
    """Return ten random letters and digits."""
    return _choose_letters(_MIXED, 10)


def create_job_name(step_type: str, execution: str, step: str, prefix: str | None) -> str:
    """Return a name of at most 63 characters that contains the execution and a random suffix.

    It is `pipelines-<execution>-<step>-<suffix>`, or `<prefix>-<execution>-<suffix>` with a prefix. A tuning job, with
    or without a prefix, has the name `<execution>-<step>-<suffix>` of at most 32 characters.
    """
    suffix = _choose_letters(_MIXED, _SUFFIX_LENGTH)
    if step_type == "Tuning":
        return f"{execution}-{_shorten(step, _TUNING_STEP_LENGTH)}-{suffix}"
    if prefix:
        return f"{_shorten(prefix, _MAX_LENGTH - len(execution) - _SUFFIX_LENGTH - 2)}-{execution}-{suffix}"
    available = _MAX_LENGTH - len(f"pipelines-{execution}--") - _SUFFIX_LENGTH
    return f"pipelines-{execution}-{_shorten(step, available)}-{suffix}"


def _shorten(text: str, length: int) -> str:
    """Return the start of the text, with a hyphen for each run of characters other than letters and digits."""
    return re.sub("[^A-Za-z0-9]+", "-", text[:length]).strip("-")


def _choose_letters(letters: str, length: int) -> str:
    return "".join(secrets.choice(letters) for _ in range(length))
