"""Runner of the named checks, which records their answers."""

import importlib
import pkgutil

from rich.markup import escape

from clone.prove import checks, costs
from clone.prove.checks.registry import CHECKS, Check, Moment
from clone.prove.context import ProofRun
from clone.prove.evidence import parse_requests
from clone.prove.proof import CheckResult
from clone.prove.settings import ProofSettings
from clone.prove.stage import ERRORS, Stage
from sustainable_mlops.base.errors import UserError

# Each file of the package `checks` registers its checks when it is imported.
for _file in pkgutil.iter_modules(checks.__path__):
    if _file.name != "check_runner":
        importlib.import_module(f"{checks.__name__}.{_file.name}")


def validate_names(names: tuple[str, ...]) -> None:
    """Raise UserError for a check that does not exist."""
    if unknown := [name for name in names if name not in CHECKS]:
        raise UserError(f"--with {unknown[0]}: no such check; choose from {', '.join(sorted(CHECKS))}")


def list_slow_checks() -> tuple[str, ...]:
    """Return the names of the checks that run only if they are selected."""
    return tuple(one.name for one in CHECKS.values() if one.extra_cost)


def list_cost_items(settings: ProofSettings) -> list[costs.CostItem]:
    """Return the lines of the estimate for checks that add to the cost of their stage."""
    lines = []
    if "access" in settings.modules:
        lines.append(costs.CostItem("check: a training job", costs.choose_job_type(settings.region), 1, 0.2))
    serving = costs.choose_serving_type(settings.region)
    return lines + [costs.CostItem(f"check: {name}", serving, 3, 1.2) for name in settings.extra_checks]


def record_not_tried(run: ProofRun) -> None:
    """Record every check without an answer as not tried, with the reason."""
    for one in CHECKS.values():
        if one.name in run.proof.checks:  # an earlier part of the run has its answer
            continue
        reason = "the run did not reach its stage"
        if absent := _find_missing_module(one, run.settings):
            reason = f"the module {absent} is not part of the run"
        elif one.extra_cost and one.name not in run.settings.extra_checks:
            reason = f"{one.extra_cost}; `--with {one.name}` runs it"
        run.proof.checks[one.name] = CheckResult(one.name, one.question, one.documentation, text=reason)


def _find_missing_module(one: Check, settings: ProofSettings) -> str:
    """Return a module that the check needs but the run does not have; empty if there is none."""
    return next((name for name in (one.module, one.needs) if name and name not in settings.modules), "")


def run_checks(stage: Stage, moment: Moment) -> None:
    """Run the checks of a stage that are due at this moment. A slow check has a stage of its own."""
    for one in CHECKS.values():
        due = (one.module, one.moment) == (stage.module, moment) and not _find_missing_module(one, stage.run.settings)
        if due and not one.extra_cost:
            run_check(stage, one)


def run_check(stage: Stage, one: Check) -> None:
    """Run a check on a stage, and record the answer. Raises Interruption if the run was interrupted meanwhile."""
    result = stage.run.proof.checks[one.name]
    with stage.run.steps.step(f"{stage.module}: check {one.name}") as step, stage.run.recorder.collect() as requests:
        try:
            answer = one.decide(stage)
            result.verdict, result.text = ("yes" if answer.yes else "no"), answer.text
        except ERRORS as error:
            stage.run.limits.check()
            _record_error(result, one, error)
            requests += parse_requests(result.text)
        step.result = escape(f"{result.verdict}: {result.text[:120]}")
    result.requests = list(requests)


def _record_error(result: CheckResult, one: Check, error: BaseException) -> None:
    """Record "no" for the refusal that the check expects, and "undecided" for any other error."""
    result.text = " ".join(str(error).replace("│", " ").split())
    result.verdict = "no" if one.is_refusal(result.text) else "undecided"


def record_failed_apply(run: ProofRun, module: str, error: BaseException) -> None:
    """Record the answer of the checks whose question an apply answers."""
    for one in CHECKS.values():
        if one.module == module and one.answers_for_apply:
            result = run.proof.checks[one.name]
            _record_error(result, one, error)
            result.requests = parse_requests(result.text)
