"""Environment of a training script."""

import json
import os
from types import SimpleNamespace


def training_env() -> SimpleNamespace:
    """Return the values of SM_TRAINING_ENV as attributes."""
    return SimpleNamespace(**json.loads(os.environ["SM_TRAINING_ENV"]))
