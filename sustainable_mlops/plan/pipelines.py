"""Parser for SageMaker pipeline definitions: all steps, including those in branches and loops.

The format is the SageMaker Pipelines JSON schema 2020-12-01, as the SageMaker SDK 3.27 writes it.
"""

import contextlib
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from sustainable_mlops.base.errors import UserError
from sustainable_mlops.plan.joins import BUCKET, Joins
from sustainable_mlops.plan.resources import Resource
from sustainable_mlops.plan.values import (
    UNKNOWN,
    AttributePath,
    AttributeReader,
    Block,
    Unknown,
    get_at_path,
    split_path,
)

#: Arguments of a step that contain other steps.
_BRANCHES = ("IfSteps", "ElseSteps", "ForEachBody")
_EXPRESSIONS = frozenset({"Get", "Std:Join", "Std:JsonGet"})
_OBJECTS = ("aws_s3_object", "aws_s3_bucket_object")
#: Maximum nesting depth of a definition. SageMaker accepts less.
_MAX_DEPTH = 60


class PlannedParameter(NamedTuple):
    """A pipeline parameter. An execution may replace its default."""

    name: str
    type: str
    default: Any  # None if an execution must set the parameter


class PipelineStep(AttributeReader):
    """One step of a pipeline.

    The readers read its `Arguments`, the body of a `Create…` request: `step.text("ResourceConfig.InstanceType")`. A
    reference to a parameter reads as the parameter's default. A value that only an execution knows reads as `UNKNOWN`.
    """

    def __init__(
        self, definition: Mapping[str, Any], parent: "PipelineStep | None", branch: str, pipeline: "PlannedPipeline"
    ) -> None:
        """Read a step. `parent` is the condition or loop that contains it, in `branch`.

        The branches are `IfSteps`, `ElseSteps` and `ForEachBody`.
        """
        self._body = Block(dict(definition))
        self._pipeline = pipeline
        self.parent = parent
        self.branch = branch
        #: The step's `Arguments` as declared.
        self.arguments: Any = self._body.get("Arguments", {})
        name, kind = self._body.text("Name"), self._body.text("Type")
        self.name: str | Unknown = name if isinstance(name, str) else UNKNOWN
        self.type: str | Unknown = kind if isinstance(kind, str) else UNKNOWN

    @property
    def depends_on(self) -> list[str | Unknown] | Unknown:
        """Names of the steps that it depends on, as declared."""
        return self._body.texts("DependsOn")

    @property
    def is_cached(self) -> bool | Unknown:
        """True if step caching is on."""
        enabled = self._pipeline.resolve(self._body.get("CacheConfig.Enabled"))
        if enabled is None:
            return False
        return enabled if isinstance(enabled, bool) else UNKNOWN

    @property
    def cache_duration(self) -> str | Unknown | None:
        """Maximum age of a cached result, as an ISO 8601 duration."""
        return self._body.text("CacheConfig.ExpireAfter")

    def get(self, path: AttributePath, default: Any = None) -> Any:
        """Return the argument at `path`; parameters on the way are resolved."""
        value = self._pipeline.resolve(self.arguments)
        for part in split_path(path):
            value = self._pipeline.resolve(get_at_path(value, (part,)))
        return default if value is None else value

    def resolve_settings(self) -> dict[str, Any]:
        """Return the fields of the step without inner steps. Parameters are resolved at any depth.

        An expression that only an execution knows is its JSON text.
        """
        fields = {} if self._body.values is UNKNOWN else self._body.values
        settings = {name: self._pipeline.resolve_deeply(value) for name, value in fields.items()}
        arguments = settings.get("Arguments")
        if isinstance(arguments, dict):
            settings["Arguments"] = {name: value for name, value in arguments.items() if name not in _BRANCHES}
        return settings

    def __repr__(self) -> str:
        return f"<{self.name}: {self.type}>"


