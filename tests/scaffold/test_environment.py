"""A new environment: another's settings, in another account and Region, that apply as they are."""

import difflib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from sustainable_mlops import synth
from sustainable_mlops.errors import UserError
from sustainable_mlops.scaffold import environment, files
from sustainable_mlops.scaffold.environment import create_draft
from sustainable_mlops.terraform import ROOT
from tests.scaffold.conftest import Clone, commands

#: No environment of anybody lives there.
ACCOUNT, REGION = "000000000042", "eu-west-1"
DEV = ROOT / "envs" / "dev" / "settings.yaml"


@pytest.fixture(autouse=True)
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository whose only environment is dev and whose only module is storage, whatever else this checkout has."""
    for name in ("envs/dev/settings.yaml", "modules/storage/module.py"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    shutil.copytree(ROOT / "envs" / "catalogue", tmp_path / "envs" / "catalogue")
    for owner in (environment, files, synth):
        monkeypatch.setattr(owner, "ROOT", tmp_path)
    return tmp_path


def changed(text: str) -> list[str]:
    """The lines that are not dev's."""
    lines = difflib.unified_diff(DEV.read_text().splitlines(), text.splitlines(), lineterm="", n=0)
    return [line[1:] for line in lines if line.startswith("+") and not line.startswith("+++")]


def test_only_what_tells_environments_apart_changes_and_data_is_protected() -> None:
    made = create_draft("prod", ACCOUNT, REGION)
    assert changed(made.text) == [
        "# prod, made from dev.",
        "environment: prod",
        f'account_id: "{ACCOUNT}"',
        f"region: {REGION}",
        "name_prefix: smlops-prod",
        f"  bucket: smlops-prod-state-{ACCOUNT}",
    ]
    assert made.settings.deletion_protection
    own = {"environment", "account_id", "region", "name_prefix", "state", "deletion_protection"}
    assert made.settings.model_dump(exclude=own) == made.source.model_dump(exclude=own)
    assert made.find_source_lines() == []


def test_the_longest_names_that_are_allowed_leave_room_for_every_endpoint() -> None:
    made = create_draft("abcdefghijkl", ACCOUNT, REGION, name_prefix="a" * 24)
    assert made.settings.name_prefix == "a" * 24


def test_one_that_is_disposable_says_so() -> None:
    made = create_draft("no", ACCOUNT, REGION, name_prefix="trial", disposable=True)
    assert made.settings.environment == "no", "which YAML would read as false"
    assert not made.settings.deletion_protection
    assert not any("deletion_protection" in line for line in changed(made.text)), "dev's line says it as well"


def test_what_names_the_other_account_is_replaced_or_pointed_to(repository: Path) -> None:
    page = repository / "envs" / "dev" / "settings.yaml"
    text = page.read_text().replace(
        "state:\n",
        "assume_role_arn: arn:aws:iam::123456789012:role/terraform # ours\n"
        "state:\n  kms_key_arn: arn:aws:kms:eu-north-1:123456789012:key/1\n",
    )
    page.write_text(text.replace("owner: ml-platform", "owner: ml-platform # of 123456789012"))
    made = create_draft("prod", ACCOUNT, REGION)
    assert made.settings.assume_role_arn == f"arn:aws:iam::{ACCOUNT}:role/terraform"
    assert made.settings.state.kms_key_arn is None
    (number,) = made.find_source_lines()
    assert made.text.splitlines()[number - 1] == "  owner: ml-platform # of 123456789012"


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"name": "Prod"}, "environment: 'Prod' must be 2 to 12 lower-case letters and digits"),
        ({"name": "../prod"}, "environment: '../prod' must be 2 to 12 lower-case letters and digits"),
        ({"name": "environment"}, "environment: 'environment' is a reserved name in envs/; choose another name"),
        ({"name": "dev"}, "envs/dev: already exists; choose another name"),
        ({"name": "storage"}, "storage: a module has this name; choose another"),
        ({"account": "1234"}, "account_id: '1234' must be the 12 digits of an account"),
        ({"region": "ireland"}, "region: 'ireland' must be a Region such as eu-north-1"),
        ({"region": "eu-west-9"}, "region: the catalogue has no Region eu-west-9; did you mean 'eu-west-"),
        ({"region": "us-iso-east-1"}, "region: 'us-iso-east-1' must be a Region such as eu-north-1, in partition aws,"),
        (
            {"region": "eu-south-2"},
            "prod/settings.yaml: region: eu-south-2 has no Serverless Inference",
        ),
        ({"source": "dve"}, "--from: no environment is named dve; did you mean 'dev'?"),
        ({"name_prefix": "Prod"}, "name_prefix: 'Prod' must be 3 to 24 lower-case letters"),
        ({"account": "123456789012", "region": "eu-north-1"}, "dev already uses account 123456789012 in eu-north-1"),
    ],
)
def test_what_cannot_be_is_one_line(asked: dict[str, Any], told: str) -> None:
    with pytest.raises(UserError) as refused:
        create_draft(**{"name": "prod", "account": ACCOUNT, "region": REGION, **asked})
    assert told in str(refused.value)
    assert "\n" not in str(refused.value)


