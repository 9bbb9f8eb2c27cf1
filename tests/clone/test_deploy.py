"""Tests of `smlops deploy`."""

import io
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, nullcontext, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
import yaml
from rich.console import Console
from typer.main import get_command

from clone import synth
from clone.commands.deploy import app
from clone.deploy import entry, load, run
from clone.deploy.choice import Choice, check_images, choose_endpoint, describe_option, read_choice
from envs import settings
from envs.settings import EnvironmentSettings
from modules.realtime_endpoint import inputs as realtime_endpoint
from modules.serverless_endpoint import inputs as serverless_endpoint
from sagemaker_sandbox import Sandbox
from sustainable_mlops.advice import ServingRequirements, defaults, make_advice
from sustainable_mlops.advice.recommendation import model_under_test
from sustainable_mlops.advice.recommendation.model_under_test import ModelUnderTest, ServingSpecification
from sustainable_mlops.aws import AccountClients, Clients
from sustainable_mlops.base import program
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.steps import Steps
from sustainable_mlops.base.terraform import ROOT
from sustainable_mlops.catalogue.quotas import find_serverless_concurrency
from sustainable_mlops.footprint import format_number
from sustainable_mlops.footprint.usage import read_usage
from sustainable_mlops.plan import Plan
from sustainable_mlops.plan import load as load_plan
from sustainable_mlops.review import review
from tests.cases import check_cases
from tests.cloned_repository import clone, set_up
from tests.envs import example
from tests.footprint.plans import ENDPOINT, build_endpoint_plan, serverless, variant
from tests.jobs.interrupts import INTERRUPTED
from tests.plan.plan_builder import build_plan
from tests.sandbox.hosting_support import EndpointDeployer
from tests.sandbox.support import IMAGE, make_role, wait_until

GRAVITON = "662702820516.dkr.ecr.eu-north-1.amazonaws.com/sagemaker-scikit-learn:1.0-1-arm64"
BOTH = (ServingSpecification(None, "x86", (IMAGE,)), ServingSpecification("graviton", "graviton", (GRAVITON,)))
SUBJECT = ModelUnderTest("arn:aws:sagemaker:eu-north-1:123456789012:model-package/flights/3", True, BOTH, 50.0, {})
ENTRY = ROOT / "envs" / "catalogue" / "models" / "flight_delay.yaml"
SERVERLESS = Choice("serverless_endpoint", {"memory_mb": 1024, "max_concurrency": 2}, "")
REALTIME = Choice("realtime_endpoint", {"latency_slo_ms": 200, "deployment": {"strategy": "canary"}}, "")


def make_requirements(**changes: Any) -> ServingRequirements:
    return ServingRequirements(**{"region": "eu-north-1", "requests_per_day": 5_000.0, "provider": 5, **changes})


@check_cases(
    ("changes", "module", "inputs"),
    [
        ({}, "serverless_endpoint", {"memory_mb": 1024, "max_concurrency": 5}),
        ({"requests_per_day": 4e6}, "serverless_endpoint", {"memory_mb": 1024, "max_concurrency": 48}),
        ({"latency": 150}, "realtime_endpoint", {"latency_slo_ms": 150, "min_instances": 2}),
        ({"latency": "minutes", "payload_kb": 50_000.0}, "async_endpoint", {"max_instances": 1}),
    ],
)
def test_the_kind_of_endpoint_follows_from_the_latency_slo(
    changes: dict[str, Any], module: str, inputs: dict[str, Any]
) -> None:
    latency = changes.get("latency")
    choice = choose_endpoint(SUBJECT, make_requirements(**changes, duration_s=0.1 if latency == 150 else 0.2), latency)
    assert choice.module == module
    assert inputs.items() <= choice.inputs.items()
    whole = example.load_dev()
    EnvironmentSettings.model_validate(
        {**whole, "models": {"flight_delay": {"description": "?", module: dict(choice.inputs)}}}
    )


def test_the_silicon_is_one_that_the_package_has_an_image_for() -> None:
    gpu_requirements = make_requirements(latency=150.0, duration_s=0.1)
    for one in BOTH:
        alone = ModelUnderTest(SUBJECT.name, True, (one,), 50.0, {})
        choice = choose_endpoint(alone, gpu_requirements, 150)
        assert choice.inputs["silicon"] == one.silicon
        assert choice.inputs.get("inference_specification_name") == one.name
    arm = ModelUnderTest(SUBJECT.name, True, BOTH[1:], 50.0, {})
    assert choose_endpoint(arm, make_requirements(), None).module == "realtime_endpoint", "serverless has no Graviton"
    with pytest.raises(UserError, match="has images for graviton, but these requirements allow only real-time on GPU"):
        choose_endpoint(arm, make_requirements(accelerator="gpu", latency=150.0, duration_s=0.1), 150)
    with pytest.raises(
        UserError,
        match=r"no endpoint meets these requirements: serverless: .*; real-time: a request takes 200 ms, more",
    ):
        choose_endpoint(SUBJECT, make_requirements(latency=50.0), 50)


