"""The integrations of docs/ci in a foreign repository, installed from a clone or from the wheel."""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from sustainable_mlops.base import terraform
from sustainable_mlops.base.terraform import ROOT
from sustainable_mlops.review.comment_marker import build_marker, find_plan_hashes
from tests.cloned_repository import clone, git
from tests.plan.test_load import FIXTURES
from tests.review.comments import Service, environment

pytestmark = [pytest.mark.slow, pytest.mark.plan]

#: A plan that a review stops, and a root module that needs no provider to be planned.
STOPPED = (FIXTURES / "change.json").read_bytes()
ROOT_MODULE = 'resource "terraform_data" "this" {}\n'
NAMES = ("dev", "staging", "prod")


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a clone of this project, which the integrations reference by address and commit."""
    return clone(tmp_path_factory.mktemp("project") / "sustainable-mlops")


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    """Return a repository with three environments."""
    folder = tmp_path / "theirs"
    for name in NAMES:
        (folder / "envs" / name).mkdir(parents=True)
        (folder / "envs" / name / "main.tf").write_text(ROOT_MODULE)
    (folder / "usage.yaml").write_text("defaults:\n  requests_per_month: 100_000\n")
    (folder / "budgets.yaml").write_text("budgets:\n  - name: all\n    usd_per_month: 400\n")
    git(folder, "init", "-q", "-b", "main")
    return folder


class Shell:
    """A shell of a runner in `folder`, without this checkout on its paths."""

    def __init__(self, folder: Path, *paths: Path, **variables: str) -> None:
        self.folder = folder
        home = folder.parent / "home"
        home.mkdir(exist_ok=True)
        # The workflows call `terraform`, whichever engine the tests run on.
        engine = home / "terraform"
        engine.unlink(missing_ok=True)
        engine.symlink_to(Path(terraform.find_engine().path).resolve())
        self.paths = [*paths, home, "/usr/bin", "/bin"]
        unchanged = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_", "HTTP"))}
        self.variables = {**unchanged, "HOME": str(home), "LANG": "C.UTF-8", **variables}

    def run(self, script: str, program: str = "bash", **more: str) -> subprocess.CompletedProcess[str]:
        path = os.pathsep.join(map(str, self.paths))
        command = [program, "-e", "-c", script]
        arguments = {**self.variables, "PATH": path, **more}
        return subprocess.run(command, cwd=self.folder, env=arguments, capture_output=True, text=True, check=False)


def read(file: str) -> Any:
    return yaml.safe_load((ROOT / file).read_text())


class Action:
    """The action, executed step by step as on a GitHub runner."""

    def __init__(self, shell: Shell, project: Path, arguments: Mapping[str, str]) -> None:
        self.action = read("action.yml")
        assert arguments.keys() <= self.action["inputs"].keys()
        self.inputs = {name: arguments.get(name, item["default"]) for name, item in self.action["inputs"].items()}
        self.shell = shell
        self.temp = shell.folder.parent / "runner"
        self.temp.mkdir(exist_ok=True)
        shell.variables |= {"GITHUB_ACTION_PATH": str(project), "RUNNER_TEMP": str(self.temp)}
        python = shutil.which("python3", path="/usr/bin:/usr/local/bin") or "python3"
        self.known = {
            "github.token": "t",
            "github.event.pull_request.number": "7",
            "steps.python.outputs.python-path": python,
            **{f"inputs.{name}": value for name, value in self.inputs.items()},
        }

    def run(self, name: str) -> subprocess.CompletedProcess[str]:
        (step,) = (step for step in self.action["runs"]["steps"] if step.get("name") == name)
        files = {one: self.temp / one for one in ("GITHUB_OUTPUT", "GITHUB_PATH", "GITHUB_STEP_SUMMARY")}
        for file in files.values():
            file.write_text("")
        more = {name: self.known_value(value) for name, value in step.get("env", {}).items()}
        process = self.shell.run(step["run"], **more, **{item: str(file) for item, file in files.items()})
        self.shell.paths[:0] = [Path(line) for line in files["GITHUB_PATH"].read_text().splitlines()]
        for line in files["GITHUB_OUTPUT"].read_text().splitlines():
            output, _, value = line.partition("=")
            self.known[f"steps.{step['id']}.outputs.{output}"] = value
        return process

    def known_value(self, text: str) -> str:
        return re.sub(r"\$\{\{ (.*?) \}\}", lambda result: self.known_value(self.known[result[1]]), text)


def test_the_github_workflow_plans_reviews_and_comments(theirs: Path, project: Path, service: str) -> None:
    steps = read("docs/ci/github.yml")["jobs"]["plan"]["steps"]
    (setup,) = (one for one in steps if str(one.get("uses")).startswith("hashicorp/setup-terraform@"))
    assert setup["with"]["terraform_wrapper"] is False, "the wrapper's own lines would be in the plan"
    (credentials,) = (one for one in steps if str(one.get("uses")).startswith("aws-actions/configure-aws-credentials@"))
    assert steps.index(credentials) < steps.index(setup) < len(steps) - 2
    *_, make, use = steps
    shell = Shell(theirs, **environment("github", service))
    planned = shell.run(make["run"])
    assert planned.returncode == 0, planned.stderr
    action = Action(shell, project, use["with"])
    for name, code, verdict in (("prod", "0", "fine"), ("staging", "1", "stop")):
        if verdict == "stop":
            (theirs / "envs" / name / "plan.json").write_bytes(STOPPED)
        for step in ("Install", "Review", "Comment") if verdict == "fine" else ("Review", "Comment"):
            process = action.run(step)
            assert process.returncode == 0, process.stderr
        assert action.known["steps.review.outputs.code"] == code
        assert action.known["steps.review.outputs.verdict"] == verdict
        assert str(action.run("Verdict").returncode) == code
        (comment,) = Service.comments
        assert find_plan_hashes(comment["body"]) == find_plan_hashes(build_marker(*NAMES))
        assert ("## ✅ Fine" in comment["body"]) == (verdict == "fine")


@pytest.mark.release
def test_the_gitlab_pipeline_plans_reviews_and_comments(theirs: Path, project: Path, service: str) -> None:
    pipeline = read("docs/ci/gitlab-ci.yml")
    plan, review = pipeline["plan"], pipeline["review"]
    assert plan["image"]["entrypoint"] == [""], "the image's own is `terraform`, which is no shell"
    shell = Shell(theirs, **environment("gitlab", service))
    shell.variables |= {
        "AWS_TOKEN": "jwt",
        "SUSTAINABLE_MLOPS_URL": project.as_uri(),
        "SUSTAINABLE_MLOPS_COMMIT": git(project, "rev-parse", "HEAD"),
    }
    # The image of Terraform has no bash.
    planned = shell.run(
        "\n".join([*plan["before_script"], *plan["script"], 'cat "$AWS_WEB_IDENTITY_TOKEN_FILE"']), "sh"
    )
    assert planned.returncode == 0, planned.stderr
    assert planned.stdout.endswith("jwt")
    subprocess.run(["python3", "-m", "venv", theirs.parent / "python"], check=True)
    shell.paths.insert(0, theirs.parent / "python" / "bin")
    before, script = "\n".join(review["before_script"]), "\n".join(review["script"])
    process = shell.run(f"{before}\n{script}")
    assert process.returncode == 0, process.stderr
    assert {"review.html", "review.json"} <= {file.name for file in theirs.iterdir()}
    for text, code, expected_text in ((STOPPED, 1, "Data at risk"), (b"{", 2, "❔ Not reviewed")):
        (theirs / "envs" / "staging" / "plan.json").write_bytes(text)
        assert shell.run(script).returncode == code
        (comment,) = Service.comments
        assert comment["body"].startswith(build_marker(*sorted(NAMES)))
        assert expected_text in comment["body"]


@pytest.mark.parametrize(("workflow", "expected_text"), [("reviewed", "Data at risk"), ("promoted", "Scope")])
def test_the_step_of_atlantis_prints_a_comment_and_fails_the_plan(
    workflow: str, expected_text: str, theirs: Path, wheel_environment: Path
) -> None:
    *created, step = read("docs/ci/atlantis.yaml")["workflows"][workflow]["plan"]["steps"]
    assert created == ["init", "plan", "show"]
    plan = theirs / "show.json"
    plan.write_bytes(STOPPED)
    process = Shell(theirs, wheel_environment / "bin").run(step["run"], "sh", SHOWFILE=str(plan), PROJECT_NAME="dev")
    assert process.returncode == 1, process.stderr
    assert process.stdout.startswith(build_marker("dev"))
    assert expected_text in process.stdout


@pytest.mark.release
def test_the_hook_allows_a_push_without_a_plan_and_stops_data_at_risk(theirs: Path, project: Path) -> None:
    text = (ROOT / "docs/ci/pre-commit-config.yaml").read_text()
    text = text.replace("https://example.com/sustainable-mlops-pre-commit.git", project.as_uri())
    text = re.sub(r"rev: v[\d.]+", f"rev: {git(project, 'rev-parse', 'HEAD')}", text)
    (theirs / ".pre-commit-config.yaml").write_text(text)
    (theirs / ".gitignore").write_text("plan.json\n")
    git(theirs, "add", "-A")
    git(theirs, "commit", "-q", "-m", "all")
    git(theirs, "init", "-q", "--bare", "../remote.git")
    shell = Shell(theirs, ROOT / ".venv" / "bin")
    (command,) = re.findall(r"^#\s+(pre-commit install.*)$", text, re.M)
    assert shell.run(command).returncode == 0
    pushed = shell.run("git push ../remote.git main")
    assert pushed.returncode == 0, pushed.stdout + pushed.stderr
    texts = [line for line in (pushed.stdout + pushed.stderr).splitlines() if "no plan" in line]
    assert len(texts) == 1
    assert texts[0].startswith("no plan to review at plan.json; create one with: terraform plan")
    (theirs / "plan.json").write_bytes(STOPPED)
    stopped = shell.run("git push ../remote.git main:again")
    assert stopped.returncode == 1
    assert "Data at risk" in stopped.stdout + stopped.stderr
    assert git(theirs.parent / "remote.git", "branch", "--format=%(refname:short)") == "main"
