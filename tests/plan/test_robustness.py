"""Mutated plans give one clear error line, or a complete plan with unknown values, and never a traceback."""

import copy
import gc
import json
import random
import time
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sustainable_mlops.base.errors import UserError
from sustainable_mlops.plan import load
from tests.cases import check_cases
from tests.plan.cloudformation import FORMS, TWINS, build_changes, build_planned
from tests.plan.plan_api_survey import list_addresses, read_everything
from tests.plan.plan_builder import build_change, build_configuration, build_document
from tests.plan.test_commands import OUTSIDE
from tests.plan.test_load import FIXTURES

PLANS = ("platform", "change", "targeted", "drift", "refresh_only", "awscc", "cloudcontrol", "outside")
SECRETS = ("hunter2", "first-secret", "second-secret")


def load_original(name: str) -> bytes:
    """Return a fixture, or a manually written plan of CloudFormation types or of commands."""
    if name not in ("outside", *FORMS):
        return (FIXTURES / f"{name}.json").read_bytes()
    by_hand = OUTSIDE if name == "outside" else build_changes(*TWINS, form=name, action="update")
    return json.dumps(build_planned(by_hand)).encode()


def build_deep(levels: int) -> Any:
    value: Any = True
    for level in range(levels):
        value = [value] if level % 2 else {"a": value}
    return value


#: Replacements of a value.
REPLACEMENTS: list[Any] = [
    None, True, False, 0, -1, 10**400, 0.5, "", "x", "module.a[", '["', "1e999", "é\u2028<script>", "y" * 100_000,
    [], {}, [None], [[]], [{}], {"": None}, {"references": ["a.b.c", "var.", "module.", ""]}, {"constant_value": {}},
    [True, None, "x", {}], build_deep(50), build_deep(150),
]  # fmt: skip


def list_places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Return every location inside a document."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield (*path, key)
        yield from list_places(inner, (*path, key))


def mutate(whole: dict[str, Any], place: tuple[Any, ...], chance: random.Random) -> None:
    """Delete, replace or double the value at `place`."""
    *outer, last = place
    container: Any = whole
    for key in outer:
        container = container[key]
    kind = chance.random()
    if kind < 0.25:
        del container[last]
    elif kind < 0.9 or not isinstance(container, list):
        container[last] = copy.deepcopy(chance.choice(REPLACEMENTS))
    else:
        container.append(copy.deepcopy(container[last]))


def try_read(data: bytes) -> tuple[set[str], str] | None:
    """Return the addresses of a plan and all its text, or None if it is refused in one line."""
    try:
        plan = load(data, "plan.json")
        return list_addresses(plan), repr(read_everything(plan))
    except UserError as error:
        message = str(error)
    assert message.startswith("plan.json: ")
    assert "\n" not in message
    assert len(message) < 400
    return None


@pytest.mark.slow
@check_cases("seed", range(8))
@check_cases("name", PLANS)
def test_a_mutated_plan_is_refused_or_complete(name: str, seed: int) -> None:
    data = load_original(name)
    whole = json.loads(data)
    known = try_read(data)
    assert known is not None
    chance = random.Random(f"{name} {seed}")  # noqa: S311 - a repeatable choice of mutations, no secret
    everywhere = [place for place in list_places(whole) if place[0] != "prior_state"]
    for place in chance.sample(everywhere, 60):
        mutated = json.loads(data)
        mutate(mutated, place, chance)
        content = try_read(json.dumps(mutated).encode())
        if content is not None:
            assert content[0] == known[0], place
            unhidden = any("sensitive" in str(key) for key in place)  # the mutation removed the mark itself
            assert unhidden or not any(secret in content[1] for secret in SECRETS), place


@pytest.mark.slow
@check_cases("name", PLANS)
def test_null_for_any_part_of_an_entry_is_handled(name: str) -> None:
    whole = json.loads(load_original(name))
    known = try_read(json.dumps(whole).encode())
    assert known is not None
    for place in list_places(whole):
        if place[0] == "resource_changes" and len(place) <= 4:
            mutated = copy.deepcopy(whole)
            container: Any = mutated
            for key in place[:-1]:
                container = container[key]
            container[place[-1]] = None
            content = try_read(json.dumps(mutated).encode())
            assert content is None or content[0] == known[0], place


def test_a_plan_cut_off_anywhere_is_refused() -> None:
    data = (FIXTURES / "platform.json").read_bytes().rstrip()
    for end in range(0, len(data), 997):
        assert try_read(data[:end]) is None


@given(st.binary(max_size=200))
def test_any_bytes_are_refused(data: bytes) -> None:
    assert try_read(data) is None


@given(st.integers(min_value=0, max_value=50_000), st.integers(min_value=0, max_value=255))
def test_a_damaged_byte_is_handled(position: int, byte: int) -> None:
    data = bytearray((FIXTURES / "platform.json").read_bytes())
    data[position] = byte
    try_read(bytes(data))


