"""Schedules start what they say, when they say: by the sandbox's clock, which tests move."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from sagemaker_sandbox import Sandbox
from sagemaker_sandbox.services.eventbridge import occurrences
from sustainable_mlops.base.errors import UserError
from tests.cases import check_cases
from tests.sandbox.pipelines_support import pipeline
from tests.sandbox.support import (
    ROLE,
    TRUST,
    catch_error,
    make_queue,
    make_role,
    make_service_role,
    reset_sandbox,
    wait_until,
)
from tests.sandbox.test_scaling import ON_INSTANCES, build_target, make_endpoint

pytestmark = pytest.mark.slow

Fresh = Callable[[str], str]
SCHEDULER = "scheduler.amazonaws.com"
ACTIONS = ("sagemaker:StartPipelineExecution", "sqs:SendMessage", "sns:Publish", "events:PutEvents")
UNIVERSAL = "arn:aws:scheduler:::aws-sdk:"
OFF = {"Mode": "OFF"}


@pytest.fixture(scope="module")
def sandbox() -> Any:
    """Start a sandbox whose time the tests advance."""
    with Sandbox.start() as own:
        make_role(own)
        make_service_role(own, SCHEDULER, *ACTIONS)
        yield own


@pytest.fixture(scope="module")
def sagemaker(sandbox: Sandbox) -> Any:
    return sandbox.client("sagemaker")


@pytest.fixture
def scheduler(sandbox: Sandbox) -> Any:
    """Return a client. Delete all schedules after the test."""
    client = sandbox.client("scheduler")
    yield client
    for one in client.list_schedules()["Schedules"]:
        client.delete_schedule(Name=one["Name"])


def role(sandbox: Sandbox) -> str:
    return str(sandbox.client("iam").get_role(RoleName="for-scheduler")["Role"]["Arn"])


def make_pipeline(sagemaker: Any, name: str) -> str:
    """Create a pipeline whose version 1 is `live`, and whose version 2 is the latest."""
    for message in ("one", "two"):
        definition = pipeline({"Name": "Tell", "Type": "Fail", "Arguments": {"ErrorMessage": message}})
        if message == "one":
            arn = sagemaker.create_pipeline(PipelineName=name, PipelineDefinition=definition, RoleArn=ROLE)
            sagemaker.update_pipeline_version(
                PipelineArn=arn["PipelineArn"],
                PipelineVersionId=1,
                PipelineVersionAliasOperations={"Add": ["live"]},
            )
        else:
            sagemaker.update_pipeline(PipelineName=name, PipelineDefinition=definition)
    return str(arn["PipelineArn"])


def versions(sagemaker: Any, name: str) -> list[int]:
    """Return the versions of the executions, the first one first."""
    summaries = sagemaker.list_pipeline_executions(PipelineName=name, SortOrder="Ascending")[
        "PipelineExecutionSummaries"
    ]
    described = (
        sagemaker.describe_pipeline_execution(PipelineExecutionArn=one["PipelineExecutionArn"]) for one in summaries
    )
    return [one["PipelineVersionId"] for one in described]


def messages(sandbox: Sandbox, url: str) -> list[str]:
    """Receive and delete the messages of a queue."""
    sqs, bodies = sandbox.client("sqs"), []
    while received := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in received:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            bodies.append(message["Body"])
    return bodies


def soon(sandbox: Sandbox, **ahead: float) -> str:
    """Return at(…) for a moment relative to the sandbox's time."""
    return f"at({sandbox.advance(0) + timedelta(**ahead):%Y-%m-%dT%H:%M:%S})"


def test_a_schedule_starts_the_version_that_is_live(
    sandbox: Sandbox, sagemaker: Any, scheduler: Any, fresh: Fresh
) -> None:
    name = fresh("nightly")
    make_pipeline(sagemaker, name)
    request = json.dumps({"PipelineName": name, "PipelineVersionAlias": "live"})
    target = {"Arn": UNIVERSAL + "sagemaker:startPipelineExecution", "RoleArn": role(sandbox), "Input": request}
    window = {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 60}
    scheduler.create_schedule(
        Name=name, ScheduleExpression="cron(0 3 * * ? *)", FlexibleTimeWindow=window, Target=target
    )
    assert versions(sagemaker, name) == []
    sandbox.advance(3 * 86_400)
    assert versions(sagemaker, name) == [1, 1, 1]
    scheduler.update_schedule(
        Name=name, ScheduleExpression="cron(0 3 * * ? *)", FlexibleTimeWindow=OFF, Target=target, State="DISABLED"
    )
    sandbox.advance(3 * 86_400)
    assert versions(sagemaker, name) == [1, 1, 1]


