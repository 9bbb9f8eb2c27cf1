"""Alarms by the sandbox's clock: what they see, become, say and do."""

import functools
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from moto.cloudwatch.models import cloudwatch_backends

from sagemaker_sandbox import Sandbox
from sagemaker_sandbox.base.clock import Clock
from sagemaker_sandbox.base.context import DEFAULT_REGION, SandboxContext
from sagemaker_sandbox.base.events import EventPublisher
from sagemaker_sandbox.base.request_gate import RequestGate
from sagemaker_sandbox.services.cloudwatch import metrics
from sagemaker_sandbox.services.cloudwatch.actions import AlarmChange
from sagemaker_sandbox.services.cloudwatch.alarms import Alarms
from sagemaker_sandbox.services.cloudwatch.statistics import Sample
from tests.sandbox.support import (
    STILL_CLOCK,
    advance_to_next_minute,
    catch_error,
    make_queue,
    subscribe_queue,
    wait_until,
)

pytestmark = pytest.mark.slow

Fresh = Callable[[str], str]
BOTH = ["MetricAlarm", "CompositeAlarm"]
SCALING = "arn:aws:autoscaling:eu-north-1:123456789012:scalingPolicy:p:resource/sagemaker/endpoint/e/variant/v"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """Start a sandbox whose time the tests advance."""
    with Sandbox.start(time_scale=STILL_CLOCK) as own:
        yield own


@pytest.fixture
def cloudwatch(sandbox: Sandbox) -> Iterator[Any]:
    """Return a client at the beginning of a minute. Delete all alarms after the test."""
    client = sandbox.client("cloudwatch")
    advance_to_next_minute(sandbox)
    yield client
    left = [one["AlarmName"] for one in client.describe_alarms(AlarmTypes=["CompositeAlarm"])["CompositeAlarms"]]
    for name in left:  # so that none keeps another
        client.put_composite_alarm(AlarmName=name, AlarmRule="FALSE")
    for name in left:
        client.delete_alarms(AlarmNames=[name])
    names = [one["AlarmName"] for one in client.describe_alarms()["MetricAlarms"]]
    if names:
        client.delete_alarms(AlarmNames=names)


def settings(name: str, **more: Any) -> dict[str, Any]:
    """Return the parameters of an alarm on the metric of its name, above 5 in a minute."""
    return {
        "AlarmName": name,
        "Namespace": "Test",
        "MetricName": name,
        "Statistic": "Average",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 5.0,
        "ComparisonOperator": "GreaterThanThreshold",
        **more,
    }


def state(cloudwatch: Any, name: str) -> str:
    result = cloudwatch.describe_alarms(AlarmNames=[name], AlarmTypes=BOTH)
    return str((result["MetricAlarms"] + result["CompositeAlarms"])[0]["StateValue"])


def put(cloudwatch: Any, name: str, value: float) -> None:
    cloudwatch.put_metric_data(Namespace="Test", MetricData=[{"MetricName": name, "Value": value}])


def now(sandbox: Sandbox) -> datetime:
    return datetime.fromisoformat(str(sandbox.advance(0)))


def create_topic_and_queue(sandbox: Sandbox, name: str) -> tuple[str, str]:
    """Return a topic, and the URL of a queue that receives its messages."""
    sns = sandbox.client("sns")
    topic = str(sns.create_topic(Name=name)["TopicArn"])
    url, arn = make_queue(sandbox, name, "sns.amazonaws.com")
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})
    return topic, url


def received(sandbox: Sandbox, url: str) -> list[dict[str, Any]]:
    """Receive and delete the messages of a queue."""
    sqs, result = sandbox.client("sqs"), []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for one in messages:
            result.append(json.loads(one["Body"]))
            sqs.delete_message(QueueUrl=url, ReceiptHandle=one["ReceiptHandle"])
    return result


