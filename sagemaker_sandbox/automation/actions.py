"""What each action of a step does."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sagemaker_sandbox.automation import choices, content, selectors
from sagemaker_sandbox.automation.asking import Asking, AskingError
from sagemaker_sandbox.automation.document import ASSERT, BRANCH, EXECUTE, SLEEP, WAIT, Step

#: Between two looks of `aws:waitForAwsResourceProperty`; AWS does not say, assumed.
_LOOK = timedelta(seconds=10)
#: How long it looks where the step does not say.
_LONGEST = 3600
_OWN = ("Service", "Api", "PropertySelector", "DesiredValues")
_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")
_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "String": str,
    "Integer": int,
    "Boolean": bool,
    "StringList": list,
    "MapList": list,
    "StringMap": dict,
}


class StepError(Exception):
    """A step that fails; `timed_out` where its time is up."""

    def __init__(self, message: str, *, timed_out: bool = False) -> None:
        super().__init__(message)
        self.timed_out = timed_out


@dataclass(frozen=True)
class Outcome:
    """What has come of a step: its outputs, and the next step where it chooses one; or when to look again."""

    outputs: Mapping[str, Any] = field(default_factory=dict)
    chosen: str | None = None
    again: datetime | None = None


@dataclass(frozen=True)
class Doing:
    """One step that is done now, with what its references stand for."""

    step: Step
    known: Mapping[str, Any]
    asking: Asking
    began: datetime
    now: datetime

    def do(self) -> Outcome:
        """Raises StepError where the step fails."""
        try:
            return _BY_ACTION[self.step.action](self, content.filled(self.step.inputs, self.known))
        except (LookupError, ValueError, TypeError, OverflowError, AskingError) as error:
            words = f"{error.args[0]} has no value" if isinstance(error, LookupError) else str(error)
            raise StepError(words) from None

    def _ask(self, inputs: Mapping[str, Any]) -> Any:
        asked = {name: value for name, value in inputs.items() if name not in _OWN}
        return self.asking.ask(str(inputs["Service"]), str(inputs["Api"]), asked)

    def _execute(self, inputs: Mapping[str, Any]) -> Outcome:
        answer, found = self._ask(inputs), {}
        for output in self.step.outputs:
            name, kind = str(output["Name"]), str(output["Type"])
            value = selectors.select(str(output["Selector"]), answer)
            if not isinstance(value, _TYPES[kind]) or (kind == "Integer" and isinstance(value, bool)):
                raise ValueError(f"the output {name} is no {kind}: {content.text(value)}")
            found[f"{self.step.name}.{name}"] = value
        return Outcome(found)

    def _is_there(self, inputs: Mapping[str, Any]) -> bool:
        value = content.text(selectors.select(str(inputs["PropertySelector"]), self._ask(inputs)))
        return value in map(content.text, inputs["DesiredValues"])

    def _assert(self, inputs: Mapping[str, Any]) -> Outcome:
        if not self._is_there(inputs):
            wanted = ", ".join(map(content.text, inputs["DesiredValues"]))
            raise StepError(f"{inputs['PropertySelector']} of {inputs['Api']} is not {wanted}")
        return Outcome()

    def _wait(self, inputs: Mapping[str, Any]) -> Outcome:
        if self._is_there(inputs):
            return Outcome()
        until = self.began + timedelta(seconds=self.step.timeout or _LONGEST)
        if self.now >= until:
            raise StepError(f"{inputs['PropertySelector']} of {inputs['Api']} did not come in time", timed_out=True)
        return Outcome(again=min(self.now + _LOOK, until))

    def _sleep(self, inputs: Mapping[str, Any]) -> Outcome:
        until = _moment(inputs, self.began)
        return Outcome() if self.now >= until else Outcome(again=until)

    def _branch(self, inputs: Mapping[str, Any]) -> Outcome:
        return Outcome(chosen=choices.chosen(inputs))


_BY_ACTION: Mapping[str, Callable[[Doing, Mapping[str, Any]], Outcome]] = {
    EXECUTE: Doing._execute,
    ASSERT: Doing._assert,
    WAIT: Doing._wait,
    SLEEP: Doing._sleep,
    BRANCH: Doing._branch,
}


def _moment(inputs: Mapping[str, Any], began: datetime) -> datetime:
    """Until when a step sleeps. Raises ValueError."""
    if "Timestamp" in inputs:
        return datetime.fromisoformat(str(inputs["Timestamp"]).replace("Z", "+00:00")).astimezone(UTC)
    found = _DURATION.fullmatch(str(inputs["Duration"]))
    if found is None or not any(found.groups()):
        raise ValueError(f"{inputs['Duration']} is no duration such as PT10M")
    days, hours, minutes, seconds = (int(one or 0) for one in found.groups())
    return began + timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
