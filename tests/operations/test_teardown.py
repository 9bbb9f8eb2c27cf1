"""Taking a protected environment down: nothing goes, and what is printed leads out."""

import json
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest

from sustainable_mlops.cli import run
from sustainable_mlops.errors import UserError
from sustainable_mlops.operations import teardown
from sustainable_mlops.terraform import ROOT, Terraform

SANDBOX = "smlops sandbox exec -- "
GROUP = "smlops-test-fraud"


def synthesize(folder: Path) -> None:
    """Stands for `smlops synth`: the setting reaches the modules."""
    protected = "deletion_protection: false" not in (folder / "settings.yaml").read_text().splitlines()
    given = {"name_prefix": "smlops-test", "account_id": "123456789012", "region": "eu-north-1"}
    registry = {"model_package_groups": {"fraud": {"description": "Is it fraud?"}}}
    modules = {
        name: {"source": f"./modules/{name}", **given, "deletion_protection": protected, **more}
        for name, more in {"storage": {}, "model_registry": registry}.items()
    }
    platform = {"region": "eu-north-1", "model_package_groups": {"fraud": GROUP}}
    body = {
        "provider": {"aws": {"region": "eu-north-1"}},
        "module": modules,
        "output": {"platform": {"value": platform}},
    }
    (folder / "main.tf.json").write_text(json.dumps(body))


@pytest.fixture
def environment(tmp_path: Path, sandbox: Any, monkeypatch: pytest.MonkeyPatch) -> Terraform:
    """A protected environment on the sandbox, with an object and a model package in it."""
    for name, value in sandbox.environment.items():
        monkeypatch.setenv(name, value)
    folder = tmp_path / "prod env"  # a path that a shell has to be given in quotes
    folder.mkdir()
    (folder / "modules").symlink_to(ROOT / "modules")
    (folder / "settings.yaml").write_text("environment: prod")
    synthesize(folder)
    terraform = Terraform(folder)
    terraform.init()
    terraform.apply()
    bucket = next(name for name in sandbox.inventory()["s3"]["bucket"] if name.startswith("smlops-test-"))
    sandbox.client("s3").put_object(Bucket=bucket, Key="model", Body=b"model")
    sandbox.client("sagemaker").create_model_package(ModelPackageGroupName=GROUP, ModelPackageDescription="a version")
    return terraform


@pytest.mark.apply
def test_the_commands_printed_for_a_protected_environment_take_it_down(
    environment: Terraform, sandbox: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, before = environment.folder, sandbox.inventory()
    with pytest.raises(SystemExit) as ended:
        run(lambda: teardown.destroy(environment))
    assert (ended.value.code, sandbox.inventory()) == (2, before), "nothing is deleted"
    reason, *commands = capsys.readouterr().err.splitlines()
    assert "deletion_protection is on, so nothing was deleted" in reason
    assert "Instance cannot be destroyed" not in reason
    turn_off, synth, forget, apply, last = (command.removesuffix(" &&").removeprefix(SANDBOX) for command in commands)
    assert (synth, last) == ("smlops synth 'prod env'", f"smlops teardown '{folder}'")

    def paste(command: str) -> None:
        subprocess.run(command, shell=True, check=True, input="yes\n", text=True, capture_output=True)  # noqa: S602

    paste(turn_off)
    synthesize(folder)
    paste(forget)
    paste(apply)
    assert teardown.destroy(environment) > 0
    assert GROUP not in str(sandbox.inventory())
    assert not [name for name in sandbox.inventory().get("s3", {}).get("bucket", []) if name.startswith("smlops-test-")]


def test_guards_are_found_whatever_their_module_is_called_and_whoever_wrote_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = 'module.team["data science"].module.storage.terraform_data.deletion_protection'
    monkeypatch.setattr(Terraform, "run", lambda *_: f'module.storage.aws_s3_bucket.this\n{address}["data"]\n')
    with pytest.raises(UserError, match="set deletion_protection = false in its modules, and run") as refused:
        teardown.destroy(Terraform(tmp_path))
    forget = next(command for command in refused.value.remedy if " state rm " in command)
    assert shlex.split(forget)[-1] == address


def test_a_setting_is_turned_off_wherever_it_stands(tmp_path: Path) -> None:
    settings = tmp_path / "settings.yaml"
    for given in ("a: 1", "a: 1\ndeletion_protection: true # data\nb: 2\n", "deletion_protection : true\n"):
        settings.write_text(given)
        (command,) = teardown.turn_off(settings)
        subprocess.run(command, shell=True, check=True)  # noqa: S602
        assert "deletion_protection: false" in settings.read_text().splitlines()
        assert not list(teardown.turn_off(settings)), "that key is turned"
        assert [path.name for path in tmp_path.iterdir()] == ["settings.yaml"]
