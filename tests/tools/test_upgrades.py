"""Breaking changes of the modules: the comparison finds them, and the page on upgrades lists the declared ones."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.stale_files import suggest_update
from tools.upgrades import declarations, releases
from tools.upgrades.comparison import (
    PLAN_PREFIX,
    find_differences,
    list_changes_since_release,
    list_stricter_inputs_since_release,
)
from tools.upgrades.interfaces import describe_interface, list_breaking_changes, list_stricter_inputs
from tools.upgrades.plans import list_output_changes, list_plan_changes

GROUPS = """map(object({
name = string
ttl = optional(object({
unit = optional(string, "Days, at most")
}), {})
}))"""
#: A module in JSON syntax, with what the cases change.
BODY: dict[str, Any] = {
    "terraform": {"required_version": ">= 1.10.0", "required_providers": {"aws": {"version": ">= 5.100.0, < 7.0.0"}}},
    "variable": {
        "days": {"type": "number", "default": 30, "nullable": False},
        "groups": {"type": GROUPS, "default": {}},
        "name": {"type": "string", "validation": [{"condition": "${length(var.name) < 64}"}]},
        "zones": {"type": "list(string)", "default": None},
    },
    "output": {"arn": {"value": "${aws_sns_topic.this.arn}"}},
    "resource": {"aws_sns_topic": {"this": {}}, "aws_sqs_queue": {"each": {"for_each": "${var.groups}"}, "some": {}}},
    "moved": [{"from": "aws_sqs_queue.old", "to": "aws_sqs_queue.some"}],
}
#: Path of a changed value, the value (None removes it), and the changes that the comparison lists.
CASES: dict[str, tuple[str, Any, list[str]]] = {
    "nothing": ("variable.days.description", "Days.", []),
    "a removed input": ("variable.days", None, ["input days: removed"]),
    "a new input with a default": ("variable.more", {"type": "string", "default": ""}, []),
    "a new input without a default": ("variable.more", {"type": "string"}, ["input more: new and required"]),
    "a removed default": ("variable.days.default", None, ["input days: required"]),
    "a new default": ("variable.name.default", "x", []),
    "another default": ("variable.days.default", 7, ["input days: default 7 instead of 30"]),
    "null that is refused": ("variable.zones.nullable", False, ["input zones: null is refused"]),
    "null that is accepted": ("variable.days.nullable", True, []),
    "another type": ("variable.name.type", "number", ["input name: type number instead of string"]),
    "a type with more values": ("variable.days.type", "string", []),
    "another collection": (
        "variable.zones.type",
        "map(string)",
        ["input zones: type map(string) instead of list(string)"],
    ),
    "a set in place of a list": ("variable.zones.type", "set(string)", []),
    "any type": ("variable.groups.type", "any", []),
    "an element of another type": (
        "variable.zones.type",
        "list(number)",
        ["input zones[*]: type number instead of string"],
    ),
    "a removed attribute": (
        "variable.groups.type",
        GROUPS.replace("name = string\n", ""),
        ["input groups[*].name: removed"],
    ),
    "a new optional attribute": (
        "variable.groups.type",
        GROUPS.replace("name", "more = optional(list(string), [])\nname"),
        [],
    ),
    "a new required attribute": (
        "variable.groups.type",
        GROUPS.replace("name", "more = list(string)\nname"),
        ["input groups[*].more: new and required"],
    ),
    "a nested default": (
        "variable.groups.type",
        GROUPS.replace("Days, at most", "Hours"),
        ['input groups[*].ttl.unit: default "Hours" instead of "Days, at most"'],
    ),
    "a nested attribute that becomes required": (
        "variable.groups.type",
        GROUPS.replace('optional(string, "Days, at most")', "string"),
        ["input groups[*].ttl.unit: required"],
    ),
    "a removed output": ("output.arn", None, ["output arn: removed"]),
    "a sensitive output": ("output.arn.sensitive", True, ["output arn: sensitive"]),
    "a removed resource": (
        "resource.aws_sns_topic",
        None,
        ["address aws_sns_topic.this: removed without a moved block"],
    ),
    "a single instance in place of many": (
        "resource.aws_sqs_queue.each",
        {},
        ["address aws_sqs_queue.each: a single instance instead of for_each"],
    ),
    "count, from which Terraform moves by itself": ("resource.aws_sns_topic.this.count", 1, []),
    "a removed moved block": ("moved", None, ["address aws_sqs_queue.old: its moved block is removed"]),
    "a newer Terraform": (
        "terraform.required_version",
        ">= 1.11",
        ["requirement terraform: >= 1.11 instead of >= 1.10.0"],
    ),
    "a provider that ends earlier": (
        "terraform.required_providers.aws.version",
        ">= 5.100.0, < 6",
        ["requirement aws: >= 5.100.0, < 6 instead of >= 5.100.0, < 7.0.0"],
    ),
    "a provider that ends later": ("terraform.required_providers.aws.version", ">= 5.100.0, < 8.0.0", []),
    "another provider": (
        "terraform.required_providers.time",
        {"version": ">= 0.12"},
        ["requirement time: new (>= 0.12)"],
    ),
}


def change_body(body: Any, path: str, value: Any) -> Any:
    """Return a copy of a module with another value at a path; None removes what is there."""
    name, _, rest = path.partition(".")
    if rest:
        return {**body, name: change_body(body.get(name, {}), rest, value)}
    return {key: old for key, old in body.items() if key != name} | ({} if value is None else {name: value})


@pytest.mark.parametrize("case", CASES)
def test_changes_that_break_a_call_or_a_state_are_listed(case: str) -> None:
    path, value, changes = CASES[case]
    after = describe_interface(change_body(BODY, path, value))
    assert list_breaking_changes(describe_interface(BODY), after) == changes


def test_a_moved_block_keeps_a_renamed_address() -> None:
    renamed = change_body(
        change_body(BODY, "resource.aws_sns_topic", {"new": {}}),
        "moved",
        [*BODY["moved"], {"from": "aws_sns_topic.this", "to": "aws_sns_topic.new"}],
    )
    assert list_breaking_changes(describe_interface(BODY), describe_interface(renamed)) == []


def test_new_validations_of_released_inputs_are_stricter() -> None:
    validation = [{"condition": "${var.name != null}"}]
    before = describe_interface(BODY)
    for name, stricter in {"days": ["days"], "name": ["name"], "more": []}.items():
        body = change_body(BODY, f"variable.{name}", {"type": "string", "default": "", "validation": validation})
        assert list_stricter_inputs(before, describe_interface(body)) == stricter


def test_plans_list_replaced_and_deleted_resources_and_changed_outputs() -> None:
    def change(address: str, *actions: str, **more: Any) -> dict[str, Any]:
        return {"address": f"module.x.{address}", "change": {"actions": list(actions), **more}}

    plan = {
        "resource_changes": [
            change('aws_s3_bucket.this["a.b"]', "delete"),
            change("aws_sns_topic.this", "create", "delete", replace_paths=[["block", 0, "name"]]),
            change("aws_sqs_queue.this[0]", "delete", "create"),
            change("aws_iam_role.this", "update"),
            {"address": "module.xy.aws_iam_role.this", "change": {"actions": ["delete"]}},
        ]
    }
    assert list_plan_changes(plan, "module.x") == [
        "plan: deletes aws_s3_bucket.this",
        "plan: replaces aws_sns_topic.this (block.name)",
        "plan: replaces aws_sqs_queue.this",
    ]
    before = {"a": {"b": 1, "c": [1], "e": 5}, "f": 6}
    after = {"a": {"b": 1, "c": [2], "d": 3}}
    assert list_output_changes(before, after, {"a": {"e": True}}) == [
        "plan: changes output a.c",
        "plan: changes output f",
    ]


def test_every_breaking_change_since_the_release_is_declared(synthesized: dict[str, Any]) -> None:
    declared = {module: declarations.list_declared_changes(module) for module in releases.read_interfaces()}
    assert {one.module for one in declarations.read_declarations()[declarations.UNRELEASED]} <= declared.keys()
    differences = [
        line
        for module, changes in list_changes_since_release(synthesized).items()
        for line in find_differences(
            module, changes, [line for line in declared[module] if not line.startswith(PLAN_PREFIX)]
        )
    ]
    assert not differences, "\n".join(
        [*differences, "declare it in modules/breaking_changes.yaml, or keep the interface"]
    )
    page = declarations.render_page(releases.read_name(), list_stricter_inputs_since_release(synthesized))
    assert declarations.PAGE.read_text() == page, suggest_update(".venv/bin/python -m tools.upgrades")


def test_differences_name_undeclared_and_outdated_changes() -> None:
    assert find_differences("storage", ["a", "b"], ["b", "c"]) == [
        "storage: not declared: a",
        "storage: declared, but not a change: c",
    ]


def test_the_archive_has_the_interfaces_of_its_files(tmp_path: Path) -> None:
    releases.extract_release(tmp_path)
    assert {path.name for path in (tmp_path / "modules").iterdir()} == releases.read_interfaces().keys()
    for module, interface in releases.read_interfaces().items():
        for kind, file in {"inputs": "variables.tf", "outputs": "outputs.tf"}.items():
            text = (tmp_path / "modules" / module / file).read_text()
            assert interface[kind].keys() == set(re.findall(r'^(?:variable|output) "(\w+)"', text, re.M))


def test_a_release_moves_its_declarations_below_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "breaking_changes.yaml"
    entry = "- module: storage\n  changes: [a]\n  reason: R.\n  action: A.\n"
    file.write_text(f"# Head.\n\nunreleased:\n{entry}\nold: []\n")
    monkeypatch.setattr(declarations, "FILE", file)
    declarations.release_declarations("v0.1.0", {"storage": ["tags"], "access": []})
    assert [(name, [one.changes for one in entries]) for name, entries in declarations.read_declarations().items()] == [
        ("unreleased", []),
        ("v0.1.0", [["a"], ["stricter: tags"]]),
        ("old", []),
    ]
    assert file.read_text().startswith("# Head.\n\nunreleased: []\n\nv0.1.0:\n- module: storage\n")


def test_the_page_has_a_remedy_for_each_change() -> None:
    page = declarations.render_page("v0.1.0", {"storage": ["tags", "region"], "access": []})
    (row,) = [line for line in page.splitlines() if line.startswith("| `storage` | stricter: ")]
    assert "stricter: tags, region" in row
    assert "[allowed values](../modules/storage/README.md#inputs)" in row
    tables = [line for line in page.partition("<!-- breaking changes: start -->")[2].splitlines() if line[:3] == "| `"]
    assert [line for line in tables if not all(cell.strip() for cell in line.split("|")[1:-1])] == []
