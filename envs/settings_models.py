"""Models of settings, composed from the settings of components and from the inputs of modules."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar, cast, get_args, get_origin

from pydantic import BaseModel, create_model
from pydantic.fields import FieldInfo

from envs.common import CommonSettings
from envs.component import Component
from sustainable_mlops.authoring import ModuleInputs
from sustainable_mlops.authoring.author_errors import find_author_location, locate_field, make_author_error
from sustainable_mlops.authoring.expressions.scopes import input_expressions
from sustainable_mlops.authoring.rules import InputRule, list_rules
from sustainable_mlops.base.errors import UserError, did_you_mean

M = TypeVar("M", bound=ModuleInputs)


def get_explicit_settings(settings: ModuleInputs, fields_of: type[BaseModel] | None = None) -> dict[str, Any]:
    """Return the values that settings.yaml sets (only fields of `fields_of`), without defaults."""
    return settings.model_dump(exclude_unset=True, include=None if fields_of is None else set(fields_of.model_fields))


def add_module_options(inputs_model: type[ModuleInputs], excluded: Iterable[str]) -> Callable[[type[M]], type[M]]:
    """Add the fields of a module's inputs to a model, without the `excluded` ones, with the rules on the rest.

    Raises UserError for an excluded input that the module does not have.
    """
    excluded = set(excluded)
    if unknown := sorted(excluded - set(inputs_model.model_fields)):
        raise make_author_error(
            f"{inputs_model.__module__} has no input "
            f"'{unknown[0]}'{did_you_mean(unknown[0], inputs_model.model_fields)}",
            find_author_location(skip_file=__file__),
        )

    def decorate(cls: type[M]) -> type[M]:
        fields: dict[str, Any] = {
            name: (field.annotation, field) for name, field in inputs_model.model_fields.items() if name not in excluded
        }
        model = create_model(cls.__name__, __base__=cls, __module__=cls.__module__, __doc__=cls.__doc__, **fields)
        model.rules = tuple(rule for rule in list_rules(inputs_model) if _is_on(rule, model))
        return model

    return decorate


def _is_on(rule: InputRule, model: type[BaseModel]) -> bool:
    """Return whether a rule uses only fields of the model. Terraform checks the other rules."""
    try:
        value = input_expressions(model, "v")
        rule.build_condition(value)
        rule.build_message(value)
    except UserError:
        return False
    return rule.field in model.model_fields


def compose_settings(components: Sequence[type[Component[Any]]]) -> Callable[[type[M]], type[M]]:
    """Add the fields of the components' settings to a model.

    If several components declare a map with the same name, such as `models`, its items have the fields of all. Raises
    UserError if several declare something else with the same name.
    """

    def decorate(cls: type[M]) -> type[M]:
        models = dict.fromkeys(component.settings_model for component in components)
        parts = [one for one in models if not any(other is not one and issubclass(other, one) for other in models)]
        declared: dict[str, dict[type[CommonSettings], FieldInfo]] = {}
        for part in parts:
            for name, field in part.model_fields.items():
                if name not in CommonSettings.model_fields:
                    declared.setdefault(name, {})[part] = field
        fields: dict[str, Any] = {
            name: (_merge_types(name, all_), next(iter(all_.values()))) for name, all_ in declared.items()
        }
        bases: Any = (cls, *(part for part in parts if part is not CommonSettings))
        model: Any = create_model(
            cls.__name__, __base__=bases, __module__=cls.__module__, __doc__=cls.__doc__, **fields
        )
        return cast(type[M], model)

    return decorate


def _merge_types(name: str, declared: Mapping[type[CommonSettings], FieldInfo]) -> Any:
    """Return the type of a field of several components. Maps of models become one map of a model with all fields."""
    annotations = [field.annotation for field in declared.values()]
    if all(annotation == annotations[0] for annotation in annotations):
        return annotations[0]
    if not all(get_origin(annotation) is dict for annotation in annotations):
        *_, first, last = declared
        raise make_author_error(
            f"{last.__name__} and {first.__name__} both declare '{name}', and only maps can be shared; rename it",
            locate_field(last, name),
        )
    key = get_args(annotations[0])[0]
    bases = tuple(get_args(annotation)[1] for annotation in annotations)
    item: Any = create_model(name.removesuffix("s").capitalize(), __base__=bases)
    return dict[key, item]  # type: ignore[valid-type]
