"""Tags of resources that conditions of policies name."""

from typing import Any

import pytest

from sustainable_mlops.review.comparison import Comparison
from sustainable_mlops.review.privileges import access_tags
from sustainable_mlops.review.privileges.widening import find_privilege_risks
from sustainable_mlops.review.risk import Level
from tests.cases import check_cases
from tests.plan.plan_builder import build_change, build_configuration, build_plan
from tests.review.privileges.plans import KEPT, READ, list_levels, policy, role, text

KEY_ARN = "arn:aws:kms:eu-north-1:123456789012:key/k"


def change_tag(old: str | None, new: str | None, type_: str = "aws_kms_key", name: str = "team") -> dict[str, Any]:
    values = role() if type_ == "aws_iam_role" else {"arn": KEY_ARN}
    before, after = ({**values, "tags": {} if tag is None else {name: tag}} for tag in (old, new))
    return build_change(f"{type_}.train", after, before=before)


def hide_tags(old: str | None, new: str | None, **how: bool) -> dict[str, Any]:
    """Return the change of a tag whose name and value after the plan are unknown or sensitive."""
    change = change_tag(old, new)
    marks = {f"after_{name}": {"tags": True} for name in how}
    change["change"] |= marks
    return change


def limit_by_tag(
    value: str | list[str], effect: str = "Allow", operator: str = "StringEquals", **more: Any
) -> dict[str, Any]:
    condition = {operator: {more.pop("key", "aws:ResourceTag/team"): value}}
    statement = {"Effect": effect, "Action": "kms:Decrypt", "Resource": "*", "Condition": condition, **more}
    return policy("p", text(statement), text(statement))


@check_cases(
    ("tag", "entry", "levels"),
    [
        (change_tag("sec", "ml"), limit_by_tag("ml"), [Level.LOOK]),
        (change_tag(None, "ml"), limit_by_tag("m*", operator="StringLike"), [Level.LOOK]),
        (change_tag("sec", "a"), limit_by_tag("sec", operator="StringNotEquals"), [Level.LOOK]),
        (change_tag("sec", None), limit_by_tag("true", operator="Null"), [Level.LOOK]),
        (change_tag("sec", "a"), limit_by_tag("sec", "Deny"), [Level.LOOK]),
        (change_tag("sec", "a"), limit_by_tag("${aws:PrincipalTag/team}"), [Level.LOOK]),
        (change_tag("a", "ml", "aws_iam_role"), limit_by_tag("${aws:PrincipalTag/team}"), [Level.LOOK]),
        (change_tag("a", "ml", "aws_iam_role"), limit_by_tag("ml", key="aws:PrincipalTag/team"), [Level.LOOK]),
        (hide_tags("sec", "ml", unknown=True), limit_by_tag("ml"), [Level.LOOK]),
        (hide_tags("sec", "ml", sensitive=True), limit_by_tag("ml"), [Level.LOOK]),
        (hide_tags("sec", "ml", unknown=True), limit_by_tag("true", operator="Null"), [Level.LOOK]),
        (change_tag("ml", None, "aws_iam_role"), limit_by_tag("${aws:PrincipalTag/team}", "Deny"), [Level.LOOK]),
        (change_tag("ml", None, "aws_iam_role"),
         limit_by_tag("${aws:PrincipalTag/team}", operator="StringNotEquals"), [Level.LOOK]),
        # Less access, another value, another tag, another service, another key or another principal.
        (change_tag("ml", "sec"), limit_by_tag("ml"), []),
        (change_tag("a", "sec"), limit_by_tag("sec", "Deny"), []),
        (change_tag("a", "b"), limit_by_tag("ml"), []),
        (change_tag("a", "b"), limit_by_tag("ML", operator="StringEqualsIgnoreCase"), []),
        (change_tag("a", "ml", name="owner"), limit_by_tag("ml"), []),
        (change_tag("a", "ml"), limit_by_tag("ml", Action="s3:GetObject"), []),
        (change_tag("a", "ml"), limit_by_tag("ml", Resource=f"{KEY_ARN}2"), []),
        (change_tag("a", "b", "aws_iam_user"), limit_by_tag("ml"), []),
        (change_tag("ml", "a", "aws_iam_role"), limit_by_tag("ml", key="aws:PrincipalTag/team"), []),
        (change_tag("ml", None, "aws_iam_role"), limit_by_tag("${aws:PrincipalTag/team}"), []),
        (hide_tags("ml", "ml", unknown=True), limit_by_tag("ml"), []),
        (hide_tags("sec", "ml", unknown=True), limit_by_tag("ml", Action="s3:GetObject"), []),
    ],
)  # fmt: skip
def test_a_tag_that_a_condition_names_may_give_access(
    tag: dict[str, Any], entry: dict[str, Any], levels: list[Level]
) -> None:
    changed = [tag] if tag["address"] == KEPT["address"] else [KEPT, tag]
    found = list_levels(*changed, entry)
    assert found == [("PRIVILEGES_GRANTED", level) for level in levels]


