"""Messages of alarms to SNS, events for EventBridge, and history items.

Sources: CloudWatch user guide, "Alarm events and EventBridge"; the messages that SNS delivers.
"""

import json
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from botocore.session import get_session

from sagemaker_sandbox.resources.resources import Fields
from sagemaker_sandbox.services.cloudwatch.alarm import Alarm, AlarmState, format_time


def build_subject(alarm: Alarm, state: AlarmState) -> str:
    """Return the subject of a message, at most 100 characters."""
    return f'{state.value}: "{alarm.name}" in {find_region_name(alarm.region)}'[:100]


def build_message(alarm: Alarm, old: AlarmState, state: AlarmState) -> str:
    """Return the body of a message."""
    parameters = alarm.parameters
    fields: Fields = {
        "AlarmName": alarm.name,
        "AlarmDescription": parameters.get("AlarmDescription"),
        "AWSAccountId": alarm.account,
        "AlarmConfigurationUpdatedTimestamp": format_time(alarm.configured),
        "NewStateValue": state.value,
        "NewStateReason": state.reason,
        "StateChangeTime": format_time(state.updated),
        "Region": find_region_name(alarm.region),
        "AlarmArn": alarm.alarm_arn,
        "OldStateValue": old.value,
        "OKActions": parameters["OKActions"],
        "AlarmActions": parameters["AlarmActions"],
        "InsufficientDataActions": parameters["InsufficientDataActions"],
    }
    if alarm.rule is None:
        return json.dumps(fields | {"Trigger": _trigger(alarm)})
    children = [
        {"Arn": child["arn"], "State": {"Value": child["state"]["value"], "Timestamp": child["state"]["timestamp"]}}
        for child in json.loads(state.data or "{}").get("triggeringAlarms", [])
    ]
    return json.dumps(fields | {"AlarmRule": alarm.rule, "TriggeringChildren": children})


def _trigger(alarm: Alarm) -> Fields:
    parameters = alarm.parameters
    common: Fields = {"Period": alarm.period, "EvaluationPeriods": parameters["EvaluationPeriods"]}
    if "DatapointsToAlarm" in parameters:
        common["DatapointsToAlarm"] = parameters["DatapointsToAlarm"]
    common |= {
        "ComparisonOperator": parameters["ComparisonOperator"],
        "Threshold": float(parameters["Threshold"]),
        "TreatMissingData": parameters["TreatMissingData"],
        "EvaluateLowSampleCountPercentile": parameters.get("EvaluateLowSampleCountPercentile", ""),
    }
    if "Metrics" in parameters:
        return common | {"Metrics": [_trigger_query(query) for query in parameters["Metrics"]]}
    extended = parameters.get("ExtendedStatistic")
    return {
        "MetricName": parameters["MetricName"],
        "Namespace": parameters["Namespace"],
        "StatisticType": "ExtendedStatistic" if extended else "Statistic",
        "ExtendedStatistic" if extended else "Statistic": extended or str(parameters["Statistic"]).upper(),
        "Unit": parameters.get("Unit"),
        "Dimensions": _convert_dimensions(parameters["Dimensions"]),
    } | common


def _trigger_query(query: Fields) -> Fields:
    fields: Fields = {
        name: query[name] for name in ("Expression", "Id", "Label", "Period", "AccountId") if name in query
    }
    if stat := query.get("MetricStat"):
        metric = stat["Metric"] | {"Dimensions": _convert_dimensions(stat["Metric"].get("Dimensions") or [])}
        fields["MetricStat"] = stat | {"Metric": metric}
    return fields | {"ReturnData": query.get("ReturnData", True)}


def _convert_dimensions(dimensions: Iterable[Fields]) -> list[Fields]:
    return [{"value": dimension["Value"], "name": dimension["Name"]} for dimension in dimensions]


