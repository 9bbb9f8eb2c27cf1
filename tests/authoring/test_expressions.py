"""Expressions have the same values in Python and in Terraform."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from sustainable_mlops.authoring import Field, ModuleInputs
from sustainable_mlops.authoring.expressions import (
    Dynamic,
    can,
    coalesce,
    concat,
    contains,
    csvdecode,
    difference,
    distinct,
    each_of,
    every,
    file,
    flatten,
    get,
    highest,
    intersection,
    is_null,
    join,
    jsondecode,
    jsonencode,
    keys,
    length,
    list_of,
    lower,
    lowest,
    map_of,
    match,
    merge,
    merge_all,
    one_or_null,
    optional,
    optional_map,
    path,
    replace,
    set_of,
    split,
    templatefile,
    text_contains,
    title,
    truncate,
    try_,
    upper,
    when,
)
from sustainable_mlops.authoring.expressions.evaluation import evaluate, fold_constants
from sustainable_mlops.authoring.expressions.expression import to_hcl, to_node
from sustainable_mlops.authoring.expressions.node import ExpressionNode
from sustainable_mlops.authoring.expressions.rendering import render
from sustainable_mlops.authoring.expressions.scopes import input_expressions
from sustainable_mlops.base.errors import UserError
from tests.authoring.terraform_values import plan_outputs, render_variable
from tests.cases import check_cases


class Item(ModuleInputs):
    size: int = Field(description="Size.")
    name: str | None = Field(None, description="Name.")
    tags: list[str] = Field([], description="Tags.")


class Values(ModuleInputs):
    number: int = Field(description="Number.")
    share: float = Field(description="Share.")
    perhaps: int | None = Field(description="Number or null.")
    flag: bool = Field(description="Flag.")
    word: str = Field(description="Word.")
    words: list[str] = Field(description="Words.")
    items: dict[str, Item] = Field(description="Items.")
    thing: Item | None = Field(description="Item or null.")


def _name(row: Any) -> str:
    return row.name  # type: ignore[no-any-return]


RENDERED: dict[str, tuple[Callable[[Any], Any], str]] = {
    "a comparison": (lambda v: v.number >= 3, "var.number >= 3"),
    "a sum of numbers": (lambda v: v.number + 1 > 3, "var.number + 1 > 3"),
    "a sum of text": (lambda v: v.word + "-x", '"${var.word}-x"'),
    "a template": (lambda v: f"{v.word}-{v.number}", '"${var.word}-${var.number}"'),
    "a template of one": (lambda v: f"{v.number}", "var.number"),
    "a template of its repr": (lambda v: f"{v.word!r}{[v.number]}", '"${var.word}[${var.number}]"'),
    "quotes in a template": (lambda v: f'"{v.items["a"].name}"', '"\\"${var.items["a"].name}\\""'),
    "a template in a function": (lambda v: length(f"{v.word}-x"), 'length("${var.word}-x")'),
    "either": (lambda v: is_null(v.perhaps) | (v.perhaps > 3), "var.perhaps == null ? true : var.perhaps > 3"),
    "both": (lambda v: ~v.flag & (v.number == 2), "!var.flag ? var.number == 2 : false"),
    "nested or": (lambda v: (v.flag & v.flag) | v.flag, "(var.flag ? var.flag : false) ? true : var.flag"),
    "a chain": (
        lambda v: v.flag | is_null(v.thing) | v.flag,
        "var.flag ? true : (var.thing == null ? true : var.flag)",
    ),
    "not null": (lambda v: ~is_null(v.perhaps), "var.perhaps != null"),
    "not both": (lambda v: ~(v.flag & v.flag), "!(var.flag ? var.flag : false)"),
    "a choice": (lambda v: when(v.flag, [v.word], []), "var.flag ? [var.word] : []"),
    "an item": (lambda v: v.items[v.word].size, "var.items[var.word].size"),
    "a list's names": (
        lambda v: list_of(v.items, lambda _, item: item.name, lambda name, _: name != "a"),
        '[for name, item in var.items : item.name if name != "a"]',
    ),
    "a map's names": (
        lambda v: map_of(v.items, lambda item: {"size": item.size}),
        "{ for key, item in var.items : key => { size = item.size } }",
    ),
    "nested comprehensions": (
        lambda v: list_of(v.items, lambda _, item: list_of(v.items, lambda _, other: f"{other.size}{item.size}")),
        '[for key, item in var.items : [for key2, other in var.items : "${other.size}${item.size}"]]',
    ),
    "an optional value": (
        lambda v: one_or_null(list_of(optional(v.thing), lambda t: t.size)),
        "one([for t in var.thing[*] : t.size])",
    ),
    "a difference of differences": (
        lambda v: v.number - (v.number - 1) - v.share,
        "var.number - (var.number - 1) - var.share",
    ),
    "decimals": (lambda v: f"{v.share / 3:.2f} GB", '"${format("%.2f", var.share / 3)} GB"'),
    "maps of a list": (
        lambda v: merge_all(list_of(v.items, lambda item: {f"{item.name}": item.size})),
        "merge([for item in var.items : { (item.name) = item.size }]...)",
    ),
    "the minimum": (
        lambda v: lowest(list_of(v.items, lambda item: item.size)),
        "min([for item in var.items : item.size]...)",
    ),
    "what else where it fails": (lambda v: try_(v.thing.name, None), "try(var.thing.name, null)"),
    "an attribute of merged objects": (
        lambda v: merge(v.items["a"], {"note": v.word})["note"],
        'merge(var.items["a"], { note = var.word }).note',
    ),
    "an attribute by a computed name": (
        lambda v: merge({"a_low": v.number}, {"b_low": 1})[f"{v.word}_low"],
        'merge({ a_low = var.number }, { b_low = 1 })["${var.word}_low"]',
    ),
    "a table in the module's folder": (
        lambda _: map_of(csvdecode(file(f"{path.module}/t.csv"), ("name", "size")), lambda row: row.size, key=_name),
        '{ for row in csvdecode(file("${path.module}/t.csv")) : row.name => row.size }',
    ),
    "a template in the module's folder": (
        lambda v: templatefile(f"{path.module}/t.tftpl", {"words": v.words}),
        'templatefile("${path.module}/t.tftpl", { words = var.words })',
    ),
    "one instance or none": (
        lambda v: optional_map("a", v.thing),
        "nonsensitive(var.thing == null) ? {} : { a = var.thing }",
    ),
}


@check_cases(("expression", "hcl_text"), RENDERED.values(), ids=list(RENDERED))
def test_expressions_render_as_idiomatic_hcl(expression: Callable[[Any], Any], hcl_text: str) -> None:
    assert to_hcl(expression(input_expressions(Values))) == hcl_text


def test_expressions_with_the_same_content_are_equal() -> None:
    first, second = (to_node(input_expressions(Values).number > 3) for _ in range(2))
    assert first == second
    assert hash(first) == hash(second)
    assert first == ExpressionNode(
        ">", (to_node(input_expressions(Values).number), ExpressionNode("literal", (3,), int)), bool
    )


def test_items_of_for_each_and_dynamic_blocks_have_the_types_of_the_collection() -> None:
    var = input_expressions(Values)
    each = each_of(var.items)
    assert (to_hcl(each.key), to_hcl(each.value.size)) == ("each.key", "each.value.size")
    block = Dynamic(each.value.tags, lambda tag: {"name": tag.value})
    assert to_hcl(block.content["name"]) == "tag.value"
    with pytest.raises(UserError, match=r"each\.value has no attribute 'sizes'; did you mean 'size'"):
        each.value.sizes  # type: ignore[attr-defined]  # noqa: B018  the mistake


def test_terraform_text_cannot_be_evaluated_in_python() -> None:
    with pytest.raises(ValueError, match="write the expression in Python"):
        evaluate(to_node("${timestamp()}"), {})


def test_file_contents_cannot_be_evaluated_in_python() -> None:
    for read in (file("a.csv"), templatefile("a.tftpl", {})):
        with pytest.raises(ValueError, match="only Terraform can read files"):
            evaluate(to_node(read), {})


def test_long_comprehensions_span_several_lines() -> None:
    var, long = input_expressions(Values), "x" * 60
    hcl_text = render(to_node(list_of(var.words, lambda word: f"{word}{long}", where=lambda word: word != long)))
    assert hcl_text == f'[\nfor word in var.words : "${{word}}{long}"\nif word != "{long}"\n]'


def test_only_constant_expressions_are_folded() -> None:
    var = input_expressions(Values)
    names = list_of({"a": 1, "b": 2}, lambda key, _: f"group/{key}")
    assert fold_constants({"known": names, "text": f"{replace('a_b', '_', '-')}"}) == {
        "known": ["group/a", "group/b"],
        "text": "a-b",
    }
    for left in (var.word, [f"{var.word}-x"], "${module.storage.arn}"):
        assert repr(fold_constants(left)) == repr(left)


# Both values are compared in one plan without a provider.

WORD = st.text("abcAB_-0", max_size=6)
NAME = st.sampled_from(["a", "b", "c d", "a_b"])
ITEM = st.fixed_dictionaries({"size": st.integers(-3, 9), "name": st.none() | WORD, "tags": st.lists(WORD, max_size=3)})
VALUES = st.fixed_dictionaries(
    {
        "number": st.integers(-3, 9),
        "share": st.sampled_from([0.0, 0.25, 0.5, 1.0, 2.5]),  # sums of other numbers differ in the last digit
        "perhaps": st.none() | st.integers(-3, 9),
        "flag": st.booleans(),
        "word": WORD,
        "words": st.lists(WORD, max_size=4),
        "items": st.dictionaries(NAME, ITEM, max_size=3),
        "thing": st.none() | ITEM,
    }
)

Builder = Callable[[Any], Any]
NUMBERS: st.SearchStrategy[Builder] = st.recursive(
    st.sampled_from(
        [
            lambda v: v.number,
            lambda v: v.share,
            lambda v: v.perhaps,
            lambda v: v.thing.size,
            lambda v: v.items["a"].size,
            lambda v: length(v.words),
            lambda v: length(v.items),
            lambda v: length(f"{v.word}-{v.number}"),
            lambda v: one_or_null(list_of(optional(v.thing), lambda thing: thing.size)),
            lambda v: when(is_null(v.perhaps), 3, v.perhaps),
            lambda v: try_(v.items["a"].size, v.perhaps),
            lambda v: coalesce(v.perhaps, v.number),
            lambda v: lowest([v.number, v.share, v.perhaps]),
            lambda v: highest(list_of(v.items, lambda item: item.size)),
        ]
    ),
    lambda inner: (
        st.tuples(inner, inner).map(lambda two: lambda v: two[0](v) + two[1](v))
        | st.tuples(inner, inner).map(lambda two: lambda v: 7 - (two[0](v) - two[1](v)))
        | st.tuples(inner, st.sampled_from([1, 2, 4])).map(lambda two: lambda v: 3 * two[0](v) / two[1])
    ),
    max_leaves=4,
)
TEXTS: st.SearchStrategy[Builder] = st.recursive(
    st.sampled_from(
        [
            lambda v: v.word,
            lambda v: v.thing.name,
            lambda v: f"{v.number}/{v.share}/{v.flag}",
            lambda v: f"{v.share:.1f}/{v.number:.2f}/{v.perhaps:.0f}",
            lambda v: coalesce(v.word, v.thing.name),
            lambda v: try_(v.thing.name, v.word),
            lambda v: join(",", v.words),
            lambda v: join(",", keys(v.items)),
            lambda v: truncate(f"{v.word}-{v.word}", 5),
            lambda v: replace(v.word, "_", "-"),
            lambda v: title(v.word),
            lambda v: lower(upper(v.word)),
            lambda v: join("+", split("_", f"{v.word}_{v.number}")),
            lambda v: match("^[a-z]+", v.word),
            lambda v: get({"a": "found"}, v.word, "none"),
            lambda v: jsonencode({"b": v.words, "a": [v.number, v.share, v.perhaps]}),
            lambda v: jsonencode(map_of(v.items, lambda item: item.size, where=lambda key, _: key != "b")),
            lambda v: jsonencode(merge(map_of(v.items, lambda item: item.size), {"z": v.number})),
            lambda v: jsonencode(optional_map("x", v.thing)),
            lambda v: jsonencode(
                merge_all(list_of(v.items, lambda item: {f"{item.size}": item.tags, "last": item.name}))
            ),
            lambda v: jsonencode(csvdecode(f"a,b\n{v.word},{v.number}\n\n{join(',', v.words)}\n", ("a", "b"))),
            lambda v: jsonencode(jsondecode(jsonencode({"b": v.words, "a": v.number}))),
            lambda v: f"{jsondecode(v.word)}",
            lambda v: jsonencode(distinct(concat(v.words, v.words, ["a"]))),
            lambda v: jsonencode(distinct(list_of(concat(v.words, v.words), lambda word: [word]))),
            lambda v: jsonencode(flatten(list_of(v.items, lambda item: item.tags))),
            lambda v: jsonencode(set_of(v.words)),
            lambda v: jsonencode(intersection(v.words, ["a", "b"])),
            lambda v: jsonencode(difference(v.words, keys(v.items))),
        ]
    ),
    lambda inner: st.tuples(inner, inner).map(lambda two: lambda v: f"{two[0](v)}<{two[1](v)}>"),
    max_leaves=3,
)


def _build_comparison(two: tuple[Builder, Builder, Callable[[Any, Any], Any]]) -> Builder:
    return lambda v: two[2](two[0](v), two[1](v))


COMPARISONS = st.sampled_from(
    [lambda a, b: a < b, lambda a, b: a <= b, lambda a, b: a > b, lambda a, b: a >= b, lambda a, b: a == b]
)
CONDITIONS: st.SearchStrategy[Builder] = st.recursive(
    st.one_of(
        st.tuples(NUMBERS, NUMBERS, COMPARISONS).map(_build_comparison),
        st.tuples(
            TEXTS, TEXTS, st.sampled_from([lambda a, b: contains([a], b), lambda a, b: ~contains([a, "a"], b)])
        ).map(_build_comparison),
        st.sampled_from(
            [
                lambda v: v.flag,
                lambda v: is_null(v.perhaps),
                lambda v: is_null(v.thing),
                lambda v: contains(v.words, v.word),
                lambda v: contains(v.words, v.thing.name),
                lambda v: text_contains(v.word, "a"),
                lambda v: can(jsondecode(v.word)),
                lambda v: can(v.thing.name),
                lambda v: can(jsondecode(jsonencode(v.items)).a.size) | can(jsondecode(f'"{v.word}"').name),
                lambda v: every(v.items, lambda item: item.size > 2),
                lambda v: every(v.words, lambda word: length(word) < 4),
            ]
        ),
    ),
    lambda inner: st.one_of(
        st.tuples(inner, inner, st.sampled_from([lambda a, b: a & b, lambda a, b: a | b])).map(_build_comparison),
        inner.map(lambda condition: lambda v: ~condition(v)),
    ),
    max_leaves=6,
)


@pytest.mark.plan
@settings(max_examples=3, phases=[Phase.generate], deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(VALUES, st.one_of(CONDITIONS, TEXTS, NUMBERS)), min_size=80, max_size=120))
def test_python_and_terraform_evaluate_expressions_alike(
    tmp_path_factory: pytest.TempPathFactory, cases: list[tuple[Any, Builder]]
) -> None:
    parts, expected = [], {}
    for index, (values, build) in enumerate(cases):
        node = to_node(build(input_expressions(Values, f"var.v{index}")))
        parts.append(render_variable(f"v{index}", Values, values))
        parts.append(f'output "o{index}" {{\nvalue = try([{render(node)}], ["error"])\n}}\n')
        expected[f"o{index}"] = [_evaluate_in_python(node, {f"var.v{index}": Values(**values)})]
    outputs = plan_outputs(tmp_path_factory.mktemp("values"), "".join(parts))
    different = [
        f"{part}of {case[0]}: {expected[name]} in Python, {outputs.get(name)} in Terraform"
        for (name, case, part) in zip(expected, cases, parts[1::2], strict=True)
        if outputs.get(name) != expected[name]
    ]
    assert not different, "\n".join(different)


def _evaluate_in_python(node: ExpressionNode, names: dict[str, Any]) -> Any:
    try:
        return evaluate(node, names)
    except ValueError:
        return "error"
