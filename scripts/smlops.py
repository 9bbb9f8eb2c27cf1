#!/usr/bin/env python3
"""The command `smlops` in a clone, with any Python: `python3 scripts/smlops.py train job.yaml`.

It starts the command in `.venv`, or else in the current environment. Standard library only.
"""

import os
import sys
from importlib.util import find_spec

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, ".venv")


def start() -> None:
    """Run `smlops` with the arguments of this process."""
    python = os.path.join(VENV, "bin", "python")
    if os.path.exists(python) and not os.path.samefile(sys.prefix, VENV) and sys.executable != python:
        os.execv(python, [python, *sys.argv])  # noqa: S606
    if find_spec("typer") is None:
        print("error: there is no .venv with the packages of this project: run make setup", file=sys.stderr)
        sys.exit(2)
    sys.path[0] = ROOT  # replaces this folder, whose files nothing imports
    from sustainable_mlops.commands import main

    main()


if __name__ == "__main__":
    try:
        start()
    except KeyboardInterrupt:  # before the command starts; later the command handles it
        print("interrupted", file=sys.stderr)
        sys.exit(130)
