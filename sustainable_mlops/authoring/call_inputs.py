"""Inputs of one module call, for functions that take a module's `var`."""

from collections.abc import Mapping
from typing import Any, TypeVar, get_args, get_origin

from pydantic import BaseModel

from sustainable_mlops.authoring.author_errors import make_author_error
from sustainable_mlops.authoring.expressions.types import strip_annotation
from sustainable_mlops.base.errors import did_you_mean

Model = TypeVar("Model", bound=BaseModel)


def bind_inputs(model: type[Model], **values: Any) -> Model:
    """Return the inputs of a module call: its values and expressions, with defaults for the rest.

    The call may omit an input without a default, such as the role, if nothing reads it. Raises UserError for an
    unknown name. A later read of an omitted input raises UserError too.
    """
    for name in values.keys() - model.model_fields.keys():
        raise make_author_error(f"{model.__module__} has no input '{name}'{did_you_mean(name, model.model_fields)}")
    return model.model_construct(
        None, **{name: _bind_value(model.model_fields[name].annotation, value) for name, value in values.items()}
    )


def _bind_value(annotation: Any, value: Any) -> Any:
    """Convert mappings to the models that the annotation declares."""
    type_ = strip_annotation(annotation)
    if isinstance(value, Mapping) and get_origin(type_) is dict:
        return {key: _bind_value(get_args(type_)[1], item) for key, item in value.items()}
    if isinstance(value, list) and get_origin(type_) is list:
        return [_bind_value(get_args(type_)[0], item) for item in value]
    if isinstance(value, Mapping) and isinstance(type_, type) and issubclass(type_, BaseModel):
        return bind_inputs(type_, **value)
    return value
