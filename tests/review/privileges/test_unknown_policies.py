"""Policies that are unknown until apply, sensitive or read by a data source."""

from typing import Any

from sustainable_mlops.review.risk import Level, Risk
from tests.cases import check_cases
from tests.plan.plan_builder import build_change, build_configuration, build_plan
from tests.review.privileges.plans import (
    BUCKET,
    CALLER,
    KEPT,
    LINK,
    OWN,
    READ,
    TLS,
    attach,
    list_levels,
    risks,
    role,
    text,
)

INLINE = build_configuration("aws_iam_role.train", name={"constant_value": "train"})


def inline(policy: Any) -> dict[str, Any]:
    return role(inline_policy=[{"name": "i", "policy": policy}])


def test_dynamic_blocks_count_though_the_configuration_does_not_show_them() -> None:
    entry = build_change("aws_iam_role.train", inline(text({**READ, "Action": "s3:*"})), before=inline(text(READ)))
    others = attach(text(READ), text(READ), before=LINK, after=LINK)
    levels = list_levels(entry, *others, root={"resources": [INLINE]})
    assert levels == [("PRIVILEGES_ACTION", Level.STOP)]


def test_the_copy_of_a_policy_in_a_resource_with_an_empty_body_hides_nothing() -> None:
    key = {"id": "k", "key_id": "k", "arn": "arn:aws:kms:eu-north-1:123456789012:key/k", "policy": text(TLS)}
    policy = build_change(
        "aws_kms_key_policy.p", {"key_id": "k", "policy": OWN}, before={"key_id": "k", "policy": text(TLS)}
    )
    empty = {"address": "aws_kms_key.k", "mode": "managed", "type": "aws_kms_key", "name": "k"}
    levels = list_levels(build_change("aws_kms_key.k", key, before=key), policy, root={"resources": [empty]})
    assert ("PRIVILEGES_DENY", Level.STOP) in levels


HIDDEN = [
    build_change("aws_s3_bucket_policy.p", before={"bucket": "data", "policy": text(TLS)}, sensitive={"policy": True}),
    build_change("aws_iam_role.train", inline(text(READ)), before=role(), sensitive={"inline_policy": True}),
    build_change("aws_iam_role.train", role(), before=role(), unknown={"managed_policy_arns": True},
           actions=["update"]),
    build_change("aws_s3_bucket_acl.a", {"bucket": "data"}, unknown={"acl": True}),
    build_change(
        "aws_sagemaker_pipeline.p", {"role_arn": "y"}, before={"role_arn": "x"}, sensitive={"role_arn": True}
    ),
    build_change("aws_kinesis_resource_policy.p", {}, before={"policy": OWN}, unknown={"policy": True}),
    build_change("aws_iam_role_policy.p", {"policy": text(READ)}, before={"role": "train", "policy": text(READ)},
           unknown={"role": True}),
]  # fmt: skip


@check_cases("entry", HIDDEN, ids=[entry["type"] for entry in HIDDEN])
def test_hidden_and_unknown_values_need_a_look(entry: dict[str, Any]) -> None:
    configured = build_configuration("aws_iam_role.train", managed_policy_arns=["local.arns"])
    assert [level for _, level in list_levels(entry, root={"resources": [configured]})] == [Level.LOOK]


DATA = "data.aws_iam_policy_document.d"


def test_a_policy_from_a_data_source_needs_a_look() -> None:
    data = build_change(DATA, {"statement": [{"actions": ["s3:GetObject"], "resources": [READ["Resource"]]}]},
                  unknown={"json": True}, actions=["read"])  # fmt: skip
    entry = build_change(
        "aws_iam_role_policy.p", {"role": "train"}, before={"role": "train", "policy": text(READ)},
        unknown={"policy": True},
    )  # fmt: skip
    root = {"resources": [build_configuration("aws_iam_role_policy.p", policy=[f"{DATA}.json"])]}
    (risk,) = risks(build_plan(KEPT, data, entry, root=root))
    assert (risk.id, risk.level, risk.is_known) == ("PRIVILEGES_UNKNOWN", Level.LOOK, False)
    assert f"is compared as declared in {DATA}" in risk.description


