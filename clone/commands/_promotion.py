"""Options and output that `smlops promote` and `smlops rollback` share."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from sustainable_mlops.base import cli
from sustainable_mlops.base.errors import UserError

if TYPE_CHECKING:
    from clone.promotion.run import Promotion

AcceptMetric = Annotated[
    list[str] | None,
    typer.Option(help="Accept a worse or missing value of this metric. Repeatable.", metavar="NAME"),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Check the gate and print the change; write nothing.")]


def complete_promotion(promotion: "Promotion", *, dry_run: bool, as_json: bool) -> None:
    """Print the conditions, write the package unless `dry_run`, and print the next commands.

    Raises UserError if the gate refuses the package.
    """
    from clone.promotion.display import print_conditions

    request, refusal = promotion.request, promotion.refusal
    if not as_json:
        print_conditions(promotion, cli.make_stdout_console())
    outcome = "unchanged" if promotion.is_pinned else "dry run" if dry_run else "written"
    if refusal is None and outcome == "written":
        promotion.write()
    commands = promotion.list_commands() if refusal is None and outcome == "written" else []
    if as_json:
        result = {
            "outcome": "refused" if refusal is not None else outcome,
            "model": request.target.model,
            "environment": request.target.environment,
            "pinned": request.pinned.arn if request.pinned else None,
            "package": request.address.arn,
            "conditions": [{"name": one.name, "met": one.is_met, "text": one.text} for one in promotion.conditions],
            "file": str(promotion.file),
            "commands": commands,
        }
        print(json.dumps(result, indent=2))
    if refusal is not None:
        raise UserError(refusal)
    if not as_json:
        _print_result(promotion, outcome, commands)


def _print_result(promotion: "Promotion", outcome: str, commands: list[str]) -> None:
    request, file = promotion.request, f"envs/{promotion.request.target.environment}/{promotion.file.name}"
    if outcome == "unchanged":
        print(f"{file}: pins {request.address.label} already; nothing changed.")
        return
    before = request.pinned.label if request.pinned else "none"
    verb = "would change" if outcome == "dry run" else "changed"
    print(f"{file}: {verb} {request.target.model}: {before} -> {request.address.label}")
    if commands:
        print("\n".join(["Next:", *(f"  {command}" for command in commands)]))
