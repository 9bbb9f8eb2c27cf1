"""Edits of YAML text keep all other bytes."""

import pytest

from clone.scaffold.yaml_text import YamlText
from sustainable_mlops.base.errors import UserError
from tests.cases import check_cases

TEXT = """\
# About
# another one.
name: 'dev'   # the name
region: &where eu-north-1 # cleanest
copy: *where
state:
  bucket: "a # b"  # of the state
  key: k # goes
list: [1,   2]
block: |
  name: not this # kept
"""


def edit_text(text: str = TEXT) -> str:
    changed = YamlText(text, "settings.yaml")
    changed.replace("name", by="no")
    changed.replace("region", by="eu-west-1")
    changed.replace("state", "bucket", by="c")
    changed.drop("state", "key")
    changed.insert_after("region", line="more: true")
    changed.replace_head("# New.\n")
    return str(changed)


def test_only_the_requested_values_and_their_comments_change() -> None:
    assert edit_text() == (
        TEXT.replace("# About\n# another one.\n", "# New.\n")
        .replace("'dev'   # the name", "'no'")
        .replace("&where eu-north-1 # cleanest\n", "&where eu-west-1\nmore: true\n")
        .replace('"a # b"  # of the state', '"c"')
        .replace("  key: k # goes\n", "")
    )


def test_line_endings_are_kept() -> None:
    windows = edit_text(TEXT.replace("\n", "\r\n"))
    assert windows.replace("# New.\n", "# New.\r\n") == edit_text().replace("\n", "\r\n")


@check_cases("value", ["no", "null", "1234", "on: 1", "a #b", "x" * 200])
def test_text_values_remain_text(value: str) -> None:
    import yaml

    changed = YamlText("a: b\n", "settings.yaml")
    changed.replace("a", by=value)
    assert yaml.safe_load(str(changed)) == {"a": value}
    assert str(changed).count("\n") == 1


@check_cases("text", ["{name: dev}\n", "other: dev\n", "name: [dev]\n"])
def test_values_without_a_line_of_their_own_are_rejected(text: str) -> None:
    with pytest.raises(
        UserError, match=r"settings.yaml: name: write it on its own line, so that the command can change it"
    ):
        YamlText(text, "settings.yaml").replace("name", by="prod")


def test_a_mapping_that_would_be_empty_is_removed_with_its_last_value() -> None:
    text = "a: 1\nmodels:\n  x: # one\n    readers: [1,\n      2] # two\nb: 2\n"
    changed = YamlText(text, "settings.yaml")
    changed.drop("models", "x", "readers")
    assert str(changed) == "a: 1\nb: 2\n"
    other = YamlText(text.replace("b: 2", "  y: 3"), "settings.yaml")
    other.drop("models", "x", "readers")
    assert str(other) == "a: 1\nmodels:\n  y: 3\n"
    with pytest.raises(UserError, match="models: write it on its own line"):
        other.drop("models")


@check_cases("indent", ["", "  "])
def test_a_list_with_an_item_per_line_is_removed(indent: str) -> None:
    items = "".join(f"  {indent}- '{item}' # {item}\n" for item in "12")
    text = YamlText(f"storage:\n  readers: # both\n{items}  # days\n\n  days: 3\n", "settings.yaml")
    text.drop("storage", "readers")
    assert str(text) == "storage:\n  # days\n\n  days: 3\n"
