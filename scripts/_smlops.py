"""Starter of the scripts: it runs the command `smlops` in `.venv`, with any Python. Standard library only."""

import os
import sys
from importlib.util import find_spec

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, ".venv")


def smlops(command: str) -> None:
    """Run `smlops COMMAND` with the arguments of this process, in `.venv` or else in the current environment."""
    try:
        _start(command)
    except KeyboardInterrupt:  # the command itself handles a later one
        print("interrupted", file=sys.stderr)
        sys.exit(130)


def _start(command: str) -> None:
    python = os.path.join(VENV, "bin", "python")
    if os.path.exists(python) and not os.path.samefile(sys.prefix, VENV) and sys.executable != python:
        os.execv(python, [python, *sys.argv])  # noqa: S606
    if find_spec("typer") is None:
        print("error: there is no .venv with the packages of this project: run make setup", file=sys.stderr)
        sys.exit(2)
    sys.path[0] = ROOT  # replaces this folder, whose files nothing imports
    sys.argv.insert(1, command)
    from sustainable_mlops.commands import main

    main()
