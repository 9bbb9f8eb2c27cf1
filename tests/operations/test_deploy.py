"""`smlops deploy`: the kind follows what callers accept, the settings what is chosen, and an apply what is reviewed."""

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command

from envs import settings
from envs.settings import Settings
from sustainable_mlops.advice import Need
from sustainable_mlops.commands.deploy import app
from sustainable_mlops.errors import UserError
from sustainable_mlops.operations.deploy import entry, run
from sustainable_mlops.operations.deploy.choice import Choice, by_file, by_need
from sustainable_mlops.plan import load
from sustainable_mlops.recommendation.subject import Specification, Subject
from sustainable_mlops.review import review
from sustainable_mlops.sandbox import Sandbox
from sustainable_mlops.terraform import ROOT
from tests.clone import clone, set_up
from tests.jobs.interrupts import INTERRUPTED
from tests.sandbox.hosting_support import Deploying
from tests.sandbox.support import IMAGE, make_role, until

GRAVITON = "662702820516.dkr.ecr.eu-north-1.amazonaws.com/sagemaker-scikit-learn:1.0-1-arm64"
BOTH = (Specification(None, "x86", (IMAGE,)), Specification("graviton", "graviton", (GRAVITON,)))
SUBJECT = Subject("arn:aws:sagemaker:eu-north-1:123456789012:model-package/flights/3", True, BOTH, 50.0, {})
ENTRY = ROOT / "envs" / "catalogue" / "models" / "flight_delay.yaml"
SERVERLESS = Choice("serverless_endpoint", {"memory_mb": 1024, "max_concurrency": 2}, "")
REALTIME = Choice("realtime_endpoint", {"latency_slo_ms": 200, "deployment": {"strategy": "canary"}}, "")


def need(**changes: Any) -> Need:
    return Need(**{"region": "eu-north-1", "requests_per_day": 5_000.0, "provider": 5, **changes})


@pytest.mark.parametrize(
    ("changes", "module", "said"),
    [
        ({}, "serverless_endpoint", {"memory_mb": 1024, "max_concurrency": 1}),
        ({"requests_per_day": 4e6}, "serverless_endpoint", {"memory_mb": 1024, "max_concurrency": 28}),
        ({"latency": 150}, "realtime_endpoint", {"latency_slo_ms": 150, "min_instances": 2}),
        ({"latency": "minutes", "payload_kb": 50_000.0}, "async_endpoint", {"max_instances": 1}),
    ],
)
def test_the_kind_follows_what_callers_accept(changes: dict[str, Any], module: str, said: dict[str, Any]) -> None:
    latency = changes.get("latency")
    choice = by_need(SUBJECT, need(**changes, duration_s=0.1 if latency == 150 else 0.2), latency)
    assert choice.module == module
    assert said.items() <= choice.inputs.items()
    whole = settings.load(ROOT / "envs" / "dev").model_dump(exclude_unset=True)
    Settings.model_validate({**whole, "models": {"flight_delay": {"description": "?", module: dict(choice.inputs)}}})


def test_the_silicon_is_one_that_the_package_has_an_image_for() -> None:
    wanted = need(latency=150.0, duration_s=0.1)
    for one in BOTH:
        alone = Subject(SUBJECT.name, True, (one,), 50.0, {})
        choice = by_need(alone, wanted, 150)
        assert choice.inputs["silicon"] == one.silicon
        assert choice.inputs.get("inference_specification_name") == one.name
    arm = Subject(SUBJECT.name, True, BOTH[1:], 50.0, {})
    assert by_need(arm, need(), None).module == "realtime_endpoint", "serverless has no Graviton"
    with pytest.raises(UserError, match="has images for graviton, and what serves this need is real-time on GPU"):
        by_need(arm, need(accelerator="gpu", latency=150.0, duration_s=0.1), 150)
    with pytest.raises(UserError, match="nothing serves this need: "):
        by_need(arm, need(duration_s=9_999.0), None)


@pytest.mark.parametrize("choice", [SERVERLESS, REALTIME], ids=lambda choice: choice.module)
def test_only_how_a_model_is_served_changes_in_its_entry(choice: Choice) -> None:
    text = f"{ENTRY.read_text()}# who asks for it\nreader_account_ids: ['111111111111']\n"
    after = entry.edited(text, choice)
    assert yaml.safe_load(after) == {
        "description": yaml.safe_load(text)["description"],
        "reader_account_ids": ["111111111111"],
        choice.module: dict(choice.inputs),
    }
    assert after.startswith(text[: text.index("serverless_endpoint")])
    assert "# who asks for it\nreader_account_ids: ['111111111111']\n" in after
    assert entry.edited(after, choice) == after
    assert yaml.safe_load(entry.edited(after, SERVERLESS)).keys() == {
        "description",
        "reader_account_ids",
        "serverless_endpoint",
    }


