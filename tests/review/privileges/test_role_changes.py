"""Resources that run as another role."""

import json
from typing import Any

from sustainable_mlops.review.risk import Level
from tests.cases import check_cases
from tests.plan.plan_builder import build_change, build_configuration, build_plan
from tests.review.privileges.plans import ADMIN, READ, list_levels, risks, role, text


@check_cases(
    ("kind", "attribute"),
    [
        ("aws_sagemaker_pipeline", "role_arn"),
        ("aws_sagemaker_domain", "default_user_settings.execution_role"),
        ("aws_lambda_function", "role"),
        ("aws_iam_instance_profile", "role"),
        ("aws_instance", "iam_instance_profile"),
    ],
)
def test_a_resource_that_changes_its_role_needs_a_look(kind: str, attribute: str) -> None:
    def runs_as(role: str) -> dict[str, Any]:
        name, *below = attribute.split(".")
        return {name: [{below[0]: role}] if below else role}

    assert list_levels(build_change(f"{kind}.x", runs_as("b"), before=runs_as("a"))) == [
        ("PRIVILEGES_ROLE", Level.LOOK)
    ]
    assert list_levels(build_change(f"{kind}.x", {**runs_as("a"), "tags": {}}, before=runs_as("a"))) == []


def test_a_role_that_the_plan_makes_is_named_though_its_arn_is_unknown() -> None:
    pipeline = build_change("aws_sagemaker_pipeline.p", {}, before={"role_arn": "x"}, unknown={"role_arn": True})
    root = {"resources": [build_configuration("aws_sagemaker_pipeline.p", role_arn=["aws_iam_role.new.arn"])]}
    new = build_change("aws_iam_role.new", {"name": "new"}, unknown={"arn": True})
    (risk,) = risks(build_plan(new, pipeline, root=root))
    assert (risk.level, risk.is_known) == (Level.LOOK, True)
    assert risk.description == "role_arn: runs as aws_iam_role.new instead of x"


ADMINISTERS = text({"Effect": "Allow", "Action": "*", "Resource": "*"})


def build_load_role(policy: str | None, before: str | None = None, **link: Any) -> list[dict[str, Any]]:
    """Return the role `load`, new or existing, with an inline policy or an attached one."""
    values = role(name="load", id="load", arn="arn:aws:iam::123456789012:role/load")
    there = before is not None
    result = [build_change("aws_iam_role.load", values, before=values if there else None)]
    if policy is not None:
        old = {"role": "load", "policy": before} if there else None
        result.append(build_change("aws_iam_role_policy.load", {"role": "load", "policy": policy}, before=old))
    return result + ([build_change("aws_iam_role_policy_attachment.load", {"role": "load", **link})] if link else [])


HAS = {"role": "load", "policy_arn": ADMIN}
HAS_ADMIN = build_change("aws_iam_role_policy_attachment.load", HAS, before=HAS)


@check_cases(
    ("load", "level"),
    [
        (build_load_role(text(READ)), Level.LOOK),
        (build_load_role(ADMINISTERS), Level.STOP),
        (build_load_role(None, policy_arn=ADMIN), Level.STOP),
        (build_load_role(text(READ), before=text(READ)), Level.LOOK),
        (build_load_role(ADMINISTERS, before=ADMINISTERS), Level.STOP),
        ([*build_load_role(None, before=""), HAS_ADMIN], Level.STOP),
        (build_load_role(text({**READ, "Action": ["s3:GetObject", "s3:PutObject"]}), before=text(READ)), Level.STOP),
    ],
    ids=[
        "new",
        "new that administers",
        "new with full access",
        "there",
        "there that administers",
        "there with full access",
        "there widened",
    ],
)
def test_a_role_change_has_the_level_of_the_permissions_of_the_new_role(load: list[Any], level: Level) -> None:
    for new in ("arn:aws:iam::123456789012:role/load", "load"):
        job = build_change("aws_glue_job.j", {"role_arn": new}, before={"role_arn": "read"})
        profile = build_change("aws_iam_instance_profile.p", {"name": "p", "role": "load"})
        instance = build_change("aws_instance.m", {"iam_instance_profile": "p"}, before={"iam_instance_profile": "q"})
        for runs in ([job], [instance, profile]):
            found_risks = [risk for risk in risks(build_plan(*load, *runs)) if risk.id == "PRIVILEGES_ROLE"]
            assert [risk.level for risk in found_risks if risk.address == runs[0]["address"]] == [level]


