"""The pre-commit hook: reviews the plans that are there. Who pushes without having planned is not held up."""

import sys
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path

from sustainable_mlops.review import command


def main(arguments: Sequence[str]) -> int:
    """Review the plans that `arguments` begin with, by the options that follow; the exit code."""
    plans = list(takewhile(lambda one: not one.startswith("-"), arguments))
    missing = [plan for plan in plans if not Path(plan).exists()]
    if missing:
        make = "terraform plan -out plan.tfplan && terraform show -json plan.tfplan > plan.json"
        print(f"no plan to review at {', '.join(missing)}; to have one: {make}")
    if plans and missing == plans:
        return 0
    return command.main([one for one in plans if one not in missing] + list(arguments[len(plans) :]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
