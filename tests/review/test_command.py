"""The command: exit codes, files, errors in one line, and imports."""

import io
import json
import re
import shlex
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from sustainable_mlops.base.terraform import ROOT
from sustainable_mlops.review.command import build_parser, main
from sustainable_mlops.review.comment_marker import build_marker
from tests.cases import check_cases
from tests.plan.plan_builder import build_change, build_document
from tests.plan.test_load import FIXTURES

BUCKET = {"bucket": "data", "tags_all": {"workload": "a", "environment": "dev", "owner": "b"}}


@pytest.fixture
def write(tmp_path: Path) -> Any:
    def write_plan(*changes: dict[str, Any], name: str = "plan.json") -> str:
        file = tmp_path / name
        file.write_text(json.dumps(build_document(*changes)))
        return str(file)

    return write_plan


def test_a_plan_without_risks_is_fine(write: Any, capsys: pytest.CaptureFixture[str]) -> None:
    topic = {"name": "t", "tags_all": BUCKET["tags_all"]}
    assert main([write(build_change("aws_sns_topic.t", topic, before=topic))]) == 0
    assert capsys.readouterr().out.startswith(" Fine:")


def test_a_deleted_bucket_stops_the_plan_unless_its_gate_is_off(write: Any) -> None:
    plan = write(build_change("aws_s3_bucket.b", before=BUCKET))
    assert main([plan]) == 1
    assert main([plan, "--fail-on", "privileges,rules,budgets"]) == 0
    assert main([plan, "--fail-on", "none"]) == 0


