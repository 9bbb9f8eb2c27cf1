"""Comparison of two provider schemas, for the resource types in use."""

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from sustainable_mlops.base.terraform import Terraform
from tests.cases import check_cases
from tools.compare_providers import compare_schemas, list_files, main, read_changelog, read_schema, read_usage

CODE = """
resource "aws_thing" "this" {
  for_each = toset(["a"])

  name   = "a"
  policy = jsonencode({
    Action = "s3:*"
  })
  old    = true

  dynamic "rule" {
    for_each = var.rules

    content {
      days = 1
    }
  }

  lifecycle {
    ignore_changes = [tags]
  }
}

resource "aws_other" "this" {
  name = "b"
}
"""
STRING = {"type": "string", "optional": True}
COMPUTED = {"type": "string", "computed": True}
BOTH = {"type": "string", "optional": True, "computed": True}
REQUIRED = {"type": "string", "required": True}
DRIFT = "a value that AWS sets becomes a difference in each plan: set it, or ignore its changes"


def write_schema(path: Path, **types: dict[str, Any]) -> Path:
    """Write the output of `terraform providers schema -json`."""
    schemas = {name: {"block": block} for name, block in types.items()}
    provider = {"registry.terraform.io/hashicorp/aws": {"resource_schemas": schemas}}
    path.write_text(json.dumps({"format_version": "1.0", "provider_schemas": provider}))
    return path


