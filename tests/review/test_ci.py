"""Steps of the action and the comment, against a local service.

`test_ci_installed.py` tests them in a foreign repository.
"""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.terraform import ROOT
from sustainable_mlops.review import pr_comment
from sustainable_mlops.review.comment_marker import build_marker
from tests.plan.test_load import FIXTURES
from tests.review.comments import Service, environment

pytestmark = pytest.mark.slow

PLAN = FIXTURES / "change.json"
PINNED = re.compile(r"[\w-]+/[\w-]+@[0-9a-f]{40}")


def run_bash(script: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a script as a CI does, with this Python as `python`."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    command = ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", script]
    arguments = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT), **environment}
    return subprocess.run(command, cwd=folder, env=arguments, capture_output=True, text=True, check=False)


def read(file: str) -> Any:
    return yaml.safe_load((ROOT / file).read_text())


def read_action_step(name: str) -> str:
    return next(str(step["run"]) for step in read("action.yml")["runs"]["steps"] if step.get("name") == name)


def run_action(folder: Path, **inputs: str) -> tuple[dict[str, str], str]:
    """Return the outputs of the step `Review` and the summary."""
    step = next(step for step in read("action.yml")["runs"]["steps"] if step.get("name") == "Review")
    arguments = {"FAIL_ON": "data,privileges,rules,budgets", **inputs}
    environment = {name: arguments.pop(name, "") for name in step["env"]}
    assert arguments == {}
    files = {name: folder / name.lower() for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
    for file in files.values():
        file.touch()
    runner = {"RUNNER_TEMP": str(folder), "GITHUB_ACTION_PATH": str(ROOT)}
    process = run_bash(
        read_action_step("Review"), folder, **environment, **runner, **{k: str(v) for k, v in files.items()}
    )
    assert process.returncode == 0, process.stderr
    outputs = dict(line.split("=", 1) for line in files["GITHUB_OUTPUT"].read_text().splitlines())
    return outputs, files["GITHUB_STEP_SUMMARY"].read_text()


def test_the_action_writes_the_reports_and_the_summary_and_keeps_the_exit_code(tmp_path: Path) -> None:
    outputs, summary = run_action(tmp_path, PLAN=str(PLAN))
    assert (outputs["code"], outputs["verdict"]) == ("1", "stop")
    assert summary.startswith(build_marker(str(PLAN)))
    assert {file.name for file in Path(outputs["folder"]).iterdir()} == {
        f"review.{suffix}" for suffix in ("md", "html", "json", "sarif")
    }
    assert run_bash(read_action_step("Verdict"), tmp_path, CODE=outputs["code"]).returncode == 1


def test_the_action_takes_its_inputs_as_text_whatever_is_in_them(tmp_path: Path) -> None:
    plan = tmp_path / "a $(touch broken) `touch broken`; plan.json"
    plan.write_bytes(PLAN.read_bytes())
    outputs, _ = run_action(tmp_path, PLAN=str(plan), FAIL_ON="none")
    assert outputs["code"] == "0"
    assert not (tmp_path / "broken").exists()


def test_the_action_fails_with_2_and_a_comment_if_the_plan_is_unreadable(tmp_path: Path) -> None:
    outputs, summary = run_action(tmp_path, PLAN="missing.json", NAME="prod")
    assert outputs["code"] == "2"
    assert "verdict" not in outputs
    assert summary == Path(outputs["folder"], "review.md").read_text()
    assert summary.startswith(build_marker("prod") + "\n## ❔ Not reviewed")
    assert "missing.json: no such file" in summary


def test_the_action_reviews_several_plans_in_one_comment(tmp_path: Path) -> None:
    for name in ("dev", "test", "prod"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "plan.json").write_bytes(PLAN.read_bytes())
    paths = "dev/plan.json\ntest/plan.json\nprod/plan.json\n"
    outputs, summary = run_action(tmp_path, PLANS=paths)
    assert (outputs["code"], outputs["verdict"]) == ("1", "stop")
    assert summary.startswith(build_marker("dev", "test", "prod"))
    assert summary.count("sustainable-mlops-review") == 1
    (tmp_path / "prod" / "plan.json").unlink()
    outputs, summary = run_action(tmp_path, PLANS=paths, NAME="d\nt\np")
    assert outputs["code"] == "2"
    assert build_marker("d", "t", "p") + "\n## ❔ Not reviewed" in summary


def test_the_action_takes_what_may_change_a_baseline_and_a_region(tmp_path: Path) -> None:
    (tmp_path / "baseline.json").write_text('{"baseline": []}')
    arguments = {"ONLY": "module.a.*\nmodule.b.*", "BASELINE": "baseline.json", "REGION": "eu-north-1"}
    outputs, summary = run_action(tmp_path, PLAN=str(PLAN), FAIL_ON="none", **arguments)
    assert (outputs["code"], outputs["verdict"]) == ("1", "stop"), "whatever the other gates are"
    assert "changes more than module.a.\\* and module.b.\\*" in summary.replace("&#42;", "\\*")
    outputs, summary = run_action(tmp_path, PLAN=str(PLAN), REGION="eu-nort-1")
    assert outputs["code"] == "2"
    assert "did you mean" in summary


def test_two_uses_of_the_action_in_a_job_keep_their_reports(tmp_path: Path) -> None:
    folders = [run_action(tmp_path, PLAN=str(PLAN), NAME=name)[0]["folder"] for name in ("dev", "prod")]
    assert [
        build_marker(name) in Path(f, "review.md").read_text() for f, name in zip(folders, ("dev", "prod"), strict=True)
    ]
    assert len(set(folders)) == 2


@pytest.mark.parametrize(
    "file", ["action.yml", "docs/ci/github.yml", "docs/ci/github-delivery.yml", ".github/workflows/release.yml"]
)
def test_actions_of_others_are_pinned_by_their_commit(file: str) -> None:
    used = re.findall(r"uses: (\S+)", (ROOT / file).read_text())
    assert used
    assert all(PINNED.fullmatch(one) for one in used if not one.startswith("OWNER/"))


@pytest.mark.parametrize(
    ("kind", "login"),
    [("github", "github-actions[bot]"), ("github", "reviewer[bot]"), ("github", "ann"), ("gitlab", "bot")],
)
def test_there_is_one_comment_a_plan_however_often_it_is_posted(
    kind: str, login: str, service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Service, "login", login)
    stranger = {"login": "mallory", "username": "mallory"}
    spoof = {"id": 0, "body": f"{build_marker('dev')}\nfine", "user": stranger, "author": stranger}
    Service.comments += [spoof, *({**spoof, "id": n, "body": "x"} for n in range(1, 150))]
    for number, name in ((1, "dev"), (1, "prod"), (2, "dev")):
        process = pr_comment.post_comment(
            f"{build_marker(name)}\nreview {number}", pr_comment.detect_api(environment(kind, service))
        )
        assert process == ("created" if number == 1 else "updated")
    assert Service.comments[0]["body"] == f"{build_marker('dev')}\nfine"
    assert [c["body"] for c in Service.comments[150:]] == [
        f"{build_marker('dev')}\nreview 2",
        f"{build_marker('prod')}\nreview 1",
    ]


@pytest.mark.parametrize("kind", ["github", "gitlab"])
def test_a_comment_about_several_plans_takes_the_place_of_those_about_any_of_them(kind: str, service: str) -> None:
    posted = (["dev"], ["network"], ["prod"], ["dev", "prod"], ["prod", "dev", "test"], ["test"])
    for names in posted:
        pr_comment.post_comment(
            f"{build_marker(*names)}\nof {names}", pr_comment.detect_api(environment(kind, service))
        )
        texts = [comment["body"].partition("\n")[2] for comment in Service.comments]
        assert f"of {names}" in texts
        assert len(texts) == len(set(texts)) <= 3
    assert texts == ["of ['test']", "of ['network']"]


@pytest.mark.parametrize("kind", ["github", "gitlab"])
@pytest.mark.parametrize(
    ("cost_change", "above", "result"),
    [
        (50.0, 50, "skipped"),
        (-49.0, 50, "skipped"),
        (51.0, 50, "created"),
        (-51.0, 50, "created"),
        (0.0, 0, "skipped"),
        (None, 50, "created"),
        (0.0, None, "created"),
    ],
)
def test_a_small_change_of_cost_makes_no_comment(
    kind: str, service: str, cost_change: float | None, above: float | None, result: str
) -> None:
    text = f"{build_marker('dev', cost_change=cost_change)}\nreview"
    assert pr_comment.post_comment(text, pr_comment.detect_api(environment(kind, service)), above) == result
    assert len(Service.comments) == (result == "created")


def test_a_comment_is_updated_when_the_change_falls_below_the_threshold(service: str) -> None:
    api = pr_comment.detect_api(environment("github", service))
    for cost_change, result in ((80.0, "created"), (1.0, "updated")):
        text = f"{build_marker('dev', cost_change=cost_change)}\n{cost_change}"
        assert pr_comment.post_comment(text, api, 50) == result
    assert [comment["body"] for comment in Service.comments] == [f"{build_marker('dev', cost_change=1)}\n1.0"]


@pytest.mark.parametrize("above", ["50", "$50", "50 usd", "", "much", "-3", "nan"])
def test_the_action_passes_the_threshold_on(tmp_path: Path, service: str, above: str) -> None:
    folder = tmp_path / "reports"
    folder.mkdir()
    (folder / "review.md").write_text(f"{build_marker('dev', cost_change=20)}\nreview")
    scripts = tmp_path / "bin"
    scripts.mkdir()
    smlops = f'#!/bin/sh\nshift\nexec "{sys.executable}" "{ROOT}/scripts/smlops.py" post-comment "$@"\n'
    (scripts / "smlops").write_text(smlops)
    (scripts / "smlops").chmod(0o755)
    script = f"PATH={shlex.quote(str(scripts))}:$PATH\n{read_action_step('Comment')}"
    process = run_bash(script, tmp_path, FOLDER=str(folder), COMMENT_ABOVE=above, **environment("github", service))
    if above in ("much", "-3", "nan"):
        assert process.returncode == 2
        assert process.stderr.strip().splitlines() == [
            f"error: --comment-above: must be an amount in USD such as 50, not {above!r}"
        ]
    else:
        assert (process.returncode, process.stdout.strip()) == (0, "skipped" if above else "created")


def test_a_file_that_is_no_review_is_not_posted(tmp_path: Path, service: str) -> None:
    (tmp_path / "other.md").write_text("hello")
    command = shlex.join(["python", f"{ROOT}/scripts/smlops.py", "post-comment", "other.md"])
    process = run_bash(command, tmp_path, **environment("github", service))
    assert process.returncode == 2
    assert "is not a review" in process.stderr
    assert Service.comments == []


def test_outside_a_pull_request_nothing_is_posted() -> None:
    with pytest.raises(UserError, match="PULL_REQUEST: is not set"):
        pr_comment.detect_api({"GITHUB_REPOSITORY": "o/r", "GITHUB_TOKEN": "t"})