def test_a_role_risk_names_the_role_and_the_reason() -> None:
    def describe_role_risk(new: str | None, *load: Any, **set_by: Any) -> str:
        after, unknown = ({"role_arn": new}, {}) if new else ({}, {"role_arn": True})
        job = build_change("aws_glue_job.j", after, before={"role_arn": "read"}, unknown=unknown)
        root = {"resources": [build_configuration("aws_glue_job.j", **set_by)]} if set_by else None
        return "".join(
            risk.description for risk in risks(build_plan(*load, job, root=root)) if risk.id == "PRIVILEGES_ROLE"
        )

    wider = build_load_role(text({**READ, "Action": ["s3:GetObject", "s3:PutObject"]}), before=text(READ))
    read_only = {"role": "load", "policy_arn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}
    unchanged = [
        *build_load_role(None, before=""),
        build_change("aws_iam_role_policy_attachment.load", read_only, before=read_only),
    ]
    assert describe_role_risk("load") == "role_arn: runs as load instead of read"
    assert describe_role_risk("load", *unchanged) == "role_arn: runs as load instead of read"
    assert describe_role_risk("load", *wider).endswith(
        "; aws_iam_role.load: it gets new permissions that stop the plan"
    )
    assert describe_role_risk("load", *build_load_role(None, policy_arn=ADMIN)).endswith(
        "it gets new permissions that stop the plan"
    )
    assert describe_role_risk(None, role_arn=["local.role"]) == "role_arn: runs as (known after apply) instead of read"
    assert describe_role_risk("load", name=["local.name"]) == ""
    entry = build_change("aws_glue_job.j", {}, before={"role_arn": "read"}, unknown={"role_arn": True})
    data = build_change("data.aws_iam_role.r", {"name": "r"}, unknown={"arn": True}, actions=["read"])
    root = {"resources": [build_configuration("aws_glue_job.j", role_arn=["data.aws_iam_role.r.arn"])]}
    (risk,) = risks(build_plan(entry, data, root=root))
    assert (risk.level, risk.is_known) == (Level.LOOK, False)


@check_cases(
    ("path", "old", "new", "description"),
    [
        ("iam_roles", ["a", "b"], ["b", "c"], "iam_roles: runs as c instead of a"),
        ("iam_roles", ["a", "b"], ["b"], None),
        ("roles", {"authenticated": "a"}, {"authenticated": "b"}, "roles: runs as b instead of a"),
        ("pipeline_definition", {"Steps": [{"RoleArn": "a"}]}, {"Steps": [{"RoleArn": "b"}, {"RoleArn": "a"}]},
         "pipeline_definition: runs as b instead of none"),
        ("pipeline_definition", {"Steps": [{"Name": "x", "RoleArn": "a"}]}, {"Steps": [{"RoleArn": "a"}]}, None),
        ("pipeline_definition", {"Steps": [{"RoleArn": {"Get": "Parameters.Role"}}]}, {"Steps": []}, None),
    ],
)  # fmt: skip
def test_roles_are_found_in_lists_maps_and_definitions_of_workflows(
    path: str, old: Any, new: Any, description: str | None
) -> None:
    def at(value: Any) -> dict[str, Any]:
        return {path: json.dumps(value) if path.endswith("definition") else value}

    found_risks = risks(build_plan(build_change("aws_made_tomorrow.x", {"id": "y", **at(new)}, before=at(old))))
    assert [risk.description for risk in found_risks] == ([] if description is None else [description])


def test_a_definition_that_is_no_json_names_no_role() -> None:
    entry = build_change("aws_sfn_state_machine.x", {"definition": "{"}, before={"definition": "["})
    assert list_levels(entry) == []


def test_a_profile_for_a_role_of_the_plan_is_as_serious_as_the_role() -> None:
    profile = build_change("aws_iam_instance_profile.p", {"name": "p", "role": "load"})
    texts = [
        risks(build_plan(*build_load_role(description, before=description), profile))
        for description in (text(READ), ADMINISTERS)
    ]
    assert [[risk.level for risk in result] for result in texts] == [[], [Level.STOP]]