def test_what_recommend_wrote_is_taken_and_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "inputs.yaml"
    file.write_text("serverless_endpoint:\n  memory_mb: 1024\n  max_concurrency: 2\n")
    assert by_file(file).inputs == SERVERLESS.inputs
    for text in ("endpoint: {}", "serverless_endpoint: 1", "serverless_endpoint: {}\nasync_endpoint: {}", ""):
        file.write_text(text)
        with pytest.raises(UserError, match="must say one of serverless_endpoint, realtime_endpoint, async_endpoint"):
            by_file(file)


class Clone:
    """A clone whose only environment is dev, its state beside it, on the sandbox."""

    def __init__(self, folder: Path, sandbox: Sandbox) -> None:
        self.folder = clone(folder)
        self.environment = {**set_up(self.folder), **sandbox.environment}
        for other in ("staging", "prod"):
            shutil.rmtree(self.folder / "envs" / other)
        dev = self.folder / "envs" / "dev"
        (dev / "backend_override.tf").write_text('terraform {\n  backend "local" {}\n}\n')
        self.run("sustainable_mlops.terraform", 'Terraform(Path("envs/dev")).init()')

    def run(self, module: str, code: str) -> None:
        """Run a line of Python in it."""
        text = f"from pathlib import Path\nfrom {module} import *\n{code}"
        subprocess.run([sys.executable, "-c", text], cwd=self.folder, env=self.environment, check=True)

    def interrupted(self, *arguments: str, when: Callable[[str], object]) -> str:
        """What a deployment says that Ctrl-C at a terminal ends, once `when` is true of what it has said so far."""
        command = [sys.executable, "scripts/deploy.py", "flight_delay", *arguments]
        said = self.folder / "said"
        with said.open("w") as stderr:
            process = subprocess.Popen(
                command,
                cwd=self.folder,
                env=self.environment | {"COLUMNS": "300"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
                start_new_session=True,
            )
        until(lambda: when(said.read_text()), seconds=300)
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait() == INTERRUPTED, said.read_text()
        assert "Traceback" not in said.read_text()
        return said.read_text().splitlines()[-1]

    def deploy(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "scripts/deploy.py", "flight_delay", *arguments]
        return subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment | {"COLUMNS": "300"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def dev(sandbox: Sandbox, tmp_path: Path) -> Iterator[Clone]:
    made = Clone(tmp_path / "clone", sandbox)
    yield made
    made.run("sustainable_mlops.operations.teardown", 'destroy(environment(Path("envs/dev")), refresh=False)')


@pytest.fixture
def package(sandbox: Sandbox) -> str:
    """A package that is approved, of a model that answers."""
    make_role(sandbox)
    name = f"deploy-{os.getpid()}"
    sandbox.client("s3").create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-north-1"})
    script = 'def model_fn(d): return None\ndef transform_fn(m, data, c, a): return "late", "text/csv"\n'
    container = Deploying(sandbox, name, lambda start: f"{start}-{name}").container(script)
    sagemaker = sandbox.client("sagemaker")
    sagemaker.create_model_package_group(ModelPackageGroupName=name)
    found = sagemaker.create_model_package(
        ModelPackageGroupName=name,
        ModelApprovalStatus="Approved",
        InferenceSpecification={
            "Containers": [container],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
    )
    return str(found["ModelPackageArn"])


@pytest.mark.apply
def test_a_model_is_written_planned_reviewed_applied_and_answers(dev: Clone, package: str, sandbox: Sandbox) -> None:
    """And the same command again changes nothing; another one goes on where Ctrl-C ended it."""
    command = ("--package", package, "--requests-per-day", "700000", "--duration", "0.5")
    asked = dev.deploy(*command)
    assert (asked.returncode, asked.stderr) == (
        2,
        "error: deploy: there is no terminal to ask on; --yes applies, --no-apply stops after the review\n",
    )
    done = dev.deploy(*command, "--yes")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "smlops-dev-flight-delay\n"
    assert [line.split("✓ ")[1][:34].strip() for line in done.stderr.splitlines() if "✓ " in line] == [
        "Find the package",
        "Write the settings",
        "Write their Terraform",
        "Plan",
        "Review the plan",
        "Apply the plan",
        "Look at the endpoint",
    ]
    said = yaml.safe_load((dev.folder / "envs/catalogue/models/flight_delay.yaml").read_text())
    assert said["serverless_endpoint"] == {"memory_mb": 1024, "max_concurrency": 13}
    packages = json.loads((dev.folder / "envs/dev/models.auto.tfvars.json").read_text())
    assert packages == {"model_packages": {"flight_delay": package}}
    assert "envs/dev" in (dev.folder / "out/deploy/dev.md").read_text()
    answer = sandbox.client("sagemaker-runtime").invoke_endpoint(
        EndpointName="smlops-dev-flight-delay", Body=b"1,2", ContentType="text/csv"
    )
    assert answer["Body"].read() == b"late"
    again = dev.deploy(*command, "--no-apply")
    assert again.returncode == 0, again.stderr
    for told in ("they say so already", "0 files written", "0 changes"):
        assert told in again.stderr
    _change_and_interrupt(dev, sandbox, package)


def _change_and_interrupt(dev: Clone, sandbox: Sandbox, package: str) -> None:
    """Another load, in the middle of writing and of applying; what is told to go on does so."""
    command = ("--package", package, "--requests-per-day", "100000", "--duration", "0.5", "--yes")
    to_go_on = f"To go on: scripts/deploy.py {shlex.join(['flight_delay', *command])}"
    sagemaker, name = sandbox.client("sagemaker"), "smlops-dev-flight-delay"
    unapplied = dev.interrupted(*command, when=lambda said: "Write the settings" in said)
    assert unapplied == f"Interrupted: envs/dev is as it was before, but for its files here. {to_go_on}"
    assert list((dev.folder / "envs").rglob("*.partial")) == []

    def configurations() -> list[str]:
        found = sagemaker.list_endpoint_configs(NameContains=name)["EndpointConfigs"]
        return [one["EndpointConfigName"] for one in found]

    applied = dev.interrupted(*command, when=lambda _: len(configurations()) == 2)
    assert applied == f"Interrupted: envs/dev may be changed in part. {to_go_on}"
    assert not (dev.folder / "envs" / "dev" / ".terraform.tfstate.lock.info").exists()
    done = dev.deploy(*command)
    assert done.returncode == 0, done.stderr
    (configuration,) = configurations()
    served = sagemaker.describe_endpoint(EndpointName=name)
    assert (served["EndpointConfigName"], served["EndpointStatus"]) == (configuration, "InService")
    (variant,) = sagemaker.describe_endpoint_config(EndpointConfigName=configuration)["ProductionVariants"]
    assert variant["ServerlessConfig"]["MaxConcurrency"] == 2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--environment", "production"], "--environment: no environment is called production"),
        (["--latency", "9"], "envs/dev/settings.yaml: tags.latency_slo: cold_start: callers can wait"),
        (["--requests-per-day", "-1"], "requests_per_day: -1 must be more than 0"),
        (["--inputs", "none.yaml"], "none.yaml: no such file"),
        (["--package", "arn:aws:sagemaker:eu-north-1:123456789012:model-package/none/1"], "model package arn:"),
        (
            ["--environment", "staging"],
            "platform: there is no SSM parameter /sustainable-mlops/staging/platform in eu-west-3; apply the",
        ),
    ],
)
def test_bad_input_is_one_line_and_changes_nothing(arguments: list[str], message: str, sandbox: Sandbox) -> None:
    command = [sys.executable, "scripts/deploy.py", "flight_delay", "--no-apply", *arguments]
    environment = os.environ | sandbox.environment | {"PYTHONPATH": str(ROOT)}
    before = ENTRY.read_bytes()
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    lines = [line for line in done.stderr.splitlines() if not line.startswith("✗")]
    assert (done.returncode, done.stdout) == (2, "")
    assert lines[0].startswith(f"error: {message}"), lines
    assert ENTRY.read_bytes() == before


def test_what_the_review_stops_is_not_applied(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The plan of a change that widens privileges and puts data at risk."""
    reviewed = review(load(ROOT / "tests" / "plan" / "fixtures" / "change.json"))
    assert reviewed.exit_code == 1
    applied: list[int] = []
    for name, does in {
        "write": lambda *_: None,
        "plan": lambda _: (reviewed, {"a": ["create"]}),
        "apply": lambda _, total: applied.append(total),
    }.items():
        monkeypatch.setattr(run.Deployment, name, does)
    monkeypatch.setattr(run, "find_package", lambda *_: SUBJECT)
    with pytest.raises(SystemExit) as ended:
        get_command(app)(["flight_delay", "--yes"], prog_name="smlops deploy")
    assert (ended.value.code, applied) == (1, [])
    said = capsys.readouterr().err
    assert "The review stops this plan; nothing is applied." in said
    assert "data: " in said
