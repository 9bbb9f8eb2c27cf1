"""Automation documents, also called runbooks: parsing, and the checks of CreateDocument.

Source: Systems Manager user guide, "Systems Manager Automation actions reference" and "conditional branching".
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sagemaker_sandbox.services.automation import branch_choices, parameters, references, selectors
from sagemaker_sandbox.services.automation.parameters import DocumentParameter
from sagemaker_sandbox.services.automation.references import ContentError

SCHEMA = "0.3"
EXECUTE, ASSERT, WAIT = "aws:executeAwsApi", "aws:assertAwsResourceProperty", "aws:waitForAwsResourceProperty"
BRANCH, SLEEP = "aws:branch", "aws:sleep"
#: Actions that the sandbox runs. A document with one of AWS's other actions is valid, but cannot be started.
SUPPORTED = (ASSERT, BRANCH, EXECUTE, SLEEP, WAIT)
_OTHERS = (
    *("approve", "changeInstanceState", "copyImage", "createImage", "createStack", "createTags", "deleteImage"),
    *("deleteStack", "executeAutomation", "executeScript", "executeStateMachine", "invokeLambdaFunction"),
    *("invokeWebhook", "loop", "pause", "runCommand", "runInstances", "updateVariable"),
)
_ACTIONS = {*SUPPORTED, *(f"aws:{name}" for name in _OTHERS)}
_DOCUMENT_MEMBERS = {
    "assumeRole",
    "description",
    "files",
    "mainSteps",
    "outputs",
    "parameters",
    "schemaVersion",
    "variables",
}
_STEP_MEMBERS = {
    *("action", "description", "inputs", "isCritical", "isEnd", "maxAttempts", "name", "nextStep", "onCancel"),
    *("onFailure", "outputs", "timeoutSeconds"),
}
_STEP = "step:"
_OUTPUTS = ("Integer", "Boolean", "String", "StringList", "StringMap", "MapList")


@dataclass(frozen=True)
class AutomationStep:
    """One step. `following` is its `nextStep`, or else the next step of the document unless `isEnd` is set."""

    name: str
    action: str
    inputs: Mapping[str, Any]
    outputs: Sequence[Mapping[str, Any]]
    following: str | None
    is_end: bool
    on_failure: str
    is_critical: bool
    attempts: int
    timeout: int | None

    @property
    def failure_step(self) -> str | None:
        """The step after a failure; None if a failure ends the automation or is ignored."""
        return self.on_failure.removeprefix(_STEP) if self.on_failure.startswith(_STEP) else None

    @property
    def ignores_failure(self) -> bool:
        """True if the automation continues after a failure of the step."""
        return self.on_failure == "Continue"

    def list_next_steps(self) -> Iterator[str]:
        """Yield every possible next step."""
        yield from (name for name in (self.following, self.failure_step) if name is not None)
        if self.action == BRANCH:
            yield from branch_choices.list_next_steps(self.inputs)


@dataclass(frozen=True)
class AutomationDocument:
    """A valid document. `unsupported` names the features that the sandbox does not run."""

    parameters: Mapping[str, DocumentParameter]
    steps: Mapping[str, AutomationStep]
    assume_role: str
    outputs: Sequence[str] = ()
    unsupported: Sequence[str] = field(default_factory=tuple)


def parse_document(source: Any) -> AutomationDocument:
    """Return the document of parsed YAML or JSON. Raises ContentError with the reason."""
    if not isinstance(source, Mapping) or str(source.get("schemaVersion")) != SCHEMA:
        raise ContentError(f"schemaVersion must be {SCHEMA} in a document of type Automation")
    if unknown := sorted(set(source) - _DOCUMENT_MEMBERS):
        raise ContentError(f"A document has no {unknown[0]}")
    items = source.get("mainSteps")
    if not isinstance(items, list) or not items:
        raise ContentError("mainSteps must have at least one step")
    declared_parameters = parameters.parse_parameters(source.get("parameters") or {})
    names = [_parse_name(item) for item in items]
    if len(set(names)) < len(names):
        raise ContentError("The names of steps must be unique")
    steps = {
        name: _parse_step(item, following)
        for name, item, following in zip(names, items, [*names[1:], None], strict=True)
    }
    document = AutomationDocument(
        declared_parameters,
        steps,
        str(source.get("assumeRole") or ""),
        [str(output) for output in source.get("outputs") or []],
        tuple(_list_unsupported(source, steps.values())),
    )
    _check_references(document)
    _check_next_steps(steps)
    return document


def _parse_name(step: Any) -> str:
    name = step.get("name") if isinstance(step, Mapping) else None
    if not isinstance(name, str) or not re.fullmatch(r"[a-zA-Z0-9_]+", name):
        raise ContentError(f"The name of a step must be letters, digits and underscores: {name}")
    return name


def _parse_step(item: Mapping[str, Any], following: str | None) -> AutomationStep:
    name, action = item["name"], item.get("action")
    if action not in _ACTIONS:
        raise ContentError(f"Step {name}: the action {action} does not exist")
    if unknown := sorted(set(item) - _STEP_MEMBERS):
        raise ContentError(f"Step {name} has no {unknown[0]}")
    inputs = item.get("inputs")
    if not isinstance(inputs, Mapping):
        raise ContentError(f"Step {name} has no inputs")
    _check_inputs(name, action, inputs)
    outputs = item.get("outputs") or []
    for output in outputs:
        if not {"Name", "Selector", "Type"} <= set(output) or output["Type"] not in _OUTPUTS:
            raise ContentError(f"Step {name}: an output has a Name, a Selector and a Type of {', '.join(_OUTPUTS)}")
    on_failure, is_end = str(item.get("onFailure", "Abort")), _parse_boolean(item.get("isEnd", False))
    if on_failure not in ("Abort", "Continue") and not on_failure.startswith(_STEP):
        raise ContentError(f"Step {name}: onFailure is Abort, Continue or step:step_name, not {on_failure}")
    return AutomationStep(
        name,
        action,
        inputs,
        outputs,
        None if is_end else item.get("nextStep", following),
        is_end,
        on_failure,
        _parse_boolean(item.get("isCritical", on_failure != "Continue")),
        int(item.get("maxAttempts", 1)),
        int(item["timeoutSeconds"]) if "timeoutSeconds" in item else None,
    )


def _check_inputs(name: str, action: str, inputs: Mapping[str, Any]) -> None:
    required_inputs = {
        EXECUTE: {"Service", "Api"},
        ASSERT: (property_inputs := {"Service", "Api", "PropertySelector", "DesiredValues"}),
        WAIT: property_inputs,
    }
    if missing := sorted(required_inputs.get(action, set()) - set(inputs)):
        raise ContentError(f"Step {name}: {action} needs {missing[0]}")
    if action == BRANCH:
        branch_choices.check_choices(name, inputs)
    if action == SLEEP and len({"Duration", "Timestamp"} & set(inputs)) != 1:
        raise ContentError(f"Step {name}: {action} needs Duration or Timestamp")


def _parse_boolean(value: Any) -> bool:
    return value if isinstance(value, bool) else str(value).lower() == "true"


def _check_references(document: AutomationDocument) -> None:
    known = {references.EXECUTION_ID, *document.parameters, *(f"global:{name}" for name in references.GLOBALS)}
    step_outputs = {f"{step.name}.{output['Name']}" for step in document.steps.values() for output in step.outputs}
    unsupported_steps = {step.name for step in document.steps.values() if step.action not in SUPPORTED}
    for step in document.steps.values():
        for name in references.list_references(step.inputs):
            if name not in known | step_outputs and name.partition(".")[0] not in unsupported_steps:
                raise ContentError(f"Step {step.name} refers to {{{{ {name} }}}}, which does not exist")
    for name in references.list_references(document.assume_role):
        if name not in document.parameters:
            raise ContentError(f"assumeRole refers to {{{{ {name} }}}}, which is not a parameter")


def _check_next_steps(steps: Mapping[str, AutomationStep]) -> None:
    for step in steps.values():
        for name in step.list_next_steps():
            if name not in steps:
                raise ContentError(f"Step {step.name} leads to {name}, which does not exist")
    visited: set[str] = set()
    for name in steps:
        _walk(steps, name, (), visited)


def _walk(steps: Mapping[str, AutomationStep], name: str, path: tuple[str, ...], visited: set[str]) -> None:
    if name in path:
        raise ContentError(f"The steps form a cycle: {' -> '.join((*path[path.index(name) :], name))}")
    if name not in visited:
        for following in steps[name].list_next_steps():
            _walk(steps, following, (*path, name), visited)
        visited.add(name)


def _list_unsupported(source: Mapping[str, Any], steps: Any) -> Iterator[str]:
    if source.get("variables"):
        yield "variables"
    for step in steps:
        if step.action not in SUPPORTED:
            yield f"the action {step.action}"
        step_selectors = [output["Selector"] for output in step.outputs] + [step.inputs.get("PropertySelector", "$")]
        for selector in step_selectors if step.action in SUPPORTED else []:
            try:
                selectors.parse_selector(str(selector))
            except ValueError as error:
                yield str(error)
