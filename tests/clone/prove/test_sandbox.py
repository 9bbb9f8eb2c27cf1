"""`smlops prove` on the sandbox: from start to end, and ended early, with nothing left either way."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from clone.prove.checks import check_runner
from clone.prove.checks.registry import CHECKS
from clone.prove.settings import MODULES, RUNS
from sagemaker_sandbox import Sandbox
from sustainable_mlops.base.terraform import ROOT
from tests.provider import SANDBOX_LOGS, serving

pytestmark = pytest.mark.apply

#: Seconds that pass in the sandbox in one second of this computer: deployments are watched for minutes.
TIME_SCALE = 60
#: A request lasts for longer than the sandbox takes to scale in, by the time of this computer.
LONG_REQUEST = 17
ENDPOINTS = ("serverless_endpoint", "async_endpoint", "realtime_endpoint")
#: A log group that SageMaker creates with the first job of an account.
LOG_GROUP = "/aws/sagemaker/TrainingJobs"
#: Most characters of an issue on GitHub.
LONGEST_PAGE = 65_536
STEPS = ("second_plan_empty", "used", "changed", "destroyed", "nothing_left")


@pytest.fixture
def account(tmp_path: Path) -> Iterator[tuple[Sandbox, dict[str, str]]]:
    """Start an empty account on the sandbox, and yield it with its environment variables."""
    SANDBOX_LOGS.append(tmp_path / "sandbox.log")
    with (
        Sandbox.start(log=SANDBOX_LOGS[-1], time_scale=TIME_SCALE) as sandbox,
        serving(sandbox.process_environment()) as provider,
    ):
        yield sandbox, sandbox.process_environment() | {"TF_REATTACH_PROVIDERS": provider}


def start(variables: dict[str, str], *arguments: str) -> subprocess.Popen[str]:
    """Start `smlops prove` as a person does."""
    continues = {"--clean", "--resume"} & set(arguments)
    where = [] if continues else ["--account", "123456789012", "--region", "eu-north-1"]
    command = [sys.executable, str(ROOT / "scripts" / "smlops.py"), "prove", *where, *arguments]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, env=variables, text=True, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe)


def read_until(process: subprocess.Popen[str], text: str) -> str:
    """Return the output of the process up to a line with this text."""
    output = ""
    for line in process.stderr or ():
        output += line
        if text in line:
            return output
    pytest.fail(f"no line contains {text!r}: {output}")


def find_run_name(output: str) -> str:
    """Return the name of the run."""
    return str(re.findall(r"prove-[a-z0-9]{6}", output)[0])


@pytest.mark.release
def test_all_modules_are_proved_from_start_to_end_and_nothing_is_left(
    account: tuple[Sandbox, dict[str, str]],
) -> None:
    sandbox, variables = account
    process = start(variables, "--yes", "--json", "--long-request-seconds", str(LONG_REQUEST), "--all")
    out, errors = process.communicate()
    assert out, errors
    proof = json.loads(out)
    assert sandbox.inventory() == {}, errors
    assert proof["left"] == []
    assert proof["account"] == "xxxxxxxx9012"
    assert "123456789012" not in out

    slow = {f"check-{name}" for name in check_runner.list_slow_checks()}
    modules = {one["module"]: one for one in proof["modules"] if one["module"] not in slow}
    assert set(modules) == set(MODULES)
    assert {one["module"]: one["nothing_left"] for one in proof["modules"] if one["module"] in slow} == dict.fromkeys(
        slow, True
    )
    for name, one in modules.items():
        assert [one["error"], *(one[step] for step in STEPS)] == ["", *[True] * len(STEPS)], (name, one)
        assert one["rolled_back"] is (True if name in ENDPOINTS else None), (name, one)

    checks = {one["name"]: one for one in proof["checks"]}
    assert {name: one["text"] for name, one in checks.items() if one["verdict"] != "yes"} == {}
    assert set(checks) == set(CHECKS)
    assert all(one["requests"] and all(request["id"] for request in one["requests"]) for one in checks.values())
    assert (process.returncode, proof["result"]) == (0, "passed")

    page = (RUNS / proof["run"] / "proof.md").read_text()
    assert len(page) < LONGEST_PAGE
    assert "123456789012" not in page
    assert re.search(r"^\| AWS provider \| \d+\.\d+\.\d+ \|$", page, re.M)
    for name in (*modules, *checks):
        assert f"| {name} | " in page
    for name in (*modules, *slow):
        assert f"<details><summary>{name}: passed</summary>" in page


@pytest.mark.release
def test_independent_modules_are_proved_at_the_same_time_and_a_run_continues_after_an_interruption(
    account: tuple[Sandbox, dict[str, str]],
) -> None:
    sandbox, variables = account
    process = start(variables, "--yes", "--module", "footprint")
    output = read_until(process, "Every name starts with")
    name = find_run_name(output)
    output += read_until(process, "✓ footprint: nothing left")
    process.send_signal(signal.SIGINT)
    output += process.communicate()[1]
    assert process.returncode == 130, output
    assert f"smlops prove --resume {name}" in output
    assert output.index(". footprint: apply") < output.index("✓ storage: apply"), "both are applied at the same time"
    assert sandbox.inventory() == {}

    resumed = start(variables, "--resume", name, "--yes", "--json")
    out, errors = resumed.communicate()
    assert resumed.returncode == 0, errors
    assert "footprint: passed before; not repeated" in errors
    assert "footprint: apply" not in errors
    proof = json.loads(out)
    assert {one["module"]: one["nothing_left"] for one in proof["modules"]} == dict.fromkeys(
        ("storage", "access", "footprint"), True
    )
    assert (proof["result"], proof["interruption"], proof["left"]) == ("passed", "", [])
    assert sandbox.inventory() == {}
    page = (RUNS / name / "proof.md").read_text()
    assert "<details><summary>footprint: passed</summary>" in page


@pytest.mark.release
def test_an_interruption_in_the_middle_of_an_apply_leaves_nothing_however_often_it_is_repeated(
    account: tuple[Sandbox, dict[str, str]],
) -> None:
    sandbox, variables = account
    process = start(variables, "--yes")
    read_until(process, "Every name starts with")
    deadline = time.monotonic() + 120
    while "bucket" not in sandbox.inventory().get("s3", {}) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert sandbox.inventory()["s3"]["bucket"], "the apply is in its middle"
    process.send_signal(signal.SIGINT)
    output = read_until(process, "Ctrl-C: cleaning up")
    process.send_signal(signal.SIGINT)
    _, rest = process.communicate()
    assert process.returncode == 130, output + rest
    assert "cleanup is in progress" in rest
    assert "no resource of prove-" in rest
    assert sandbox.inventory() == {}


def is_executing(sandbox: Sandbox) -> bool:
    """Return whether a pipeline has an active execution."""
    sagemaker = sandbox.client("sagemaker")
    for pipeline in sagemaker.list_pipelines()["PipelineSummaries"]:
        executions = sagemaker.list_pipeline_executions(PipelineName=pipeline["PipelineName"])
        if "Executing" in {one["PipelineExecutionStatus"] for one in executions["PipelineExecutionSummaries"]}:
            return True
    return False


@pytest.mark.release
def test_an_interruption_during_an_execution_leaves_nothing(
    account: tuple[Sandbox, dict[str, str]],
) -> None:
    sandbox, variables = account
    # The job runs until the cleanup stops it.
    sandbox.fault("CreateProcessingJob", status_delay=600)
    process = start(variables, "--yes", "--module", "pipeline")
    read_until(process, "Every name starts with")
    deadline = time.monotonic() + 240
    while not is_executing(sandbox) and time.monotonic() < deadline:
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    errors = process.communicate()[1]
    assert process.returncode == 130, errors
    assert "no resource of prove-" in errors
    assert "terraform destroy failed" not in errors
    assert sandbox.inventory() == {}


@pytest.mark.release
def test_a_run_that_was_killed_is_taken_down_by_clean(account: tuple[Sandbox, dict[str, str]]) -> None:
    sandbox, variables = account
    sandbox.client("logs").create_log_group(logGroupName=LOG_GROUP)
    process = start(variables, "--yes", "--module", "model_registry")
    name = find_run_name(read_until(process, "Every name starts with"))
    # As much as a computer that lost its power may have left: a state, and an endpoint that no state has.
    deadline = time.monotonic() + 120
    while "bucket" not in sandbox.inventory().get("s3", {}) and time.monotonic() < deadline:
        time.sleep(0.2)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    sandbox.client("sqs").create_queue(QueueName=f"{name}-straggler")
    sandbox.client("sqs").create_queue(QueueName="of-somebody-else")

    cleaning = start(variables, "--clean", name)
    _, errors = cleaning.communicate()
    assert cleaning.returncode == 0, errors
    assert f"deleted queue {sandbox.endpoint}/123456789012/{name}-straggler" in errors
    assert sandbox.inventory() == {
        "logs": {"log group": [LOG_GROUP]},
        "sqs": {"queue": [f"{sandbox.endpoint}/123456789012/of-somebody-else"]},
    }


def test_the_cap_in_minutes_ends_a_run_with_clean_up_and_exit_code_1(
    account: tuple[Sandbox, dict[str, str]],
) -> None:
    sandbox, variables = account
    process = start(variables, "--yes", "--json", "--cap-minutes", "0.15")
    out, errors = process.communicate()
    assert process.returncode == 1, errors
    proof: dict[str, Any] = json.loads(out)
    assert proof["interruption"] == "the run reached the cap of 0.15 minutes"
    assert (proof["result"], proof["left"]) == ("failed", [])
    assert {one["verdict"] for one in proof["checks"]} == {"not tried"}
    assert sandbox.inventory() == {}
