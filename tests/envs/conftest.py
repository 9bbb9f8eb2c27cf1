"""dev's root module with other settings. jsii starts once in a test process, and only where a test asks for it."""

from collections.abc import Callable
from typing import Any

import pytest
import yaml

from envs.settings import Settings
from sustainable_mlops import synth
from sustainable_mlops.terraform import ROOT


@pytest.fixture(scope="session")
def dev() -> dict[str, Any]:
    """What dev's settings say."""
    settings: dict[str, Any] = yaml.safe_load((ROOT / "envs" / "dev" / "settings.yaml").read_text())
    return settings


@pytest.fixture(scope="session")
def modules() -> dict[str, Any]:
    """Every module, synthesized."""
    return synth.load_all_modules()


@pytest.fixture(scope="session")
def environment(dev: dict[str, Any], modules: dict[str, Any]) -> Callable[..., Any]:
    """A function that synthesizes dev with settings changed; None takes one out."""
    from envs.environment import Environment

    def synthesized(**changed: Any) -> Any:
        settings = {name: value for name, value in {**dev, **changed}.items() if value is not None}
        return Environment(Settings.model_validate(settings), modules).synthesize()

    return synthesized
