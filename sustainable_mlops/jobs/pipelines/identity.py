"""Address of a step's result, derived from everything the result depends on."""

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
    """Return a path: a digest of the requests of the step and its upstream steps, and the parameters they read.

    Only the fields that SageMaker's cache compares count. `parameters` are the parameters that can decide a result.
    """
    steps_involved = list(_iterate_upstream(step, {step_before.name: step_before for step_before in steps}))
    content = [[step_before.name, _select_cached_fields(step_before)] for step_before in steps_involved]
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    parameter_names = {
        name
        for step_before in steps_involved
        for root, name in _find_references(_select_cached_fields(step_before))
        if root == "Parameters"
    }
    return Join(
        on="/",
        values=[digest[:16], *(step_before for step_before in parameters if step_before.name in parameter_names)],
    )


def _iterate_upstream(
    step: RequestStep, steps: dict[str, RequestStep], visited: Collection[str] = ()
) -> Iterator[RequestStep]:
    yield step
    for root, name in sorted(set(_find_references(_select_cached_fields(step)))):
        if root == "Steps" and name not in visited:
            visited = {*visited, name}
            yield from _iterate_upstream(steps[name], steps, visited)


def _select_cached_fields(step: RequestStep) -> dict[str, Any]:
    members = step_cache.CACHE_KEY_ARGUMENTS[step.step_type.value]
    return {name: to_json_value(step.arguments[name]) for name in members if name in step.arguments}


def _find_references(value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        if value.keys() == {"Get"} and (match := _REFERENCE.match(str(value["Get"]))):
            yield match["root"], match["name"]
        for inner in value.values():
            yield from _find_references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _find_references(inner)


def to_json_value(value: Any) -> Any:
    """Return a value with the SDK's expressions as JSON."""
    if isinstance(value, PipelineVariable):
        return to_json_value(value.expr)
    if isinstance(value, dict):
        return {name: to_json_value(inner) for name, inner in value.items()}
    return [to_json_value(inner) for inner in value] if isinstance(value, list | tuple) else value
