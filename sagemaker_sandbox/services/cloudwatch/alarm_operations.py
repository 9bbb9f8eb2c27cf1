"""CloudWatch operations of alarms. The sandbox answers them in place of moto."""

from collections.abc import Iterator, Sequence
from typing import Any

from moto.cloudwatch.exceptions import (
    InvalidParameterCombination,
    InvalidParameterValue,
    ResourceNotFoundException,
    ValidationError,
)
from moto.cloudwatch.models import cloudwatch_backends

from sagemaker_sandbox.resources.handlers import emulated_operation
from sagemaker_sandbox.resources.resources import Fields
from sagemaker_sandbox.services.cloudwatch import metrics
from sagemaker_sandbox.services.cloudwatch.alarm import Alarm
from sagemaker_sandbox.services.cloudwatch.alarms import Alarms
from sagemaker_sandbox.services.registry import ServiceOperations, ServiceRequest


class AlarmOperations(ServiceOperations):
    """Operations of alarms."""

    service, moto_service, signing_name = "cloudwatch", "cloudwatch", "monitoring"

    def __init__(self, alarms: Alarms) -> None:
        self._alarms = alarms

    @emulated_operation
    def put_metric_alarm(self, request: ServiceRequest) -> Fields:
        """Create or change a metric alarm."""
        self._alarms.put(request.account, request.region, dict(request.parameters))
        return {}

    @emulated_operation
    def put_composite_alarm(self, request: ServiceRequest) -> Fields:
        """Create or change a composite alarm."""
        self._alarms.put(request.account, request.region, dict(request.parameters))
        return {}

    @emulated_operation
    def delete_alarms(self, request: ServiceRequest) -> Fields:
        """Delete alarms."""
        self._alarms.delete(request.account, request.region, request.parameters.get("AlarmNames") or [])
        return {}

    @emulated_operation
    def describe_alarms(self, request: ServiceRequest) -> Fields:
        """Return a page of alarms."""
        alarms = list(_select_alarms(self._alarms, request))
        page, token = _build_page(alarms, request.parameters)
        result: Fields = {"MetricAlarms": [], "CompositeAlarms": []}
        for alarm in page:
            result[f"{alarm.kind}s"].append(_describe(alarm, request.parameters))
        return result | ({"NextToken": token} if token else {})

    @emulated_operation
    def describe_alarms_for_metric(self, request: ServiceRequest) -> Fields:
        """Return the alarms of a metric."""
        alarms = self._alarms.list_alarms(request.account, request.region)
        return {"MetricAlarms": [alarm.describe() for alarm in alarms if _has_metric(alarm, request.parameters)]}

    @emulated_operation
    def describe_alarm_history(self, request: ServiceRequest) -> Fields:
        """Return a page of history items."""
        parameters = request.parameters
        items = [
            item
            for alarm in self._alarms.list_alarms(request.account, request.region)
            if parameters.get("AlarmName") in (None, alarm.name) and _has_requested_type(alarm, parameters)
            for item in list(alarm.history)
            if _is_requested_item(item, parameters)
        ]
        items.sort(key=lambda item: item["Timestamp"], reverse=parameters.get("ScanBy") != "TimestampAscending")
        page, token = _build_page(items, parameters)
        return {"AlarmHistoryItems": page} | ({"NextToken": token} if token else {})

    @emulated_operation
    def set_alarm_state(self, request: ServiceRequest) -> Fields:
        """Set the state of an alarm until its next evaluation."""
        parameters = request.parameters
        values = (parameters["AlarmName"], parameters["StateValue"], parameters["StateReason"])
        self._alarms.set_state(request.account, request.region, *values, parameters.get("StateReasonData"))
        return {}

    @emulated_operation
    def list_tags_for_resource(self, request: ServiceRequest) -> Fields:
        """Return the tags of an alarm or an insight rule. Raises ResourceNotFoundException."""
        arn, backend = request.parameters["ResourceARN"], cloudwatch_backends[request.account][request.region]
        is_alarm = any(alarm.alarm_arn == arn for alarm in self._alarms.list_alarms(request.account, request.region))
        if not is_alarm and all(rule.rule_arn != arn for rule in backend.insight_rules.values()):
            raise ResourceNotFoundException
        tags = backend.list_tags_for_resource(arn)
        return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}


