"""How a script goes on as the command `smlops`, whichever Python it was started with. Standard library only."""

import os
import sys
from importlib.util import find_spec

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, ".venv")


def smlops(command: str) -> None:
    """Run `smlops COMMAND` with this process's arguments: in `.venv`, else where it is installed."""
    try:
        _go_on(command)
    except KeyboardInterrupt:  # before the command itself takes care
        print("interrupted", file=sys.stderr)
        sys.exit(130)


def _go_on(command: str) -> None:
    python = os.path.join(VENV, "bin", "python")
    if os.path.exists(python) and not os.path.samefile(sys.prefix, VENV) and sys.executable != python:
        os.execv(python, [python, *sys.argv])  # noqa: S606
    if find_spec("typer") is None:
        sys.exit(_complain("there is no .venv with what this needs: run make setup"))
    sys.path[0] = ROOT  # in place of this folder, whose names are not for others to import
    sys.argv.insert(1, command)
    from sustainable_mlops.commands import main

    main()


def _complain(why: str) -> int:
    print("error: " + why, file=sys.stderr)
    return 2
