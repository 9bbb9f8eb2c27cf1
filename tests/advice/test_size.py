"""Input size that exceeds the memory of a job, and the options to scale up."""

import json
import subprocess
import sys
from math import inf
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sustainable_mlops.advice.size import GIB, MAX_INSTANCES, GrowingJob, MemorySample, forecast_growth, format_growth
from sustainable_mlops.advice.wording import format_figure_cell
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.catalogue import instances
from sustainable_mlops.footprint import estimate_job
from tests.cases import check_cases


def make_job(*samples: tuple[float, float], **changes: Any) -> GrowingJob:
    """Return a job on 8 GiB with samples in GiB."""
    measured = tuple(MemorySample(size * GIB, peak * GIB) for size, peak in samples or ((1.0, 2.0),))
    return GrowingJob(**{"instance_type": "ml.m5.large", "samples": measured, **changes})


def test_one_size_gives_proportional_growth_and_two_give_a_line() -> None:
    # 90 % (80 to 95 %) of 8 GiB are available to the job.
    one = forecast_growth(make_job((1, 2)))
    assert (one.low, one.outgrown_at, one.high) == pytest.approx((3.2 * GIB, 3.6 * GIB, 3.8 * GIB))
    assert "only one size was measured" in one.basis
    two = forecast_growth(make_job((1, 2), (2, 3)))
    assert two.outgrown_at == pytest.approx(6.2 * GIB)  # 1 GiB is fixed
    assert "a line through 2 measured runs of 2 sizes" in two.basis
    falling = forecast_growth(make_job((1, 3), (2, 2)))
    assert falling.outgrown_at == pytest.approx(2.4 * GIB)
    assert "no rising line" in falling.basis


@check_cases("region", ["eu-north-1", "us-east-1"])
def test_options_are_ranked_by_the_carbon_and_then_the_cost_of_an_instance_hour(region: str) -> None:
    options = forecast_growth(make_job((1, 2)), 10 * GIB, region).options
    figures = []
    for one in options:
        hour = estimate_job(one.instance_type, 1, 3600, region)
        assert one.instance_hour.to_dict() == hour.to_dict()
        figures.append((hour.figures["total"].central, hour.figures["cost"].central))
    assert figures == sorted(figures)
    text = list(format_growth(make_job((1, 2)), forecast_growth(make_job((1, 2)), 10 * GIB, region)))
    assert f"     an instance-hour: {' '.join(format_figure_cell(options[0].instance_hour.get('total')))}" in text[3]
    assert any(line.startswith("classes: A measured") for line in text)


def test_options_are_shards_a_larger_type_and_spark() -> None:
    by_kind = {one.kind: one for one in forecast_growth(make_job((1, 2)), 10 * GIB).options}
    shards, larger, spark = by_kind["shards"], by_kind["larger type"], by_kind["Spark"]
    assert (shards.kind, shards.instances, shards.instance_type) == ("shards", 3, "ml.m5.large")
    assert shards.outgrown_at == pytest.approx(3 * 3.6 * GIB)
    forecast = instances.find(larger.instance_type)
    assert forecast is not None
    assert (larger.kind, larger.instances) == ("larger type", 1)
    assert 0.9 * forecast.memory_gib / 2 >= 10
    assert forecast.vcpu >= 2
    assert (spark.kind, spark.outgrown_at) == ("Spark", inf)


@check_cases(
    ("changes", "target", "kinds"),
    [
        ({"objects": 2}, 10, ["larger type", "Spark"]),  # two objects make no three shards
        ({"use": "training"}, 10, ["larger type"]),
        ({}, 5_000_000, ["Spark"]),
        ({"use": "training"}, 5_000_000, []),
        ({}, 3.5, []),
    ],
)
def test_options_that_cannot_hold_the_target_are_left_out(
    changes: dict[str, Any], target: float, kinds: list[str]
) -> None:
    forecast = forecast_growth(make_job((1, 2), **changes), target * GIB)
    assert sorted(one.kind for one in forecast.options) == sorted(kinds)
    assert ("fits" in " ".join(format_growth(make_job(**changes), forecast))) == (target < 3.6)


