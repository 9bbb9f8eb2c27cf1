"""A training and a pipeline, each launched with a fault, and continued by the documented command."""

import tempfile
from dataclasses import asdict
from pathlib import Path
from unittest import mock

from sagemaker_sandbox import Sandbox
from sustainable_mlops.base.terraform import ROOT
from tests.account.chaos.case import Calls, Case, Operation, Result, inject, is_reached
from tests.account.chaos.process import run_forked
from tests.jobs import faulty
from tests.jobs.bench import Bench, make_bench
from tests.jobs.faulty import LAUNCHERS, CompletedCommand, run_smlops, write_jobs
from tests.sandbox.support import wait_until

_KINDS = {Operation.LAUNCH: "training", Operation.PIPELINE: "pipeline"}
#: Start of the scripts: they end soon, so that a command can find a job that has ended.
_START = "import os, pathlib\n"


class Launches:
    """Launches on one sandbox, each in a folder of its own."""

    def __init__(self, sandbox: Sandbox, operation: Operation) -> None:
        self.sandbox, self._operation = sandbox, operation
        self._launcher = LAUNCHERS[_KINDS[operation]]

    def prepare(self) -> None:
        """Record the requests of a launch without faults."""
        bench = self._make_bench()
        with self.sandbox.record_calls() as calls:
            completed = run_smlops(bench, *self._launcher.words)
        assert completed.code == 0, completed.err
        # The requests of jobs are those of SageMaker and of the scripts, and not of the command.
        self._calls = Calls.of([call for call in calls if "Boto3" in call["user_agent"] and call["status"] == 200])

    def _make_bench(self) -> Bench:
        bench = make_bench(self.sandbox, ROOT, Path(tempfile.mkdtemp(prefix="chaos-")))
        with mock.patch.object(faulty, "HOLD", _START):
            write_jobs(bench)
        return bench

    def run(self, case: Case, result: Result) -> None:
        """Launch with the fault of a case, run the printed command or the same one, and check the jobs."""
        bench = self._make_bench()
        inject(case, self.sandbox, self._calls, result)
        completed = self._launch(bench, case)
        result.is_reached = is_reached(case, self.sandbox)
        self.sandbox.clear_faults()
        result.code = completed.code if completed is not None else -9
        if completed is None or completed.code:
            has_command = (
                completed is not None and completed.code in (2, 130) and "smlops " in completed.err.splitlines()[-1]
            )
            words = completed.command if completed is not None and has_command else list(self._launcher.words)
            result.commands.append(f"smlops {' '.join(words)}".replace(bench.name, "NAME"))
            continued = run_smlops(bench, *words)
            assert continued.code == 0, continued.err
        self._check(bench)
        result.converged = True

    def _launch(self, bench: Bench, case: Case) -> CompletedCommand | None:
        """Return the command; None if the fault killed it."""
        result = run_forked(lambda: asdict(run_smlops(bench, *self._launcher.words)), case, self.sandbox)
        return None if result is None else CompletedCommand(**result)

    def _check(self, bench: Bench) -> None:
        """Check that one job ran and succeeded, with its record and without half-written files."""
        if self._operation is Operation.PIPELINE:
            self._check_executions(bench)
        else:
            jobs = self._launcher.list_launched(bench)
            assert [job["TrainingJobStatus"] for job in jobs] == ["Completed"], jobs
        records = [path for path in (bench.folder / "out").rglob("*") if path.is_file()]
        assert records, "no record"
        assert all(path.suffix in (".json", ".html") for path in records), records
        assert not list(bench.folder.glob(".*.partial")), "a half-written file is left"

    def _check_executions(self, bench: Bench) -> None:
        """Check that all executions succeed with one job. An execution that finds a cached step starts none."""
        sagemaker = self.sandbox.client("sagemaker")

        def list_statuses() -> set[str]:
            return {one["PipelineExecutionStatus"] for one in self._launcher.list_launched(bench)}

        wait_until(lambda: "Executing" not in list_statuses())
        assert list_statuses() == {"Succeeded"}
        pages = [
            sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=one["PipelineExecutionArn"])
            for one in self._launcher.list_launched(bench)
        ]
        steps = [step for page in pages for step in page["PipelineExecutionSteps"]]
        jobs = {step["Metadata"]["ProcessingJob"]["Arn"] for step in steps}
        assert len(jobs) == 1, f"the step ran {len(jobs)} times"
