"""Pipelines before they run: data sets, parameters, figures, gate and validation."""

import io
import json
import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest
from boto3.exceptions import S3UploadFailedError
from botocore.exceptions import ClientError
from rich.console import Console

from sustainable_mlops.aws import Clients
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.terraform import ROOT
from sustainable_mlops.commands import pipeline
from sustainable_mlops.jobs.figure import RunFigure
from sustainable_mlops.jobs.pipelines import display, parameters, registry, versions
from sustainable_mlops.jobs.pipelines.data import read_data_folder
from sustainable_mlops.jobs.pipelines.estimate import estimate_execution
from sustainable_mlops.jobs.pipelines.execution import refresh_execution
from sustainable_mlops.jobs.pipelines.figures import sum_figures
from sustainable_mlops.jobs.pipelines.launch import read_files
from sustainable_mlops.jobs.pipelines.record import PipelineRecord, PipelineStepRecord, write_record
from sustainable_mlops.jobs.platform import Platform
from sustainable_mlops.jobs.record import RunRecord
from sustainable_mlops.jobs.source import pack_source_folder
from sustainable_mlops.jobs.spec_files import load_spec_file
from sustainable_mlops.jobs.specs.common import SourceSpec
from sustainable_mlops.jobs.specs.pipeline import MetricGate, PipelineSpec
from tests.cases import check_cases
from tests.jobs.support import PARAMETER, PLATFORM

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
INSTANCES = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10}
WORKLOAD = ROOT / "workloads" / "flight_delay"
DEFINITION: dict[str, Any] = {
    "Parameters": [
        {"Name": "InputKey", "Type": "String"},
        {"Name": "MaxDepth", "Type": "Integer", "DefaultValue": 5},
        {"Name": "Least", "Type": "Float", "DefaultValue": 0.5},
        {"Name": "Machine", "Type": "String", "DefaultValue": "a", "EnumValues": ["a", "b"]},
    ]
}


def test_the_key_of_a_data_set_depends_on_its_content(tmp_path: Path) -> None:
    def compute_key(**files: str) -> str:
        folder = tmp_path / "data"
        shutil.rmtree(folder, ignore_errors=True)
        for name, content in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(content)
        return read_data_folder(folder, "raw/x/").key

    first = compute_key(a="1", b="2")
    assert first.startswith("raw/x/")
    assert first.endswith("/")
    assert first == compute_key(b="2", a="1")
    assert first == compute_key(a="1", b="2", **{".hidden": "3"})
    others = {compute_key(a="2", b="1"), compute_key(a="1"), compute_key(a="1", c="2"), compute_key(a="12", b="")}
    assert len(others | {first}) == 5


@pytest.mark.parametrize("make", [lambda _: None, Path.mkdir])
def test_an_empty_or_missing_data_set_is_rejected(make: Any, tmp_path: Path) -> None:
    make(tmp_path / "data")
    with pytest.raises(UserError, match="--data: the folder "):
        read_data_folder(tmp_path / "data", "raw/x/")


def test_a_note_names_the_likely_secrets_of_all_jobs_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("train.py", "secrets.yaml"):
        (tmp_path / name).touch()
    package = pack_source_folder(SourceSpec(entry_point="train.py"), tmp_path)
    prepared: Any = Mock(files=Mock(sources={"s3://b/1": package, "s3://b/2": package}))
    pipeline._show_notes(prepared)
    assert capsys.readouterr().err.count("secrets.yaml") == 1


