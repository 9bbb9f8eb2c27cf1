"""This process as a person meets it: how it ends, and how commands are named to who started it.

Standard library only: Ctrl-C ends a command in one line while typer is imported, too.
"""

import errno
import io
import os
import re
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

from sustainable_mlops.errors import UserError

#: What a disk without room answers.
_FULL = (errno.ENOSPC, errno.EDQUOT)
_SCRIPTS = Path(__file__).resolve().parent.parent / "scripts"


def typed(text: str) -> str:
    """`text`, which names commands as `smlops x`; to who started a script, as `scripts/x.py` can be typed there."""
    folder, name = os.path.split(sys.argv[0])
    if not name.endswith(".py") or Path(folder).resolve() != _SCRIPTS:
        return text
    return re.sub(
        r"\bsmlops ([a-z][a-z-]*)",
        lambda named: shlex.quote(os.path.join(folder or ".", named[1].replace("-", "_") + ".py")),
        text,
    )


def again(*without: str) -> str:
    """This process's command as it can be typed again, but for the options `without`."""
    return typed(shlex.join(["smlops", *(word for word in sys.argv[1:] if word not in without)]))


def run(command: Callable[[], object]) -> None:
    """Run a command; a `UserError` becomes one line on stderr, its remedy below it, and exit code 2.

    Ctrl-C ends with 130; 141, as a shell has it, where whoever read the output stopped.
    """
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="replace")  # help has bullets, which not every locale can write
    try:
        try:
            command()
        finally:
            if sys.stdout:
                sys.stdout.flush()
    except UserError as error:
        print(f"error: {typed(' '.join(str(error).split()))}", file=sys.stderr)
        if error.remedy:  # joined: none runs after one that failed, and none answers the question of the one before
            print(typed(" &&\n".join(error.remedy)), file=sys.stderr)
        raise SystemExit(2) from None
    except (KeyboardInterrupt, OSError, SystemExit) as end:
        reason = _reason(end)
        if isinstance(reason, BrokenPipeError):
            close_stdout()
            raise SystemExit(141) from None
        if isinstance(reason, KeyboardInterrupt):
            print("interrupted", file=sys.stderr)
            raise SystemExit(130) from None
        if isinstance(reason, OSError) and reason.errno in _FULL:
            close_stdout()
            print(f"error: {reason.filename or 'the output'} cannot be written: {reason.strerror}", file=sys.stderr)
            raise SystemExit(2) from None
        raise


def _reason(end: BaseException) -> BaseException:
    """What an end comes from: typer and rich turn Ctrl-C and a closed pipe into exit codes of their own."""
    while before := end.__cause__ or (None if end.__suppress_context__ else end.__context__):
        end = before
    return end


def close_stdout() -> None:
    """What is left in the buffer goes nowhere: Python would complain of it once more at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
