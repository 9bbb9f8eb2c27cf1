"""One run from start to end: the base, each module, the named checks, clean-up and the report."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from sustainable_mlops import aws
from sustainable_mlops.errors import UserError
from sustainable_mlops.operations.prove import cleanup, costs, hcl, inventory, models, report
from sustainable_mlops.operations.prove.checks import decide
from sustainable_mlops.operations.prove.context import ProofError, ProofRun, say
from sustainable_mlops.operations.prove.guard import Interruption
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
#: Exit code of a run that shows something else than the modules say, or that a cap ended.
FAILED = 1


def estimate(settings: ProofSettings) -> dict[str, float]:
    """Return each line of the estimate with its cost in USD."""
    return dict(costs.describe(_items(settings), settings.region))


def _items(settings: ProofSettings) -> list[costs.CostItem]:
    chosen = [stage for stage in _STAGES if stage.module in settings.modules]
    items = [item for stage in chosen for item in stage.items(settings.region)]
    return items + decide.items(settings)


def verify_account(run: ProofRun) -> None:
    """Raise UserError unless the credentials belong to the account in the settings."""
    with aws.translate_aws_errors("sts:GetCallerIdentity"):
        actual = run.client("sts").get_caller_identity()["Account"]
    if actual != run.settings.account:
        raise UserError(
            f"--account {run.settings.account}: the credentials belong to account {actual}; nothing was created"
        )


def prove(settings: ProofSettings) -> tuple[ProofRun, int]:
    """Prove the modules, and always clean up. Return the run with its proof, and the exit code."""
    run = ProofRun(settings)
    verify_account(run)
    settings.save()
    code = 0
    with run.guard.watch():
        try:
            try:
                decide.record_not_tried(run)
                settings.save_log_groups(cleanup.job_log_groups(run.recorder))
                _SelectedModules(run).prove()
            finally:
                # Inside the outer `try`: an interruption at this moment leads to the clean-up, too.
                run.guard.disarm()
                settings.save_end(datetime.now(UTC))
        except Interruption as end:
            run.proof.interruption, code = end.reason, end.exit_code
            say(f"{end.reason}: cleaning up")
        except Exception as error:  # whatever it is, clean-up and the report follow
            run.proof.interruption = _describe(error)
            say(f"{run.proof.interruption}: cleaning up")
        clean(run)
    report.write(run, estimate(settings))
    return run, exit_code(run, code)


def exit_code(run: ProofRun, interrupted: int = 0) -> int:
    """Return the exit code: FAILED where something is left, whatever ended the run; else that of the interruption."""
    if run.proof.left:
        return FAILED
    return interrupted or (FAILED if run.proof.has_failed else 0)


def _describe(error: Exception) -> str:
    """Return an error as one line; an unexpected one with its type, as its text alone may say nothing."""
    text = " ".join(str(error).split())
    return text if isinstance(error, ERRORS) else f"{type(error).__name__}: {text}"


def clean(run: ProofRun) -> None:
    """Delete the resources of the run, with one line for each."""
    cleaning = cleanup.CleanUp(run.settings, run.recorder, say)
    try:
        cleaning.run()
    except Exception as error:  # the report says what is left, whatever it is
        cleaning.left.append(f"clean-up ended early: {_describe(error)}")
    run.proof.left = cleaning.left
    run.proof.notes.append(cleanup.KEPT_RESOURCES_NOTE)
    for name in list(run.proof.modules):
        run.ledger.close(name)
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
            self._before[stage.module] = self._resources()
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
        with self._recording(storage):
            self._before["base"] = self._resources()
            storage.apply()
            models.upload(self.run)
            storage.use()
            storage.change()
        if storage.result.error:
            raise ProofError(f"storage: {storage.result.error}")
        with self._recording(access):
            with self.run.steps.step("access: role statements of the modules"):
                self._access.statements = self._role_statements()
            access.apply()
            access.use()
            access.change()
        if access.result.error:
            raise ProofError(f"access: {access.result.error}")
        decide.run_checks(self._access, "changed")

    def _role_statements(self) -> list[dict[str, list[Any]]]:
        """Return the role statements of each module, by phase. A plan knows them before an apply."""
        stages = [stage for stage in self._stages if STATEMENTS in stage.outputs]
        if not stages:
            return []
        folder = self.run.folder("role-statements")
        calls = [hcl.call(stage.module, stage.module, stage.inputs()) for stage in stages]
        outputs = [hcl.output(stage.module, f"module.{stage.module}.{STATEMENTS}") for stage in stages]
        hcl.write_root(folder, self.run.settings, *calls, *outputs)
        terraform = Terraform(folder)
        terraform.init()
        planned = terraform.plan(folder / "tfplan")["planned_values"]["outputs"]
        return [output["value"] for output in planned.values()]

    def _prove(self, prover: Prover) -> None:
        """Run the steps of a module, each followed by the checks that need it."""
        module = prover.stage.module
        with self._recording(prover):
            try:
                prover.apply()
            except ERRORS as error:
                decide.record_failed_apply(self.run, module, error)
                raise
            decide.run_checks(prover.stage, "applied")
            prover.use()
            decide.run_checks(prover.stage, "used")
            prover.change()
            decide.run_checks(prover.stage, "changed")
            prover.roll_back()
            decide.run_checks(prover.stage, "rolled back")

    def _destroy(self, prover: Prover) -> None:
        with self._recording(prover):
            prover.destroy(self._before[prover.stage.module])

    def _destroy_base(self) -> None:
        """Destroy the root module of storage and access, and record the result for both."""
        access = Prover(self._access)
        with self._recording(access):
            access.destroy(self._before["base"])
        storage = self.run.proof.modules["storage"]
        storage.destroyed, storage.nothing_left = access.result.destroyed, access.result.nothing_left

    def _resources(self) -> set[inventory.FoundResource]:
        return inventory.find(self.run.recorder, self.run.settings)[0]

    @contextmanager
    def _recording(self, prover: Prover) -> Iterator[None]:
        """Record an error of the stage, so that the run continues with the next one."""
        try:
            yield
        except ERRORS as error:
            prover.fail(error)
