"""Inputs of a module, declared once as a pydantic model and rendered as Terraform variables.

The model defines the type, default, description, `nullable` and `validation` of each variable, the table in the README,
and the check of settings in Python before Terraform starts.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, is_dataclass
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self, Union, get_args, get_origin

import annotated_types
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from pydantic.fields import FieldInfo

from sustainable_mlops.authoring import hcl
from sustainable_mlops.authoring.author_errors import locate_field, make_author_error
from sustainable_mlops.authoring.choice import OneOf
from sustainable_mlops.authoring.expressions.rendering import render
from sustainable_mlops.authoring.expressions.scopes import input_expressions
from sustainable_mlops.authoring.expressions.types import get_number_defaults
from sustainable_mlops.authoring.rules import InputRule, check_rule_fields, find_broken_rules, list_validations
from sustainable_mlops.base.wording import pluralize

_SCALARS: dict[object, str] = {str: "string", int: "number", float: "number", bool: "bool", Any: "any"}


class ModuleInputs(BaseModel):
    """Base class of inputs and of the objects in them. It rejects unknown keys and reports broken `rules`."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
    #: Rules between the fields, checked in Python and in Terraform.
    rules: ClassVar[tuple[InputRule, ...]] = ()

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        check_rule_fields(cls)
        for name, annotation in vars(cls).get("__annotations__", {}).items():
            if name in cls.model_fields:
                _check_constraints(cls, name, cls.model_fields[name])
                _check_requirement(cls, name, annotation)

    @model_validator(mode="after")
    def _check_rules(self) -> Self:
        errors: list[Any] = [
            {"type": "value_error", "loc": (field,), "input": self, "ctx": {"error": ValueError(message)}}
            for field, message in find_broken_rules(self)
        ]
        if errors:
            raise ValidationError.from_exception_data(type(self).__name__, errors)
        return self

    if not TYPE_CHECKING:  # mypy knows only the declared fields

        def __getattr__(self, name: str) -> Any:
            if name in type(self).model_fields:
                raise make_author_error(
                    f"'{name}' is read here, but the call of {type(self).__module__} does not set it"
                )
            return super().__getattr__(name)


class NumberMap(ModuleInputs):
    """Numbers by declared keys, each with a default.

    Terraform gets a map, because it silently drops unknown keys of an object. A validation rejects them here.
    """

    keys_are_declared: ClassVar[bool] = True


#: Constraints that become validations. Any other would be checked only in Python.
_BOUNDS = ("ge", "le", "min_length", "max_length")
_CONSTRAINTS = (*_BOUNDS, "pattern", "choices")


def _check_constraints(model: type[BaseModel], name: str, field: FieldInfo) -> None:
    """Raise UserError for a constraint that cannot become a validation."""
    for item in _list_metadata(field):
        constraints = asdict(item) if is_dataclass(item) else getattr(item, "__dict__", {})  # type: ignore[arg-type]
        for constraint in (word for word, value in constraints.items() if value is not None and word != "strict"):
            if constraint not in _CONSTRAINTS:
                instead = ", ".join((*_CONSTRAINTS[:-1], "Literal", "one_of"))
                message = f"{name}: Terraform would not check {constraint}; use {instead} or a rule"
                raise make_author_error(message, locate_field(model, name))


def _check_requirement(model: type[BaseModel], name: str, annotation: Any) -> None:
    """Raise UserError if a field adds a constraint to a type, but the message of `must` does not name it."""
    if get_origin(annotation) is not Annotated:
        return
    field, (_, own) = model.model_fields[name], _read_annotation(annotation)
    if own.json_schema_extra and own.json_schema_extra == field.json_schema_extra and field.metadata != own.metadata:
        remedy = "add must('be ...') to the field with all constraints"
        message = f"{name}: the error message would not name each constraint; {remedy}"
        raise make_author_error(message, locate_field(model, name))