def list_rows(tmp_path: Path, old: dict[str, Any], new: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    """Return path, change, sources and effect of each row for the code above."""
    (tmp_path / "module").mkdir(exist_ok=True)
    (tmp_path / "module" / "main.tf").write_text(CODE)
    usage = read_usage([tmp_path / "module" / "main.tf"])
    before, after = (
        read_schema(
            write_schema(tmp_path / f"{name}.json", aws_thing=block, aws_other={}, aws_unused=block), set(usage)
        )
        for name, block in (("old", old), ("new", new))
    )
    return [(one.path, one.change, one.sources, one.effect) for one in compare_schemas(before, after, usage)]


def test_the_arguments_of_dynamic_blocks_count_and_those_of_terraform_do_not(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text(CODE)
    usage = read_usage([tmp_path / "main.tf"])
    assert {kind: sorted(one.arguments) for kind, one in usage.items()} == {
        "aws_thing": ["name", "old", "policy", "rule", "rule.days"],
        "aws_other": ["name"],
    }


def attributes(**arguments: dict[str, Any]) -> dict[str, Any]:
    """Return a block with these attributes."""
    return {"attributes": arguments}


def blocks(minimum: int = 0, **arguments: dict[str, Any]) -> dict[str, Any]:
    """Return a block with the nested block `rule`."""
    rule = {"nesting_mode": "list", "min_items": minimum, "block": attributes(days=STRING, **arguments)}
    return {"block_types": {"rule": rule}}


@check_cases(
    "old, new, rows",
    [
        (attributes(name=STRING), attributes(name=STRING), []),
        ({}, attributes(key=REQUIRED), [("key", "new, required (string)", "", "validation fails: set it")]),
        ({}, attributes(key=COMPUTED), [("key", "new, computed (string)", "", "none")]),
        (
            {},
            attributes(key=BOTH),
            [
                (
                    "key",
                    "new, optional and computed (string)",
                    "",
                    "none while it is not set; the state takes AWS's value",
                )
            ],
        ),
        (attributes(old=STRING), {}, [("old", "removed (optional)", "module", "validation fails: remove it")]),
        (
            attributes(old=STRING),
            attributes(old=COMPUTED),
            [("old", "optional → computed", "module", "validation fails: remove it")],
        ),
        (attributes(key=BOTH), attributes(key=STRING), [("key", "optional and computed → optional", "", DRIFT)]),
        (
            attributes(key=STRING),
            attributes(key=REQUIRED),
            [("key", "optional → required", "", "validation fails where its block is set")],
        ),
        (attributes(name=REQUIRED), attributes(name=STRING), [("name", "required → optional", "module", "none")]),
        (
            attributes(name=STRING),
            attributes(name={**STRING, "deprecated": True}),
            [("name", "deprecated", "module", "warning: replace it before the next major version")],
        ),
        (
            attributes(name=STRING),
            attributes(name={**STRING, "type": ["list", "string"]}),
            [("name", "type: string → list(string)", "module", "check the value and its references")],
        ),
        ({}, blocks(), [("rule", "new, optional (block, list)", "module", "none while it is not set")]),
        (blocks(), blocks(1), [("rule", "optional → required", "module", "none")]),
        (blocks(), blocks(key=REQUIRED), [("rule.key", "new, required (string)", "", "validation fails: set it")]),
    ],
)
def test_each_kind_of_change_has_a_row_with_its_effect(
    old: dict[str, Any], new: dict[str, Any], rows: list[tuple[str, str, str, str]], tmp_path: Path
) -> None:
    assert list_rows(tmp_path, old, new) == rows


def test_a_type_that_is_absent_from_one_schema_is_one_row(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text(CODE)
    usage = read_usage([tmp_path / "main.tf"])
    schema = {"aws_other": read_schema(write_schema(tmp_path / "a.json", aws_other={}), set(usage))["aws_other"]}
    full = read_schema(write_schema(tmp_path / "b.json", aws_other={}, aws_thing={}), set(usage))
    assert [(one.type, one.change) for one in compare_schemas(full, schema, usage)] == [("aws_thing", "type is absent")]
    assert [(one.type, one.change) for one in compare_schemas(schema, full, usage)] == [("aws_thing", "type is new")]


def test_names_that_differ_only_in_underscores_are_one_argument(tmp_path: Path) -> None:
    assert list_rows(tmp_path, attributes(name=STRING, a_1_arn=COMPUTED), attributes(a1_arn=COMPUTED)) == [
        ("name", "removed (optional)", "module", "validation fails: remove it")
    ]


def test_bindings_are_a_schema(tmp_path: Path) -> None:
    docs = "Docs at Terraform Registry: {{@link https://host/docs/resources/thing#{0} Thing#{0}}}."

    def argument(name: str, label: str, **more: Any) -> dict[str, Any]:
        return {"name": name, "docs": {"summary": docs.format(label)}, "type": {"primitive": "string"}, **more}

    types = {
        "@p.thing.Thing": {
            "kind": "class",
            "docs": {"summary": "Represents a {@link https://host/docs/resources/thing aws_thing}."},
            "properties": [
                {"name": "name", "type": {"primitive": "string"}},
                {"name": "nameInput", "type": {"primitive": "string"}, "optional": True},
                {"name": "bucketArn", "type": {"primitive": "string"}},
            ],
        },
        "@p.thing.ThingConfig": {
            "kind": "interface",
            "properties": [
                argument("name", "name"),
                {**argument("rule", "rule", optional=True), "type": {"fqn": "@p.thing.ThingRule"}},
            ],
        },
        "@p.thing.ThingRule": {"kind": "interface", "properties": [argument("newDays", "new_days", optional=True)]},
    }
    path = tmp_path / "p.jsii.tgz"
    content = json.dumps({"types": types}).encode()
    with tarfile.open(path, "w:gz") as archive:
        member = tarfile.TarInfo("package/.jsii")
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    schema = read_schema(path, {"aws_thing"})["aws_thing"]
    assert {name: one.describe() for name, one in schema.items()} == {
        "name": "required",
        "rule": "optional",
        "rule.new_days": "optional",
        "bucket_arn": "computed",
    }


def test_only_entries_of_the_changelog_on_used_types_remain(tmp_path: Path) -> None:
    path = tmp_path / "CHANGELOG.md"
    path.write_text(
        "## 6.2.0 (June 1)\n\n* resource/aws_thing: Add `a`\n* resource/aws_thing_other: Add `b`\n"
        "## 6.1.0 (May 1)\n\n* resource/aws_unused: Add `c`\n## 6.0.0 (April 1)\n\n* provider: Remove `d`\n"
    )
    assert [line.strip() for line in read_changelog(path, {"aws_thing"})] == [
        "## 6.2.0 (June 1)",
        "* resource/aws_thing: Add `a`",
        "## 6.0.0 (April 1)",
        "* provider: Remove `d`",
    ]


@check_cases(
    "name, message",
    [
        ("schemas.json", "no such file; did you mean 'schema.json'?"),
        ("text.json", "not a provider schema; write it with `terraform providers schema -json`"),
        ("plan.json", "not a provider schema"),
        ("other.json", "no schema of registry.terraform.io/hashicorp/aws"),
        ("text.tgz", "no jsii assembly"),
    ],
)
def test_bad_input_is_one_line_and_code_2(
    name: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    schema = write_schema(tmp_path / "schema.json", aws_sns_topic={})
    (tmp_path / "text.json").write_text("text")
    (tmp_path / "plan.json").write_text('{"planned_values": {}}')
    (tmp_path / "other.json").write_text('{"provider_schemas": {"registry.terraform.io/hashicorp/random": {}}}')
    (tmp_path / "text.tgz").write_text("text")
    assert main([str(schema), str(schema)]) == 0
    capsys.readouterr()
    assert main([str(schema), str(tmp_path / name)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"error: {tmp_path / name}: {message}")


@pytest.mark.plan
def test_each_argument_that_the_modules_set_is_in_the_schema_of_the_provider(tmp_path: Path) -> None:
    """The reader of Terraform files finds what the provider knows, and a schema equals itself."""
    (tmp_path / "main.tf").write_text(
        'terraform {\n  required_providers {\n    aws = {\n      source = "hashicorp/aws"\n    }\n  }\n}\n'
    )
    terraform = Terraform(tmp_path)
    terraform.init()
    path = tmp_path / "schema.json"
    path.write_text(terraform.run("providers", "schema", "-json"))
    usage = read_usage(list_files())
    schema = read_schema(path, set(usage))
    unknown = {(kind, one) for kind, used in usage.items() for one in used.arguments if one not in schema.get(kind, {})}
    assert unknown == set()
    assert sum(len(used.arguments) for used in usage.values()) > 500
    assert list(compare_schemas(schema, schema, usage)) == []
