"""Settings and catalogue of an environment for tests.

People change the settings and the catalogue in `envs/`, so tests expect content of these copies only.
"""

from pathlib import Path
from typing import Any

from envs import settings

FOLDER = Path(__file__).parent
CATALOGUE = FOLDER / "catalogue"
DEV = FOLDER / "dev"


def load_dev() -> dict[str, Any]:
    """Return the settings of dev, merged with the catalogue."""
    return settings.load(DEV).model_dump(exclude_unset=True)