@pytest.mark.parametrize("report_format", ["text", "markdown"])
def test_the_printed_entries_accept_the_risks_once_they_have_reasons(
    report_format: str, write: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ['"scratch"', '"it\'s"', '"two\\nlines"']
    changes = [build_change("aws_s3_bucket.b", before=BUCKET, index=json.loads(name)) for name in names]
    plan, accepted = write(*changes), tmp_path / "accepted.yaml"
    assert main([plan, "--format", report_format]) == 1
    lines = capsys.readouterr().out.splitlines()
    start = next(number for number, line in enumerate(lines) if line.strip() == "accepted:")
    entries = textwrap.dedent("\n".join(lines[start : start + 1 + 4 * len(names)]))
    accepted.write_text(entries)
    assert main([plan, "--accepted", str(accepted)]) == 2
    assert "accepted[0].reason: " in capsys.readouterr().err
    accepted.write_text(entries.replace("# why is this intended?", "It is empty."))
    assert main([plan, "--accepted", str(accepted)]) == 0


def test_the_path_of_a_written_baseline_is_printed(
    write: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    baseline = tmp_path / "baseline.json"
    main([write(build_change("aws_s3_bucket.b", BUCKET)), "--write-baseline", str(baseline)])
    assert capsys.readouterr().err == f"Baseline: {baseline}\n"


def test_every_gate_but_that_of_the_unknown_stops_unless_others_are_named() -> None:
    assert build_parser().parse_args(["plan.json"]).fail_on == "data,privileges,safeguards,rules,budgets,checkov"


def test_a_failed_gate_that_is_off_is_named_as_what_to_look_at(write: Any, capsys: pytest.CaptureFixture[str]) -> None:
    main([write(build_change("aws_s3_bucket.b", before=BUCKET)), "--fail-on", "none"])
    assert capsys.readouterr().out.startswith(" Look: data at risk · ")


def test_an_incomplete_plan_stops_only_with_fail_on_unknown(tmp_path: Path) -> None:
    topic = {"name": "t", "tags_all": BUCKET["tags_all"]}
    file = tmp_path / "targeted.json"
    file.write_text(json.dumps(build_document(build_change("aws_sns_topic.t", topic, before=topic), complete=False)))
    assert main([str(file)]) == 0
    assert main([str(file), "--fail-on", "unknown"]) == 1


def test_the_comment_of_a_failed_review_has_the_reason(tmp_path: Path) -> None:
    comment = tmp_path / "review.md"
    assert main(["missing.json", "--name", "dev", "--write", str(comment), str(tmp_path / "review.json")]) == 2
    assert (
        comment.read_text()
        == f"{build_marker('dev')}\n## ❔ Not reviewed\n\n`dev`: missing.json: no such file; check the path\n"
    )
    assert [file.name for file in tmp_path.iterdir()] == ["review.md"]


def test_an_unknown_outcome_stops_only_with_fail_on_unknown(write: Any) -> None:
    plan = write(build_change("aws_db_instance.d", {"id": "d"}, before={"id": "d", "deletion_protection": True},
                        unknown={"deletion_protection": True}))  # fmt: skip
    assert main([plan]) == 0
    assert main([plan, "--fail-on", "data,unknown"]) == 1


def test_a_no_op_from_nothing_to_nothing_is_nothing(write: Any, capsys: pytest.CaptureFixture[str]) -> None:
    nothing = build_change("aws_sns_topic.n", actions=["no-op"])
    assert main([write(nothing), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["verdict"], document["changes"]["resources"]) == ("fine", [])
    del nothing["change"]["after"]
    assert main([write(nothing)]) == 2


def test_reports_are_written_by_the_suffix_of_their_names(write: Any, tmp_path: Path) -> None:
    files = [tmp_path / "out" / f"report{suffix}" for suffix in (".md", ".html", ".json", ".sarif", ".txt")]
    assert main([write(build_change("aws_s3_bucket.b", before=BUCKET)), "--write", *map(str, files)]) == 1
    assert all(file.read_text() for file in files)
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == sorted(file.name for file in files)


def test_the_plan_may_come_from_stdin(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    text = json.dumps(build_document(build_change("aws_s3_bucket.b", before=BUCKET))).encode()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text)))
    assert main(["-", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["plan"] == "stdin"


def test_a_base_plan_is_the_state_before(write: Any, capsys: pytest.CaptureFixture[str]) -> None:
    base = write(build_change("aws_s3_bucket.a", BUCKET), build_change("aws_s3_bucket.b", BUCKET), name="base.json")
    assert main([write(build_change("aws_s3_bucket.a", BUCKET)), "--base", base, "--json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert document["changes"]["counts"] == {"delete": 1}
    assert [risk["address"] for risk in document["risks"]] == ["aws_s3_bucket.b"]


@pytest.mark.parametrize(
    ("arguments", "expected_text"),
    [
        ([], "the following arguments are required: plan"),
        (["missing.json"], "missing.json: no such file"),
        ([str(FIXTURES)], "is a folder"),
        ([str(FIXTURES / "change.tf")], "is not JSON"),
        ([str(FIXTURES / "change.json"), "--base", "missing.json"], "missing.json: no such file"),
        ([str(FIXTURES / "change.json"), "--usage", "missing.yaml"], "missing.yaml: no such file"),
        ([str(FIXTURES / "change.json"), "--budgets", "missing.yaml"], "missing.yaml: no such file"),
        ([str(FIXTURES / "change.json"), "--accepted", "missing.yaml"], "missing.yaml: no such file"),
        ([str(FIXTURES / "change.json"), "--write", "report.pdf"], "report.pdf: must end in one of"),
        ([str(FIXTURES / "change.json"), "--write", "/dev/null/report.md"], "cannot be written"),
        ([str(FIXTURES / "change.json"), "--format", "pdf"], "invalid choice"),
        ([str(FIXTURES / "change.json"), "--fail-on", "dta"], "dta is not one of"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    arguments: list[str], expected_text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert expected_text in captured.err
    assert captured.err.startswith("error: ")
    assert captured.err.count("\n") == 1


REVIEW = (sys.executable, "scripts/smlops.py", "review")
PLATFORM = shlex.quote(str(FIXTURES / "platform.json"))


def test_a_closed_pipe_gives_no_traceback() -> None:
    script = f"{shlex.join(REVIEW)} {PLATFORM} --format html | head -c 1"
    process = subprocess.run(["sh", "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert process.stderr == ""


@pytest.mark.slow
@check_cases(
    ("redirected", "code", "expected_text"),
    [
        ("{plan} > /dev/full", 2, "stdout: cannot be written: No space left on device"),
        ("{plan} --json > /dev/full", 2, "stdout: cannot be written: No space left on device"),
        ("{plan} >&-", 2, "stdout: is closed"),
        ("- <&-", 2, "stdin: cannot be read: it is closed"),
        ("{plan} --name $'\\xff' --json > /dev/null", 1, ""),
    ],
)
def test_streams_that_cannot_be_used_are_one_line(redirected: str, code: int, expected_text: str) -> None:
    script = f"{shlex.join(REVIEW)} {redirected.format(plan=PLATFORM)}"
    process = subprocess.run(["bash", "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert process.returncode == code, process.stderr
    assert process.stderr.startswith("error: " + expected_text if expected_text else "")
    assert process.stderr.count("\n") == bool(expected_text)


def test_an_internal_error_is_no_failed_gate_and_shows_no_value(
    write: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(*_: Any, **__: Any) -> None:
        raise KeyError("a hidden value")

    monkeypatch.setattr("sustainable_mlops.review.review_all", fails)
    assert main([write(build_change("aws_s3_bucket.b", before=BUCKET))]) == 2
    texts = capsys.readouterr().err
    assert re.fullmatch(r"error: the reviewer itself failed \(KeyError at \w+\.py:\d+\): .*\n", texts)
    assert "hidden" not in texts


HEAVY = {"cdktn", "sagemaker", "boto3", "botocore", "moto", "pandas", "pydantic", "typer", "jinja2", "yaml", "rich"}


#: Modules of the standard library whose imports take longer than a small report.
SLOW = {"dataclasses", "inspect", "shutil", "traceback"}


@check_cases("form", ["text", "markdown", "json", "sarif"])
def test_a_review_imports_nothing_heavy(form: str) -> None:
    script = (
        "import sys; from sustainable_mlops.review.command import main; "
        f"main([{str(FIXTURES / 'platform.json')!r}, '--format', {form!r}]); "
        "print(*{name.partition('.')[0] for name in sys.modules}, file=sys.stderr)"
    )
    process = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not (HEAVY | (SLOW if form == "text" else set())) & set(process.stderr.split())


@pytest.mark.parametrize(("failed", "code"), [(1, 1), (0, 2)])
def test_checkov_that_passes_nothing_has_still_checked_something(
    failed: int, code: int, write: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = {"check_id": "CKV_X", "check_name": "x", "resource": "aws_sns_topic.t"}
    report = {"summary": {"passed": 0, "failed": failed}, "results": {"failed_checks": [check] * failed}}
    program = f"import sys; sys.stdin.read(); print({json.dumps(report)!r})"
    monkeypatch.setattr("sustainable_mlops.review.checkov.PYTHON", Path(sys.executable))
    monkeypatch.setattr("sustainable_mlops.review.checkov._PROGRAM", program)
    topic = {"name": "t"}
    plan = write(build_change("aws_sns_topic.t", topic, before=topic))
    assert main([plan, "--checkov", "--fail-on", "checkov"]) == code


@pytest.mark.slow
def test_checkov_runs_beside_and_its_failures_stop_the_plan(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(FIXTURES / "platform.json"), "--checkov", "--json", "--fail-on", "checkov"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert document["checkov"]["passed"] > 0
    assert "aws_s3_bucket.models" in {check["address"] for check in document["checkov"]["failed"]}


@pytest.mark.slow
def test_checkov_that_has_started_is_not_waited_for_where_the_plan_is_no_good(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "plan.json").write_bytes(b"\xff\xfe{\x00")
    assert main([str(tmp_path / "plan.json"), "--checkov"]) == 2
    assert capsys.readouterr().err.count("\n") == 1
