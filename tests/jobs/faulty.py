"""Small jobs of every kind on a bench, and commands that run in this process, with injected faults."""

import contextlib
import io
import json
import os
import signal
import sys
import tarfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import boto3
import yaml
from botocore.httpsession import URLLib3Session

from sustainable_mlops.base import program
from sustainable_mlops.base.settings import validate
from sustainable_mlops.commands._group import run
from sustainable_mlops.jobs import wait
from sustainable_mlops.jobs.kinds import KINDS
from sustainable_mlops.jobs.kinds.kind import JobReferences
from sustainable_mlops.jobs.launch import find_platform
from sustainable_mlops.jobs.layout import Layout
from sustainable_mlops.jobs.source import pack_source_folder
from sustainable_mlops.jobs.specs.processing import ProcessingSpec
from tests.jobs.bench import Bench
from tests.jobs.support import PROCESSING_JOB, TRANSFORM_JOB, TUNE, merge_changes
from tests.sandbox.support import make_role

#: Text before the command that continues, on the same line.
CONTINUE_PREFIX = "To continue: "
#: Start of every script: it waits while the file exists, and ignores SIGTERM.
HOLD = """
import os, pathlib, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
pathlib.Path("{hold}.deaf").touch()
while os.path.exists("{hold}"):
    time.sleep(0.05)
"""
TRAIN = """
(pathlib.Path(os.environ["SM_MODEL_DIR"]) / "model").write_text("of flights")
print("score=0.5;", flush=True)
"""
PROCESS = """
(pathlib.Path(os.environ["OUTPUT_DIR"]) / "report" / "echo.txt").write_text("flights")
"""
SERVE = """
import os, time
def model_fn(folder):
    while os.path.exists("{hold}"):
        time.sleep(0.05)
def input_fn(body, content_type): return body
def predict_fn(body, model): return body
def output_fn(answer, accept): return answer, accept
"""


@dataclass(frozen=True)
class Launcher:
    """A command that launches something, and SageMaker's names for it."""

    words: tuple[str, ...]
    #: Operation that lists the launched items, the field with them, and the filter of a bench.
    listing: tuple[str, str, Callable[[Bench], Mapping[str, str]]]
    #: Operation that launches, and the operation that reads the status.
    creates: str
    describes: str
    #: Other operations that the command calls at least once.
    calls: tuple[str, ...] = ()

    def list_launched(self, bench: Bench) -> list[dict[str, Any]]:
        """Return the launched items; empty if the pipeline does not exist yet."""
        find_operation, member, make_filter = self.listing
        sagemaker = bench.sandbox.client("sagemaker")
        try:
            response = getattr(sagemaker, find_operation)(**make_filter(bench))
        except sagemaker.exceptions.ResourceNotFound:
            return []
        items: list[dict[str, Any]] = response[member]
        return items


def _make_job_launcher(words: tuple[str, ...], noun: str, listing: str, *calls: str) -> Launcher:
    item_listing = (listing, f"{noun}Summaries", lambda bench: {"NameContains": bench.name})
    return Launcher(words, item_listing, f"Create{noun}", f"Describe{noun}", ("s3:GetObject", "s3:HeadObject", *calls))


LAUNCHERS = {
    "training": _make_job_launcher(("train", "job.yaml"), "TrainingJob", "list_training_jobs", "s3:ListObjectsV2"),
    "tuning": _make_job_launcher(
        ("tune", "tune.yaml"),
        "HyperParameterTuningJob",
        "list_hyper_parameter_tuning_jobs",
        "s3:ListObjectsV2",
        "ListTrainingJobsForHyperParameterTuningJob",
        "DescribeTrainingJob",
    ),
    "processing": _make_job_launcher(
        ("process", "prepare.yaml"), "ProcessingJob", "list_processing_jobs", "s3:ListObjectsV2"
    ),
    "transform": Launcher(
        ("transform", "predict.yaml"),
        ("list_transform_jobs", "TransformJobSummaries", lambda bench: {"NameContains": bench.name}),
        "CreateTransformJob",
        "DescribeTransformJob",
        ("s3:GetObject", "s3:ListObjectsV2", "CreateModel"),
    ),
    "pipeline": Launcher(
        ("pipeline", "run", "pipeline.yaml", "--data", "raw"),
        (
            "list_pipeline_executions",
            "PipelineExecutionSummaries",
            lambda bench: {"PipelineName": f"{bench.name}-{bench.name}"},
        ),
        "StartPipelineExecution",
        "DescribePipelineExecution",
        (
            "s3:HeadObject",
            "s3:ListObjectsV2",
            "DescribePipeline",
            "CreatePipeline",
            "ListPipelineExecutionSteps",
            "DescribeProcessingJob",
        ),
    ),
}


