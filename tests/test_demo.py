"""The demo, as `make demo` runs it."""

import json
import subprocess
import sys

import pytest

from sustainable_mlops.terraform import ROOT
from tests.reviewed import changes_nothing, reviewed, stops


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
    review = reviewed(json.loads((ROOT / "out" / "dev.plan.json").read_text()))
    assert stops(review) == []
    assert changes_nothing(review)
    # 300,000 requests of 0.2 s on 2 GB at 0.00002 USD/GB-s, x 1.063 in Stockholm.
    assert review.footprint.after.figures["cost"].central == pytest.approx(300_000 * 0.2 * 2 * 0.00002 * 1.063)
