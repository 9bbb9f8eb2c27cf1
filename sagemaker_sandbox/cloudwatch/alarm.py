"""One alarm: what was asked for, its state and its history. It stands in moto's list of alarms, and is saved there."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from sagemaker_sandbox.cloudwatch import queries, rules
from sagemaker_sandbox.cloudwatch.evaluation import ALARM, INSUFFICIENT_DATA, OK, Settings
from sagemaker_sandbox.parts.resources import Fields

#: How long its history is kept.
_KEPT = timedelta(days=30)
#: What follows from what was asked for.
_DERIVED = ("settings", "metric", "children")
_ACTIONS = {OK: "OKActions", ALARM: "AlarmActions", INSUFFICIENT_DATA: "InsufficientDataActions"}


@dataclass(frozen=True)
class Suppression:
    """What keeps a composite alarm from acting, until when, if that is known."""

    by: str
    reason: str
    until: datetime | None = None


@dataclass(frozen=True)
class State:
    """`updated` when anything of it became another, `transitioned` when its value did."""

    value: str
    reason: str
    data: str | None
    updated: datetime
    transitioned: datetime
    suppression: Suppression | None = None


@dataclass(eq=False)
class Alarm:
    """A metric alarm or, with a rule, a composite one. `asked` has the members of Describe that Put was given."""

    account: str
    region: str
    asked: Fields
    configured: datetime
    state: State = field(init=False)
    history: list[Fields] = field(default_factory=list)
    #: The state for which a composite alarm has acted last.
    acted: str = INSUFFICIENT_DATA

    def __post_init__(self) -> None:
        at = self.configured
        self.state = State(INSUFFICIENT_DATA, "Unchecked: Initial alarm creation", None, at, at)

    def ask(self, asked: Fields, moment: datetime) -> None:
        """Be as it is asked now; the state stays."""
        self.asked, self.configured = asked, moment
        for known in _DERIVED:
            vars(self).pop(known, None)

    def __getstate__(self) -> Mapping[str, Any]:
        # What is saved must not grow meanwhile.
        return {name: value for name, value in list(vars(self).items()) if name not in _DERIVED}

    def tell(self, kind: str, summary: str, data: Fields, moment: datetime) -> None:
        """One more item of its history."""
        while self.history and self.history[0]["Timestamp"] < moment - _KEPT:
            self.history.pop(0)
        item = {
            "HistoryItemType": kind,
            "HistorySummary": summary,
            "HistoryData": json.dumps({"version": "1.0"} | data),
        }
        self.history.append({"AlarmName": self.name, "AlarmType": self.kind, "Timestamp": moment} | item)

    def actions(self, state: str) -> list[str]:
        """The ARNs of what is to be done in a state."""
        return list(self.asked.get(_ACTIONS[state]) or [])

    @property
    def kind(self) -> str:
        return "MetricAlarm" if self.rule is None else "CompositeAlarm"

    @cached_property
    def settings(self) -> Settings:
        """Of a metric alarm."""
        asked, periods = self.asked, int(self.asked["EvaluationPeriods"])
        missing = asked["TreatMissingData"]
        if asked.get("Namespace") == "AWS/DynamoDB":
            missing = "ignore"  # whatever it says, as the user guide has it
        given = asked.get("DatapointsToAlarm")
        to_alarm, threshold = int(given or periods), float(asked["Threshold"])
        return Settings(periods, to_alarm, asked["ComparisonOperator"], threshold, missing, given is not None)

    @cached_property
    def metric(self) -> queries.Metric | None:
        """The one that it watches; None where it watches an expression, or the one of several that is returned."""
        return None if "Metrics" in self.asked else queries.of_alarm(self.asked)

    @property
    def period(self) -> int:
        """In seconds; none of a composite alarm."""
        if self.metric is not None:
            return self.metric.period
        return queries.period_of(self.asked["Metrics"])

    @cached_property
    def children(self) -> tuple[str, ...]:
        """The alarms that its rule names, by name or ARN."""
        return () if self.rule is None else rules.parse(self.rule).children

    # What moto's own code asks an alarm for.

    @property
    def name(self) -> str:
        return str(self.asked["AlarmName"])

    @property
    def alarm_arn(self) -> str:
        return f"arn:aws:cloudwatch:{self.region}:{self.account}:alarm:{self.name}"

    @property
    def rule(self) -> str | None:
        return self.asked.get("AlarmRule")

    @property
    def actions_enabled(self) -> bool:
        return bool(self.asked["ActionsEnabled"])

    @actions_enabled.setter
    def actions_enabled(self, enabled: bool) -> None:
        self.asked["ActionsEnabled"] = enabled

    def described(self) -> Fields:
        """As DescribeAlarms has it."""
        state, told = self.state, dict(self.asked)
        told |= {"AlarmArn": self.alarm_arn, "AlarmConfigurationUpdatedTimestamp": self.configured}
        told |= {"StateValue": state.value, "StateReason": state.reason, "StateUpdatedTimestamp": state.updated}
        told["StateTransitionedTimestamp"] = state.transitioned
        if state.data is not None:
            told["StateReasonData"] = state.data
        if state.suppression is not None:
            told |= {"ActionsSuppressedBy": state.suppression.by, "ActionsSuppressedReason": state.suppression.reason}
        return told


def told(moment: datetime) -> str:
    """A moment as alarms write it."""
    moment = moment.astimezone(UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}+0000"


def settled(asked: Fields) -> Fields:
    """What Put is given, with what AWS takes where it is not."""
    found: Fields = {name: value for name, value in asked.items() if value is not None and name != "Tags"}
    defaults: dict[str, Any] = {"ActionsEnabled": True} | {name: [] for name in _ACTIONS.values()}
    if "AlarmRule" not in found:
        defaults["TreatMissingData"] = "missing"
        if "Metrics" not in found:
            defaults["Dimensions"] = []
    return defaults | found
