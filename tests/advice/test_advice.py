"""What is advised, and why other ways are refused."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sustainable_mlops.advice import Need, advise, limits
from sustainable_mlops.catalogue import instances, regions
from sustainable_mlops.errors import UserError


def need(**changes: Any) -> Need:
    return Need(**{"region": "eu-north-1", "requests_per_day": 2_000.0, **changes})


@pytest.mark.parametrize(
    ("changes", "kind", "silicon"),
    [
        ({}, "serverless", "x86"),
        ({"latency": 300.0}, "real-time", "Graviton"),
        ({"latency": 300.0, "accelerator": "gpu"}, "real-time", "GPU"),
        ({"latency": "minutes", "payload_kb": 50_000.0, "requests_per_day": 10.0}, "asynchronous", "Graviton"),
        ({"vpc": True}, "real-time", "Graviton"),
    ],
)
def test_typical_needs(changes: dict[str, Any], kind: str, silicon: str) -> None:
    best = advise(need(**changes)).options[0]
    assert (best.kind, best.silicon) == (kind, silicon)


@pytest.mark.parametrize(
    ("kind", "within", "beyond", "reason"),
    [
        ("serverless", {"payload_kb": 4096.0}, {"payload_kb": 4097.0}, "4 MB"),
        ("serverless", {"duration_s": 60.0}, {"duration_s": 60.1}, "within 60 s"),
        ("serverless", {"model_mb": 2816.0}, {"model_mb": 2817.0}, "6,144 MB"),
        ("serverless", {"image_gb": 10.0}, {"image_gb": 10.1}, "10 GB"),
        ("serverless", {}, {"accelerator": "any"}, "no accelerators"),
        ("serverless", {}, {"vpc": True}, "no VPC"),
        ("serverless", {}, {"latency": 500.0}, "no p99"),
        ("serverless", {}, {"region": "eu-central-2"}, "does not list"),
        ("serverless", {"requests_per_day": 86_400 * 300.0}, {"requests_per_day": 86_400 * 400.0}, "above 200"),
        ("real-time", {"payload_kb": 6144.0}, {"payload_kb": 6145.0}, "6 MB"),
        ("real-time", {"duration_s": 60.0}, {"duration_s": 61.0}, "within 60 s"),
        ("real-time", {"latency": 200.0}, {"latency": 199.0}, "more than the 199 ms"),
        ("asynchronous", {"latency": "minutes"}, {"latency": "cold_start"}, "after minutes"),
        (
            "asynchronous",
            {"latency": "minutes", "payload_kb": 1024.0**2},
            {"latency": "minutes", "payload_kb": 1024.0**2 + 1},
            "1 GB",
        ),
        (
            "asynchronous",
            {"latency": "minutes", "duration_s": 3600.0},
            {"latency": "minutes", "duration_s": 3601.0},
            "within 3600 s",
        ),
        (
            "batch transform",
            {"latency": "minutes", "payload_kb": 102_400.0},
            {"latency": "minutes", "payload_kb": 102_401.0},
            "100 MB",
        ),
        ("batch transform", {"latency": "minutes"}, {"latency": 900.0}, "when a job has ended"),
    ],
)
def test_each_limit(kind: str, within: dict[str, Any], beyond: dict[str, Any], reason: str) -> None:
    assert kind in {option.kind for option in advise(need(**within)).options}
    refused = advise(need(**beyond))
    assert kind not in {option.kind for option in refused.options}
    assert any(reason in text for one in refused.refused if one.kind == kind for text in one.reasons)


@settings(max_examples=25, deadline=None)
@given(
    region=st.sampled_from(sorted(regions.everything())),
    requests=st.floats(0.1, 1e8),
    peak=st.floats(1, 50),
    hours=st.floats(0.1, 24),
    latency=st.sampled_from(["cold_start", "minutes"]) | st.floats(1, 5000),
    payload=st.floats(0.1, 2e6),
    model=st.floats(1, 2e5),
    image=st.floats(0.1, 20),
    duration=st.floats(0.001, 4000),
    accelerator=st.sampled_from(["none", "any", "gpu"]),
    vpc=st.booleans(),
)
def test_what_is_advised_is_within_every_limit(
    region: str, requests: float, peak: float, hours: float, latency: Any, payload: float, model: float,
    image: float, duration: float, accelerator: Any, vpc: bool,
) -> None:  # fmt: skip
    wanted = Need(region, requests, peak, hours, latency, payload, model, image, duration, accelerator, vpc)
    advice = advise(wanted)
    json.dumps(advice.to_dict(), allow_nan=False)
    payloads = {"serverless": 4096, "real-time": 6144, "asynchronous": 1024**2, "batch transform": 102_400}
    for option in advice.options:
        assert payload <= payloads[option.kind]
        assert duration <= (60 if option.kind in ("serverless", "real-time") else 3600)
        assert isinstance(latency, str) or (option.kind == "real-time" and duration * 1000 <= latency)
        assert option.kind not in ("asynchronous", "batch transform") or latency == "minutes"
        assert 0 <= option.min_instances <= option.max_instances
        if option.kind == "serverless":
            memory = int(option.size.removesuffix(" MB"))
            assert memory in limits.SERVERLESS_MEMORY_MB
            assert memory >= model
            assert (accelerator, vpc) == ("none", False)
            assert image <= 10
            assert option.max_instances <= 200
            assert regions.everything()[region].serverless
        else:
            instance = instances.everything()[option.size]
            assert instance.memory_gib * 1024 >= model
            assert (instance.accelerator is None) == (accelerator == "none")
            assert ("transform" if option.kind == "batch transform" else "hosting") in instance.uses
            if option.kind == "batch transform":
                assert option.max_instances <= 100
    order = [option.estimate.figures["total"].central for option in advice.options]
    assert order == sorted(order)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"region": "mars-1"}, "no Region mars-1"),
        ({"requests_per_day": 0.0}, "requests_per_day: 0 must be more than 0"),
        ({"hours_per_day": 25.0}, "more than 24"),
        ({"peak": 0.5}, "peak: 0.5"),
        ({"latency": "soon"}, "latency: soon"),
        ({"latency": float("nan")}, "latency: nan"),
        ({"accelerator": "tpu"}, "accelerator: tpu"),
    ],
)
def test_what_cannot_be_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        need(**changes)


def run(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    script = [sys.executable, str(root / "scripts" / "advise_endpoint.py"), "--region", "eu-north-1", *arguments]
    return subprocess.run(script, capture_output=True, text=True, check=False, cwd=root)


def test_the_command_prints_json_and_a_mistake_is_one_line(root: Path) -> None:
    best = json.loads(run(root, "--requests-per-day", "2000", "--json").stdout)["options"][0]
    assert (best["kind"], best["month"]["total"]["unit"]) == ("serverless", "kgCO2e")
    assert "not asynchronous: answers come through S3" in run(root, "--requests-per-second", "1").stdout
    done = run(root, "--requests-per-day", "-1")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: requests_per_day: -1 must be more than 0\n"