def _select_alarms(alarms: Alarms, request: ServiceRequest) -> Iterator[Alarm]:
    """Yield the alarms that DescribeAlarms requests. Raises moto's exceptions."""
    parameters, existing = request.parameters, alarms.list_alarms(request.account, request.region)
    for member, list_relatives in (("ChildrenOfAlarmName", _list_children), ("ParentsOfAlarmName", _list_parents)):
        if name := parameters.get(member):
            if set(parameters) - {member, "MaxRecords", "NextToken"}:
                raise ValidationError(f"No other parameter can be specified with {member}.")
            yield from list_relatives(alarms, existing, name)
            return
    if parameters.get("AlarmNames") and parameters.get("AlarmNamePrefix"):
        raise InvalidParameterCombination("AlarmNames and AlarmNamePrefix cannot be specified together.")
    for alarm in existing:
        if (
            (not parameters.get("AlarmNames") or alarm.name in parameters["AlarmNames"])
            and parameters.get("StateValue") in (None, alarm.state.value)
            and alarm.name.startswith(parameters.get("AlarmNamePrefix") or "")
            and _has_requested_type(alarm, parameters)
            and _has_action(alarm, parameters.get("ActionPrefix"))
        ):
            yield alarm


def _list_children(_alarms: Alarms, existing: Sequence[Alarm], name: str) -> list[Alarm]:
    children = {child for alarm in existing if alarm.name == name for child in alarm.children}
    return [alarm for alarm in existing if {alarm.name, alarm.alarm_arn} & children]


def _list_parents(alarms: Alarms, existing: Sequence[Alarm], name: str) -> list[Alarm]:
    return [parent for alarm in existing if alarm.name == name for parent in alarms.list_parents(alarm)]


def _has_requested_type(alarm: Alarm, parameters: Fields) -> bool:
    """Return True for a type of AlarmTypes, which defaults to metric alarms."""
    return alarm.kind in (parameters.get("AlarmTypes") or ["MetricAlarm"])


def _has_action(alarm: Alarm, prefix: str | None) -> bool:
    actions = (action for state in ("OK", "ALARM", "INSUFFICIENT_DATA") for action in alarm.list_actions(state))
    return not prefix or any(action.startswith(prefix) for action in actions)


def _describe(alarm: Alarm, parameters: Fields) -> Fields:
    """Return the description of an alarm: a few members for children and parents of an alarm."""
    description = alarm.describe()
    if parameters.get("ChildrenOfAlarmName"):
        return {name: description[name] for name in ("AlarmName", "AlarmArn", "StateValue", "StateUpdatedTimestamp")}
    if parameters.get("ParentsOfAlarmName"):
        return {name: description[name] for name in ("AlarmName", "AlarmArn")}
    return description


def _has_metric(alarm: Alarm, parameters: Fields) -> bool:
    if alarm.rule is not None or alarm.metric is None:
        return False
    metric = alarm.metric
    key = (
        parameters["Namespace"],
        parameters["MetricName"],
        metrics.sort_dimensions(parameters.get("Dimensions") or ()),
    )
    statistic = parameters.get("Statistic") or parameters.get("ExtendedStatistic") or metric.statistic
    exact = (parameters.get("Period") or metric.period, parameters.get("Unit") or metric.unit) == (
        metric.period,
        metric.unit,
    )
    return metric.key == key and statistic == metric.statistic and exact


def _is_requested_item(item: Fields, parameters: Fields) -> bool:
    at = metrics.to_seconds(item["Timestamp"])
    begin, end = parameters.get("StartDate"), parameters.get("EndDate")
    if (begin and at < metrics.to_seconds(begin)) or (end and at > metrics.to_seconds(end)):
        return False
    return parameters.get("HistoryItemType") in (None, item["HistoryItemType"])


def _build_page(items: list[Any], parameters: Fields) -> tuple[list[Any], str | None]:
    """Return a page of items, and the token of the next page. Raises InvalidParameterValue."""
    token, most = str(parameters.get("NextToken") or "0"), int(parameters.get("MaxRecords") or 100)
    if not token.isdecimal():
        raise InvalidParameterValue("Request parameter NextToken is invalid")
    begin = int(token)
    end = begin + most
    return items[begin:end], str(end) if end < len(items) else None