def list_data_source_risks(
    kind: str, path: str, statement: dict[str, Any], *references: str, new: bool = True
) -> list[Risk]:
    """Return the risks of a policy in `path` from a data source whose unknown parts (None) have `references`."""

    def marks(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: marks(item) for key, item in value.items()}
        return [marks(one) for one in value] if isinstance(value, list) else value is None

    inner: dict[str, Any] = {name: {"references": list(references)} for name in ("resources", "actions")}
    inner |= {name: [{"identifiers": inner["resources"], "values": inner["resources"]}] for name in
              ("principals", "condition")}  # fmt: skip
    holder = "aws_iam_role.train" if kind == "aws_iam_role_policy" else "aws_s3_bucket.data"
    values = role() if kind == "aws_iam_role_policy" else BUCKET
    root = {"resources": [
        build_configuration(f"{kind}.p", **{path: [f"{DATA}.json"]}),
        {**build_configuration(DATA), "mode": "data", "expressions": {"statement": [inner]}},
    ]}  # fmt: skip
    return [risk for risk in risks(build_plan(
        CALLER,
        build_change(holder, values, before=None if new else values),
        build_change("aws_sns_topic.made", {"name": "t"}, unknown={"arn": True}),
        build_change("terraform_data.reader", {"input": "*"}, unknown={"output": True}),
        build_change("aws_cloudformation_stack.other", {"name": "s"}, unknown={"outputs": True}),
        build_change("aws_organizations_account.other", {"name": "o"}, unknown={"id": True}),
        build_change(DATA, {"statement": [statement]}, unknown={"json": True, "statement": [marks(statement)]},
               actions=["read"]),
        build_change(f"{kind}.p", {"role": "train", "bucket": "data"}, unknown={path: True}),
        root=root,
    )) if risk.address == f"{kind}.p"]  # fmt: skip


@check_cases(
    ("actions", "references", "level"),
    [
        (["s3:GetObject"], ["aws_sns_topic.made.arn"], Level.NOTE),
        (["s3:GetObject"], ["local.arn"], Level.NOTE),
        (["iam:PassRole"], ["aws_sns_topic.made.arn"], Level.NOTE),
        (["iam:PassRole"], ["local.arn"], Level.LOOK),
        (["iam:PassRole"], ["terraform_data.reader.output"], Level.LOOK),
        (["iam:PassRole"], ["aws_cloudformation_stack.other.outputs"], Level.LOOK),
        (["s3:*"], ["local.arn"], Level.LOOK),
        ([None], ["local.actions"], Level.LOOK),
    ],
)
def test_permissions_of_a_new_role_on_new_resources_are_notes(
    actions: list[str], references: list[str], level: Level
) -> None:
    statement = {"actions": actions, "resources": [None]}
    (risk,) = list_data_source_risks("aws_iam_role_policy", "policy", statement, *references)
    assert (risk.level, risk.is_known) == (level, level is Level.NOTE)
    assert level is not Level.NOTE or risk.description.endswith(f"(as declared in {DATA})")
    (risk,) = list_data_source_risks("aws_iam_role_policy", "policy", statement, *references, new=False)
    assert risk.level is not Level.NOTE


def list_dynamic_risks(*, is_new: bool, action: str = "sqs:SendMessage") -> list[tuple[Level, str]]:
    """Return the risks of a document with one statement as a block, and one by `dynamic`, which is not recorded."""
    written = {"sid": "a", "actions": ["sns:Publish"], "resources": [None]}
    repeated = {"sid": "b", "actions": [action], "resources": [None]}
    marks = {"json": True, "statement": [{"resources": [True]}, {"resources": [True]}]}
    expressions = {"sid": {"constant_value": "a"}, "actions": {"constant_value": ["sns:Publish"]},
                   "resources": {"references": ["aws_sns_topic.made.arn"]}}  # fmt: skip
    root = {"resources": [
        build_configuration("aws_iam_role_policy.p", policy=[f"{DATA}.json"]),
        {**build_configuration(DATA), "mode": "data", "expressions": {"statement": [expressions]}},
    ]}  # fmt: skip
    found_risks = risks(build_plan(
        build_change("aws_iam_role.train", role(), before=None if is_new else role()),
        build_change("aws_sns_topic.made", {"name": "t"}, unknown={"arn": True}),
        build_change(DATA, {"statement": [repeated, written]}, unknown=marks, actions=["read"]),
        build_change("aws_iam_role_policy.p", {"role": "train"}, unknown={"policy": True}),
        root=root,
    ))  # fmt: skip
    return [(risk.level, risk.description) for risk in found_risks if risk.address == "aws_iam_role_policy.p"]


