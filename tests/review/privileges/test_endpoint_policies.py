"""Policies of VPC endpoints."""

from typing import Any

from sustainable_mlops.review.risk import Level
from tests.cases import check_cases
from tests.plan.plan_builder import build_change, build_configuration, build_plan
from tests.review.privileges.plans import build_statement, endpoint, list_levels, risks, text

NARROW = text(build_statement("*"))
WIDER = text({**build_statement("*"), "Action": ["s3:GetObject", "s3:PutObject"]})
EVERY_REQUEST = text({"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"})


@check_cases(
    ("values", "unknown", "expected_text"),
    [
        (endpoint(None), {"policy": True}, "no endpoint policy, so every request to com.amazonaws.eu-north-1.s3"),
        (endpoint(None, vpc_endpoint_type="Interface"), {}, "no endpoint policy"),
        (endpoint(NARROW), {}, "s3:GetObject on *"),
        (endpoint(EVERY_REQUEST), {}, "* on *"),
        (endpoint(None, vpc_endpoint_type="GatewayLoadBalancer"), {}, None),
    ],
    ids=["without a policy", "interface", "narrow", "wide", "of a type without policies"],
)
def test_a_new_vpc_endpoint_is_a_note(
    values: dict[str, Any], unknown: dict[str, bool], expected_text: str | None
) -> None:
    root = {"resources": [build_configuration("aws_vpc_endpoint.v", vpc_id={"constant_value": "vpc-1"})]}
    found_risks = risks(build_plan(build_change("aws_vpc_endpoint.v", values, unknown=unknown), root=root))
    assert [risk.level for risk in found_risks] == ([] if expected_text is None else [Level.NOTE])
    assert expected_text is None or expected_text in found_risks[0].description


@check_cases(
    ("before", "after", "levels"),
    [
        (None, NARROW, []),
        (EVERY_REQUEST, NARROW, []),
        (WIDER, NARROW, []),
        (NARROW, WIDER, [Level.LOOK]),
        (NARROW, EVERY_REQUEST, [Level.STOP]),
    ],
)
def test_the_policy_of_an_endpoint_is_a_limit(before: str | None, after: str, levels: list[Level]) -> None:
    inside = build_change("aws_vpc_endpoint.v", endpoint(after), before=endpoint(before))
    root = {"resources": [build_configuration("aws_vpc_endpoint.v", policy={"constant_value": after})]}
    assert [level for _, level in list_levels(inside, root=root)] == levels
    old, new = (None if policy is None else {"vpc_endpoint_id": "v", "policy": policy} for policy in (before, after))
    unchanged = build_change("aws_vpc_endpoint.v", endpoint(None), before=endpoint(None))
    separate = build_change("aws_vpc_endpoint_policy.p", new, before=old)
    assert [level for _, level in list_levels(unchanged, separate)] == levels


def test_a_policy_of_an_endpoint_outside_the_plan_needs_a_look() -> None:
    entry = build_change("aws_vpc_endpoint_policy.p", {"vpc_endpoint_id": "vpce-1", "policy": NARROW})
    assert list_levels(entry) == [("PRIVILEGES_UNKNOWN", Level.LOOK)]


def test_a_refreshed_endpoint_only_repeats_its_separate_policy() -> None:
    refreshed = build_change("aws_vpc_endpoint.v", endpoint(NARROW), before=endpoint(NARROW))
    drift = build_change("aws_vpc_endpoint.v", endpoint(NARROW), before=endpoint(EVERY_REQUEST))
    wider = build_change(
        "aws_vpc_endpoint_policy.p",
        {"vpc_endpoint_id": "v", "policy": WIDER},
        before={"vpc_endpoint_id": "v", "policy": NARROW},
    )
    root = {"resources": [build_configuration("aws_vpc_endpoint.v", vpc_id={"constant_value": "vpc-1"})]}
    assert list_levels(refreshed, wider, root=root, resource_drift=[drift]) == [("PRIVILEGES_ACTION", Level.LOOK)]
