"""Actions of automation steps."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sagemaker_sandbox.services.automation import branch_choices, references, selectors
from sagemaker_sandbox.services.automation.api_calls import ApiCaller, ApiCallError
from sagemaker_sandbox.services.automation.document import ASSERT, BRANCH, EXECUTE, SLEEP, WAIT, AutomationStep

#: Interval of `aws:waitForAwsResourceProperty`. AWS does not document it; assumed.
_INTERVAL = timedelta(seconds=10)
#: Default timeout of `aws:waitForAwsResourceProperty`, in seconds.
_TIMEOUT = 3600
#: Inputs that are not parameters of the API call.
_OWN_INPUTS = ("Service", "Api", "PropertySelector", "DesiredValues")
_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")
_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "String": str,
    "Integer": int,
    "Boolean": bool,
    "StringList": list,
    "MapList": list,
    "StringMap": dict,
}


class AutomationStepError(Exception):
    """Failure of a step. `is_timeout` is True after its timeout."""

    def __init__(self, message: str, *, is_timeout: bool = False) -> None:
        super().__init__(message)
        self.is_timeout = is_timeout


@dataclass(frozen=True)
class StepResult:
    """Result of a step: its outputs and the next step, or the moment at which to run the step once more."""

    outputs: Mapping[str, Any] = field(default_factory=dict)
    next_step: str | None = None
    run_again_at: datetime | None = None


@dataclass(frozen=True)
class AutomationStepAction:
    """One step at the present moment, with the values of its references."""

    step: AutomationStep
    values: Mapping[str, Any]
    api: ApiCaller
    started_at: datetime
    now: datetime

    def run(self) -> StepResult:
        """Run the step. Raises AutomationStepError if it fails."""
        try:
            return _BY_ACTION[self.step.action](self, references.fill(self.step.inputs, self.values))
        except (LookupError, ValueError, TypeError, OverflowError, ApiCallError) as error:
            message = f"{error.args[0]} has no value" if isinstance(error, LookupError) else str(error)
            raise AutomationStepError(message) from None

    def _call(self, inputs: Mapping[str, Any]) -> Any:
        parameters = {name: value for name, value in inputs.items() if name not in _OWN_INPUTS}
        return self.api.call(str(inputs["Service"]), str(inputs["Api"]), parameters)

    def _execute(self, inputs: Mapping[str, Any]) -> StepResult:
        response, outputs = self._call(inputs), {}
        for output in self.step.outputs:
            name, kind = str(output["Name"]), str(output["Type"])
            value = selectors.select(str(output["Selector"]), response)
            if not isinstance(value, _TYPES[kind]) or (kind == "Integer" and isinstance(value, bool)):
                raise ValueError(f"the output {name} is not a {kind}: {references.to_text(value)}")
            outputs[f"{self.step.name}.{name}"] = value
        return StepResult(outputs)

    def _has_value(self, inputs: Mapping[str, Any]) -> bool:
        value = references.to_text(selectors.select(str(inputs["PropertySelector"]), self._call(inputs)))
        return value in map(references.to_text, inputs["DesiredValues"])

    def _assert(self, inputs: Mapping[str, Any]) -> StepResult:
        if not self._has_value(inputs):
            desired = ", ".join(map(references.to_text, inputs["DesiredValues"]))
            raise AutomationStepError(f"{inputs['PropertySelector']} of {inputs['Api']} is not {desired}")
        return StepResult()

    def _wait(self, inputs: Mapping[str, Any]) -> StepResult:
        if self._has_value(inputs):
            return StepResult()
        until = self.started_at + timedelta(seconds=self.step.timeout or _TIMEOUT)
        if self.now >= until:
            raise AutomationStepError(
                f"{inputs['PropertySelector']} of {inputs['Api']} has no desired value in time", is_timeout=True
            )
        return StepResult(run_again_at=min(self.now + _INTERVAL, until))

    def _sleep(self, inputs: Mapping[str, Any]) -> StepResult:
        until = _find_end(inputs, self.started_at)
        return StepResult() if self.now >= until else StepResult(run_again_at=until)

    def _choose_branch(self, inputs: Mapping[str, Any]) -> StepResult:
        return StepResult(next_step=branch_choices.choose_step(inputs))


_BY_ACTION: Mapping[str, Callable[[AutomationStepAction, Mapping[str, Any]], StepResult]] = {
    EXECUTE: AutomationStepAction._execute,
    ASSERT: AutomationStepAction._assert,
    WAIT: AutomationStepAction._wait,
    SLEEP: AutomationStepAction._sleep,
    BRANCH: AutomationStepAction._choose_branch,
}


def _find_end(inputs: Mapping[str, Any], started_at: datetime) -> datetime:
    """Return the end of a sleep. Raises ValueError."""
    if "Timestamp" in inputs:
        return datetime.fromisoformat(str(inputs["Timestamp"]).replace("Z", "+00:00")).astimezone(UTC)
    match = _DURATION.fullmatch(str(inputs["Duration"]))
    if match is None or not any(match.groups()):
        raise ValueError(f"{inputs['Duration']} is not a duration such as PT10M")
    days, hours, minutes, seconds = (int(number or 0) for number in match.groups())
    return started_at + timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
