"""The HCL writer, partly checked with Terraform's parser."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sustainable_mlops.authoring import hcl
from tests.cases import check_cases


@check_cases(
    ("value", "text"),
    [
        ("plain", '"plain"'),
        ("${var.name}", "var.name"),
        ("${var.name}-${each.key}", '"${var.name}-${each.key}"'),
        ('say "hi" ${jsonencode({"a" = "b}"})}', '"say \\"hi\\" ${jsonencode({"a" = "b}"})}"'),
        ("$${literal}", '"$${literal}"'),
        ('${"${var.a}-b"}', '"${var.a}-b"'),
        ("two\nlines", '"two\\nlines"'),
        (3.0, "3"),
        (0.5, "0.5"),
        (True, "true"),
        (None, "null"),
        ([], "[]"),
        ({}, "{}"),
        (["a", "${var.b}"], '["a", var.b]'),
        ({"key": 1, "not an identifier": 2, "${var.k}": 3}, '{\nkey = 1\n"not an identifier" = 2\n(var.k) = 3\n}'),
    ],
)
def test_values_render_as_idiomatic_hcl(value: object, text: str) -> None:
    assert hcl.render_expression(value) == text


@pytest.mark.parametrize("text", ["${var.x", 'a ${f("b}'])
def test_unclosed_interpolations_are_rejected(text: str) -> None:
    with pytest.raises(ValueError, match="unclosed"):
        hcl.render_string(text)


@given(st.text(st.characters(exclude_characters="$%", exclude_categories=["Cs"])))
def test_literal_text_is_escaped(text: str) -> None:
    rendered = hcl.render_string(text)
    assert "\n" not in rendered
    assert json.loads(rendered) == text


def test_blocks_and_attributes_keep_order_and_comments() -> None:
    inner = hcl.BlockLayout(order=("mode",))
    shape = hcl.BlockLayout({"rule": inner}, order=("name", "tags", "rule"), notes={"name": "Because."})
    body = {
        "depends_on": ["aws_kms_key.this"],
        "lifecycle": {"ignore_changes": ["tags"]},
        "rule": [{"mode": "a"}, {"mode": "b"}],
        "tags": {"a": "b"},
        "name": "x",
        "for_each": "${var.things}",
        "//": "metadata",
    }
    assert hcl.render_block('resource "t" "n"', body, shape) == (
        'resource "t" "n" {\nfor_each = var.things\n\n# Because.\nname = "x"\n\ntags = {\na = "b"\n}\n\n'
        'rule {\nmode = "a"\n}\n\nrule {\nmode = "b"\n}\n\nlifecycle {\nignore_changes = [tags]\n}\n\n'
        "depends_on = [aws_kms_key.this]\n}\n"
    )


def test_only_long_lists_of_short_items_share_lines() -> None:
    short, long = [f"eu-west-{number}" for number in range(12)], ["x" * 50, "y" * 50]
    assert hcl.render_expression(short).count("\n") == 3
    assert hcl.render_expression(long) == f'[\n"{long[0]}",\n"{long[1]}",\n]'
    assert hcl.render_expression(short[:3]) == '["eu-west-0", "eu-west-1", "eu-west-2"]'
