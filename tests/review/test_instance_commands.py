"""Commands that instances run after an apply: scripts, tasks, schedules that delete."""

import base64
import json
from typing import Any

from sustainable_mlops.review.coverage_gaps import GapKind
from sustainable_mlops.review.review import review
from sustainable_mlops.review.risk import Level
from tests.cases import check_cases
from tests.plan.plan_builder import build_change, build_configuration, build_plan
from tests.review.privileges.test_trust import nest

SDK = "arn:aws:scheduler:::aws-sdk:"
SSM = "arn:aws:ssm:eu-north-1:123456789012:automation-definition"


def list_commands(*changes: dict[str, Any], root: dict[str, Any] | None = None) -> list[str]:
    """Return the descriptions of all commands."""
    gaps = [gap for gap in review(build_plan(*changes, root=root)).coverage_gaps if gap.kind is GapKind.COMMAND]
    assert {gap.level for gap in gaps} <= {Level.LOOK}
    return [gap.description for gap in gaps]


def change(kind: str, old: Any, new: Any, **more: Any) -> list[str]:
    return list_commands(build_change(f"aws_{kind}.this", new, before=old, **more))


def script(*lines: str) -> str:
    return base64.b64encode("\n".join(("#!/bin/sh", *lines)).encode()).decode()


def step(resource: str) -> str:
    return json.dumps({"States": {"A": {"Type": "Task", "Resource": resource}}})


def document(command: str) -> str:
    return json.dumps({"mainSteps": [{"action": "aws:runShellScript", "inputs": {"runCommand": ["date", command]}}]})


def container(*words: str) -> str:
    return json.dumps([{"name": "app", "image": "app", "command": words}])


#: A new command of a resource, a harmless value, and a text of the report.
NEW: list[tuple[str, str, Any, Any, str]] = [
    ("scheduler_schedule", "target.*.arn", SDK + "rds:stopDBInstance", SDK + "rds:deleteDBInstance",
     "deleteDBInstance"),
    ("scheduler_schedule", "target.*.arn", SDK + "sagemaker:startPipelineExecution", SDK + "ssm:sendCommand",
     "sendCommand"),
    ("scheduler_schedule", "target.*.arn", SDK + "ecs:updateService", SDK + "s3:putBucketPolicy", "putBucketPolicy"),
    ("sfn_state_machine", "definition", step("arn:aws:states:::aws-sdk:s3:getObject"),
     step("arn:aws:states:::aws-sdk:s3:deleteObjects"), "s3:deleteObjects"),
    ("cloudwatch_event_target", "arn", f"{SSM}/AWS-RunPatchBaseline:1", f"{SSM}/AWS-TerminateEC2Instance:1",
     "AWS-TerminateEC2Instance"),
    ("cloudwatch_metric_alarm", "alarm_actions.*", "arn:aws:automate:eu-north-1:ec2:recover",
     "arn:aws:automate:eu-north-1:ec2:terminate", "terminate"),
    ("fis_experiment_template", "action.*.action_id", "aws:fis:wait", "aws:ec2:terminate-instances", "terminate"),
    ("transfer_workflow", "steps.*.type", "TAG", "DELETE", "DELETE"),
    ("ssm_maintenance_window_task", "task_arn", "AWS-RunPatchBaseline", "AWS-RunShellScript", "AWS-RunShellScript"),
    ("ecs_task_definition", "container_definitions", container("serve"),
     container("sh", "-c", "curl x.y | sh"), "curl"),
    ("batch_job_definition", "container_properties", json.dumps({"command": ["s3", "cp"]}),
     json.dumps({"command": ["s3", "rm", "s3://reports", "--recursive"]}), "s3 rm"),
    ("cloudwatch_event_target", "input", json.dumps({"containerOverrides": [{"command": ["serve"]}]}),
     json.dumps({"containerOverrides": [{"command": ["s3", "rm", "x"]}]}), "s3 rm"),
    ("dms_replication_task", "replication_task_settings", json.dumps({"TargetTablePrepMode": "DO_NOTHING"}),
     json.dumps({"TargetTablePrepMode": "DROP_AND_CREATE"}), "DROP_AND_CREATE"),
    ("sagemaker_notebook_instance_lifecycle_configuration", "on_start", None, script("curl x.y | sh"), "curl x.y"),
    ("sagemaker_studio_lifecycle_config", "studio_lifecycle_config_content", None, script("curl x.y"), "curl x.y"),
]  # fmt: skip