@pytest.mark.parametrize(
    ("location", "read"), [("closed", (os, "scandir")), ("closed/b", (Path, "stat")), ("a", (Path, "open"))]
)
def test_a_file_or_folder_that_cannot_be_read_is_named(
    location: str, read: tuple[Any, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("closed", ".cache"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "b").touch()
    (tmp_path / "a").touch()
    (tmp_path / "broken").symlink_to("nowhere")
    assert list(read_data_folder(tmp_path, "raw/x/").files) == ["a", "closed/b"]
    allowed = getattr(*read)

    def refuse(path: Any, *arguments: Any, **options: Any) -> Any:
        if Path(path) in (tmp_path / location, tmp_path / ".cache"):
            raise PermissionError(13, "Permission denied", str(path))
        return allowed(path, *arguments, **options)

    monkeypatch.setattr(*read, refuse)
    with pytest.raises(UserError, match=f"--data: {tmp_path}/{location} cannot be read: Permission denied; correct"):
        read_data_folder(tmp_path, "raw/x/")


@pytest.mark.slow
def test_a_failed_upload_is_one_line_and_the_next_upload_continues(
    cloud: Clients, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_text(name)
    folder, uploaded = read_data_folder(tmp_path, "raw/x/"), cloud.s3.upload_file

    def fail_on_b(file: str, *arguments: str) -> None:
        if file.endswith("b"):
            raise S3UploadFailedError("Failed to upload b: an error occurred (InternalError)")
        uploaded(file, *arguments)

    with monkeypatch.context() as patched:
        patched.setattr(cloud.s3, "upload_file", fail_on_b)
        with pytest.raises(UserError, match=r"Failed to upload b: .*; run the same command again"):
            folder.upload("acme-dev-data", cloud.s3)
    assert folder.upload("acme-dev-data", cloud.s3) == 1
    assert folder.upload("acme-dev-data", cloud.s3) == 0


def test_a_foreign_file_in_a_data_set_is_named(cloud: Clients, tmp_path: Path) -> None:
    """The step would read the file too, although the address stands for the content of the data set."""
    (tmp_path / "a").write_text("a")
    folder = read_data_folder(tmp_path, "raw/x/")
    cloud.s3.put_object(Bucket="acme-dev-data", Key=f"{folder.key}strange", Body=b"?")
    with pytest.raises(UserError, match=f"{folder.key}strange does not belong to the data set"):
        folder.upload("acme-dev-data", cloud.s3)


@check_cases(
    ("values", "message"),
    [
        ({}, "no data: pass a folder with --data, or a data set in the data bucket with --input PREFIX/"),
        (
            {"InputKey": "x/", "MaxDeth": "6"},
            "--set MaxDeth: the pipeline has no such parameter; did you mean 'MaxDepth'?",
        ),
        ({"InputKey": "x/", "MaxDepth": "six"}, "--set MaxDepth: must be of type Integer, not 'six'"),
        ({"InputKey": "x/", "Least": "much"}, "--set Least: must be of type Float, not 'much'"),
        ({"InputKey": "x/", "Machine": "c"}, "--set Machine: must be one of a, b, not 'c'"),
    ],
)
def test_parameters_of_a_start_are_validated_before_any_upload(values: dict[str, str], message: str) -> None:
    with pytest.raises(UserError) as error:
        parameters.check_parameters(DEFINITION, values)
    assert str(error.value) == message


def test_an_option_is_named_for_each_missing_parameter() -> None:
    definition = {"Parameters": [{"Name": "Profile", "Type": "String"}, *DEFINITION["Parameters"]]}
    with pytest.raises(UserError, match=r"for Profile, InputKey: pass --set Profile=VALUE --data FOLDER$"):
        parameters.check_parameters(definition, {})


APPLY = "terraform -chdir=envs/dev apply"
IMPORT = (
    "printf 'import {\\n  to = module.pipeline_flight_delay.aws_sagemaker_pipeline.this\\n"
    '  id = "acme-dev-flight-delay"\\n}\\n\' > envs/dev/import_flight_delay.tf'
)


@check_cases(
    ("pipelines", "exists", "message", "remedy"),
    [
        ({}, False, "there is no such pipeline, and the environment dev does not deploy it", (APPLY,)),
        ({"digits": "acme"}, True, "this pipeline exists, but the environment dev does not deploy", (IMPORT, APPLY)),
        (None, False, "", ()),
    ],
)
def test_a_pipeline_of_an_environment_is_created_by_terraform_only(
    pipelines: dict[str, str] | None, exists: bool, message: str, remedy: tuple[str, ...]
) -> None:
    document = PLATFORM | {"name_prefix": "acme-dev"} | ({} if pipelines is None else {"pipelines": pipelines})
    missing = ClientError({"Error": {"Code": "ResourceNotFound"}}, "DescribePipeline")
    sagemaker = Mock(describe_pipeline=Mock(side_effect=None if exists else missing))
    spec = load_spec_file(WORKLOAD / "pipeline.yaml", PipelineSpec)
    platform = Platform.model_validate(document)
    if not message:
        assert versions.find_pipeline(spec, platform, sagemaker).is_own
        return
    with pytest.raises(UserError) as error:
        versions.find_pipeline(spec, platform, sagemaker)
    assert str(error.value).startswith(f"acme-dev-flight-delay: {message}")
    assert error.value.remedy == ("smlops synth", *remedy)
    assert 'module "pipeline_flight_delay"' in (ROOT / "envs" / "dev" / "main.tf").read_text(), "the address"


def test_the_bounds_of_figures_are_added_separately() -> None:
    def make_figures(low: float, value: float, high: float, driver: str) -> dict[str, RunFigure]:
        one = RunFigure(
            value=value, low=low, high=high, unit="kgCO2e", basis="estimated", source="x", grade="B", driver=driver
        )
        return {"co2e": one}

    total = sum_figures([make_figures(1, 2, 4, "grid"), make_figures(10, 20, 40, "power"), {}])["co2e"]
    assert (total.low, total.value, total.high) == (11, 22, 44)
    assert total.source == "sum of 2 of 3 jobs"  # an unknown figure is not zero
    assert (total.driver, total.grade) == ("power", "B")


EXECUTION = "arn:aws:sagemaker:eu-north-1:123456789012:pipeline/dev-flight/execution/one"
RECORD = PipelineRecord(
    workload="flight",
    environment="dev",
    region="eu-north-1",
    pipeline="dev-flight",
    execution_arn=EXECUTION,
    status="Executing",
    launched_at=NOON,
)


class FakeExecution:
    """A fake SageMaker with an execution of one step.

    The step ran the processing job `job` for `seconds` and ended with `status`.
    """

    def __init__(self, job: str, status: str, seconds: int) -> None:
        self.job, self.status, self.seconds = job, status, seconds

    def describe_pipeline_execution(self, **_: str) -> dict[str, Any]:
        return {"PipelineExecutionStatus": self.status, "CreationTime": NOON, "LastModifiedTime": NOON}

    def get_paginator(self, _: str) -> "FakeExecution":
        return self

    def paginate(self, **_: str) -> list[dict[str, Any]]:
        arn = f"arn:aws:sagemaker:eu-north-1:123456789012:processing-job/{self.job}"
        make_step = {"StepName": "Prepare", "StepStatus": self.status, "Metadata": {"ProcessingJob": {"Arn": arn}}}
        return [{"PipelineExecutionSteps": [make_step]}]

    def describe_processing_job(self, ProcessingJobName: str) -> dict[str, Any]:  # noqa: N803 - boto3's name
        assert ProcessingJobName == self.job
        return {
            "ProcessingJobStatus": {"Succeeded": "Completed"}.get(self.status, self.status),
            "CreationTime": NOON,
            "ProcessingStartTime": NOON,
            "ProcessingEndTime": NOON + timedelta(seconds=self.seconds),
            "ProcessingResources": {"ClusterConfig": INSTANCES},
            "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
        }


def test_a_retried_step_has_its_new_job() -> None:
    failed = refresh_execution(RECORD, FakeExecution("first", "Failed", 10))
    retried_record = refresh_execution(failed, FakeExecution("second", "Succeeded", 20))
    (make_step,) = retried_record.steps
    assert make_step.job is not None
    assert (make_step.job.job_name, make_step.job.figures["processing_seconds"].value) == ("second", 20)


def test_an_estimate_uses_executions_of_the_same_account(tmp_path: Path) -> None:
    record = refresh_execution(RECORD, FakeExecution("one", "Succeeded", 36))
    elsewhere = EXECUTION.replace("123456789012", "999999999999")
    definition = {
        "Parameters": [],
        "Steps": [
            {
                "Name": "Prepare",
                "Type": "Processing",
                "Arguments": {
                    "ProcessingResources": {"ClusterConfig": INSTANCES},
                    "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
                },
            }
        ],
    }
    start: Any = SimpleNamespace(
        definition=definition,
        parameters={},
        pipeline=SimpleNamespace(arn=EXECUTION.partition("/execution/")[0]),
        platform=SimpleNamespace(region="eu-north-1"),
    )
    write_record(record.model_copy(update={"execution_arn": elsewhere}), tmp_path)
    assumed = estimate_execution(start, tmp_path)["energy"].value
    write_record(record, tmp_path)
    # 36 s in place of a quarter of the runtime limit.
    assert estimate_execution(start, tmp_path)["energy"].value == pytest.approx(assumed * 36 / 900)


@pytest.fixture
def workload(tmp_path: Path) -> Path:
    """Return the pipeline file of a copy of flight_delay, on the platform of the tests."""
    folder = tmp_path / "flight_delay"
    shutil.copytree(WORKLOAD, folder, ignore=shutil.ignore_patterns("__pycache__"))
    for file in folder.glob("*.yaml"):
        file.write_text(file.read_text().replace("/sustainable-mlops/dev/platform", PARAMETER))
    return folder / "pipeline.yaml"


@pytest.mark.usefixtures("cloud")
def test_the_committed_definition_has_the_digests_of_the_code(workload: Path) -> None:
    files = read_files(workload)
    assert list(files.jobs) == ["Prepare", "Train", "Evaluate"]
    assert len(files.sources) == 3


@pytest.mark.usefixtures("cloud")
def test_a_definition_of_other_code_is_rejected_with_the_command_that_writes_it(workload: Path) -> None:
    (workload.parent / "evaluate.py").open("a").write("# another thought\n")
    with pytest.raises(
        UserError,
        match=r"pipeline\.json: was written for other code: .* has changed; write it with: python .*/pipeline\.py",
    ):
        read_files(workload)


@pytest.mark.usefixtures("cloud")
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, r"pipeline\.json: the file does not exist; write it with the pipeline's builder"),
        ("{", r"pipeline\.json: cannot be read"),
        ("[]", r"pipeline\.json: is not a pipeline definition"),
        (json.dumps({"Steps": []}), r"steps\.prepare: pipeline\.json has no step Prepare that runs a job"),
    ],
)
def test_a_broken_definition_is_named(content: str | None, message: str, workload: Path) -> None:
    file = workload.parent / "pipeline.json"
    file.unlink()
    if content is not None:
        file.write_text(content)
    with pytest.raises(UserError, match=message):
        read_files(workload)