@check_cases(
    ("effect", "actions", "description"),
    [
        ("Allow", ("kms:Decrypt",), "allow kms:Decrypt on * if {condition}"),
        ("Allow", ("kms:Decrypt", "kms:Sign"), "allow kms:Decrypt on * if {condition} (and 1 other statement)"),
        ("Deny", ("kms:Decrypt",), "deny kms:Decrypt on * if {condition}"),
        ("Deny", ("kms:Decrypt", "kms:Sign", "kms:Verify"),
         "deny kms:Decrypt on * if {condition} (and 2 other statements)"),
    ],
)  # fmt: skip
def test_the_risk_of_a_tag_names_the_policies_and_one_statement(
    effect: str, actions: tuple[str, ...], description: str
) -> None:
    condition = {"StringEquals": {"aws:ResourceTag/team": "ml"}}
    statements = [
        {"Sid": action, "Effect": effect, "Action": action, "Resource": "*", "Condition": condition}
        for action in actions
    ]
    old, new, verb = ("sec", "ml", "now") if effect == "Allow" else ("ml", "sec", "no longer")
    entry = policy("p", text(*statements), text(*statements))
    (risk,) = find_privilege_risks(Comparison(build_plan(KEPT, change_tag(old, new), entry)))
    expected = description.format(condition="StringEquals aws:ResourceTag/team ml")
    assert risk.description == f"tag team: {old} → {new}: the policies of aws_iam_role.train may {verb} {expected}"


@check_cases(
    ("change", "entry", "levels"),
    [
        (("sec", "ml"), {}, [Level.LOOK]),
        (("sec", "ml"), {"operator": "StringEqualsIgnoreCase"}, [Level.LOOK]),
        (("ml", "sec"), {"operator": "StringNotEquals"}, [Level.LOOK]),
        # The known value is met before, or not met after.
        (("known", "ml"), {}, []),
        (("KNOWN", "ml"), {"operator": "StringEqualsIgnoreCase"}, []),
        (("sec", "known"), {"operator": "StringNotEquals"}, []),
    ],
)
def test_a_condition_with_an_unknown_value_on_a_tag_may_give_access(
    change: tuple[str, str], entry: dict[str, Any], levels: list[Level]
) -> None:
    condition = {"test": entry.get("operator", "StringEquals"), "variable": "aws:ResourceTag/team"}
    statement = {"effect": "Allow", "actions": ["kms:Decrypt"], "resources": ["*"]}
    values = {"statement": [{**statement, "condition": [{**condition, "values": ["known", None]}]}]}
    document = build_change(
        "data.aws_iam_policy_document.d", values, actions=["read"],
        unknown={"json": True, "statement": [{"condition": [{"values": [False, True]}]}]},
    )  # fmt: skip
    attached = build_change("aws_iam_role_policy.p", {"role": "train"}, before={"role": "train", "policy": text(READ)},
                            unknown={"policy": True})  # fmt: skip
    root = {
        "resources": [
            build_configuration("aws_iam_role_policy.p", policy=["data.aws_iam_policy_document.d.json"]),
            {**build_configuration("data.aws_iam_policy_document.d"), "mode": "data",
             "address": "data.aws_iam_policy_document.d"},
        ]
    }  # fmt: skip
    found = list_levels(KEPT, change_tag(*change), attached, document, root=root)
    assert [level for name, level in found if name == "PRIVILEGES_GRANTED"] == levels