def test_figures_of_an_endpoint_cover_its_two_instances() -> None:
    gpu_requirements = make_requirements(latency=150.0, duration_s=0.1)
    choice = choose_endpoint(SUBJECT, gpu_requirements, 150)
    assert choice.inputs["min_instances"] == 2
    best = make_advice(replace(gpu_requirements, zones=2)).options[0]
    option = load.estimate_endpoint(choice.module, choice.inputs, gpu_requirements)
    assert option is not None
    assert (option.title, option.estimate) == (best.title, best.estimate)
    assert format_number(best.estimate.figures["cost"].central) in describe_option(option)


def build_variant_plan(choice: Choice) -> Plan:
    """Return a plan of the endpoint of a choice, as its module declares it."""
    inputs = choice.inputs
    if choice.module == "serverless_endpoint":
        return build_plan(*build_endpoint_plan(serverless(inputs["memory_mb"], max_concurrency=200)))
    least = inputs.get("min_instances", 0)
    queue: dict[str, Any] = {"async_inference_config": [{"output_config": [{}]}]}
    more = queue if choice.module == "async_endpoint" else {}
    instances = variant(inputs["instance_type"], max(1, least))
    return build_plan(*build_endpoint_plan(instances, scaled=(least, inputs["max_instances"]), **more))


@check_cases("requests", [100.0, 10_000.0, 1e6])
@pytest.mark.parametrize(
    ("module", "changes"),
    [
        ("serverless_endpoint", {}),
        ("async_endpoint", {"latency": "minutes", "payload_kb": 50_000.0}),
        ("realtime_endpoint", {"latency": 150.0, "duration_s": 0.1}),
    ],
)
def test_the_review_has_the_figures_of_the_advice(
    module: str, changes: dict[str, Any], requests: float, tmp_path: Path
) -> None:
    load_requirements = make_requirements(region="us-east-1", requests_per_day=requests, **changes)
    choice = choose_endpoint(SUBJECT, load_requirements, 150 if module == "realtime_endpoint" else None)
    assert choice.module == module
    option = load.estimate_endpoint(module, choice.inputs, load_requirements)
    assert option is not None
    usage = tmp_path / "usage.yaml"
    usage.write_text(yaml.safe_dump(load.build_usage(ENDPOINT, option, load_requirements)))
    footprint = review(build_variant_plan(choice), usage=read_usage(usage)).footprint
    for metric in ("total", "cost"):
        advised, reviewed = option.estimate.figures[metric], footprint.delta.figures[metric]
        assert reviewed.central == pytest.approx(advised.central, rel=1e-9), metric
        assert reviewed.low <= advised.central <= reviewed.high


def test_an_instance_has_as_many_requests_as_its_accelerators_can_work_on() -> None:
    """Four that hold one model together work on one request, not on four."""
    gpu = ModelUnderTest(SUBJECT.name, True, (ServingSpecification(None, "gpu", (IMAGE,)),), 140_000.0, {})
    gpu_requirements = make_requirements(
        region="us-east-1", model_mb=140_000.0, accelerator="gpu", latency=9_000.0, duration_s=5.0
    )
    choice = choose_endpoint(gpu, gpu_requirements, 9_000)
    assert choice.inputs["instance_type"] == "ml.g6e.12xlarge"
    assert choice.inputs["requests_per_instance"] == 60 / 5 * 0.5


def test_serverless_takes_no_fewer_parallel_requests_than_its_module_by_default() -> None:
    from modules.serverless_endpoint.inputs import Inputs

    assert (
        choose_endpoint(SUBJECT, make_requirements(), None).inputs["max_concurrency"]
        == Inputs.model_fields["max_concurrency"].default
    )


def test_what_recommend_wrote_needs_an_image_of_the_package() -> None:
    check_images(SUBJECT, SERVERLESS)
    check_images(
        SUBJECT, Choice("async_endpoint", {"silicon": "graviton", "inference_specification_name": "graviton"}, "")
    )
    available = r"has images for x86 \(main specification\) and graviton \(graviton\), but none for gpu \(main"
    with pytest.raises(UserError, match=available):
        check_images(SUBJECT, Choice("realtime_endpoint", {"silicon": "gpu"}, ""))


@check_cases(
    ("tag", "types", "silicon", "is_accepted"),
    [
        ("1", (), "graviton", True),
        ("1", ("ml.c7i.large",), "graviton", False),
        ("1", (), "inferentia2", False),
        ("1-amd64", (), "gpu", True),
        ("1-amd64-arm64", (), "graviton", False),
    ],
)
def test_an_image_that_the_module_accepts_is_deployed(
    tag: str, types: tuple[str, ...], silicon: str, is_accepted: bool
) -> None:
    image = f"123456789012.dkr.ecr.eu-north-1.amazonaws.com/churn:{tag}"
    known: Any = "graviton" if "arm64" in tag else "x86"
    subject = replace(SUBJECT, specifications=(ServingSpecification(None, known, (image,), types),))
    with nullcontext() if is_accepted else pytest.raises(UserError, match=f"but none for {silicon} "):
        check_images(subject, Choice("realtime_endpoint", {"silicon": silicon}, ""))


