"""One run from start to end: the modules, the named checks, cleanup and the report."""

from datetime import UTC, datetime

from clone.prove import cleanup, costs, durations, report
from clone.prove.checks import check_runner
from clone.prove.context import ProofError, ProofRun, say
from clone.prove.proof import CheckResult, ModuleResult
from clone.prove.run_limits import Interruption
from clone.prove.schedule import Schedule, describe_error
from clone.prove.settings import ProofSettings
from clone.prove.stage import Stage
from clone.prove.stages.data import FeatureStoreStage, ModelRegistryStage, PipelineStage
from clone.prove.stages.endpoints import AsyncEndpoint, ObservabilityStage, RealtimeEndpoint, ServerlessEndpoint
from clone.prove.stages.environment import EnvironmentStage, delete_environment_files
from clone.prove.stages.platform import BootstrapStage, FootprintStage, ImagesStage, NetworkStage, StudioStage
from sustainable_mlops import aws
from sustainable_mlops.base.errors import UserError

#: The stages. Each comes after those whose resources it uses.
STAGES: tuple[type[Stage], ...] = (
    FeatureStoreStage,
    ModelRegistryStage,
    PipelineStage,
    ServerlessEndpoint,
    AsyncEndpoint,
    RealtimeEndpoint,
    ObservabilityStage,
    NetworkStage,
    ImagesStage,
    StudioStage,
    FootprintStage,
    BootstrapStage,
    EnvironmentStage,
)
#: Exit code of a run that refutes a module, or that a cap ended.
FAILED = 1


def estimate_costs(settings: ProofSettings) -> dict[str, float]:
    """Return each line of the estimate with its cost in USD."""
    return dict(costs.describe_items(_list_items(settings), settings.region))


def _list_items(settings: ProofSettings) -> list[costs.CostItem | costs.EndpointCost]:
    chosen = [stage for stage in STAGES if stage.module in settings.modules]
    items = [item for stage in chosen for item in stage.list_cost_items(settings.region)]
    return [*items, *check_runner.list_cost_items(settings)]


def verify_account(run: ProofRun) -> None:
    """Raise UserError unless the credentials belong to the account in the settings."""
    with aws.translate_aws_errors("sts:GetCallerIdentity"):
        actual = run.get_client("sts").get_caller_identity()["Account"]
    if actual != run.settings.account:
        raise UserError(
            f"--account {run.settings.account}: the credentials belong to account {actual}; nothing was created; use a "
            f"profile of account {run.settings.account}"
        )


def prove_modules(settings: ProofSettings, *, resume: bool = False) -> tuple[ProofRun, int]:
    """Test the modules, and always clean up. Return the run with its proof, and the exit code.

    With `resume`, first delete what an earlier part of the run left, and do not repeat the modules that passed in it.
    """
    run = ProofRun(settings)
    verify_account(run)
    if resume:
        settings.save_end()  # before the folder changes: the end of a run that was killed
    settings.save()
    code = 0
    with run.limits.watch():
        try:
            try:
                passed_keys = restore_results(run) if resume else []
                check_runner.record_not_tried(run)
                begin = datetime.now(UTC)
                settings.save_log_groups(cleanup.list_job_log_groups(run.recorder), begin)
                Schedule(run, STAGES, passed_keys).prove()
            finally:
                # Inside the outer `try`: an interruption at this moment leads to the cleanup, too.
                run.limits.disarm()
                settings.save_end(datetime.now(UTC))
        except Interruption as end:
            run.proof.interruption, code = end.reason, end.exit_code
            say(f"{end.reason}: cleaning up")
        except Exception as error:  # any error: cleanup and report must still run
            run.proof.interruption = describe_error(error)
            say(f"{run.proof.interruption}: cleaning up")
        clean_run(run)
    run.save_progress()
    report.write_report(run, estimate_costs(settings), durations.estimate_minutes(settings, STAGES))
    if run.proof.interruption:
        say(f"to continue without the modules that passed: smlops prove --resume {run.name}")
    return run, choose_exit_code(run, code)


def restore_results(run: ProofRun) -> list[str]:
    """Delete what an earlier part of the run left, and return the modules and checks that passed in it.

    A module is repeated, too, if one of its checks failed, or if a module that uses its resources has not passed.
    If resources are left, the report keeps all earlier results.
    """
    saved = run.settings.load_results()
    modules = {key: ModuleResult(**one["module"]) for key, one in saved.items()}
    checks = {key: [CheckResult.from_dict(check) for check in one["checks"]] for key, one in saved.items()}
    passed = [key for key in saved if modules[key].has_passed and not any(check.has_failed for check in checks[key])]
    for stage in reversed(STAGES):  # a stage comes after those whose resources it uses
        if stage.module in run.settings.modules and stage.module not in passed:
            passed = [key for key in passed if key not in (*stage.requires, *stage.after)]

    def restore(keys: list[str]) -> None:
        run.proof.modules = {key: modules[key] for key in keys}
        run.proof.checks = {check.name: check for key in keys for check in checks[key]}

    restore(list(saved))
    clean_run(run)
    if run.proof.left:
        raise ProofError(f"the earlier part of the run left {', '.join(run.proof.left)}")
    run.proof.notes.clear()
    run.settings.reopen()
    delete_environment_files(run.settings)
    restore(passed)
    for key in passed:
        say(f"{key}: passed before; not repeated")
    return passed


def choose_exit_code(run: ProofRun, interrupted: int = 0) -> int:
    """Return 1 if a resource is left, else the code of the interruption, else 1 if the proof failed."""
    if run.proof.left:
        return FAILED
    return interrupted or (FAILED if run.proof.has_failed else 0)


def clean_run(run: ProofRun) -> None:
    """Delete the resources of the run, with one line for each."""
    cleaning = cleanup.RunCleaner(run.settings, run.recorder, say)
    try:
        cleaning.run()
    except Exception as error:  # any error: the report must still list what is left
        cleaning.left.append(f"cleanup ended early: {describe_error(error)}")
    run.proof.left = cleaning.left
    run.proof.notes.append(cleanup.KEPT_RESOURCES_NOTE)
    for name in list(run.proof.modules):
        run.spending.stop_instances(name)
    if cleaning.left:
        say(f"left: {', '.join(cleaning.left)}; run `smlops prove --clean {run.name}` again")
    else:
        say(f"no resource of {run.name} is left")