def test_what_two_settings_share_by_an_anchor_is_told(repository: Path) -> None:
    page = repository / "envs" / "dev" / "settings.yaml"
    text = page.read_text().replace('account_id: "123456789012"', 'account_id: &it "123456789012"')
    page.write_text(text.replace("owner: ml-platform", "owner: *it"))
    with pytest.raises(UserError, match=r"settings\.yaml: a YAML anchor shares values that differ"):
        create_draft("prod", ACCOUNT, REGION)


def test_a_prefix_without_the_others_name_in_it_has_to_be_given(repository: Path) -> None:
    page = repository / "envs" / "dev" / "settings.yaml"
    page.write_text(page.read_text().replace("name_prefix: smlops-dev", "name_prefix: flights"))
    with pytest.raises(UserError, match="name_prefix: flights of dev does not contain the name of the environment: give --name-prefix"):
        create_draft("prod", ACCOUNT, REGION)
    assert create_draft("prod", ACCOUNT, REGION, name_prefix="prod").settings.name_prefix == "prod"


def test_it_is_refused_before_anything_starts(tmp_path: Path) -> None:
    nothing = {**os.environ, "PYTHONPATH": str(ROOT), "JSII_NODE": "/nowhere/node", "PATH": "/nowhere"}
    code = "from sustainable_mlops.commands import main; main()"
    asked = ("new", "environment", "dev", "--account", ACCOUNT, "--region", REGION)
    done = subprocess.run(
        [sys.executable, "-c", code, *asked], env=nothing, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: envs/dev: already exists; choose another name\n"


def test_nothing_is_left_of_one_that_cannot_be_synthesized(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any) -> Any:
        assert yaml.safe_load((repository / "envs" / "prod" / "settings.yaml").read_text())["environment"] == "prod"
        raise UserError("no Terraform")

    monkeypatch.setattr(synth, "synthesize", fails)
    before = sorted(repository.rglob("*"))
    with pytest.raises(UserError, match="no Terraform"):
        create_draft("prod", ACCOUNT, REGION).write(print)
    assert sorted(repository.rglob("*")) == before


@pytest.mark.apply
def test_the_printed_commands_apply_it_in_another_account_and_region_and_take_it_down(scratch: Clone) -> None:
    (scratch.folder / "envs" / "dev" / ".terraform").mkdir()
    asked = ("newcomer", "--account", ACCOUNT, "--region", "us-east-1", "--name-prefix", "ml-trial", "--disposable")
    printed = scratch.run("scripts/new.py", "environment", *asked)
    assert "Its data is not protected" in printed
    written = {"main.tf", "models.auto.tfvars.json", "outputs.tf", "settings.yaml", "variables.tf", "versions.tf"}
    written |= {f"deployer/{file.name}" for file in (ROOT / "envs" / "dev" / "deployer").iterdir()}
    assert set(scratch.new_files()) == {f"envs/newcomer/{name}" for name in written}
    scratch.run("scripts/synth.py", "--check")
    held = scratch.python("-m", "pytest", "-q", "-p", "no:xdist", "tests/envs", "-k", "committed and newcomer")
    assert held.count("passed") == 1

    *_, block = printed.split("The same on the sandbox")
    *up, teardown, stop = commands(block)
    plan = next(command for command in up if " plan " in command)
    try:
        scratch.shell(up)
        scratch.shell([plan.replace("-out plan.tfplan", "-detailed-exitcode")])
        scratch.shell([teardown])
        left = scratch.run("scripts/sandbox.py", "status", "--json")
        assert f"ml-trial-state-{ACCOUNT}" in left
        assert "ml-trial-data" not in left
    finally:
        scratch.shell([stop])