#: An entry without an endpoint, with a comment and a field of a person.
PLAIN = "# churn\ndescription: d # why\n# readers\nreader_account_ids: ['111111111111']\n"


@pytest.mark.parametrize("choice", [SERVERLESS, REALTIME], ids=lambda choice: choice.module)
def test_an_advised_endpoint_is_added_and_replaced_later(choice: Choice) -> None:
    first = entry.edit_entry(PLAIN, choice)
    assert first.text.startswith(PLAIN)
    assert yaml.safe_load(first.text)[choice.module] == first.inputs == choice.inputs
    assert entry.edit_entry(first.text, choice).text == first.text
    assert entry.find_own_endpoint(first.text) == (None, {})
    spaced = first.text.replace(f"{choice.module}:\n", f"{choice.module}:\n\n  # why\n")
    assert entry.find_own_endpoint(spaced) == (None, {})
    assert entry.edit_entry(spaced, choice).text == spaced
    for other in (SERVERLESS, REALTIME, Choice("serverless_endpoint", {"memory_mb": 6144}, "")):
        edit = entry.edit_entry(first.text, other)
        assert yaml.safe_load(edit.text) == yaml.safe_load(PLAIN) | {other.module: dict(other.inputs)}
        assert edit.kept_values == {}


def test_a_deployment_keeps_the_values_comments_and_order_of_a_person() -> None:
    text = (
        "description: d\nserverless_endpoint: # scales to zero\n  # for the tokenizer\n  memory_mb: 2048 # measured\n"
        "  provisioned_concurrency:\n    min: 1 # office hours\n    max: 2\n  environment_variables: {A: b}\n"
        "# readers\nreader_account_ids: []\n"
    )
    edit = entry.edit_entry(text, SERVERLESS)
    assert [line for line in edit.text.splitlines() if "# advised" not in line] == text.splitlines()
    assert edit.kept_values == {"memory_mb": 2048}
    own = yaml.safe_load(text)["serverless_endpoint"]
    assert entry.find_own_endpoint(text) == entry.find_own_endpoint(edit.text) == ("serverless_endpoint", own)
    expected = yaml.safe_load(text)["serverless_endpoint"] | {"max_concurrency": 2}
    assert yaml.safe_load(edit.text)["serverless_endpoint"] == edit.inputs == expected
    more = entry.edit_entry(edit.text, Choice("serverless_endpoint", {"memory_mb": 1024, "max_concurrency": 9}, ""))
    assert more.text == edit.text.replace("max_concurrency: 2 # advised 2", "max_concurrency: 9 # advised 9")
    changed = edit.text.replace("max_concurrency: 2 ", "max_concurrency: 40 ")  # a person, who left the comment
    assert entry.edit_entry(changed, SERVERLESS).text == changed
    with pytest.raises(UserError, match="serverless_endpoint: you wrote this endpoint in the file, and the choice is"):
        entry.edit_entry(text, REALTIME)


def test_environment_variables_follow_the_model_to_another_kind_of_endpoint() -> None:
    advised = entry.edit_entry(PLAIN, SERVERLESS).text + "  environment_variables:\n    A: b # for all\n"
    edit = entry.edit_entry(advised, REALTIME)
    assert "  environment_variables:\n    A: b # for all\n" in edit.text
    assert yaml.safe_load(edit.text)["realtime_endpoint"] == {**REALTIME.inputs, "environment_variables": {"A": "b"}}


@check_cases(
    "text",
    [
        '"serverless_endpoint":\n  memory_mb: 2048\n',
        "serverless_endpoint: {memory_mb: 2048}\n",
        '{"description": "d", "serverless_endpoint": {"memory_mb": 2048}}\n',
    ],
)
def test_an_entry_that_cannot_be_changed_line_by_line_is_left_alone(text: str) -> None:
    with pytest.raises(UserError, match="serverless_endpoint: write each value on its own line"):
        entry.edit_entry(text, SERVERLESS)
    complete = '{"description": "d", "serverless_endpoint": {"memory_mb": 2048, "max_concurrency": 5}}\n'
    assert entry.edit_entry(complete, SERVERLESS).text == complete


