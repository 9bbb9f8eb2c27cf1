"""Implementation of `smlops prove`."""

import json
from typing import Any

from sustainable_mlops.errors import UserError
from sustainable_mlops.operations.prove import run as running
from sustainable_mlops.operations.prove import settings as setting
from sustainable_mlops.operations.prove.checks import check_runner
from sustainable_mlops.operations.prove.context import ProofRun, say
from sustainable_mlops.operations.prove.settings import ProofSettings

#: Minutes that a module takes on AWS; endpoints start instances four times.
_MINUTES = {
    "serverless_endpoint": 25,
    "async_endpoint": 60,
    "realtime_endpoint": 75,
    "pipeline": 20,
    "feature_store": 25,
}
_MINUTES_ELSE = 6
_MINUTES_EXTRA = 60


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
    minutes = sum(_MINUTES.get(module, _MINUTES_ELSE) for module in settings.modules)
    minutes += _MINUTES_EXTRA * len(settings.extra_checks)
    return [
        f"Run {settings.name} in account {settings.account}, Region {settings.region}. Use a temporary account.",
        f"It creates and destroys these modules in order: {', '.join(settings.modules)}.",
        *(f"  {usd:5.2f} USD  {title}" for title, usd in estimate.items()),
        f"  {total:5.2f} USD  total at list prices; the run stops at {settings.cap_usd:g} USD",
        f"It takes about {minutes} minutes on AWS; it stops at {settings.cap_minutes:g} minutes and cleans up."
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


def run_proof(settings: ProofSettings) -> tuple[int, dict[str, Any]]:
    """Run the proof, and return the exit code and the report."""
    run, code = running.prove_modules(settings)
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