@check_cases(
    ("metric", "goal", "values", "bound"),
    [
        ("test:auc", "maximize", ["0.6949"], "0.69485"),
        ("test:auc", "maximize", ["0.694898"], "0.6948975"),
        ("test:auc", "maximize", [None, "unknown", "0.7"], "0.65"),  # the first package that has the metric counts
        ("test:auc", "maximize", [None], None),
        ("test:auc", "maximize", [], None),
        ("test:logloss", "minimize", ["0.31"], "0.315"),
    ],
)
def test_the_gate_compares_with_the_worst_value_that_rounds_to_the_approved_models_metric(
    metric: str, goal: Any, values: list[str | None], bound: str | None
) -> None:
    summaries = [{"ModelPackageArn": str(number)} for number in range(len(values))]
    sagemaker = Mock()
    sagemaker.get_paginator.return_value.paginate.return_value = [{"ModelPackageSummaryList": summaries}]
    sagemaker.describe_model_package.side_effect = lambda ModelPackageName: {  # noqa: N803
        "CustomerMetadataProperties": {metric: value} if (value := values[int(ModelPackageName)]) else {}
    }
    definition = {"Parameters": [{"Name": "ModelPackageGroupName", "DefaultValue": "group"}]}
    gate = MetricGate(metric=metric, goal=goal, parameter="Approved")
    assert registry.find_approved_metric(gate, definition, sagemaker) == ({"Approved": bound} if bound else {})


