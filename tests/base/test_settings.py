"""Every mistake in a file becomes one line that names the file, the place and the remedy."""

from pathlib import Path
from typing import Annotated, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from sustainable_mlops.base.documents import render_yaml
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.settings import Settings, load_yaml, parse_json, parse_yaml


class Feature(Settings):
    kind: Literal["Integral", "Fractional", "String"]
    ttl_days: int | None = Field(None, ge=1)


Owner = Annotated[str, Field(pattern="^[a-z]+$", json_schema_extra={"must": "be lower-case letters"})]


class Example(Settings):
    region: str = Field(pattern=r"^[a-z]+-[a-z]+-\d$", description="A Region such as eu-north-1.")
    features: dict[str, Feature] = Field(min_length=1)
    sizes: list[int] = Field(default_factory=list)
    owner: Owner | None = None


class Numbers(Settings):
    size: float
    name: str = ""


GOOD = "region: eu-north-1\nfeatures:\n  dep_delay: {kind: Fractional, ttl_days: 3}\n"

MISTAKES = {
    "region: eu-north-1\nfeatures: {a: {kind: String}}\nregoin: x\n": "regoin: unknown key; did you mean 'region'?",
    GOOD.replace("ttl_days", "ttl_day"): "features.dep_delay.ttl_day: unknown key; did you mean 'ttl_days'?",
    GOOD.replace("ttl_days", "zzz"): "features.dep_delay.zzz: unknown key; known: kind, ttl_days",
    GOOD.replace("ttl_days: 3", "ttl_days: soon"): "features.dep_delay.ttl_days: must be a whole number, not 'soon'",
    GOOD.replace("ttl_days: 3", "ttl_days: 0"): "dep_delay.ttl_days: must be greater than or equal to 1, not 0",
    GOOD.replace("Fractional", "Float"): "features.dep_delay.kind: must be 'Integral', 'Fractional' or 'String'",
    GOOD.replace("eu-north-1", "Stockholm"): "'Stockholm' does not match ^[a-z]+-[a-z]+-\\d$ (A Region such",
    GOOD.replace("eu-north-1", "1.7"): "region: must be text; put it in quotes in the file (YAML reads the number 1.7)",
    "features: {a: {kind: String}}\n": "region: is missing; add it",
    GOOD + "sizes: [1, x]\n": "sizes[1]: must be a whole number, not 'x'",
    GOOD + "owner: Anna\n": "owner: 'Anna' must be lower-case letters",
    GOOD + "sizes: 3\n": "sizes: must be a list, not 3",
    "- a\n- b\n": "must be a mapping (key: value)",
    "region: a\nregion: b\n": "line 2, column 1: not valid YAML: the key 'region' appears twice",
    "region: [a\n": "line 2, column 1: not valid YAML",
    "region: 2026-13-45\n": "not valid YAML: month must be in 1..12",
    "": "is empty; it needs region, features",
    "region: \x00\n": "not valid YAML",
}


def test_a_good_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "settings.yaml"
    path.write_text(GOOD)
    assert load_yaml(path, Example).features["dep_delay"].ttl_days == 3


@pytest.mark.parametrize(("text", "message"), MISTAKES.items(), ids=MISTAKES.values())
def test_a_mistake_is_named_with_its_place_and_remedy(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "settings.yaml"
    path.write_text(text)
    with pytest.raises(UserError) as refused:
        load_yaml(path, Example)
    assert str(refused.value).startswith(f"{path}: ")
    assert message in str(refused.value)


def test_all_mistakes_are_counted_and_the_first_ones_reported() -> None:
    with pytest.raises(UserError, match=r"^x: sizes\[0\]: .*; sizes\[1\]: .*; sizes\[2\]: .* \(and 2 more\)$"):
        parse_yaml(GOOD + "sizes: [a, b, c, d, e]\n", Example, "x")


@pytest.mark.parametrize("name", ["missing.yaml", "."])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError, match=r"no such file|is a folder; pass a file"):
        load_yaml(tmp_path / name, Example)


def test_a_file_that_is_not_text_is_named(tmp_path: Path) -> None:
    path = tmp_path / "settings.yaml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match=r"settings.yaml: line 1: is not UTF-8 text .*; save the file as UTF-8"):
        load_yaml(path, Example)


def test_numbers_may_have_exponents() -> None:
    assert parse_yaml("size: 1e3", Numbers, "x").size == 1000
    with pytest.raises(UserError, match=r"^x: name: must be text; put it in quotes"):
        parse_yaml("size: 1\nname: 1e3", Numbers, "x")


def test_written_texts_that_look_like_numbers_stay_texts() -> None:
    content = {"size": 1e20, "name": "1e3"}
    assert parse_yaml(render_yaml(content), Numbers, "x") == Numbers(size=1e20, name="1e3")


def test_keys_merged_from_an_anchor_may_be_overridden() -> None:
    text = "region: eu-north-1\nfeatures:\n  a: &a {kind: String, ttl_days: 1}\n  b: {<<: *a, ttl_days: 2}\n"
    assert parse_yaml(text, Example, "x").features["b"] == Feature(kind="String", ttl_days=2)


@given(st.text() | st.text(alphabet="{}[]:-&*!|>'\"#%@,?~ \nab12.<"))
def test_any_text_is_read_or_refused_with_its_name(text: str) -> None:
    for parse in (parse_yaml, parse_json):
        with pytest.raises(UserError, match=r"^file: "):
            parse(text, Example, "file")


def test_json_nested_too_deep_is_refused() -> None:
    with pytest.raises(UserError, match=r"^file: not valid JSON"):
        parse_json("[" * 5_000, Example, "file")
    with pytest.raises(UserError, match=r"^file: not valid YAML"):
        parse_yaml("[" * 5_000, Example, "file")
