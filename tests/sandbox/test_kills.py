"""A sandbox that is killed under load loses only its last seconds."""

import random
from pathlib import Path

import pytest

from tests.sandbox.kills import kill_under_load


@pytest.mark.slow
def test_writes_more_than_five_seconds_before_a_kill_are_kept(tmp_path: Path) -> None:
    seed = random.randrange(2**32)  # noqa: S311 no secret
    print(f"seed {seed}")
    kill_under_load(tmp_path, times=2, seed=seed)
