"""settings.yaml: what is refused, and that a person can tell what to do."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from envs import settings
from envs.settings import Settings
from sustainable_mlops.errors import UserError
from sustainable_mlops.settings import load_yaml
from sustainable_mlops.terraform import ROOT
from tests.renewal import renew

DEV = ROOT / "envs" / "dev" / "settings.yaml"


def edited(tmp_path: Path, path: str, value: Any) -> Path:
    """dev's settings with one value changed; None takes the key out."""
    whole = yaml.safe_load(DEV.read_text())
    *steps, last = path.split(".")
    inner = whole
    for step in steps:
        inner = inner[step]
    if value is None:
        del inner[last]
    else:
        inner[last] = value
    file = tmp_path / "settings.yaml"
    file.write_text(yaml.safe_dump(whole))
    return file


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("regoin", "eu-north-1", "unknown key; did you mean 'region'?"),
        ("account_id", 123456789012, "account_id: must be text; put it in quotes"),
        ("account_id", "1234", "account_id: '1234' must be the 12 digits of an account"),
        ("name_prefix", "Smlops", "name_prefix: 'Smlops' must be 3 to 24 lower-case letters"),
        ("name_prefix", "smlops--", "name_prefix: 'smlops--' must be 3 to 24 lower-case letters"),
        ("environment", "Dev", "environment: 'Dev' must be 2 to 12 lower-case letters and digits"),
        ("environment", "settings", "environment: 'settings' is a part of envs/ itself; choose another name"),
        ("tags.workload", "flight delay", "tags.workload: 'flight delay' must be letters, digits, - and _"),
        ("models", {"flight-delay": {}}, "models.flight-delay: 'flight-delay' must be 2 to 30 lower-case letters"),
        (
            "models",
            {"breast_cancer_stage": {"serverless_endpoint": {}}},
            "models.breast_cancer_stage: its endpoint would be named 'smlops-dev-breast-cancer-stage', "
            "30 characters of at most 24; shorten the key or name_prefix",
        ),
        (
            "models.flight_delay.reader_account_ids",
            ["1"],
            "reader_account_ids[0]: '1' must be the 12 digits of an account",
        ),
        ("state", None, "state: is missing; add it"),
        ("tags.data_class", "secret", "tags.data_class: must be 'public', 'internal' or 'confidential'"),
        ("tags.expires_on", "tomorrow", "tags.expires_on: 'tomorrow'"),
        ("log_retention_days", 13, "log_retention_days: must be 1, 3, 5"),
        ("models.flight_delay.serverless_endpoint.memory_mb", 2000, "memory_mb: must be 1024, 2048"),
        (
            "models.flight_delay.serverless_endpoint.vpc_config",
            {},
            "vpc_config: a serverless endpoint cannot join a VPC",
        ),
        (
            "models.flight_delay.serverless_endpoint.max_concurrency",
            500,
            "max_concurrency: must be less than or equal to 200",
        ),
        ("feature_groups.flights.event_time", "when", "event_time: 'when' must be one of its features"),
        ("feature_groups.flights.features.event_time", None, "event_time: 'event_time' must be one of its features"),
        ("feature_groups.flights.features.carrier.type", "Text", "type: must be 'Integral', 'Fractional' or 'String'"),
    ],
)
def test_a_mistake_is_one_line_that_names_the_file_the_field_and_the_remedy(
    tmp_path: Path, path: str, value: Any, message: str
) -> None:
    with pytest.raises(UserError) as error:
        load_yaml(edited(tmp_path, path, value), Settings)
    assert str(tmp_path / "settings.yaml") in str(error.value)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", [path.parent.name for path in ROOT.glob("envs/*/settings.yaml")])
def test_the_committed_settings_are_accepted(name: str) -> None:
    assert settings.load(ROOT / "envs" / name).environment == name


def test_an_environment_is_named_as_its_folder(tmp_path: Path) -> None:
    (tmp_path / "staging").mkdir()
    copy = edited(tmp_path / "staging", "deletion_protection", True)
    with pytest.raises(UserError, match="environment: 'dev' is not the name of its folder, 'staging'") as error:
        settings.load(copy.parent)
    assert str(copy) in str(error.value)


def test_two_environments_do_not_live_in_one_place(tmp_path: Path) -> None:
    (tmp_path / "dev").mkdir()
    (tmp_path / "staging").mkdir()
    folders = [edited(tmp_path / name, "environment", name).parent for name in ("dev", "staging")]
    with pytest.raises(UserError, match=r"account 123456789012 in eu-north-1 is where dev lives"):
        settings.load_all(folders)
    edited(folders[1], "region", "eu-west-1")
    staging = folders[1] / "settings.yaml"
    staging.write_text(staging.read_text().replace("environment: dev", "environment: staging"))
    assert set(settings.load_all(folders)) == {"dev", "staging"}


def test_the_schema_for_editors_is_fresh() -> None:
    assert (ROOT / "envs" / "settings.schema.json").read_text() == settings.schema(), renew("scripts/synth.py")


def test_the_feature_group_of_dev_is_what_the_workload_writes() -> None:
    from workloads.flight_delay import features

    group = load_yaml(DEV, Settings).feature_groups["flights"]
    assert {name: feature.type for name, feature in group.features.items()} == features.schema()
    assert (group.record_identifier, group.event_time) == (features.RECORD_IDENTIFIER, features.EVENT_TIME)


def test_no_environment_can_be_called_as_what_else_stands_in_their_folder() -> None:
    beside = {entry.name.partition(".")[0] for entry in DEV.parent.parent.glob("[!_.]*") if not entry.is_dir()}
    assert {"environment", "settings"} <= beside <= settings.PARTS
