"""Statements of policies, wherever a plan has them."""

import json
from typing import Any

import pytest

from sustainable_mlops.plan import UNKNOWN, Plan, Resource, iam, load
from tests.plan.build import change, declared, plan
from tests.plan.test_load import FIXTURES


def role_of(found: Plan) -> Resource:
    return found.by_type("aws_iam_role")[0]


def test_the_policies_of_a_role_from_every_place() -> None:
    found = load(FIXTURES / "platform.json")
    policies = iam.of_role(role_of(found), found.joins)
    assert policies.whole
    assert policies.managed_arns == ("arn:aws:iam::aws:policy/AmazonSageMakerFullAccess",)
    assert {document.resource.address: document.statements[0].actions for document in policies.documents} == {
        "aws_iam_role_policy.inline": ("s3:*",),
        "aws_iam_role_policy.read": ("s3:GetObject",),
        "aws_iam_policy.logs": ("logs:PutLogEvents",),
    }
    assert policies.trust is not None
    assert policies.trust.statements[0].principals == (("Service", ("sagemaker.amazonaws.com",)),)


def test_a_document_known_only_on_apply_still_tells_its_actions() -> None:
    found = load(FIXTURES / "platform.json")
    policy = found.resource("aws_iam_role_policy.read")
    assert policy is not None
    assert policy.get("policy") is UNKNOWN
    document = iam.document(policy, "policy", found.joins)
    assert document is not None
    (statement,) = document.statements
    assert (statement.effect, statement.actions, statement.resources) == ("Allow", ("s3:GetObject",), (UNKNOWN,))


def test_what_a_role_repeats_of_other_resources_does_not_count_twice() -> None:
    found = load(FIXTURES / "change.json")
    before, after = (iam.of_role(role_of(found), joins) for joins in (found.joins_before, found.joins))
    assert [s.actions for d in before.documents for s in d.statements] == [("s3:GetObject",)]
    assert [s.actions for d in after.documents for s in d.statements] == [("s3:*",)]


def test_both_ways_to_write_a_policy_read_the_same() -> None:
    short = {"Effect": "Allow", "Action": "a:B", "Resource": "*", "Principal": "*"}
    long = {"Effect": "Allow", "Action": ["a:B"], "Resource": ["*"], "Principal": "*"}
    assert iam.parse(json.dumps({"Statement": short})) == iam.parse(json.dumps({"Statement": [long]}))


def test_conditions_are_read() -> None:
    condition = {"StringEquals": {"aws:SourceAccount": "1"}, "Bool": {"aws:SecureTransport": ["false"]}}
    statements = iam.parse(json.dumps({"Statement": {"Condition": condition}}))
    assert statements is not None
    assert statements[0].conditions == (
        iam.Condition("StringEquals", "aws:SourceAccount", ("1",)),
        iam.Condition("Bool", "aws:SecureTransport", ("false",)),
    )


def test_what_is_no_policy_is_not_an_empty_one() -> None:
    for text in ("", "{", "[]", "{}", '{"Statement": [1]}', "[" * 100_000):
        assert iam.parse(text) is None
    found = plan(change("aws_iam_role_policy.p", {"role": "r", "policy": "{"}))
    document = iam.document(found.resources[0], "policy", found.joins)
    assert document is not None
    assert (document.statements, document.whole) == ((), False)


def test_a_part_of_another_kind_is_unknown() -> None:
    statements = iam.parse(json.dumps({"Statement": {"Action": [7], "Principal": {"AWS": {}}, "Condition": []}}))
    assert statements is not None
    assert statements[0].actions == (UNKNOWN,)
    assert statements[0].principals == (("AWS", (UNKNOWN,)),)
    assert statements[0].conditions == (iam.Condition(UNKNOWN, UNKNOWN, (UNKNOWN,)),)


