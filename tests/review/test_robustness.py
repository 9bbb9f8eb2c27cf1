"""Broken plans give one clear error, or a review that is never better than that of the original plan."""

import copy
import json
import random
from collections.abc import Iterator
from itertools import chain, cycle
from typing import Any

import pytest

from sustainable_mlops.base.errors import UserError
from sustainable_mlops.plan import load
from sustainable_mlops.review import ReviewVerdict, review
from sustainable_mlops.review.attributes.risks import find_protection_risks
from sustainable_mlops.review.attributes.table import ROWS, ROWS_BY_TYPE
from sustainable_mlops.review.comparison import Comparison
from sustainable_mlops.review.data.risks import find_data_risks
from sustainable_mlops.review.deployment import find_deployment_risks
from sustainable_mlops.review.formats import FORMATS, render
from sustainable_mlops.review.privileges import access_tags, exposure
from sustainable_mlops.review.privileges.exposure import find_exposure_risks
from sustainable_mlops.review.privileges.policy_types import ATTACHMENTS, POLICY_TYPES
from sustainable_mlops.review.privileges.widening import find_privilege_risks
from sustainable_mlops.review.risk import Risk
from sustainable_mlops.review.safeguards.risks import find_safeguard_risks
from sustainable_mlops.review.safeguards.table import SAFEGUARDS
from sustainable_mlops.review.stores import STORES
from tests.cases import check_cases
from tests.plan.plan_builder import build_change, build_plan
from tests.plan.test_load import FIXTURES
from tests.plan.test_robustness import SECRETS, list_places, mutate
from tests.review.hostile_plan import TODAY

PLANS = ["platform", "change", "targeted"]


@check_cases("name", PLANS)
@check_cases("seed", range(3))
def test_a_broken_plan_is_refused_or_reviewed_never_waved_through(name: str, seed: int) -> None:
    review_broken_plan(name, seed)


@pytest.mark.slow
@check_cases("name", PLANS, group=str)
@check_cases("seed", range(3, 30))
def test_more_broken_plans_are_refused_or_reviewed(name: str, seed: int) -> None:
    review_broken_plan(name, seed)


def review_broken_plan(name: str, seed: int) -> None:
    """Check that a plan with a random change is refused, or reviewed without secrets and never fine."""
    chance = random.Random(f"{name} {seed}")  # noqa: S311  (repeatable, not secret)
    whole = json.loads((FIXTURES / f"{name}.json").read_text())
    broken = copy.deepcopy(whole)
    mutate(broken, chance.choice(list(list_places(whole))), chance)
    try:
        loaded = load(json.dumps(broken).encode())
    except UserError:
        return  # refused, and how is tested with the plan
    result = review(loaded, today=TODAY)
    assert result.verdict is not ReviewVerdict.FINE
    reports = "".join(render(result, form) for form in FORMATS)
    assert not any(secret in reports for secret in SECRETS)


OTHERS = {
    "aws_s3_bucket_lifecycle_configuration", "aws_security_group", "aws_security_group_rule", "aws_s3_bucket_acl",
    "aws_vpc_security_group_ingress_rule", "aws_kms_grant", "aws_lambda_permission", "aws_iam_user", "terraform_data",
    "aws_sagemaker_endpoint", "aws_sagemaker_endpoint_configuration", "aws_ecr_lifecycle_policy", "aws_lb",
    "aws_route", "aws_route_table", "aws_route_table_association", "aws_network_acl", "aws_network_acl_rule", "aws_eip",
    "aws_efs_replication_configuration", "aws_vpc_endpoint_service", "awscc_ecs_cluster", "google_compute_instance",
}  # fmt: skip
#: Values with which the checks read further attributes.
USUAL = {"authorization": "NONE", "acceptance_required": False}
_STATEMENT = {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"Null": {"aws:ResourceTag/x": "true"}}}
_POLICY = {"role": "x", "name": "p", "policy": json.dumps({"Version": "2012-10-17", "Statement": [_STATEMENT]})}
#: A policy whose condition names a tag, so that changed tags are compared.
POLICY = build_change("aws_iam_role_policy.kept", _POLICY, before=_POLICY)
ROLE = build_change("aws_iam_role.kept", {"name": "x"}, before={"name": "x"})


def find_all_risks(comparison: Comparison) -> Iterator[Risk]:
    return chain.from_iterable(
        find(comparison)
        for find in (
            find_data_risks,
            find_protection_risks,
            find_safeguard_risks,
            find_deployment_risks,
            find_privilege_risks,
            find_exposure_risks,
        )
    )


