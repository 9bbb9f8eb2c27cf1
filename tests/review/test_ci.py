"""Where people work: the action, the hook and the snippets, run as they stand; the comment, against a local service."""

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from sustainable_mlops.errors import UserError
from sustainable_mlops.review import sticky
from sustainable_mlops.review.marker import marker
from sustainable_mlops.terraform import ROOT
from tests.plan.test_load import FIXTURES

PLAN = FIXTURES / "change.json"
PINNED = re.compile(r"[\w-]+/[\w-]+@[0-9a-f]{40}")


def bash(script: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a script as a CI does, with this Python as `python`."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    command = ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", script]
    given = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT), **environment}
    return subprocess.run(command, cwd=folder, env=given, capture_output=True, text=True, check=False)


def read(file: str) -> Any:
    return yaml.safe_load((ROOT / file).read_text())


def action_step(name: str) -> str:
    return next(str(step["run"]) for step in read("action.yml")["runs"]["steps"] if step.get("name") == name)


def run_action(folder: Path, **inputs: str) -> tuple[dict[str, str], str]:
    """The outputs of the step `Review`, and the summary."""
    step = next(step for step in read("action.yml")["runs"]["steps"] if step.get("name") == "Review")
    given = {"FAIL_ON": "data,privileges,rules,budgets", **inputs}
    environment = {name: given.pop(name, "") for name in step["env"]}
    assert given == {}
    files = {name: folder / name.lower() for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
    for file in files.values():
        file.touch()
    runner = {"RUNNER_TEMP": str(folder), "GITHUB_ACTION_PATH": str(ROOT)}
    done = bash(action_step("Review"), folder, **environment, **runner, **{k: str(v) for k, v in files.items()})
    assert done.returncode == 0, done.stderr
    outputs = dict(line.split("=", 1) for line in files["GITHUB_OUTPUT"].read_text().splitlines())
    return outputs, files["GITHUB_STEP_SUMMARY"].read_text()


def test_the_action_writes_the_reports_and_the_summary_and_keeps_the_exit_code(tmp_path: Path) -> None:
    outputs, summary = run_action(tmp_path, PLAN=str(PLAN))
    assert (outputs["code"], outputs["verdict"]) == ("1", "stop")
    assert summary.startswith(marker(str(PLAN)))
    assert {file.name for file in Path(outputs["folder"]).iterdir()} == {
        f"review.{suffix}" for suffix in ("md", "html", "json", "sarif")
    }
    assert bash(action_step("Verdict"), tmp_path, CODE=outputs["code"]).returncode == 1


def test_the_action_takes_its_inputs_as_text_whatever_is_in_them(tmp_path: Path) -> None:
    plan = tmp_path / "a $(touch broken) `touch broken`; plan.json"
    plan.write_bytes(PLAN.read_bytes())
    outputs, _ = run_action(tmp_path, PLAN=str(plan), FAIL_ON="none")
    assert outputs["code"] == "0"
    assert not (tmp_path / "broken").exists()


def test_the_action_fails_with_2_where_the_plan_cannot_be_read_and_says_so_in_the_comment(tmp_path: Path) -> None:
    outputs, summary = run_action(tmp_path, PLAN="missing.json", NAME="prod")
    assert outputs["code"] == "2"
    assert "verdict" not in outputs
    assert summary == Path(outputs["folder"], "review.md").read_text()
    assert summary.startswith(marker("prod") + "\n## ❔ Not reviewed")
    assert "missing.json: no such file" in summary


def test_the_action_reviews_several_plans_in_one_comment(tmp_path: Path) -> None:
    for name in ("dev", "test", "prod"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "plan.json").write_bytes(PLAN.read_bytes())
    paths = "dev/plan.json\ntest/plan.json\nprod/plan.json\n"
    outputs, summary = run_action(tmp_path, PLANS=paths)
    assert (outputs["code"], outputs["verdict"]) == ("1", "stop")
    assert summary.startswith(marker("dev", "test", "prod"))
    assert summary.count("sustainable-mlops-review") == 1
    (tmp_path / "prod" / "plan.json").unlink()
    outputs, summary = run_action(tmp_path, PLANS=paths, NAME="d\nt\np")
    assert outputs["code"] == "2"
    assert marker("d", "t", "p") + "\n## ❔ Not reviewed" in summary


def test_the_action_takes_what_may_change_a_baseline_and_a_region(tmp_path: Path) -> None:
    (tmp_path / "baseline.json").write_text('{"baseline": []}')
    given = {"ONLY": "module.a.*\nmodule.b.*", "BASELINE": "baseline.json", "REGION": "eu-north-1"}
    outputs, summary = run_action(tmp_path, PLAN=str(PLAN), FAIL_ON="none", **given)
    assert (outputs["code"], outputs["verdict"]) == ("1", "stop"), "whatever the other gates are"
    assert "changes more than module.a.\\* and module.b.\\*" in summary.replace("&#42;", "\\*")
    outputs, summary = run_action(tmp_path, PLAN=str(PLAN), REGION="eu-nort-1")
    assert outputs["code"] == "2"
    assert "did you mean" in summary


def test_two_uses_of_the_action_in_a_job_keep_their_reports(tmp_path: Path) -> None:
    folders = [run_action(tmp_path, PLAN=str(PLAN), NAME=name)[0]["folder"] for name in ("dev", "prod")]
    assert [marker(name) in Path(f, "review.md").read_text() for f, name in zip(folders, ("dev", "prod"), strict=True)]
    assert len(set(folders)) == 2


@pytest.mark.parametrize("file", ["action.yml", "docs/ci/github.yml"])
def test_actions_of_others_are_pinned_by_their_commit(file: str) -> None:
    used = re.findall(r"uses: (\S+)", (ROOT / file).read_text())
    assert used
    assert all(PINNED.fullmatch(one) for one in used if one != "OWNER/REPOSITORY@COMMIT")


def test_the_hook_stops_a_push(tmp_path: Path) -> None:
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    (tmp_path / "plan.json").write_bytes(PLAN.read_bytes())
    done = bash(f"{hook['entry']} {' '.join(hook['args'])}", tmp_path)
    assert done.returncode == 1
    assert "Data at risk" in done.stdout


@pytest.mark.parametrize(("workflow", "says"), [("reviewed", "Data at risk"), ("promoted", "Scope")])
def test_the_step_of_atlantis_prints_a_comment(workflow: str, says: str, tmp_path: Path) -> None:
    steps = read("docs/ci/atlantis.yaml")["workflows"][workflow]["plan"]["steps"]
    done = bash(steps[-1]["run"], tmp_path, SHOWFILE=str(PLAN), PROJECT_NAME="dev")
    assert done.returncode == 1
    assert done.stdout.startswith(marker("dev"))
    assert says in done.stdout


class Service(BaseHTTPRequestHandler):
    """Comments as GitHub and GitLab keep them."""

    comments: list[dict[str, Any]] = []  # noqa: RUF012  (one list for all requests, emptied by the fixture)
    tokens: set[str] = set()  # noqa: RUF012
    #: Who the token belongs to: an app, which only GraphQL tells, or a workflow that may not ask.
    login = "reviewer[bot]"

    def _answer(self, value: Any, status: int = 200) -> None:
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _body(self) -> str:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["body"]
        self.tokens.add(self.headers.get("Authorization") or self.headers.get("PRIVATE-TOKEN") or "")
        return str(body)

    def do_GET(self) -> None:
        if self.path.endswith("/user"):
            self._answer({"username": self.login} if "v4" in self.path else {}, 200 if "v4" in self.path else 403)
            return
        page = int(re.findall(r"page=(\d+)$", self.path)[0])
        self._answer(self.comments[(page - 1) * 100 : page * 100])

    def do_POST(self) -> None:
        if self.path.endswith("/graphql"):
            self.rfile.read(int(self.headers["Content-Length"]))
            told = {"data": {"viewer": {"login": self.login}}}
            self._answer({"errors": [{}]} if self.login == "github-actions[bot]" else told)
            return
        user = {"login": self.login, "username": self.login}
        self.comments.append({"id": len(self.comments), "body": self._body(), "user": user, "author": user})
        self._answer({}, 201)

    def do_PATCH(self) -> None:
        self._one()["body"] = self._body()
        self._answer({})

    def do_DELETE(self) -> None:
        self.comments.remove(self._one())
        self.send_response(204)
        self.end_headers()

    def _one(self) -> dict[str, Any]:
        (found,) = (one for one in self.comments if one["id"] == int(self.path.rpartition("/")[2]))
        return found

    do_PUT = do_PATCH  # noqa: N815

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def service() -> Iterator[str]:
    Service.comments.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Service)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def environment(kind: str, service: str) -> dict[str, str]:
    if kind == "github":
        found = {"GITHUB_API_URL": service, "GITHUB_REPOSITORY": "o/r", "GITHUB_TOKEN": "t", "PULL_REQUEST": "7"}
        return {**found, "CI_MERGE_REQUEST_IID": ""}
    found = {"CI_API_V4_URL": f"{service}/api/v4", "CI_PROJECT_ID": "3", "CI_MERGE_REQUEST_IID": "7"}
    return {**found, "GITLAB_TOKEN": "t"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "login"),
    [("github", "github-actions[bot]"), ("github", "reviewer[bot]"), ("github", "ann"), ("gitlab", "bot")],
)
def test_there_is_one_comment_a_plan_however_often_it_is_posted(
    kind: str, login: str, service: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Service, "login", login)
    stranger = {"login": "mallory", "username": "mallory"}
    spoof = {"id": 0, "body": f"{marker('dev')}\nfine", "user": stranger, "author": stranger}
    Service.comments += [spoof, *({**spoof, "id": n, "body": "x"} for n in range(1, 150))]
    for number, name in ((1, "dev"), (1, "prod"), (2, "dev")):
        (tmp_path / "review.md").write_text(f"{marker(name)}\nreview {number}")
        command = f"python {ROOT}/scripts/post_comment.py review.md"
        done = bash(command, tmp_path, **environment(kind, service))
        assert (done.returncode, done.stdout) == (0, "created\n" if number == 1 else "updated\n"), done.stderr
    assert Service.comments[0]["body"] == f"{marker('dev')}\nfine"
    assert [c["body"] for c in Service.comments[150:]] == [f"{marker('dev')}\nreview 2", f"{marker('prod')}\nreview 1"]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["github", "gitlab"])
