"""What a step's result depends on, as an address: the same address is the same result, whichever execution asks."""

import hashlib
import json
import re
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from sustainable_mlops.aws import step_cache
from sustainable_mlops.jobs.pipelines.sdk import Join, Parameter, PipelineVariable
from sustainable_mlops.jobs.pipelines.steps import RequestStep

_REFERENCE = re.compile(r"(?P<root>Parameters|Steps)\.(?P<name>[A-Za-z0-9_-]+)")


def build_identity(
    step: RequestStep, steps: Sequence[RequestStep], parameters: Sequence[Parameter]
) -> PipelineVariable:
    """A path: a digest of the literal requests of the step and of those before it, then the parameters that they read.

    Only what SageMaker's cache compares counts; `parameters` are those that may decide a result.
    """
    involved = list(_upstream(step, {one.name: one for one in steps}))
    content = [[one.name, _counted(one)] for one in involved]
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    read = {name for one in involved for root, name in _references(_counted(one)) if root == "Parameters"}
    return Join(on="/", values=[digest[:16], *(one for one in parameters if one.name in read)])


def _upstream(step: RequestStep, steps: dict[str, RequestStep], seen: Collection[str] = ()) -> Iterator[RequestStep]:
    yield step
    for root, name in sorted(set(_references(_counted(step)))):
        if root == "Steps" and name not in seen:
            seen = {*seen, name}
            yield from _upstream(steps[name], steps, seen)


def _counted(step: RequestStep) -> dict[str, Any]:
    members = step_cache.CACHE_KEY_ARGUMENTS[step.step_type.value]
    return {name: to_json_value(step.arguments[name]) for name in members if name in step.arguments}


def _references(value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        if value.keys() == {"Get"} and (found := _REFERENCE.match(str(value["Get"]))):
            yield found["root"], found["name"]
        for inner in value.values():
            yield from _references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _references(inner)


def to_json_value(value: Any) -> Any:
    """A value with the SDK's expressions as JSON has them."""
    if isinstance(value, PipelineVariable):
        return to_json_value(value.expr)
    if isinstance(value, dict):
        return {name: to_json_value(inner) for name, inner in value.items()}
    return [to_json_value(inner) for inner in value] if isinstance(value, list | tuple) else value
