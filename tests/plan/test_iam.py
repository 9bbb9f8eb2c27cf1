"""Statements of policies from all their sources."""

import json
from typing import Any

import pytest

from sustainable_mlops.plan import UNKNOWN, Plan, Resource, iam, load
from tests.cases import check_cases
from tests.plan.plan_builder import build_change, build_configuration, build_plan
from tests.plan.test_load import FIXTURES


def find_role(plan: Plan) -> Resource:
    return plan.list_by_type("aws_iam_role")[0]


def test_the_policies_of_a_role_come_from_every_source() -> None:
    plan = load(FIXTURES / "platform.json")
    role = find_role(plan)
    policies = iam.read_role_policies(role, plan.joins)
    assert policies.is_complete
    assert policies.managed_arns == ("arn:aws:iam::aws:policy/AmazonSageMakerFullAccess",)
    assert {document.resource.address: document.statements[0].actions for document in policies.documents} == {
        "aws_iam_role_policy.inline": ("s3:*",),
        "aws_iam_role_policy.read": ("s3:GetObject",),
        "aws_iam_policy.logs": ("logs:PutLogEvents",),
    }
    trust = iam.read_document(role, "assume_role_policy", plan.joins)
    assert trust is not None
    assert trust.statements[0].principals == (("Service", ("sagemaker.amazonaws.com",)),)


def test_a_document_read_on_apply_tells_its_actions() -> None:
    plan = load(FIXTURES / "platform.json")
    policy = plan.find_resource("aws_iam_role_policy.read")
    assert policy is not None
    assert policy.get("policy") is UNKNOWN
    document = iam.read_document(policy, "policy", plan.joins)
    assert document is not None
    (statement,) = document.statements
    assert (statement.effect, statement.actions) == ("Allow", ("s3:GetObject",))
    (bucket,) = statement.resources
    assert isinstance(bucket, iam.DerivedText)
    assert bucket.resources == tuple(plan.list_by_type("aws_s3_bucket"))


def test_inline_policies_of_other_resources_count_once() -> None:
    plan = load(FIXTURES / "change.json")
    before, after = (iam.read_role_policies(find_role(plan), joins) for joins in (plan.joins_before, plan.joins))
    assert [s.actions for d in before.documents for s in d.statements] == [("s3:GetObject",)]
    assert [s.actions for d in after.documents for s in d.statements] == [("s3:*",)]


def test_both_forms_of_a_policy_give_the_same_statements() -> None:
    short = {"Effect": "Allow", "Action": "a:B", "Resource": "*", "Principal": "*"}
    long = {"Effect": "Allow", "Action": ["a:B"], "Resource": ["*"], "Principal": "*"}
    assert iam.parse_statements(json.dumps({"Statement": short})) == iam.parse_statements(
        json.dumps({"Statement": [long]})
    )


def test_conditions_are_read() -> None:
    condition = {"StringEquals": {"aws:SourceAccount": "1"}, "Bool": {"aws:SecureTransport": ["false"]}}
    statements = iam.parse_statements(json.dumps({"Statement": {"Condition": condition}}))
    assert statements is not None
    assert statements[0].conditions == (
        iam.PolicyCondition("StringEquals", "aws:SourceAccount", ("1",)),
        iam.PolicyCondition("Bool", "aws:SecureTransport", ("false",)),
    )


def test_a_text_that_is_not_a_policy_has_no_statements() -> None:
    for text in ("", "{", "[]", "{}", '{"Statement": [1]}', "[" * 100_000):
        assert iam.parse_statements(text) is None
    plan = build_plan(build_change("aws_iam_role_policy.p", {"role": "r", "policy": "{"}))
    document = iam.read_document(plan.resources[0], "policy", plan.joins)
    assert document is not None
    assert (document.statements, document.is_complete) == ((), False)


