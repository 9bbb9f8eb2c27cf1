"""A new environment copies the settings of another to another account and Region, ready to apply."""

import difflib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from clone import synth
from clone.scaffold import environment, files
from clone.scaffold.environment import create_draft
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.terraform import ROOT
from tests.cases import check_cases
from tests.clone.scaffold.conftest import Clone, list_commands
from tests.envs import example

#: An account and Region without environments.
ACCOUNT, REGION = "000000000042", "eu-west-1"
DEV = example.DEV / "settings.yaml"


@pytest.fixture(autouse=True)
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with only the environment dev and the module storage."""
    (tmp_path / "modules" / "storage").mkdir(parents=True)
    (tmp_path / "modules" / "storage" / "module.py").touch()
    for source in (example.DEV, example.CATALOGUE):
        shutil.copytree(source, tmp_path / "envs" / source.name)
    for owner in (environment, files, synth):
        monkeypatch.setattr(owner, "ROOT", tmp_path)
    return tmp_path


def list_changed_lines(text: str) -> list[str]:
    """Return the lines that differ from dev."""
    lines = difflib.unified_diff(DEV.read_text().splitlines(), text.splitlines(), lineterm="", n=0)
    return [line[1:] for line in lines if line.startswith("+") and not line.startswith("+++")]


def test_only_settings_specific_to_an_environment_change_and_data_is_protected() -> None:
    draft = create_draft("prod", ACCOUNT, REGION)
    assert list_changed_lines(draft.text) == [
        "# prod, made from dev.",
        "environment: prod",
        f'account_id: "{ACCOUNT}"',
        f"region: {REGION}",
        "name_prefix: smlops-prod",
        f"  bucket: smlops-prod-state-{ACCOUNT}",
    ]
    assert draft.settings.deletion_protection
    own = {"environment", "account_id", "region", "name_prefix", "state", "deletion_protection"}
    assert draft.settings.model_dump(exclude=own) == draft.source.model_dump(exclude=own)
    assert draft.find_source_lines() == []
    assert "create_provider" not in draft.render_bootstrap()
    same = create_draft("prod", "123456789012", REGION).render_bootstrap()
    assert "= { create_provider = false }" in same, "dev's account has the identity providers already"
    assert "block_public_access = false" in same, (
        "a second block would have the same owner, and its destroy would end it"
    )


def test_a_new_environment_shares_no_models_with_the_readers_of_its_source(repository: Path) -> None:
    readers = f'reader_account_ids: ["{ACCOUNT}"]'
    sharing = f"# staging reads\nmodels:\n  flight_delay:\n    {readers}\nstorage:\n  {readers}\n"
    with (repository / "envs" / "dev" / "settings.yaml").open("a") as file:
        file.write(f"\n{sharing}  lifecycle_days: {{logs: 30}}\n")
    draft: Any = create_draft("staging", ACCOUNT, REGION)
    assert draft.text.endswith("\n# staging reads\nstorage:\n  lifecycle_days: {logs: 30}\n")
    assert draft.settings.storage.lifecycle_days.logs == 30


def test_readers_may_be_a_list_with_an_item_per_line(repository: Path) -> None:
    page = repository / "envs" / "dev" / "settings.yaml"
    text = page.read_text()
    page.write_text(f"{text}\nstorage:\n  reader_account_ids:\n    - '{ACCOUNT}'\n")
    assert "reader_account_ids" not in create_draft("staging", ACCOUNT, REGION).text
    page.write_text(f"{text}\nstorage: {{reader_account_ids: ['{ACCOUNT}']}}\n")
    with pytest.raises(UserError, match=r"dev/settings.yaml: storage.reader_account_ids: write it on its own line"):
        create_draft("staging", ACCOUNT, REGION)


def test_the_longest_allowed_names_fit_all_endpoints() -> None:
    draft = create_draft("abcdefghijkl", ACCOUNT, REGION, name_prefix="a" * 24)
    assert draft.settings.name_prefix == "a" * 24


def test_disposable_environments_disable_deletion_protection() -> None:
    draft = create_draft("no", ACCOUNT, REGION, name_prefix="trial", disposable=True)
    assert draft.settings.environment == "no", "YAML reads an unquoted no as false"
    assert not draft.settings.deletion_protection
    assert not any("deletion_protection" in line for line in list_changed_lines(draft.text)), (
        "dev's line says it as well"
    )


def test_references_to_the_source_account_are_replaced_or_reported(repository: Path) -> None:
    page = repository / "envs" / "dev" / "settings.yaml"
    text = page.read_text().replace(
        "state:\n",
        "assume_role_arn: arn:aws:iam::123456789012:role/terraform # ours\n"
        "state:\n  kms_key_arn: arn:aws:kms:eu-north-1:123456789012:key/1\n",
    )
    page.write_text(text.replace("owner: ml-platform", "owner: ml-platform # of 123456789012"))
    draft = create_draft("prod", ACCOUNT, REGION)
    assert draft.settings.assume_role_arn == f"arn:aws:iam::{ACCOUNT}:role/terraform"
    assert draft.settings.state.kms_key_arn is None
    (number,) = draft.find_source_lines()
    assert draft.text.splitlines()[number - 1] == "  owner: ml-platform # of 123456789012"


@check_cases(
    ("options", "message"),
    [
        ({"name": "Prod"}, "environment: 'Prod' must be 2 to 12 lower-case letters and digits"),
        ({"name": "../prod"}, "environment: '../prod' must be 2 to 12 lower-case letters and digits"),
        ({"name": "environment"}, "environment: 'environment' is a reserved name in envs/; choose another name"),
        ({"name": "dev"}, "envs/dev: already exists; choose another name"),
        ({"name": "storage"}, "storage: a module has this name; choose another"),
        ({"account": "1234"}, "account_id: '1234' must be the 12 digits of an account"),
        ({"region": "ireland"}, "region: 'ireland' must be a Region of the catalogue such as eu-north-1"),
        ({"region": "eu-west-9"}, "region: 'eu-west-9' must be a Region of the catalogue such as eu-north-1"),
        ({"region": "eu-west-9"}, "; did you mean 'eu-west-"),
        ({"region": "us-iso-east-1"}, "such as eu-north-1, in partition aws, aws-cn or aws-us-gov"),
        (
            {"region": "eu-south-2"},
            "prod/settings.yaml: region: eu-south-2 has no Serverless Inference",
        ),
        ({"source": "dve"}, "--from: no environment is named dve; did you mean 'dev'?"),
        ({"name_prefix": "Prod"}, "name_prefix: 'Prod' must be 3 to 24 lower-case letters"),
        (
            {"account": "123456789012", "name_prefix": "smlops-dev-2"},
            "name_prefix: names with smlops-dev-2 also start with smlops-dev of dev, in the same account 123456789012",
        ),
    ],
)
def test_invalid_options_are_one_line_errors(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError) as error:
        create_draft(**{"name": "prod", "account": ACCOUNT, "region": REGION, **options})
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_a_second_environment_of_an_account_and_region_shares_the_log_groups_of_jobs() -> None:
    draft = create_draft("lab", "123456789012", "eu-north-1", disposable=True)
    assert draft.settings.account_log_groups == "shared"
    draft.folder.mkdir()
    (draft.folder / "settings.yaml").write_text(draft.text)
    elsewhere = create_draft("prod", ACCOUNT, REGION, source="lab")
    assert elsewhere.settings.account_log_groups == "owned"
    assert "account_log_groups" not in elsewhere.text


def test_settings_shared_by_an_anchor_are_reported(repository: Path) -> None:
    page = repository / "envs" / "dev" / "settings.yaml"
    text = page.read_text().replace('account_id: "123456789012"', 'account_id: &it "123456789012"')
    page.write_text(text.replace("owner: ml-platform", "owner: *it"))
    with pytest.raises(UserError, match=r"settings\.yaml: a YAML anchor shares values that differ"):
        create_draft("prod", ACCOUNT, REGION)


def test_a_prefix_without_the_source_name_must_be_specified(repository: Path) -> None:
    page = repository / "envs" / "dev" / "settings.yaml"
    page.write_text(page.read_text().replace("name_prefix: smlops-dev", "name_prefix: flights"))
    with pytest.raises(
        UserError, match="name_prefix: flights of dev does not contain the name of the environment: pass --name-prefix"
    ):
        create_draft("prod", ACCOUNT, REGION)
    assert create_draft("prod", ACCOUNT, REGION, name_prefix="prod").settings.name_prefix == "prod"


def test_invalid_environments_are_rejected_before_synthesis(tmp_path: Path) -> None:
    variables = {**os.environ, "PYTHONPATH": str(ROOT), "JSII_NODE": "/nowhere/node", "PATH": "/nowhere"}
    code = "from sustainable_mlops.commands import main; main()"
    options = ("new", "environment", "dev", "--account", ACCOUNT, "--region", REGION)
    result = subprocess.run(
        [sys.executable, "-c", code, *options], env=variables, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == "error: envs/dev: already exists; choose another name\n"


def test_environments_that_fail_synthesis_are_removed(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> Any:
        assert yaml.safe_load((repository / "envs" / "prod" / "settings.yaml").read_text())["environment"] == "prod"
        raise UserError("no Terraform")

    monkeypatch.setattr(synth, "synthesize", fail)
    before = sorted(repository.rglob("*"))
    with pytest.raises(UserError, match="no Terraform"):
        create_draft("prod", ACCOUNT, REGION).write(print)
    assert sorted(repository.rglob("*")) == before


@pytest.mark.release
@pytest.mark.apply
def test_the_printed_commands_apply_and_destroy_an_environment_in_another_account_and_region(scratch: Clone) -> None:
    (scratch.folder / "envs" / "dev" / ".terraform").mkdir()
    options = ("newcomer", "--account", ACCOUNT, "--region", "us-east-1", "--name-prefix", "ml-trial", "--disposable")
    printed = scratch.run("scripts/smlops.py", "new", "environment", *options)
    assert "Its data is not protected" in printed
    root_module = {"main.tf", "models.auto.tfvars.json", "outputs.tf", "settings.yaml", "variables.tf", "versions.tf"}
    root_module |= {"bootstrap/main.tf"} | {
        f"deployer/{file.name}" for file in (ROOT / "envs" / "dev" / "deployer").iterdir()
    }
    assert set(scratch.list_new_files()) == {f"envs/newcomer/{name}" for name in root_module}
    scratch.run("scripts/smlops.py", "synth", "--check")
    held = scratch.run_python("-m", "pytest", "-q", "-p", "no:xdist", "tests/envs", "-k", "committed and newcomer")
    assert held.count("passed") == 1

    *_, block = printed.split("The same on the sandbox")
    *up, teardown, stop = list_commands(block)
    plan = next(command for command in up if " plan " in command)
    try:
        scratch.run_shell(up)
        scratch.run_shell([plan.replace("-out plan.tfplan", "-detailed-exitcode")])
        scratch.run_shell([teardown])
        left = scratch.run("scripts/smlops.py", "sandbox", "status", "--json")
        assert f"ml-trial-state-{ACCOUNT}" in left
        assert "ml-trial-data" not in left
    finally:
        scratch.run_shell([stop])
