"""One alarm: its parameters, its state and its history. moto's backend stores it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from sagemaker_sandbox.resources.resources import Fields
from sagemaker_sandbox.services.cloudwatch import queries, rules
from sagemaker_sandbox.services.cloudwatch.evaluation import ALARM, INSUFFICIENT_DATA, OK, AlarmSettings

#: Retention of the history.
_RETENTION = timedelta(days=30)
#: Attributes that are derived from the parameters.
_DERIVED = ("settings", "metric", "children")
_ACTIONS = {OK: "OKActions", ALARM: "AlarmActions", INSUFFICIENT_DATA: "InsufficientDataActions"}


@dataclass(frozen=True)
class Suppression:
    """The reason why a composite alarm does not act, and its end if that is known."""

    by: str
    reason: str
    until: datetime | None = None


@dataclass(frozen=True)
class AlarmState:
    """The state of an alarm. `updated` is its last change, `transitioned` the last change of its value."""

    value: str
    reason: str
    data: str | None
    updated: datetime
    transitioned: datetime
    suppression: Suppression | None = None


@dataclass(eq=False)
class Alarm:
    """A metric alarm or, with a rule, a composite alarm. `parameters` holds the members of PutMetricAlarm."""

    account: str
    region: str
    parameters: Fields
    configured: datetime
    state: AlarmState = field(init=False)
    history: list[Fields] = field(default_factory=list)
    #: State for which a composite alarm acted last.
    last_action_state: str = INSUFFICIENT_DATA

    def __post_init__(self) -> None:
        at = self.configured
        self.state = AlarmState(INSUFFICIENT_DATA, "Unchecked: Initial alarm creation", None, at, at)

    def configure(self, parameters: Fields, moment: datetime) -> None:
        """Replace the parameters. The state stays."""
        self.parameters, self.configured = parameters, moment
        for name in _DERIVED:
            vars(self).pop(name, None)

    def __getstate__(self) -> Mapping[str, Any]:
        # A copy: the attributes must not change while they are saved.
        return {name: value for name, value in list(vars(self).items()) if name not in _DERIVED}

    def add_history(self, kind: str, summary: str, data: Fields, moment: datetime) -> None:
        """Add an item to the history."""
        while self.history and self.history[0]["Timestamp"] < moment - _RETENTION:
            self.history.pop(0)
        item = {
            "HistoryItemType": kind,
            "HistorySummary": summary,
            "HistoryData": json.dumps({"version": "1.0"} | data),
        }
        self.history.append({"AlarmName": self.name, "AlarmType": self.kind, "Timestamp": moment} | item)

    def list_actions(self, state: str) -> list[str]:
        """Return the ARNs of the actions of a state."""
        return list(self.parameters.get(_ACTIONS[state]) or [])

    @property
    def kind(self) -> str:
        return "MetricAlarm" if self.rule is None else "CompositeAlarm"

    @cached_property
    def settings(self) -> AlarmSettings:
        """Evaluation settings of a metric alarm."""
        parameters, periods = self.parameters, int(self.parameters["EvaluationPeriods"])
        missing = parameters["TreatMissingData"]
        if parameters.get("Namespace") == "AWS/DynamoDB":
            missing = "ignore"  # documented: the parameter has no effect
        datapoints = parameters.get("DatapointsToAlarm")
        comparison, threshold = parameters["ComparisonOperator"], float(parameters["Threshold"])
        return AlarmSettings(
            periods, int(datapoints or periods), comparison, threshold, missing, datapoints is not None
        )

    @cached_property
    def metric(self) -> queries.Metric | None:
        """The metric of the alarm; None for an alarm with Metrics."""
        return None if "Metrics" in self.parameters else queries.parse_alarm(self.parameters)

    @property
    def period(self) -> int:
        """Period in seconds. Composite alarms have none."""
        if self.metric is not None:
            return self.metric.period
        return queries.find_period(self.parameters["Metrics"])

    @cached_property
    def children(self) -> tuple[str, ...]:
        """Names or ARNs of the alarms in the rule."""
        return () if self.rule is None else rules.parse_rule(self.rule).children

    # Attributes that moto's own code reads.

    @property
    def name(self) -> str:
        return str(self.parameters["AlarmName"])

    @property
    def alarm_arn(self) -> str:
        return f"arn:aws:cloudwatch:{self.region}:{self.account}:alarm:{self.name}"

    @property
    def rule(self) -> str | None:
        return self.parameters.get("AlarmRule")

    @property
    def actions_enabled(self) -> bool:
        return bool(self.parameters["ActionsEnabled"])

    @actions_enabled.setter
    def actions_enabled(self, enabled: bool) -> None:
        self.parameters["ActionsEnabled"] = enabled

    def describe(self) -> Fields:
        """Return the alarm as DescribeAlarms does."""
        state, description = self.state, dict(self.parameters)
        description |= {"AlarmArn": self.alarm_arn, "AlarmConfigurationUpdatedTimestamp": self.configured}
        description |= {"StateValue": state.value, "StateReason": state.reason, "StateUpdatedTimestamp": state.updated}
        description["StateTransitionedTimestamp"] = state.transitioned
        if state.data is not None:
            description["StateReasonData"] = state.data
        if state.suppression is not None:
            description |= {
                "ActionsSuppressedBy": state.suppression.by,
                "ActionsSuppressedReason": state.suppression.reason,
            }
        return description


def format_time(moment: datetime) -> str:
    """Return a moment in the format of alarms."""
    moment = moment.astimezone(UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}+0000"


def apply_defaults(parameters: Fields) -> Fields:
    """Return the parameters of PutMetricAlarm with AWS's defaults."""
    present: Fields = {name: value for name, value in parameters.items() if value is not None and name != "Tags"}
    defaults: dict[str, Any] = {"ActionsEnabled": True} | {name: [] for name in _ACTIONS.values()}
    if "AlarmRule" not in present:
        defaults["TreatMissingData"] = "missing"
        if "Metrics" not in present:
            defaults["Dimensions"] = []
    return defaults | present
