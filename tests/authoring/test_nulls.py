"""A local says nothing by null."""

from pathlib import Path

import pytest

from tests.authoring.author import run, told

OTHERWISE = (
    "is None, which Terraform's JSON leaves out and its HCL does not: leave it out, or give it a value of its type "
    "that says the same, such as an empty text or list"
)


@pytest.mark.parametrize(
    ("value", "where"),
    [
        ("None", "local.it"),
        ('{"a": {"unit": None}}', "local.it['a']['unit']"),
        ('[{"a": 1}, {"a": var.memory_mb, "b": None}]', "local.it[1]['b']"),
    ],
)
def test_a_null_in_a_locals_literal_is_refused(value: str, where: str, tmp_path: Path) -> None:
    assert told(tmp_path, build=f'self.local("it", {value})').endswith(f"{where} {OTHERWISE}")


@pytest.mark.parametrize(
    "value", ["{}", '{"a": ""}', 'when(var.memory_mb > 1, "a", None)', "[optional(var.name_prefix)]"]
)
def test_what_only_terraform_knows_may_be_null(value: str, tmp_path: Path) -> None:
    run(tmp_path, build=f'self.local("it", {value})')