def attached(policy_arn: Any, root: dict[str, Any] | None = None) -> iam.RolePolicies:
    known = {} if policy_arn is None else {"policy_arn": policy_arn}
    unknown = {"policy_arn": True} if policy_arn is None else {}
    found = plan(
        change("aws_iam_role.r", {"name": "r"}),
        change("aws_iam_role_policy_attachment.a", {"role": "r", **known}, unknown=unknown),
        change("aws_iam_policy.p", {"name": "p", "policy": '{"Statement": []}'}, unknown={"arn": True}),
        root=root,
    )
    return iam.of_role(role_of(found), found.joins)


def test_an_attachment_that_is_not_told_makes_the_list_less_than_whole() -> None:
    assert not attached(None).whole
    arn = ["aws_iam_policy.p.arn", "aws_iam_policy.p"]
    resources = [declared("aws_iam_role.r"), declared("aws_iam_role_policy_attachment.a", policy_arn=arn)]
    by_reference = attached(None, {"resources": resources})
    assert by_reference.whole
    assert len(by_reference.documents) == 1
    assert attached("arn:aws:iam::aws:policy/X").managed_arns == ("arn:aws:iam::aws:policy/X",)


def test_inherited_statements_of_a_data_source_count() -> None:
    base = json.dumps({"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}})
    own = [{"effect": "Deny", "actions": ["s3:DeleteObject"]}]
    after = {"source_policy_documents": [base], "statement": own}
    found = plan(
        change("data.aws_iam_policy_document.d", after, unknown={"json": True}, actions=["read"]),
        change("aws_iam_role_policy.p", {"role": "r"}, unknown={"policy": True}),
        root={"resources": [declared("aws_iam_role_policy.p", policy=["data.aws_iam_policy_document.d.json"])]},
    )
    document = iam.document(found.resources[0], "policy", found.joins)
    assert document is not None
    assert document.whole
    assert [(s.effect, s.actions) for s in document.statements] == [
        ("Allow", ("s3:*",)),
        ("Deny", ("s3:DeleteObject",)),
    ]


def of_data(statement: dict[str, Any], *references: str) -> iam.Document:
    """A role policy that is read on apply from a data source with this statement."""
    found = plan(
        change("data.aws_iam_policy_document.d", {"statement": [statement]}, unknown={"json": True}, actions=["read"]),
        change("aws_s3_bucket.b", {"bucket": "b"}, unknown={"arn": True}),
        change("aws_iam_role_policy.p", {"role": "r"}, unknown={"policy": True}),
        root={"resources": [declared("aws_iam_role_policy.p", policy=list(references))]},
    )
    policy = found.resource("aws_iam_role_policy.p")
    assert policy is not None
    document = iam.document(policy, "policy", found.joins)
    assert document is not None
    return document


@pytest.mark.parametrize("more", ["local.prefix", "aws_s3_bucket.b.arn"])
def test_a_data_source_is_the_whole_policy_only_where_nothing_else_has_a_part_in_it(more: str) -> None:
    source = "data.aws_iam_policy_document.d"
    alone = of_data({"actions": ["s3:GetObject"]}, f"{source}.json")
    assert (alone.whole, alone.declared_in) == (True, source)
    assert not of_data({"actions": ["s3:GetObject"]}, f"{source}.json", more).whole


def test_variables_of_policies_read_as_the_provider_writes_them() -> None:
    source = "data.aws_iam_policy_document.d.json"
    (statement,) = of_data({"resources": ["arn:aws:s3:::data/&{aws:username}/*"]}, source).statements
    assert statement.resources == ("arn:aws:s3:::data/${aws:username}/*",)


def test_numbers_and_flags_without_quotes_are_read_in_conditions_and_principals() -> None:
    condition = {"Bool": {"aws:SecureTransport": False}, "NumericLessThan": {"aws:MultiFactorAuthAge": [300]}}
    statements = iam.parse(json.dumps({"Statement": {"Principal": {"AWS": 123456789012}, "Condition": condition}}))
    assert statements is not None
    assert [one.values for one in statements[0].conditions] == [("false",), ("300",)]
    assert statements[0].principals == (("AWS", ("123456789012",)),)
