"""The pre-commit hook, which reviews the plans that exist. A missing plan does not block a push."""

import os
import shlex
import sys
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path

from sustainable_mlops.review import command


def main(arguments: Sequence[str]) -> int:
    """Review the plans at the start of `arguments` with the options after them, and return the exit code."""
    plans = list(takewhile(lambda argument: not argument.startswith("-"), arguments))
    missing = [plan for plan in plans if not Path(plan).exists()]
    for plan in missing:
        print(f"no plan to review at {plan}; create one with: {_suggest_plan_commands(plan)}")
    if plans and missing == plans:
        return 0
    return command.main([argument for argument in plans if argument not in missing] + list(arguments[len(plans) :]))


def _suggest_plan_commands(plan: str) -> str:
    folder, name = os.path.split(plan)
    terraform = f"terraform {shlex.quote(f'-chdir={folder}')}" if folder else "terraform"
    binary = shlex.quote(f"{Path(name).stem}.tfplan")
    return f"{terraform} plan -out {binary} && {terraform} show -json {binary} > {shlex.quote(plan)}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