def test_an_alarm_changes_with_its_data_and_notifies_its_topic(sandbox: Sandbox, cloudwatch: Any, fresh: Fresh) -> None:
    name = fresh("errors")
    topic, url = create_topic_and_queue(sandbox, name)
    event_queue = subscribe_queue(
        sandbox, fresh("heard"), {"source": ["aws.cloudwatch"], "detail": {"alarmName": [name]}}
    )
    every = {"AlarmActions": [topic], "OKActions": [topic], "InsufficientDataActions": [topic]}
    cloudwatch.put_metric_alarm(**settings(name, AlarmDescription="Too many", DatapointsToAlarm=1, **every))
    assert state(cloudwatch, name) == "INSUFFICIENT_DATA"

    put(cloudwatch, name, 7)
    at = now(sandbox)
    sandbox.advance(60)
    [alarm] = cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
    assert alarm["StateValue"] == "ALARM"
    assert "1 out of the last 1 datapoints [7.0 (" in alarm["StateReason"]
    assert alarm["StateReason"].endswith("(minimum 1 datapoint for OK -> ALARM transition).")
    assert at < alarm["StateUpdatedTimestamp"] <= at + timedelta(seconds=60)
    assert alarm["StateUpdatedTimestamp"].second == 0
    assert json.loads(alarm["StateReasonData"])["recentDatapoints"] == [7.0]
    [message] = received(sandbox, url)
    assert (message["AlarmName"], message["OldStateValue"], message["NewStateValue"]) == (
        name,
        "INSUFFICIENT_DATA",
        "ALARM",
    )
    assert (message["Region"], message["AlarmDescription"]) == ("EU (Stockholm)", "Too many")
    assert message["Trigger"]["MetricName"] == name
    assert message["Trigger"]["Statistic"] == "AVERAGE"

    sandbox.advance(120)  # the state does not change, so there is no second notification
    assert state(cloudwatch, name) == "ALARM"
    put(cloudwatch, name, 3)
    sandbox.advance(60)
    assert state(cloudwatch, name) == "OK"
    sandbox.advance(180)
    assert state(cloudwatch, name) == "INSUFFICIENT_DATA"
    assert [one["NewStateValue"] for one in received(sandbox, url)] == ["OK", "INSUFFICIENT_DATA"]

    events: list[dict[str, Any]] = []

    def all_heard() -> bool:
        events.extend(received(sandbox, event_queue))
        return len(events) >= 4

    wait_until(all_heard)
    assert [one["detail-type"] for one in events].count("CloudWatch Alarm Configuration Change") == 1
    changes = [one["detail"] for one in events if one["detail-type"] == "CloudWatch Alarm State Change"]
    assert [one["state"]["value"] for one in changes] == ["ALARM", "OK", "INSUFFICIENT_DATA"]
    assert [one["previousState"]["value"] for one in changes] == ["INSUFFICIENT_DATA", "ALARM", "OK"]
    [watched] = changes[0]["configuration"]["metrics"]
    stat = {"metric": {"namespace": "Test", "name": name, "dimensions": {}}, "period": 60, "stat": "Average"}
    assert watched["metricStat"] == stat

    history = cloudwatch.describe_alarm_history(AlarmName=name, ScanBy="TimestampAscending")["AlarmHistoryItems"]
    assert [one["HistoryItemType"] for one in history] == ["ConfigurationUpdate", *["StateUpdate", "Action"] * 3]
    assert history[1]["HistorySummary"] == "Alarm updated from INSUFFICIENT_DATA to ALARM"
    assert history[2]["HistorySummary"] == f"Successfully executed action {topic}"


def test_a_state_that_is_set_acts_and_lasts_until_the_next_evaluation(
    sandbox: Sandbox, cloudwatch: Any, fresh: Fresh
) -> None:
    name = fresh("set")
    topic, url = create_topic_and_queue(sandbox, name)
    cloudwatch.put_metric_alarm(**settings(name, TreatMissingData="notBreaching", AlarmActions=[topic]))
    sandbox.advance(60)
    assert state(cloudwatch, name) == "OK"
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="a drill")
    [message] = wait_until(lambda: received(sandbox, url))
    assert (message["OldStateValue"], message["NewStateValue"], message["NewStateReason"]) == ("OK", "ALARM", "a drill")
    sandbox.advance(60)
    assert state(cloudwatch, name) == "OK"

    cloudwatch.disable_alarm_actions(AlarmNames=[name])
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="unheard")
    sandbox.advance(60)
    cloudwatch.enable_alarm_actions(AlarmNames=[name])
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="heard")
    assert [one["NewStateReason"] for one in wait_until(lambda: received(sandbox, url))] == ["heard"]


