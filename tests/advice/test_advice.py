"""Advised options, and the reasons for refused ones."""

import io
import json
import os
import subprocess
import sys
from math import ceil, exp
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from sustainable_mlops.advice import ServingRequirements, display, make_advice, make_sized_option
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.catalogue import instances, prices, regions, tables
from sustainable_mlops.catalogue.limits import list_serverless_memory_mb
from tests.cases import check_cases


def make_requirements(**changes: Any) -> ServingRequirements:
    return ServingRequirements(**{"region": "eu-north-1", "requests_per_day": 2_000.0, "provider": 6, **changes})


@check_cases(
    ("changes", "kind", "silicon"),
    [
        ({}, "serverless", "x86"),
        ({"latency": 300.0}, "real-time", "Graviton"),
        ({"latency": 300.0, "accelerator": "gpu"}, "real-time", "GPU"),
        ({"latency": "minutes", "payload_kb": 50_000.0, "requests_per_day": 10.0}, "asynchronous", "Graviton"),
        ({"vpc": True}, "real-time", "Graviton"),
        ({"vpc": True, "hours_per_day": 9.0}, "scheduled real-time", "Graviton"),
        ({"latency": "batch", "requests_per_day": 1e6, "accelerator": "gpu"}, "batch transform", "GPU"),
        ({"latency": "minutes", "requests_per_day": 50.0, "duration_s": 900.0}, "asynchronous", "Graviton"),
        ({"payload_kb": 20_480.0}, "real-time", "Graviton"),
    ],
)
def test_typical_requirements(changes: dict[str, Any], kind: str, silicon: str) -> None:
    best = make_advice(make_requirements(**changes)).options[0]
    assert (best.kind, best.silicon) == (kind, silicon)


@check_cases("provider", [5, None])
@check_cases("accelerator", ["none", "gpu"])
def test_types_that_the_provider_refuses_are_not_advised(provider: int | None, accelerator: str) -> None:
    requirements = {"region": "us-east-1", "latency": 300.0, "accelerator": accelerator, "model_mb": 100.0}
    newer, older = (
        make_advice(make_requirements(**requirements)),
        make_advice(make_requirements(**requirements, provider=provider)),
    )
    refused = {row["instance"] for row in tables.read_rows("refused_instances") if "hosting" in row["uses"].split()}
    assert {option.size for option in older.options} & refused == set()
    with_omissions = [option for option in older.options if any("left out" in check for check in option.checks)]
    assert with_omissions
    assert all(
        ("pass the version" in text) == (provider is None) for option in with_omissions for text in option.checks[-1:]
    )
    assert accelerator == "gpu" or {option.size for option in newer.options} & refused


def test_silicon_without_accepted_types_is_refused() -> None:
    requirements = {"region": "us-west-2", "latency": 300.0, "accelerator": "gpu", "model_mb": 1_300_000.0}
    assert make_advice(make_requirements(**requirements)).options[0].size == "ml.p6-b300.48xlarge"
    reasons = [
        reason for one in make_advice(make_requirements(**requirements, provider=5)).refusals for reason in one.reasons
    ]
    assert "AWS provider 5 refuses the types that hold the model" in reasons


