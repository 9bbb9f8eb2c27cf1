"""The command `smlops`: each module here is the sub-command of its name, and `--help` prints its docstring.

A name that starts with `_` is no command.
"""

import gc
import sys


def main() -> None:
    """Run `smlops` with this process's arguments."""
    from sustainable_mlops.base import program

    program.run(_start)


def _start() -> None:
    """Start a review without typer, whose import takes as long as a whole review may."""
    if sys.argv[1:2] == ["review"]:
        gc.disable()  # before the imports, whose collections would take 5 % of a small review
        from sustainable_mlops.review.command import run_review

        run_review(sys.argv[2:])
    from sustainable_mlops.commands._group import run

    run(sys.argv[1:])
