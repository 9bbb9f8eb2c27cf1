"""Warnings about a completed job without a metric, a model or an output, and the command that shows its log."""

import io
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from rich.console import Console

from sustainable_mlops.aws import Clients
from sustainable_mlops.aws.s3 import S3Uri
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.commands import _job
from sustainable_mlops.jobs import display
from sustainable_mlops.jobs.download import download_files, prepare_folder
from sustainable_mlops.jobs.kinds import PROCESSING, TRAINING
from sustainable_mlops.jobs.launch import prepare, start
from sustainable_mlops.jobs.missing_results import list_warnings
from sustainable_mlops.jobs.record import RunRecord, read_record_file
from sustainable_mlops.jobs.wait import wait_for_job
from tests.jobs.support import WriteJob, pack_archive

NO_METRIC = (
    "metric validation:auc has no value: no line of the log matches its pattern validation:auc=([0-9.]+); correct "
    "metrics in the job file, or print such a line"
)
MISSING = "is missing, or may not be read; write the model to $SM_MODEL_DIR (/opt/ml/model) in the script"
NO_MODEL = "no model was saved: the script wrote no file to $SM_MODEL_DIR (/opt/ml/model)"


def put(address: str, content: bytes) -> Callable[[Clients], Any]:
    bucket, key = S3Uri.parse(address)
    return lambda cloud: cloud.s3.put_object(Bucket=bucket, Key=key, Body=content)


@pytest.mark.parametrize(
    ("description", "content", "warnings"),
    [
        ({}, pack_archive("model"), []),
        ({"FinalMetricDataList": []}, pack_archive("model"), [NO_METRIC]),
        ({"ModelArtifacts": {}}, pack_archive("model"), [NO_MODEL]),
        ({}, pack_archive(), [NO_MODEL]),
        ({}, pack_archive("model", kind=tarfile.SYMTYPE), []),
        ({}, b"", [NO_MODEL]),
        ({}, None, ["the model s3://{bucket}/{key} " + MISSING]),
        ({"TrainingJobStatus": "Failed", "FinalMetricDataList": []}, None, []),
    ],
    ids=["all results", "no metric", "no address", "empty archive", "link", "empty object", "no object", "failed job"],
)
def test_a_completed_training_without_a_metric_or_a_model_has_a_warning(
    cloud: Clients, write_job: WriteJob, description: dict[str, Any], content: bytes | None, warnings: list[str]
) -> None:
    launch = prepare(TRAINING, write_job())
    record = start(launch)
    cloud.sagemaker.complete(record.job_name, **description)
    record = wait_for_job(record, cloud.sagemaker, show=lambda _: None)
    bucket, key = S3Uri.parse(
        f"{launch.request['OutputDataConfig']['S3OutputPath']}/{record.job_name}/output/model.tar.gz"
    )
    cloud.s3.delete_object(Bucket=bucket, Key=key)
    if content is not None:
        cloud.s3.put_object(Bucket=bucket, Key=key, Body=content)
    expected = [one.format(bucket=bucket, key=key) for one in warnings]
    assert list_warnings(record, launch.request, cloud.s3) == expected