@given(st.text(max_size=40))
def test_any_key_of_an_instance_is_read(key: str) -> None:
    try:
        data = json.dumps(build_document(build_change("aws_s3_bucket.b", {"bucket": "x"}, index=key))).encode()
    except UnicodeEncodeError:
        return
    content = try_read(data)
    assert content is not None or "\\ud" in repr(key)


def test_fifty_megabytes_in_one_value_are_read() -> None:
    data = json.dumps(build_document(build_change("aws_x.y", {"policy": "[{" * 25_000_000}))).encode()
    start = time.process_time()
    assert try_read(data) is not None
    assert time.process_time() - start < 40  # an implementation with backtracking takes minutes


@check_cases("opening", [b"[", b'{"a":', b'"', b"9", b"\x00"])
def test_fifty_megabytes_of_nothing_are_refused(opening: bytes) -> None:
    start = time.process_time()
    assert try_read(opening * (50_000_000 // len(opening))) is None
    assert time.process_time() - start < 40  # an implementation with backtracking takes minutes


def build_large_plan(count: int) -> bytes:
    """Return a plan of `count` resources: endpoints with configuration, model, scaling and alarm, each in a module."""
    pattern = json.loads((FIXTURES / "platform.json").read_bytes())
    changes: list[Any] = []
    calls: dict[str, Any] = {}
    while len(changes) < count:
        name = f"m{len(calls)}"
        calls[name] = {"module": pattern["configuration"]["root_module"]}
        for entry in pattern["resource_changes"][: count - len(changes)]:
            inner = f".{entry['module_address']}" if "module_address" in entry else ""
            text = json.dumps(entry["change"]).replace("vision", f"vision-{name}").replace("batchy", f"batchy-{name}")
            prefixed = {"address": f"module.{name}.{entry['address']}", "module_address": f"module.{name}{inner}"}
            changes.append({**entry, **prefixed, "change": json.loads(text)})
    configuration = {**pattern["configuration"], "root_module": {"module_calls": calls}}
    return json.dumps(build_document(*changes, configuration=configuration)).encode()


def measure_join_seconds(count: int) -> float:
    """Return the CPU seconds to load and join a plan of this size.

    Garbage collection of other objects in the process is excluded.
    """
    data = build_large_plan(count)
    gc.collect()
    gc.disable()
    try:
        start = time.process_time()
        plan = load(data)
        joins = plan.joins
        for endpoint in plan.list_by_type("aws_sagemaker_endpoint"):
            joins.list_variants(joins.find_configuration(endpoint))
            for target in joins.find_scalable_targets(endpoint).certain:
                for policy in joins.find_scaling_policies(target).certain:
                    joins.find_alarms_with_action(policy)
        seconds = time.process_time() - start
    finally:
        gc.enable()
    assert len(plan.resources) + len(plan.data_sources) == count
    return seconds


@pytest.mark.slow
def test_ten_times_the_resources_load_and_join_in_about_ten_times_the_time() -> None:
    # A quadratic algorithm takes a hundred times as long. A busy computer may slow one of the measurements.
    seconds = measure_join_seconds(5000)
    assert seconds < 40 * measure_join_seconds(500)
    assert seconds < 10, "measured 0.3 s on one core of 2026"


def test_a_long_chain_of_modules_is_followed() -> None:
    module: dict[str, Any] = {"resources": [build_configuration("aws_iam_role.r")]}
    module["outputs"] = {"arn": {"expression": {"references": ["aws_iam_role.r.arn"]}}}
    for _ in range(15):
        outputs = {"arn": {"expression": {"references": ["module.a.arn"]}}}
        module = {"module_calls": {"a": {"module": module}}, "outputs": outputs}
    root = {**module, "resources": [build_configuration("aws_x.user", role=["module.a.arn"])]}
    inner = ".".join(["module.a"] * 15)
    role = build_change(f"{inner}.aws_iam_role.r", {"path": "/"}, unknown={"name": True})
    data = json.dumps(build_document(build_change("aws_x.user", {"id": "x"}), role, root=root)).encode()
    plan = load(data)
    assert [resource.type for resource in plan.find_references(plan.resources[0], "role").resources] == ["aws_iam_role"]


@check_cases("seed", range(4))
def test_any_properties_of_a_cloudformation_type_are_read(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311
    for entry in json.loads(load_original("cloudcontrol"))["resource_changes"]:
        properties = json.loads(entry["change"]["after"]["desired_state"])
        places = [*list_places(properties)]
        for place in chance.sample(places, min(5, len(places))):
            mutated = copy.deepcopy(properties)
            mutate(mutated, place, chance)
            after = {**entry["change"]["after"], "desired_state": json.dumps(mutated)}
            assert try_read(
                json.dumps(build_document({**entry, "change": {**entry["change"], "after": after}})).encode()
            ), place
