"""Finding Terraform and its provider, and saying what is missing."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from sustainable_mlops.base import terraform
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.program import run
from tests.cases import check_cases
from tests.sandbox.support import wait_until


def program(folder: Path, name: str, version: str) -> None:
    file = folder / name
    file.write_text(f'#!/bin/sh\necho \'{{"terraform_version": "{version}"}}\'\n')
    file.chmod(0o755)


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Set PATH to an empty folder, in a checkout without its own engine."""
    monkeypatch.setenv("PATH", str(tmp_path))
    for setting in (terraform.ENGINE_SETTING, terraform.PROVIDER_SETTING):
        monkeypatch.delenv(setting, raising=False)
    monkeypatch.setattr(terraform, "ROOT", tmp_path / "nowhere")
    terraform.find_engine.cache_clear()
    yield tmp_path
    terraform.find_engine.cache_clear()


def test_terraform_comes_before_tofu(path: Path) -> None:
    program(path, "terraform", "1.11.4")
    program(path, "tofu", "1.10.0")
    assert str(terraform.find_engine()) == "Terraform 1.11.4"


def test_tofu_serves_where_terraform_is_too_old(path: Path) -> None:
    program(path, "terraform", "1.9.8")
    program(path, "tofu", "1.10.0")
    assert str(terraform.find_engine()) == "OpenTofu 1.10.0"


def test_a_relative_mirror_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(path, "terraform", "1.11.4")
    monkeypatch.setenv(terraform.PROVIDER_SETTING, "../mirror")
    with pytest.raises(UserError, match=r"SMLOPS_AWS_PROVIDER: \.\./mirror must be an absolute path"):
        terraform.make_environment()


