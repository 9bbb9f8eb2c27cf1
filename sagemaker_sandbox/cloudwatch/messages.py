"""What alarms say: to SNS, to EventBridge, and in their history.

Sources: CloudWatch user guide, "Alarm events and EventBridge"; the messages that SNS delivers.
"""

import json
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from botocore.session import get_session

from sagemaker_sandbox.cloudwatch.alarm import Alarm, State, told
from sagemaker_sandbox.parts.resources import Fields


def subject(alarm: Alarm, state: State) -> str:
    """Of a message to a topic, which takes 100 characters."""
    return f'{state.value}: "{alarm.name}" in {region_name(alarm.region)}'[:100]


def message(alarm: Alarm, old: State, state: State) -> str:
    """To a topic."""
    asked = alarm.asked
    found: Fields = {
        "AlarmName": alarm.name,
        "AlarmDescription": asked.get("AlarmDescription"),
        "AWSAccountId": alarm.account,
        "AlarmConfigurationUpdatedTimestamp": told(alarm.configured),
        "NewStateValue": state.value,
        "NewStateReason": state.reason,
        "StateChangeTime": told(state.updated),
        "Region": region_name(alarm.region),
        "AlarmArn": alarm.alarm_arn,
        "OldStateValue": old.value,
        "OKActions": asked["OKActions"],
        "AlarmActions": asked["AlarmActions"],
        "InsufficientDataActions": asked["InsufficientDataActions"],
    }
    if alarm.rule is None:
        return json.dumps(found | {"Trigger": _trigger(alarm)})
    children = [
        {"Arn": one["arn"], "State": {"Value": one["state"]["value"], "Timestamp": one["state"]["timestamp"]}}
        for one in json.loads(state.data or "{}").get("triggeringAlarms", [])
    ]
    return json.dumps(found | {"AlarmRule": alarm.rule, "TriggeringChildren": children})


def _trigger(alarm: Alarm) -> Fields:
    asked = alarm.asked
    common: Fields = {"Period": alarm.period, "EvaluationPeriods": asked["EvaluationPeriods"]}
    if "DatapointsToAlarm" in asked:
        common["DatapointsToAlarm"] = asked["DatapointsToAlarm"]
    common |= {
        "ComparisonOperator": asked["ComparisonOperator"],
        "Threshold": float(asked["Threshold"]),
        "TreatMissingData": asked["TreatMissingData"],
        "EvaluateLowSampleCountPercentile": asked.get("EvaluateLowSampleCountPercentile", ""),
    }
    if "Metrics" in asked:
        return common | {"Metrics": [_in_trigger(one) for one in asked["Metrics"]]}
    extended = asked.get("ExtendedStatistic")
    return {
        "MetricName": asked["MetricName"],
        "Namespace": asked["Namespace"],
        "StatisticType": "ExtendedStatistic" if extended else "Statistic",
        "ExtendedStatistic" if extended else "Statistic": extended or str(asked["Statistic"]).upper(),
        "Unit": asked.get("Unit"),
        "Dimensions": _small(asked["Dimensions"]),
    } | common


def _in_trigger(query: Fields) -> Fields:
    found: Fields = {
        name: query[name] for name in ("Expression", "Id", "Label", "Period", "AccountId") if name in query
    }
    if stat := query.get("MetricStat"):
        metric = stat["Metric"] | {"Dimensions": _small(stat["Metric"].get("Dimensions") or [])}
        found["MetricStat"] = stat | {"Metric": metric}
    return found | {"ReturnData": query.get("ReturnData", True)}


def _small(dimensions: Iterable[Fields]) -> list[Fields]:
    return [{"value": one["Value"], "name": one["Name"]} for one in dimensions]


def change_of_state(alarm: Alarm, old: State, state: State) -> Fields:
    """The detail of `CloudWatch Alarm State Change`."""
    states = {"state": _state(state), "previousState": _state(old)}
    return {"alarmName": alarm.name, **states, "configuration": _configuration(alarm.asked)}


def change_of_configuration(alarm: Alarm, operation: str, before: Fields | None) -> Fields:
    """The detail of `CloudWatch Alarm Configuration Change`: create, update or delete."""
    state = {"value": alarm.state.value, "timestamp": told(alarm.state.updated)}
    found: Fields = {"alarmName": alarm.name, "operation": operation, "state": state}
    found["configuration"] = _whole(alarm.asked, told(alarm.configured))
    return found | ({"previousConfiguration": _whole(before)} if before is not None else {})


def _state(state: State) -> Fields:
    found = {"value": state.value, "reason": state.reason, "timestamp": told(state.updated)}
    if state.suppression is not None:
        found |= {"actionsSuppressedBy": state.suppression.by, "actionsSuppressedReason": state.suppression.reason}
    return found | ({"reasonData": state.data} if state.data is not None else {})


def _whole(asked: Fields, timestamp: str | None = None) -> Fields:
    own = ("AlarmDescription", "AlarmRule", "Metrics", "Tags", *_OF_METRIC)
    found = {_camel(name): value for name, value in asked.items() if name not in own and "Suppressor" not in name}
    return found | _configuration(asked) | ({"timestamp": timestamp} if timestamp else {})


_OF_METRIC = ("Namespace", "MetricName", "Dimensions", "Period", "Statistic", "ExtendedStatistic", "Unit")


def _camel(name: str) -> str:
    return "okActions" if name == "OKActions" else name[0].lower() + name[1:]


def _configuration(asked: Fields) -> Fields:
    found: Fields = {"description": asked["AlarmDescription"]} if "AlarmDescription" in asked else {}
    if "AlarmRule" in asked:
        return found | {_camel(name): value for name, value in asked.items() if name == "AlarmRule" or "Suppr" in name}
    return found | {"metrics": _metrics(asked)}


def _metrics(asked: Fields) -> Sequence[Fields]:
    if "Metrics" in asked:
        return [_metric(query) for query in asked["Metrics"]]
    stat = {
        "Metric": asked,
        "Period": asked["Period"],
        "Stat": asked.get("Statistic") or asked.get("ExtendedStatistic"),
    }
    stat |= {"Unit": asked["Unit"]} if "Unit" in asked else {}
    return [_metric({"Id": "m1", "MetricStat": stat})]


def _metric(query: Fields) -> Fields:
    found = {
        _camel(name): query[name] for name in ("Id", "Expression", "Label", "Period", "AccountId") if name in query
    }
    if stat := query.get("MetricStat"):
        metric: Any = stat["Metric"]
        dimensions = {one["Name"]: one["Value"] for one in metric.get("Dimensions") or []}
        named = {"namespace": metric["Namespace"], "name": metric["MetricName"], "dimensions": dimensions}
        found["metricStat"] = {"metric": named, "period": stat["Period"], "stat": stat["Stat"]}
        found["metricStat"] |= {"unit": stat["Unit"]} if stat.get("Unit") else {}
    return found | {"returnData": query.get("ReturnData", True)}


@cache
def region_name(region: str) -> str:
    """As CloudWatch writes it: EU (Stockholm)."""
    for partition in get_session().get_data("endpoints")["partitions"]:
        if region in partition["regions"]:
            return str(partition["regions"][region]["description"]).replace("Europe (", "EU (")
    return region