INSTANCE_ARN = "arn:aws:ec2:eu-north-1:123456789012:instance/i-0a1b2c3d"
DATABASE_ARN = "arn:aws:rds:eu-north-1:123456789012:db:orders"


@check_cases(
    ("type_", "arn", "action", "key", "is_open"),
    [
        ("instance", INSTANCE_ARN, "ec2:StopInstances", "ec2:ResourceTag", True),
        ("instance", INSTANCE_ARN, "ssm:StartSession", "ssm:resourceTag", True),
        ("instance", INSTANCE_ARN, "ssm:SendCommand", "aws:ResourceTag", True),
        ("instance", INSTANCE_ARN, "ec2-instance-connect:SendSSHPublicKey", "aws:ResourceTag", True),
        ("instance", INSTANCE_ARN, "sqs:SendMessage", "aws:ResourceTag", False),
        ("iam_user", "arn:aws:iam::123456789012:user/u", "sts:TagSession", "iam:ResourceTag", True),
        ("api_gateway_rest_api", "arn:aws:apigateway:eu-north-1::/restapis/a", "execute-api:Invoke", "aws:ResourceTag",
         True),
        ("sagemaker_mlflow_tracking_server", "arn:aws:sagemaker:eu-north-1:123456789012:mlflow-tracking-server/m",
         "sagemaker-mlflow:*", "aws:ResourceTag", True),
        ("s3_bucket", "arn:aws:s3:::b", "s3:GetObject", "s3:BucketTag", True),
        ("s3_bucket", "arn:aws:s3:::b", "s3:GetObject", "s3:ExistingObjectTag", False),
        ("s3_object", "arn:aws:s3:::b/k", "s3:GetObject", "s3:ExistingObjectTag", True),
        ("s3_object", "arn:aws:s3:::b/k", "s3:GetObject", "aws:ResourceTag", False),
        ("db_instance", DATABASE_ARN, "rds:DeleteDBInstance", "rds:db-tag", True),
        ("db_instance", DATABASE_ARN, "rds:DeleteDBCluster", "rds:cluster-tag", False),
        ("db_instance", DATABASE_ARN, "rds:CreateDBInstance", "rds:req-tag", False),
        ("db_instance", DATABASE_ARN, "rds-data:ExecuteStatement", "aws:ResourceTag", True),
    ],
)  # fmt: skip
def test_a_tag_counts_for_the_services_and_keys_of_its_resource(
    type_: str, arn: str, action: str, key: str, is_open: bool
) -> None:
    sides = ({"arn": arn, "tags": {"team": team}} for team in ("ml", "a"))
    tagged = build_change(f"aws_{type_}.x", next(sides), before=next(sides))
    found = list_levels(KEPT, tagged, limit_by_tag("ml", Action=action, key=f"{key}/team"))
    assert found == [("PRIVILEGES_GRANTED", Level.LOOK)] * is_open


DEFAULT_TAGS = {"expressions": {"default_tags": [{"tags": {"references": ["var.tags"]}}]}}
ML, SEC, OTHER = {"team": "ml"}, {"team": "sec"}, {"a": "b"}


@check_cases(
    ("before", "tags", "provider", "effect", "is_open"),
    [
        # The last default tag is removed.
        ({"tags": None, "tags_all": ML}, None, {}, "Deny", True),
        ({"tags": OTHER, "tags_all": {**OTHER, **SEC}}, {"a": "c"}, {}, "Allow", False),
        # A default tag becomes unknown until apply.
        ({"tags": {}, "tags_all": ML}, {}, DEFAULT_TAGS, "Deny", True),
        ({"tags": OTHER, "tags_all": OTHER}, OTHER, DEFAULT_TAGS, "Allow", True),
        ({"tags": SEC, "tags_all": SEC}, SEC, DEFAULT_TAGS, "Allow", False),
    ],
)
def test_default_tags_that_the_plan_does_not_show_may_give_access(
    before: dict[str, Any], tags: Any, provider: dict[str, Any], effect: str, is_open: bool
) -> None:
    after = {"arn": KEY_ARN, "tags": tags}
    tagged = build_change("aws_kms_key.k", after, before={"arn": KEY_ARN, **before}, unknown={"tags_all": True})
    configuration = {"provider_config": {"aws": provider}, "root_module": {}}
    found = list_levels(KEPT, tagged, limit_by_tag("ml", effect), configuration=configuration)
    assert found == [("PRIVILEGES_GRANTED", Level.LOOK)] * is_open


