"""Positions and widths of bars, in percent of the widest."""

import pytest

from sustainable_mlops.review import Review
from sustainable_mlops.review.formats import charts, effects
from tests.review.test_report import CHANGE, PLATFORM


@pytest.mark.parametrize(("result", "kind"), [(CHANGE, "less"), (PLATFORM, "more")])
def test_a_waterfall_leads_from_before_through_each_change_to_after(result: Review, kind: str) -> None:
    changes = [(row.address, row.kg[2]) for row in effects.list_rows(result)]
    now, *steps, after = charts.build_waterfall(effects.list_totals(result.footprint)[0], changes)
    assert {step.kind for step in steps} == {kind}
    reached = now.start + now.width
    for step in steps:
        left, right = step.start, step.start + step.width
        assert (left if step.kind == "more" else right) == pytest.approx(reached)
        reached = right if step.kind == "more" else left
    assert after.start == now.start == 0
    assert after.width == pytest.approx(reached)
    assert max(bar.start + bar.width for bar in (now, *steps, after)) == pytest.approx(100)
