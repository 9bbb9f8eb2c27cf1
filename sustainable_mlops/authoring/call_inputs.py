"""The inputs of a module as a call of it gives them, for functions that are written of a module's `var`."""

from collections.abc import Mapping
from typing import Any, TypeVar, get_args, get_origin

from pydantic import BaseModel

from sustainable_mlops.authoring.author_errors import author_error
from sustainable_mlops.authoring.expressions.types import strip_annotation
from sustainable_mlops.errors import did_you_mean

Model = TypeVar("Model", bound=BaseModel)


def bind_inputs(model: type[Model], **values: Any) -> Model:
    """Inputs as a call gives them, values and expressions, with the defaults of what it leaves out.

    What has no default, such as the role, may be left out too where no statement reads it. Raises UserError on a name
    that the model does not have; and so does whoever reads what is left out.
    """
    for name in values.keys() - model.model_fields.keys():
        raise author_error(f"{model.__module__} has no input '{name}'{did_you_mean(name, model.model_fields)}")
    return model.model_construct(
        None, **{name: _bind_value(model.model_fields[name].annotation, value) for name, value in values.items()}
    )


def _bind_value(annotation: Any, value: Any) -> Any:
    """A mapping as the model, or the map or list of models, that the annotation says."""
    type_ = strip_annotation(annotation)
    if isinstance(value, Mapping) and get_origin(type_) is dict:
        return {key: _bind_value(get_args(type_)[1], item) for key, item in value.items()}
    if isinstance(value, list) and get_origin(type_) is list:
        return [_bind_value(get_args(type_)[0], item) for item in value]
    if isinstance(value, Mapping) and isinstance(type_, type) and issubclass(type_, BaseModel):
        return bind_inputs(type_, **value)
    return value
