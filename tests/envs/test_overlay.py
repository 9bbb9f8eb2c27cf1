"""The catalogue has common values and settings.yaml overrides; errors name the right file."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from envs import overlay, settings
from sustainable_mlops.base.errors import UserError
from tests.envs import example

DEV = yaml.safe_load((example.DEV / settings.FILE).read_text())
VALUES = st.recursive(
    st.integers() | st.text(max_size=3), lambda inner: st.dictionaries(st.sampled_from("abc"), inner), max_leaves=8
)
MAPPINGS = st.dictionaries(st.sampled_from("abc"), VALUES)


@pytest.fixture
def envs(tmp_path: Path) -> Path:
    """A folder with the catalogue and no environments."""
    shutil.copytree(example.CATALOGUE, tmp_path / "catalogue")
    return tmp_path


def load(envs: Path, **changes: Any) -> settings.EnvironmentSettings:
    (envs / "dev").mkdir(exist_ok=True)
    (envs / "dev" / "settings.yaml").write_text(yaml.safe_dump({**DEV, **changes}))
    return settings.load(envs / "dev")


def dump_models(loaded: settings.EnvironmentSettings) -> Any:
    return loaded.model_dump(exclude_unset=True)["models"]


def test_settings_override_single_fields_of_the_catalogue(envs: Path) -> None:
    (envs / "catalogue" / "models" / "fraud.yaml").write_text("description: Is it fraud?\n")
    changes = {"flight_delay": {"serverless_endpoint": {"max_concurrency": 9}}}
    unchanged, overridden = dump_models(load(envs)), dump_models(load(envs, models=changes))
    assert set(unchanged) == {"flight_delay", "fraud"}
    assert overridden["fraud"] == unchanged["fraud"]
    endpoint = unchanged["flight_delay"]["serverless_endpoint"]
    assert overridden["flight_delay"]["serverless_endpoint"] == {**endpoint, "max_concurrency": 9}
    assert overridden["flight_delay"]["description"] == unchanged["flight_delay"]["description"]


def test_null_removes_entries_and_fields(envs: Path) -> None:
    assert dump_models(load(envs, models={"flight_delay": None}, pipelines={"flight_delay": None})) == {}
    served_nowhere = dump_models(load(envs, models={"flight_delay": {"serverless_endpoint": None}}))
    assert served_nowhere["flight_delay"]["serverless_endpoint"] is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"models": {"flight_dely": {}}}, "models.flight_dely: is not in the catalogue; did you mean 'flight_delay'?"),
        ({"feature_groups": {"flihgts": {}}}, "feature_groups.flihgts: is not in the catalogue; did you mean"),
        ({"models": {"flight_delay": {"descripion": "x"}}}, "models.flight_delay.descripion: unknown key; did you"),
        ({"models": {"flight_delay": {"serverless_endpoint": {"memory_mb": 1000}}}}, "memory_mb: must be 1024, 2048"),
        ({"feature_groups": {"flights": {"event_time": "when"}}}, "event_time: 'when' must be one of its features"),
        ({"models": []}, "models: must be a mapping (key: value)"),
        (
            {"models": {"flight_delay": {"description": "of ${var.x}"}}},
            "models.flight_delay.description: settings cannot refer to Terraform values; for a literal '${', write",
        ),
    ],
)
def test_errors_of_settings_name_the_settings_file(envs: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError) as error:
        load(envs, **changes)
    assert str(error.value).startswith(f"{envs}/dev/settings.yaml: ")
    assert message in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("models/fraud.yaml", "descripion: x", "models.fraud.descripion: unknown key; did you mean 'description'?"),
        ("models/fraud.yaml", "serverless_endpoint: {vpc_config: {}}", "a serverless endpoint cannot join a VPC"),
        ("models/Fraud.yaml", "description: x", "models.Fraud: 'Fraud' must be 2 to 30 lower-case letters"),
        ("models/fraud.yaml", "", "is empty; it needs at least one setting"),
        ("models/fraud.yaml", "- x", "must be a mapping (key: value)"),
        ("models/fraud.yaml", "description: [", "line 1, column 15: not valid YAML"),
        ("models/fraud.yaml", "description: 'a %{if} b'", "description: settings cannot refer to Terraform values"),
        ("models/fraud.yml", "description: x", "this name is not read; rename it to fraud.yaml"),
        ("features/fares.yaml", "event_time: t", "feature_groups.fares.record_identifier: is missing; add it"),
    ],
)
def test_errors_of_the_catalogue_name_its_file(envs: Path, file: str, text: str, message: str) -> None:
    (envs / "catalogue" / file).write_text(text)
    with pytest.raises(UserError) as error:
        load(envs)
    assert str(error.value).startswith(f"{envs}/catalogue/{file}: ")
    assert message in str(error.value)
    assert "\n" not in str(error.value)


@given(MAPPINGS, MAPPINGS)
def test_overlays_are_idempotent_and_take_precedence(base: Any, override: Any) -> None:
    def combine(base: Any, override: Any) -> Any:
        return overlay.merge_catalogue({"models": {"m": base}}, {"models": {"m": override}}, "settings.yaml")["models"][
            "m"
        ]

    once = combine(base, override)
    assert combine(once, override) == once
    assert combine(base, {}) == base
    for key in {*base, *override}:
        if key not in override:
            assert once[key] == base[key]
        elif not (isinstance(override[key], dict) and isinstance(base.get(key), dict)):
            assert once[key] == override[key]
