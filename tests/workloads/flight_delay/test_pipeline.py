"""The pipeline's definition: the same everywhere, made of the job files, and frugal in every step."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sagemaker_sandbox.pipelines.checks import check
from sustainable_mlops.aws import constraints
from sustainable_mlops.jobs.pipelines import factors
from sustainable_mlops.jobs.specs.pipeline import PipelineSpec
from sustainable_mlops.settings import load_yaml
from sustainable_mlops.terraform import ROOT

WORKLOAD = ROOT / "workloads" / "flight_delay"
JOBS = {
    "Processing": "CreateProcessingJob",
    "Training": "CreateTrainingJob",
    "Tuning": "CreateHyperParameterTuningJob",
}
#: As CreateX would get it, where a definition has references.
KNOWN_LATER = {
    "RoleArn": "arn:aws:iam::123456789012:role/a",
    "ModelPackageGroupName": "flights",
    "InstanceType": "ml.m7i.large",
    "S3Uri": "s3://bucket/key",
}

#: Where there is no network; a call that was caught where it failed is told all the same.
OFFLINE = """
import socket, sys

calls = []

def refuse(*arguments, **keywords):
    calls.append(arguments)
    raise OSError("no network")

socket.create_connection = socket.getaddrinfo = socket.socket.connect = socket.socket.connect_ex = refuse
sys.path.insert(0, sys.argv[1])
from workloads.flight_delay.pipeline import build_definition

sys.stdout.write(build_definition())
assert not calls, calls
"""


@pytest.fixture(scope="module")
def committed() -> dict[str, Any]:
    """The definition in the repository."""
    document: dict[str, Any] = json.loads((WORKLOAD / "pipeline.json").read_text())
    return document


def every_step(steps: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The steps of the definition, those in branches too."""
    for step in steps:
        yield step
        for branch in ("IfSteps", "ElseSteps"):
            yield from every_step(step["Arguments"].get(branch, []))


@pytest.mark.slow
def test_it_is_the_same_bytes_on_every_machine_and_made_without_a_call(tmp_path: Path) -> None:
    made = []
    for number in (1, 2):
        home = tmp_path / f"home-{number}"
        home.mkdir()
        environment = {"PATH": os.environ["PATH"], "HOME": str(home), "PYTHONHASHSEED": str(number)}
        program = [sys.executable, "-c", OFFLINE, str(ROOT)]
        done = subprocess.run(program, capture_output=True, text=True, check=False, env=environment, cwd=home)
        assert done.returncode == 0, done.stderr[-2000:]
        made.append(done.stdout)
    assert made[0] == made[1]
    assert made[0] == (WORKLOAD / "pipeline.json").read_text(), (
        "write it again: python workloads/flight_delay/pipeline.py"
    )


def test_the_factors_are_those_of_the_footprint_model() -> None:
    types = load_yaml(WORKLOAD / "pipeline.yaml", PipelineSpec).instance_types
    assert (WORKLOAD / "factors.json").read_text() == factors.render_factors(types, volume_gb=10)


def test_sagemaker_would_take_it(committed: dict[str, Any]) -> None:
    """Its form, its references, and of each job all that the service model says."""
    assert checked(json.dumps(committed)) == ["Prepare", "Train", "Evaluate", "Register", "RegisterAboveBudget"]


@pytest.mark.slow
def test_it_searches_where_its_file_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from workloads.flight_delay import pipeline

    folder = tmp_path / "flight_delay"
    shutil.copytree(WORKLOAD, folder, ignore=shutil.ignore_patterns("__pycache__"))
    file = folder / "pipeline.yaml"
    file.write_text(file.read_text().replace("train: job.yaml", "tune: tune.yaml"))
    monkeypatch.setattr(pipeline, "HERE", folder)
    definition = pipeline.build_definition()
    assert checked(definition) == ["Prepare", "Tune", "Evaluate", "Register", "RegisterAboveBudget"]
    search = next(step for step in json.loads(definition)["Steps"] if step["Name"] == "Tune")
    retried = {kind for policy in search["RetryPolicies"] for kind in policy["ExceptionType"]}
    assert "SageMaker.JOB_INTERNAL_ERROR" not in retried  # tuning retries its own jobs


def checked(definition: str) -> list[str]:
    """The steps whose requests were checked, those that run jobs and those that register."""
    check(definition)
    operations, found = JOBS | {"RegisterModel": "CreateModelPackage"}, []
    for step in every_step(json.loads(definition)["Steps"]):
        if step["Type"] in operations:
            noun = operations[step["Type"]].removeprefix("Create")
            request = filled(step["Arguments"]) | ({f"{noun}Name": "a"} if step["Type"] in JOBS else {})
            constraints.check(operations[step["Type"]], request)
            found.append(step["Name"])
    return sorted(found, key=["Prepare", "Train", "Tune", "Evaluate", "Register", "RegisterAboveBudget"].index)


def filled(value: Any, member: str = "") -> Any:
    """A request with something in place of every expression."""
    if isinstance(value, dict):
        if len(value) == 1 and next(iter(value)) in ("Get", "Std:Join", "Std:JsonGet"):
            return KNOWN_LATER.get(member, "s3://bucket/key")
        return {name: filled(inner, name) for name, inner in value.items()}
    return [filled(inner, member) for inner in value] if isinstance(value, list) else value


def test_every_job_is_cached_capped_and_retried(committed: dict[str, Any]) -> None:
    jobs = [step for step in every_step(committed["Steps"]) if step["Type"] in JOBS]
    assert [step["Name"] for step in jobs] == ["Prepare", "Train", "Evaluate"]
    for step in jobs:
        assert step["CacheConfig"] == {"Enabled": True, "ExpireAfter": "P30D"}
        assert step["Arguments"]["StoppingCondition"]["MaxRuntimeInSeconds"] <= 3600
        retried = {kind for policy in step["RetryPolicies"] for kind in policy["ExceptionType"]}
        assert retried == {
            *("Step.SERVICE_FAULT", "Step.THROTTLING", "SageMaker.JOB_INTERNAL_ERROR"),
            *("SageMaker.CAPACITY_ERROR", "SageMaker.RESOURCE_LIMIT"),
        }
        for policy in step["RetryPolicies"]:
            assert ("MaxAttempts" in policy) != ("ExpireAfterMin" in policy)


def test_nothing_that_only_one_execution_has_decides_a_step(committed: dict[str, Any]) -> None:
    """It would never be found in the cache."""
    from sustainable_mlops.aws import step_cache

    for step in committed["Steps"]:
        for member in step_cache.CACHE_KEY_ARGUMENTS.get(step["Type"], ()):
            assert "Execution." not in json.dumps(step["Arguments"].get(member))


def test_only_a_person_approves(committed: dict[str, Any]) -> None:
    registered = [step for step in every_step(committed["Steps"]) if step["Type"] == "RegisterModel"]
    assert {step["Arguments"]["ModelApprovalStatus"] for step in registered} == {"PendingManualApproval"}
    assert len(registered) == 2
