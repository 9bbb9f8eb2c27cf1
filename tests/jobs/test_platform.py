"""The platform parameter of the environments, as launchers read it."""

import json
import re
from pathlib import Path

import yaml

from sustainable_mlops.base.settings import parse_json
from sustainable_mlops.jobs.platform import Platform
from tests.jobs.support import PLATFORM


def test_only_environments_whose_settings_allow_warm_pools_publish_them(root: Path) -> None:
    parameters, expected = {}, {}
    for file in root.glob("envs/*/main.tf"):
        match = re.search(r"^    warm_pools +=\s(\w+)$", file.read_text(), re.MULTILINE)
        assert match is not None, file
        parameters[file.parent.name] = match[1]
        settings = yaml.safe_load(file.with_name("settings.yaml").read_text())
        expected[file.parent.name] = str(settings.get("warm_pools", False)).lower()
    assert parameters == expected != {}


def test_a_platform_without_the_field_allows_no_warm_pools() -> None:
    document = {name: value for name, value in PLATFORM.items() if name != "warm_pools"}
    assert not parse_json(json.dumps(document), Platform, "platform").warm_pools