def test_a_part_of_another_type_is_unknown() -> None:
    statements = iam.parse_statements(
        json.dumps({"Statement": {"Action": [7], "Principal": {"AWS": {}}, "Condition": []}})
    )
    assert statements is not None
    assert statements[0].actions == (UNKNOWN,)
    assert statements[0].principals == (("AWS", (UNKNOWN,)),)
    assert statements[0].conditions == (iam.PolicyCondition(UNKNOWN, UNKNOWN, (UNKNOWN,)),)


def read_attached(policy_arn: Any, root: dict[str, Any] | None = None) -> iam.RolePolicies:
    known = {} if policy_arn is None else {"policy_arn": policy_arn}
    unknown = {"policy_arn": True} if policy_arn is None else {}
    plan = build_plan(
        build_change("aws_iam_role.r", {"name": "r"}),
        build_change("aws_iam_role_policy_attachment.a", {"role": "r", **known}, unknown=unknown),
        build_change("aws_iam_policy.p", {"name": "p", "policy": '{"Statement": []}'}, unknown={"arn": True}),
        root=root,
    )
    return iam.read_role_policies(find_role(plan), plan.joins)


def test_an_unknown_attachment_makes_the_policies_incomplete() -> None:
    assert not read_attached(None).is_complete
    arn = ["aws_iam_policy.p.arn", "aws_iam_policy.p"]
    resources = [
        build_configuration("aws_iam_role.r"),
        build_configuration("aws_iam_role_policy_attachment.a", policy_arn=arn),
    ]
    by_reference = read_attached(None, {"resources": resources})
    assert by_reference.is_complete
    assert len(by_reference.documents) == 1
    assert read_attached("arn:aws:iam::aws:policy/X").managed_arns == ("arn:aws:iam::aws:policy/X",)


@check_cases(
    ("policies", "is_complete"),
    [
        (['{"Statement": []}', '{"Statement": []}'], True),
        (['{"Statement": []}', "{"], False),
        (["{", '{"Statement": []}'], False),
        (["{", "{"], False),
    ],
)
def test_an_unreadable_policy_makes_the_policies_incomplete(policies: list[str], is_complete: bool) -> None:
    inline = [
        build_change(f"aws_iam_role_policy.p{n}", {"role": "r", "policy": text}) for n, text in enumerate(policies)
    ]
    plan = build_plan(build_change("aws_iam_role.r", {"name": "r"}), *inline)
    assert iam.read_role_policies(find_role(plan), plan.joins).is_complete is is_complete


def read_attached_by_map(*references: str) -> iam.RolePolicies:
    """Return a role with an attachment for each value of a map."""
    policies = (build_change(f"aws_iam_policy.{n}", {"name": n, "policy": '{"Statement": []}'}, unknown={"arn": True})
                for n in "ab")  # fmt: skip
    each = (build_change("aws_iam_role_policy_attachment.t", {"role": "r"}, unknown={"policy_arn": True}, index=n)
            for n in ("one", "two"))  # fmt: skip
    attachment = build_configuration("aws_iam_role_policy_attachment.t", policy_arn=["each.value"])
    root = {"resources": [{**attachment, "for_each_expression": {"references": list(references)}}]}
    plan = build_plan(build_change("aws_iam_role.r", {"name": "r"}), *policies, *each, root=root)
    return iam.read_role_policies(find_role(plan), plan.joins)


def test_attachments_by_for_each_have_policies_of_the_plan() -> None:
    policies = read_attached_by_map("aws_iam_policy.a.arn", "aws_iam_policy.b.arn")
    assert policies.is_complete
    assert {document.resource.name for document in policies.documents} == {"a", "b"}
    assert not read_attached_by_map("aws_iam_policy.a.arn", "local.more").is_complete
    assert not read_attached_by_map("aws_iam_policy.a.arn", "aws_iam_role.r.arn").is_complete