@check_cases(
    ("kind", "within", "beyond", "reason"),
    [
        ("serverless", {"payload_kb": 4096.0}, {"payload_kb": 4097.0}, "4 MB"),
        ("serverless", {"duration_s": 60.0}, {"duration_s": 60.1}, "within 60 s"),
        ("serverless", {"model_mb": 2816.0}, {"model_mb": 2817.0}, "6,144 MB"),
        ("serverless", {"image_gb": 10.0}, {"image_gb": 10.1}, "10 GB"),
        ("serverless", {}, {"accelerator": "any"}, "no accelerators"),
        ("serverless", {}, {"vpc": True}, "no VPC"),
        ("serverless", {}, {"latency": 500.0}, "exceeds any p95 or p99"),
        ("serverless", {}, {"region": "eu-central-2"}, "does not list"),
        ("serverless", {"requests_per_day": 86_400 * 300.0}, {"requests_per_day": 86_400 * 400.0}, "exceed 200"),
        ("real-time", {"payload_kb": 25_600.0}, {"payload_kb": 25_601.0}, "exceeds 25 MB"),
        ("real-time", {"duration_s": 60.0}, {"duration_s": 61.0}, "within 60 s, or 480 s if it is streamed"),
        ("scheduled real-time", {"hours_per_day": 23.0}, {}, "every hour of the day"),
        ("real-time", {"latency": 200.0}, {"latency": 199.0}, "more than the 199 ms"),
        ("asynchronous", {"latency": "minutes"}, {"latency": "cold_start"}, "after some minutes"),
        (
            "asynchronous",
            {"latency": "minutes", "payload_kb": 1024.0**2},
            {"latency": "minutes", "payload_kb": 1024.0**2 + 1},
            "exceeds 1,024 MB",
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
        ("batch transform", {"latency": "minutes"}, {"latency": 900.0}, "after the end of a job"),
        (
            "batch transform",
            {"latency": "minutes", "requests_per_day": 96.0},
            {"latency": "minutes", "requests_per_day": 95.0},
            "less than two",
        ),
        (
            "batch transform",
            {"latency": "batch", "duration_s": 1500.0},
            {"latency": "minutes", "duration_s": 1500.0},
            "does not fit into a job",
        ),
    ],
)
def test_each_limit_refuses_a_kind(kind: str, within: dict[str, Any], beyond: dict[str, Any], reason: str) -> None:
    assert kind in {option.kind for option in make_advice(make_requirements(**within)).options}
    refused = make_advice(make_requirements(**beyond))
    assert kind not in {option.kind for option in refused.options}
    assert any(reason in text for one in refused.refusals if one.kind == kind for text in one.reasons)


def test_a_model_on_four_gpus_serves_one_request_at_a_time() -> None:
    requirements = make_requirements(
        region="us-east-1",
        model_mb=140_000.0,
        accelerator="gpu",
        requests_per_day=17_280.0,
        duration_s=5.0,
        provider=5,  # provider 5 refuses the g7e with two larger GPUs
    )
    best = make_advice(requirements).options[0]
    # 140,000 MB x 1.2 = 164 GiB: four L40S of 44.7 GiB. One request at once, 3 at the peak, at half of the load.
    assert (best.size, best.max_instances) == ("ml.g6e.12xlarge", 6)


@check_cases(
    ("kind", "hours", "changes"),
    [
        ("real-time", 730, {"latency": 300.0}),
        ("scheduled real-time", 9.1 * 730 / 24, {"latency": 300.0, "hours_per_day": 9.0}),  # 6 minutes to start
        # A quarter of an hour after each request, of 24 that come at random: 1 - exp(-0.25) of the month.
        ("asynchronous", 730 * (1 - exp(-(900.2) / 3600)), {"latency": "minutes", "requests_per_day": 24.0}),
        # One job a day: 0.07 h to start, and 1,000 requests of 36 s on the vCPUs, which are given below.
        ("batch transform", None, {"latency": "batch", "requests_per_day": 1000.0, "duration_s": 36.0}),
    ],
)
def test_the_cost_follows_from_the_hours(kind: str, hours: float | None, changes: dict[str, Any]) -> None:
    options = make_advice(make_requirements(region="us-east-1", **changes)).options
    option_found = next(option for option in options if option.kind == kind and option.silicon == "x86")
    price, instance = prices.find(option_found.size), instances.load_all()[option_found.size]
    assert price is not None
    paid = option_found.estimate.figures["cost"].central / price.usd_per_hour[1]
    assert paid == pytest.approx((10 / instance.vcpu + 0.07) * 730 / 24 if hours is None else hours)


@check_cases(
    ("changes", "size", "slower"),
    [
        ({}, "1024 MB", 1769 / 1024),  # less than a vCPU: the same work takes longer
        ({"model_mb": 700.0}, "2048 MB", 1.0),
        ({"duration_s": 50.0}, "2048 MB", 1.0),  # 86 s with 1,024 MB, of 60
        ({"requests_per_day": 86_400 * 300.0}, "2048 MB", 1.0),  # 311 at once with 1,024 MB, of 200
    ],
)
def test_a_serverless_worker_with_little_memory_is_slower(changes: dict[str, Any], size: str, slower: float) -> None:
    requirements = make_requirements(region="us-east-1", **changes)
    option_found = next(option for option in make_advice(requirements).options if option.kind == "serverless")
    assert option_found.size == size
    paid_gb_s = (
        requirements.requests_per_day * 730 / 24 * requirements.duration_s * slower * int(size.split()[0]) / 1024
    )
    assert option_found.estimate.figures["cost"].central == pytest.approx(paid_gb_s * 0.00002, rel=0.01)
    assert option_found.max_instances == max(1, ceil(requirements.peak_concurrency * slower))


def test_the_reason_names_a_size_that_the_caller_gives() -> None:
    option = make_sized_option("serverless", 1024, make_requirements(model_mb=3000.0))
    assert option is not None
    assert (option.size, option.reasons[1]) == ("1024 MB", "1024 MB is the given size")


def test_an_endpoint_in_two_zones_costs_twice_as_much() -> None:
    of_one, of_two = (
        next(
            option
            for option in make_advice(make_requirements(latency=300.0, zones=zones)).options
            if option.silicon == "Graviton"
        )
        for zones in (1, 2)
    )
    assert (of_one.min_instances, of_two.min_instances, of_two.max_instances) == (1, 2, 2)
    assert of_two.estimate.figures["cost"].central == pytest.approx(2 * of_one.estimate.figures["cost"].central)
    assert any("one instance is in one zone" in text for text in of_one.checks)
    assert not any("one instance is in one zone" in text for text in of_two.checks)


def test_only_types_of_the_region_are_advised() -> None:
    neuron = {"accelerator": "any", "model_mb": 100_000.0, "latency": 5000.0}
    there, elsewhere = (
        make_advice(make_requirements(region="us-east-2", **neuron)),
        make_advice(make_requirements(region="eu-south-1", **neuron)),
    )
    assert "Trainium2" in {option.silicon for option in there.options}
    assert elsewhere.options == ()
    assert {one.reasons for one in elsewhere.refusals if one.silicon == "Trainium2"} == {
        ("EC2 does not offer the types that hold the model in eu-south-1",)
    }


@settings(max_examples=25, deadline=None)
@given(
    region=st.sampled_from(sorted(regions.load_all())),
    requests=st.floats(0.1, 1e8),
    peak=st.floats(1, 50),
    hours=st.floats(0.1, 24),
    latency=st.sampled_from(["cold_start", "minutes", "batch"]) | st.floats(1, 5000),
    payload=st.floats(0.1, 2e6),
    model=st.floats(1, 2e5),
    image=st.floats(0.1, 20),
    duration=st.floats(0.001, 4000),
    accelerator=st.sampled_from(["none", "any", "gpu"]),
    vpc=st.booleans(),
)
def test_advised_options_are_within_every_limit(
    region: str, requests: float, peak: float, hours: float, latency: Any, payload: float, model: float,
    image: float, duration: float, accelerator: Any, vpc: bool,
) -> None:  # fmt: skip
    requirements = ServingRequirements(
        region, requests, peak, hours, latency, payload, model, image, duration, accelerator, vpc
    )
    advice = make_advice(requirements)
    json.dumps(advice.to_dict(), allow_nan=False)
    payloads = {"serverless": 4096, "asynchronous": 1024**2, "batch transform": 102_400}
    for option in advice.options:
        at_once = "real-time" in option.kind or option.kind == "serverless"
        assert payload <= payloads.get(option.kind, 25_600)
        assert duration <= (60 if at_once else 3600)
        assert isinstance(latency, str) or ("real-time" in option.kind and duration * 1000 <= latency)
        assert at_once or latency in ("minutes", "batch")
        assert option.kind != "scheduled real-time" or hours < 24
        assert 0 <= option.min_instances <= option.max_instances
        if option.kind == "serverless":
            memory = int(option.size.removesuffix(" MB"))
            assert memory in list_serverless_memory_mb()
            assert memory >= model
            assert (accelerator, vpc) == ("none", False)
            assert image <= 10
            assert option.max_instances <= 200
            assert regions.load_all()[region].has_serverless
        else:
            instance = instances.load_all()[option.size]
            assert instance.memory_gib * 1024 >= model
            assert instance.accelerators * instance.accelerator_gib * 1024 >= model or accelerator == "none"
            assert (instance.accelerator is None) == (accelerator == "none")
            assert ("transform" if option.kind == "batch transform" else "hosting") in instance.uses
            assert instances.is_offered(option.size, region) is not False
            assert option.kind != "batch transform" or option.max_instances <= 100
    order = [option.estimate.figures["total"].central for option in advice.options]
    assert order == sorted(order)


@check_cases(
    ("changes", "message"),
    [
        ({"region": "eu-nort-1"}, "--region: the catalogue has no Region eu-nort-1; did you mean 'eu-north-1'"),
        ({"requests_per_day": 0.0}, "--requests-per-day: 0 must be more than 0"),
        ({"requests_per_day": 1e30}, "--requests-per-day: 1e.30 is more than 1e.12; check the number and its unit"),
        ({"hours_per_day": 25.0}, "--hours-per-day: 25 must be at most 24"),
        ({"duration_s": 0.0}, "--duration: 0 must be more than 0"),
        ({"peak": 0.5}, "--peak: 0.5"),
        ({"latency": "soon"}, "--latency: soon"),
        ({"latency": float("nan")}, "--latency: nan"),
        ({"accelerator": "tpu"}, "--accelerator: tpu"),
    ],
)
def test_invalid_requirements_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        make_requirements(**changes)


@pytest.mark.parametrize("width", [40, 60])
def test_a_narrow_terminal_shows_complete_figures(width: int) -> None:
    output = io.StringIO()
    display.print_advice(make_advice(make_requirements()), Console(file=output, width=width))
    assert "…" not in output.getvalue()
    assert max(map(len, output.getvalue().splitlines())) <= width


def run(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    script = [sys.executable, str(root / "scripts" / "smlops.py"), "advise", "--region", "eu-north-1", *arguments]
    return subprocess.run(
        script, capture_output=True, text=True, check=False, cwd=root, env=os.environ | {"COLUMNS": "80"}
    )


@pytest.mark.slow
def test_the_command_prints_json_and_one_line_errors(root: Path) -> None:
    answer = json.loads(run(root, "--requests-per-day", "2000", "--json").stdout)
    best = answer["options"][0]
    assert (best["kind"], best["month"]["total"]["unit"]) == ("serverless", "kgCO2e")
    assert (answer["need"]["requests_per_day"], answer["if_callers_wait"]) == (2000, None)
    for wrong in (("--requests-per-day", "-1"), ("--requests-per-second", "-1")):
        process = run(root, *wrong)
        assert (process.returncode, process.stdout) == (2, "")
        assert process.stderr == f"error: {wrong[0]}: -1 must be more than 0\n"


def test_without_an_option_the_command_exits_with_1(root: Path) -> None:
    process = run(root, "--requests-per-day", "50", "--duration", "900")
    assert process.returncode == 1
    assert "No option meets these requirements." in process.stdout
    assert "If callers accept --latency minutes: asynchronous, ml." in process.stdout
    assert max(map(len, process.stdout.splitlines())) <= 80
