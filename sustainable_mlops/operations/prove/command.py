"""Implementation of `smlops prove`."""

import json
from typing import Any

from sustainable_mlops.errors import UserError
from sustainable_mlops.operations.prove import run as running
from sustainable_mlops.operations.prove import settings as setting
from sustainable_mlops.operations.prove.checks import decide
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


def check(settings: ProofSettings) -> list[str]:
    """Return the announcement of a run. Raises UserError for invalid settings or an estimate above the cap."""
    setting.check(settings)
    decide.refuse_unknown(settings.extra_checks)
    estimate = running.estimate(settings)
    total = sum(estimate.values())
    if total > settings.cap_usd:
        raise UserError(
            f"--cap-usd {settings.cap_usd:g}: the estimate is {total:.2f} USD; raise the cap or select fewer modules"
        )
    minutes = sum(_MINUTES.get(module, _MINUTES_ELSE) for module in settings.modules)
    minutes += _MINUTES_EXTRA * len(settings.extra_checks)
    return [
        f"Run {settings.name} in account {settings.account}, Region {settings.region}. Use a throwaway account.",
        f"It creates and destroys these modules in order: {', '.join(settings.modules)}.",
        *(f"  {usd:5.2f} USD  {title}" for title, usd in estimate.items()),
        f"  {total:5.2f} USD  total at list prices; the run stops at {settings.cap_usd:g} USD",
        f"It takes about {minutes} minutes on AWS; it stops at {settings.cap_minutes:g} minutes and cleans up."
        + (" Raise --cap-minutes or select fewer modules." if minutes > settings.cap_minutes else ""),
        f"Every name starts with {settings.name}, and every resource has the tag {setting.TAG}={settings.name}.",
    ]


def announce(settings: ProofSettings) -> None:
    """Print the announcement of a run. Raises UserError like `check`."""
    for line in check(settings):
        say(line)


def refuse_without_terminal(settings: ProofSettings) -> None:
    """Raise UserError, because no terminal can confirm the run."""
    raise UserError(
        f"prove: no terminal for the confirmation; --yes creates and destroys all of this in account {settings.account}"
    )


def prove(settings: ProofSettings) -> tuple[int, dict[str, Any]]:
    """Run the proof, and return the exit code and the report."""
    run, code = running.prove(settings)
    say(f"{'failed' if run.proof.has_failed else 'passed'}: {settings.folder / 'proof.md'}")
    document: dict[str, Any] = json.loads((settings.folder / "proof.json").read_text(encoding="utf-8"))
    return code, document


def clean(name: str) -> int:
    """Clean up after an earlier run, and return the exit code. Raises UserError for an unknown run."""
    run = ProofRun(setting.load(name))
    running.verify_account(run)
    with run.guard.watch():
        run.guard.disarm()
        running.clean(run)
    return running.FAILED if run.proof.left else 0