def _list_metadata(field: FieldInfo) -> Iterator[object]:
    """Yield the constraints of a field and of its items."""
    yield from field.metadata
    for argument in get_args(field.annotation) if get_origin(field.annotation) is not Literal else ():
        yield from _list_metadata(FieldInfo.from_annotation(argument))


def must(requirement: str) -> dict[str, Any]:
    """Return the requirement for the error message: `Field(pattern=…, json_schema_extra=must("…"))`."""
    return {"must": requirement}


@dataclass(frozen=True)
class Variable:
    """One Terraform variable. `default` is `...` if the caller must set a value."""

    name: str
    type: str
    description: str
    nullable: bool
    default: Any
    validations: tuple[tuple[str, str], ...]  # (condition, message)

    @property
    def required(self) -> bool:
        return self.default is ...

    def build_body(self) -> dict[str, Any]:
        """Return the variable in Terraform's JSON syntax."""
        body: dict[str, Any] = {"description": self.description, "type": self.type, "nullable": self.nullable}
        if not self.required:
            body["default"] = self.default
        if self.validations:
            body["validation"] = [
                {"condition": f"${{{condition}}}", "error_message": message} for condition, message in self.validations
            ]
        return body

    def render_hcl(self) -> str:
        """Return the variable as an HCL block: description, type, default, nullable, validation."""
        lines = [f"description = {hcl.render_expression(self.description)}", f"type = {self.type}"]
        if not self.required:
            lines.append(f"default = {hcl.render_expression(self.default)}")
        if not self.nullable:
            lines.append("nullable = false")
        parts = ["\n".join(lines) + "\n"]
        for condition, message in self.validations:
            parts.append(f"validation {{\ncondition = {condition}\nerror_message = {hcl.render_string(message)}\n}}\n")
        return f'variable "{self.name}" {{\n' + "\n".join(parts) + "}\n"


def list_variables(model: type[BaseModel]) -> list[Variable]:
    """Return the Terraform variables of a model of inputs, sorted by name."""
    return [_build_variable(model, name, field) for name, field in sorted(model.model_fields.items())]


def _build_variable(model: type[BaseModel], name: str, field: FieldInfo) -> Variable:
    if not (field.description or "").endswith("."):
        problem = f"input {name}: the description must be a sentence that ends with a period"
        raise make_author_error(problem, locate_field(model, name))
    try:
        kind = render_hcl_type(field.annotation)
    except TypeError as error:
        raise make_author_error(f"input {name}: {error}", locate_field(model, name)) from None
    annotation, nullable, constrained_field = _read_optional(field)
    default = ... if field.is_required() else _render_default(field)
    null_checks = list(_list_null_checks(f"var.{name}", name, annotation, 0))
    nested = _list_nested_validations(f"var.{name}", name, annotation, 0)
    # A null check reports a null. Other conditions ignore it, because their errors would name a function and no input.
    checks = [
        *null_checks,
        *_build_constraint_validation(f"var.{name}", name, constrained_field, annotation),
        *((_ignore_error(condition) if null_checks else condition, message) for condition, message in nested),
    ]
    if nullable:
        checks = [(f"var.{name} == null ? true : {condition}", message) for condition, message in checks]
    ruled = list_validations(name, field.annotation, model, input_expressions(model))
    checks += [(render(condition), message) for condition, message in ruled]
    return Variable(name, kind, field.description or "", nullable, default, tuple(checks))


def _render_default(field: FieldInfo) -> Any:
    value = field.get_default(call_default_factory=True)
    return value.model_dump(mode="json", exclude_defaults=True) if isinstance(value, BaseModel) else value


def _split_optional(annotation: Any) -> tuple[Any, bool]:
    """Return an annotation without `| None`, and True if it had one."""
    if get_origin(annotation) in (Union, UnionType):
        inner = [item for item in get_args(annotation) if item is not NoneType]
        if len(inner) != 1:
            raise TypeError(f"Terraform has no type for {annotation}")
        return inner[0], True
    return annotation, False


