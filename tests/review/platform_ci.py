"""Runners of GitHub and GitLab for the files of docs/ci/platform, in a repository on this machine."""

import json
import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import yaml

from sagemaker_sandbox import Sandbox
from sagemaker_sandbox.client import make_client
from sustainable_mlops import terraform
from sustainable_mlops.terraform import ROOT

FOLDER = ROOT / "docs" / "ci" / "platform"
#: Token of the identity provider. The sandbox accepts any.
TOKEN = "token"  # noqa: S105
_REFERENCE = re.compile(r"\$\{\{ (.*?) \}\}")
_FORMAT = re.compile(r"format\('(?P<text>[A-Z_]+)_\{0\}', (?P<name>[\w.]+)\)")
#: Lines of GitLab that install programs, which this machine has.
_INSTALLATION = ("apk ", "python3 -m venv", ".venv/bin/pip ")


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

    def assume_role(self, arn: str) -> dict[str, str]:
        """Return the variables of the credentials that a role gives for a token."""
        sts = make_client("sts", "eu-north-1", self.sandbox.endpoint)
        credentials = sts.assume_role_with_web_identity(RoleArn=arn, RoleSessionName="ci", WebIdentityToken=TOKEN)[
            "Credentials"
        ]
        return {
            "AWS_ACCESS_KEY_ID": credentials["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": credentials["SecretAccessKey"],
            "AWS_SESSION_TOKEN": credentials["SessionToken"],
        }


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
        for step in job["steps"]:
            if str(step.get("uses")).startswith("aws-actions/configure-aws-credentials@"):
                credentials = self.assume_role(resolve(step["with"]["role-to-assume"], known))
            elif "run" in step and step["name"] != "Install":
                own = {name: resolve(value, known) for name, value in step.get("env", {}).items()}
                if self.execute("bash", step["run"], {**common, **credentials, **own}):
                    return str(step["name"])
        return None


class GitLab(Runner):
    """A runner of GitLab."""

    pipeline = yaml.safe_load((FOLDER / "gitlab-ci.yml").read_text())

    def run_job(self, name: str, **variables: str) -> int:
        """Run a job, and return its exit code."""
        job = self.pipeline[name]
        if "extends" in job:
            job = {**self.pipeline[job["extends"]], **job}
        declared = {
            key: value.get("value", "") if isinstance(value, dict) else str(value)
            for key, value in self.pipeline["variables"].items()
        }
        values = {**declared, **variables, "AWS_TOKEN": TOKEN}
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
