"""Rows of styled text that wrap at a width."""

import re

from hypothesis import given
from hypothesis import strategies as st

from sustainable_mlops.review.formats.terminal import Row, StyledText, format_rows
from tests.cases import check_cases

_WIDTH = 24
#: Words in scripts of one and of two columns, with a combining mark, and longer than a line.
_WORDS = st.text("aB→é漢字\u0301-/.", min_size=1, max_size=40)
_LINES = st.lists(st.tuples(st.lists(_WORDS, min_size=1, max_size=8).map(" ".join), st.sampled_from(["", "1;31"])))


def _measure(text: str) -> int:
    return sum(2 if character in "漢字" else 0 if character == "\u0301" else 1 for character in text)


@given(_LINES, st.sampled_from(["", "- ", "label  "]))
def test_a_row_keeps_its_words_in_their_order_within_the_width(parts: list[tuple[str, str]], label: str) -> None:
    row = Row(StyledText(label), [[StyledText(*part) for part in parts]])
    lines = format_rows([row], _WIDTH, has_styles=False).splitlines()
    indent = len(label)
    assert all(_measure(line) <= max(_WIDTH, indent + 20) for line in lines)
    assert all(line.startswith(label if number == 0 else " " * indent) for number, line in enumerate(lines))
    text = "".join(line[indent:] for line in lines)
    assert re.sub(r"\s", "", text) == re.sub(r"\s", "", "".join(text for text, _ in parts))


@given(_LINES)
def test_styles_do_not_change_the_text(parts: list[tuple[str, str]]) -> None:
    row = Row(StyledText("- "), [[StyledText(*part) for part in parts]])
    styled, plain = (format_rows([row], _WIDTH, has_styles=has_styles) for has_styles in (True, False))
    assert re.sub(r"\033\[[0-9;]*m", "", styled) == plain
    assert styled.count("\033[1;31m") == styled.count("\033[0m")


@check_cases(
    ("text", "expected"),
    [
        ("one two three four five", ["one two three four", "five"]),
        ("a arn:aws:s3:::a-long-name-of-a-bucket", ["a", "arn:aws:s3:::a-long-", "name-of-a-bucket"]),
        ("", [""]),
    ],
)
def test_lines_break_at_spaces_and_only_longer_words_are_cut(text: str, expected: list[str]) -> None:
    assert format_rows([Row(StyledText(""), [[StyledText(text)]])], 20, has_styles=False).splitlines() == expected