class PlannedPipeline:
    """One SageMaker pipeline and its definition, as far as the plan knows it."""

    def __init__(self, resource: Resource, definition: Any, unknown: str) -> None:
        """Read a definition. `unknown` is the reason why there is none, else empty."""
        self.resource = resource
        self.definition: Mapping[str, Any] | Unknown = definition
        self.unreadable_reason = unknown
        self.parameters = {parameter.name: parameter for parameter in _list_parameters(definition)}
        self.steps: list[PipelineStep] | Unknown = UNKNOWN
        if definition is not UNKNOWN:
            try:
                self.steps = list(self._read_steps(definition.get("Steps"), None, ""))
            except UserError as error:
                self.unreadable_reason = str(error)

    def list_steps(self, *types: str) -> list[PipelineStep]:
        """Return the steps at any depth that have one of these types (`Training`, `Processing`, …).

        The result is empty if no type is given or if the steps are unknown.
        """
        return [] if self.steps is UNKNOWN else [step for step in self.steps if step.type in types]

    def resolve(self, value: Any) -> Any:
        """Return the default for a reference to a parameter, `UNKNOWN` for other expressions, else `value` itself."""
        if not _is_expression(value):
            return value
        name = _find_parameter_name(value)
        parameter = None if name is None else self.parameters.get(name)
        return UNKNOWN if parameter is None or parameter.default is None else parameter.default

    def resolve_deeply(self, value: Any) -> Any:
        """Return `value` with the defaults of parameters at any depth, also inside joined texts.

        An expression that only an execution knows is its JSON text.
        """
        if isinstance(value, list):
            return [self.resolve_deeply(item) for item in value]
        if not isinstance(value, dict):
            return value
        if not _is_expression(value):
            return {name: self.resolve_deeply(item) for name, item in value.items()}
        join = value.get("Std:Join")
        parts = join.get("Values") if isinstance(join, dict) else None
        if isinstance(join, dict) and isinstance(parts, list):
            return str(join.get("On", "")).join(str(self.resolve_deeply(part)) for part in parts)
        resolved = self.resolve(value)
        return json.dumps(value, default=str) if resolved is UNKNOWN else resolved

    def _read_steps(self, definitions: Any, parent: PipelineStep | None, branch: str) -> Iterator[PipelineStep]:
        location = f"{parent.name}.{branch}" if parent else "Steps"
        if not isinstance(definitions, list):
            raise UserError(f"{location} of the definition is not a list")
        for position, definition in enumerate(definitions):
            if not isinstance(definition, dict):
                raise UserError(f"{location}[{position}] of the definition is not an object")
            step = PipelineStep(definition, parent, branch, self)
            yield step
            arguments = step.arguments
            for inner in _BRANCHES if isinstance(arguments, dict) else ():
                if arguments.get(inner) is not None:
                    yield from self._read_steps(arguments[inner], step, inner)

    def __repr__(self) -> str:
        return f"<{self.resource.address}: {self.unreadable_reason or self.steps}>"


def list_pipelines(resources: Iterable[Resource], joins: Joins) -> list[PlannedPipeline]:
    """Read resources of type `aws_sagemaker_pipeline`. Skip those that do not exist on the plan side of `joins`."""
    return [_read_pipeline(resource, joins) for resource in resources if resource.exists(before=joins.before)]


def _read_pipeline(resource: Resource, joins: Joins) -> PlannedPipeline:
    text = resource.get_values(before=joins.before).text("pipeline_definition")
    if text is None:
        text = _find_uploaded_definition(resource, joins)
        if text is UNKNOWN:
            return PlannedPipeline(resource, UNKNOWN, "the definition is in S3, and its text is not in the plan")
    if text is UNKNOWN:
        definition = _find_shown_definition(resource, joins)
        reason = "the definition is not known until apply" if definition is UNKNOWN else ""
        return PlannedPipeline(resource, definition, reason)
    return PlannedPipeline(resource, *_parse_definition(text))


