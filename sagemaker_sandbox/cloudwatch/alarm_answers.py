"""What CloudWatch answers of alarms, in place of moto's answers."""

from collections.abc import Iterator, Sequence
from typing import Any

from moto.cloudwatch.exceptions import (
    InvalidParameterCombination,
    InvalidParameterValue,
    ResourceNotFoundException,
    ValidationError,
)
from moto.core.responses import ActionResult, EmptyResult

from sagemaker_sandbox.cloudwatch import metrics
from sagemaker_sandbox.cloudwatch.alarm import Alarm
from sagemaker_sandbox.cloudwatch.alarms import Alarms
from sagemaker_sandbox.parts.resources import Fields


class AlarmAnswers:
    """Each takes moto's response, which has the request."""

    def __init__(self, alarms: Alarms) -> None:
        self._alarms = alarms

    def put_metric_alarm(self, response: Any) -> ActionResult:
        self._alarms.put(*_place(response), dict(response._get_params()))
        return EmptyResult()

    def put_composite_alarm(self, response: Any) -> ActionResult:
        self._alarms.put(*_place(response), dict(response._get_params()))
        return EmptyResult()

    def delete_alarms(self, response: Any) -> ActionResult:
        self._alarms.delete(*_place(response), response._get_param("AlarmNames", []))
        return EmptyResult()

    def describe_alarms(self, response: Any) -> ActionResult:
        asked = response._get_params()
        found, token = _page(list(_wanted(self._alarms, *_place(response), asked)), asked)
        result: Fields = {"MetricAlarms": [], "CompositeAlarms": []}
        for alarm in found:
            result[f"{alarm.kind}s"].append(_shown(alarm, asked))
        return ActionResult(result | ({"NextToken": token} if token else {}))

    def describe_alarms_for_metric(self, response: Any) -> ActionResult:
        asked = response._get_params()
        found = [one for one in self._alarms.all(*_place(response)) if _watches(one, asked)]
        return ActionResult({"MetricAlarms": [one.described() for one in found]})

    def describe_alarm_history(self, response: Any) -> ActionResult:
        asked = response._get_params()
        items = [
            item
            for alarm in self._alarms.all(*_place(response))
            if asked.get("AlarmName") in (None, alarm.name) and _of_type(alarm, asked)
            for item in list(alarm.history)
            if _in_history(item, asked)
        ]
        items.sort(key=lambda item: item["Timestamp"], reverse=asked.get("ScanBy") != "TimestampAscending")
        found, token = _page(items, asked)
        return ActionResult({"AlarmHistoryItems": found} | ({"NextToken": token} if token else {}))

    def set_alarm_state(self, response: Any) -> ActionResult:
        asked = [response._get_param(name) for name in ("AlarmName", "StateValue", "StateReason", "StateReasonData")]
        self._alarms.set_state(*_place(response), *asked)
        return EmptyResult()

    def list_tags_for_resource(self, response: Any) -> ActionResult:
        arn, backend = response._get_param("ResourceARN"), response.cloudwatch_backend
        there = any(one.alarm_arn == arn for one in self._alarms.all(*_place(response)))
        if not there and all(one.rule_arn != arn for one in backend.insight_rules.values()):
            raise ResourceNotFoundException
        tags = backend.list_tags_for_resource(arn)
        return ActionResult({"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]})


def _place(response: Any) -> tuple[str, str]:
    return response.current_account, response.region


def _wanted(alarms: Alarms, account: str, region: str, asked: Fields) -> Iterator[Alarm]:
    """What DescribeAlarms asks for."""
    for member, others in (("ChildrenOfAlarmName", _children), ("ParentsOfAlarmName", _parents)):
        if name := asked.get(member):
            if set(asked) - {member, "MaxRecords", "NextToken"}:
                raise ValidationError(f"No other parameter can be specified with {member}.")
            yield from others(alarms, alarms.all(account, region), name)
            return
    if asked.get("AlarmNames") and asked.get("AlarmNamePrefix"):
        raise InvalidParameterCombination("AlarmNames and AlarmNamePrefix cannot be specified together.")
    for alarm in alarms.all(account, region):
        named = not asked.get("AlarmNames") or alarm.name in asked["AlarmNames"]
        in_state = asked.get("StateValue") in (None, alarm.state.value)
        begins = alarm.name.startswith(asked.get("AlarmNamePrefix") or "")
        if named and in_state and begins and _of_type(alarm, asked) and _acts(alarm, asked.get("ActionPrefix")):
            yield alarm


def _children(_alarms: Alarms, found: Sequence[Alarm], name: str) -> list[Alarm]:
    named = {child for one in found if one.name == name for child in one.children}
    return [one for one in found if {one.name, one.alarm_arn} & named]


def _parents(alarms: Alarms, found: Sequence[Alarm], name: str) -> list[Alarm]:
    return [parent for one in found if one.name == name for parent in alarms.parents(one)]


def _of_type(alarm: Alarm, asked: Fields) -> bool:
    """Only metric alarms, unless others are asked for."""
    return alarm.kind in (asked.get("AlarmTypes") or ["MetricAlarm"])


def _acts(alarm: Alarm, prefix: str | None) -> bool:
    actions = (action for state in ("OK", "ALARM", "INSUFFICIENT_DATA") for action in alarm.actions(state))
    return not prefix or any(action.startswith(prefix) for action in actions)


def _shown(alarm: Alarm, asked: Fields) -> Fields:
    """Little of those that are asked for by their relation to another."""
    told = alarm.described()
    if asked.get("ChildrenOfAlarmName"):
        return {name: told[name] for name in ("AlarmName", "AlarmArn", "StateValue", "StateUpdatedTimestamp")}
    if asked.get("ParentsOfAlarmName"):
        return {name: told[name] for name in ("AlarmName", "AlarmArn")}
    return told


def _watches(alarm: Alarm, asked: Fields) -> bool:
    if alarm.rule is not None or alarm.metric is None:
        return False
    metric = alarm.metric
    key = (asked["Namespace"], asked["MetricName"], metrics.dimensions(asked.get("Dimensions") or ()))
    statistic = asked.get("Statistic") or asked.get("ExtendedStatistic") or metric.statistic
    exact = (asked.get("Period") or metric.period, asked.get("Unit") or metric.unit) == (metric.period, metric.unit)
    return metric.key == key and statistic == metric.statistic and exact


def _in_history(item: Fields, asked: Fields) -> bool:
    at = metrics.seconds(item["Timestamp"])
    begin, end = asked.get("StartDate"), asked.get("EndDate")
    if (begin and at < metrics.seconds(begin)) or (end and at > metrics.seconds(end)):
        return False
    return asked.get("HistoryItemType") in (None, item["HistoryItemType"])


def _page(found: list[Any], asked: Fields) -> tuple[list[Any], str | None]:
    """As many as asked for, and what asks for the next."""
    token, most = str(asked.get("NextToken") or "0"), int(asked.get("MaxRecords") or 100)
    if not token.isdecimal():
        raise InvalidParameterValue("Request parameter NextToken is invalid")
    begin = int(token)
    end = begin + most
    return found[begin:end], str(end) if end < len(found) else None