def test_a_pipeline_target_starts_the_latest_version(
    sandbox: Sandbox, sagemaker: Any, scheduler: Any, fresh: Fresh
) -> None:
    name = fresh("target")
    target = {"Arn": make_pipeline(sagemaker, name), "RoleArn": role(sandbox)}
    scheduler.create_schedule(
        Name=name, ScheduleExpression=soon(sandbox, hours=1), FlexibleTimeWindow=OFF, Target=target
    )
    sandbox.advance(3500)
    assert versions(sagemaker, name) == []
    sandbox.advance(100)
    assert versions(sagemaker, name) == [2]
    sandbox.advance(86_400)
    assert versions(sagemaker, name) == [2]


def test_a_schedule_deletes_a_scaled_endpoint_only_where_its_role_may_deregister_the_target(
    sandbox: Sandbox, scheduler: Any, fresh: Fresh
) -> None:
    endpoint = make_endpoint(sandbox, fresh("scaled"), ON_INSTANCES)
    scaling = sandbox.client("application-autoscaling")
    scaling.register_scalable_target(**build_target(endpoint), MinCapacity=1, MaxCapacity=1)
    iam, role_name = sandbox.client("iam"), fresh("deletes")
    trust = json.dumps(TRUST).replace("sagemaker.amazonaws.com", SCHEDULER)
    role_arn = iam.create_role(RoleName=role_name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    url, dead_letters = make_queue(sandbox, fresh("dead"))
    target = {
        "Arn": UNIVERSAL + "sagemaker:deleteEndpoint",
        "RoleArn": role_arn,
        "Input": json.dumps({"EndpointName": endpoint}),
        "DeadLetterConfig": {"Arn": dead_letters},
    }

    def run_schedule(*actions: str) -> None:
        statement = {"Effect": "Allow", "Action": [*actions, "sqs:SendMessage"], "Resource": "*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.put_role_policy(RoleName=role_name, PolicyName="allowed", PolicyDocument=policy)
        name, at = fresh("deletes"), soon(sandbox, minutes=1)
        scheduler.create_schedule(Name=name, ScheduleExpression=at, FlexibleTimeWindow=OFF, Target=target)
        sandbox.advance(60)

    run_schedule("sagemaker:DeleteEndpoint")
    assert len(messages(sandbox, url)) == 1
    assert scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    run_schedule("sagemaker:DeleteEndpoint", "application-autoscaling:DeregisterScalableTarget")
    assert messages(sandbox, url) == []
    assert scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"] == []


def test_a_rate_starts_at_once_and_repeats(sandbox: Sandbox, scheduler: Any, fresh: Fresh) -> None:
    name = fresh("rate")
    url, arn = make_queue(sandbox, name)
    text = '{"at": "<aws.scheduler.scheduled-time>"}'
    target = {"Arn": arn, "RoleArn": role(sandbox), "Input": text}
    scheduler.create_schedule(Name=name, ScheduleExpression="rate(6 hours)", FlexibleTimeWindow=OFF, Target=target)
    (first,) = wait_until(lambda: messages(sandbox, url))
    sandbox.advance(86_400)
    at = [datetime.fromisoformat(json.loads(text)["at"]) for text in (first, *messages(sandbox, url))]
    assert [later - earlier for earlier, later in pairwise(at)] == 4 * [timedelta(hours=6)]


def test_a_completed_schedule_is_deleted_on_request(sandbox: Sandbox, scheduler: Any, fresh: Fresh) -> None:
    _, arn = make_queue(sandbox, fresh("queue"))
    target = {"Arn": arn, "RoleArn": role(sandbox), "Input": "x"}
    names = {fresh("over"): "DELETE", fresh("over"): "NONE"}
    for name, then in names.items():
        scheduler.create_schedule(
            Name=name,
            ScheduleExpression=soon(sandbox, minutes=1),
            FlexibleTimeWindow=OFF,
            Target=target,
            ActionAfterCompletion=then,
        )
    sandbox.advance(61)
    left = {one["Name"] for one in scheduler.list_schedules()["Schedules"]}
    assert left & names.keys() == {name for name, then in names.items() if then == "NONE"}


def test_a_schedule_runs_within_its_dates(sandbox: Sandbox, scheduler: Any, fresh: Fresh) -> None:
    name = fresh("dates")
    url, arn = make_queue(sandbox, name)
    now = sandbox.advance(0)
    scheduler.create_schedule(
        Name=name,
        ScheduleExpression="rate(1 days)",
        StartDate=now + timedelta(days=2),
        EndDate=now + timedelta(days=4, hours=1),
        FlexibleTimeWindow=OFF,
        Target={"Arn": arn, "RoleArn": role(sandbox), "Input": "x"},
    )
    counts = []
    for _ in range(6):
        sandbox.advance(86_400 + 60)
        counts.append(len(messages(sandbox, url)))
    assert counts == [0, 1, 1, 1, 0, 0]


def test_an_unreachable_target_gets_a_dead_letter(sandbox: Sandbox, scheduler: Any, fresh: Fresh) -> None:
    name = fresh("lost")
    url, dead = make_queue(sandbox, name)
    target = {
        "Arn": UNIVERSAL + "sagemaker:startPipelineExecution",
        "RoleArn": role(sandbox),
        "Input": json.dumps({"PipelineName": "none-of-this-name"}),
        "DeadLetterConfig": {"Arn": dead},
    }
    scheduler.create_schedule(Name=name, ScheduleExpression="rate(1 hours)", FlexibleTimeWindow=OFF, Target=target)
    (letter,) = wait_until(lambda: messages(sandbox, url))
    assert json.loads(letter) == {"PipelineName": "none-of-this-name"}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"ScheduleExpression": "rate(1 fortnight)"}, "rate(1 fortnight)"),
        ({"ScheduleExpression": "cron(0 3 * * *)"}, "six fields"),
        ({"ScheduleExpression": "cron(0 3 1 * MON *)"}, "AWS accepts only one of the two fields"),
        ({"ScheduleExpression": "at(tomorrow)"}, "at(tomorrow)"),
        ({"ScheduleExpressionTimezone": "Mars/Olympus"}, "Mars/Olympus"),
        ({"Arn": UNIVERSAL + "sagemaker:StartPipelineExecution"}, "names no operation"),
        ({"Arn": UNIVERSAL + "sagemaker:listPipelines"}, "only reads"),
        ({"RoleArn": ROLE}, "must allow AWS EventBridge Scheduler to assume the role"),
        ({"Input": "{}"}, "missing the following field(s): PipelineName."),
        ({"Input": '{"pipelineName": "p"}'}, "missing the following field(s): PipelineName."),
        ({"Input": '{"PipelineName": "p", "PipelineAlias": "live"}'}, "unknown field(s): PipelineAlias."),
        ({"Input": '{"PipelineName": "p", "PipelineParameters": [{"Key": "a"}]}'}, "PipelineParameters.Key."),
        ({"Input": "live"}, "not a JSON object"),
    ],
)
def test_an_invalid_schedule_is_refused(
    changed: dict[str, str], message: str, sandbox: Sandbox, scheduler: Any
) -> None:
    target = {"Arn": UNIVERSAL + "sagemaker:startPipelineExecution", "RoleArn": role(sandbox)}
    target["Input"] = '{"PipelineName": "p"}'
    good = {"Name": "refused", "ScheduleExpression": "cron(0 3 * * ? *)", "FlexibleTimeWindow": OFF}
    target |= {name: value for name, value in changed.items() if name in target}
    request = good | {name: value for name, value in changed.items() if name not in target} | {"Target": target}
    code, text = catch_error(scheduler.create_schedule, **request)
    assert (code, message in text) == ("ValidationException", True), text