def get_hold_file(bench: Bench) -> Path:
    """Return the file that keeps launched scripts waiting."""
    return bench.folder / "hold"


def write_jobs(bench: Bench) -> None:
    """Write a file for each launcher, with its scripts and data."""
    for name, script in (("train.py", TRAIN), ("prepare.py", PROCESS)):
        (bench.folder / name).write_text(HOLD.format(hold=get_hold_file(bench)) + script)
    bench.write(
        hyperparameters={"rounds": ...}, metrics={"score": "score=([0-9.]+)", "round": ..., "resumed_from": ...}
    )
    training = {"hyperparameters": {"rate": 0.5}, "compute": {"spot": False}, "checkpoints": "none"}
    bench.write_file("trial.yaml", merge_changes(yaml.safe_load((bench.folder / "job.yaml").read_text()), training))
    ranges = {"eta": ..., "max_depth": ..., "rate": {"type": "continuous", "min": 0, "max": 1}}
    search = {
        "name": bench.name,
        "training": "trial.yaml",
        "strategy": "random",
        "objective": {"metric": "score"},
        "ranges": ranges,
        "limits": {"max_jobs": 1, "max_parallel": 1},
    }
    (bench.folder / "tune.yaml").write_text(yaml.safe_dump(merge_changes(TUNE, search)))
    bench.write_file(
        "prepare.yaml",
        PROCESSING_JOB,
        inputs={"flights": {"sharding": "replicated"}, "airports": ...},
        arguments=...,
        outputs={"train": ...},
    )
    bench.put("models/model.tar.gz", _archive("code/inference.py", SERVE.format(hold=get_hold_file(bench))))
    bench.write_file("predict.yaml", TRANSFORM_JOB, model=f"s3://{bench.name}-data/models/model.tar.gz")
    _write_pipeline(bench)


def _archive(name: str, text: str) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        member = tarfile.TarInfo(name)
        member.size = len(text)
        archive.addfile(member, io.BytesIO(text.encode()))
    return packed.getvalue()


def _write_pipeline(bench: Bench) -> None:
    """Write a pipeline with the processing job, and its definition as a builder writes it."""
    ssm, parameter = bench.sandbox.client("ssm"), f"/{bench.name}/platform"
    platform = json.loads(ssm.get_parameter(Name=parameter)["Parameter"]["Value"])
    platform["roles"]["pipeline"] = make_role(bench.sandbox, "acme-dev-pipeline")
    ssm.put_parameter(Name=parameter, Value=json.dumps(platform | {"name_prefix": bench.name}), Overwrite=True)
    spec = validate(yaml.safe_load((bench.folder / "prepare.yaml").read_text()), ProcessingSpec, "prepare.yaml")
    with use_sandbox(bench):
        layout = Layout(find_platform(spec.platform).buckets, bench.name)
    data, execution = f"s3://{bench.name}-data", {"Get": "Execution.PipelineExecutionId"}
    references = JobReferences(
        role={"Get": "Parameters.DataPreparationRoleArn"},
        image={"Get": "Parameters.ProcessingImage"},
        kms_key=None,
        source=layout.locate_source(pack_source_folder(spec.source, bench.folder).digest),
        channels={"flights": {"Std:Join": {"On": "/", "Values": [data, {"Get": "Parameters.InputKey"}]}}},
        models=None,
        checkpoints=None,
        outputs={"report": {"Std:Join": {"On": "/", "Values": [f"{data}/re-creatable", execution]}}},
    )
    step = {
        "Name": "Prepare",
        "Type": "Processing",
        "Arguments": KINDS["processing"].build_request(spec, references),
        "CacheConfig": {"Enabled": True, "ExpireAfter": "P30D"},
    }
    names = ("InputKey", "ProcessingImage", "DataPreparationRoleArn")
    definition = {
        "Version": "2020-12-01",
        "Parameters": [{"Name": name, "Type": "String"} for name in names],
        "Steps": [step],
    }
    (bench.folder / "pipeline.json").write_text(json.dumps(definition))
    pipeline = {
        "name": bench.name,
        "platform": parameter,
        "steps": {"prepare": "prepare.yaml"},
        "instance_types": ["ml.m5.large"],
        "raw": "raw/flights/",
    }
    (bench.folder / "pipeline.yaml").write_text(yaml.safe_dump(pipeline))
    (bench.folder / "raw").mkdir(exist_ok=True)
    (bench.folder / "raw" / "flights.csv").write_text("EWR,12\n")


