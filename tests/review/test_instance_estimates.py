"""Instances that an earlier version did not estimate: each report shows their cost."""

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest

from sustainable_mlops.footprint import format_number
from sustainable_mlops.plan import load
from sustainable_mlops.review import review
from sustainable_mlops.review.formats import FORMATS, render
from tests.cases import check_cases
from tests.review.missed_cases.instances import COUNTED


@check_cases(("document", "usd"), COUNTED.values(), ids=COUNTED.keys())
def test_the_cost_of_instances_is_estimated(document: Mapping[str, Any], usd: float) -> None:
    result = review(load(json.dumps(document).encode(), "plan"))
    cost = result.footprint.delta.get("cost")
    assert cost is not None
    assert cost.central == pytest.approx(usd)
    assert {one.unknown.subject for one in result.footprint.uncounted} <= {"cost of EMR"}


@check_cases("form", sorted({*FORMATS} - {"sarif"}))  # which has findings alone
@check_cases(("document", "usd"), COUNTED.values(), ids=COUNTED.keys())
def test_every_format_reports_the_cost(document: Mapping[str, Any], usd: float, form: str) -> None:
    result = review(load(json.dumps(document).encode(), "plan"))
    text = f'"central": {result.footprint.delta.figures["cost"].central!r}' if form == "json" else format_number(usd)
    assert text in re.sub(r"\s+", " ", render(result, form))