def test_a_written_statement_keeps_its_references_beside_dynamic_ones() -> None:
    assert [level for level, _ in list_dynamic_risks(is_new=True)] == [Level.NOTE]
    dynamic, written = list_dynamic_risks(is_new=False)
    assert dynamic[0] is written[0] is Level.LOOK
    assert "sqs:SendMessage on (known after apply); parts are unknown until apply" in dynamic[1]
    assert "sns:Publish on (aws_sns_topic.made, known after apply); reaches only resources" in written[1]


def test_a_dangerous_action_of_a_dynamic_statement_stops_for_an_existing_role() -> None:
    levels = [level for level, _ in list_dynamic_risks(is_new=False, action="iam:PassRole")]
    assert levels == [Level.STOP, Level.LOOK]


@check_cases(
    ("principals", "condition", "references", "level"),
    [
        ([None], [], ["aws_sns_topic.made.arn"], Level.NOTE),
        ([None], [], ["local.reader"], Level.LOOK),
        ([None], [], ["terraform_data.reader.output"], Level.LOOK),
        ([None], [], ["aws_organizations_account.other.id"], Level.LOOK),
        (["*"], [{"test": "StringEquals", "variable": "aws:SourceAccount", "values": [None]}],
         ["aws_organizations_account.other.id"], Level.LOOK),
        (["*"], [{"test": "ArnLike", "variable": "aws:SourceArn", "values": [None]}], ["aws_sns_topic.made.arn"],
         Level.NOTE),
        (["*"], [{"test": "ArnLike", "variable": "aws:SourceArn", "values": [None]}], ["local.source"], Level.LOOK),
        (["*"], [{"test": "Bool", "variable": "aws:SecureTransport", "values": [None]}], ["aws_sns_topic.made.arn"],
         Level.STOP),
    ],
)  # fmt: skip
def test_access_of_new_principals_to_a_new_bucket_is_a_note(
    principals: list[Any], condition: list[Any], references: list[str], level: Level
) -> None:
    own = {"type": "AWS", "identifiers": principals}
    statement = {"actions": ["s3:GetObject"], "resources": ["arn:aws:s3:::data/*"], "principals": [own]}
    (risk,) = list_data_source_risks(
        "aws_s3_bucket_policy", "policy", {**statement, "condition": condition}, *references
    )
    assert (risk.level, risk.is_known) == (level, level is not Level.LOOK)


@check_cases(
    ("provider", "condition", "level"),
    [
        ("openid_connect", [], Level.STOP),
        ("openid_connect", [{"test": "StringLike", "variable": "x.org:sub", "values": ["repo:us/app:*"]}], Level.NOTE),
        ("saml", [], Level.NOTE),
    ],
)
def test_tokens_of_a_new_identity_provider_may_belong_to_anyone(provider: str, condition: Any, level: Level) -> None:
    created, trusted = f"aws_iam_{provider}_provider.p", {"type": "Federated", "identifiers": [None]}
    statement = {"actions": ["sts:AssumeRoleWithWebIdentity"], "principals": [trusted], "condition": condition}
    source = {**build_configuration(DATA), "mode": "data", "expressions": {
        "statement": [{"principals": [{"identifiers": {"references": [f"{created}.arn"]}}]}]
    }}  # fmt: skip
    root = {"resources": [build_configuration("aws_iam_role.train", assume_role_policy=[f"{DATA}.json"]), source]}
    marks = {"json": True, "statement": [{"principals": [{"identifiers": [True]}]}]}
    found_risks = risks(build_plan(
        build_change(created, {"url": "https://x.org"}, unknown={"arn": True}),
        build_change(DATA, {"statement": [statement]}, unknown=marks, actions=["read"]),
        build_change("aws_iam_role.train", {"name": "train"}, unknown={"assume_role_policy": True, "arn": True}),
        root=root,
    ))  # fmt: skip
    assert [risk.level for risk in found_risks if risk.address == "aws_iam_role.train"] == [level]
