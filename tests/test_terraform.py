"""Finding Terraform and its provider, and saying what is missing."""

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

from sustainable_mlops import terraform
from sustainable_mlops.errors import UserError
from tests.sandbox.support import until


def program(folder: Path, name: str, version: str) -> None:
    file = folder / name
    file.write_text(f'#!/bin/sh\necho \'{{"terraform_version": "{version}"}}\'\n')
    file.chmod(0o755)


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder that is all of PATH, in a checkout without an engine of its own."""
    monkeypatch.setenv("PATH", str(tmp_path))
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


def test_an_engine_is_printed_as_it_can_be_typed(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = path / "a b"
    elsewhere.mkdir()
    for folder in (path, elsewhere):
        program(folder, "terraform", "1.11.4")
    found = terraform.find_engine()
    assert found.typed == "terraform"
    hidden = replace(found, path=str(elsewhere / "terraform"))
    assert hidden.typed == f"'{elsewhere}/terraform'"
    monkeypatch.chdir(path)
    assert hidden.typed == "'a b/terraform'"


#: Ends as Terraform does some time after a first interrupt, and notes each.
SLOW = """#!/bin/sh
[ "$1" = version ] && { echo '{"terraform_version": "1.11.4"}'; exit; }
trap 'echo interrupted >> "$FOLDER/interrupts"' INT
/bin/sleep 0.2 # until then whoever started this has gone on to wait for its end
: > "$FOLDER/started"
while [ ! -e "$FOLDER/interrupts" ]; do /bin/sleep 0.05; done
/bin/sleep 0.5
echo saved > "$FOLDER/state"
"""


@pytest.mark.parametrize("command", ["apply", "plan"])
def test_ctrl_c_lets_terraform_end_by_itself(command: str, path: Path) -> None:
    """Killed, it would lose what it has made, and leave the state locked."""
    (path / "terraform").write_text(SLOW)
    (path / "terraform").chmod(0o755)
    driven = terraform.Terraform(path, {"FOLDER": str(path)})

    def press() -> None:
        until((path / "started").exists)
        os.kill(os.getpid(), signal.SIGINT)

    presser = threading.Thread(target=press)
    presser.start()
    with pytest.raises(KeyboardInterrupt):
        driven.apply() if command == "apply" else driven.plan(path / "p")
    presser.join()
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
    assert driven.tainted() == []

    def press() -> None:
        until((tmp_path / "started").exists)
        os.kill(os.getpid(), signal.SIGINT)

    presser = threading.Thread(target=press)
    presser.start()
    with pytest.raises(KeyboardInterrupt):
        driven.apply()
    presser.join()
    (address,) = driven.tainted()
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


def test_opentofu_alone_finds_the_provider_in_a_mirror_of_terraforms_registry(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = path / "home/.terraform.d/plugins" / terraform.PROVIDER / "6.1.0" / terraform.this_platform()
    package.mkdir(parents=True)
    (package / "terraform-provider-aws_v6.1.0_x5").touch()
    monkeypatch.setenv("HOME", str(path / "home"))
    monkeypatch.delenv("TF_CLI_CONFIG_FILE", raising=False)
    monkeypatch.setattr(terraform, "LOCAL", path / "local")
    program(path, "tofu", "1.10.6")
    with (path / "tofu").open("a") as tofu:
        tofu.write('while read -r line; do echo "$line"; done < "$TF_CLI_CONFIG_FILE" > "${1#-chdir=}/seen"\n')
    terraform._cli_configuration.cache_clear()
    terraform.Terraform(path).init()
    terraform._cli_configuration.cache_clear()
    seen = (path / "seen").read_text()
    mirrors = dict(re.findall(r'path\s+= "(.*)"\ninclude = \["(.*)"\]', seen))
    (folder,) = (Path(place) for place, provider in mirrors.items() if provider == terraform.OPENTOFU_PROVIDER)
    found = folder / terraform.OPENTOFU_PROVIDER / "6.1.0" / terraform.this_platform()
    assert found.resolve() == package.resolve()
    # As OpenTofu searches: no link to a folder is followed but the last.
    assert [one for one in found.parents if one.is_relative_to(folder) and one.is_symlink()] == []
    assert f'exclude = ["{terraform.PROVIDER}", "{terraform.OPENTOFU_PROVIDER}"]' in seen


def test_a_command_without_terraform_ends_in_one_line_and_exit_code_2(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from sustainable_mlops import program, synth, terraform;"
        f"terraform.ROOT = Path({str(tmp_path)!r}); program.run(lambda: synth.synthesize(['storage']))"
    )
    alone = {**os.environ, "PATH": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], env=alone, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("error: Terraform: no `terraform` or `tofu` found")
    assert len(done.stderr.splitlines()) == 1


def test_a_configuration_file_that_does_not_exist_is_not_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TF_CLI_CONFIG_FILE", "/nowhere/terraform.rc")
    terraform._cli_configuration.cache_clear()
    configured = terraform.environment().get("TF_CLI_CONFIG_FILE")
    terraform._cli_configuration.cache_clear()
    assert configured is None or Path(configured).is_file()


def test_only_resources_that_change_count_as_changes() -> None:
    actions = {"a": ["no-op"], "b": ["read"], "c": ["update"], "d": ["delete", "create"]}
    plan = {"resource_changes": [{"address": a, "change": {"actions": done}} for a, done in actions.items()]}
    assert terraform.changes(plan) == {"c": ["update"], "d": ["delete", "create"]}
