"""A sandbox that is killed under load keeps what it has saved."""

from pathlib import Path

import pytest

from tests.sandbox.killed_sandbox import kill_under_load


@pytest.mark.slow
def test_saved_writes_are_kept_after_a_kill(tmp_path: Path) -> None:
    kill_under_load(tmp_path, times=2, seed=7)