def _read_optional(field: FieldInfo) -> tuple[Any, bool, FieldInfo]:
    """Return the type of a field without `| None`, whether it had one, and the field with the constraints.

    In `Region | None`, `Region` has constraints, and the field can have others.
    """
    annotation, nullable = _split_optional(field.annotation)
    if get_origin(annotation) is Annotated:
        others = field.metadata
        annotation, field = _read_annotation(annotation)
        if others:
            field.json_schema_extra = must(_describe_requirement(field, annotation, others))
            field.metadata = [*field.metadata, *others]
    return annotation, nullable, field


def _read_annotation(annotation: Any) -> tuple[Any, FieldInfo]:
    """Return the type and the merged constraints of an annotation such as `Annotated[str, Field(...)]`."""
    field = FieldInfo.from_annotation(annotation)
    return field.annotation, field


def render_hcl_type(annotation: Any) -> str:
    """Return the Terraform type constraint of a Python annotation. Raises TypeError if there is none."""
    annotation, _, _ = _read_optional(FieldInfo.from_annotation(annotation))
    if annotation in _SCALARS:
        return _SCALARS[annotation]
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return _SCALARS[type(arguments[0])]
    if origin in (list, set, dict):
        container = {list: "list", set: "set", dict: "map"}[origin]
        return f"{container}({render_hcl_type(arguments[-1])})"
    if isinstance(annotation, type) and issubclass(annotation, NumberMap):
        return "map(number)"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        lines = (f"{name} = {_render_attribute_type(field)}" for name, field in annotation.model_fields.items())
        return "object({\n" + "\n".join(lines) + "\n})"
    raise TypeError(f"Terraform has no type for {annotation}")


def _render_attribute_type(field: FieldInfo) -> str:
    kind = render_hcl_type(field.annotation)
    if field.is_required():
        return kind
    default = _render_default(field)
    return f"optional({kind})" if default is None else f"optional({kind}, {hcl.render_expression(default)})"


def _build_constraint_validation(value: str, label: str, field: FieldInfo, annotation: Any) -> list[tuple[str, str]]:
    """Return one validation of all constraints of a field, with one message."""
    constraints = _list_constraints(field, annotation)
    conditions = [condition for item in constraints for condition, _ in _list_conditions(value, item)]
    if not conditions:
        return []
    return [(" && ".join(conditions), f"{label} must {_describe_requirement(field, annotation)}.")]


def _list_constraints(field: FieldInfo, annotation: Any) -> list[object]:
    literal = [OneOf(get_args(annotation))] if get_origin(annotation) is Literal else []
    return [*literal, *field.metadata]


def _describe_requirement(field: FieldInfo, annotation: Any, others: Iterable[object] = ()) -> str:
    """Return the words of `must`, or those of all constraints, and then those of other constraints."""
    extra, constraints = field.json_schema_extra, _list_constraints(field, annotation)
    words = [str(extra["must"])] if isinstance(extra, dict) and "must" in extra else []
    described = [*([] if words else constraints), *others]
    return " and ".join([*words, *(word for item in described for _, word in _list_conditions("", item))])


def _list_conditions(value: str, item: object) -> Iterator[tuple[str, str]]:
    if isinstance(item, OneOf):
        choices = ", ".join(map(json.dumps, item.choices))
        yield f"contains([{choices}], {value})", f"be one of {choices}"
    for attribute, operator, word in (("ge", ">=", "at least"), ("le", "<=", "at most")):
        bound = getattr(item, attribute, None)
        if bound is not None:
            yield f"{value} {operator} {bound}", f"be {word} {bound}"
    if isinstance(item, annotated_types.MinLen):
        yield f"length({value}) >= {item.min_length}", f"hold at least {item.min_length}"
    if isinstance(item, annotated_types.MaxLen):
        yield f"length({value}) <= {item.max_length}", f"hold at most {item.max_length}"
    pattern = getattr(item, "pattern", None)
    if pattern is not None:
        yield f"can(regex({hcl.render_string(pattern)}, {value}))", f"match {pattern}"