TYPES = sorted({*STORES, *ROWS_BY_TYPE, *SAFEGUARDS, *POLICY_TYPES, *ATTACHMENTS, *OTHERS})
#: Types that give access by their existence, or by their tags.
ACCESS_TYPES = sorted({*exposure._GRANT_READERS, *exposure._CALL_TYPES, *access_tags._TAG_TYPES, *OTHERS})
ATTRIBUTES = sorted(
    {path.partition(".")[0] for row in ROWS if row.path for path in row.paths}
    | {kind.path.partition(".")[0] for kinds in POLICY_TYPES.values() for kind in kinds}
    | {kind.owner_path for kinds in POLICY_TYPES.values() for kind in kinds if kind.owner_path}
    | {
        "rule",
        "lifecycle_rule",
        "ingress",
        "cidr_blocks",
        "protocol",
        "type",
        "grant",
        "policy_arn",
        "principal",
        "key_id",
    }
    | {
        "managed_policy_arns",
        "permissions_boundary",
        "role_arn",
        "access_control_policy",
        "grantee_principal",
        "tags_all",
        "tags",
        "tag",
        "api_key_required",
        "allowed_principals",
        "route",
        "subnet_id",
    }
    | {"production_variants", "endpoint_config_name", "name", "triggers_replace"}
)
STRANGE: list[Any] = [
    None,
    True,
    0,
    -1.5,
    "",
    "x",
    "{",
    [],
    {},
    [None],
    [[]],
    [{}],
    [{"days": {}}],
    {"a": [1]},
    [{"*": "*"}],
]


@check_cases(("kind", "strange"), zip(TYPES, cycle(STRANGE), strict=False))
def test_an_unusual_value_of_any_attribute_does_not_break_a_review(kind: str, strange: Any) -> None:
    review_strange_values(kind, strange, ["update"])


@pytest.mark.release
@check_cases("kind", TYPES, group=lambda kind: kind.removeprefix("aws_")[0])
@check_cases("actions", [["update"], ["delete", "create"]])
@check_cases("strange", STRANGE)
def test_no_value_of_any_attribute_breaks_a_review(kind: str, actions: list[str], strange: Any) -> None:
    review_strange_values(kind, strange, actions)


def review_strange_values(kind: str, strange: Any, actions: list[str]) -> None:
    """Find all risks of a resource whose attributes have this value before, after, or on both sides of the change."""
    values = dict.fromkeys(ATTRIBUTES, strange)
    for before, after in ((values, {"id": "x"}), ({"id": "x"}, values), (values, {**values, "id": "y"})):
        plan = build_plan(POLICY, ROLE, build_change(f"{kind}.this", after, before=before, actions=actions))
        list(find_all_risks(Comparison(plan)))


@check_cases("hide", ["unknown", "sensitive"])
@check_cases(("is_new", "old"), [(True, "a"), (False, "a"), (False, ["a"])])
def test_hidden_attributes_do_not_break_a_review(hide: str, is_new: bool, old: Any) -> None:
    values = {**dict.fromkeys(ATTRIBUTES, old), "id": "x"}
    after = {"id": "y", **({} if hide == "unknown" else values), **USUAL}
    entries = [build_change(f"{kind}.this", after, before=None if is_new else values) for kind in ACCESS_TYPES]
    for entry in entries:
        entry["change"][f"after_{hide}"] = dict.fromkeys({*ATTRIBUTES} - USUAL.keys(), True)
    list(find_all_risks(Comparison(build_plan(POLICY, ROLE, *entries))))


@check_cases("kind", TYPES)
@check_cases("hide", ["unknown", "sensitive"])
def test_a_hidden_protection_or_permission_is_never_fine(kind: str, hide: str) -> None:
    values: dict[str, Any] = {"id": "x", **dict.fromkeys(ATTRIBUTES, "a")}
    marks = dict.fromkeys(ATTRIBUTES, True)
    after = values if hide == "sensitive" else {"id": "x"}
    entry = build_change(f"{kind}.this", {**after, "id": "y"}, before=values)
    entry["change"][f"after_{hide}"] = marks
    found_risks = list(find_all_risks(Comparison(build_plan(entry))))
    watched = any(row.is_weaker for row in ROWS_BY_TYPE.get(kind, ())) or kind in POLICY_TYPES or kind in ATTACHMENTS
    assert not watched or any(not risk.is_known for risk in found_risks)