def test_a_topic_whose_policy_refuses_cloudwatch_gets_no_message(
    sandbox: Sandbox, cloudwatch: Any, fresh: Fresh
) -> None:
    name, sns = fresh("closed"), sandbox.client("sns")
    topic, url = create_topic_and_queue(sandbox, name)
    statement = {"Effect": "Allow", "Action": "sns:Publish", "Resource": topic}
    for_events = statement | {"Principal": {"Service": "events.amazonaws.com"}}
    for_alarms = statement | {"Principal": {"Service": "cloudwatch.amazonaws.com"}}
    others, ours = (
        {"Condition": {"ArnLike": {"aws:SourceArn": f"arn:aws:cloudwatch:eu-north-1:{account}:alarm:*"}}}
        for account in ("210987654321", "123456789012")
    )
    cloudwatch.put_metric_alarm(**settings(name, AlarmActions=[topic]))

    def summaries() -> list[str]:
        request = {"AlarmName": name, "HistoryItemType": "Action", "ScanBy": "TimestampAscending"}
        return [one["HistorySummary"] for one in cloudwatch.describe_alarm_history(**request)["AlarmHistoryItems"]]

    def has_history(number: int) -> bool:
        return len(summaries()) == number

    for number, allowed in enumerate((for_events, for_alarms | others, for_alarms | ours), 1):
        policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
        sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=policy)
        cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason=f"{number}")
        wait_until(functools.partial(has_history, number))
        cloudwatch.set_alarm_state(AlarmName=name, StateValue="OK", StateReason="again")
    failed = f"Failed to execute action {topic}"
    assert summaries() == [failed, failed, f"Successfully executed action {topic}"]
    assert [one["NewStateReason"] for one in received(sandbox, url)] == ["3"]


def test_an_alarm_evaluates_an_expression(sandbox: Sandbox, cloudwatch: Any, fresh: Fresh) -> None:
    name = fresh("share")

    def metric(identity: str) -> dict[str, Any]:
        stat = {"Metric": {"Namespace": "Test", "MetricName": f"{name}-{identity}"}, "Period": 60, "Stat": "Sum"}
        return {"Id": identity, "MetricStat": stat, "ReturnData": False}

    share = {"Id": "share", "Expression": "100 * FILL(errors, 0) / requests", "Label": "share"}
    request = settings(name, Metrics=[share, metric("errors"), metric("requests")], TreatMissingData="ignore")
    for member in ("Namespace", "MetricName", "Statistic", "Period"):
        del request[member]
    cloudwatch.put_metric_alarm(**request)
    expected = {(0, 10): "OK", (1, 10): "ALARM", (1, 100): "OK", (None, 10): "OK", (3, None): "OK"}
    for (errors, requests), result in expected.items():
        data = {"errors": errors, "requests": requests}
        put_data = [{"MetricName": f"{name}-{one}", "Value": value} for one, value in data.items() if value is not None]
        cloudwatch.put_metric_data(Namespace="Test", MetricData=put_data)
        sandbox.advance(60)
        assert state(cloudwatch, name) == result, (errors, requests)
    [alarm] = cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
    assert [one["Id"] for one in alarm["Metrics"]] == ["share", "errors", "requests"]
    begin = now(sandbox) - timedelta(minutes=10)
    answer = cloudwatch.get_metric_data(
        MetricDataQueries=[share, metric("errors"), metric("requests")],
        StartTime=begin,
        EndTime=begin + timedelta(minutes=12),
        ScanBy="TimestampAscending",
    )
    [result] = answer["MetricDataResults"]
    assert result["Values"] == [0, 10, 1, 0]  # what is divided by 0 is dropped
    assert all(later - one == timedelta(minutes=1) for one, later in pairwise(result["Timestamps"]))


