"""Reviews of typical plans: verdict, top of the comment, figures, Regions and coverage gaps."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cases import check_cases
from tests.field.shapes import HIDDEN, Shape, list_differences, list_shapes, push_images_before, render_formats

#: kgCO2e and USD a month after each plan, by shape and plan, from the arithmetic in README.md.
BY_HAND = {
    ("realtime_gpu", "created"): (51.5, 1075.1),
    ("realtime_gpu", "larger"): (112.4, 2741.7),
    ("asynchronous", "created"): (18.8, 599.4),
    ("asynchronous", "backlog"): (6.3, 139.8),
}


@pytest.mark.parametrize(
    "shape",
    [
        pytest.param(shape, id=str(shape), marks=[] if shape.is_manually_written else [pytest.mark.plan])
        for shape in list_shapes()
        if not shape.is_applied
    ],
)
def test_a_plan_is_reviewed_as_expected(shape: Shape, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    check_plans(
        shape, shape.plans(tmp_path, request.getfixturevalue("offline_environment") if shape.is_shareable else None)
    )


@pytest.mark.apply
@pytest.mark.parametrize("shape", [shape for shape in list_shapes() if shape.is_applied], ids=str)
def test_a_plan_and_a_change_after_its_apply_are_reviewed_as_expected(
    shape: Shape, tmp_path: Path, sandbox: Any, terraform_environment: dict[str, str]
) -> None:
    environment = terraform_environment if shape.is_shareable else sandbox.environment
    check_plans(shape, push_images_before(sandbox, shape.plans(tmp_path, environment)))


def check_plans(shape: Shape, plans: Iterable[tuple[str, dict[str, Any]]]) -> None:
    plans_by_name = dict(plans)
    differing = "".join(list_differences(shape, name, plan) for name, plan in plans_by_name.items())
    assert not differing, differing
    assert not any(HIDDEN in render_formats(name, plan) for name, plan in plans_by_name.items())


@check_cases(("shape", "plan"), BY_HAND, ids=[" ".join(key) for key in BY_HAND])
def test_figures_equal_the_arithmetic_by_hand(shape: str, plan: str) -> None:
    figures = yaml.safe_load(Shape(shape).expectation.read_text())[plan]["figures"]
    actual = figures["kgCO2e"]["after"], figures["USD"]["after"]
    assert actual == pytest.approx(BY_HAND[shape, plan], rel=0.005, abs=0.06)
