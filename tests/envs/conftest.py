"""dev's root module with other settings. jsii starts once in a test process, and only where a test asks for it."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from envs import settings
from envs.component import Component
from envs.environment import COMPONENTS
from envs.settings import EnvironmentSettings
from sustainable_mlops import synth
from sustainable_mlops.terraform import ROOT


@pytest.fixture(scope="session")
def dev() -> dict[str, Any]:
    """What dev's settings say, over the catalogue."""
    return settings.load(ROOT / "envs" / "dev").model_dump(exclude_unset=True)


@pytest.fixture(scope="session")
def modules() -> dict[str, Any]:
    """Every module, synthesized."""
    return synth.load_all_modules()


@pytest.fixture(scope="session")
def environment(dev: dict[str, Any], modules: dict[str, Any]) -> Callable[..., Any]:
    """A function that synthesizes dev with settings changed (None takes one out), of these components."""

    def synthesized(components: Sequence[type[Component[Any]]] = COMPONENTS, **changed: Any) -> Any:
        from envs.root import Environment

        given = {name: value for name, value in {**dev, **changed}.items() if value is not None}
        return Environment(EnvironmentSettings.model_validate(given), modules, components).synthesize()

    return synthesized