def test_short_periods_are_evaluated_every_ten_seconds(sandbox: Sandbox, cloudwatch: Any, fresh: Fresh) -> None:
    name = fresh("short")
    cloudwatch.put_metric_alarm(**settings(name, Period=10, TreatMissingData="notBreaching"))
    sandbox.advance(60 - now(sandbox).timestamp() % 60 + 21)
    datum = {"MetricName": name, "Value": 9, "StorageResolution": 1}
    cloudwatch.put_metric_data(Namespace="Test", MetricData=[datum])
    sandbox.advance(10)
    [alarm] = cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
    assert (alarm["StateValue"], alarm["StateUpdatedTimestamp"].second) == ("ALARM", 30)
    sandbox.advance(30)
    [alarm] = cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
    assert (alarm["StateValue"], alarm["StateUpdatedTimestamp"].second) == ("OK", 0)


def test_metrics_are_returned_as_they_were_put(sandbox: Sandbox, cloudwatch: Any, fresh: Fresh) -> None:
    name, minute = fresh("read"), timedelta(minutes=1)
    at = now(sandbox).replace(second=0, microsecond=0) - 10 * minute
    main, other = ([{"Name": "Variant", "Value": value}] for value in ("main", "other"))
    data = [
        {"Value": 4.0, "Timestamp": at},
        {"Values": [1.0, 2.0], "Counts": [3.0, 1.0], "Timestamp": at + timedelta(seconds=30)},
        {"StatisticValues": {"SampleCount": 2, "Sum": 20, "Minimum": 9, "Maximum": 11}, "Timestamp": at + minute},
        {"Value": 50.0, "Timestamp": at + 2 * minute, "Unit": "Count"},
    ]
    data_with_dimensions = [{"MetricName": name, "Dimensions": main} | datum for datum in data]
    data_with_dimensions.append({"MetricName": name, "Dimensions": other, "Value": 1000.0, "Timestamp": at})
    cloudwatch.put_metric_data(Namespace="Test", MetricData=data_with_dimensions)
    request = {
        "Namespace": "Test",
        "MetricName": name,
        "Dimensions": main,
        "StartTime": at,
        "EndTime": at + 5 * minute,
        "Statistics": ["SampleCount", "Sum", "Minimum", "Maximum", "Average"],
        "ExtendedStatistics": ["p75", "p100"],
    }
    points = cloudwatch.get_metric_statistics(Period=60, **request)["Datapoints"]
    assert sorted(
        (one["Timestamp"], one["SampleCount"], one["Sum"], one["Average"], one["Unit"]) for one in points
    ) == [
        (at, 5, 9, 1.8, "None"),
        (at + minute, 2, 20, 10, "None"),
        (at + 2 * minute, 1, 50, 50, "Count"),
    ]
    extended = {one["Timestamp"]: one.get("ExtendedStatistics") for one in points}
    assert extended == {at: {"p75": 2, "p100": 4}, at + minute: None, at + 2 * minute: {"p75": 50, "p100": 50}}
    of_count = cloudwatch.get_metric_statistics(Period=300, Unit="Count", **request)["Datapoints"]
    assert [(one["Timestamp"], one["Sum"]) for one in of_count] == [(at, 50)]
    assert catch_error(cloudwatch.get_metric_statistics, Period=7, **request)[0] == "InvalidParameterValue"
    listed_metrics = cloudwatch.list_metrics(Namespace="Test", Dimensions=[{"Name": "Variant", "Value": "main"}])[
        "Metrics"
    ]
    assert {"Namespace": "Test", "MetricName": name, "Dimensions": main} in listed_metrics
    assert all(one["Dimensions"] == main for one in listed_metrics)
    query = {"MetricStat": {"Metric": {"Namespace": "Test", "MetricName": name, "Dimensions": main}, "Period": 60}}
    query["MetricStat"] |= {"Stat": "Maximum"}
    [result] = cloudwatch.get_metric_data(
        MetricDataQueries=[query | {"Id": "m1"}], StartTime=at, EndTime=at + 5 * minute
    )["MetricDataResults"]
    assert (result["Values"], result["Timestamps"][0]) == ([50, 11, 4], at + 2 * minute)