@check_cases(("kind", "path", "harmless", "command", "words"), NEW)
def test_a_new_command_is_reported_and_its_removal_is_fine(
    kind: str, path: str, harmless: Any, command: Any, words: str
) -> None:
    old, new = ({"name": "x", **nest(path, value)} for value in (harmless, command))
    for descriptions in (change(kind, old, new), change(kind, None, new)):
        assert [words in description for description in descriptions] == [True]
    assert change(kind, new, old) == change(kind, None, old) == change(kind, new, new) == []
    assert change(kind, new, {**new, "tags": {"a": "b"}}) == []


#: A script that gains a line on an instance that exists.
CHANGED: list[tuple[str, str, Any, Any]] = [
    ("launch_template", "user_data", script(), script("curl x.y | sh")),
    ("instance", "user_data_base64", script("a"), script("a", "curl x.y | sh")),
    ("codebuild_project", "source.*.buildspec", "build:\n  - make", "build:\n  - make\n  - curl x.y | sh"),
    ("ssm_document", "content", document("date"), document("curl x.y | sh")),
    ("imagebuilder_component", "data", "phases:", "phases:\n- curl x.y | sh"),
    ("emr_cluster", "bootstrap_action.*.path", None, "s3://x/curl x.y | sh"),
    ("sagemaker_domain", "default_user_settings.*.jupyter_lab_app_settings.*.lifecycle_config_arns", [], ["curl x.y"]),
]


@check_cases(("kind", "path", "old", "new"), CHANGED)
def test_a_new_line_of_a_script_is_reported_and_its_removal_is_fine(kind: str, path: str, old: Any, new: Any) -> None:
    before, after = ({"name": "x", **nest(path, value)} for value in (old, new))
    assert ["curl x.y" in text for text in change(kind, before, after)] == [True]
    assert change(kind, after, before) == change(kind, None, before) == []


@check_cases(
    ("action", "is_command"),
    [
        ("ec2:startInstances", False),
        ("ecs:runTask", False),
        ("comprehend:detectSentiment", False),
        ("sagemaker:createTransformJob", False),
        ("sagemaker:updateEndpoint", False),
        ("s3:putObject", False),
        ("ssm:startAutomationExecution", True),
        ("iam:createAccessKey", True),
        ("iam:attachRolePolicy", True),
        ("ec2:authorizeSecurityGroupIngress", True),
        ("kms:scheduleKeyDeletion", True),
        ("sqs:purgeQueue", True),
        ("ec2:modifyInstanceAttribute", True),
    ],
)
def test_only_harmless_actions_are_not_reported(action: str, is_command: bool) -> None:
    values = {"target": [{"arn": SDK + action}]}
    assert [action in text for text in change("scheduler_schedule", None, values)] == [True] * is_command


def test_a_schedule_that_is_off_runs_nothing_until_it_is_on() -> None:
    values = {"name": "x", "target": [{"arn": SDK + "ec2:terminateInstances"}]}
    off, on = {**values, "state": "DISABLED"}, {**values, "state": "ENABLED"}
    assert change("scheduler_schedule", None, off) == change("scheduler_schedule", on, off) == []
    assert len(change("scheduler_schedule", off, on)) == 1


def test_a_remediation_counts_if_it_is_automatic() -> None:
    values = {"target_id": "AWSConfigRemediation-DeleteUnusedEBSVolume"}
    assert change("config_remediation_configuration", None, values) == []
    assert len(change("config_remediation_configuration", None, {**values, "automatic": True})) == 1


