"""The root module of dev with other settings, from tests/envs."""

from tests.envs.conftest import dev as dev
from tests.envs.conftest import environment as environment
from tests.envs.conftest import modules as modules
from tests.envs.conftest import pytest_collection_modifyitems as pytest_collection_modifyitems
