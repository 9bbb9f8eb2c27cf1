"""Which resources of a plan and of the plan it is compared with are the same."""

from typing import Any

from sustainable_mlops.plan.pairs import matched, of_plans
from tests.plan.build import change, plan

VALUES = {"bucket": "b"}


def bucket(name: str, *, was: str = "", **more: Any) -> dict[str, Any]:
    previous: dict[str, Any] = {"previous_address": f"aws_s3_bucket.{was}"} if was else {}
    return change(f"aws_s3_bucket.{name}", VALUES, **previous, **more)


def names(new: list[dict[str, Any]], base: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(old.name if old else "", one.name if one else "") for old, one in matched(plan(*new), plan(*base))]


def test_what_moved_is_found_where_it_was() -> None:
    assert names([bucket("b", was="a")], [bucket("a")]) == [("a", "b")]


def test_what_takes_the_place_of_what_moved_is_new() -> None:
    assert names([bucket("a"), bucket("b", was="a")], [bucket("a")]) == [("", "a"), ("a", "b")]


def test_a_base_in_which_it_has_moved_already_is_matched_by_its_address() -> None:
    assert names([bucket("a"), bucket("b", was="a")], [bucket("a"), bucket("b")]) == [("a", "a"), ("b", "b")]


def test_each_is_in_one_pair_and_what_is_gone_comes_last() -> None:
    deleted = change("aws_s3_bucket.d", before=VALUES)
    assert names([bucket("n"), bucket("s")], [bucket("g"), bucket("s"), deleted]) == [("", "n"), ("s", "s"), ("g", "")]


def test_a_deposed_object_stands_alone_wherever_it_is_listed() -> None:
    deposed = change("aws_s3_bucket.a", before=VALUES, deposed="abcd1234")
    for new in ([deposed, bucket("a")], [bucket("a"), deposed]):
        pairs = of_plans(plan(*new), plan(bucket("a")))
        assert {(pair.new.deposed if pair.new else None, pair.action) for pair in pairs} == {
            (None, "no-op"),
            ("abcd1234", "delete"),
        }
