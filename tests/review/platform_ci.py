"""Runners of GitHub and GitLab for the files of docs/ci/platform, in a repository on this computer."""

import json
import os
import re
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import yaml
from botocore.exceptions import ClientError

from sagemaker_sandbox import Sandbox
from sagemaker_sandbox.base.client import make_client
from sustainable_mlops.base import terraform
from sustainable_mlops.base.terraform import ROOT, Terraform
from tests.modules.examples import summary
from tests.provider import serving_offline
from tests.sandbox.web_identity import create_token, exchange_token

FOLDER = ROOT / "docs" / "ci" / "platform"
_REFERENCE = re.compile(r"\$\{\{ (.*?) \}\}")
_FORMAT = re.compile(r"format\('(?P<text>[A-Z_]+)_\{0\}', (?P<name>[\w.]+)\)")
#: Lines of GitLab that install programs, which this computer has.
_INSTALLATION = ("apk ", "python3 -m venv", ".venv/bin/pip ")
#: Lines of `envs/<name>/bootstrap/main.tf` for GitHub, and the same for GitLab.
_GITLAB_JOBS = (
    (r"github = \[\{ repository = ", "gitlab = [{ project = "),
    (r'environments = \["\w+"\]', 'branches = ["main"]'),
)


def read_workflow(name: str) -> Any:
    """Return a workflow of GitHub; `on` is a key."""
    return yaml.load((FOLDER / "github" / f"{name}.yml").read_text(), _StringKeys)  # noqa: S506  a safe loader


class _StringKeys(yaml.SafeLoader):
    """A loader that reads `on` as text, as YAML 1.2 does."""


