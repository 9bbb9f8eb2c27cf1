"""Runs from records: lists, comparisons, charts, and estimates compared with counters."""

import io
import json
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import NoCredentialsError
from moto import mock_aws
from rich.console import Console

from sustainable_mlops import aws
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.commands import runs
from sustainable_mlops.jobs.pipelines import record as pipelines
from sustainable_mlops.jobs.pipelines.record import PipelineRecord, PipelineStepRecord
from sustainable_mlops.jobs.record import parse_record, write_record
from sustainable_mlops.runs import display, page, store, values
from sustainable_mlops.runs.axis import fit_axis
from sustainable_mlops.runs.difference import compare_runs
from sustainable_mlops.runs.interval_coverage import measure_coverage
from tests.cases import check_cases
from tests.runs.records import make_estimate, make_record, make_seconds

#: A record of the first version of the launcher, without kinds, outputs, counters and expectations.
OLD = {
    "version": 1,
    "run_key": "0a" * 32,
    "workload": "flight-delay",
    "environment": "dev",
    "region": "eu-north-1",
    "job_name": "flight-delay-old",
    "status": "Completed",
    "launched_at": "2026-01-01T00:00:00Z",
    "spot": True,
    "image": "image",
    "instance_type": "ml.m5.large",
    "instance_count": 1,
    "source": "s3://bucket/source.tar.gz",
    "source_digest": "d" * 64,
    "data": {},
    "hyperparameters": {},
    "checkpoints": None,
    "metrics": {"test:auc": 0.6},
    "figures": {"training_seconds": {"value": 60.0, "unit": "s", "basis": "measured", "source": "SageMaker"}},
}
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>&amp;{{ 7 * 7 }}[bold]"