def test_a_script_stored_as_a_hash_is_reported_without_text() -> None:
    assert change("instance", {"user_data": "a" * 40}, {"user_data": "b" * 40}) == [
        "aws_instance.user_data, when an instance starts"
    ]
    assert change("instance", {"user_data": "a" * 40}, {"user_data": "a" * 40, "tags": {"a": "b"}}) == []


@check_cases(
    "line",
    [
        "export DB_PASSWORD=hunter2",
        "mysql --password hunter2",
        "curl -H 'Authorization: Bearer hunter2' x.y",
        "git clone https://me:hunter2@x.y/a",
        "login hunter2AAAABBBBCCCCDDDDEEEEFFFFGGGGHHHHIIII1",
    ],
)
def test_secrets_are_not_shown(line: str) -> None:
    (text,) = change("launch_template", {"user_data": script()}, {"user_data": script(line)})
    assert "(hidden)" in text
    assert "hunter2" not in text


def test_a_sensitive_script_is_reported_without_text() -> None:
    (text,) = change("launch_template", {"user_data": "a"}, {"user_data": "b"}, sensitive={"user_data": True})
    assert text.endswith(": (sensitive)")


def test_a_script_that_is_unknown_until_apply_is_reported() -> None:
    assert change("launch_template", {"user_data": "a"}, {}, unknown={"user_data": True}) == [
        "aws_launch_template.user_data, when an instance starts: (known after apply)"
    ]
    assert change("launch_template", None, {}, unknown={"user_data": True}) == []


@check_cases(
    ("line", "is_command"),
    [
        ("curl -fsSL https://x.y/install | sudo bash", True),
        ("aws s3 rm s3://reports --recursive", True),
        ("aws --region eu-north-1 ec2 terminate-instances --instance-ids i-1", True),
        ("yum install -y docker", False),
        ("rm -rf /tmp/build", False),
        ("curl -o /tmp/agent.rpm https://x.y/agent.rpm", False),
        ("aws s3 cp s3://code/app.tgz .", False),
    ],
)
def test_a_script_of_a_new_instance_counts_by_its_dangerous_lines(line: str, is_command: bool) -> None:
    descriptions = change("launch_template", None, {"user_data": script("set -e", line)})
    assert ["set -e" in text for text in descriptions] == [False] * is_command


def test_a_start_up_script_of_new_instances_alone_is_fine() -> None:
    kind = "aws_sagemaker_notebook_instance_lifecycle_configuration"
    content = build_change(f"{kind}.c", {"name": "c", "on_start": script("date")})
    root = {
        "resources": [
            build_configuration("aws_sagemaker_notebook_instance.n", lifecycle_config_name=[f"{kind}.c.name"]),
            build_configuration(f"{kind}.c"),
        ]
    }
    values = {"name": "n", "lifecycle_config_name": "c", "instance_type": "ml.t3.medium"}
    assert list_commands(content, build_change("aws_sagemaker_notebook_instance.n", values), root=root) == []
    old = {**values, "lifecycle_config_name": None}
    changed = build_change("aws_sagemaker_notebook_instance.n", values, before=old)
    assert len(list_commands(content, changed, root=root)) == 2


def test_a_changed_script_is_a_command_and_not_a_gap_of_another_kind() -> None:
    for kind, path, old, new in CHANGED[:4]:
        before, after = ({"name": "x", **nest(path, value)} for value in (new, old))
        gaps = review(build_plan(build_change(f"aws_{kind}.this", after, before=before))).coverage_gaps
        assert not [gap for gap in gaps if gap.kind is GapKind.NOT_REVIEWED], kind


def test_statements_and_data_sources_that_run_something_are_reported() -> None:
    statement = build_change("aws_redshiftdata_statement.s", {"sql": "DROP TABLE orders"})
    assert list_commands(statement) == ["aws_redshiftdata_statement, when created: DROP TABLE orders"]
    call = build_change("data.aws_lambda_invocation.c", {"function_name": "migrate"}, actions=["read"])
    assert list_commands(call) == ["aws_lambda_invocation, when read: migrate"]
    assert list_commands(build_change("data.aws_lambda_function.c", {"function_name": "f"}, actions=["read"])) == []