def _list_nested_validations(value: str, label: str, annotation: Any, depth: int) -> Iterator[tuple[str, str]]:
    """Yield the validations of the items of a map or list, or of the attributes of an object."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (list, set, dict):
        name = "item" if depth == 0 else f"item{depth + 1}"
        inner, field = _read_annotation(arguments[-1])
        inner, nullable = _split_optional(inner)
        checks = [
            *_build_constraint_validation(name, f"each of {label}", field, inner),
            *_list_nested_validations(name, label, inner, depth + 1),
        ]
        for condition, message in checks:
            safe = f"{name} == null ? true : {condition}" if nullable else condition
            yield f"alltrue([for {name} in {value} : {safe}])", message
        if origin is dict:
            key, key_field = _read_annotation(arguments[0])
            for condition, message in _build_constraint_validation("key", f"each key of {label}", key_field, key):
                yield f"alltrue([for key in keys({value}) : {condition}])", message
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        numbers = get_number_defaults(annotation)
        if numbers:
            yield _validate_declared_keys(value, label, numbers)
        for name, field in annotation.model_fields.items():
            inner, nullable, constrained_field = _read_optional(field)
            path = f'lookup({value}, "{name}", {numbers[name]})' if numbers else f"{value}.{name}"
            checks = [
                *_build_constraint_validation(path, f"{label}: {name}", constrained_field, inner),
                *_list_nested_validations(path, f"{label}: {name}", inner, depth),
            ]
            for condition, message in checks:
                yield (f"{path} == null ? true : {condition}" if nullable else condition), message


def _list_null_checks(value: str, label: str, annotation: Any, depth: int) -> Iterator[tuple[str, str]]:
    """Yield the validations that objects and required attributes are not null, because Terraform accepts null."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (list, set, dict):
        inner, nullable = _split_optional(_read_annotation(arguments[-1])[0])
        if nullable or (get_origin(inner) is None and not _is_object(inner)):
            return
        item = "item" if depth == 0 else f"item{depth + 1}"
        yield f"alltrue([for {item} in {value} : {item} != null])", f"each of {label} must not be null."
        for condition, message in _list_null_checks(item, label, inner, depth + 1):
            yield f"alltrue([for {item} in {value} : {item} == null ? true : {condition}])", message
    elif _is_object(annotation):
        if issubclass(annotation, NumberMap):
            yield f"alltrue([for item in {value} : item != null])", f"{label}: a value must not be null; omit it."
            return
        required = [
            name
            for name, field in annotation.model_fields.items()
            # A pattern does not match null.
            if field.is_required() and not any(getattr(item, "pattern", None) for item in field.metadata)
        ]
        if required:
            condition = " && ".join(f"{value}.{name} != null" for name in required)
            yield condition, f"{label}: {' and '.join(', '.join(required).rsplit(', ', 1))} must not be null."
        for name, field in annotation.model_fields.items():
            inner, nullable = _split_optional(field.annotation)
            path = f"{value}.{name}"
            for condition, message in _list_null_checks(path, f"{label}: {name}", inner, depth):
                yield f"{path} == null ? true : {condition}", message


def _ignore_error(condition: str) -> str:
    """Return a condition that is true if the original raises an error. A null check reports the null behind it."""
    return condition if condition.startswith("can(") else f"try({condition}, true)"