def test_composite_alarms_follow_their_children_and_prevent_their_deletion(
    sandbox: Sandbox, cloudwatch: Any, fresh: Fresh
) -> None:
    one, other, both, top = (fresh(start) for start in ("one", "other", "both", "top"))
    topic, url = create_topic_and_queue(sandbox, top)
    for name in (one, other):
        cloudwatch.put_metric_alarm(**settings(name))
    missing = catch_error(cloudwatch.put_composite_alarm, AlarmName=both, AlarmRule=f"ALARM({one}) OR ALARM(gone)")
    assert missing == (
        "ValidationError",
        "Could not save the composite alarm as alarms [gone] in the alarm rule do not exist",
    )
    arn = cloudwatch.describe_alarms(AlarmNames=[other])["MetricAlarms"][0]["AlarmArn"]
    cloudwatch.put_composite_alarm(AlarmName=both, AlarmRule=f'ALARM("{one}") AND ALARM({arn})')
    cloudwatch.put_composite_alarm(AlarmName=top, AlarmRule=f"NOT OK({both})", AlarmActions=[topic], OKActions=[topic])
    assert (state(cloudwatch, both), state(cloudwatch, top)) == ("OK", "OK")
    for name in (one, other):
        cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="a drill")
    assert (state(cloudwatch, both), state(cloudwatch, top)) == ("ALARM", "ALARM")  # at once
    messages: list[dict[str, Any]] = []

    def are_all_notified() -> bool:
        messages.extend(received(sandbox, url))
        return len(messages) >= 2

    wait_until(are_all_notified)
    assert [message["NewStateValue"] for message in messages] == ["OK", "ALARM"]
    assert messages[-1]["AlarmRule"] == f"NOT OK({both})"
    assert [child["State"]["Value"] for child in messages[-1]["TriggeringChildren"]] == ["ALARM"]

    children = cloudwatch.describe_alarms(ChildrenOfAlarmName=both)["MetricAlarms"]
    assert [child["AlarmName"] for child in children] == sorted([one, other])
    parents = cloudwatch.describe_alarms(ParentsOfAlarmName=both)["CompositeAlarms"]
    assert [set(parent) for parent in parents] == [{"AlarmName", "AlarmArn"}]
    assert cloudwatch.describe_alarms(AlarmNames=[top])["CompositeAlarms"] == []  # metric alarms, unless asked for

    assert catch_error(cloudwatch.delete_alarms, AlarmNames=[one]) == (
        "ValidationError",
        f"Cannot delete {one} as there are composite alarm(s) depending on it.",
    )
    assert (
        catch_error(cloudwatch.delete_alarms, AlarmNames=[top, both])[0] == "ValidationError"
    )  # one composite at once
    for names in ([top], [both, one, other]):
        cloudwatch.delete_alarms(AlarmNames=names)
    cloudwatch.delete_alarms(AlarmNames=[top])  # not there any more