def test_a_comment_about_several_plans_takes_the_place_of_those_about_any_of_them(
    kind: str, service: str, tmp_path: Path
) -> None:
    posted = (["dev"], ["network"], ["prod"], ["dev", "prod"], ["prod", "dev", "test"], ["test"])
    for names in posted:
        (tmp_path / "review.md").write_text(f"{marker(*names)}\nof {names}")
        done = bash(f"python {ROOT}/scripts/post_comment.py review.md", tmp_path, **environment(kind, service))
        assert done.returncode == 0, done.stderr
        said = [comment["body"].partition("\n")[2] for comment in Service.comments]
        assert f"of {names}" in said
        assert len(said) == len(set(said)) <= 3
    assert said == ["of ['test']", "of ['network']"]


def test_what_is_no_review_is_not_posted(tmp_path: Path, service: str) -> None:
    (tmp_path / "other.md").write_text("hello")
    done = bash(f"python {ROOT}/scripts/post_comment.py other.md", tmp_path, **environment("github", service))
    assert done.returncode == 2
    assert "is no review" in done.stderr
    assert Service.comments == []


def test_outside_a_pull_request_nothing_is_posted() -> None:
    with pytest.raises(UserError, match="PULL_REQUEST: is not set"):
        sticky.place({"GITHUB_REPOSITORY": "o/r", "GITHUB_TOKEN": "t"})


