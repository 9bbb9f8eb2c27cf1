"""Names of what an execution makes."""

import re
import secrets
import string

_LETTERS = string.ascii_lowercase + string.digits
_MIXED = string.ascii_letters + string.digits
_SUFFIX = 10
_LONGEST = 63
#: Of a tuning job's name, whose jobs add to it, AWS takes 32 characters and of the step's name 7.
_TUNING_STEP = 7


def execution_id() -> str:
    """Twelve letters and digits."""
    return _random(_LETTERS, 12)


def callback_token() -> str:
    """Ten letters and digits."""
    return _random(_MIXED, 10)


def job_name(step_type: str, execution: str, step: str, prefix: str | None) -> str:
    """`pipelines-<execution>-<step>-<suffix>`; a prefix that the step gives comes before the execution instead."""
    suffix = _random(_MIXED, _SUFFIX)
    if step_type == "Tuning":
        return f"{execution}-{_plain(step, _TUNING_STEP)}-{suffix}"
    if prefix:
        return f"{_plain(prefix, _LONGEST - len(execution) - _SUFFIX - 2)}-{execution}-{suffix}"
    room = _LONGEST - len(f"pipelines-{execution}--") - _SUFFIX
    return f"pipelines-{execution}-{_plain(step, room)}-{suffix}"


def _plain(text: str, length: int) -> str:
    return re.sub("[^A-Za-z0-9]+", "-", text[:length]).strip("-")


def _random(letters: str, length: int) -> str:
    return "".join(secrets.choice(letters) for _ in range(length))