def build_state_change(alarm: Alarm, old: AlarmState, state: AlarmState) -> Fields:
    """Return the detail of `CloudWatch Alarm State Change`."""
    states = {"state": _build_state(state), "previousState": _build_state(old)}
    return {"alarmName": alarm.name, **states, "configuration": _build_configuration(alarm.parameters)}


def build_configuration_change(alarm: Alarm, operation: str, before: Fields | None) -> Fields:
    """Return the detail of `CloudWatch Alarm Configuration Change`: create, update or delete."""
    state = {"value": alarm.state.value, "timestamp": format_time(alarm.state.updated)}
    fields: Fields = {"alarmName": alarm.name, "operation": operation, "state": state}
    fields["configuration"] = _build_full_configuration(alarm.parameters, format_time(alarm.configured))
    return fields | ({"previousConfiguration": _build_full_configuration(before)} if before is not None else {})


def _build_state(state: AlarmState) -> Fields:
    fields = {"value": state.value, "reason": state.reason, "timestamp": format_time(state.updated)}
    if state.suppression is not None:
        fields |= {"actionsSuppressedBy": state.suppression.by, "actionsSuppressedReason": state.suppression.reason}
    return fields | ({"reasonData": state.data} if state.data is not None else {})


def _build_full_configuration(parameters: Fields, timestamp: str | None = None) -> Fields:
    own = ("AlarmDescription", "AlarmRule", "Metrics", "Tags", *_METRIC_MEMBERS)
    fields = {
        _convert_to_camel_case(name): value
        for name, value in parameters.items()
        if name not in own and "Suppressor" not in name
    }
    return fields | _build_configuration(parameters) | ({"timestamp": timestamp} if timestamp else {})


_METRIC_MEMBERS = ("Namespace", "MetricName", "Dimensions", "Period", "Statistic", "ExtendedStatistic", "Unit")


def _convert_to_camel_case(name: str) -> str:
    return "okActions" if name == "OKActions" else name[0].lower() + name[1:]


def _build_configuration(parameters: Fields) -> Fields:
    fields: Fields = {"description": parameters["AlarmDescription"]} if "AlarmDescription" in parameters else {}
    if "AlarmRule" in parameters:
        return fields | {
            _convert_to_camel_case(name): value
            for name, value in parameters.items()
            if name == "AlarmRule" or "Suppr" in name
        }
    return fields | {"metrics": _list_metrics(parameters)}


def _list_metrics(parameters: Fields) -> Sequence[Fields]:
    if "Metrics" in parameters:
        return [_build_metric(query) for query in parameters["Metrics"]]
    stat = {
        "Metric": parameters,
        "Period": parameters["Period"],
        "Stat": parameters.get("Statistic") or parameters.get("ExtendedStatistic"),
    }
    stat |= {"Unit": parameters["Unit"]} if "Unit" in parameters else {}
    return [_build_metric({"Id": "m1", "MetricStat": stat})]


def _build_metric(query: Fields) -> Fields:
    fields = {
        _convert_to_camel_case(name): query[name]
        for name in ("Id", "Expression", "Label", "Period", "AccountId")
        if name in query
    }
    if stat := query.get("MetricStat"):
        metric: Any = stat["Metric"]
        dimensions = {item["Name"]: item["Value"] for item in metric.get("Dimensions") or []}
        description = {"namespace": metric["Namespace"], "name": metric["MetricName"], "dimensions": dimensions}
        fields["metricStat"] = {"metric": description, "period": stat["Period"], "stat": stat["Stat"]}
        fields["metricStat"] |= {"unit": stat["Unit"]} if stat.get("Unit") else {}
    return fields | {"returnData": query.get("ReturnData", True)}


@cache
def find_region_name(region: str) -> str:
    """Return the name of a Region in CloudWatch's form: EU (Stockholm)."""
    for partition in get_session().get_data("endpoints")["partitions"]:
        if region in partition["regions"]:
            return str(partition["regions"][region]["description"]).replace("Europe (", "EU (")
    return region
