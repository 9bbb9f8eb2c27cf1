"""A plan of CloudFormation types gives the risks, findings and figures that the same plan of the provider aws gives.

All plans are written by hand: no provider here can plan them.
"""

import json
from typing import Any

import pytest

from sustainable_mlops.plan import load
from sustainable_mlops.review.review import Review, review
from sustainable_mlops.review.risk import Level, RiskArea
from tests.plan import plan_builder
from tests.plan.cloudformation import ALL, AWS_TYPES, FORMS, TWINS, TypePair, build_address, build_changes, build_policy


def told(way: str, action: str, *resources: TypePair) -> Any:
    """All that a review says, with each resource called by its CloudFormation type alone."""
    found = review(load(json.dumps(build_changes(*resources, form=way, action=action)).encode(), "plan"))
    said = json.dumps(_said(found), default=str)
    for one in sorted(resources, key=lambda one: one.name, reverse=True):  # no name before one that it starts with
        said = said.replace(build_address(one.kind, one.name, way), one.kind)
    return {name: sorted(part) if name in ("risks", "findings") else part for name, part in json.loads(said).items()}


def _said(found: Review) -> dict[str, Any]:
    return {
        "changes": [(one.address, one.type, one.action, one.attributes) for one in found.changes],
        "risks": [(r.risk.id, r.risk.level, r.risk.address, r.risk.description, r.risk.is_known) for r in found.risks],
        "findings": [one.finding for one in found.findings],
        "figures": found.footprint.to_dict(),
        "verdict": found.verdict,
    }


@pytest.mark.parametrize("action", ["create", "update", "replace", "delete"])
@pytest.mark.parametrize("way", FORMS[1:])
@pytest.mark.parametrize("one", TWINS, ids=lambda one: one.kind)
def test_each_type_gives_what_its_twin_gives(one: TypePair, way: str, action: str) -> None:
    assert told(way, action, one) == told("aws", action, one)


@pytest.mark.parametrize("action", ["create", "update", "delete"])
@pytest.mark.parametrize("way", FORMS[1:])
def test_all_together_join_as_their_twins_do(way: str, action: str) -> None:
    found = told(way, action, *TWINS)
    assert found == told("aws", action, *TWINS)
    assert found["figures"]["running"] != {} or action == "delete"


def test_every_type_with_a_twin_is_compared() -> None:
    assert {one.kind for one in TWINS} == set(AWS_TYPES)


def test_each_comparison_has_something_to_compare() -> None:
    for one in TWINS:
        said = [told("aws", action, one) for action in ("create", "update", "delete")]
        assert any(found["risks"] or found["findings"] or found["figures"]["resources"] for found in said), one.kind


@pytest.mark.parametrize("way", FORMS)
def test_a_managed_policy_that_lists_roles_is_attached_to_them(way: str) -> None:
    """CloudFormation has no attachments: a managed policy lists whom it is attached to."""
    role = TypePair("AWS::IAM::Role", {"name": "r", "assume_role_policy": build_policy()}, {"role_name": "r"})
    wide = TypePair(
        "AWS::IAM::ManagedPolicy",
        {"name": "p", "policy": ALL},
        {"managed_policy_name": "p", "policy_document": ALL, "roles": ["r"]},
    )
    document = build_changes(role, wide, form=way)
    before = document["resource_changes"][0]["change"]
    before |= {"actions": ["no-op"], "before": before["after"]}
    found = review(load(json.dumps(document).encode()))
    told = [(one.risk.id, one.level) for one in found.list_risks(RiskArea.PRIVILEGES)]
    assert told == ([("PRIVILEGES_NEW", Level.NOTE)] if way == "aws" else [("PRIVILEGES_PERMISSION", Level.STOP)])


def bucket(before: Any, after: Any) -> list[tuple[str, str]]:
    """The risks of a bucket whose settings change so; None where it is made."""
    values = [None if one is None else {"bucket_name": "b", **one} for one in (before, after)]
    document = plan_builder.build_document(plan_builder.build_change("awscc_s3_bucket.b", values[1], before=values[0]))
    return [(one.risk.id, one.risk.description) for one in review(load(json.dumps(document).encode())).risks]


def test_settings_that_only_cloudformation_has_in_the_bucket_are_guarded() -> None:
    encrypted = {
        "bucket_encryption": {
            "server_side_encryption_configuration": [
                {"server_side_encryption_by_default": {"sse_algorithm": "aws:kms", "kms_master_key_id": "k"}}
            ]
        }
    }
    blocked = {"public_access_block_configuration": {"block_public_acls": True}}
    locked = {"object_lock_configuration": {"rule": {"default_retention": {"mode": "COMPLIANCE", "days": 7}}}}
    owned = {"ownership_controls": {"rules": [{"object_ownership": "BucketOwnerEnforced"}]}}
    copied = {"replication_configuration": {"rules": [{"id": "all", "status": "Enabled"}]}}
    for setting in (encrypted, blocked, locked, owned, copied):
        assert {name for name, _ in bucket(setting, {})} in ({"DATA_WEAKER"}, {"PRIVILEGES_EXPOSED"}), setting
        assert bucket(setting, setting) == bucket({}, setting) == []
    assert [what.partition(" ")[0] for _, what in bucket(None, blocked)] == [
        "block_public_policy", "ignore_public_acls", "restrict_public_buckets"
    ]  # fmt: skip
    assert bucket(None, {}) == []  # AWS blocks public access to new buckets


def test_an_unknown_update_takes_one_line() -> None:
    kind = {"type_name": "AWS::SageMaker::Model"}
    before = {**kind, "desired_state": json.dumps({"ModelName": "m"})}
    change = plan_builder.build_change(
        "aws_cloudcontrolapi_resource.x", kind, before=before, unknown={"desired_state": True}
    )
    found = review(load(json.dumps(plan_builder.build_document(change)).encode(), "plan"))
    assert (len(found.coverage_gaps), len(found.risks)) == (1, 0)
