"""Automation's documents, also called runbooks: read, and refused as CreateDocument refuses them.

Source: Systems Manager user guide, "Systems Manager Automation actions reference" and "conditional branching".
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sagemaker_sandbox.automation import choices, content, parameters, selectors
from sagemaker_sandbox.automation.content import ContentError
from sagemaker_sandbox.automation.parameters import Parameter

SCHEMA = "0.3"
EXECUTE, ASSERT, WAIT = "aws:executeAwsApi", "aws:assertAwsResourceProperty", "aws:waitForAwsResourceProperty"
BRANCH, SLEEP = "aws:branch", "aws:sleep"
#: What the sandbox does; the others that there are can be written down, and not be started.
DONE = (ASSERT, BRANCH, EXECUTE, SLEEP, WAIT)
_OTHERS = (
    *("approve", "changeInstanceState", "copyImage", "createImage", "createStack", "createTags", "deleteImage"),
    *("deleteStack", "executeAutomation", "executeScript", "executeStateMachine", "invokeLambdaFunction"),
    *("invokeWebhook", "loop", "pause", "runCommand", "runInstances", "updateVariable"),
)
_ACTIONS = {*DONE, *(f"aws:{name}" for name in _OTHERS)}
_WHOLE = {"assumeRole", "description", "files", "mainSteps", "outputs", "parameters", "schemaVersion", "variables"}
_OF_STEP = {
    *("action", "description", "inputs", "isCritical", "isEnd", "maxAttempts", "name", "nextStep", "onCancel"),
    *("onFailure", "outputs", "timeoutSeconds"),
}
_STEP = "step:"
_OUTPUTS = ("Integer", "Boolean", "String", "StringList", "StringMap", "MapList")


@dataclass(frozen=True)
class Step:
    """One step; `follows` is the one after it in the document, where it has no `nextStep` and is no end."""

    name: str
    action: str
    inputs: Mapping[str, Any]
    outputs: Sequence[Mapping[str, Any]]
    follows: str | None
    is_end: bool
    on_failure: str
    is_critical: bool
    attempts: int
    timeout: int | None

    @property
    def failing(self) -> str | None:
        """The step that a failure leads to; None where it ends the automation, or where it goes on."""
        return self.on_failure.removeprefix(_STEP) if self.on_failure.startswith(_STEP) else None

    @property
    def continues(self) -> bool:
        """Whether it goes on after a failure as if there was none."""
        return self.on_failure == "Continue"

    def leads_to(self) -> Iterator[str]:
        """Every step that may be next."""
        yield from (one for one in (self.follows, self.failing) if one is not None)
        if self.action == BRANCH:
            yield from choices.next_steps(self.inputs)


@dataclass(frozen=True)
class Document:
    """A document that AWS takes; `unsupported` is what of it the sandbox does not do, in words."""

    parameters: Mapping[str, Parameter]
    steps: Mapping[str, Step]
    assume_role: str
    outputs: Sequence[str] = ()
    unsupported: Sequence[str] = field(default_factory=tuple)


def read(written: Any) -> Document:
    """The document of this content. Raises ContentError with the reason."""
    if not isinstance(written, Mapping) or str(written.get("schemaVersion")) != SCHEMA:
        raise ContentError(f"schemaVersion must be {SCHEMA} in a document of type Automation")
    if unknown := sorted(set(written) - _WHOLE):
        raise ContentError(f"A document has no {unknown[0]}")
    listed = written.get("mainSteps")
    if not isinstance(listed, list) or not listed:
        raise ContentError("mainSteps must have at least one step")
    declared = parameters.read(written.get("parameters") or {})
    names = [_name(one) for one in listed]
    if len(set(names)) < len(names):
        raise ContentError("The names of steps must be unique")
    steps = {
        name: _step(one, following) for name, one, following in zip(names, listed, [*names[1:], None], strict=True)
    }
    found = Document(
        declared,
        steps,
        str(written.get("assumeRole") or ""),
        [str(one) for one in written.get("outputs") or []],
        tuple(_unsupported(written, steps.values())),
    )
    _check_references(found)
    _check_ways(steps)
    return found


def _name(step: Any) -> str:
    name = step.get("name") if isinstance(step, Mapping) else None
    if not isinstance(name, str) or not re.fullmatch(r"[a-zA-Z0-9_]+", name):
        raise ContentError(f"The name of a step must be letters, digits and underscores: {name}")
    return name


def _step(one: Mapping[str, Any], following: str | None) -> Step:
    name, action = one["name"], one.get("action")
    if action not in _ACTIONS:
        raise ContentError(f"Step {name}: there is no action {action}")
    if unknown := sorted(set(one) - _OF_STEP):
        raise ContentError(f"Step {name} has no {unknown[0]}")
    inputs = one.get("inputs")
    if not isinstance(inputs, Mapping):
        raise ContentError(f"Step {name} has no inputs")
    _check_inputs(name, action, inputs)
    outputs = one.get("outputs") or []
    for output in outputs:
        if not {"Name", "Selector", "Type"} <= set(output) or output["Type"] not in _OUTPUTS:
            raise ContentError(f"Step {name}: an output has a Name, a Selector and a Type of {', '.join(_OUTPUTS)}")
    failing, is_end = str(one.get("onFailure", "Abort")), _flag(one.get("isEnd", False))
    if failing not in ("Abort", "Continue") and not failing.startswith(_STEP):
        raise ContentError(f"Step {name}: onFailure is Abort, Continue or step:step_name, not {failing}")
    return Step(
        name,
        action,
        inputs,
        outputs,
        None if is_end else one.get("nextStep", following),
        is_end,
        failing,
        _flag(one.get("isCritical", failing != "Continue")),
        int(one.get("maxAttempts", 1)),
        int(one["timeoutSeconds"]) if "timeoutSeconds" in one else None,
    )


def _check_inputs(name: str, action: str, inputs: Mapping[str, Any]) -> None:
    needed = {
        EXECUTE: {"Service", "Api"},
        ASSERT: (asking := {"Service", "Api", "PropertySelector", "DesiredValues"}),
        WAIT: asking,
    }
    if missing := sorted(needed.get(action, set()) - set(inputs)):
        raise ContentError(f"Step {name}: {action} needs {missing[0]}")
    if action == BRANCH:
        choices.check(name, inputs)
    if action == SLEEP and len({"Duration", "Timestamp"} & set(inputs)) != 1:
        raise ContentError(f"Step {name}: {action} needs Duration or Timestamp")


def _flag(value: Any) -> bool:
    return value if isinstance(value, bool) else str(value).lower() == "true"


def _check_references(document: Document) -> None:
    known = {content.EXECUTION_ID, *document.parameters, *(f"global:{name}" for name in content.GLOBALS)}
    told = {f"{step.name}.{one['Name']}" for step in document.steps.values() for one in step.outputs}
    elsewhere = {step.name for step in document.steps.values() if step.action not in DONE}
    for step in document.steps.values():
        for name in content.references(step.inputs):
            if name not in known | told and name.partition(".")[0] not in elsewhere:
                raise ContentError(f"Step {step.name} refers to {{{{ {name} }}}}, which there is not")
    for name in content.references(document.assume_role):
        if name not in document.parameters:
            raise ContentError(f"assumeRole refers to {{{{ {name} }}}}, which is no parameter")


def _check_ways(steps: Mapping[str, Step]) -> None:
    for step in steps.values():
        for name in step.leads_to():
            if name not in steps:
                raise ContentError(f"Step {step.name} leads to {name}, which there is not")
    over: set[str] = set()
    for name in steps:
        _walk(steps, name, (), over)


def _walk(steps: Mapping[str, Step], name: str, way: tuple[str, ...], over: set[str]) -> None:
    if name in way:
        raise ContentError(f"The steps go round in a circle: {' -> '.join((*way[way.index(name) :], name))}")
    if name not in over:
        for following in steps[name].leads_to():
            _walk(steps, following, (*way, name), over)
        over.add(name)


def _unsupported(written: Mapping[str, Any], steps: Any) -> Iterator[str]:
    if written.get("variables"):
        yield "variables"
    for step in steps:
        if step.action not in DONE:
            yield f"the action {step.action}"
        selected = [one["Selector"] for one in step.outputs] + [step.inputs.get("PropertySelector", "$")]
        for selector in selected if step.action in DONE else []:
            try:
                selectors.parse(str(selector))
            except ValueError as error:
                yield str(error)