@pytest.mark.slow  # the SDK takes seconds to import
@pytest.mark.parametrize(
    ("goal", "condition"), [("maximize", "GreaterThanOrEqualTo"), ("minimize", "LessThanOrEqualTo")]
)
def test_the_gates_goal_decides_which_of_two_values_is_worse(goal: str, condition: str, workload: Path) -> None:
    from sustainable_mlops.jobs.pipelines.flow import Flow

    workload.write_text(workload.read_text().replace("goal: maximize", f"goal: {goal}"))
    flow = Flow(workload)
    assert flow.compare_with_bound(0.7, 0.6).to_request()["Type"] == condition


@pytest.mark.usefixtures("cloud")
def test_a_gate_with_an_unknown_parameter_is_rejected(workload: Path) -> None:
    workload.write_text(workload.read_text().replace("parameter: ApprovedAuc", "parameter: ApprovedAuk"))
    with pytest.raises(UserError, match=r"gate\.parameter: pipeline\.json has no parameter ApprovedAuk; did you mean"):
        read_files(workload)


def format_execution(
    width: int = 300,
    *,
    ended: bool = True,
    steps: tuple[PipelineStepRecord, ...] = (),
    parameters: dict[str, str] | None = None,
) -> str:
    """Return the formatted summary of an execution."""
    record = PipelineRecord(
        workload="w",
        environment="dev",
        region="eu-north-1",
        pipeline="p",
        execution_arn=f"arn:aws:sagemaker:eu-north-1:123456789012:pipeline/{'p' * 80}/execution/e",
        status="Succeeded" if ended else "Executing",
        launched_at=datetime(2026, 1, 1, tzinfo=UTC),
        parameters=parameters or {},
        steps=[*steps],
        figures=sum_figures([make_step.job.figures for make_step in steps if make_step.job and make_step.ran_job]),
    )
    console = Console(width=width, file=io.StringIO())
    console.print(display.format_summary(record), soft_wrap=True)
    assert isinstance(console.file, io.StringIO)
    assert record.execution_arn in console.file.getvalue()  # whole, to be copied
    return console.file.getvalue()