@pytest.fixture
def train(cloud: Clients, write_job: WriteJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Return a function that runs the command for a job that completes with this model, and returns its records."""

    def run(content: bytes) -> Path:
        def complete(record: RunRecord, *_: Any, **__: Any) -> RunRecord:
            cloud.sagemaker.complete(record.job_name)
            completed = wait_for_job(record, cloud.sagemaker, show=lambda _: None)
            put(str(completed.model), content)(cloud)
            return completed

        monkeypatch.setattr("sustainable_mlops.jobs.wait.wait_for_job", complete)
        _job.run("training", write_job(), dry_run=False, force=False, wait=True, as_json=True, out=tmp_path / "out")
        return tmp_path / "out" / "runs"

    return run


@pytest.mark.parametrize("content", [pack_archive("model")[:60], b"model"], ids=["truncated", "no archive"])
def test_a_damaged_model_archive_has_a_warning_and_its_job_a_record(train: Callable[..., Path], content: bytes) -> None:
    (path,) = train(content).glob("*.json")
    record = read_record_file(path)
    assert record.status == "Completed"
    (warning,) = record.warnings
    assert warning.startswith(f"the model archive cannot be read: {record.model}: ")


def test_an_interrupted_check_of_the_results_keeps_the_record(
    train: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: Any) -> list[str]:
        raise KeyboardInterrupt

    monkeypatch.setattr("sustainable_mlops.jobs.missing_results.list_warnings", interrupt)
    with pytest.raises(typer.Exit):
        train(pack_archive("model"))
    (path,) = (tmp_path / "out" / "runs").glob("*.json")
    assert read_record_file(path).status == "Completed"


def test_an_empty_output_has_a_warning(cloud: Clients, write_processing: WriteJob) -> None:
    launch = prepare(PROCESSING, write_processing())
    record = start(launch)
    cloud.sagemaker.complete_processing(record.job_name)
    record = wait_for_job(record, cloud.sagemaker, show=lambda _: None)
    assert list_warnings(record, launch.request, cloud.s3) == []
    put(f"{record.outputs['report']}part-0", b"")(cloud)
    (warning,) = list_warnings(record, launch.request, cloud.s3)
    assert warning == f"output report is empty: there is no file with content at {record.outputs['report']}"
    bucket, _ = S3Uri.parse(record.outputs["train"])
    unreadable = record.model_copy(update={"outputs": {"train": record.outputs["train"].replace(bucket, "none")}})
    (warning,) = list_warnings(unreadable, launch.request, cloud.s3)
    assert warning.startswith("not all results were checked: reading the results: ")


@pytest.mark.usefixtures("cloud")
def test_the_summary_has_the_warnings_and_the_command_that_shows_the_log(write_job: WriteJob) -> None:
    record = start(prepare(TRAINING, write_job())).model_copy(update={"warnings": [NO_METRIC]})
    text = show_summary(record)
    assert f"warning             {NO_METRIC}" in text.splitlines()
    assert f"/aws/sagemaker/TrainingJobs, streams {record.job_name}/…" in text
    command = "aws logs filter-log-events --region eu-north-1 --log-group-name /aws/sagemaker/TrainingJobs "
    assert f"{command}--log-stream-name-prefix {record.job_name}/ --query" in text
    tuning = show_summary(record.model_copy(update={"kind": "tuning"}))
    assert f"{command}--log-stream-name-prefix {record.job_name}- --query" in tuning


def show_summary(record: RunRecord) -> str:
    console = Console(width=400, record=True, file=io.StringIO())
    console.print(display.format_summary(record), soft_wrap=True)
    return console.export_text()


def test_a_download_keeps_the_names_below_the_address_and_stays_in_its_folder(cloud: Clients, tmp_path: Path) -> None:
    for name in ("a.csv.out", "more/b.csv.out", "more/"):
        put(f"s3://acme-dev-data/predictions/one/{name}", name.encode())(cloud)
    files = download_files("s3://acme-dev-data/predictions/one/", tmp_path / "copy", cloud.s3)
    assert [path.relative_to(tmp_path).as_posix() for path in files] == ["copy/a.csv.out", "copy/more/b.csv.out"]
    assert files[1].read_text() == "more/b.csv.out"
    put("s3://acme-dev-data/predictions/two/../../out.csv", b"escaped")(cloud)
    with pytest.raises(UserError, match="would be written outside"):
        download_files("s3://acme-dev-data/predictions/two/", tmp_path / "copy", cloud.s3)


def test_a_download_that_cannot_be_written_names_the_file(
    cloud: Clients, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put("s3://acme-dev-data/predictions/three/more/b.out", b"1")(cloud)
    (tmp_path / "more").write_text("not a folder")
    with pytest.raises(
        UserError, match=f"--download: {tmp_path}/more/b.out cannot be written: .*; run the same command"
    ):
        download_files("s3://acme-dev-data/predictions/three/", tmp_path, cloud.s3)
    monkeypatch.setattr("os.access", lambda *_: False)
    with pytest.raises(UserError, match=f"--download: {tmp_path} is not writable"):
        prepare_folder(tmp_path)
