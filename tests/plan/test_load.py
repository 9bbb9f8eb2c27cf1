"""Loading of plans, and messages for other files."""

import json
from pathlib import Path
from typing import Any

import pytest

from sustainable_mlops.base.errors import UserError
from sustainable_mlops.plan import load
from tests.cases import check_cases
from tests.plan.plan_builder import build_change, build_document, build_plan

FIXTURES = Path(__file__).parent / "fixtures"
BUCKET = build_change("aws_s3_bucket.data", {"bucket": "data"})


def read_error(data: bytes) -> str:
    with pytest.raises(UserError) as caught:
        load(data, "plan.json")
    message = str(caught.value)
    assert message.startswith("plan.json: ")
    assert "\n" not in message
    return message


@check_cases(
    ("data", "message"),
    [
        (b"", "is empty"),
        (b"  \n", "is empty"),
        (b"PK\x03\x04\x14\x00", "is a binary plan file; run `terraform show -json <plan file>`"),
        (b"\xff\xfa{}", "is not UTF-8 text (byte 0)"),
        (b'{"a": "\xe9"}', "is not UTF-8 text (byte 7)"),
        (b"Error: no plan", "is not JSON: Expecting value at line 1, column 1"),
        (b'{"format_version": "1.2", ', "is not JSON"),
        (b'{"@level":"info"}\n{"@level":"info"}', "is the log of `terraform plan -json`"),
        (b'{"a": NaN}', "contains a number that Terraform does not write"),
        (b'{"a": ' + b"9" * 5000 + b"}", "contains a number that Terraform does not write"),
        (b'{"format_version": "1.2", "a": "\\ud800"}', "contains half a character"),
        (b"[" * 100_000, "nested too deep"),
        (b"[]", "must be an object, not a list"),
        (b"{}", "is not a Terraform plan (format_version is missing)"),
        (b'{"version": 4, "serial": 1, "lineage": "x"}', "is a state file, not a plan"),
        (b'{"version": "0.2", "projects": []}', "is an Infracost report"),
        (b'{"format_version": "1.0"}', "is a state, not a plan"),
        (b'{"format_version": "1.0", "terraform_version": "1.11.4", "values": {}}', "is a state, not a plan"),
        (
            b'{"format_version": "2.0", "resource_changes": []}',
            "format_version: 2.0 is not supported; only version 1.x is",
        ),
        (b'{"format_version": "0.2", "resource_changes": []}', "format_version: 0.2 is not supported"),
        (b'{"format_version": 1.2, "resource_changes": []}', "format_version: must be like '1.2', not a number"),
        (b'{"format_version": "1.2", "errored": true, "resource_changes": []}', "the plan ended in an error"),
    ],
)
def test_a_file_that_is_not_a_plan_is_refused_in_one_line(data: bytes, message: str) -> None:
    assert message in read_error(data)