def render_text(output: Any, width: int = 200) -> str:
    console = Console(width=width, record=True, file=io.StringIO())
    console.print(output)
    return console.export_text()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with three runs, one of them old, and an invalid file."""
    for number in (1, 2):
        write_record(make_record(number), tmp_path)
    (tmp_path / "runs" / "old.json").write_text(json.dumps(OLD))
    (tmp_path / "runs" / "broken.json").write_text("{")
    return tmp_path


def test_records_are_sorted_and_unreadable_files_are_reported(folder: Path) -> None:
    result = store.read_folder(folder)
    assert [one.job_name for one in result.records] == ["flight-delay-002", "flight-delay-001", "flight-delay-old"]
    assert len(result.unreadable) == 1
    assert "broken.json" in result.unreadable[0]
    assert store.read_folder(folder / "nothing").records == ()


def test_the_final_record_of_a_job_is_used(tmp_path: Path) -> None:
    write_record(make_record(1, status="InProgress"), tmp_path / "a")
    write_record(make_record(1), tmp_path / "b")
    write_record(make_record(1, status="InProgress"), tmp_path / "c")
    (one,) = store.read_folder(tmp_path).records
    assert one.status == "Completed"


def test_a_pipeline_execution_counts_as_its_jobs(tmp_path: Path) -> None:
    steps = [
        PipelineStepRecord(
            name="Prepare", type="Processing", status="Succeeded", job=make_record(1), cached_from="arn"
        ),
        PipelineStepRecord(name="Train", type="Training", status="Succeeded", job=make_record(2)),
        PipelineStepRecord(name="GoodEnough", type="Condition", status="Succeeded"),
    ]
    execution = PipelineRecord(
        workload="flight-delay",
        environment="dev",
        region="eu-north-1",
        pipeline="p",
        execution_arn="arn:aws:sagemaker:eu-north-1:123456789012:pipeline/p/execution/e",
        status="Succeeded",
        launched_at=make_record(2).launched_at,
        steps=steps,
    )
    pipelines.write_record(execution, tmp_path)
    result = store.read_folder(tmp_path)
    assert [one.job_name for one in result.records] == [make_record(2).job_name]
    assert result.unreadable == ()


def test_a_bucket_has_the_runs_of_all_users() -> None:
    with mock_aws():
        s3 = boto3.client("s3", "us-east-1", aws_access_key_id="x", aws_secret_access_key="x")  # noqa: S106 - not a secret
        s3.create_bucket(Bucket="artifacts")
        for number in range(1, 4):
            key = f"runs/flight-delay/{number}/record.json"
            s3.put_object(Bucket="artifacts", Key=key, Body=make_record(number).to_json())
        s3.put_object(Bucket="artifacts", Key="runs/flight-delay/4/record.json", Body=b"{")
        s3.put_object(Bucket="artifacts", Key="runs/flight-delay/4/notes.json", Body=b"{")
        result = store.read_bucket("artifacts", s3)
        assert len(result.records) == 3
        assert len(result.unreadable) == 1
        with pytest.raises(UserError, match=r"reading the records in s3://nobody/runs/: .*NoSuchBucket"):
            store.read_bucket("nobody", s3)


def test_a_run_is_found_by_the_start_of_its_name_or_key(folder: Path) -> None:
    records = store.read_folder(folder).records
    assert store.find_run("flight-delay-001", records).run_key == "01" * 32
    assert store.find_run("0202", records).job_name == "flight-delay-002"
    assert store.find_run(str(folder / "runs" / "old.json"), []).job_name == "flight-delay-old"
    with pytest.raises(
        UserError, match=r"flight: matches flight-delay-002 and flight-delay-001; pass more of the name"
    ):
        store.find_run("flight", records)
    with pytest.raises(UserError, match="no run has a job name or run key that begins with this"):
        store.find_run("none", records)


def test_the_default_metric_is_one_on_unseen_data() -> None:
    records = [make_record(1), make_record(2), make_record(3, metrics={"loss": 1.0})]
    assert values.choose_metric(records) == "test:auc"
    assert values.choose_metric(records, "loss") == "loss"
    assert values.choose_metric([]) is None
    with pytest.raises(UserError, match=r"--metric: no run here has 'test:auv'; did you mean 'test:auc'\?"):
        values.choose_metric(records, "test:auv")


def test_runs_without_a_value_are_sorted_last() -> None:
    records = [make_record(2), make_record(3, figures={}, metrics={}), make_record(1)]

    def sort_numbers(by: str) -> list[str]:
        return [one.job_name[-1] for one in values.sort_records(records, by)]

    assert sort_numbers("launched") == ["3", "2", "1"]
    assert sort_numbers("kg") == sort_numbers("usd") == sort_numbers("seconds") == ["1", "2", "3"]
    assert sort_numbers("test:auc") == ["2", "1", "3"]
    with pytest.raises(UserError, match="--sort: no run here has 'carbon'"):
        values.sort_records(records, "carbon")


def test_two_runs_are_compared_by_inputs_and_outcomes() -> None:
    result = compare_runs(make_record(1), make_record(2, spot=False))
    assert [(row.name, row.a, row.b) for row in result.inputs] == [("spot", "yes", "no"), ("num_round", "1", "2")]
    outcome = {row.name: row for row in result.outcomes}
    assert outcome["test:auc"].change == "+1.41 %"
    assert outcome["train:auc"].change == "same"
    assert (outcome["co2e"].a, outcome["co2e"].change) == ("0.0010 (0.00050 to 0.0020) kgCO2e", "+100 %")
    assert compare_runs(make_record(1), make_record(1)).is_same_run
    output = render_text(
        display.make_difference_tables(make_record(1), make_record(1), compare_runs(make_record(1), make_record(1)))
    )
    assert "All inputs that influence the result are the same." in output


def test_a_run_without_a_figure_is_compared_as_unknown() -> None:
    outcome = {row.name: row for row in compare_runs(make_record(1), make_record(2, figures={})).outcomes}
    assert (outcome["co2e"].b, outcome["co2e"].change) == ("unknown", "")


def test_coverage_counts_runs_with_and_without_counters() -> None:
    records = [
        make_record(1),  # 100 s, and 50 to 800 s were expected
        make_record(9),  # 900 s: outside
        make_record(2, measured=None),
        make_record(3, status="Failed"),
        make_record(4, expected={}),
    ]
    result = measure_coverage(records)
    rows = {(row.quantity, row.basis): row for row in result.rows}
    assert (result.runs, result.omissions) == (3, {"not completed": 1, "no estimate in the record": 1})
    assert list(rows) == [
        ("duration", "earlier runs"),
        ("load", "an assumption"),
        ("energy", "an assumption"),  # as the load that it follows from
    ]
    duration, load, energy = rows.values()
    assert (len(duration.comparisons), duration.inside_count, duration.without_counter) == (3, 2, 0)
    assert (len(load.comparisons), load.inside_count, load.without_counter) == (2, 2, 1)
    assert (len(energy.comparisons), energy.inside_count, energy.without_counter) == (0, 0, 3)
    assert duration.median_ratio == pytest.approx(1.0)  # of 2, 1 and 0.22
    assert energy.median_ratio is None
    output = render_text(display.make_coverage_table(result))
    assert re.search(r"duration +earlier runs +3 +2 +67% +1.00 +0", output)
    assert re.search(r"energy +an assumption +0 +0 +- +- +3", output)
    assert "left out: 1 run, no estimate in the record" in output
    document = json.loads(json.dumps(result.to_dict()))
    assert [row["without_counter"] for row in document["rows"]] == [0, 1, 3]


def test_markup_in_names_is_printed_as_text() -> None:
    records = [make_record(1), make_record(2), make_record(3, job_name=f"x{HOSTILE}", figures={}, metrics={})]
    output = render_text(display.make_runs_table(records, "test:auc"))
    assert "[bold]" in output
    assert re.search(r"flight-delay-001 +training +2026-11-02 12:00 +Completed +0.71 +0.0010 +0.010 +100", output)
    chart = render_text(display.make_charts(records, "test:auc"))
    carbon = chart.split("USD")[0]
    first, second = (next(line for line in carbon.splitlines() if f"-00{n}" in line) for n in (1, 2))
    assert first.index("●") < second.index("●"), "twice the carbon lies farther to the right"
    assert first.count("─") > 3
    assert carbon.index("-002") < carbon.index("-001"), "the best metric is the first"


@check_cases("spread", [1.0001, 3, 1e9])
def test_every_figure_lies_on_the_axis(spread: float) -> None:
    figures = [make_estimate(10.0**power, "USD", spread) for power in (-6, 0, 2)]
    axis = fit_axis(figures)
    assert axis is not None
    for figure in figures:
        ends = [axis.get_position(value) for value in (figure.low or 0, figure.value, figure.high or 0)]
        assert ends == sorted(ends)
        assert 0 <= ends[0] <= ends[-1] <= 1
    assert axis.ticks == sorted(axis.ticks)
    assert all(0 <= axis.get_position(tick) <= 1 for tick in axis.ticks)


def test_figures_are_not_wrapped_on_a_narrow_terminal() -> None:
    console = Console(width=60, file=io.StringIO())
    small = {"co2e": make_estimate(4.2e-06, "kgCO2e"), "cost": make_estimate(0.0005, "USD")}
    console.print(display.make_runs_table([make_record(1, figures=small)], "test:auc"))
    assert isinstance(console.file, io.StringIO)
    assert {"0.0000042", "0.00050"} <= {*console.file.getvalue().split()}


def test_an_axis_needs_a_value() -> None:
    axis = fit_axis([make_seconds(42.0)])
    assert axis is not None
    assert 0.4 < axis.get_position(42.0) < 0.6
    assert fit_axis([None, make_seconds(0.0), make_seconds(float("nan"))]) is None


class Page(HTMLParser):
    """The elements and the text of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[str] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_escapes_hostile_names() -> None:
    hostile: dict[str, Any] = {
        "job_name": HOSTILE,
        "workload": HOSTILE,
        "metrics": {HOSTILE: 0.5},
        "status": HOSTILE,
        "kind": HOSTILE,
    }
    html = page.render_page([make_record(1, **hostile)], HOSTILE, HOSTILE)
    html_page = Page(html)
    assert not {"script", "img", "link", "iframe"} & set(html_page.tags)
    assert not [name for name in html_page.attributes if name.startswith("on")]
    assert HOSTILE in html_page.text, "the text is not evaluated"
    assert "default-src 'none'" in html
    assert not {"src", "href"} & set(html_page.attributes), "nothing from elsewhere"
    assert not re.search(r"url\(|@import", html)