def test_sharded_instances_hold_more_input() -> None:
    shared = forecast_growth(make_job((1, 2), instances=4, is_sharded=True), 20 * GIB)
    assert shared.outgrown_at == pytest.approx(4 * 3.6 * GIB)
    assert {one.kind: one.instances for one in shared.options}["shards"] == 6
    assert forecast_growth(make_job((1, 2), instances=4)).outgrown_at == pytest.approx(3.6 * GIB)


def test_a_larger_type_has_the_same_accelerator() -> None:
    on_gpu = forecast_growth(make_job((1, 2), instance_type="ml.g5.xlarge", use="training"), 20 * GIB).options[0]
    current, larger = instances.find("ml.g5.xlarge"), instances.find(on_gpu.instance_type)
    assert current is not None
    assert larger is not None
    assert larger.accelerator == current.accelerator
    plain = instances.find(forecast_growth(make_job((1, 2)), 100 * GIB).options[1].instance_type)
    assert plain is not None
    assert plain.accelerator is None


@settings(deadline=None)  # the first reads the catalogue
@given(
    samples=st.lists(st.tuples(st.floats(0.01, 100), st.floats(0.01, 100)), min_size=1, max_size=5),
    target=st.floats(0.01, 1e5),
)
def test_every_option_holds_the_target(samples: list[tuple[float, float]], target: float) -> None:
    forecast = forecast_growth(make_job(*samples), target * GIB)
    assert 0 <= forecast.low <= forecast.outgrown_at <= forecast.high
    for one in forecast.options:
        assert one.outgrown_at >= target * GIB * (1 - 1e-9)
        assert 1 <= one.instances <= MAX_INSTANCES
    json.dumps(forecast.to_dict(), allow_nan=False)


@check_cases(
    ("changes", "message"),
    [
        ({"instance_type": "ml.m55.large"}, "instance_type: the catalogue has no instance type ml.m55.large"),
        ({"samples": ()}, "no run has a measurement"),
        ({"samples": (MemorySample(0, 1),)}, "input and peak memory must be more than 0 bytes"),
    ],
)
def test_an_invalid_job_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        make_job(**changes)


def run(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(root / "scripts" / "smlops.py"), "size", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=root)


@pytest.mark.slow
def test_the_command_prints_lines_or_json(root: Path) -> None:
    options = ("--instance-type", "ml.m5.xlarge", "--input-gb", "2", "--peak-gb", "6", "--target-gb", "20")
    process = run(root, *options)
    assert process.returncode == 0, process.stderr
    assert process.stdout.startswith("1 x ml.m5.xlarge: memory for 5.2 GB of input (4.6 GB to 5.4 GB), in proportion")
    assert "shards: 4 x ml.m5.xlarge, up to 21 GB: sharding: by_key" in process.stdout
    answer = json.loads(run(root, *options, "--json").stdout)
    limits = {one["kind"]: one["outgrown_at"] for one in answer["options"]}
    assert limits.keys() == {"shards", "larger type", "Spark"}
    assert limits["Spark"] is None
    assert all(one["instance_hour"]["cost"]["central"] > 0 for one in answer["options"])


@pytest.mark.slow
@check_cases(
    ("arguments", "message"),
    [
        ([], "pass records of runs, or --instance-type with --input-gb and --peak-gb"),
        (["x.json", "--input-gb", "1"], "pass either records, or --instance-type"),
        (["x.json"], "x.json: no such file"),
        (
            ["--instance-type", "ml.m5.large", "--input-gb", "1", "--peak-gb", "1", "--peak-gb", "2"],
            "--peak-gb: 2 values",
        ),
        (["--instance-type", "ml.m5.large", "--input-gb", "1", "--peak-gb", "1", "--kind", "x"], "--kind: x must be"),
        (["--instance-type", "ml.m5.large", "--input-gb", "0", "--peak-gb", "1"], "must be more than 0 bytes"),
        (["--instance-type", "ml.m5.large", "--input-gb", "1", "--peak-gb", "1", "--region", "x"], "no Region x"),
    ],
)
def test_bad_input_is_one_line_and_code_2(root: Path, arguments: list[str], message: str) -> None:
    process = run(root, *arguments)
    assert (process.returncode, process.stdout, len(process.stderr.splitlines())) == (2, "", 1)
    assert message in process.stderr
