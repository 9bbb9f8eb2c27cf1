"""The demo, as `make demo` runs it."""

import json
import subprocess
import sys

import pytest

from sustainable_mlops.terraform import ROOT


@pytest.mark.apply
def test_the_demo_trains_serves_and_leaves_nothing() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "demo.py")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "✓ Look for what is left" in done.stderr
    figures = json.loads((ROOT / "out" / "demo.json").read_text())
    assert 0.65 < float(figures["AUC of the endpoint on 4,000 held-out flights"]) < 0.75
    record = json.loads((ROOT / figures["Record of the run"]).read_text())
    assert (record["status"], record["interruptions"]) == ("Completed", 1)
    assert record["figures"]["co2e_operational"]["basis"] == "estimated"
