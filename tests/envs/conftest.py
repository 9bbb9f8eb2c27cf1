"""The root module of the example with changed settings. jsii starts at most once in a test process."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from clone import synth
from envs.component import Component
from envs.environment import COMPONENTS
from envs.settings import EnvironmentSettings
from tests.envs.example import load_dev


@pytest.hookimpl(tryfirst=True)  # before tests are deselected
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that synthesize as slow: jsii takes seconds to start."""
    for item in items:
        if isinstance(item, pytest.Function) and "modules" in item.fixturenames:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def dev() -> dict[str, Any]:
    """The settings of dev, merged with the catalogue."""
    return load_dev()


@pytest.fixture(scope="session")
def modules() -> dict[str, Any]:
    """All modules, synthesized."""
    return synth.load_all_modules()


@pytest.fixture(scope="session")
def environment(dev: dict[str, Any], modules: dict[str, Any]) -> Callable[..., Any]:
    """A function that synthesizes dev with these components and changed settings; None removes a setting."""

    def synthesized(components: Sequence[type[Component[Any]]] = COMPONENTS, **changed: Any) -> Any:
        from envs.root import EnvironmentRoot

        values = {name: value for name, value in {**dev, **changed}.items() if value is not None}
        return EnvironmentRoot(EnvironmentSettings.model_validate(values), modules, components).synthesize()

    return synthesized
