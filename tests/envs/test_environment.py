"""The composition: what of the settings reaches which block of the root module."""

import json
from typing import Any

import pytest
import yaml

from envs.environment import Environment
from envs.settings import Settings
from sustainable_mlops import synth
from sustainable_mlops.terraform import ROOT

DEV: dict[str, Any] = yaml.safe_load((ROOT / "envs" / "dev" / "settings.yaml").read_text())


@pytest.fixture(scope="module")
def modules() -> dict[str, Any]:
    return synth.load_modules(synth.names()[0])


def synthesized(modules: dict[str, Any], **changed: Any) -> Environment:
    environment = Environment(Settings.model_validate({**DEV, **changed}), modules)
    environment.synthesize()
    return environment


def test_state_locks_itself_and_stays_in_the_account(modules: dict[str, Any]) -> None:
    backend = synthesized(modules).json()["terraform"]["backend"]["s3"]
    assert backend == {
        "bucket": DEV["state"]["bucket"],
        "key": "dev/terraform.tfstate",
        "region": "eu-north-1",
        "encrypt": True,
        "use_lockfile": True,
        "allowed_account_ids": [DEV["account_id"]],
    }


def test_a_role_to_assume_reaches_the_provider_and_the_state(modules: dict[str, Any]) -> None:
    role = "arn:aws:iam::123456789012:role/terraform"
    environment = synthesized(modules, assume_role_arn=role)
    body = environment.json()
    (provider,) = body["provider"]["aws"]
    assert provider["assume_role"] == {"role_arn": role}
    assert provider["allowed_account_ids"] == [DEV["account_id"]]
    assert body["terraform"]["backend"]["s3"]["assume_role"] == {"role_arn": role}
    main, versions = environment.files()["main.tf"], environment.files()["versions.tf"]
    assert f'assume_role {{\nrole_arn = "{role}"\n}}' in main, "the provider takes a block"
    assert f'assume_role = {{\nrole_arn = "{role}"\n}}' in versions, "the backend takes an object"


def test_the_provider_tags_everything(modules: dict[str, Any]) -> None:
    (provider,) = synthesized(modules).json()["provider"]["aws"]
    assert set(provider["default_tags"]["tags"]) == {
        *("workload", "environment", "owner", "data_class", "latency_slo", "expires_on"),
    }


def test_data_is_protected_unless_the_settings_say_otherwise(modules: dict[str, Any]) -> None:
    settings = {name: value for name, value in DEV.items() if name != "deletion_protection"}
    environment = Environment(Settings.model_validate(settings), modules)
    environment.synthesize()
    calls = environment.json()["module"]
    assert all(calls[name]["deletion_protection"] for name in ("storage", "feature_store", "model_registry"))


def test_an_environment_of_settings_alone_has_no_endpoint_and_no_feature_group(modules: dict[str, Any]) -> None:
    body = synthesized(modules, feature_groups={}, models={}).json()
    assert body["module"]["feature_store"]["feature_groups"] == {}
    assert body["locals"]["serverless_endpoints"] == {}


def test_a_call_with_an_input_that_a_module_lacks_is_refused(modules: dict[str, Any]) -> None:
    root = synthesized(modules)
    with pytest.raises(TypeError, match="module storage has no input 'buckets'"):
        root.call(modules["storage"], buckets={})
    with pytest.raises(TypeError, match="module storage needs name_prefix, account_id, region"):
        root.call(modules["storage"])


def test_the_committed_root_module_reads_nothing_from_the_account() -> None:
    text = (ROOT / "envs" / "dev" / "main.tf").read_text()
    assert 'data "' not in text
    assert json.dumps(DEV["region"]) in text
