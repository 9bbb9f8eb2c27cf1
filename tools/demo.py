"""The pipeline on real data in the sandbox, step by step: the command behind `make demo`.

- `python -m tools.demo`: apply, run, approve, deploy, invoke, and destroy everything
- `python -m tools.demo --keep`: leave the sandbox up, for Terraform, boto3 and the AWS CLI
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from io import BytesIO
from threading import Event
from typing import TYPE_CHECKING, Annotated, Any

import typer
import yaml
from rich.table import Table

from sagemaker_sandbox import Sandbox
from sustainable_mlops import checkov, cli, program, synth
from sustainable_mlops.aws.s3 import S3Uri
from sustainable_mlops.errors import UserError
from sustainable_mlops.jobs import register
from sustainable_mlops.jobs.pipelines import execution, launch
from sustainable_mlops.jobs.pipelines.parameters import INPUT_KEY
from sustainable_mlops.jobs.pipelines.record import SUCCEEDED, PipelineRecord, PipelineStepRecord, write_record
from sustainable_mlops.jobs.record import RunRecord
from sustainable_mlops.operations import teardown
from sustainable_mlops.steps import Step, Steps
from sustainable_mlops.terraform import LOCAL, ROOT, Progress, Terraform, find_engine, lock_file

if TYPE_CHECKING:
    from pandas import DataFrame

WORKLOAD = ROOT / "workloads" / "flight_delay"
ENVIRONMENT = ROOT / "envs" / "dev"
PIPELINE = WORKLOAD / "pipeline.yaml"
OUT = ROOT / "out"
RAW = OUT / "raw"
#: The demo's own copy of envs/dev, so that the demo never changes an environment of a real account.
COPY = LOCAL / "demo" / "envs" / "dev"
#: The file that names the promoted model package; a later plan by hand reads it too.
PACKAGES = COPY / synth.PACKAGES
MODEL = "flight_delay"
GROUP = "flights"
PLATFORM = "/sustainable-mlops/dev/platform"
FEATURE_GROUP = f"/sustainable-mlops/dev/feature_groups/{GROUP}"
#: Records for the feature group. All 336,776 would take minutes, one PutRecord each.
RECORDS = 2_000
FLIGHTS, BATCH = 4_000, 500
#: The steps of the pipeline that run a job, in order.
JOBS = ("Prepare", "Train", "Evaluate")
INTERRUPT_AFTER_CHECKPOINTS = 4
#: Seconds within which an event must start the pipeline; it usually takes one.
EVENT_TIMEOUT = 120
#: Seconds between two requests for the status of an execution.
POLL_INTERVAL = 0.5
#: The command in the clone, which works without an activated environment.
SMLOPS = ".venv/bin/smlops"
LIST_BUCKETS = 'import boto3; print(boto3.client("s3").list_buckets()["Buckets"])'


app = cli.app()


@app.command(help=__doc__)
def run(
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave the sandbox and its resources up, and print commands to use them.")
    ] = False,
) -> None:
    """Run the demo. Raises UserError if a step fails."""
    cli.require("demo", "sandbox", "pipelines", "workloads", clone=True)
    sys.path[:0] = [str(ROOT)]  # for `workloads`, which is not installed
    OUT.mkdir(exist_ok=True)
    steps = Steps(cli.console)
    with ExitStack() as stack:
        with steps.step("Start the sandbox") as step:
            if keep:
                sandbox = Sandbox.start_in_background()
            else:
                sandbox = stack.enter_context(Sandbox.start(log=OUT / "sandbox.log"))
            step.result = f"AWS at {sandbox.endpoint}"
        os.environ.update(sandbox.environment)
        demo = Demo(sandbox, steps, stack.enter_context(ThreadPoolExecutor()))
        demo.build()
        if not keep:
            demo.destroy()
        demo.report()
        if keep:
            say(f"\nThe sandbox is up at {sandbox.endpoint}, with envs/dev applied to it.")
            for command, meaning in list_commands().items():
                say(f"\n{meaning}:\n  {command}")


def say(text: str) -> None:
    """Print a text that people copy, without folding and markup."""
    cli.console.print(text, highlight=False, markup=False, soft_wrap=True)


def list_commands() -> dict[str, str]:
    """Return the commands to paste in the top folder while the sandbox is up, in order, with their purposes."""
    execute = f"{SMLOPS} sandbox exec --"
    commands = {
        f"{execute} {find_engine().command} -chdir={COPY.relative_to(ROOT)} plan": "A plan without changes (15 s)",
        f"{execute} .venv/bin/python -c '{LIST_BUCKETS}'": "boto3 on the sandbox",
    }
    if shutil.which("aws"):
        commands[f"{execute} aws sagemaker list-endpoints"] = "The AWS CLI on the sandbox"
    return commands | {
        f"{execute} {SMLOPS} pipeline run {PIPELINE.relative_to(ROOT)} --data {RAW.relative_to(ROOT)}": (
            "The pipeline on the same data: nothing runs (5 s)"
        ),
        f"{execute} bash": "A shell in which AWS is the sandbox; `exit` leaves it",
        f"{SMLOPS} sandbox status": "The resources in the sandbox",
        f"{SMLOPS} sandbox stop": "Stop the sandbox and remove everything in it",
    }


class Demo:
    """The steps of the demo, and the values that later steps need."""

    def __init__(self, sandbox: Sandbox, steps: Steps, pool: ThreadPoolExecutor) -> None:
        self._sandbox = sandbox
        self._steps = steps
        self._pool = pool
        self._terraform = Terraform(COPY, sandbox.environment)
        self._figures: dict[str, str] = {}

    def build(self) -> None:
        """Run every step from the first apply to the checks: a served model, an empty plan, and checkov."""
        step = self._steps.step
        with step("Apply envs/dev") as this:
            self._init()
            applied = self._apply_until_published(this)
        with step("Write 336,776 real flights by month") as this:
            this.result = _write_raw_files()
        record = self._first_execution()
        with step("Put flights into the feature group") as this:
            self._put_records(this)
        with step("Approve the model") as this:
            package = self._approve(record, this)
        PACKAGES.write_text(json.dumps({"model_packages": {MODEL: package}}, indent=2) + "\n")
        with step("Wait for the lifecycle rules") as this:
            # The provider reads each rule back ten times, five seconds apart, before it accepts it as settled.
            self._checkov = checkov.Checkov()
            count = sum(len(names) for kinds in self._sandbox.inventory().values() for names in kinds.values())
            this.result = f"{applied.result()}, {count} resources in the sandbox"
        with step("Apply again: the endpoint serves the model") as this:
            # The first apply wrote the state a moment ago, so there is nothing to refresh.
            this.result = str(self._terraform.apply("-refresh=false", progress=lambda at: this.show(str(at))))
        with step("Invoke the endpoint with held-out flights") as this:
            self._invoke(this)
        with step("The same data arrives again") as this:
            self._second_execution(record, this)
        with step("Plan again: empty") as this:
            if not self._terraform.is_up_to_date(OUT / "dev.tfplan"):
                raise UserError("the second plan is not empty: see terraform show out/dev.tfplan")
            this.result = "no change"
        self._check_result = self._pool.submit(self._check)

    def destroy(self) -> None:
        """Destroy everything. Raises UserError if a resource is left."""
        with self._steps.step("Destroy envs/dev") as this:
            destroyed = teardown.destroy(self._terraform, this.show, refresh=False, late_seconds=1)
            this.result = f"{destroyed} resources"
        with self._steps.step("Look for resources that are left") as this:
            _empty_bucket(self._sandbox, _state_bucket())
            left = self._sandbox.inventory()
            if left:
                raise UserError(f"left in the sandbox: {json.dumps(left)}")
            this.result = "nothing"

    def report(self) -> None:
        """Print the result of checkov and the closing table, and write the table as JSON."""
        with self._steps.step("checkov's built-in checks") as this:
            this.result = self._check_result.result()
        table = Table(title="Demo", show_header=False, title_justify="left")
        for name in ("figure", "value"):
            table.add_column(name, overflow="fold")
        rows = {
            **self._figures,
            **{f"{step.title} (s)": f"{step.seconds:.1f}" for step in self._steps.finished},
            "Total (s)": f"{sum(step.seconds for step in self._steps.finished):.1f}",
        }
        for name, value in rows.items():
            table.add_row(name, value)
        cli.console.print(table)
        (OUT / "demo.json").write_text(json.dumps(rows, indent=2) + "\n")
        say("Artefacts: out/ (demo.json, dev.plan.json, dev.checkov.json, runs/, raw/)")

    def _init(self) -> None:
        """Create the state bucket and the copy of the environment, and initialise Terraform if its input changed."""
        s3 = self._sandbox.client("s3")
        region = s3.meta.region_name
        s3.create_bucket(Bucket=_state_bucket(), CreateBucketConfiguration={"LocationConstraint": region})
        _copy_environment()
        inputs = [lock_file(), *sorted(COPY.glob("*.tf"))]
        digest = hashlib.sha256(b"".join(file.read_bytes() for file in inputs)).hexdigest()
        stamp = COPY / "initialised"
        if not stamp.exists() or stamp.read_text() != digest:
            self._terraform.init("-reconfigure")
            stamp.write_text(digest)

    def _apply_until_published(self, step: Step) -> "Future[Progress]":
        """Start to apply, and return as soon as the environment has published the platform parameter."""
        published, missing = Event(), {"aws_ssm_parameter.platform", f'aws_ssm_parameter.feature_groups["{GROUP}"]'}

        def progress(at: Progress) -> None:
            step.show(str(at))
            step.result = f"{at}, the platform is published"
            missing.discard(at.address)
            if not missing:
                published.set()

        applied = self._pool.submit(self._terraform.apply, progress=progress)
        applied.add_done_callback(lambda _: published.set())
        published.wait()
        if applied.done():
            applied.result()
        self._platform = self._parameter(PLATFORM)
        return applied

    def _parameter(self, name: str) -> dict[str, Any]:
        """Return the JSON object in an SSM parameter."""
        parameter = self._sandbox.client("ssm").get_parameter(Name=name)
        value: dict[str, Any] = json.loads(parameter["Parameter"]["Value"])
        return value

    def _put_records(self, step: Step) -> None:
        """Put flights into the feature group, and check that its offline store has them."""
        from workloads.flight_delay import prepare

        group = self._parameter(FEATURE_GROUP)
        store = self._sandbox.client("sagemaker-featurestore-runtime")
        records = list(prepare.make_feature_records(self._held_out.tail(RECORDS)))
        with ThreadPoolExecutor(max_workers=4) as pool:
            put = pool.map(lambda record: store.put_record(FeatureGroupName=group["name"], Record=record), records)
            for number, _ in enumerate(put, 1):
                step.show(f"{number:,} of {len(records):,} records")
        stored = sum(len(frame) for frame in self._read_parquet(group["offline_s3_uri"]))
        if stored != len(records):
            raise UserError(f"feature group {group['name']}: {len(records)} records put, {stored} in its offline store")
        step.result = f"{len(records):,} records, all in the offline store"

    def _read_parquet(self, address: str) -> "Iterator[DataFrame]":
        """Yield the Parquet files below an address."""
        import pandas as pd

        s3, (bucket, prefix) = self._sandbox.client("s3"), S3Uri.parse(address)
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        for key in (item["Key"] for page in pages for item in page.get("Contents", [])):
            if key.endswith(".parquet"):
                yield pd.read_parquet(BytesIO(s3.get_object(Bucket=bucket, Key=key)["Body"].read()))

    def _first_execution(self) -> PipelineRecord:
        """Start the pipeline on the raw files, follow each step, and return the record."""
        import pandas as pd

        with self._steps.step("Start the pipeline") as this:
            self._sandbox.fault(
                "CreateTrainingJob",
                error="SpotInterruption",
                after_checkpoints=INTERRUPT_AFTER_CHECKPOINTS,
                resource="pipelines-",
            )
            prepared = launch.prepare(PIPELINE, data=RAW)
            record = launch.start_execution(prepared)
            self._raw = prepared.parameters[INPUT_KEY]
            this.result = f"{record.pipeline}, data under its digest: {self._raw}"
        steps: dict[str, Callable[[PipelineStepRecord], str]] = {
            "Prepare the flights": self._report_preparation,
            "Train on spot, with one interruption": self._report_training,
            "Evaluate on held-out flights": _format_usage,
        }
        for name, (title, report) in zip(JOBS, steps.items(), strict=True):
            with self._steps.step(title) as this:
                record = self._follow(record, this, until=name)
                this.result = report(_step(record, name))
        with self._steps.step("Pass the gate and register") as this:
            record = self._follow(record, this)
            if record.model_package is None:
                raise UserError(f"execution {record.execution} of {record.pipeline} registered no model")
            this.result = f"{record.model_package.rpartition(':')[2]}, pending"
        self._held_out: DataFrame = pd.concat(self._read_parquet(self._test), ignore_index=True)
        for name in ("energy", "co2e_operational", "cost"):
            figure = record.figures[name]
            span = f"{figure.low:.2g} to {figure.high:.2g}, {figure.basis}"
            self._figures[f"The pipeline on SageMaker: {name}"] = f"{figure.value:.2g} {figure.unit} ({span})"
        self._figures["Record of the execution"] = str(write_record(record, OUT).relative_to(ROOT))
        return record

    def _follow(self, record: PipelineRecord, step: Step, until: str | None = None) -> PipelineRecord:
        """Return the record once the step `until`, or the execution, has ended. Raises UserError if it failed."""
        sagemaker = self._sandbox.client("sagemaker")
        while True:
            record = execution.refresh_execution(record, sagemaker)
            if record.is_ended or any(one.name == until and one.ended_at for one in record.steps):
                break
            running = [one for one in record.steps if not one.ended_at]
            step.show(", ".join(f"{one.name}: {_format_status(one)}" for one in running))
            time.sleep(POLL_INTERVAL)
        if record.is_ended and record.status != SUCCEEDED:
            path = write_record(record, OUT).relative_to(ROOT)
            why = f"{record.status}: {record.failure_reason}; see {path}"
            raise UserError(f"execution {record.execution} of {record.pipeline}: {why}")
        return record

    def _report_preparation(self, step: PipelineStepRecord) -> str:
        description = self._sandbox.client("sagemaker").describe_processing_job(ProcessingJobName=_job(step).job_name)
        outputs = description["ProcessingOutputConfig"]["Outputs"]
        (self._test,) = (one["S3Output"]["S3Uri"] for one in outputs if one["OutputName"] == "test")
        return _format_usage(step)

    def _report_training(self, step: PipelineStepRecord) -> str:
        job = _job(step)
        if job.interruptions != 1:
            raise UserError(f"training job {job.job_name} was interrupted {job.interruptions} times, not once")
        redone = int(job.metrics["rounds_redone"])
        self._figures["Rounds redone after the interruption"] = str(redone)
        return f"interrupted once, {redone} rounds redone, {_format_metric(job, 'test:auc')}"

    def _approve(self, record: PipelineRecord, step: Step) -> str:
        pending = register.ModelPackage(str(record.model_package), register.PENDING, is_new=True)
        reason = "AUC on held-out flights, see its evaluation"
        package = register.approve(pending, reason, self._sandbox.client("sagemaker"))
        step.result = package.arn.rpartition(":")[2]
        return package.arn

    def _second_execution(self, first: PipelineRecord, step: Step) -> None:
        """Deliver the same data again. Its event starts the pipeline, every step hits the cache, and no job runs."""
        self._sandbox.client("s3").put_object(Bucket=self._platform["buckets"]["data"], Key=self._raw)
        deadline = time.monotonic() + EVENT_TIMEOUT
        record, _ = execution.load_execution(PIPELINE, None)
        while record.execution_arn == first.execution_arn:
            if time.monotonic() > deadline:
                raise UserError(f"{record.pipeline}: the data that arrived did not start it within {EVENT_TIMEOUT} s")
            time.sleep(POLL_INTERVAL)
            record, _ = execution.load_execution(PIPELINE, None)
        record = self._follow(record, step)
        names = [one.name for one in record.steps if one.ran_job]
        if names:
            raise UserError(f"execution {record.execution} of {record.pipeline} ran again: {', '.join(names)}")
        write_record(record, OUT)
        saved = record.saved["co2e_operational"]
        self._figures["Jobs run for the same data again"] = str(len(names))
        step.result = f"the event starts the pipeline; 0 of {len(JOBS)} jobs run, {saved.value:.2g} {saved.unit} saved"

    def _invoke(self, step: Step) -> None:
        """Invoke the endpoint with flights of the last weeks, which the model has never seen."""
        from workloads.flight_delay import features

        endpoint = self._terraform.read_outputs()["serverless_endpoints"][MODEL]
        runtime = self._sandbox.client("sagemaker-runtime")
        flights = self._held_out.sample(FLIGHTS, random_state=0)
        scores: list[float] = []
        for first in range(0, FLIGHTS, BATCH):
            rows = flights[features.list_names()].iloc[first : first + BATCH]
            response = runtime.invoke_endpoint(
                EndpointName=endpoint,
                ContentType="application/json",
                Accept="application/json",
                Body=rows.to_json(orient="records"),
            )
            scores += json.loads(response["Body"].read())["predictions"]
            step.show(f"{len(scores):,} of {FLIGHTS:,} flights")
        late = flights[features.LABEL].to_numpy()
        auc = _compute_auc(late, scores)
        majority = max(late.mean(), 1 - late.mean())
        if auc <= 0.6:
            raise UserError(f"the endpoint's AUC is {auc:.3f}: hardly better than 0.5, the AUC of the majority class")
        self._figures[f"AUC of the endpoint on {FLIGHTS:,} held-out flights"] = f"{auc:.3f}"
        self._figures["AUC of the majority class (baseline)"] = f"0.500 (right for {majority:.1%})"
        step.result = f"AUC {auc:.3f} against 0.5 of the majority class"

    def _check(self) -> str:
        """Run checkov on the plan of the whole environment and return a summary. Raises UserError if a check failed."""
        plan = self._terraform.show(OUT / "dev.tfplan")
        text = json.dumps(plan)
        (OUT / "dev.plan.json").write_text(text)
        self._figures["Resources of envs/dev"] = str(_count_resources(plan))
        result = self._checkov.check(text.encode())
        report = {"passed": result.passed, "explained": result.explained, "failed": result.failed}
        (OUT / "dev.checkov.json").write_text(json.dumps(report, default=vars, indent=2) + "\n")
        if result.failed:
            failed = ", ".join(f"{finding.check} on {finding.address}" for finding in result.failed)
            raise UserError(f"checkov: {failed}")
        return f"{result.passed} passed, 0 failed, {len(result.explained)} explained"


def _copy_environment() -> None:
    """Copy the current environment without the package of an earlier demo, with links to the folders it names."""
    COPY.mkdir(parents=True, exist_ok=True)
    for old in (*COPY.glob("*.tf"), *COPY.glob("*.tfvars.json")):
        old.unlink()
    for file in ENVIRONMENT.glob("*.tf"):
        shutil.copy(file, COPY)
    for name in synth.CALLED_FOLDERS:
        link = COPY.parents[1] / name
        if link.is_dir() and not link.is_symlink():  # left by an earlier version
            shutil.rmtree(link)
        link.unlink(missing_ok=True)
        link.symlink_to(ROOT / name)


def _write_raw_files() -> str:
    """Write the raw files as a data provider would, and return their number and size."""
    command = [sys.executable, str(WORKLOAD / "raw.py"), "--out", str(RAW)]
    process = subprocess.run(command, capture_output=True, text=True, check=False)
    if process.returncode:
        raise UserError(process.stderr.strip())
    files = [path for path in RAW.rglob("*") if path.is_file()]
    return f"{len(files)} files, {sum(path.stat().st_size for path in files) / 1e6:.1f} MB"


def _state_bucket() -> str:
    """Return the name of the state bucket in settings.yaml."""
    name: str = yaml.safe_load((ENVIRONMENT / "settings.yaml").read_text())["state"]["bucket"]
    return name


def _empty_bucket(sandbox: Sandbox, name: str) -> None:
    """Delete the state bucket, which belongs to the demo and not to Terraform."""
    s3 = sandbox.client("s3")
    for item in s3.list_objects_v2(Bucket=name).get("Contents", []):
        s3.delete_object(Bucket=name, Key=item["Key"])
    s3.delete_bucket(Bucket=name)


def _count_resources(plan: dict[str, Any]) -> int:
    """Return the number of managed resources in a plan."""

    def count(module: dict[str, Any]) -> int:
        own: int = sum(resource["mode"] == "managed" for resource in module.get("resources", []))
        return own + sum(count(child) for child in module.get("child_modules", []))

    return count(plan["planned_values"].get("root_module", {}))


def _step(record: PipelineRecord, name: str) -> PipelineStepRecord:
    (step,) = (one for one in record.steps if one.name == name)
    return step


def _job(step: PipelineStepRecord) -> RunRecord:
    if step.job is None:
        raise UserError(f"step {step.name} ran no job: {step.status} {step.reason or ''}")
    return step.job


def _format_usage(step: PipelineStepRecord) -> str:
    """Return the estimated carbon and cost of a step's job on SageMaker."""
    figures = _job(step).figures
    return ", ".join(f"{figures[name].value:.2g} {figures[name].unit}" for name in ("co2e_operational", "cost"))


def _format_status(step: PipelineStepRecord) -> str:
    return step.status if step.job is None else step.job.secondary_status or step.job.status


def _format_metric(record: RunRecord, name: str) -> str:
    return f"{name} {record.metrics[name]:.3f}" if name in record.metrics else ""


def _compute_auc(late: Any, scores: list[float]) -> float:
    """Return the area under the ROC curve: the share of pairs whose late flight scores higher (ties count half)."""
    from pandas import Series

    ranks = Series(scores).rank().to_numpy()
    positive = late == 1
    n = positive.sum()
    return float((ranks[positive].sum() - n * (n + 1) / 2) / (n * (len(late) - n)))


if __name__ == "__main__":
    program.run(app)
