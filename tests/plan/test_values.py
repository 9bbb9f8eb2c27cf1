"""Unknown and sensitive values in every reader."""

import copy
import json
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sustainable_mlops.plan import UNKNOWN, Block, Resource, Sensitive, load
from sustainable_mlops.plan.values import apply_marks
from tests.cases import check_cases
from tests.plan.plan_builder import build_change, build_plan
from tests.plan.test_load import FIXTURES


def build_resource(after: dict[str, Any], unknown: dict[str, Any] | None = None, sensitive: Any = None) -> Resource:
    return build_plan(build_change("aws_x.y", after, unknown=unknown, sensitive=sensitive)).resources[0]


def test_unknown_is_neither_true_nor_false() -> None:
    with pytest.raises(TypeError, match="neither true nor false"):
        bool(UNKNOWN)
    assert copy.deepcopy(UNKNOWN) is UNKNOWN
    assert f"{UNKNOWN}" == "(known after apply)"


def test_a_value_unknown_until_apply_reads_as_unknown() -> None:
    resource = build_resource({"a": 1, "list": [None, "x"]}, {"b": True, "list": [True, False], "block": [{"c": True}]})
    assert resource.get("a") == 1
    assert resource.get("b") is UNKNOWN
    assert resource.get("b.0.deeper") is UNKNOWN
    assert resource.get("list") == [UNKNOWN, "x"]
    assert resource.get("missing", "default") == "default"
    assert resource.get("block") is UNKNOWN  # a mark for a missing value


def test_null_is_not_set() -> None:
    assert build_resource({"a": None}).get("a", 3) == 3
    assert build_resource({"a": None}).get("a.0.b") is None


def test_a_completely_unknown_resource_reads_as_unknown() -> None:
    entry = build_change("aws_x.y", {"a": 1})
    entry["change"]["after_unknown"] = True
    assert build_plan(entry).resources[0].get("anything") is UNKNOWN


@check_cases("mark", [None, "true", 1, {"a": 7}])
def test_an_invalid_mark_makes_its_value_unknown(mark: Any) -> None:
    assert Block(apply_marks({"a": 1}, {"a": mark}, False)).get("a") is UNKNOWN


def test_a_sensitive_value_is_never_shown() -> None:
    resource = build_resource(
        {"token": "hunter2", "list": ["a", "b"]}, sensitive={"token": True, "list": [False, True]}
    )
    token = resource.get("token")
    for text in (str(token), repr(token), f"{token}", f"{token!s:>4}", json.dumps(resource.after), token.upper()):
        assert "hunter2" not in text.lower()
    assert b"hunter2" not in pickle.dumps(token)
    assert resource.text("token") is UNKNOWN
    assert resource.texts("list") == ["a", UNKNOWN]


def test_a_sensitive_block_hides_its_content() -> None:
    resource = build_resource({"block": [{"a": "secret"}]}, sensitive={"block": True})
    assert "secret" not in repr(resource.after)
    assert isinstance(resource.get("block.0.a"), Sensitive)
    assert resource.blocks("block") is UNKNOWN


def test_a_change_of_a_sensitive_value_is_visible() -> None:
    changed = load(FIXTURES / "change.json").find_resource("aws_sagemaker_model.this")
    assert changed is not None
    path = "primary_container.0.environment.TOKEN"
    assert changed.get(path) != changed.get(path, before=True)
    assert changed.get(path) == changed.get(path)
    assert "secret" not in repr((changed.before, changed.after))


@check_cases(
    ("value", "number"),
    [
        (3, 3),
        (2.5, 2.5),
        ("4", 4),
        ("1.5", 1.5),
        (None, None),
        (True, UNKNOWN),
        ("x", UNKNOWN),
        ([], UNKNOWN),
        (10**300, UNKNOWN),
        (float("1e999"), UNKNOWN),
        ("9" * 31, UNKNOWN),
        ("1e999", UNKNOWN),
        ("nan", UNKNOWN),
    ],
)
def test_numbers_are_read(value: Any, number: Any) -> None:
    assert Block({"a": value}).number("a") == number


@check_cases(
    ("value", "flag"), [(True, True), ("true", True), ("false", False), (None, None), ("yes", UNKNOWN), (1, UNKNOWN)]
)
def test_flags_are_read(value: Any, flag: Any) -> None:
    assert Block({"a": value}).flag("a") is flag


def test_a_value_of_another_type_is_unknown() -> None:
    block = Block({"text": "x", "list": [1, "a", None], "block": ["no", {"a": "yes"}]})
    assert block.get("text.0.a") is UNKNOWN
    assert block.text("list") is UNKNOWN
    assert block.texts("text") is UNKNOWN
    assert block.texts("list") == [UNKNOWN, "a", UNKNOWN]
    blocks = block.blocks("block")
    assert blocks is not UNKNOWN
    assert [inner.text("a") for inner in blocks] == [UNKNOWN, "yes"]
    assert block.blocks("text") is UNKNOWN


def test_a_block_has_its_path() -> None:
    block = build_resource({"outer": [{"inner": [{"a": 1}]}]}).block("outer")
    assert isinstance(block, Block)
    inner = block.block("inner")
    assert isinstance(inner, Block)
    assert inner.path == "outer.0.inner.0"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=12,
)


@given(JSON, JSON)
def test_marks_apply_to_a_copy_and_only_to_marked_values(value: Any, marks: Any) -> None:
    before = copy.deepcopy(value)
    apply_marks(value, marks, marks)
    assert value == before
    assert apply_marks(value, False, False) is value


@given(JSON, st.lists(st.sampled_from(["a", "b", 0, 1, 7]), max_size=4))
def test_readers_never_raise(value: Any, path: list[str | int]) -> None:
    block = Block({"at": value})
    for reader in (block.get, block.text, block.number, block.flag, block.texts, block.blocks, block.block):
        reader(["at", *path])