@check_cases(
    ("is_clone", "remedy"), [(True, "correct its permissions"), (False, "set XDG_CACHE_HOME to a writable folder")]
)
def test_a_cache_that_cannot_be_written_is_named(
    is_clone: bool, remedy: str, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(path, "terraform", "1.11.4")
    (path / "file").touch()
    monkeypatch.setattr(terraform, "LOCAL", path / "file" / "cache")
    monkeypatch.setattr(terraform, "IN_CLONE", is_clone)
    with pytest.raises(UserError, match=f"{path}/file/cache.*: cannot be written: .*; {remedy}"):
        terraform.make_environment()


def test_the_setting_chooses_the_engine_by_name_or_path(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(path, "terraform", "1.11.4")
    for name in ("tofu", "tofu-1.12"):
        program(path, name, "1.12.6")
    for setting in ("tofu", str(path / "tofu"), str(path / "tofu-1.12")):
        monkeypatch.setenv(terraform.ENGINE_SETTING, setting)
        terraform.find_engine.cache_clear()
        assert str(terraform.find_engine()) == "OpenTofu 1.12.6"
    monkeypatch.setenv(terraform.ENGINE_SETTING, "tofuu")
    terraform.find_engine.cache_clear()
    with pytest.raises(UserError, match=r"no `tofuu` \(SMLOPS_TERRAFORM\) found"):
        terraform.find_engine()


def test_the_command_of_an_engine_works_in_a_shell(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = path / "a b"
    elsewhere.mkdir()
    for folder in (path, elsewhere):
        program(folder, "terraform", "1.11.4")
    engine = terraform.find_engine()
    assert engine.command == "terraform"
    hidden = replace(engine, path=str(elsewhere / "terraform"))
    assert hidden.command == f"'{elsewhere}/terraform'"
    monkeypatch.chdir(path)
    assert hidden.command == "'a b/terraform'"


#: Notes each interrupt as Terraform does, and ends when there is a file `go`.
SLOW = """#!/bin/sh
[ "$1" = version ] && { echo '{"terraform_version": "1.11.4"}'; exit; }
trap 'echo interrupted >> "$FOLDER/interrupts"' INT
/bin/sleep 1 # until then, the parent process waits for its end
: > "$FOLDER/started"
while [ ! -e "$FOLDER/go" ]; do /bin/sleep 0.05; done
echo saved > "$FOLDER/state"
"""


@pytest.mark.parametrize("signals", [[signal.SIGINT], [signal.SIGTERM], [signal.SIGINT, signal.SIGTERM]], ids=str)
@pytest.mark.parametrize("command", ["apply", "plan"])
def test_ctrl_c_and_signals_let_terraform_end_by_itself(
    command: str, signals: list[signal.Signals], path: Path
) -> None:
    """Terraform would lose its state and leave it locked if it were killed. CI sends SIGTERM after SIGINT."""
    (path / "terraform").write_text(SLOW)
    (path / "terraform").chmod(0o755)
    driven = terraform.Terraform(path, {"FOLDER": str(path)})

    def press() -> None:
        try:
            wait_until((path / "started").exists)
            for number in signals:
                os.kill(os.getpid(), number)
                wait_until((path / "interrupts").exists)
        finally:
            (path / "go").touch()  # not before the last signal: without its handler it would end this process

    presser = threading.Thread(target=press)
    presser.start()
    with pytest.raises(SystemExit) as ended:
        run(lambda: driven.apply() if command == "apply" else driven.plan(path / "p"))
    presser.join()
    assert ended.value.code == 128 + signals[0]
    assert (path / "state").read_text() == "saved\n"
    assert (path / "interrupts").read_text() == "interrupted\n"


#: One that is there by the time that another is being made, for as long as there is no file `go`.
MAKING = """
resource "terraform_data" "before" {}

resource "terraform_data" "this" {
  for_each = toset(["a b"])
  provisioner "local-exec" {
    command = "touch started; while [ ! -e go ]; do sleep 0.1; done; exit 1"
  }
  depends_on = [terraform_data.before]
}
"""


@pytest.mark.plan
def test_what_an_interrupted_apply_was_making_can_be_kept(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text(MAKING)
    driven = terraform.Terraform(tmp_path)
    driven.init()
    assert driven.read_state().tainted == []

    def press() -> None:
        wait_until((tmp_path / "started").exists)
        os.kill(os.getpid(), signal.SIGINT)

    presser = threading.Thread(target=press)
    presser.start()
    with pytest.raises(KeyboardInterrupt):
        driven.apply()
    presser.join()
    (address,) = driven.read_state().tainted
    assert address == 'terraform_data.this["a b"]'
    driven.run("untaint", address)
    assert driven.is_up_to_date(tmp_path / "p")


@pytest.mark.parametrize(
    ("versions", "words"),
    [({}, "no `terraform` or `tofu` found"), ({"terraform": "1.5.7"}, "found only Terraform 1.5.7")],
)
def test_a_missing_or_old_terraform_is_named_with_the_remedy(path: Path, versions: dict[str, str], words: str) -> None:
    for name, version in versions.items():
        program(path, name, version)
    with pytest.raises(UserError, match=f"{words}; put Terraform or OpenTofu 1.10 or newer on PATH"):
        terraform.find_engine()


def test_a_program_that_cannot_run_is_no_terraform(path: Path) -> None:
    (path / "terraform").write_bytes(b"\x7fELF of another processor")
    (path / "terraform").chmod(0o755)
    with pytest.raises(UserError, match=rf"^Terraform: found only {path / 'terraform'}; put"):
        terraform.make_environment()


def place_package(mirror: Path, version: str, *, packed: bool = False) -> Path:
    """Put an empty provider package into a mirror; return its folder or archive."""
    packages = mirror / terraform.PROVIDER
    packages.mkdir(parents=True, exist_ok=True)
    if packed:
        package = packages / f"terraform-provider-aws_{version}_{terraform.name_platform()}.zip"
    else:
        (packages / version / terraform.name_platform()).mkdir(parents=True)
        package = packages / version / terraform.name_platform() / "terraform-provider-aws"
    package.touch()
    return package if packed else package.parent


def read_mirrors() -> dict[str, Path]:
    """Return the folder of each mirror, by provider, in the CLI configuration that Terraform gets."""
    text = Path(terraform.make_environment()["TF_CLI_CONFIG_FILE"]).read_text()
    mirrors = re.findall(r'path\s+= "(.*)"\n\s+include = \["(.*)"\]', text)
    assert f"exclude = {json.dumps([provider for _, provider in mirrors])}" in text or not mirrors
    return {provider: Path(folder) for folder, provider in mirrors}


@pytest.fixture
def local(path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty folder for set-up, on a computer whose usual mirror has provider 5.100.0."""
    home = path / "home"
    place_package(home / ".terraform.d/plugins", "5.100.0")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("TF_CLI_CONFIG_FILE", raising=False)
    monkeypatch.setattr(terraform, "LOCAL", path / "local")
    program(path, "terraform", "1.11.4")
    return path / "local"


@pytest.mark.parametrize("packed", [True, False])
def test_a_folder_in_the_setting_replaces_the_usual_mirror(
    packed: bool, local: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert read_mirrors() == {terraform.PROVIDER: Path.home() / ".terraform.d/plugins"}
    usual = terraform.find_lock_file()
    mirror = local.parent / "a mirror"
    place_package(mirror, "6.1.0", packed=packed)
    own = local.parent / "own.rc"
    own.touch()
    monkeypatch.setenv("TF_CLI_CONFIG_FILE", str(own))
    monkeypatch.setenv(terraform.PROVIDER_SETTING, str(mirror))
    assert read_mirrors() == {terraform.PROVIDER: mirror}
    assert terraform.get_provider_constraint() == terraform.PROVIDER_VERSIONS
    assert terraform.find_lock_file() != usual


def test_a_version_in_the_setting_comes_from_a_mirror_that_holds_it_else_from_the_registry(
    local: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(terraform.PROVIDER_SETTING, "5.100.0")
    assert read_mirrors() == {terraform.PROVIDER: Path.home() / ".terraform.d/plugins"}
    monkeypatch.setenv(terraform.PROVIDER_SETTING, "6.47.1")
    assert read_mirrors() == {}
    assert terraform.get_provider_constraint() == "= 6.47.1"
    assert terraform.find_lock_file() == local / "provider" / "terraform-6.47.1" / ".terraform.lock.hcl"


def test_a_mirror_without_the_provider_is_refused_in_one_line(local: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    empty = local.parent / "empty"
    monkeypatch.setenv(terraform.PROVIDER_SETTING, str(empty))
    with pytest.raises(UserError, match=rf"SMLOPS_AWS_PROVIDER: {empty} has no registry\.terraform\.io/hashicorp/aws"):
        terraform.make_environment()


@pytest.mark.usefixtures("local")
def test_the_version_of_the_provider_is_read_from_the_lock_file() -> None:
    with pytest.raises(UserError, match="the AWS provider is not set up: run `make setup`"):
        terraform.get_provider_version()
    terraform.find_lock_file().parent.mkdir(parents=True)
    terraform.find_lock_file().write_text(f'provider "{terraform.PROVIDER}" {{\n  version     = "5.100.0"\n}}\n')
    assert terraform.get_provider_version() == "5.100.0"


@pytest.mark.parametrize("packed", [True, False])
def test_opentofu_finds_the_provider_in_a_mirror_of_terraforms_registry(
    packed: bool, local: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirror = local.parent / "a mirror"
    package = place_package(mirror, "6.1.0", packed=packed)
    monkeypatch.setenv(terraform.PROVIDER_SETTING, str(mirror))
    program(local.parent, "tofu", "1.10.6")
    monkeypatch.setenv(terraform.ENGINE_SETTING, "tofu")
    folder = read_mirrors()[terraform.OPENTOFU_PROVIDER]
    link = folder / terraform.OPENTOFU_PROVIDER / package.relative_to(mirror / terraform.PROVIDER)
    assert link.resolve() == package.resolve()
    # OpenTofu follows no link to a folder but the last.
    assert [one for one in link.parents if one.is_relative_to(folder) and one.is_symlink()] == []


def test_a_command_without_terraform_ends_in_one_line_and_exit_code_2(tmp_path: Path) -> None:
    code = (
        "from pathlib import Path; from clone import synth; from sustainable_mlops.base import program, terraform;"
        f"terraform.ROOT = Path({str(tmp_path)!r}); program.run(lambda: synth.synthesize(['storage']))"
    )
    alone = {**os.environ, "PATH": str(tmp_path)}
    process = subprocess.run([sys.executable, "-c", code], env=alone, capture_output=True, text=True, check=False)
    assert process.returncode == 2
    assert process.stderr.startswith("error: Terraform: no `terraform` or `tofu` found")
    assert len(process.stderr.splitlines()) == 1


def test_a_configuration_file_that_does_not_exist_is_not_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TF_CLI_CONFIG_FILE", "/nowhere/terraform.rc")
    configured = terraform.make_environment().get("TF_CLI_CONFIG_FILE")
    assert configured is None or Path(configured).is_file()


def test_only_resources_that_change_count_as_changes() -> None:
    actions = {"a": ["no-op"], "b": ["read"], "c": ["update"], "d": ["delete", "create"]}
    plan = {
        "resource_changes": [
            {"address": a, "change": {"actions": resource_actions}} for a, resource_actions in actions.items()
        ]
    }
    assert terraform.list_changes(plan) == {"c": ["update"], "d": ["delete", "create"]}
