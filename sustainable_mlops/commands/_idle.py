"""Options and the scan that `find-idle` and `clean` share."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sustainable_mlops.base import cli

if TYPE_CHECKING:
    from sustainable_mlops.account.idle import AccountReader, IdleReport

Environment = Annotated[Path | None, typer.Option(help="Folder of an environment, such as envs/dev.", metavar="FOLDER")]
Region = Annotated[str | None, typer.Option(help="Region to scan, with all its resources.")]
Days = Annotated[float, typer.Option(min=0.04, max=455, help="Number of unused days after which a resource is idle.")]


def scan_account(environment: Path | None, region: str | None, days: float) -> "tuple[AccountReader, IdleReport]":
    """Return the account and the report of its idle resources. Raises UserError."""
    from sustainable_mlops.account import idle

    target = idle.choose_target(environment, region)
    account = idle.connect_account(target)
    with cli.console.status("Reading the account") as status:
        return account, idle.find_idle(account, target, days, lambda part: status.update(f"Reading {part}"))
