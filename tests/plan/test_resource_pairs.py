"""Pairs of resources in a plan and in its base."""

from typing import Any

from sustainable_mlops.plan.resource_pairs import match_resources, pair_with_base
from tests.plan.plan_builder import build_change, build_plan

VALUES = {"bucket": "b"}


def build_bucket(name: str, *, was: str = "", **more: Any) -> dict[str, Any]:
    previous: dict[str, Any] = {"previous_address": f"aws_s3_bucket.{was}"} if was else {}
    return build_change(f"aws_s3_bucket.{name}", VALUES, **previous, **more)


def list_names(new: list[dict[str, Any]], base: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [
        (old.name if old else "", new_resource.name if new_resource else "")
        for old, new_resource in match_resources(build_plan(*new), build_plan(*base))
    ]


def test_a_moved_resource_is_matched_by_its_previous_address() -> None:
    assert list_names([build_bucket("b", was="a")], [build_bucket("a")]) == [("a", "b")]


def test_a_resource_at_the_previous_address_of_another_is_new() -> None:
    assert list_names([build_bucket("a"), build_bucket("b", was="a")], [build_bucket("a")]) == [("", "a"), ("a", "b")]


def test_a_resource_that_moved_in_the_base_is_matched_by_its_address() -> None:
    assert list_names([build_bucket("a"), build_bucket("b", was="a")], [build_bucket("a"), build_bucket("b")]) == [
        ("a", "a"),
        ("b", "b"),
    ]


def test_each_resource_is_in_one_pair_and_removed_ones_come_last() -> None:
    deleted = build_change("aws_s3_bucket.d", before=VALUES)
    assert list_names([build_bucket("n"), build_bucket("s")], [build_bucket("g"), build_bucket("s"), deleted]) == [
        ("", "n"),
        ("s", "s"),
        ("g", ""),
    ]


def test_a_deposed_object_has_no_counterpart() -> None:
    deposed = build_change("aws_s3_bucket.a", before=VALUES, deposed="abcd1234")
    for new in ([deposed, build_bucket("a")], [build_bucket("a"), deposed]):
        pairs = pair_with_base(build_plan(*new), build_plan(build_bucket("a")))
        assert {(pair.new.deposed if pair.new else None, pair.action) for pair in pairs} == {
            (None, "no-op"),
            ("abcd1234", "delete"),
        }
