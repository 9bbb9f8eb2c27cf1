"""Order of the modules of a run: independent modules at the same time, each in a thread of its own."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.markup import escape

from clone.prove import hcl, models
from clone.prove.checks import check_runner
from clone.prove.checks.registry import CHECKS
from clone.prove.context import ProofError, ProofRun
from clone.prove.run_limits import Interruption
from clone.prove.stage import ERRORS, STATEMENTS, Prover, Stage
from clone.prove.stages.base import AccessStage, StorageStage

#: Interval in which a waiting thread sees an interruption, in seconds.
_INTERVAL = 0.2


def describe_error(error: BaseException) -> str:
    """Return an error as one line; an unexpected one with its type, because its text may not explain it."""
    text = " ".join(str(error).split())
    return text if isinstance(error, ERRORS) else f"{type(error).__name__}: {text}"


class ScheduledStage:
    """A stage with its thread: it waits for others, is proved, waits for those that use it, and is destroyed."""

    def __init__(self, stage: Stage, check: str = "") -> None:
        self.stage = stage
        #: The slow check for which the stage exists; empty for the stage of a module.
        self.check = check
        self.prover = Prover(stage)
        self.is_proved, self.is_destroyed = threading.Event(), threading.Event()

    @property
    def key(self) -> str:
        """Name in the report."""
        return self.stage.key


class Schedule:
    """The modules of a run."""

    def __init__(self, run: ProofRun, stages: Sequence[type[Stage]], passed_keys: Sequence[str] = ()) -> None:
        self.run = run
        calls: dict[str, str] = {}
        outputs: dict[str, str] = {}
        self._storage, self._access = StorageStage(run, calls, outputs), AccessStage(run, calls, outputs)
        self._base = Prover(self._storage), Prover(self._access)
        self._is_base_ready = threading.Event()
        chosen = [stage for stage in stages if stage.module in run.settings.modules and stage.module not in passed_keys]
        self._tasks = [ScheduledStage(stage(run)) for stage in chosen]
        self._tasks += self._make_check_tasks(stages, passed_keys)
        self._slots = threading.Semaphore(run.settings.parallel)

    def _make_check_tasks(self, stages: Sequence[type[Stage]], passed_keys: Sequence[str]) -> Iterator[ScheduledStage]:
        """Yield a stage for each slow check, so that its hour passes beside the other modules."""
        slow = [CHECKS[name] for name in check_runner.list_slow_checks()]
        for number, check in enumerate(slow, start=1):
            key = f"check-{check.name}"
            if check.name in self.run.settings.extra_checks and key not in passed_keys:
                stage = next(one for one in stages if one.module == check.module)(self.run)
                stage.rename(key, f"slow{number}")
                yield ScheduledStage(stage, check.name)

    def prove(self) -> None:
        """Prove and destroy all modules. Raises Interruption after the threads have ended."""
        threads = [threading.Thread(target=self._run_base, daemon=True)]
        threads += [threading.Thread(target=self._run_task, args=(task,), daemon=True) for task in self._tasks]
        try:
            for thread in threads:
                thread.start()
            for thread in threads:
                while thread.is_alive():
                    thread.join(_INTERVAL)
                    self.run.save_progress()
        finally:
            for thread in threads:
                if thread.ident is not None:
                    thread.join()

    def _run_task(self, task: ScheduledStage) -> None:
        try:
            try:
                with self._record_errors(task.prover):
                    self._wait_for_needs(task)
                    with self._hold_slot():
                        self._prove(task)
            finally:
                task.is_proved.set()
            for other in self._find_users(task):
                self._wait(other.is_destroyed)
            if task.prover.result.apply_seconds is not None or task.stage.terraform.folder.exists():
                with self._record_errors(task.prover), self._hold_slot():
                    task.prover.destroy(task.stage.prefix)
            self._save(task)
        except Interruption as end:
            task.prover.result.error = task.prover.result.error or f"interrupted: {end.reason}"
        finally:
            task.is_destroyed.set()

    def _save(self, task: ScheduledStage) -> None:
        """Save the results of a module, so that a resumed run does not repeat a module that passed."""
        names = [task.check] if task.check else [one.name for one in CHECKS.values() if one.module == task.stage.module]
        checks = [self.run.proof.checks[name].to_dict() for name in names if name in self.run.proof.checks]
        if not task.check:
            checks = [one for one in checks if not CHECKS[one["name"]].extra_cost]
        self.run.settings.save_result(task.key, {"module": vars(task.prover.result), "checks": checks})

    def _wait_for_needs(self, task: ScheduledStage) -> None:
        """Wait for the base and for the modules that come first. Raises ProofError if a needed one has failed."""
        if not task.stage.is_independent:
            self._wait(self._is_base_ready)
            if failed := [prover.stage.module for prover in self._base if prover.result.error]:
                raise ProofError(f"not proved, because {failed[0]} failed")
        for other in self._tasks:
            if other.key in (*task.stage.requires, *task.stage.after) and other is not task and not task.check:
                self._wait(other.is_proved)
                if other.key in task.stage.requires and other.key not in self.run.published:
                    raise ProofError(f"not proved, because {other.key} was not applied")

    def _find_users(self, task: ScheduledStage) -> list[ScheduledStage]:
        """Return the stages that use the resources of a stage."""
        return [one for one in self._tasks if not one.check and task.key in (*one.stage.requires, *one.stage.after)]

    def _prove(self, task: ScheduledStage) -> None:
        """Run the steps of a module, each followed by the checks that need it."""
        prover, module = task.prover, task.stage.module
        try:
            prover.apply()
        except ERRORS as error:
            self.run.limits.check()
            if not task.check:
                check_runner.record_failed_apply(self.run, module, error)
            raise
        if task.check:
            check_runner.run_check(task.stage, CHECKS[task.check])
            return
        check_runner.run_checks(task.stage, "applied")
        prover.use_resources()
        check_runner.run_checks(task.stage, "used")
        prover.change()
        check_runner.run_checks(task.stage, "changed")
        prover.roll_back()
        check_runner.run_checks(task.stage, "rolled back")

    def _run_base(self) -> None:
        storage, access = self._base
        try:
            try:
                self._prove_base()
            finally:
                self._is_base_ready.set()
            if not access.result.error and not storage.result.error:
                with self._record_errors(access):
                    check_runner.run_checks(self._access, "changed")
            for task in self._tasks:
                self._wait(task.is_destroyed)
            with self._record_errors(access):
                access.destroy(self.run.name)
            storage.result.destroyed, storage.result.nothing_left = access.result.destroyed, access.result.nothing_left
            storage.result.seconds = access.result.seconds
        except Interruption as end:
            for prover in self._base:
                prover.result.error = prover.result.error or f"interrupted: {end.reason}"

    def _prove_base(self) -> None:
        storage, access = self._base
        with self._record_errors(storage):
            storage.apply()
            models.upload_archives(self.run)
            storage.use_resources()
            storage.change()
        if storage.result.error:
            return
        with self._record_errors(access):
            with self.run.steps.step("access: role statements of the modules") as step:
                self._access.statements = self._plan_role_statements()
                step.result = escape(f"of {len(self._access.statements)} modules")
            access.apply()
            access.use_resources()
            access.change()

    def _plan_role_statements(self) -> list[dict[str, list[Any]]]:
        """Return the role statements of each module, by phase. A plan knows them before an apply."""
        stages = [task.stage for task in self._tasks if STATEMENTS in task.stage.outputs]
        if not stages:
            return []
        terraform = self.run.make_terraform("role-statements")
        calls = [hcl.render_call(stage.key, stage.module, stage.build_inputs()) for stage in stages]
        outputs = [hcl.render_output(stage.key, f"module.{stage.key}.{STATEMENTS}") for stage in stages]
        hcl.write_root(terraform.folder, self.run.settings, *calls, *outputs)
        terraform.init()
        planned = terraform.plan(terraform.folder / "tfplan")["planned_values"]["outputs"]
        return [output["value"] for output in planned.values()]

    def _wait(self, event: threading.Event) -> None:
        """Wait for an event. Raises Interruption if the run is interrupted."""
        self.run.limits.check()
        while not event.wait(_INTERVAL):
            self.run.limits.check()

    @contextmanager
    def _hold_slot(self) -> Iterator[None]:
        """Hold one of the slots for modules that are proved at the same time. A module that waits holds none."""
        self.run.limits.check()
        while not self._slots.acquire(timeout=_INTERVAL):
            self.run.limits.check()
        try:
            yield
        finally:
            self._slots.release()

    @contextmanager
    def _record_errors(self, prover: Prover) -> Iterator[None]:
        """Record an error of a module, so that the other modules continue. Raises Interruption if it was one."""
        try:
            yield
        except Exception as error:  # any error: the other modules and the cleanup must go on
            self.run.limits.check()
            prover.fail(describe_error(error))