@contextlib.contextmanager
def use_sandbox(bench: Bench) -> Iterator[None]:
    """Run the context with the sandbox as AWS, in the folder of the bench, with short pauses."""
    before = Path.cwd()
    with (
        mock.patch.dict(os.environ, bench.sandbox.process_environment(), clear=True),
        mock.patch.multiple(wait, _FIRST_PAUSE=0.1, _LONGEST_PAUSE=0.3),
        mock.patch.object(boto3, "DEFAULT_SESSION", _get_session()),
    ):
        os.chdir(bench.folder)
        try:
            yield
        finally:
            os.chdir(before)


_SESSIONS: list[boto3.Session] = []


def _get_session() -> boto3.Session:
    """Return one session for all tests: loading the service models takes most of the time of a launch."""
    if not _SESSIONS:
        _SESSIONS.append(boto3.Session())
    return _SESSIONS[0]


@dataclass(frozen=True)
class CompletedCommand:
    """Exit code and output of a command."""

    code: int
    out: str
    err: str

    def check_traceback(self) -> "CompletedCommand":
        """Return the command; raise AssertionError if its output has a traceback."""
        assert "Traceback" not in self.err, self.err
        return self

    @property
    def command(self) -> list[str]:
        """The printed command that continues, as arguments of `smlops`."""
        last_line = self.err.splitlines()[-1].rpartition(CONTINUE_PREFIX)[2]
        assert last_line.startswith("smlops "), self.err
        return last_line.split()[1:]


def run_smlops(bench: Bench, *words: str, first: Callable[[], object] = lambda: None) -> CompletedCommand:
    """Run the command as a shell would; `first` runs at its start."""

    def command() -> None:
        first()
        run(words)

    out, err = io.StringIO(), io.StringIO()
    with (
        use_sandbox(bench),
        mock.patch.object(sys, "argv", ["smlops", *words]),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            program.run(command)
            code = 0
        except SystemExit as end:
            code = int(end.code or 0)
    return CompletedCommand(code, out.getvalue(), err.getvalue()).check_traceback()


@contextlib.contextmanager
def intercept_requests(around: Callable[[Any, Callable[[], Any]], Any]) -> Iterator[None]:
    """Pass each request to AWS through `around`, which receives the request and a function that sends it."""
    send = URLLib3Session.send

    def send_through(session: URLLib3Session, request: Any) -> Any:
        return around(request, lambda: send(session, request))

    with mock.patch.object(URLLib3Session, "send", send_through):
        yield


def find_operation(request: Any) -> str:
    """Return the operation of a JSON request, such as `CreateTrainingJob`, or else the HTTP method, such as PUT."""
    target = request.headers.get("X-Amz-Target", b"")
    text = target.decode() if isinstance(target, bytes) else str(target)
    return text.rpartition(".")[2] or str(request.method)


class CtrlC:
    """A filter for `intercept_requests` that raises Ctrl-C before or after the nth call of an operation."""

    def __init__(self, operation: str, when: str, which: int) -> None:
        self._operation, self._when, self._remaining = operation, when, which

    def __call__(self, request: Any, send: Callable[[], Any]) -> Any:
        self._remaining -= find_operation(request) == self._operation
        is_due = self._remaining == 0 and find_operation(request) == self._operation
        if is_due and self._when == "before":
            signal.raise_signal(signal.SIGINT)
        response = send()
        if is_due:
            signal.raise_signal(signal.SIGINT)
        return response
