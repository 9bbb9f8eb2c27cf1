"""dev's root module with other settings, as tests/envs has it."""

from tests.envs.conftest import dev as dev
from tests.envs.conftest import environment as environment
from tests.envs.conftest import modules as modules