def _is_object(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _validate_declared_keys(value: str, label: str, known: Iterable[str]) -> tuple[str, str]:
    unknown = f"setsubtract(keys({value}), {hcl.render_expression(sorted(known))})".replace("\n", " ").replace(
        ", ]", "]"
    )
    message = f'{label}: unknown: ${{join(", ", {unknown})}}; known: {", ".join(sorted(known))}.'
    return f"length({unknown}) == 0", message


def render_table(model: type[BaseModel]) -> str:
    """Return the table of inputs for the README."""
    rows = ["| name | description | type | default | allowed values |", "|---|---|---|---|---|"]
    for variable in list_variables(model):
        kind = " ".join(variable.type.split()) if len(variable.type) < 60 else f"{variable.type.split('(')[0]}(…)"
        if variable.type.startswith(("map(object", "object")):
            kind = "map of objects" if variable.type.startswith("map") else "object"
        default = "required" if variable.required else f"`{json.dumps(variable.default)}`"
        name = f"**{variable.name}**" if variable.required else variable.name
        field = model.model_fields[variable.name]
        rows.append(f"| {name} | {variable.description} | {kind} | {default} | {_describe_allowed_values(field)} |")
        rows += _list_attribute_rows(field.annotation, variable.name)
    return "\n".join(rows) + "\n"


def _list_attribute_rows(annotation: Any, path: str) -> list[str]:
    """Return the rows for the attributes of an object or of a map of objects."""
    annotation, _ = _split_optional(annotation)
    if get_origin(annotation) in (dict, list):
        mark = '["…"]' if get_origin(annotation) is dict else "[*]"
        return _list_attribute_rows(_read_annotation(get_args(annotation)[-1])[0], f"{path}{mark}")
    if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
        return []
    rows = []
    for name, field in annotation.model_fields.items():
        inner, _ = _split_optional(field.annotation)
        nested = _list_attribute_rows(inner, f"{path}.{name}")
        kind = "object" if nested else render_hcl_type(inner)
        default = "required" if field.is_required() else f"`{json.dumps(_render_default(field))}`"
        cells = (
            f"&nbsp;&nbsp;`{path}.{name}`",
            field.description or "",
            kind,
            default,
            _describe_allowed_values(field),
        )
        rows += [f"| {' | '.join(cells)} |", *nested]
    return rows


def _describe_allowed_values(field: FieldInfo) -> str:
    """Return the constraints of a field, and of the keys and items in it, for a cell of the table."""
    annotation, _, field = _read_optional(field)
    text = _describe_constraints(field, annotation)
    parts = [text] if text else []
    if get_origin(annotation) in (list, set, dict):
        kinds = ("key", "value") if get_origin(annotation) is dict else ("item",)
        for kind, argument in zip(kinds, get_args(annotation), strict=True):
            text = _describe_allowed_values(FieldInfo.from_annotation(argument))
            parts += [f"each {kind}: {text}"] if text else []
    return "; ".join(parts).replace("|", "\\|")


def _describe_constraints(field: FieldInfo, annotation: Any) -> str:
    """Return the constraints of a field as a noun phrase, or an empty string."""
    bounds: dict[str, Any] = {}
    others = []
    for item in field.metadata:
        item_bounds = {name: getattr(item, name) for name in _BOUNDS if getattr(item, name, None) is not None}
        bounds |= item_bounds
        others += [] if item_bounds else [item]
    if not bounds or field.json_schema_extra:
        validations = _build_constraint_validation("", "", field, annotation)
        return "".join(
            message.removeprefix(" must ").removeprefix("be ").removesuffix(".") for _, message in validations
        )
    unit = "character" if annotation is str else "item"
    phrases = (
        *(word for item in others for _, word in _list_conditions("", item)),
        _describe_range(bounds.get("ge"), bounds.get("le"), ""),
        _describe_range(bounds.get("min_length"), bounds.get("max_length"), unit),
    )
    return " and ".join(filter(None, phrases))


def _describe_range(lowest: float | None, highest: float | None, unit: str) -> str:
    """Return a range such as `1 to 10 items`, or an empty string without bounds."""
    if lowest is None and highest is None:
        return ""
    last = lowest if highest is None else highest
    if lowest is None:
        text = f"at most {highest}"
    elif highest is None:
        text = f"at least {lowest}"
    else:
        text = f"{lowest} to {highest}"
    return f"{text} {pluralize(unit, last)}" if unit else text
