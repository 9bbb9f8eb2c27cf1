"""The output of `smlops practices`."""

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from sustainable_mlops.base.terraform import ROOT
from sustainable_mlops.commands import main
from sustainable_mlops.practices.lens import build_lens

PLAN = str(ROOT / "tests" / "plan" / "fixtures" / "change.json")
WORKLOAD = "0123456789abcdef0123456789abcdef"
LENS = f"arn:aws:wellarchitected:eu-north-1:123456789012:lens/{WORKLOAD}"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Return a function that runs `smlops practices` and returns stdout and stderr."""

    def run_command(*arguments: str) -> tuple[str, str]:
        monkeypatch.setattr(sys, "argv", ["smlops", "practices", *arguments])
        monkeypatch.setenv("COLUMNS", "120")
        with pytest.raises(SystemExit) as ended:
            main()
        assert not ended.value.code
        output = capsys.readouterr()
        return output.out, output.err

    return run_command


def test_the_list_has_a_line_for_each_practice_and_the_number_in_each_state(run: Any) -> None:
    out, _ = run()
    assert [int(row) for row in re.findall(r"^([ \d]\d)  \w", out, re.MULTILINE)] == list(range(1, 79))
    assert out.splitlines()[-1].startswith("practices: 78: ")
    assert "Data preparation" in out


def test_json_has_every_field(run: Any) -> None:
    practices = json.loads(run("--json")[0])
    assert len(practices) == 78
    assert practices[12] == {
        "row": 13,
        "title": "Records expire from the online store",
        "section": "Data preparation",
        "lens": ["MLSUS03-BP02"],
        "guidance": [],
        "state": "implemented",
        "reason": "",
        "implemented_by": ["modules/feature_store#feature_groups"],
        "checked_by": ["SUS_ONLINE_STORE_TTL", "SUS_TTL_WITHOUT_ONLINE_STORE"],
    }


def test_the_lens_is_written_and_the_next_command_is_named(run: Any, tmp_path: Path) -> None:
    file = tmp_path / "my lens.json"
    out, messages = run("--lens", str(file))
    assert json.loads(file.read_text(encoding="utf-8")) == build_lens()
    assert out == ""
    assert "a lens of 5 pillars and 18 questions" in messages
    assert f"aws wellarchitected import-lens --json-string 'file://{file}'" in messages


def test_the_answers_are_shown_with_their_evidence(run: Any) -> None:
    out, _ = run("--answers", PLAN)
    assert "How do you store and share features?" in out
    assert "SUS_ONLINE_STORE_TTL failed:" in out
    assert out.splitlines()[-1].startswith("practices: 78: ")


def test_the_requests_are_written_to_a_file_or_printed(run: Any, tmp_path: Path) -> None:
    file = tmp_path / "answers.json"
    options = ("--answers", PLAN, "--workload", WORKLOAD, "--lens-arn", LENS)
    printed, _ = run(*options, "--json")
    _, messages = run(*options, "--out", str(file))
    requests = json.loads(file.read_text(encoding="utf-8"))
    assert requests == json.loads(printed)
    assert len(requests) == 18
    assert {(one["WorkloadId"], one["LensAlias"]) for one in requests} == {(WORKLOAD, LENS)}
    assert "18 requests of UpdateAnswer" in messages
