"""Implementation of `smlops prove`."""

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from clone.prove import durations
from clone.prove import run as running
from clone.prove import settings as setting
from clone.prove.checks import check_runner
from clone.prove.context import ProofRun, say
from clone.prove.settings import ProofSettings
from sustainable_mlops.base.errors import UserError


def describe_run(settings: ProofSettings) -> list[str]:
    """Return the announcement of a run. Raises UserError for invalid settings or an estimate above the cap."""
    setting.check_settings(settings)
    check_runner.validate_names(settings.extra_checks)
    estimate = running.estimate_costs(settings)
    total = sum(estimate.values())
    if total > settings.cap_usd:
        raise UserError(
            f"--cap-usd {settings.cap_usd:g}: the estimate is {total:.2f} USD; raise the cap or select fewer modules"
        )
    minutes = durations.estimate_minutes(settings, running.STAGES)
    return [
        f"Run {settings.name} in account {settings.account}, Region {settings.region}. Use a temporary account.",
        f"It creates and destroys these modules, up to {settings.parallel} at the same time: "
        f"{', '.join(settings.modules)}.",
        *(f"  {usd:5.2f} USD  {title}" for title, usd in estimate.items()),
        f"  {total:5.2f} USD  total at list prices; the run stops at {settings.cap_usd:g} USD",
        f"It takes about {minutes} minutes on AWS, an assumption (docs/prove.md#duration). "
        f"It stops at {settings.cap_minutes:g} minutes and cleans up."
        + (" Raise --cap-minutes or select fewer modules." if minutes > settings.cap_minutes else ""),
        f"Every name starts with {settings.name}, and every resource has the tag {setting.TAG}={settings.name}.",
    ]


def print_run(settings: ProofSettings) -> None:
    """Print the announcement of a run. Raises UserError like `describe_run`."""
    for line in describe_run(settings):
        say(line)


def refuse_without_terminal(settings: ProofSettings) -> None:
    """Raise UserError, because no terminal can confirm the run."""
    raise UserError(
        "prove: there is no terminal for the confirmation; pass --yes to create and destroy the listed resources in "
        f"account {settings.account}"
    )


def select_modules(names: Iterable[str]) -> tuple[str, ...]:
    """Return these modules with those that they need, in the order of `MODULES`; all modules without a name."""
    chosen = set(names)
    for stage in reversed(running.STAGES):  # a stage comes after those whose resources it uses
        chosen |= set(stage.requires) if stage.module in chosen else set()
    if not chosen:
        return setting.MODULES
    unknown = sorted(chosen - set(setting.MODULES))
    return (*unknown, *(name for name in setting.MODULES if name in chosen or name in setting.BASE))


def select_checks(names: Iterable[str], *, every: bool) -> tuple[str, ...]:
    """Return the slow checks to run."""
    return check_runner.list_slow_checks() if every else tuple(names)


def load_run(name: str, **caps: float) -> ProofSettings:
    """Return the settings of a run to resume, with the caps of this command. Raises UserError for an unknown run."""
    return replace(setting.load_settings(name, "resume"), **caps)  # type: ignore[arg-type]


def run_proof(settings: ProofSettings, *, resume: bool = False) -> tuple[int, dict[str, Any]]:
    """Run the proof or continue it, and return the exit code and the report."""
    run, code = running.prove_modules(settings, resume=resume)
    say(f"{'failed' if run.proof.has_failed else 'passed'}: {settings.folder / 'proof.md'}")
    document: dict[str, Any] = json.loads((settings.folder / "proof.json").read_text(encoding="utf-8"))
    return code, document


def clean_run(name: str) -> int:
    """Clean up after an earlier run, and return the exit code. Raises UserError for an unknown run."""
    run = ProofRun(setting.load_settings(name))
    running.verify_account(run)
    with run.limits.watch():
        run.limits.disarm()
        running.clean_run(run)
    return running.FAILED if run.proof.left else 0
