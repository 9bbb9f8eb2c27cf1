"""When a job's input outgrows its machines, and what is next."""

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
from sustainable_mlops.catalogue import instances
from sustainable_mlops.errors import UserError


def job(*samples: tuple[float, float], **changes: Any) -> GrowingJob:
    """A job on 8 GiB, its samples in GiB."""
    measured = tuple(MemorySample(size * GIB, peak * GIB) for size, peak in samples or ((1.0, 2.0),))
    return GrowingJob(**{"instance_type": "ml.m5.large", "samples": measured, **changes})


def test_one_size_grows_in_proportion_and_two_along_a_line() -> None:
    # 90 % (80 to 95 %) of 8 GiB are there for the job.
    one = forecast_growth(job((1, 2)))
    assert (one.low, one.outgrown_at, one.high) == pytest.approx((3.2 * GIB, 3.6 * GIB, 3.8 * GIB))
    assert "one size alone was measured" in one.basis
    two = forecast_growth(job((1, 2), (2, 3)))
    assert two.outgrown_at == pytest.approx(6.2 * GIB)  # 1 GiB is taken whatever the input
    assert "a line through 2 measured runs of 2 sizes" in two.basis
    falling = forecast_growth(job((1, 3), (2, 2)))
    assert falling.outgrown_at == pytest.approx(2.4 * GIB)
    assert "no line that rises" in falling.basis


def test_next_are_shards_of_the_same_type_then_a_larger_one_then_spark() -> None:
    shards, larger, spark = forecast_growth(job((1, 2)), 10 * GIB).options
    assert (shards.kind, shards.instances, shards.instance_type) == ("shards", 3, "ml.m5.large")
    assert shards.outgrown_at == pytest.approx(3 * 3.6 * GIB)
    found = instances.find(larger.instance_type)
    assert found is not None
    assert (larger.kind, larger.instances) == ("larger type", 1)
    assert 0.9 * found.memory_gib / 2 >= 10
    assert found.vcpu >= 2
    assert (spark.kind, spark.outgrown_at) == ("Spark", inf)


@pytest.mark.parametrize(
    ("changes", "target", "kinds"),
    [
        ({"objects": 2}, 10, ["larger type", "Spark"]),  # two objects make no three shards
        ({"use": "training"}, 10, ["larger type"]),
        ({}, 5_000_000, ["Spark"]),
        ({"use": "training"}, 5_000_000, []),
        ({}, 3.5, []),
    ],
)
def test_what_cannot_take_the_target_is_not_named(changes: dict[str, Any], target: float, kinds: list[str]) -> None:
    found = forecast_growth(job((1, 2), **changes), target * GIB)
    assert [one.kind for one in found.options] == kinds
    assert ("fits" in " ".join(format_growth(job(**changes), found))) == (target < 3.6)


def test_instances_that_share_the_input_hold_as_much_more() -> None:
    shared = forecast_growth(job((1, 2), instances=4, dealt_out=True), 20 * GIB)
    assert shared.outgrown_at == pytest.approx(4 * 3.6 * GIB)
    assert shared.options[0].instances == 6
    assert forecast_growth(job((1, 2), instances=4)).outgrown_at == pytest.approx(3.6 * GIB)


def test_an_accelerator_is_kept_and_a_job_without_one_is_given_none() -> None:
    on_gpu = forecast_growth(job((1, 2), instance_type="ml.g5.xlarge", use="training"), 20 * GIB).options[0]
    now, then = instances.find("ml.g5.xlarge"), instances.find(on_gpu.instance_type)
    assert now is not None
    assert then is not None
    assert then.accelerator == now.accelerator
    plain = instances.find(forecast_growth(job((1, 2)), 100 * GIB).options[1].instance_type)
    assert plain is not None
    assert plain.accelerator is None


@settings(deadline=None)  # the first reads the catalogue
@given(
    samples=st.lists(st.tuples(st.floats(0.01, 100), st.floats(0.01, 100)), min_size=1, max_size=5),
    target=st.floats(0.01, 1e5),
)
def test_whatever_is_next_takes_the_target(samples: list[tuple[float, float]], target: float) -> None:
    found = forecast_growth(job(*samples), target * GIB)
    assert 0 <= found.low <= found.outgrown_at <= found.high
    for one in found.options:
        assert one.outgrown_at >= target * GIB * (1 - 1e-9)
        assert 1 <= one.instances <= MAX_INSTANCES
    json.dumps(found.to_dict(), allow_nan=False)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"instance_type": "ml.m55.large"}, "instance_type: the catalogue has no instance type ml.m55.large"),
        ({"samples": ()}, "no run was measured"),
        ({"samples": (MemorySample(0, 1),)}, "input and peak memory must be more than 0 bytes"),
    ],
)
def test_what_cannot_be_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        job(**changes)


def run(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(root / "scripts" / "size.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=root)


def test_the_command_tells_it_in_lines_and_in_json(root: Path) -> None:
    options = ("--instance-type", "ml.m5.xlarge", "--input-gb", "2", "--peak-gb", "6", "--target-gb", "20")
    done = run(root, *options)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("1 x ml.m5.xlarge is outgrown at 5.2 GB of input (4.6 GB to 5.4 GB): in proportion")
    assert "  1. shards: 4 x ml.m5.xlarge, up to 21 GB: sharding: by_key" in done.stdout
    answer = json.loads(run(root, *options, "--json").stdout)
    assert [one["kind"] for one in answer["nexts"]] == ["shards", "larger type", "Spark"]
    assert answer["nexts"][-1]["outgrown_at"] is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "give records of runs, or --instance-type with --input-gb and --peak-gb"),
        (["x.json", "--input-gb", "1"], "give either records, or --instance-type"),
        (["x.json"], "x.json: cannot be read: No such file or directory"),
        (["--instance-type", "ml.m5.large", "--input-gb", "1", "--peak-gb", "1", "--peak-gb", "2"], "--peak-gb: 2 are"),
        (["--instance-type", "ml.m5.large", "--input-gb", "1", "--peak-gb", "1", "--use", "x"], "--use: x is neither"),
        (["--instance-type", "ml.m5.large", "--input-gb", "0", "--peak-gb", "1"], "must be more than 0 bytes"),
    ],
)
def test_bad_input_is_one_line_and_code_2(root: Path, arguments: list[str], message: str) -> None:
    done = run(root, *arguments)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)
    assert message in done.stderr