@pytest.mark.slow
def test_the_gitlab_snippet_reviews_and_comments(tmp_path: Path, service: str) -> None:
    (tmp_path / ".review").symlink_to(ROOT)
    plans = [tmp_path / "envs" / name / "plan.json" for name in ("dev", "prod")]
    for plan in plans:
        plan.parent.mkdir(parents=True)
        plan.write_bytes(PLAN.read_bytes())
    script = "\n".join(read("docs/ci/gitlab-ci.yml")["review"]["script"])
    done = bash(script, tmp_path, **environment("gitlab", service))
    assert done.returncode == 1, done.stderr
    assert (tmp_path / "review.html").exists()
    plans[1].write_text("{")
    (tmp_path / "review.md").unlink()
    assert bash(script, tmp_path, **environment("gitlab", service)).returncode == 2
    (comment,) = Service.comments
    assert comment["body"].startswith(marker("dev", "prod") + "\n## ❔ Not reviewed")


def test_the_github_snippet_gives_the_action_what_it_takes_and_the_plans_that_it_makes(tmp_path: Path) -> None:
    *_, make, review = read("docs/ci/github.yml")["jobs"]["plan"]["steps"]
    assert review["with"].keys() <= read("action.yml")["inputs"].keys()
    program = tmp_path / "terraform"
    program.write_text('#!/bin/sh\necho "$@"\n')
    program.chmod(0o755)
    for plan in review["with"]["plans"].splitlines():
        (tmp_path / plan).parent.mkdir(parents=True)
    done = bash(f'export PATH="$PWD:$PATH"\n{make["run"]}', tmp_path)
    assert done.returncode == 0, done.stderr
    assert all(
        "show -json plan.tfplan" in (tmp_path / plan).read_text() for plan in review["with"]["plans"].splitlines()
    )
