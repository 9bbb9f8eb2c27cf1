"""Comparison of policy patterns, checked against all short texts."""

import re
from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from sustainable_mlops.plan import UNKNOWN
from sustainable_mlops.review.patterns import Patterns, _do_overlap, covers
from tests.cases import check_cases

TEXTS = ["".join(letters) for length in range(5) for letters in product("ab", repeat=length)]
patterns = st.text(alphabet="ab*?", min_size=1, max_size=4)


def list_matches(pattern: str) -> set[str]:
    expression = "".join({"*": ".*", "?": "."}.get(letter, letter) for letter in pattern)
    return {text for text in TEXTS if re.fullmatch(expression, text)}


@given(patterns, patterns)
def test_a_covered_pattern_is_matched(general: str, special: str) -> None:
    if covers(general, special):
        assert list_matches(special) <= list_matches(general)


@given(patterns, st.text(alphabet="ab", max_size=4))
def test_a_plain_text_is_covered_exactly_where_it_is_matched(general: str, text: str) -> None:
    assert covers(general, text) is (text in list_matches(general))


@given(patterns, patterns)
def test_patterns_that_match_the_same_text_overlap(one: str, other: str) -> None:
    if list_matches(one) & list_matches(other):
        assert _do_overlap(one, other)


@check_cases(
    ("set_", "other", "answer"),
    [
        (Patterns(("s3:*",)), Patterns(("s3:get*",)), True),
        (Patterns(("s3:get*",)), Patterns(("s3:*",)), False),
        (Patterns(("iam:*",), negated=True), Patterns(("s3:get*",)), True),
        (Patterns(("iam:*",), negated=True), Patterns(("i*",)), False),
        (Patterns(("iam:*",), negated=True), Patterns(("iam:*", "kms:*"), negated=True), True),
        (Patterns(("iam:*", "kms:*"), negated=True), Patterns(("iam:*",), negated=True), False),
        (Patterns(("s3:*",)), Patterns(("iam:*",), negated=True), False),
        (Patterns(("*",)), Patterns((UNKNOWN,)), True),
        (Patterns(("s3:*",)), Patterns((UNKNOWN,)), None),
        (Patterns((UNKNOWN,)), Patterns(("s3:*",)), None),
        (Patterns((UNKNOWN,), negated=True), Patterns(("s3:*",)), None),
    ],
)
def test_a_set_of_patterns_contains_others(set_: Patterns, other: Patterns, answer: bool | None) -> None:
    assert set_.contains(other) is answer