def _parse_definition(text: str) -> tuple[Mapping[str, Any] | Unknown, str]:
    """Parse a definition. Return it and an empty text, or `UNKNOWN` and the reason."""
    try:
        definition = json.loads(text)
    except (ValueError, RecursionError):
        return UNKNOWN, "the definition is not JSON"
    if not isinstance(definition, dict):
        return UNKNOWN, "the definition is not a JSON object"
    if _measure_depth(definition) > _MAX_DEPTH:
        return UNKNOWN, f"the definition is nested more than {_MAX_DEPTH} deep"
    return definition, ""


def _find_shown_definition(resource: Resource, joins: Joins) -> Mapping[str, Any] | Unknown:
    """Return the definition that the module `pipeline` shows while one of its values is unknown.

    The `input` of `terraform_data.definition` contains the `definition` before substitution, and the `parameters` by
    name.
    """
    for definition_resource in joins.list_existing("terraform_data"):
        if (definition_resource.module, definition_resource.name) != (resource.module, "definition"):
            continue
        values = definition_resource.get_values(before=joins.before)
        text, values_by_name = values.text("input.definition"), values.get("input.parameters", {})
        definition, _ = _parse_definition(text) if isinstance(text, str) else (UNKNOWN, "")
        if definition is UNKNOWN or not isinstance(values_by_name, Mapping):
            continue
        parameters = definition.get("Parameters")
        completed_parameters = (
            [_complete_parameter(parameter, values_by_name) for parameter in parameters]
            if isinstance(parameters, list)
            else parameters
        )
        return {**definition, "Parameters": completed_parameters}
    return UNKNOWN


def _complete_parameter(parameter: Any, values_by_name: Mapping[str, Any]) -> Any:
    """Return the parameter with its value as default, None for an unknown value. Without a value, return it as is."""
    name = parameter.get("Name") if isinstance(parameter, dict) else None
    if not isinstance(name, str) or name not in values_by_name:
        return parameter
    value = values_by_name[name]
    if isinstance(value, str) and parameter.get("Type") != "String":
        with contextlib.suppress(ValueError):
            value = json.loads(value)
    return {**parameter, "DefaultValue": None if value is UNKNOWN else value}


def _find_uploaded_definition(resource: Resource, joins: Joins) -> str | Unknown:
    """Return the definition's text if the same plan uploads it to S3."""
    values = resource.get_values(before=joins.before)
    bucket = values.text("pipeline_definition_s3_location.0.bucket")
    target_bucket = joins.find_target(resource, "pipeline_definition_s3_location.0.bucket", BUCKET)
    key = values.text("pipeline_definition_s3_location.0.object_key")
    for uploaded in joins.list_existing(*_OBJECTS):
        content = uploaded.get_values(before=joins.before)
        if not isinstance(key, str) or content.text("key") != key:
            continue
        same_name = isinstance(bucket, str) and content.text("bucket") == bucket
        if same_name or (
            isinstance(target_bucket, Resource) and joins.find_bucket(uploaded, "bucket") is target_bucket
        ):
            text = content.text("content")
            return text if isinstance(text, str) else UNKNOWN
    return UNKNOWN


def _list_parameters(definition: Any) -> Iterator[PlannedParameter]:
    blocks = Block(definition).blocks("Parameters")
    for parameter in () if blocks is UNKNOWN else blocks:
        name = parameter.text("Name")
        if isinstance(name, str):
            yield PlannedParameter(name, str(parameter.get("Type")), parameter.get("DefaultValue"))


def _find_parameter_name(value: Any) -> str | None:
    """Return the parameter that a value refers to: `{"Get": "Parameters.InstanceType"}` gives `InstanceType`."""
    reference = value.get("Get") if _is_expression(value) else None
    return (
        reference.removeprefix("Parameters.")
        if isinstance(reference, str) and reference.startswith("Parameters.")
        else None
    )


def _is_expression(value: Any) -> bool:
    """Return whether the value is an expression for the execution: `Get`, `Std:Join` or `Std:JsonGet`."""
    return isinstance(value, dict) and len(value) == 1 and (value.keys() <= _EXPRESSIONS)


def _measure_depth(value: Any) -> int:
    depth, level = 0, [value]
    while level:
        depth += 1
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
    return depth
