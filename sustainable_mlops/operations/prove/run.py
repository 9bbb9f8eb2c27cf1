"""One run from start to end: the base, each module, the named checks, cleanup and the report."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from sustainable_mlops import aws
from sustainable_mlops.errors import UserError
from sustainable_mlops.operations.prove import cleanup, costs, hcl, inventory, models, report
from sustainable_mlops.operations.prove.checks import check_runner
from sustainable_mlops.operations.prove.context import ProofError, ProofRun, say
from sustainable_mlops.operations.prove.run_limits import Interruption
from sustainable_mlops.operations.prove.settings import ProofSettings
from sustainable_mlops.operations.prove.stage import ERRORS, STATEMENTS, Prover, Stage
from sustainable_mlops.operations.prove.stages.base import AccessStage, StorageStage
from sustainable_mlops.operations.prove.stages.data import FeatureStoreStage, ModelRegistryStage, PipelineStage
from sustainable_mlops.operations.prove.stages.endpoints import (
    AsyncEndpoint,
    ObservabilityStage,
    RealtimeEndpoint,
    ServerlessEndpoint,
)
from sustainable_mlops.terraform import Terraform

_STAGES: tuple[type[Stage], ...] = (
    FeatureStoreStage,
    ModelRegistryStage,
    PipelineStage,
    ServerlessEndpoint,
    AsyncEndpoint,
    RealtimeEndpoint,
    ObservabilityStage,
)
#: Exit code of a run that refutes a module, or that a cap ended.
FAILED = 1


def estimate_costs(settings: ProofSettings) -> dict[str, float]:
    """Return each line of the estimate with its cost in USD."""
    return dict(costs.describe_items(_list_items(settings), settings.region))


def _list_items(settings: ProofSettings) -> list[costs.CostItem]:
    chosen = [stage for stage in _STAGES if stage.module in settings.modules]
    items = [item for stage in chosen for item in stage.list_cost_items(settings.region)]
    return items + check_runner.list_cost_items(settings)


def verify_account(run: ProofRun) -> None:
    """Raise UserError unless the credentials belong to the account in the settings."""
    with aws.translate_aws_errors("sts:GetCallerIdentity"):
        actual = run.get_client("sts").get_caller_identity()["Account"]
    if actual != run.settings.account:
        raise UserError(
            f"--account {run.settings.account}: the credentials belong to account {actual}; nothing was created; use a "
            f"profile of account {run.settings.account}"
        )


def prove_modules(settings: ProofSettings) -> tuple[ProofRun, int]:
    """Test the modules, and always clean up. Return the run with its proof, and the exit code."""
    run = ProofRun(settings)
    verify_account(run)
    settings.save()
    code = 0
    with run.limits.watch():
        try:
            try:
                check_runner.record_not_tried(run)
                settings.save_log_groups(cleanup.list_job_log_groups(run.recorder))
                _SelectedModules(run).prove()
            finally:
                # Inside the outer `try`: an interruption at this moment leads to the cleanup, too.
                run.limits.disarm()
                settings.save_end(datetime.now(UTC))
        except Interruption as end:
            run.proof.interruption, code = end.reason, end.exit_code
            say(f"{end.reason}: cleaning up")
        except Exception as error:  # any error: cleanup and report must still run
            run.proof.interruption = _describe_error(error)
            say(f"{run.proof.interruption}: cleaning up")
        clean_run(run)
    report.write_report(run, estimate_costs(settings))
    return run, choose_exit_code(run, code)


def choose_exit_code(run: ProofRun, interrupted: int = 0) -> int:
    """Return 1 if a resource is left, else the code of the interruption, else 1 if the proof failed."""
    if run.proof.left:
        return FAILED
    return interrupted or (FAILED if run.proof.has_failed else 0)


def _describe_error(error: Exception) -> str:
    """Return an error as one line; an unexpected one with its type, because its text may not explain it."""
    text = " ".join(str(error).split())
    return text if isinstance(error, ERRORS) else f"{type(error).__name__}: {text}"


def clean_run(run: ProofRun) -> None:
    """Delete the resources of the run, with one line for each."""
    cleaning = cleanup.RunCleaner(run.settings, run.recorder, say)
    try:
        cleaning.run()
    except Exception as error:  # any error: the report must still list what is left
        cleaning.left.append(f"cleanup ended early: {_describe_error(error)}")
    run.proof.left = cleaning.left
    run.proof.notes.append(cleanup.KEPT_RESOURCES_NOTE)
    for name in list(run.proof.modules):
        run.spending.stop_instances(name)
    if cleaning.left:
        say(f"left: {', '.join(cleaning.left)}; run `smlops prove --clean {run.name}` again")
    else:
        say(f"no resource of {run.name} is left")


class _SelectedModules:
    """The modules of a run, in order."""

    def __init__(self, run: ProofRun) -> None:
        self.run = run
        calls: dict[str, str] = {}
        outputs: dict[str, str] = {}
        self._storage, self._access = StorageStage(run, calls, outputs), AccessStage(run, calls, outputs)
        self._stages = [stage(run) for stage in _STAGES if stage.module in run.settings.modules]
        self._before: dict[str, set[inventory.FoundResource]] = {}

    def prove(self) -> None:
        """Prove and destroy the base and every other module. Raises an error if the base fails."""
        self._prove_base()
        waiting: list[Prover] = []
        for stage in self._stages:
            prover = Prover(stage)
            self._before[stage.module] = self._find_resources()
            self._prove(prover)
            waiting.append(prover)
            # A stage that a later one needs goes after that one.
            due = [one for one in waiting if self._is_due(one, stage.module)]
            for one in reversed(due):
                waiting.remove(one)
                self._destroy(one)
        for one in reversed(waiting):
            self._destroy(one)
        self._destroy_base()

    def _is_due(self, prover: Prover, module: str) -> bool:
        after = prover.stage.destroyed_after
        return after not in self.run.settings.modules or after == module

    def _prove_base(self) -> None:
        storage, access = Prover(self._storage), Prover(self._access)
        with self._record_errors(storage):
            self._before["base"] = self._find_resources()
            storage.apply()
            models.upload_archives(self.run)
            storage.use_resources()
            storage.change()
        if storage.result.error:
            raise ProofError(f"storage: {storage.result.error}")
        with self._record_errors(access):
            with self.run.steps.step("access: role statements of the modules"):
                self._access.statements = self._plan_role_statements()
            access.apply()
            access.use_resources()
            access.change()
        if access.result.error:
            raise ProofError(f"access: {access.result.error}")
        check_runner.run_checks(self._access, "changed")

    def _plan_role_statements(self) -> list[dict[str, list[Any]]]:
        """Return the role statements of each module, by phase. A plan knows them before an apply."""
        stages = [stage for stage in self._stages if STATEMENTS in stage.outputs]
        if not stages:
            return []
        folder = self.run.get_folder("role-statements")
        calls = [hcl.render_call(stage.module, stage.module, stage.build_inputs()) for stage in stages]
        outputs = [hcl.render_output(stage.module, f"module.{stage.module}.{STATEMENTS}") for stage in stages]
        hcl.write_root(folder, self.run.settings, *calls, *outputs)
        terraform = Terraform(folder)
        terraform.init()
        planned = terraform.plan(folder / "tfplan")["planned_values"]["outputs"]
        return [output["value"] for output in planned.values()]

    def _prove(self, prover: Prover) -> None:
        """Run the steps of a module, each followed by the checks that need it."""
        module = prover.stage.module
        with self._record_errors(prover):
            try:
                prover.apply()
            except ERRORS as error:
                check_runner.record_failed_apply(self.run, module, error)
                raise
            check_runner.run_checks(prover.stage, "applied")
            prover.use_resources()
            check_runner.run_checks(prover.stage, "used")
            prover.change()
            check_runner.run_checks(prover.stage, "changed")
            prover.roll_back()
            check_runner.run_checks(prover.stage, "rolled back")

    def _destroy(self, prover: Prover) -> None:
        with self._record_errors(prover):
            prover.destroy(self._before[prover.stage.module])

    def _destroy_base(self) -> None:
        """Destroy the root module of storage and access, and record the result for both."""
        access = Prover(self._access)
        with self._record_errors(access):
            access.destroy(self._before["base"])
        storage = self.run.proof.modules["storage"]
        storage.destroyed, storage.nothing_left = access.result.destroyed, access.result.nothing_left

    def _find_resources(self) -> set[inventory.FoundResource]:
        return inventory.find_resources(self.run.recorder, self.run.settings)[0]

    @contextmanager
    def _record_errors(self, prover: Prover) -> Iterator[None]:
        """Record an error of the stage, so that the run continues with the next one."""
        try:
            yield
        except ERRORS as error:
            prover.fail(error)