def test_a_kind_of_endpoint_that_a_person_wrote_stays_if_it_meets_the_requirements() -> None:
    callers = make_requirements(latency="minutes")
    assert choose_endpoint(SUBJECT, callers, None).module == "serverless_endpoint"
    choice = choose_endpoint(SUBJECT, callers, None, "async_endpoint")
    assert choice.module == "async_endpoint"
    assert choice.reason.startswith("you wrote this endpoint, although serverless, 1024 MB, 0 to 1, with ")
    for memory, concurrency in ((1024, 48), (2048, 28)):
        busy = choose_endpoint(
            SUBJECT, make_requirements(requests_per_day=4e6), None, "serverless_endpoint", {"memory_mb": memory}
        )
        assert busy.inputs == {"memory_mb": memory, "max_concurrency": concurrency}, "as that memory needs"
    with pytest.raises(UserError, match="async_endpoint: you wrote this endpoint in the file, and it does not meet"):
        choose_endpoint(SUBJECT, make_requirements(), None, "async_endpoint")


def test_files_are_as_before_where_something_is_refused_or_interrupted(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    old.write_text("before")

    def write(end: BaseException) -> None:
        with entry.restore_on_error(old, new):
            old.write_text("after")
            new.write_text("after")
            raise end

    for end in (UserError("no"), KeyboardInterrupt()):
        with pytest.raises(type(end)):
            write(end)
        assert old.read_text() == "before"
        assert not new.exists()


def test_an_interrupted_write_leaves_the_hcl_unchanged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hcl = tmp_path / "main.tf"
    hcl.write_text("before")

    def interrupt() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(run.DeploymentTarget, "check_settings", lambda *_: None)
    monkeypatch.setattr(entry, "write_entry", lambda *_: False)
    monkeypatch.setattr(entry, "write_package", lambda *_: False)
    monkeypatch.setattr(synth, "synthesize", lambda *_: [synth.FileChange(hcl, "before", "after")])
    monkeypatch.setattr(synth, "save_digests", interrupt)
    target = run.DeploymentTarget("flight_delay", "dev")
    serving = run.plan_serving(target, SUBJECT, SERVERLESS, make_requirements())
    with pytest.raises(KeyboardInterrupt):
        run.Deployment(serving, Steps(Console(file=io.StringIO()))).write()
    assert hcl.read_text() == "before"


def test_a_deployment_has_a_plan_file_of_its_own_and_deletes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "OUT", tmp_path)
    serving = run.plan_serving(run.DeploymentTarget("flight_delay", "dev"), SUBJECT, SERVERLESS, make_requirements())
    files: list[Path] = []

    def plan(_: Any, file: Path) -> dict[str, Any]:
        file.write_text("values")
        files.append(file)
        return {}

    monkeypatch.setattr("sustainable_mlops.base.terraform.Terraform.plan", plan)
    monkeypatch.setattr("sustainable_mlops.base.terraform.Terraform.run", lambda *_: "")
    monkeypatch.setattr(run, "list_changes", lambda _: {})
    for process in (1, 2):
        monkeypatch.setattr("os.getpid", lambda process=process: process)
        with closing(run.Deployment(serving, Steps(Console(file=io.StringIO())))) as deployment, suppress(UserError):
            deployment.plan()
    assert len(set(files)) == 2
    assert not any(file.exists() for file in files)


def test_the_command_that_reads_why_an_endpoint_failed_names_the_region(monkeypatch: pytest.MonkeyPatch) -> None:
    sagemaker = Mock(describe_endpoint=lambda **_: {"EndpointStatus": "Failed"})
    sagemaker.meta.region_name = "eu-west-1"
    outputs = {"serverless_endpoints": {"flight_delay": "smlops-dev-flight-delay"}}
    monkeypatch.setattr("sustainable_mlops.base.terraform.Terraform.read_outputs", lambda _: outputs)
    serving = run.plan_serving(run.DeploymentTarget("flight_delay", "dev"), SUBJECT, SERVERLESS, make_requirements())
    deployment = run.Deployment(serving, Steps(Console(file=io.StringIO())))
    with pytest.raises(UserError, match="--endpoint-name smlops-dev-flight-delay --region eu-west-1, and deploy"):
        deployment.find_endpoint(Clients(s3=Mock(), sagemaker=sagemaker))


def test_a_model_that_is_larger_than_the_memory_is_refused() -> None:
    target = run.DeploymentTarget("flight_delay", "dev")
    message = r"serverless_endpoint: memory_mb: the model does not fit in \d+ MB, because it has 3,000 MB"
    with pytest.raises(UserError, match=message):
        run.plan_serving(target, SUBJECT, SERVERLESS, make_requirements(model_mb=3000.0))