def test_a_rule_with_a_schedule_sends_its_event(sandbox: Sandbox, fresh: Fresh) -> None:
    name, events = fresh("tick"), sandbox.client("events")
    url, arn = make_queue(sandbox, name)
    events.put_rule(Name=name, ScheduleExpression="rate(1 day)")
    events.put_targets(Rule=name, Targets=[{"Id": "q", "Arn": arn}])
    events.put_events(Entries=[{"Source": "other", "DetailType": "other", "Detail": "{}"}])
    sandbox.advance(2 * 86_400 + 60)
    received = [json.loads(text) for text in messages(sandbox, url)]
    events.disable_rule(Name=name)
    assert [event["detail-type"] for event in received] == 2 * ["Scheduled Event"]
    assert received[0]["resources"] == [f"arn:aws:events:eu-north-1:123456789012:rule/{name}"]


@pytest.mark.slow
def test_schedules_and_rules_outlive_a_restart_and_a_reset_clears_them(tmp_path: Path) -> None:
    with Sandbox.start(state=tmp_path) as sandbox:
        target = {"RoleArn": make_service_role(sandbox, SCHEDULER, *ACTIONS), "Input": "x"}
        target["Arn"] = make_queue(sandbox, "queue")[1]
        sandbox.client("scheduler").create_schedule(
            Name="s", ScheduleExpression="cron(0 3 * * ? *)", FlexibleTimeWindow=OFF, Target=target
        )
        before = sandbox.advance(86_400)
    with Sandbox.start(state=tmp_path) as sandbox:
        url = sandbox.client("sqs").get_queue_url(QueueName="queue")["QueueUrl"]
        assert sandbox.advance(86_400) > before + timedelta(days=1)
        assert messages(sandbox, url) == ["x", "x"]
        reset_sandbox(sandbox)
        url = make_queue(sandbox, "queue")[0]
        assert sandbox.advance(86_400) < before + timedelta(days=1)
        assert messages(sandbox, url) == []


