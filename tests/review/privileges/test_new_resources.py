"""Permissions of existing roles on resources that a plan creates: they need a look but do not stop the plan."""

import json
from typing import Any

from sustainable_mlops.plan import Plan
from sustainable_mlops.review.comparison import Comparison
from sustainable_mlops.review.privileges.new_resources import ARN_FORMS
from sustainable_mlops.review.privileges.widening import find_privilege_risks
from sustainable_mlops.review.risk import Level, Risk
from tests.cases import check_cases
from tests.plan.plan_builder import build_change, build_configuration, build_plan

ACCOUNT, REGION = "123456789012", "eu-north-1"
TRUST = json.dumps({"Statement": []})
ROLE = {"name": "pipeline", "arn": f"arn:aws:iam::{ACCOUNT}:role/pipeline", "assume_role_policy": TRUST}
KEPT = build_change("aws_iam_role.pipeline", ROLE, before=ROLE)
PROVIDER = {"aws": {"name": "aws", "expressions": {"region": {"constant_value": REGION}}}}
GROUP = {"model_package_group_name": "fraud"}
OURS = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}"


def text(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action: Any, resource: Any, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def policy(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """Return the policy of the existing role."""
    before, after = ({"role": "pipeline", "policy": text(one)} for one in (old, new))
    return build_change("aws_iam_role_policy.p", after, before=before)


OLD = allow("sagemaker:CreateModelPackage", f"{OURS}:model-package/flights/*")


def list_risks(plan: Plan) -> list[Risk]:
    return [risk for risk in find_privilege_risks(Comparison(plan)) if risk.level is not Level.NOTE]


def list_widening_risks(resource: Any, *more: dict[str, Any], action: Any = "x:Get") -> list[Risk]:
    """Return the risks when the role gets `action` on `resource` in a plan with `more`."""
    own = [
        {
            **build_configuration(one["address"], **{name: {} for name in one["change"]["after"] or {}}),
            "provider_config_key": "aws",
        }
        for one in more
    ]
    configuration = {"root_module": {"resources": own}, "provider_config": PROVIDER}
    return list_risks(build_plan(KEPT, policy(OLD, allow(action, resource)), *more, configuration=configuration))


def list_levels(*arguments: Any, **more: Any) -> set[Level]:
    return {risk.level for risk in list_widening_risks(*arguments, **more)}


MADE = build_change("aws_sagemaker_model_package_group.fraud", GROUP)


def test_access_to_a_new_package_group_needs_a_look_and_names_it() -> None:
    both = [f"{OURS}:model-package-group/fraud", f"{OURS}:model-package/fraud/*"]
    (risk,) = list_widening_risks(both, MADE, action="sagemaker:CreateModelPackage")
    assert (risk.id, risk.level, risk.is_known) == ("PRIVILEGES_RESOURCE", Level.LOOK, True)
    assert risk.description.endswith(
        "; reaches only resources that this plan creates: aws_sagemaker_model_package_group.fraud"
    )


@check_cases(
    "resource",
    [
        f"{OURS}:model-package-group/other",
        f"{OURS}:model-package-group/frau*",
        f"{OURS}:model-package-group/fraud*",
        f"{OURS}:model-package-group/*",
        f"{OURS}:model-package-group/fraud/below",
        f"{OURS}:model-package/fraud*/1",
        f"{OURS}:endpoint/fraud",
        f"arn:aws:sagemaker:{REGION}:999999999999:model-package-group/fraud",
        f"arn:aws:sagemaker:{REGION}:*:model-package-group/fraud",
        f"arn:aws:sagemaker:*:{ACCOUNT}:model-package-group/fraud",
        f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:model-package-group/fraud",
        f"arn:*:sagemaker:{REGION}:{ACCOUNT}:model-package-group/fraud",
        f"arn:aws:*:{REGION}:{ACCOUNT}:model-package-group/fraud",
        "*",
        "fraud",
        [f"{OURS}:model-package-group/fraud", f"{OURS}:model-package-group/other"],
    ],
)
def test_access_beyond_new_resources_is_stopped(resource: Any) -> None:
    assert Level.STOP in list_levels(resource, MADE)


def test_access_to_existing_resources_is_stopped() -> None:
    arn = f"{OURS}:model-package-group/fraud"
    name = "aws_sagemaker_model_package_group"
    replaced = build_change(f"{name}.fraud", GROUP, before={**GROUP, "tags": {}}, actions=["delete", "create"])
    elsewhere = build_change(f"{name}.old", before=GROUP)
    forgotten = build_change(f"{name}.old", before=GROUP, actions=["forget"])
    unchanged = build_change(f"{name}.fraud", GROUP, before=GROUP)
    assert list_levels(arn, MADE) == {Level.LOOK}
    for more in ([], [replaced], [MADE, elsewhere], [MADE, forgotten], [unchanged]):
        assert list_levels(arn, *more) == {Level.STOP}


def test_a_dangerous_permission_is_stopped_on_any_resource() -> None:
    group = f"{OURS}:model-package-group/fraud"
    assert list_levels(group, MADE, action="*") == {Level.STOP}
    both = [OLD, {"Effect": "Allow", "NotAction": "iam:*", "Resource": group}]
    after = {"role": "pipeline", "policy": text(*both)}
    before = {"role": "pipeline", "policy": text(OLD)}
    found_risks = list_risks(build_plan(KEPT, MADE, build_change("aws_iam_role_policy.p", after, before=before)))
    assert {risk.level for risk in found_risks} == {Level.STOP}
    both = [OLD, {"Effect": "Allow", "Action": "x:Get", "NotResource": group}]
    after = {"role": "pipeline", "policy": text(*both)}
    found_risks = list_risks(build_plan(KEPT, MADE, build_change("aws_iam_role_policy.p", after, before=before)))
    assert {risk.level for risk in found_risks} == {Level.STOP}


def test_a_denial_that_is_lost_is_to_stop_whatever_it_was_about() -> None:
    deny = {"Effect": "Deny", "Action": "s3:*", "Resource": "arn:aws:s3:::new/*"}
    before = {"role": "pipeline", "policy": text(allow("s3:*", "arn:aws:s3:::*"), deny)}
    after = {"role": "pipeline", "policy": text(allow("s3:*", "arn:aws:s3:::*"))}
    bucket = build_change("aws_s3_bucket.new", {"bucket": "new"})
    (risk,) = list_risks(build_plan(KEPT, bucket, build_change("aws_iam_role_policy.p", after, before=before)))
    assert (risk.id, risk.level) == ("PRIVILEGES_DENY", Level.STOP)


INSIDE = {
    "aws_cloudwatch_event_bus": ({"name": "zq"}, f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/zq"),
    "aws_cloudwatch_event_rule": ({"name": "zq"}, f"arn:aws:events:{REGION}:{ACCOUNT}:rule/zq"),
    "aws_cloudwatch_log_group": ({"name": "/a/zq"}, f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/a/zq:*"),
    "aws_cloudwatch_metric_alarm": ({"alarm_name": "zq"}, f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:zq"),
    "aws_codebuild_project": ({"name": "zq"}, f"arn:aws:codebuild:{REGION}:{ACCOUNT}:project/zq"),
    "aws_dynamodb_table": ({"name": "zq"}, f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/zq/index/*"),
    "aws_ecr_repository": ({"name": "team/zq"}, f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/team/zq"),
    "aws_glue_catalog_database": ({"name": "zq"}, f"arn:aws:glue:{REGION}:{ACCOUNT}:table/zq/*"),
    "aws_kinesis_firehose_delivery_stream": ({"name": "zq"}, f"arn:aws:firehose:{REGION}:{ACCOUNT}:deliverystream/zq"),
    "aws_kinesis_stream": ({"name": "zq"}, f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/zq"),
    "aws_lambda_function": ({"function_name": "zq"}, f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:zq:live"),
    "aws_s3_bucket": ({"bucket": "zq"}, "arn:aws:s3:::zq/raw/*"),
    "aws_sagemaker_endpoint": ({"name": "Zq"}, f"{OURS}:endpoint/zq"),
    "aws_sagemaker_endpoint_configuration": ({"name": "zq"}, f"{OURS}:endpoint-config/zq"),
    "aws_sagemaker_feature_group": ({"feature_group_name": "zq"}, f"{OURS}:feature-group/zq"),
    "aws_sagemaker_mlflow_tracking_server": ({"tracking_server_name": "zq"}, f"{OURS}:mlflow-tracking-server/zq"),
    "aws_sagemaker_model": ({"name": "zq"}, f"{OURS}:model/zq"),
    "aws_sagemaker_model_package_group": ({"model_package_group_name": "zq"}, f"{OURS}:model-package/zq/*"),
    "aws_sagemaker_notebook_instance": ({"name": "zq"}, f"{OURS}:notebook-instance/zq"),
    "aws_sagemaker_pipeline": ({"pipeline_name": "zq"}, f"{OURS}:pipeline/zq/execution/*"),
    "aws_secretsmanager_secret": ({"name": "zq"}, f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:zq-??????"),
    "aws_sfn_state_machine": ({"name": "zq"}, f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:zq"),
    "aws_sns_topic": ({"name": "zq"}, f"arn:aws:sns:{REGION}:{ACCOUNT}:zq"),
    "aws_sqs_queue": ({"name": "zq"}, f"arn:aws:sqs:{REGION}:{ACCOUNT}:zq"),
    "aws_ssm_parameter": ({"name": "/team/zq"}, f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/team/zq"),
}


def test_every_form_of_arn_is_shown_here() -> None:
    assert {*INSIDE, "aws_iam_role"} == {type_ for type_, forms in ARN_FORMS.items() if forms}


@check_cases("kind", INSIDE)
def test_a_right_to_something_new_or_inside_it_needs_a_look(kind: str) -> None:
    values, arn = INSIDE[kind]
    assert list_levels(arn, build_change(f"{kind}.x", values)) == {Level.LOOK}
    assert list_levels(arn.replace("zq", "zq*"), build_change(f"{kind}.x", values)) == {Level.STOP}
    assert list_levels(arn, build_change(f"{kind}.x", {}, unknown=dict.fromkeys(values, True))) == {Level.STOP}


def test_a_bucket_of_another_account_is_not_the_new_bucket() -> None:
    bucket = build_change("aws_s3_bucket.new", {"bucket": "new"})
    assert list_levels("arn:aws:s3:::new", bucket) == {Level.LOOK}
    for place in (f"{REGION}:{ACCOUNT}", f"{REGION}:", f":{ACCOUNT}"):
        assert list_levels(f"arn:aws:s3:{place}:new", bucket) == {Level.STOP}


def test_a_name_that_is_hidden_names_nothing() -> None:
    hidden = build_change("aws_s3_bucket.new", {"bucket": "new"}, sensitive={"bucket": True})
    assert list_levels("arn:aws:s3:::new", hidden) == {Level.STOP}
    assert list_levels("arn:aws:s3:::(sensitive)", hidden) == {Level.STOP}


def build_new_role(action: str, resource: str = "arn:aws:s3:::data/*", path: str = "/") -> list[dict[str, Any]]:
    """Return a new role of the plan that allows `action`."""
    role = {"name": "train", "path": path, "assume_role_policy": TRUST}
    inline = {"role": "train", "policy": text(allow(action, resource))}
    return [build_change("aws_iam_role.train", role), build_change("aws_iam_role_policy.train", inline)]


PASSED = f"arn:aws:iam::{ACCOUNT}:role/train"


def list_pipeline_levels(*arguments: Any, **more: Any) -> set[Level]:
    return {risk.level for risk in list_widening_risks(*arguments, **more) if risk.address == "aws_iam_role_policy.p"}


def test_passing_a_new_role_is_as_serious_as_the_role() -> None:
    assert list_pipeline_levels(PASSED, *build_new_role("s3:GetObject"), action="iam:PassRole") == {Level.LOOK}
    assert list_pipeline_levels(PASSED, *build_new_role("*", "*"), action="iam:PassRole") == {Level.STOP}
    assert list_pipeline_levels(PASSED, *build_new_role("s3:DeleteObject", "*"), action="sts:AssumeRole") == {
        Level.STOP
    }
    admin = {"role": "train", "policy_arn": "arn:aws:iam::aws:policy/AdministratorAccess"}
    attached = build_change("aws_iam_role_policy_attachment.a", admin)
    assert list_pipeline_levels(PASSED, *build_new_role("s3:GetObject"), attached, action="iam:PassRole") == {
        Level.STOP
    }
    below = f"arn:aws:iam::{ACCOUNT}:role/team/train"
    assert list_pipeline_levels(below, *build_new_role("s3:GetObject", path="/team/"), action="iam:PassRole") == {
        Level.LOOK
    }


@check_cases("action", ["iam:PutRolePolicy", "iam:*", "iam:AttachRolePolicy", "iam:UpdateAssumeRolePolicy"])
def test_a_new_role_that_may_be_made_more_of_is_to_stop(action: str) -> None:
    assert list_pipeline_levels(PASSED, *build_new_role("s3:GetObject"), action=action) == {Level.STOP}


def test_one_dangerous_role_of_two_is_enough_to_stop() -> None:
    harmless = build_change("aws_iam_role.other", {"name": "other", "path": "/", "assume_role_policy": TRUST})
    both = [PASSED, f"arn:aws:iam::{ACCOUNT}:role/other"]
    assert list_pipeline_levels(both, *build_new_role("s3:GetObject"), harmless, action="iam:PassRole") == {Level.LOOK}
    assert list_pipeline_levels(both, *build_new_role("*", "*"), harmless, action="iam:PassRole") == {Level.STOP}


def test_passing_a_new_role_differs_from_other_actions_on_it() -> None:
    bucket = build_change("aws_s3_bucket.new", {"bucket": "new"})
    both, role = [PASSED, "arn:aws:s3:::new"], build_new_role("s3:GetObject")
    handing_on = ["iam:PassRole", "iam:GetRole", "sts:AssumeRole"]
    assert list_pipeline_levels(both, *role, bucket, action=handing_on) == {Level.LOOK}
    assert list_pipeline_levels(both, *role, bucket, action=[*handing_on, "s3:GetObject"]) == {Level.STOP}


def list_reference_risks(kind: str, *references: str, actions: list[str] | None = None) -> list[Risk]:
    """Return the risks of a permission on an ARN that is unknown until apply and has these references."""
    data = "data.aws_iam_policy_document.d"
    statement = {"actions": ["kms:Decrypt"], "resources": [None]}
    before = None if actions in (None, ["create"]) else {"id": "x", "arn": "y"}
    return list_risks(build_plan(
        KEPT,
        build_change(f"{kind}.new", {"id": "x"}, before=before, actions=actions, unknown={"arn": True}),
        build_change("aws_sns_topic.there", {"id": "t"}, before={"id": "t", "arn": "t"}, unknown={"arn": True}),
        build_change(data, {"statement": [statement]}, actions=["read"],
               unknown={"json": True, "statement": [{"resources": [True]}]}),
        build_change("aws_iam_role_policy.p", {"role": "pipeline"}, unknown={"policy": True},
               before={"role": "pipeline", "policy": text(OLD)}),
        root={"resources": [
            build_configuration("aws_iam_role_policy.p", policy=[f"{data}.json"]),
            {**build_configuration(data), "mode": "data", "expressions": {
                "statement": [{"resources": {"references": list(references)}}]
            }},
        ]},
    ))  # fmt: skip


def test_a_key_arn_known_only_after_apply_needs_a_look() -> None:
    (risk,) = list_reference_risks("aws_kms_key", "aws_kms_key.new.arn")
    assert (risk.id, risk.level, risk.is_known) == ("PRIVILEGES_PERMISSION", Level.LOOK, False)
    assert risk.description.endswith("reaches only resources that this plan creates: aws_kms_key.new")


@check_cases(
    ("kind", "references", "actions"),
    [
        ("aws_kms_key", ["aws_kms_key.new.arn", "local.more"], ["create"]),
        ("aws_kms_key", ["aws_kms_key.new.arn", "aws_sns_topic.there.arn"], ["create"]),
        ("aws_kms_key", ["aws_kms_key.new.arn"], ["update"]),
        ("aws_kms_key", ["aws_kms_key.new.arn"], ["delete", "create"]),
        ("aws_kms_replica_key", ["aws_kms_replica_key.new.arn"], ["create"]),
        ("aws_s3_access_point", ["aws_s3_access_point.new.arn"], ["create"]),
    ],
)
def test_an_unknown_arn_that_may_be_of_something_that_is_there_is_to_stop(
    kind: str, references: list[str], actions: list[str]
) -> None:
    assert [risk.level for risk in list_reference_risks(kind, *references, actions=actions)] == [Level.STOP]


def test_which_account_is_ones_own_must_be_known() -> None:
    unchanged = build_change("aws_iam_role.pipeline", {**ROLE, "arn": None}, before={**ROLE, "arn": None})
    entry = policy(OLD, allow("x:Get", f"{OURS}:model-package-group/fraud"))
    assert {risk.level for risk in list_risks(build_plan(unchanged, entry, MADE))} == {Level.STOP}