def test_the_page_draws_runs_with_metric_and_figure() -> None:
    records = [make_record(1), make_record(2), make_record(3, figures={})]
    html = page.render_page(records, "test:auc", "out")
    html_page = Page(html)
    assert html_page.tags.count("circle") == 4, "two runs in each of two charts"
    assert html_page.tags.count("svg") == 2
    assert html_page.text.count("1 not drawn: the metric or the figure is unknown") == 2
    assert "0.00050 to 0.0020" in html_page.text
    many = page.render_page([make_record(number) for number in range(1, 61)], "test:auc", "out")
    assert Page(many).tags.count("circle") == 2 * page.MAX_POINTS
    assert "The charts have the first 40 runs; the table has all." in many
    nothing = Page(page.render_page([make_record(1, metrics={})], None, "out"))
    assert "svg" not in nothing.tags


def run(root: Path, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, str(root / "scripts" / "smlops.py"), "runs", *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, env={"PATH": "/bin:/usr/bin"} | environment
    )


def test_two_commands_may_write_the_record_of_a_run_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replace = Path.replace

    def write_in_between(partial: Path, path: Path) -> Path:
        monkeypatch.setattr(Path, "replace", replace)
        with monkeypatch.context() as other_process:
            other_process.setattr(os, "getpid", lambda: 1)
            write_record(make_record(1), tmp_path)
        return replace(partial, path)

    monkeypatch.setattr(Path, "replace", write_in_between)
    record = make_record(2, job_name=make_record(1).job_name)
    assert parse_record(write_record(record, tmp_path).read_bytes(), "file") == record