@check_cases(
    ("type_", "old", "how"),
    [
        ("awscc_ecs_cluster", [{"key": "team", "value": "sec"}], "unknown"),
        ("awscc_ecs_cluster", [{"key": "team", "value": "sec"}], "sensitive"),
        ("aws_kms_key", "sec", "unknown"),
        ("google_compute_instance", ["sec"], "unknown"),
        ("google_compute_instance", ["sec"], "sensitive"),
    ],
)
def test_hidden_tags_of_aws_resources_need_a_look(type_: str, old: Any, how: str) -> None:
    after = {"name": "x"} if how == "unknown" else {"name": "x", "tags": ["ml"]}
    tagged = build_change(f"{type_}.x", after, before={"name": "x", "tags": old})
    tagged["change"][f"after_{how}"] = {"tags": True}
    levels = [Level.LOOK] if type_.startswith("aws") else []
    assert list_levels(KEPT, tagged, limit_by_tag("ml")) == [("PRIVILEGES_GRANTED", level) for level in levels]


@check_cases(
    ("type_", "attribute"),
    [
        ("ec2_tag", "resource_id"),
        ("ecs_tag", "resource_arn"),
        ("dynamodb_tag", "resource_arn"),
        ("transfer_tag", "resource_arn"),
        ("autoscaling_group_tag", "autoscaling_group_name"),
    ],
)
def test_a_resource_that_only_sets_a_tag_is_compared_too(type_: str, attribute: str) -> None:
    def build(value: str | None, name: str | None = "x") -> dict[str, Any] | None:
        tag = {"key": "team", "value": value}
        inner = {"tag": [tag]} if type_ == "autoscaling_group_tag" else tag
        return None if value is None else {**({} if name is None else {attribute: name}), **inner}

    def list_tag_levels(before: Any, after: Any, effect: str = "Allow", **more: Any) -> list[Level]:
        tagged = build_change(f"aws_{type_}.t", after, before=before, **more)
        return [level for _, level in list_levels(KEPT, tagged, limit_by_tag("ml", effect))]

    assert list_tag_levels(None, build("ml")) == [Level.LOOK]
    assert list_tag_levels(build("a"), build("ml")) == [Level.LOOK]
    assert list_tag_levels(build("ml"), None, "Deny") == [Level.LOOK]
    assert list_tag_levels(build("ml"), build("ml", "y"), actions=["delete", "create"]) == [Level.LOOK]
    assert list_tag_levels(build("ml"), build("ml", "y"), "Deny", actions=["delete", "create"]) == [Level.LOOK]
    assert list_tag_levels(None, build("a")) == []
    assert list_tag_levels(build("ml"), None) == []
    assert list_tag_levels(build("ml"), None, "Deny", actions=["forget"]) == []
    assert list_tag_levels(None, build("ml", None), unknown={attribute: True}) == []


def test_the_tags_of_an_autoscaling_group_are_compared() -> None:
    before, after = ({"name": "g", "tag": [{"key": "team", "value": value}]} for value in ("a", "ml"))
    tagged = build_change("aws_autoscaling_group.g", after, before=before)
    assert list_levels(KEPT, tagged, limit_by_tag("ml")) == [("PRIVILEGES_GRANTED", Level.LOOK)]


def test_a_tag_is_compared_only_with_the_conditions_on_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> bool:
        raise AssertionError("compares ARNs")

    monkeypatch.setattr(access_tags, "_may_act_on", refuse)
    sides = ([{"arn": f"{KEY_ARN}{n}", "tags": {"team": "a", "cost": cost}} for n in range(3)] for cost in "12")
    tagged = [build_change(f"aws_kms_key.k{n}", after, before=before)
              for n, (before, after) in enumerate(zip(*sides, strict=True))]  # fmt: skip
    assert list_levels(KEPT, *tagged, limit_by_tag("ml")) == []
    # A condition on the tag that the new value does not meet needs no comparison of ARNs either.
    assert list_levels(KEPT, *tagged, limit_by_tag("3", key="aws:ResourceTag/cost")) == []