def test_the_summary_has_the_reason_of_a_start_by_an_alarm() -> None:
    assert "started because" not in format_execution()
    text = format_execution(parameters={"StartReason": "Threshold Crossed: 1 datapoint [3.0]."})
    assert "Threshold Crossed: 1 datapoint [3.0]." in text


def make_step(**fields: Any) -> PipelineStepRecord:
    """Return a step with a small footprint."""
    figure = RunFigure(value=7.3e-06, low=6.2e-06, high=1.3e-05, unit="kgCO2e", basis="estimated", source="model")
    job = RunRecord(
        run_key="",
        workload="w",
        environment="dev",
        region="eu-north-1",
        job_name="j",
        status="Completed",
        launched_at=datetime(2026, 1, 1, tzinfo=UTC),
        spot=False,
        image="",
        instance_type="ml.m7i.large",
        instance_count=1,
        data={},
        figures={"co2e": figure},
    )
    return PipelineStepRecord(name="WithinCarbonBudget", type="Training", status="Succeeded", job=job, **fields)


def test_an_execution_without_figures_states_the_reason() -> None:
    assert "unknown before the execution ends" in format_execution(ended=False)
    assert "nothing: all results were cached" in format_execution(steps=(make_step(cached_from="arn"),))
    assert "nothing: no job was started" in format_execution()


def test_a_failed_execution_has_the_reason_of_its_failed_step() -> None:
    failed_step = PipelineStepRecord(name="NotGoodEnough", type="Fail", status="Failed", reason="AUC 0.5\nis below 0.6")
    assert "reason     NotGoodEnough: AUC 0.5 is below 0.6" in format_execution(steps=(failed_step,))


def test_a_narrow_terminal_cuts_no_figure() -> None:
    wide_output = format_execution(steps=(make_step(),))
    assert "7.3 mg (6.2 to 13)" in wide_output
    narrow_output = format_execution(width=50, steps=(make_step(),))
    assert {"7.3", "mg", "13)"} <= {*narrow_output.split()}
    assert "…" not in narrow_output