def test_time_advances_only(sandbox: Sandbox) -> None:
    with pytest.raises(UserError, match="greater than or equal to 0"):
        sandbox.advance(-1)


@check_cases(
    ("expression", "zone", "after", "expected"),
    [
        ("cron(0 3 * * ? *)", "UTC", "2026-01-01T03:00", "2026-01-02T03:00"),
        ("cron(0/15 8-9 ? * MON-FRI *)", "UTC", "2026-11-27T09:45", "2026-11-30T08:00"),
        ("cron(0 3 * * ? *)", "Europe/Berlin", "2026-07-01T00:00", "2026-07-01T01:00"),
        # Clocks go from 02:00 to 03:00 on 29 March, and from 03:00 back to 02:00 on 25 October.
        ("cron(30 2 * * ? *)", "Europe/Berlin", "2026-03-28T12:00", "2026-03-30T00:30"),
        ("cron(30 2 * * ? *)", "Europe/Berlin", "2026-10-24T12:00", "2026-10-25T00:30"),
        ("cron(30 2 * * ? *)", "Europe/Berlin", "2026-10-25T00:30", "2026-10-26T01:30"),
        ("cron(0 0 L * ? *)", "UTC", "2028-02-10T00:00", "2028-02-29T00:00"),
        ("cron(0 0 ? * 6#3 *)", "UTC", "2026-11-01T00:00", "2026-11-20T00:00"),
        ("cron(0 0 29 2 ? *)", "UTC", "2097-01-01T00:00", "2104-02-29T00:00"),
        ("cron(0 0 1 1 ? 2030-2031)", "UTC", "2026-01-01T00:00", "2030-01-01T00:00"),
        ("cron(0 0 1 1 ? 2030-2031)", "UTC", "2031-01-01T00:00", None),
        ("cron(0 0 31 2 ? *)", "UTC", "2026-01-01T00:00", None),
        ("at(2026-07-01T12:00:00)", "America/New_York", "2026-01-01T00:00", "2026-07-01T16:00"),
        ("at(2026-07-01T12:00:00)", "America/New_York", "2026-07-01T16:00", None),
        ("rate(90 minutes)", "UTC", "2026-01-01T01:00", "2026-01-01T01:30"),
        ("rate(90 minutes)", "UTC", "2025-12-01T01:00", "2026-01-01T00:00"),
    ],
)
def test_an_expression_is_due_as_documented(expression: str, zone: str, after: str, expected: str | None) -> None:
    schedule = occurrences.parse_schedule(expression, zone, datetime(2026, 1, 1, tzinfo=UTC))
    moment = schedule.next(datetime.fromisoformat(after).replace(tzinfo=UTC))
    assert moment == (None if expected is None else datetime.fromisoformat(expected).replace(tzinfo=UTC))