@check_cases("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_the_encodings_of_every_shell_are_read(encoding: str) -> None:
    assert len(load(json.dumps(build_document(BUCKET)).encode(encoding)).resources) == 1


@check_cases("version", ["1.0", "1.2", "1.9"])
def test_every_minor_version_is_read(version: str) -> None:
    assert len(build_plan(BUCKET, format_version=version).resources) == 1


def test_an_unreadable_path_is_reported(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none\.json: no such file"):
        load(tmp_path / "none.json")
    with pytest.raises(UserError, match="is a folder"):
        load(tmp_path)


def test_a_plan_without_resources_is_valid() -> None:
    assert build_plan().resources == []
    without_changes = build_document()
    del without_changes["resource_changes"]  # as Terraform writes it
    assert load(json.dumps(without_changes).encode()).resources == []


def mutate(**parts: Any) -> bytes:
    return json.dumps(
        build_document(BUCKET, {**BUCKET, "address": "aws_s3_bucket.more", "name": "more", **parts})
    ).encode()


@check_cases(
    ("parts", "message"),
    [
        ({"address": None}, "resource_changes[1].address: is null"),
        ({"address": "aws_s3_bucket.other"}, "resource_changes[1].address: 'aws_s3_bucket.other' must be"),
        ({"type": ""}, "resource_changes[1].type: is empty"),
        ({"mode": "other"}, "resource_changes[1].mode: must be 'managed' or 'data'"),
        ({"index": []}, "resource_changes[1].index: must be text or a number, not a list"),
        ({"deposed": "abcd"}, "resource_changes[1].deposed:"),
        ({"change": None}, "resource_changes[1].change: is null"),
    ],
)
def test_a_malformed_part_is_reported(parts: dict[str, Any], message: str) -> None:
    assert message in read_error(mutate(**parts))


@check_cases(
    ("parts", "message"),
    [
        ({"after": None}, "resource_changes[1].change.after: is null, but the action is create"),
        ({"after": []}, "resource_changes[1].change.after: must be an object or null, not a list"),
        ({"after": {}}, "resource_changes[1].change.after: is empty"),
        ({"before": {"bucket": "x"}}, "resource_changes[1].change.before: must be null, as the action is create"),
        ({"actions": ["update"]}, "resource_changes[1].change.before: is null, but the action is update"),
        ({"actions": ["destroy"]}, "resource_changes[1].change.actions: 'destroy' is not create"),
        ({"actions": []}, "resource_changes[1].change.actions: a list is not create"),
        ({"after_unknown": None}, "resource_changes[1].change.after_unknown: must be an object, not null"),
    ],
)
def test_a_contradictory_change_is_reported(parts: dict[str, Any], message: str) -> None:
    assert message in read_error(mutate(change={**BUCKET["change"], **parts}))


def test_a_planned_resource_without_an_entry_is_reported() -> None:
    planned = {
        "root_module": {"child_modules": [{"resources": [{"address": "module.a.aws_s3_bucket.x", "mode": "managed"}]}]}
    }
    message = read_error(json.dumps(build_document(BUCKET, planned_values=planned)).encode())
    assert (
        "planned_values.root_module.child_modules[0].resources[0]: 'module.a.aws_s3_bucket.x' has no entry" in message
    )


def test_a_resource_of_the_state_without_an_entry_in_a_complete_plan_is_reported() -> None:
    full_document = json.loads((FIXTURES / "change.json").read_bytes())
    entry = full_document["resource_changes"].pop(3)
    assert entry["change"]["actions"] == ["delete"]
    message = read_error(json.dumps(full_document).encode())
    assert "prior_state.values.root_module.resources" in message
    assert """'aws_s3_bucket.this["scratch"]' has no entry in resource_changes""" in message


def test_a_refresh_only_plan_changes_nothing() -> None:
    refresh = json.loads((FIXTURES / "targeted.json").read_bytes()) | {"complete": True, "planned_values": {}}
    del refresh["resource_changes"]  # as Terraform writes it
    assert {resource.action for resource in load(json.dumps(refresh).encode()).resources} == {"no-op"}


def test_a_duplicate_resource_is_refused() -> None:
    assert "resource_changes[1].address: 'aws_s3_bucket.data' is in resource_changes[0] too" in read_error(
        json.dumps(build_document(BUCKET, BUCKET)).encode()
    )


def test_too_deep_nesting_is_refused_with_its_location() -> None:
    deep: Any = "x"
    for _ in range(300):
        deep = [deep]
    message = read_error(json.dumps(build_document(BUCKET, build_change("aws_x.y", {"a": deep}))).encode())
    assert "resource_changes[1]: is nested more than 100 levels deep" in message


def test_resources_outside_a_targeted_plan_are_unchanged() -> None:
    targeted = load(FIXTURES / "targeted.json")
    assert not targeted.is_complete
    actions = {resource.address: resource.action for resource in targeted.resources}
    assert len(actions) == 10
    assert actions["aws_sagemaker_model.this"] == "replace"
    assert actions["aws_sagemaker_endpoint_configuration.this"] == "no-op"
    configuration = targeted.find_resource("aws_sagemaker_endpoint_configuration.this")
    assert configuration is not None
    assert configuration.text("production_variants.0.instance_type") == "ml.m5.xlarge"


def test_every_action_is_recognized() -> None:
    changed = load(FIXTURES / "change.json")
    assert changed.is_complete
    assert {resource.address: resource.action for resource in changed.resources} == {
        "aws_iam_role.inference": "no-op",
        "aws_iam_role_policy.models": "update",
        'aws_s3_bucket.this["models"]': "no-op",
        'aws_s3_bucket.this["scratch"]': "delete",
        'aws_s3_bucket_versioning.this["models"]': "no-op",
        'aws_s3_bucket_versioning.this["scratch"]': "delete",
        "aws_sagemaker_endpoint_configuration.this": "replace",
        "aws_sagemaker_feature_group.this": "replace",
        "aws_sagemaker_model.this": "replace",
        "aws_sns_topic.alerts": "no-op",
    }
    topic = changed.find_resource("aws_sns_topic.alerts")
    assert topic is not None
    assert topic.previous_address == "aws_sns_topic.kept"
    features = changed.list_by_type("aws_sagemaker_feature_group")[0]
    assert "feature_definition" in features.replacement_paths
    assert features.actions == ("delete", "create")


def test_deferred_changes_are_listed_and_make_the_plan_incomplete() -> None:
    deferred = {
        "reason": "provider_config_unknown",
        "resource_change": build_change("aws_s3_bucket.later", {"bucket": "later"}),
    }
    plan = build_plan(BUCKET, deferred_changes=[deferred])
    assert not plan.is_complete
    assert [resource.deferred for resource in plan.resources] == [None, "provider_config_unknown"]


def test_failed_checks_are_listed() -> None:
    (check,) = load(FIXTURES / "platform.json").failed_checks
    assert (check.address, check.status, check.problems) == ("check.ok", "fail", ("Not in eu-north-1.",))