def test_a_role_has_the_policies_that_it_lists() -> None:
    role = build_change("aws_iam_role.r", {"name": "r"}, unknown={"managed_policy_arns": True})
    policy = build_change("aws_iam_policy.p", {"name": "p", "policy": '{"Statement": []}'}, unknown={"arn": True})

    def read_policies(*references: str) -> iam.RolePolicies:
        root = {"resources": [build_configuration("aws_iam_role.r", managed_policy_arns=list(references))]}
        plan = build_plan(role, policy, root=root)
        return iam.read_role_policies(find_role(plan), plan.joins)

    assert read_policies("aws_iam_policy.p.arn").is_complete
    assert [document.resource.name for document in read_policies("aws_iam_policy.p.arn").documents] == ["p"]
    assert not read_policies("aws_iam_policy.p.arn", "local.more").is_complete


def test_inherited_statements_of_a_data_source_are_included() -> None:
    base = json.dumps({"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}})
    own = [{"effect": "Deny", "actions": ["s3:DeleteObject"]}]
    after = {"source_policy_documents": [base], "statement": own}
    plan = build_plan(
        build_change("data.aws_iam_policy_document.d", after, unknown={"json": True}, actions=["read"]),
        build_change("aws_iam_role_policy.p", {"role": "r"}, unknown={"policy": True}),
        root={
            "resources": [build_configuration("aws_iam_role_policy.p", policy=["data.aws_iam_policy_document.d.json"])]
        },
    )
    document = iam.read_document(plan.resources[0], "policy", plan.joins)
    assert document is not None
    assert document.is_complete
    assert [(s.effect, s.actions) for s in document.statements] == [
        ("Allow", ("s3:*",)),
        ("Deny", ("s3:DeleteObject",)),
    ]


def read_inherited(references: list[str], *, documents: list[str | None], each: bool = False) -> iam.PolicyDocument:
    """Return a role policy from a data source that inherits `documents`.

    A document of None is unknown and comes from `references`.
    """
    own = {"source_policy_documents": documents, "statement": [{"actions": ["s3:PutObject"]}]}
    unknown = {"json": True, "source_policy_documents": [document_text is None for document_text in documents]}
    base = {"statement": [{"actions": ["s3:GetObject"]}]}
    index: dict[str, Any] = {"index": "k"} if each else {}
    repeated = {"for_each_expression": {"references": ["local.all"]}} if each else {}
    sources = [
        {
            **build_configuration(f"data.aws_iam_policy_document.{name}", source_policy_documents=document_references),
            "mode": "data",
            **repeated,
        }
        for name, document_references in (
            ("own", references),
            ("base", []),
            ("loop", ["data.aws_iam_policy_document.own.json"]),
        )
    ]
    plan = build_plan(
        build_change("data.aws_iam_policy_document.own", own, unknown=unknown, actions=["read"], **index),
        build_change("data.aws_iam_policy_document.base", base, unknown={"json": True}, actions=["read"], **index),
        build_change("data.aws_iam_policy_document.loop", {**base, "source_policy_documents": [None]}, actions=["read"],
               unknown={"json": True, "source_policy_documents": [True]}, **index),
        build_change("aws_iam_role_policy.p", {"role": "r"}, unknown={"policy": True}, **index),
        root={"resources": [
            {**build_configuration("aws_iam_role_policy.p", policy=["data.aws_iam_policy_document.own", "each.key"]),
             **repeated},
            *sources,
        ]},
    )  # fmt: skip
    document = iam.read_document(plan.resources[0], "policy", plan.joins)
    assert document is not None
    return document


BASE = "data.aws_iam_policy_document.base.json"


@check_cases(
    ("references", "documents", "is_complete", "actions"),
    [
        ([BASE], [None], True, ["s3:GetObject", "s3:PutObject"]),
        ([BASE], [None, '{"Statement": []}'], True, ["s3:GetObject", "s3:PutObject"]),
        ([BASE], [None, None], False, ["s3:PutObject"]),
        ([BASE], [None, "{"], False, ["s3:GetObject", "s3:PutObject"]),
        ([BASE, "local.more"], [None], False, ["s3:PutObject"]),
        ([BASE, "aws_iam_role_policy.p.id"], [None, None], False, ["s3:PutObject"]),
        (["aws_iam_role_policy.p.id"], [None], False, ["s3:PutObject"]),
        (["data.aws_iam_policy_document.loop.json"], [None], False, ["s3:GetObject", "s3:PutObject"]),
    ],
)
def test_a_document_inherits_documents_that_are_read_on_apply(
    references: list[str], documents: list[str | None], is_complete: bool, actions: list[str]
) -> None:
    for each in (False, True):
        document = read_inherited(references, documents=documents, each=each)
        assert (document.is_complete, [a for s in document.statements for a in s.actions]) == (is_complete, actions)


def read_data_source(statement: dict[str, Any], *references: str, **more: Any) -> iam.PolicyDocument:
    """Return a role policy that is read on apply from a data source with this statement."""
    values = {"statement": [statement], **more}
    plan = build_plan(
        build_change("data.aws_iam_policy_document.d", values, unknown={"json": True}, actions=["read"]),
        build_change("aws_s3_bucket.b", {"bucket": "b"}, unknown={"arn": True}),
        build_change("aws_iam_role_policy.p", {"role": "r"}, unknown={"policy": True}),
        root={"resources": [build_configuration("aws_iam_role_policy.p", policy=list(references))]},
    )
    policy = plan.find_resource("aws_iam_role_policy.p")
    assert policy is not None
    document = iam.read_document(policy, "policy", plan.joins)
    assert document is not None
    return document


@pytest.mark.parametrize("more", ["local.prefix", "aws_s3_bucket.b.arn"])
def test_a_policy_with_other_sources_is_incomplete(more: str) -> None:
    source = "data.aws_iam_policy_document.d"
    alone = read_data_source({"actions": ["s3:GetObject"]}, f"{source}.json")
    assert (alone.is_complete, alone.source) == (True, source)
    assert not read_data_source({"actions": ["s3:GetObject"]}, f"{source}.json", more).is_complete


@pytest.mark.parametrize(
    "unknown", [{"statement": True}, {"source_policy_documents": True}, {"version": True, "statement": True}]
)
def test_a_document_with_an_unknown_block_is_incomplete(unknown: dict[str, Any]) -> None:
    plan = build_plan(
        build_change("data.aws_iam_policy_document.d", {}, unknown={"json": True, **unknown}, actions=["read"]),
        build_change("aws_iam_role_policy.p", {"role": "r"}, unknown={"policy": True}),
        root={
            "resources": [build_configuration("aws_iam_role_policy.p", policy=["data.aws_iam_policy_document.d.json"])]
        },
    )
    document = iam.read_document(plan.resources[0], "policy", plan.joins)
    assert document is not None
    assert not document.is_complete


def derive_text(*references: str, dynamic: bool = False) -> Any:
    """Return the placeholder for an unknown resource with these references."""
    statements: list[Any] = [{"actions": ["s3:GetObject"], "resources": [None]}]
    marks: list[Any] = [{"resources": [True]}]
    if dynamic:  # the configuration does not record such a block
        statements, marks = statements * 2, marks * 2
    source = build_configuration("data.aws_iam_policy_document.d")
    source["expressions"] = {"statement": [{"resources": {"references": list(references)}}]}
    plan = build_plan(
        build_change("aws_s3_bucket.new", {"bucket": "b"}, unknown={"arn": True}),
        build_change("aws_s3_bucket.kept", {"bucket": "c", "arn": "arn"}, before={"bucket": "c", "arn": "arn"}),
        build_change("data.aws_iam_policy_document.d", {"statement": statements},
                     unknown={"json": True, "statement": marks}, actions=["read"]),
        build_change("data.aws_s3_bucket.read", {"bucket": "b"}, unknown={"arn": True}, actions=["read"]),
        build_change("aws_iam_role_policy.p", {"role": "r"}, unknown={"policy": True}),
        root={"resources": [
            build_configuration("aws_iam_role_policy.p", policy=["data.aws_iam_policy_document.d.json"]),
            {**source, "mode": "data"},
        ]},
    )  # fmt: skip
    policy = plan.find_resource("aws_iam_role_policy.p")
    assert policy is not None
    document = iam.read_document(policy, "policy", plan.joins)
    assert document is not None
    return document.statements[0].resources[0]


def test_a_resource_of_the_plan_stands_for_its_arn() -> None:
    for references in (["aws_s3_bucket.new.arn"], ["aws_s3_bucket.new.arn", "aws_s3_bucket.kept.arn"]):
        assert [resource.name for resource in derive_text(*references).resources] == ["new"]
    assert str(derive_text("aws_s3_bucket.new.arn")) == "(aws_s3_bucket.new, known after apply)"


@check_cases(
    "references",
    [
        [],
        ["local.arn"],
        ["aws_s3_bucket.new.arn", "local.arn"],
        ["aws_s3_bucket.kept.arn"],
        ["aws_s3_bucket.new.arn", "data.aws_s3_bucket.read.arn"],
    ],
)
def test_a_value_with_another_source_is_unknown(references: list[str]) -> None:
    assert derive_text(*references) is UNKNOWN
    assert derive_text("aws_s3_bucket.new.arn", dynamic=True) is UNKNOWN


def read_shown_policy(value: dict[str, Any], unknown: dict[str, Any]) -> iam.PolicyDocument:
    """Return a role policy whose text is the JSON of the input of a `terraform_data`."""
    source = build_configuration("terraform_data.p", input=["aws_s3_bucket.new.arn", "var.region"])
    plan = build_plan(
        build_change("aws_s3_bucket.new", {"bucket": "b"}, unknown={"arn": True}),
        build_change("terraform_data.p", {"input": value}, unknown={"input": unknown, "output": True}),
        build_change("aws_iam_role_policy.p", {"role": "r"}, unknown={"policy": True}),
        root={"resources": [build_configuration("aws_iam_role_policy.p", policy=["terraform_data.p.input"]), source]},
    )
    policy = plan.find_resource("aws_iam_role_policy.p")
    assert policy is not None
    document = iam.read_document(policy, "policy", plan.joins)
    assert document is not None
    return document


def test_the_input_of_a_terraform_data_shows_a_policy() -> None:
    statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": [None, "arn:aws:s3:::a"]}
    unknown = {"Statement": [{"Resource": [True, False]}]}
    document = read_shown_policy({"Version": "2012-10-17", "Statement": [statement]}, unknown)
    assert (document.is_complete, document.source) == (True, "terraform_data.p")
    ((new, known),) = (one.resources for one in document.statements)
    assert (str(new), known) == ("(aws_s3_bucket.new, known after apply)", "arn:aws:s3:::a")
    assert not read_shown_policy({"Statement": [statement], "also": "[]"}, unknown).is_complete
    assert not read_shown_policy({"policy": None}, {"policy": True}).is_complete


def test_policy_variables_have_the_form_of_the_provider() -> None:
    source = "data.aws_iam_policy_document.d.json"
    (statement,) = read_data_source({"resources": ["arn:aws:s3:::data/&{aws:username}/*"]}, source).statements
    assert statement.resources == ("arn:aws:s3:::data/${aws:username}/*",)


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        (None, "data/${aws:username}/*"),
        ("2012-10-17", "data/${aws:username}/*"),
        ("2008-10-17", "data/${$}{aws:username}/*"),
    ],
)
def test_only_the_current_version_has_variables(version: str | None, expected: str) -> None:
    document = {} if version is None else {"version": version}
    source = "data.aws_iam_policy_document.d.json"
    (statement,) = read_data_source({"resources": ["data/&{aws:username}/*"]}, source, **document).statements
    assert statement.resources == (expected,)


def test_unquoted_numbers_and_flags_in_conditions_and_principals_are_read() -> None:
    condition = {"Bool": {"aws:SecureTransport": False}, "NumericLessThan": {"aws:MultiFactorAuthAge": [300]}}
    statements = iam.parse_statements(
        json.dumps({"Statement": {"Principal": {"AWS": 123456789012}, "Condition": condition}})
    )
    assert statements is not None
    assert [statement_condition.values for statement_condition in statements[0].conditions] == [("false",), ("300",)]
    assert statements[0].principals == (("AWS", ("123456789012",)),)