def test_errors_of_aws_name_the_platform(monkeypatch: pytest.MonkeyPatch) -> None:
    regions: list[str | None] = []

    def fail(_: str, region: str | None) -> Any:
        regions.append(region)
        raise NoCredentialsError

    monkeypatch.setattr(aws, "make_client", fail)
    arn = "arn:aws:ssm:eu-north-1:111111111111:parameter/sustainable-mlops/dev/platform"
    with pytest.raises(UserError, match=f"--platform {arn}"):
        runs._read_records(Path("out"), None, arn)
    assert regions == ["eu-north-1"]


@pytest.mark.slow
def test_the_command_lists_filters_compares_and_writes_a_page(folder: Path, root: Path) -> None:
    write_record(make_record(5, workload="other", job_name="other-5"), folder)
    list_process = run(root, "--out", str(folder), "--workload", "flight-delay", "--sort", "kg", "--json")
    assert list_process.returncode == 0, list_process.stderr
    names = [one["job_name"] for one in json.loads(list_process.stdout)]
    assert names == ["flight-delay-001", "flight-delay-002", "flight-delay-old"]
    assert "broken.json" in list_process.stderr
    compared = run(root, "compare", "flight-delay-001", "flight-delay-002", "--out", str(folder), "--json")
    assert json.loads(compared.stdout)["inputs"][0]["name"] == "num_round"
    page_file = folder / "runs.html"
    assert run(root, "--out", str(folder), "--html", str(page_file)).returncode == 0
    assert "other-5" in page_file.read_text()
    covered = run(root, "--out", str(folder), "--coverage", "--json")
    assert json.loads(covered.stdout)["runs"] == 3


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--sort", "nothing"), "error: --sort: no run here has 'nothing'"),
        (("--metric", "nothing"), "error: --metric: no run here has 'nothing'"),
        (
            ("compare", "flight-delay-001", "none"),
            "error: none: no run has a job name or run key that begins with this",
        ),
        (("--s3", "a", "--platform", "/b"), "error: --s3, --platform: pass only one of them"),
        (("--html", "/nowhere/runs.html"), "error: --html: /nowhere/runs.html cannot be written"),
    ],
)
def test_errors_are_one_line(folder: Path, root: Path, arguments: tuple[str, ...], message: str) -> None:
    process = run(root, *arguments, "--out", str(folder))
    assert process.returncode == 2
    errors = [line for line in process.stderr.splitlines() if not line.startswith("note: ")]
    assert len(errors) == 1
    assert errors[0].startswith(message)


def test_a_folder_without_runs_is_no_error(tmp_path: Path, root: Path) -> None:
    process = run(root, "--out", str(tmp_path))
    assert (process.returncode, process.stdout) == (0, "")
    assert "No matching run in" in process.stderr


@pytest.mark.slow
def test_a_page_without_runs_is_written(tmp_path: Path, root: Path) -> None:
    process = run(root, "--out", str(tmp_path), "--html", str(tmp_path / "runs.html"))
    assert process.returncode == 0
    assert "<h1>0 runs" in (tmp_path / "runs.html").read_text()