_StringKeys.yaml_implicit_resolvers = {
    first: [one for one in resolvers if one[0] != "tag:yaml.org,2002:bool" or first not in "oO"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def list_jobs_in_order(jobs: Mapping[str, Any]) -> list[str]:
    """Return the names of jobs, each after those that it needs."""
    sorter = TopologicalSorter({name: _list_needs(job) for name, job in jobs.items()})
    return list(sorter.static_order())


def _list_needs(job: Mapping[str, Any]) -> list[str]:
    needs = job.get("needs", [])
    return [needs] if isinstance(needs, str) else list(needs)


class Runner:
    """A runner in `folder`, whose `.venv` has the package."""

    def __init__(self, folder: Path, sandbox: Sandbox, variables: Mapping[str, str]) -> None:
        self.folder = folder
        self.sandbox = sandbox
        self.output = ""
        self._home = folder.parent / "runner"
        self._home.mkdir(exist_ok=True)
        # The workflows call `terraform`, whichever engine the tests run on.
        engine = self._home / "terraform"
        if not engine.exists():
            engine.symlink_to(Path(terraform.find_engine().path).resolve())
        without = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
        account = {name: value for name, value in sandbox.environment.items() if name not in without}
        own = {name: value for name, value in terraform.make_environment(account).items() if name not in without}
        self._variables = {
            **own,
            # For web identities, Terraform's backend reads this variable alone.
            "AWS_ENDPOINT_URL_STS": sandbox.endpoint,
            "HOME": str(self._home),
            "LANG": "C.UTF-8",
            "PYTHONPATH": str(folder),
            **variables,
        }

    def execute(self, program: str, script: str, variables: Mapping[str, str]) -> int:
        """Run a script, keep its output, and return the exit code."""
        path = os.pathsep.join([str(self._home), "/usr/local/bin", "/usr/bin", "/bin"])
        environment = {**self._variables, **variables, "PATH": path}
        process = subprocess.run(
            [program, *(["--noprofile", "--norc", "-o", "pipefail"] if program == "bash" else []), "-e", "-c", script],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        self.output += process.stdout + process.stderr
        return process.returncode


class GitHub(Runner):
    """A runner of GitHub, with the values of expressions."""

    def run_job(self, workflow: Any, known: Mapping[str, str], **replaced: str) -> str | None:
        """Run the steps of the only job of a workflow, and return the name of the step that failed."""
        (job,) = workflow["jobs"].values()
        summary = self._home / "summary.md"
        summary.write_text("")
        files = {"GITHUB_STEP_SUMMARY": str(summary), "RUNNER_TEMP": str(self._home)}
        variables = {**workflow.get("env", {}), **job.get("env", {})}
        known = {"github.workspace": str(self.folder), **known}
        common = {name: resolve(value, known) for name, value in variables.items()} | files | replaced
        credentials: dict[str, str] = {}
        token = create_token(self._find_subject(workflow, job, known))
        for step in job["steps"]:
            if str(step.get("uses")).startswith("aws-actions/configure-aws-credentials@"):
                try:
                    credentials = exchange_token(self.sandbox, resolve(step["with"]["role-to-assume"], known), token)
                except ClientError as error:
                    self.output += f"{error}\n"
                    return str(step["uses"])
            elif "run" in step and step["name"] != "Install" and _is_required(step, known):
                own = {name: resolve(value, known) for name, value in step.get("env", {}).items()}
                if self.execute("bash", step["run"], {**common, **credentials, **own}):
                    return str(step["name"])
        return None

    def _find_subject(self, workflow: Any, job: Mapping[str, Any], known: Mapping[str, str]) -> str:
        """Return the subject of a job's token. Source: GitHub, OpenID Connect reference, "Example subject claims"."""
        repository = f"repo:{self._variables['GITHUB_REPOSITORY']}"
        if "environment" in job:
            return f"{repository}:environment:{resolve(job['environment'], known)}"
        return f"{repository}:{'pull_request' if 'pull_request' in workflow['on'] else 'ref:refs/heads/main'}"


def _is_required(step: Mapping[str, Any], known: Mapping[str, str]) -> bool:
    """Return whether the condition of a step is true. Its condition is one value, such as an input."""
    return "if" not in step or known[step["if"]] == "true"


class GitLab(Runner):
    """A runner of GitLab."""

    pipeline = yaml.safe_load((FOLDER / "gitlab-ci.yml").read_text())

    def run_job(self, name: str, branch: str = "main", **variables: str) -> int:
        """Run a job of a branch, and return its exit code."""
        job = self.pipeline[name]
        if "extends" in job:
            job = {**self.pipeline[job["extends"]], **job}
        declared = {
            key: value.get("value", "") if isinstance(value, dict) else str(value)
            for key, value in self.pipeline["variables"].items()
        }
        subject = f"project_path:{self._variables['CI_PROJECT_PATH']}:ref_type:branch:ref:{branch}"
        audience = self.pipeline["default"]["id_tokens"]["AWS_TOKEN"]["aud"]
        token = create_token(subject, issuer="https://gitlab.com", audience=audience)
        values = {**declared, **variables, "AWS_TOKEN": token}
        for key, value in job.get("variables", {}).items():
            values[key] = re.sub(r"\$(\w+)", lambda match: values[match[1]], value)
        lines = [one for one in self.pipeline["default"]["before_script"] if not one.startswith(_INSTALLATION)]
        # The image of Terraform has no bash.
        return self.execute("sh", "\n".join([*lines, *job["script"]]), values)


def resolve(value: Any, known: Mapping[str, str]) -> str:
    """Return a value of a workflow with its expressions replaced."""

    def replace(match: re.Match[str]) -> str:
        name = _FORMAT.sub(lambda inner: f"{inner['text']}_{known[inner['name']].upper()}", match[1])
        return known[re.sub(r"^vars\[(.*)\]$", r"vars.\1", name)]

    return _REFERENCE.sub(replace, str(value))


def list_uses(workflow: Any) -> Iterator[str]:
    """Yield the actions and workflows that a workflow uses."""
    for job in workflow["jobs"].values():
        yield from (str(one["uses"]) for one in [job, *job.get("steps", [])] if "uses" in one)


def read_state(sandbox: Sandbox, account: str, bucket: str, key: str, region: str) -> Any:
    """Return a state of Terraform."""
    s3 = make_client("s3", region, sandbox.endpoint, account)
    return json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())


def plan_bootstrap(folder: Path, names: Iterable[str], repository: str, system: str) -> dict[str, Any]:
    """Return the planned values of `envs/<name>/bootstrap` for a repository of `github` or `gitlab`, by address."""
    folder.mkdir()
    (folder / "modules").symlink_to(ROOT / "modules")
    provider = {"skip_credentials_validation": True, "skip_requesting_account_id": True}
    for name in names:
        own = folder / "envs" / name
        (own / "bootstrap").mkdir(parents=True)
        (own / "deployer").symlink_to(ROOT / "envs" / name / "deployer")
        text = (ROOT / "envs" / name / "bootstrap" / "main.tf").read_text()
        if system == "gitlab":
            for pattern, replacement in _GITLAB_JOBS:
                text = re.sub(pattern, replacement, text)
        (own / "bootstrap" / "main.tf").write_text(text)
        (own / "bootstrap" / "override.tf.json").write_text(json.dumps({"provider": {"aws": provider}}))
    calls = {name: {"source": f"./envs/{name}/bootstrap", "repository": repository} for name in names}
    (folder / "main.tf.json").write_text(json.dumps({"module": calls}))
    with serving_offline() as variables:
        engine = Terraform(folder, variables)
        engine.init()
        values: dict[str, Any] = summary(engine.plan(folder / "tfplan"))["values"]
    return values