def test_composite_alarms_in_a_cycle_stop(cloudwatch: Any, fresh: Fresh) -> None:
    child, one, other = (fresh(start) for start in ("child", "circle", "circle"))
    cloudwatch.put_metric_alarm(**settings(child))
    cloudwatch.put_composite_alarm(AlarmName=one, AlarmRule=f"ALARM({child})")
    cloudwatch.put_composite_alarm(AlarmName=other, AlarmRule=f"NOT ALARM({one})")
    cloudwatch.put_composite_alarm(AlarmName=one, AlarmRule=f"ALARM({child}) OR ALARM({other})")
    cloudwatch.set_alarm_state(AlarmName=child, StateValue="ALARM", StateReason="a drill")
    assert state(cloudwatch, one) == "ALARM"
    assert catch_error(cloudwatch.delete_alarms, AlarmNames=[one])[0] == "ValidationError"


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (
            {"ComparisonOperator": "GreaterThanUpperThreshold"},
            "the sandbox does not evaluate alarms on anomaly detection",
        ),
        (
            {"EvaluationWindow": {"WallClockWindow": {}}},
            "EvaluationWindow with WallClockWindow is not evaluated by the sandbox",
        ),
        ({"DatapointsToAlarm": 2}, "DatapointsToAlarm must be less than or equal to EvaluationPeriods"),
        ({"Period": 45}, "Period must be 10, 20, 30 or a multiple of 60"),
        ({"EvaluationPeriods": 1441}, "one day (86,400 seconds)"),
        ({"ExtendedStatistic": "p90"}, "Exactly one of Statistic and ExtendedStatistic"),
        ({"Statistic": None, "ExtendedStatistic": "p900"}, "The value p900 for parameter ExtendedStatistic"),
        ({"TreatMissingData": "drop"}, "Option drop is not supported"),
        ({"Threshold": None}, "The parameter Threshold is required"),
        ({"Unit": "Parsecs"}, "Value 'Parsecs' at 'unit'"),
        ({"Metrics": [{"Id": "e1", "Expression": "m1"}]}, "Metrics cannot be specified together"),
    ],
)
def test_invalid_alarms_are_refused(cloudwatch: Any, fresh: Fresh, wrong: dict[str, Any], why: str) -> None:
    request = {name: value for name, value in settings(fresh("wrong"), **wrong).items() if value is not None}
    code, message = catch_error(cloudwatch.put_metric_alarm, **request)
    assert code in ("ValidationError", "InvalidParameterCombination")
    assert why in message


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("SEARCH('{Test}', 'Sum')", "SEARCH is not evaluated by the sandbox"),
        ("m1 + m7", "e1 names m7, which does not exist"),
        ("SUM(m1)", "the result must be one time series"),
        ("[m1, m1]", "the result must be one time series"),
    ],
)
def test_expressions_that_no_alarm_can_watch(cloudwatch: Any, fresh: Fresh, expression: str, why: str) -> None:
    stat = {"Metric": {"Namespace": "Test", "MetricName": "m"}, "Period": 60, "Stat": "Sum"}
    metrics = [{"Id": "e1", "Expression": expression}, {"Id": "m1", "MetricStat": stat, "ReturnData": False}]
    left_out = ("Namespace", "MetricName", "Statistic", "Period")
    request = {name: value for name, value in settings(fresh("wrong")).items() if name not in left_out}
    code, message = catch_error(cloudwatch.put_metric_alarm, Metrics=metrics, **request)
    assert code == "ValidationError"
    assert why in message


@pytest.mark.slow
def test_alarms_and_metrics_survive_with_the_state(tmp_path: Path, fresh: Fresh) -> None:
    name, folder = fresh("kept"), tmp_path / "state"
    with Sandbox.start(state=folder) as before:
        cloudwatch = before.client("cloudwatch")
        # The state stays while data are missing, however long the sandbox takes to start again.
        cloudwatch.put_metric_alarm(**settings(name, EvaluationPeriods=2, TreatMissingData="ignore"))
        cloudwatch.put_composite_alarm(AlarmName=f"{name}-top", AlarmRule=f"ALARM({name})")
        for value in (7, 8):
            advance_to_next_minute(before)
            put(cloudwatch, name, value)
        then = before.advance(60)
        wait_until(lambda: state(cloudwatch, f"{name}-top") == "ALARM")
        was = cloudwatch.describe_alarms(AlarmTypes=BOTH)
        history = cloudwatch.describe_alarm_history()["AlarmHistoryItems"]
    with Sandbox.start(state=folder) as after:
        cloudwatch = after.client("cloudwatch")
        result = cloudwatch.describe_alarms(AlarmTypes=BOTH)
        assert [result[kind] for kind in ("MetricAlarms", "CompositeAlarms")] == [
            was[kind] for kind in ("MetricAlarms", "CompositeAlarms")
        ]
        assert cloudwatch.describe_alarm_history()["AlarmHistoryItems"] == history
        begin, end = then - timedelta(minutes=5), then + timedelta(minutes=1)
        request = {"Namespace": "Test", "MetricName": name, "StartTime": begin, "EndTime": end, "Period": 60}
        points = cloudwatch.get_metric_statistics(Statistics=["Sum"], **request)["Datapoints"]
        assert {one["Sum"] for one in points} == {7, 8}
        for _ in range(2):
            advance_to_next_minute(after)
            put(cloudwatch, name, 1)
        after.advance(60)
        wait_until(lambda: state(cloudwatch, f"{name}-top") == "OK")


