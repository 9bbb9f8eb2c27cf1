"""The composition: what of the settings reaches which block of the root module."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from envs import settings
from sustainable_mlops import synth
from sustainable_mlops.errors import UserError
from sustainable_mlops.terraform import ROOT

Environment = Callable[..., Any]


def test_state_locks_itself_and_stays_in_the_account(environment: Environment, dev: dict[str, Any]) -> None:
    backend = environment().json()["terraform"]["backend"]["s3"]
    assert backend == {
        "bucket": dev["state"]["bucket"],
        "key": "dev/terraform.tfstate",
        "region": "eu-north-1",
        "encrypt": True,
        "use_lockfile": True,
        "allowed_account_ids": [dev["account_id"]],
    }


def test_a_role_to_assume_reaches_the_provider_and_the_state(environment: Environment, dev: dict[str, Any]) -> None:
    role = "arn:aws:iam::123456789012:role/terraform"
    root = environment(assume_role_arn=role)
    body = root.json()
    (provider,) = body["provider"]["aws"]
    assert provider["assume_role"] == {"role_arn": role}
    assert provider["allowed_account_ids"] == [dev["account_id"]]
    assert body["terraform"]["backend"]["s3"]["assume_role"] == {"role_arn": role}
    main, versions = root.files()["main.tf"], root.files()["versions.tf"]
    assert f'assume_role {{\nrole_arn = "{role}"\n}}' in main, "the provider takes a block"
    assert f'assume_role = {{\nrole_arn = "{role}"\n}}' in versions, "the backend takes an object"


def test_the_provider_tags_everything(environment: Environment) -> None:
    (provider,) = environment().json()["provider"]["aws"]
    assert set(provider["default_tags"]["tags"]) == {
        *("workload", "environment", "owner", "data_class", "latency_slo", "expires_on"),
    }


def test_data_is_protected_unless_the_settings_say_otherwise(environment: Environment) -> None:
    calls = environment(deletion_protection=None).json()["module"]
    assert all(calls[name]["deletion_protection"] for name in ("storage", "feature_store", "model_registry"))


def test_an_environment_of_settings_alone_has_no_endpoint_and_no_feature_group(environment: Environment) -> None:
    body = environment(feature_groups={}, models={}).json()
    assert body["module"]["feature_store"]["feature_groups"] == {}
    assert body["locals"]["serverless_endpoints"] == {}


def test_a_call_with_an_input_that_a_module_lacks_is_refused(environment: Environment, modules: dict[str, Any]) -> None:
    root = environment()
    with pytest.raises(UserError, match="module storage has no input 'buckets'"):
        root.call(modules["storage"], buckets={})
    with pytest.raises(UserError, match="module storage needs name_prefix, account_id, region"):
        root.call(modules["storage"])


@pytest.mark.parametrize("name", synth.names()[1])
def test_the_committed_root_module_reads_nothing_from_the_account(name: str) -> None:
    text = (ROOT / "envs" / name / "main.tf").read_text()
    assert 'data "' not in text
    assert json.dumps(settings.load(ROOT / "envs" / name).region) in text
