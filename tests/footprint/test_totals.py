import re

from sustainable_mlops.footprint import JobActivity, estimate, estimate_plan
from sustainable_mlops.footprint.quantities import make_exact
from sustainable_mlops.plan import load
from tests.footprint.totals import FILE, FIXTURES, format_totals
from tests.stale_files import suggest_update


def test_totals_equal_the_reviewed_file() -> None:
    expected = FILE.read_text(encoding="utf-8").splitlines()
    assert list(format_totals()) == expected, suggest_update(".venv/bin/python -m tests.footprint.totals")


def test_each_assumption_has_a_unit() -> None:
    spot = estimate(JobActivity("ml.g5.xlarge", "eu-north-1", make_exact(1.0), spot=True))
    assert "price paid after the discount of managed spot: 0.4 of the price (0.1 to 0.7), class C" in spot.assumptions
    footprints = [estimate_plan(load(FIXTURES / f"{name}.json")) for name in ("change", "platform")]
    assumptions = {text for one in (spot, *(side.after for side in footprints)) for text in one.assumptions}
    assert [text for text in assumptions if not re.search(r": [\d.,e+-]+ [A-Za-z]\S*.* \(", text)] == []