@pytest.mark.parametrize(
    ("own", "choice", "message"),
    [
        (
            "serverless_endpoint:\n      max_concurrency: 9",
            SERVERLESS,
            "envs/dev/settings.yaml keeps max_concurrency: 9 (advised: 2)",
        ),
        ("serverless_endpoint: null", SERVERLESS, "removes serverless_endpoint, which the catalogue would declare"),
        (
            "async_endpoint:\n      max_instances: 1",
            SERVERLESS,
            "declares async_endpoint, and the catalogue would add",
        ),
    ],
)
def test_settings_of_an_environment_that_override_the_catalogue_are_reported(
    own: str, choice: Choice, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(example.FOLDER, tmp_path / "envs")
    with (tmp_path / "envs" / "dev" / "settings.yaml").open("a") as file:
        file.write(f"\nmodels:\n  flight_delay:\n    {own}\n")
    monkeypatch.setattr(run, "ROOT", tmp_path)
    monkeypatch.setattr(run, "MODELS", tmp_path / "envs" / "catalogue" / "models")
    monkeypatch.setattr("clone.synth.ROOT", tmp_path)
    target = run.DeploymentTarget("flight_delay", "dev")
    target.entry.write_text("description: d\n")
    serving = run.plan_serving(target, SUBJECT, choice, make_requirements())
    entry.write_entry(target.entry, serving.edit)
    if "keeps" in message:
        assert serving.kept_values == [message]
        target.check_settings(choice.module)
        assert serving.inputs == {"memory_mb": 1024, "max_concurrency": 9}
    else:
        with pytest.raises(UserError, match=message):
            target.check_settings(choice.module)


@check_cases("environment", synth.list_names()[1])
def test_the_endpoint_of_the_first_model_fits_a_new_account_also_during_an_update(environment: str) -> None:
    model = run.DeploymentTarget("flight_delay", environment).load_settings().models["flight_delay"]
    assert 2 * model.serverless_endpoint.max_concurrency <= (find_serverless_concurrency().default or 0)


@pytest.mark.parametrize(("models", "note"), [(2, None), (3, "need a concurrency of 15, and a new account has 10")])
def test_a_note_names_the_quota_that_the_serverless_endpoints_exceed(
    models: int, note: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoints = {f"model{number}": {"serverless_endpoint": {"max_concurrency": 5}} for number in range(models)}
    many_models = EnvironmentSettings.model_validate({**example.load_dev(), "models": endpoints, "pipelines": {}})
    monkeypatch.setattr(run.DeploymentTarget, "load_settings", lambda _: many_models)
    text = run.DeploymentTarget("flight_delay", "dev").find_quota_note()
    assert (note in text) if note and text else text is note


def test_what_recommend_wrote_is_taken_and_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "inputs.yaml"
    file.write_text("serverless_endpoint:\n  memory_mb: 1024\n  max_concurrency: 2\n")
    assert read_choice(file).inputs == SERVERLESS.inputs
    for text in ("endpoint: {}", "serverless_endpoint: 1", "serverless_endpoint: {}\nasync_endpoint: {}", ""):
        file.write_text(text)
        with pytest.raises(UserError, match="must name one of serverless_endpoint, realtime_endpoint, async_endpoint"):
            read_choice(file)


@check_cases(
    ("text", "problem"),
    [
        ("serverless_endpoint: {memory_mb: 2 GB}", "serverless_endpoint.memory_mb: must be 1024, 2048"),
        ("async_endpoint: {max_instances: '4'}", "async_endpoint.max_instances: must be a whole number, not '4'"),
        (
            "realtime_endpoint: {latency_slo_ms: 9, min_instances: null}",
            "realtime_endpoint.min_instances: must be a whole number",
        ),
    ],
)
def test_inputs_of_a_wrong_type_are_named(text: str, problem: str, tmp_path: Path) -> None:
    file = tmp_path / "inputs.yaml"
    file.write_text(text)
    with pytest.raises(UserError, match=f"{file}: {problem}"):
        read_choice(file)


def test_a_latency_beside_the_inputs_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "inputs.yaml"
    file.write_text("serverless_endpoint: {}")
    with pytest.raises(UserError, match="--latency: does not apply to --inputs"):
        get_command(app)(["flight_delay", "--dry-run", "--inputs", str(file), "--latency", "9"])


def test_the_newest_package_may_follow_an_empty_page(monkeypatch: pytest.MonkeyPatch) -> None:
    pages: list[dict[str, Any]] = [
        {"ModelPackageSummaryList": [], "NextToken": "2"},
        {"ModelPackageSummaryList": [{"ModelPackageArn": SUBJECT.name}]},
    ]
    sagemaker = Mock(list_model_packages=Mock(return_value=pages[0]))
    sagemaker.get_paginator.return_value.paginate.return_value = pages
    account = Mock(connect=Mock(return_value=Mock(sagemaker=sagemaker)))
    monkeypatch.setattr(run, "read_platform", lambda *_: Mock(model_package_groups={"flight_delay": "flights"}))
    monkeypatch.setattr(model_under_test, "read_model", lambda *_: SUBJECT)
    assert run.find_package(run.DeploymentTarget("flight_delay", "dev"), account, None) is SUBJECT


#: An entry whose memory a person chose.
OWN_ENTRY = "description: Late?\nserverless_endpoint:\n  memory_mb: 2048 # measured\n"


class Clone:
    """A clone whose only environment is dev, its state beside it, on the sandbox."""

    def __init__(self, folder: Path, variables: dict[str, str]) -> None:
        self.folder = clone(folder)
        self.environment = {**set_up(self.folder), **variables}
        for other in ("staging", "prod"):
            shutil.rmtree(self.folder / "envs" / other)
        dev = self.folder / "envs" / "dev"
        shutil.copy(example.DEV / "settings.yaml", dev)  # without readers in other accounts, which the review stops
        (dev / "backend_override.tf").write_text('terraform {\n  backend "local" {}\n}\n')
        self.run("sustainable_mlops.base.terraform", 'Terraform(Path("envs/dev")).init()')

    def run(self, module: str, code: str) -> None:
        """Run a line of Python in it."""
        text = f"from pathlib import Path\nfrom {module} import *\n{code}"
        subprocess.run([sys.executable, "-c", text], cwd=self.folder, env=self.environment, check=True)

    def interrupt(self, *arguments: str, when: Callable[[str], object]) -> str:
        """Press Ctrl-C during a deployment once `when` is true of its output. Return the whole output."""
        command = [sys.executable, "scripts/smlops.py", "deploy", "flight_delay", *arguments]
        log = self.folder / "said"
        with log.open("w") as stderr:
            process = subprocess.Popen(
                command,
                cwd=self.folder,
                env=self.environment | {"COLUMNS": "300"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
                start_new_session=True,
            )
        try:
            wait_until(lambda: when(log.read_text()))
        finally:
            os.killpg(process.pid, signal.SIGINT)
        assert process.wait() == INTERRUPTED, log.read_text()
        assert "Traceback" not in log.read_text()
        return log.read_text().splitlines()[-1]

    @property
    def entry(self) -> Path:
        return self.folder / "envs" / "catalogue" / "models" / "flight_delay.yaml"

    def deploy(self, *arguments: str, model: str = "flight_delay") -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "scripts/smlops.py", "deploy", model, *arguments]
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
def dev(own: tuple[Sandbox, dict[str, str]], tmp_path: Path) -> Iterator[Clone]:
    _, variables = own
    clone = Clone(tmp_path / "clone", variables)
    yield clone
    destruction = "sustainable_mlops.account.teardown.destruction"
    clone.run(destruction, 'destroy(Terraform(Path("envs/dev")), refresh=False)')


@pytest.fixture
def package(own: tuple[Sandbox, dict[str, str]]) -> str:
    """Register an approved package of a working model."""
    (sandbox, _), name = own, "deploy"
    make_role(sandbox)
    sandbox.client("s3").create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-north-1"})
    script = 'def model_fn(d): return None\ndef transform_fn(m, data, c, a): return "late", "text/csv"\n'
    container = EndpointDeployer(sandbox, name, lambda start: f"{start}-{name}").create_container(script)
    sagemaker = sandbox.client("sagemaker")
    sagemaker.create_model_package_group(ModelPackageGroupName=name)
    description = sagemaker.create_model_package(
        ModelPackageGroupName=name,
        ModelApprovalStatus="Approved",
        InferenceSpecification={
            "Containers": [container],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
    )
    return str(description["ModelPackageArn"])


def create_failed_endpoint(sandbox: Sandbox, name: str) -> None:
    """Create an endpoint that ends as Failed, outside Terraform: provider 6.29 and later leave a first one so."""
    deploying, sagemaker = (
        EndpointDeployer(sandbox, "deploy", lambda start: f"{start}-failed"),
        sandbox.client("sagemaker"),
    )
    container = deploying.create_container("def model_fn(d): raise RuntimeError('does not load')\n")
    role = make_role(sandbox)
    sagemaker.create_model(ModelName=name, ExecutionRoleArn=role, PrimaryContainer=container)
    serverless = {"MemorySizeInMB": 1024, "MaxConcurrency": 1}
    variant = {"VariantName": "main", "ModelName": name, "ServerlessConfig": serverless}
    sagemaker.create_endpoint_config(EndpointConfigName="outside", ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName="outside")
    wait_until(lambda: sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"] == "Failed")
    sagemaker.delete_endpoint_config(EndpointConfigName="outside")
    # Terraform creates the log group before the endpoint, and has it in the state.
    sandbox.client("logs").delete_log_group(logGroupName=f"/aws/sagemaker/Endpoints/{name}")


@pytest.mark.apply
def test_a_model_is_written_planned_reviewed_applied_and_answers(
    dev: Clone, package: str, own: tuple[Sandbox, dict[str, str]]
) -> None:
    """Deploy a model, repeat the command without changes, and continue an interrupted one."""
    sandbox, _ = own
    dev.entry.write_text(OWN_ENTRY)
    command = ("--package", package, "--requests-per-day", "700000", "--duration", "0.5")
    unconfirmed = dev.deploy(*command)
    assert (unconfirmed.returncode, unconfirmed.stderr) == (
        2,
        "error: deploy: there is no terminal for the confirmation; pass --yes to apply, "
        "or --no-apply to stop after the review\n",
    )
    create_failed_endpoint(sandbox, "smlops-dev-flight-delay")
    deployment = dev.deploy(*command, "--yes")
    assert deployment.returncode == 0, deployment.stderr
    assert deployment.stdout == "smlops-dev-flight-delay\n"
    note = "smlops-dev-flight-delay is Failed and not in the Terraform state; it is deleted before the apply."
    assert note in deployment.stderr.splitlines()
    assert "need a concurrency of 13, and a new account has 10 in a Region: request an increase of" in deployment.stderr
    assert "the SageMaker quota L-96300102" in deployment.stderr
    assert [line.split("✓ ")[1][:34].strip() for line in deployment.stderr.splitlines() if "✓ " in line] == [
        "Find the package",
        "Write the settings",
        "Write the HCL",
        "Plan",
        "Review the plan",
        "Delete the failed endpoint",
        "Apply the plan",
        "Check the endpoint",
    ]
    model_entry = dev.entry.read_text()
    assert model_entry == f"{OWN_ENTRY}  max_concurrency: 13 # advised 13\n"
    entry_line, review_line = (line for line in deployment.stderr.splitlines() if "USD a month" in line)
    figures = re.search(r"with (\S+ kgCO2e and \S+ USD) a month", entry_line)
    assert figures is not None
    assert f"the endpoint: {figures[1]} a month" in review_line
    assert "kgCO2e a month" in (dev.folder / "out/deploy/dev.md").read_text()
    packages = json.loads((dev.folder / "envs/dev/models.auto.tfvars.json").read_text())
    assert packages == {"model_packages": {"flight_delay": package}}
    assert "Review of `dev`" in (dev.folder / "out/deploy/dev.md").read_text()
    answer = sandbox.client("sagemaker-runtime").invoke_endpoint(
        EndpointName="smlops-dev-flight-delay", Body=b"1,2", ContentType="text/csv"
    )
    assert answer["Body"].read() == b"late"
    second = dev.deploy(*command, "--no-apply")
    assert second.returncode == 0, second.stderr
    for text in ("no change: ", "0 files written", "0 changes"):
        assert text in second.stderr
    _change_and_interrupt(dev, sandbox, package)
    _deploy_another_model(dev, sandbox, package)


def _change_and_interrupt(dev: Clone, sandbox: Sandbox, package: str) -> None:
    """Interrupt deployments with another load during the writing and the apply; the printed command continues them."""
    command = ("--package", package, "--requests-per-day", "100000", "--duration", "0.5", "--yes")
    to_go_on = f"To continue: smlops deploy {shlex.join(['flight_delay', *command])}"
    sagemaker, name = sandbox.client("sagemaker"), "smlops-dev-flight-delay"
    unapplied = dev.interrupt(*command, when=lambda output: "Write the settings" in output)
    assert unapplied == f"Interrupted: this command has launched nothing. {to_go_on}"
    assert list((dev.folder / "envs").rglob("*.partial")) == []

    def list_configurations() -> list[str]:
        configs = sagemaker.list_endpoint_configs(NameContains=name)["EndpointConfigs"]
        return [one["EndpointConfigName"] for one in configs]

    def is_updating() -> bool:
        return bool(sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"] == "Updating")

    sandbox.fault("UpdateEndpoint", status_delay=600, resource=name)
    applied = dev.interrupt(*command, when=lambda _: is_updating())
    assert len(list_configurations()) == 2
    assert applied == f"Interrupted: envs/dev may be partly changed. {to_go_on}"
    assert not (dev.folder / "envs" / "dev" / ".terraform.tfstate.lock.info").exists()
    sandbox.advance(600)
    deployment = dev.deploy(*command)
    assert deployment.returncode == 0, deployment.stderr
    (configuration,) = list_configurations()
    served = sagemaker.describe_endpoint(EndpointName=name)
    assert (served["EndpointConfigName"], served["EndpointStatus"]) == (configuration, "InService")
    (variant,) = sagemaker.describe_endpoint_config(EndpointConfigName=configuration)["ProductionVariants"]
    assert variant["ServerlessConfig"]["MaxConcurrency"] == 5


def _deploy_another_model(dev: Clone, sandbox: Sandbox, package: str) -> None:
    """Deploy a second model: both answer. Without the first one's package the review stops the plan."""
    dev.entry.with_name("churn.yaml").write_text("description: Who leaves?\n")
    before = dev.entry.read_bytes()
    dry_run = dev.deploy("--package", package, "--dry-run", model="churn")
    assert dry_run.returncode == 0, dry_run.stderr
    assert "+  memory_mb: 1024 # advised 1024" in dry_run.stdout.splitlines()
    assert dev.entry.with_name("churn.yaml").read_text() == "description: Who leaves?\n"
    deployment = dev.deploy("--package", package, "--yes", model="churn")
    assert (deployment.returncode, deployment.stdout) == (0, "smlops-dev-churn\n"), deployment.stderr
    assert dev.entry.read_bytes() == before
    for name in ("smlops-dev-flight-delay", "smlops-dev-churn"):
        answer = sandbox.client("sagemaker-runtime").invoke_endpoint(
            EndpointName=name, Body=b"1,2", ContentType="text/csv"
        )
        assert answer["Body"].read() == b"late"
    (dev.folder / "envs" / "dev" / "models.auto.tfvars.json").write_text('{"model_packages": {}}')
    stopped = dev.deploy("--package", package, "--yes", model="churn")
    assert stopped.returncode == 1, stopped.stderr
    assert "endpoint smlops-dev-flight-delay is destroyed, because its model package is no longer in" in (
        dev.folder / "out/deploy/dev.md"
    ).read_text().replace("`", "")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--environment", "production"], "--environment: there is no environment production"),
        (["--latency", "9"], "envs/catalogue/models/flight_delay.yaml: latency_slo: cold_start: callers can wait"),
        (["--requests-per-day", "-1"], "--requests-per-day: -1 must be more than 0"),
        (["--inputs", "none.yaml"], "none.yaml: no such file"),
        (["--package", "foo"], "--package: foo is not the ARN of a model package; pass an ARN such as"),
        (["--accepted", "none.yaml"], "none.yaml: no such file"),
        (
            ["--package", "arn:aws:sagemaker:eu-north-1:123456789012:model-package/none/1"],
            "--package: model package arn:",
        ),
        (
            ["--environment", "staging"],
            "the credentials belong to account 123456789012 (arn:aws:sts::123456789012:user/moto), but the",
        ),
        ([], "platform: the SSM parameter /sustainable-mlops/dev/platform does not exist in eu-north-1; apply the"),
    ],
)
def test_bad_input_is_one_line_and_changes_nothing(arguments: list[str], message: str, sandbox: Sandbox) -> None:
    command = [sys.executable, "scripts/smlops.py", "deploy", "flight_delay", "--no-apply", *arguments]
    environment = os.environ | sandbox.environment | {"PYTHONPATH": str(ROOT)}
    before = ENTRY.read_bytes()
    process = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    lines = [line for line in process.stderr.splitlines() if not line.startswith("✗")]
    assert (process.returncode, process.stdout) == (2, "")
    assert lines[0].startswith(f"error: {message}"), lines
    assert ENTRY.read_bytes() == before


def test_written_defaults_equal_those_of_the_modules() -> None:
    of_serverless, of_realtime = serverless_endpoint.Inputs.model_fields, realtime_endpoint.Inputs.model_fields
    assert of_serverless["max_concurrency"].default == defaults.WORKERS
    assert of_realtime["min_instances"].default == defaults.ZONES
    assert of_realtime["aws_provider"].default == defaults.PROVIDER


def test_a_plan_that_the_review_stops_is_not_applied(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    reviewed = review(load_plan(ROOT / "tests" / "plan" / "fixtures" / "change.json"))
    assert reviewed.exit_code == 1
    applied: list[int] = []
    for name, does in {
        "write": lambda _: None,
        "wait_until_settled": lambda *_: None,
        "plan": lambda *_: (reviewed, {"a": ["create"]}),
        "apply": lambda _, total: applied.append(total),
    }.items():
        monkeypatch.setattr(run.Deployment, name, does)
    monkeypatch.setattr(run, "find_package", lambda *_: SUBJECT)
    monkeypatch.setattr(AccountClients, "check", lambda _: None)
    with pytest.raises(SystemExit) as ended:
        get_command(app)(["flight_delay", "--yes"], prog_name="smlops deploy")
    assert (ended.value.code, applied) == (1, [])
    errors = capsys.readouterr().err
    assert "The review stops this plan; nothing is applied." in errors
    assert "data: " in errors


@pytest.mark.slow
def test_nothing_is_found_or_deleted_in_another_account(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The credentials are of the sandbox's account; the role that Terraform assumes is of another one."""
    for name, value in sandbox.environment.items():
        monkeypatch.setenv(name, value)
    own = settings.load(example.DEV)
    role = own.model_copy(update={"assume_role_arn": "arn:aws:iam::222222222222:role/OrganizationAccountAccessRole"})
    monkeypatch.setattr(run.DeploymentTarget, "load_settings", lambda _: role)
    monkeypatch.setattr(run, "find_package", lambda *_: pytest.fail("the account was not checked"))
    with pytest.raises(SystemExit) as ended:
        program.run(lambda: get_command(app)(["flight_delay", "--yes"], prog_name="smlops deploy"))
    assert ended.value.code == 2
    errors = capsys.readouterr().err
    assert "the credentials belong to account 222222222222" in errors
    assert "✓" not in errors
