"""Comparison of endpoints, and its conclusions."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sustainable_mlops.advice import ServingRequirements
from sustainable_mlops.advice.comparison import EndpointComparison, compare_endpoints
from sustainable_mlops.advice.comparison.loads import make_usage
from sustainable_mlops.advice.comparison.shapes import PLAN, SHAPES, estimate_parts, find_capacities
from sustainable_mlops.advice.wording import describe_cold_start
from sustainable_mlops.base.terraform import ROOT
from sustainable_mlops.footprint import FleetActivity, ServerlessActivity, estimate, make_exact
from tests.advice.renew import make_plan_document
from tests.cases import check_cases
from tests.stale_files import suggest_update

REGION = "us-east-1"
REQUIREMENTS = ServingRequirements(region=REGION, requests_per_day=1.0)


def compare_loads(*loads: float, **changes: Any) -> EndpointComparison:
    return compare_endpoints(replace(REQUIREMENTS, **changes), loads or (10, 1_000, 100_000))


@pytest.mark.plan
def test_the_plan_is_that_of_the_hcl(tmp_path: Path, offline_environment: dict[str, str]) -> None:
    new_plan = json.loads(
        make_plan_document(tmp_path, offline_environment).replace("registry.opentofu.org", "registry.terraform.io")
    )
    committed = json.loads(PLAN.read_text())
    for one in (new_plan, committed):
        del one["terraform_version"]
    assert new_plan == committed, suggest_update(".venv/bin/python -m tests.advice.renew")


def test_the_described_defaults_equal_the_plan() -> None:
    known = find_capacities(REGION)
    assert known.keys() == {shape.name for shape in SHAPES}
    assert (known["serverless"].memory_mb, known["serverless"].maximum) == (2048, 5)
    of_instances = {name: (one.instance.name, one.minimum, one.maximum) for name, one in known.items() if one.instance}
    assert of_instances == {
        "realtime": ("ml.c7g.large", 2, 4),
        "asynchronous": ("ml.c7g.xlarge", 0, 2),
        "aws_ia": ("ml.t2.medium", 1, 1),
        "huggingface": ("ml.g4dn.xlarge", 1, 1),
    }
    assert {name for name, one in known.items() if one.target_requests_per_minute} == {"realtime"}


def test_figures_equal_a_manual_estimate_of_the_same_instances() -> None:
    """Compute a month of 100,000 requests a day, which keep one vCPU busy for 0.2 s each."""
    requests = 100_000 * 730 / 24
    by_hand: dict[str, FleetActivity | ServerlessActivity] = {
        "serverless": ServerlessActivity(2048, REGION, make_exact(requests), make_exact(0.2)),
        "realtime": FleetActivity(
            "ml.c7g.large", REGION, count=make_exact(2), duty=make_exact(requests * 0.2 / 3600 / 730 / 2 / 2)
        ),
        "aws_ia": FleetActivity("ml.t2.medium", REGION, volume_gb=30, duty=make_exact(requests * 0.2 / 3600 / 730 / 2)),
        "huggingface": FleetActivity("ml.g4dn.xlarge", REGION, duty=make_exact(requests * 0.02 / 3600 / 730)),
    }
    comparison = compare_loads(100_000)
    for name, activity in by_hand.items():
        for metric in ("total", "cost"):
            figure, expected = comparison.get_cell(name, 0).get_figure(metric), estimate(activity).get(metric)
            assert figure is not None
            assert expected is not None
            assert figure.central == pytest.approx(expected.central), (name, metric)
            assert figure.low <= figure.central <= figure.high


def test_idle_instances_decide_at_low_load() -> None:
    """Serverless grows with its requests, the others hardly, so their ratio falls with the load."""
    comparison = compare_loads()
    assert [shape.name if shape else None for shape in comparison.best_shapes] == ["serverless"] * 3
    for theirs in ("aws_ia", "huggingface"):
        ratios = [comparison.compute_ratio(theirs, number, "total") for number in range(3)]
        assert all(ratio is not None for ratio in ratios)
        assert ratios == sorted(ratios, key=lambda ratio: -(ratio or 0))
        assert (ratios[-1] or 0) > 1


@pytest.mark.parametrize("metric", ["total", "cost"])
def test_a_crossover_is_where_the_figures_are_equal(metric: str) -> None:
    """At the crossover both kinds use the same; below and above it the named kind uses less."""
    (one,) = (each for each in compare_loads().crossovers if each.metric == metric)
    assert (one.before, one.after) == ("serverless", "real-time")
    assert one.low is not None
    assert one.low <= one.requests_per_day
    assert one.high is None or one.high >= one.requests_per_day
    assert metric == "cost" or one.low < one.requests_per_day  # published prices have no interval
    for load, less in ((one.requests_per_day * 0.9, "serverless"), (one.requests_per_day * 1.1, "realtime")):
        requests = make_exact(load * 730 / 24)
        count = make_exact(max(2.0, load / 1440 / 600))
        duty = make_exact(min(1.0, load * 0.2 / 86400 / count.central / 2))
        figures = {
            "serverless": estimate(ServerlessActivity(2048, REGION, requests, make_exact(0.2))).get(metric),
            "realtime": estimate(FleetActivity("ml.c7g.large", REGION, count=count, duty=duty)).get(metric),
        }
        assert min(figures, key=lambda name: figures[name].central if figures[name] else 0) == less  # type: ignore[union-attr]


def test_a_kind_that_callers_do_not_accept_is_refused() -> None:
    comparison = compare_loads(latency=300.0)
    assert {shape.name if shape else None for shape in comparison.best_shapes} == {"realtime"}
    assert describe_cold_start() == comparison.get_cell("serverless", 0).refusal
    assert comparison.crossovers == ()
    waiting = compare_loads(latency="minutes")
    assert waiting.get_cell("asynchronous", 0).estimate is not None


def test_an_asynchronous_endpoint_is_on_longer_than_its_work() -> None:
    """Each request starts an instance that stays until it scales in: 1,000 a day never let it sleep."""
    few, many = (
        compare_loads(load, latency="minutes").get_cell("asynchronous", 0).get_figure("cost") for load in (10, 1_000)
    )
    assert few is not None
    assert many is not None
    always = estimate(FleetActivity("ml.c7g.xlarge", REGION)).get("cost")
    assert always is not None
    assert few.central < 0.15 * always.central
    assert many.central == pytest.approx(always.central, rel=0.02)


@check_cases(
    ("changes", "name", "why"),
    [
        ({"requests_per_day": 800_000.0}, "serverless", "at most 720,000 requests a day with this peak"),
        ({"requests_per_day": 300_000.0}, "aws_ia", "at most 288,000 requests a day with this peak"),
        ({"model_mb": 900.0}, "serverless", "needs about 2,312 MB of memory, and it has 2,048 MB"),
        ({"region": "eu-north-1"}, "aws_ia", "eu-north-1 does not offer ml.t2.medium"),
    ],
)
def test_a_load_beyond_the_defaults_has_a_refusal(changes: dict[str, Any], name: str, why: str) -> None:
    load = changes.pop("requests_per_day", 10.0)
    cell = compare_loads(load, **changes).get_cell(name, 0)
    assert cell.estimate is None
    assert why in cell.refusal


def test_request_scaling_adds_nothing_if_an_instance_is_full_before() -> None:
    """Two vCPUs process 120 requests of a second in a minute, but the policy waits for 600."""
    slow, fast = (
        next(row for row in compare_loads(1_000, duration_s=seconds).rows if row.shape.name == "realtime")
        for seconds in (1.0, 0.1)
    )
    assert slow.max_requests_per_day == pytest.approx(2 * 2 * 86_400 / 1.0 / 3)
    assert fast.max_requests_per_day == pytest.approx(4 * 2 * 86_400 / 0.1 / 3)
    comparison = compare_loads(200_000, duration_s=1.0).get_cell("realtime", 0)
    assert "at most 115,200 requests a day" in comparison.refusal


def test_unbounded_usage_has_enough_instances() -> None:
    requirements = replace(REQUIREMENTS, requests_per_day=86_400.0 * 20, duration_s=1.0)
    used = make_usage(
        next(one for one in SHAPES if one.name == "realtime"),
        find_capacities(REGION)["realtime"],
        requirements,
        bounded=False,
    )
    assert used["instances"].central == pytest.approx(20 / 2)
    assert used["instances"].high == pytest.approx(20 / 2 * requirements.peak)


def test_another_region_has_its_own_grid_and_prices() -> None:
    figures = {
        region: part.estimate.get("total")
        for region in ("us-east-1", "eu-north-1")
        if (part := estimate_parts(region, {})["huggingface"]).estimate
    }
    assert (figures["us-east-1"] or figures["eu-north-1"]) is not None
    assert figures["us-east-1"].central > 3 * figures["eu-north-1"].central  # type: ignore[union-attr]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "scripts/smlops.py", "compare", *arguments]
    environment = os.environ | {"COLUMNS": "200"}
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, env=environment)


@pytest.mark.slow
def test_the_command_prints_the_table_or_json() -> None:
    process = run()
    assert process.returncode == 0, process.stderr
    assert "serverless serves at most" in process.stdout
    assert "serverless serves at most" not in run("--duration", "61").stdout
    for text in (
        "100,000 requests a day",
        "AWS keeps ready between serverless requests",
        "Both public modules can scale",
        "ml.t2.medium",
        "By carbon, real-time is the better",
        "not measured",
    ):
        assert text in process.stdout
    answer = json.loads(run("--json", "--requests-per-day", "50").stdout)
    assert [one["name"] for one in answer["endpoints"]] == [shape.name for shape in SHAPES]
    assert answer["chosen"] == ["serverless"]


@pytest.mark.slow
@check_cases(
    ("arguments", "message"),
    [
        (["--latency", "soon"], "--latency: soon must be"),
        (["--region", "mars-1"], "--region: the catalogue has no Region mars-1"),
        (["--duration", "0"], "--duration: 0 must be more than 0"),
        (["--requests-per-day", "-5"], "--requests-per-day: -5 must be more than 0"),
        (["--accelerated-duration", "0"], "--accelerated-duration: 0 must be more than 0"),
    ],
)
def test_bad_input_is_one_line(arguments: list[str], message: str) -> None:
    process = run(*arguments)
    assert (process.returncode, process.stdout, process.stderr.count("\n")) == (2, "", 1)
    assert process.stderr.startswith(f"error: {message}")
