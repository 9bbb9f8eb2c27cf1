"""The pipeline's definition: reproducible, valid, and with cache, caps and retries in every job step."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sagemaker_sandbox.pipelines.checks import check_definition
from sustainable_mlops.aws import constraints
from sustainable_mlops.base.settings import load_yaml
from sustainable_mlops.base.terraform import ROOT
from sustainable_mlops.jobs.pipelines import factors
from sustainable_mlops.jobs.specs.pipeline import PipelineSpec
from tests.stale_files import suggest_update

WORKLOAD = ROOT / "workloads" / "flight_delay"
JOBS = {"Processing": "CreateProcessingJob", "Training": "CreateTrainingJob", "Tuning": "CreateHyperParameterTuningJob"}
#: Values in place of references, as CreateX receives them.
REFERENCE_VALUES = {
    "RoleArn": "arn:aws:iam::123456789012:role/a",
    "ModelPackageGroupName": "flights",
    "InstanceType": "ml.m7i.large",
    "S3Uri": "s3://bucket/key",
}

#: Program that builds the definition without a network; it also reports calls whose failure was caught.
OFFLINE_PROGRAM = """
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
def committed_definition() -> dict[str, Any]:
    """Return the definition in the repository."""
    document: dict[str, Any] = json.loads((WORKLOAD / "pipeline.json").read_text())
    return document


def iterate_steps(steps: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield the steps of the definition, also those in branches."""
    for step in steps:
        yield step
        for branch in ("IfSteps", "ElseSteps"):
            yield from iterate_steps(step["Arguments"].get(branch, []))


@pytest.mark.slow
def test_the_definition_is_reproducible_and_needs_no_network(tmp_path: Path) -> None:
    definitions = []
    for number in (1, 2):
        home = tmp_path / f"home-{number}"
        home.mkdir()
        environment = {"PATH": os.environ["PATH"], "HOME": str(home), "PYTHONHASHSEED": str(number)}
        program = [sys.executable, "-c", OFFLINE_PROGRAM, str(ROOT)]
        completed = subprocess.run(program, capture_output=True, text=True, check=False, env=environment, cwd=home)
        assert completed.returncode == 0, completed.stderr[-2000:]
        definitions.append(completed.stdout)
    assert definitions[0] == definitions[1]
    assert definitions[0] == (WORKLOAD / "pipeline.json").read_text(), suggest_update(
        ".venv/bin/python workloads/flight_delay/pipeline.py"
    )


def test_the_factors_come_from_the_footprint_model() -> None:
    types = load_yaml(WORKLOAD / "pipeline.yaml", PipelineSpec).instance_types
    assert (WORKLOAD / "factors.json").read_text() == factors.render_factors(types, volume_gb=10), suggest_update(
        ".venv/bin/python workloads/flight_delay/pipeline.py"
    )


def test_the_definition_is_valid(committed_definition: dict[str, Any]) -> None:
    """Check form and references, and each job against the service model."""
    assert validate_requests(json.dumps(committed_definition)) == [
        "Prepare",
        "Train",
        "Evaluate",
        "Register",
        "RegisterAboveBudget",
    ]


@pytest.mark.slow
def test_the_pipeline_file_can_name_a_tuning(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from workloads.flight_delay import pipeline

    folder = tmp_path / "flight_delay"
    shutil.copytree(WORKLOAD, folder, ignore=shutil.ignore_patterns("__pycache__"))
    file = folder / "pipeline.yaml"
    file.write_text(file.read_text().replace("train: job.yaml", "tune: tune.yaml"))
    monkeypatch.setattr(pipeline, "HERE", folder)
    definition = pipeline.build_definition()
    assert validate_requests(definition) == ["Prepare", "Tune", "Evaluate", "Register", "RegisterAboveBudget"]
    search = next(step for step in json.loads(definition)["Steps"] if step["Name"] == "Tune")
    exception_types = {kind for policy in search["RetryPolicies"] for kind in policy["ExceptionType"]}
    assert "SageMaker.JOB_INTERNAL_ERROR" not in exception_types  # tuning retries its own jobs


def validate_requests(definition: str) -> list[str]:
    """Validate the requests of the steps that run jobs or register; return their names."""
    check_definition(definition)
    operations, names = JOBS | {"RegisterModel": "CreateModelPackage"}, []
    for step in iterate_steps(json.loads(definition)["Steps"]):
        if step["Type"] in operations:
            noun = operations[step["Type"]].removeprefix("Create")
            request = fill_references(step["Arguments"]) | ({f"{noun}Name": "a"} if step["Type"] in JOBS else {})
            constraints.check(operations[step["Type"]], request)
            names.append(step["Name"])
    return sorted(names, key=["Drift", "Prepare", "Train", "Tune", "Evaluate", "Register", "RegisterAboveBudget"].index)


def fill_references(value: Any, member: str = "") -> Any:
    """Return a request with a value in place of every expression."""
    if isinstance(value, dict):
        if len(value) == 1 and next(iter(value)) in ("Get", "Std:Join", "Std:JsonGet"):
            return REFERENCE_VALUES.get(member, "s3://bucket/key")
        return {name: fill_references(inner, name) for name, inner in value.items()}
    return [fill_references(inner, member) for inner in value] if isinstance(value, list) else value


def test_every_job_is_cached_capped_and_retried(committed_definition: dict[str, Any]) -> None:
    jobs = [step for step in iterate_steps(committed_definition["Steps"]) if step["Type"] in JOBS]
    assert [step["Name"] for step in jobs] == ["Prepare", "Train", "Evaluate"]
    for step in jobs:
        assert step["CacheConfig"] == {"Enabled": True, "ExpireAfter": "P30D"}
        assert step["Arguments"]["StoppingCondition"]["MaxRuntimeInSeconds"] <= 3600
        exception_types = {kind for policy in step["RetryPolicies"] for kind in policy["ExceptionType"]}
        assert exception_types == {
            *("Step.SERVICE_FAULT", "Step.THROTTLING", "SageMaker.JOB_INTERNAL_ERROR"),
            *("SageMaker.CAPACITY_ERROR", "SageMaker.RESOURCE_LIMIT"),
        }
        for policy in step["RetryPolicies"]:
            assert ("MaxAttempts" in policy) != ("ExpireAfterMin" in policy)


def test_no_cached_step_depends_on_a_single_execution(committed_definition: dict[str, Any]) -> None:
    """Such a step would never be found in the cache."""
    from sustainable_mlops.aws import step_cache

    for step in committed_definition["Steps"]:
        for member in step_cache.CACHE_KEY_ARGUMENTS.get(step["Type"], ()):
            assert "Execution." not in json.dumps(step["Arguments"].get(member))


def test_only_a_person_approves(committed_definition: dict[str, Any]) -> None:
    registrations = [step for step in iterate_steps(committed_definition["Steps"]) if step["Type"] == "RegisterModel"]
    assert {step["Arguments"]["ModelApprovalStatus"] for step in registrations} == {"PendingManualApproval"}
    assert len(registrations) == 2
    (train,) = (step for step in committed_definition["Steps"] if step["Name"] == "Train")
    for step in registrations:
        metadata = step["Arguments"]["CustomerMetadataProperties"]
        assert metadata["source_digest"] in json.dumps(train)