HERE = ("300000000003", DEFAULT_REGION)


class Place:
    """Alarms of one place in this process, under a clock of their own, and what they did."""

    def __init__(self, folder: Path) -> None:
        self.clock = Clock(STILL_CLOCK)
        self.actions: list[tuple[str, AlarmChange]] = []
        nobody: Callable[[str, str, str], Any] = lambda *_: None  # noqa: E731  it is asked for nothing
        context = SandboxContext(client=nobody, customer_client=nobody, folder=folder, clock=self.clock)
        self.clock.add_task(self)  # as what tells metrics, before the alarms
        self.alarms = Alarms(context, RequestGate(), _Silent(nobody))
        self.alarms.register_action("arn:aws:autoscaling:", lambda arn, change: self.actions.append((arn, change)))
        self.value: Callable[[datetime], float | None] = lambda _: None

    def next(self, after: datetime) -> datetime:
        """Return the next full minute."""
        return datetime.fromtimestamp((after.timestamp() // 60 + 1) * 60, UTC)

    def run_due(self, moment: datetime) -> None:
        """Put the metric of the past minute."""
        begin = moment - timedelta(minutes=1)
        value = self.value(begin)
        if value is not None:
            data: list[dict[str, Any]] = [{"MetricName": "m", "Value": value}]
            metrics.put(*HERE, "Test", data, begin)

    def put(self, name: str, **more: Any) -> None:
        request = more if "AlarmRule" in more else settings(name) | {"MetricName": "m"} | more
        self.alarms.put(*HERE, {"AlarmName": name} | request)

    def set(self, name: str, value: str) -> None:
        self.alarms.set_state(*HERE, name, value, "a drill", None)

    def described(self, name: str) -> dict[str, Any]:
        alarms = self.alarms.list_alarms(*HERE)
        return next(alarm.describe() for alarm in alarms if alarm.name == name)


class _Silent(EventPublisher):
    def publish(self, *_: Any, **__: Any) -> None:
        """Discard the event."""


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    new_place = Place(tmp_path)
    yield new_place
    new_place.clock.close()
    cloudwatch_backends.pop(HERE[0], None)


def test_actions_of_scaling_policies_repeat_each_minute_and_others_do_not(place: Place) -> None:
    place.put("busy", EvaluationPeriods=2, AlarmActions=[SCALING])
    place.value = lambda moment: float(moment.minute % 10)
    place.clock.advance(3600 - place.clock.now().timestamp() % 3600 + 600)  # ten minutes into an hour
    place.actions.clear()
    place.clock.advance(600)
    # Above 5 in the minutes 6, 7, 8 and 9: two of them have passed after the eighth.
    assert [(change.moment.minute, change.values[-1], change.is_repeated) for _, change in place.actions] == [
        (18, 7.0, False),
        (19, 8.0, True),
        (20, 9.0, True),
    ]
    assert place.actions[-1][1].values == (8.0, 9.0)
    assert {arn for arn, _ in place.actions} == {SCALING}
    first = place.actions[0][1]
    assert (first.account, first.region, first.name) == (*HERE, "busy")
    assert (first.old, first.new, first.threshold) == ("OK", "ALARM", 5.0)


def suppressed(place: Place) -> None:
    for name in ("child", "down"):
        place.put(name, MetricName="nothing", TreatMissingData="ignore")
        place.set(name, "OK")
    place.put("top", AlarmRule="ALARM(child)", AlarmActions=[SCALING], **SUPPRESSION)
    place.clock.advance(200)


SUPPRESSION = {
    "ActionsSuppressor": "down",
    "ActionsSuppressorWaitPeriod": 60,
    "ActionsSuppressorExtensionPeriod": 120,
}


def acted(place: Place) -> int:
    """Return the number of actions of the composite alarm."""
    place.clock.advance(0)
    return len([change for _, change in place.actions if not change.is_repeated])


def test_a_composite_alarm_acts_after_a_wait_period_without_suppression(place: Place) -> None:
    suppressed(place)
    place.set("child", "ALARM")
    place.clock.advance(50)
    top = place.described("top")
    assert (top["StateValue"], top["ActionsSuppressedBy"], acted(place)) == ("ALARM", "WaitPeriod", 0)
    place.clock.advance(11)
    assert acted(place) == 1
    assert "ActionsSuppressedBy" not in place.described("top")


def test_a_suppressor_in_alarm_suppresses_and_so_does_the_extension_period(place: Place) -> None:
    suppressed(place)
    place.set("child", "ALARM")
    place.clock.advance(30)
    place.set("down", "ALARM")
    place.clock.advance(3600)
    assert (place.described("top")["ActionsSuppressedBy"], acted(place)) == ("Alarm", 0)
    place.set("down", "OK")
    place.clock.advance(110)
    assert (place.described("top")["ActionsSuppressedBy"], acted(place)) == ("ExtensionPeriod", 0)
    place.clock.advance(11)
    assert acted(place) == 1


def test_a_state_that_ends_within_the_extension_period_causes_no_action(place: Place) -> None:
    suppressed(place)
    place.set("down", "ALARM")
    place.set("child", "ALARM")
    place.clock.advance(3600)
    place.set("down", "OK")
    place.clock.advance(60)
    place.set("child", "OK")
    place.clock.advance(3600)
    assert acted(place) == 0
    assert "ActionsSuppressedBy" not in place.described("top")


@pytest.mark.slow
def test_a_week_of_minutes_is_evaluated(place: Place) -> None:
    place.put("night", ComparisonOperator="LessThanThreshold", EvaluationPeriods=15, AlarmActions=[SCALING])
    for number in range(4):
        place.put(f"day-{number}", EvaluationPeriods=3)
    place.value = lambda moment: 9.0 if 6 <= moment.hour < 18 else 1.0
    place.clock.advance(7 * 86_400)
    times = [change.moment.time().isoformat("minutes") for _, change in place.actions if not change.is_repeated]
    assert times[1:-1] == ["18:15"] * len(times[1:-1])
    assert len(times) in (7, 8)


@pytest.mark.slow
def test_older_data_has_a_lower_resolution(place: Place) -> None:
    begin, store = place.clock.now().replace(hour=0, minute=0, second=0, microsecond=0), metrics.get_store(*HERE)

    def list_first_hour(days: float) -> list[Sample]:
        """Return the samples of the first hour, after a new datum so many days later."""
        datum = {"MetricName": "m", "Value": 1.0}
        metrics.put(*HERE, "Test", [datum], begin + timedelta(days=days))
        [[series]] = [list(by_unit.values()) for by_unit in store.metrics.values()]
        return series.list_between(metrics.to_seconds(begin), metrics.to_seconds(begin) + 3600)

    for second in range(0, 3600, 10):
        datum = {"MetricName": "m", "Value": float(second), "StorageResolution": 1}
        metrics.put(*HERE, "Test", [datum], begin + timedelta(seconds=second))
    for days, number in {0.1: 360, 1.5: 60, 16: 12, 64: 1}.items():
        result = list_first_hour(days)
        assert len(result) == number
        assert (sum(one.number for one in result), sum(one.total for one in result)) == (360, 646_200)
        assert (result[0].low, result[-1].high) == (0, 3590)
    assert list_first_hour(457) == []
