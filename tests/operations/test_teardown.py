"""Taking an environment down: of a protected one nothing goes, and what is printed leads out."""

import json
import re
import shlex
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from sustainable_mlops.commands.teardown import app
from sustainable_mlops.errors import UserError
from sustainable_mlops.operations import teardown
from sustainable_mlops.program import run
from sustainable_mlops.terraform import ROOT, Terraform
from tests.provider import alone

SANDBOX = "smlops sandbox exec -- "
GROUP = "smlops-test-fraud"
STATE = "state-of-smlops-test"


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
    backend = {"bucket": STATE, "key": "terraform.tfstate", "region": "eu-north-1", "use_lockfile": True}
    body = {
        "terraform": {"backend": {"s3": backend}},
        "provider": {"aws": {"region": "eu-north-1"}},
        "module": modules,
        "output": {"platform": {"value": platform}},
    }
    (folder / "main.tf.json").write_text(json.dumps(body))


def torn_down(*arguments: str) -> int | str | None:
    """The exit code of `smlops teardown` where nobody can be asked."""
    with pytest.raises(SystemExit) as ended:
        run(lambda: get_command(app)(list(arguments), prog_name="smlops teardown"))
    return ended.value.code


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A sandbox in which nobody else makes or ends anything, and this process's AWS."""
    with alone(tmp_path / "log") as (sandbox, variables):
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        yield sandbox


@pytest.fixture
def environment(tmp_path: Path, own: Any) -> Terraform:
    """A protected environment on the sandbox, with an object and a model package in it."""
    folder = tmp_path / "prod env"  # a path that a shell has to be given in quotes
    folder.mkdir()
    (folder / "modules").symlink_to(ROOT / "modules")
    (folder / "settings.yaml").write_text("environment: prod")
    (folder / "main.tf").touch()
    synthesize(folder)
    s3 = own.client("s3")
    s3.create_bucket(Bucket=STATE, CreateBucketConfiguration={"LocationConstraint": "eu-north-1"})
    s3.put_bucket_versioning(Bucket=STATE, VersioningConfiguration={"Status": "Enabled"})
    terraform = Terraform(folder)
    terraform.init()
    terraform.apply()
    bucket = next(name for name in own.inventory()["s3"]["bucket"] if name.startswith("smlops-test-"))
    s3.put_object(Bucket=bucket, Key="model", Body=b"model")
    own.client("sagemaker").create_model_package(ModelPackageGroupName=GROUP, ModelPackageDescription="a version")
    return terraform


@pytest.mark.apply
def test_the_commands_printed_for_a_protected_environment_take_it_down(
    environment: Terraform, own: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, before = environment.folder, own.inventory()
    assert (torn_down(str(folder)), own.inventory()) == (2, before), "nothing is deleted"
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
    capsys.readouterr()
    assert torn_down(str(folder)) == 2, "asked for, and nobody to ask"
    (refused,) = capsys.readouterr().err.splitlines()
    assert "--yes deletes everything" in refused
    assert torn_down(str(folder), "--yes") == 0
    assert GROUP not in str(own.inventory())
    assert [name for name in own.inventory()["s3"]["bucket"] if "smlops-test" in name] == [STATE]

    *_, stays, remove = capsys.readouterr().err.splitlines()
    assert f"The bucket of the state, {STATE}, stays" in stays
    paste(remove.removeprefix(SANDBOX))
    assert STATE not in str(own.inventory())


@pytest.mark.plan
def test_what_was_never_initialised_is_told_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("AWS_ACCESS_KEY_ID", raising=False)
    folder = Path("envs/x")
    folder.mkdir(parents=True)
    backend = '{"terraform": {"backend": {"s3": {"bucket": "b", "key": "k", "region": "eu-north-1"}}}}'
    for text in (backend, '{"module": {"x": {"source": "./x"}}}', '{"resource": {"aws_s3_bucket": {"x": {}}}}'):
        (folder / "main.tf.json").write_text(text)
        terraform = teardown.environment(folder)
        for command in (partial(terraform.run, "plan"), terraform.apply):
            with pytest.raises(UserError) as refused:
                command()
            assert re.fullmatch(r"envs/x is not initialised: run `\S+ -chdir=envs/x init`", str(refused.value)), text


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
