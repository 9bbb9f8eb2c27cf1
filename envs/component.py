"""Components of an environment. Each covers one concern: its settings, its resources and its platform fields.

Neither this file nor the file of a component imports cdktn before resources are added, so that settings load quickly.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, cast, get_args, get_origin

from pydantic import BaseModel, create_model
from pydantic.fields import FieldInfo

from envs.common import CommonSettings
from envs.log_groups import ManagedLogGroup
from envs.names import EnvironmentName
from modules.iam_statements import StatementsByPhase
from sustainable_mlops.authoring import ModuleInputs
from sustainable_mlops.authoring.author_errors import author_error, current_location, location_of, location_of_field
from sustainable_mlops.authoring.expressions.scopes import input_expressions
from sustainable_mlops.authoring.rules import InputRule, list_rules
from sustainable_mlops.errors import UserError, did_you_mean

if TYPE_CHECKING:
    from envs.root import Environment
    from sustainable_mlops.authoring.resources import Outputs

S = TypeVar("S", bound=CommonSettings)
M = TypeVar("M", bound=ModuleInputs)


class Component(Generic[S]):
    """Base class of every component, for example `class Storage(Component[StorageSettings])`.

    Attributes of a component are available to the components after it.
    """

    #: Model of the settings that the component reads, taken from `Component[…]`. settings.yaml has the fields of all.
    settings_model: ClassVar[type[CommonSettings]] = CommonSettings

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        for base in getattr(cls, "__orig_bases__", ()):
            for argument in get_args(base):
                if isinstance(argument, type):
                    cls.settings_model = argument

    def __init__(self, settings: S) -> None:
        self.settings = settings

    def find_problems(self) -> Iterator[str]:
        """Yield problems of settings that are valid on their own, one line each, starting with the field."""
        yield from ()

    def list_names(self) -> Iterator[EnvironmentName]:
        """Yield the names of resources that must be unique in the account and Region."""
        yield from ()

    def list_log_groups(self) -> Iterator[ManagedLogGroup]:
        """Yield the log groups that the component adds, so that the environment can adopt existing ones."""
        yield from ()

    def iam_statements(self, env: "Environment") -> Iterator[StatementsByPhase]:  # noqa: ARG002
        """Yield the IAM statements of each module call. The environment adds the roles later."""
        yield from ()

    def add(self, env: "Environment") -> None:  # noqa: ARG002
        """Add the resources to the root module. `env[Storage]` is a component that was added before."""
        raise author_error(f"{type(self).__name__} has no add(env)", location_of(type(self)))

    def platform_fields(self) -> Mapping[str, Any]:
        """Return fields of the `platform` parameter, which launchers read. Called after `add`."""
        return {}

    def large_fields(self) -> Mapping[str, Any]:
        """Return fields of the output `platform` that are too large for the parameter. Called after `add`."""
        return {}

    def outputs(self) -> "Outputs":
        """Return outputs of the root module. Called after `add`."""
        return {}


def explicit_settings(settings: ModuleInputs, fields_of: type[BaseModel] | None = None) -> dict[str, Any]:
    """Return the values that settings.yaml sets (only fields of `fields_of`), without defaults."""
    return settings.model_dump(exclude_unset=True, include=None if fields_of is None else set(fields_of.model_fields))


def module_options(inputs_model: type[ModuleInputs], excluded: Iterable[str]) -> Callable[[type[M]], type[M]]:
    """Add the fields of a module's inputs to a model, without the `excluded` ones, with the rules on the rest.

    Raises UserError for an excluded input that the module does not have.
    """
    excluded = set(excluded)
    if unknown := sorted(excluded - set(inputs_model.model_fields)):
        raise author_error(
            f"{inputs_model.__module__} has no input "
            f"'{unknown[0]}'{did_you_mean(unknown[0], inputs_model.model_fields)}",
            current_location(skip_file=__file__),
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
    """Return True if a rule uses only fields of the model. Terraform checks the other rules."""
    try:
        value = input_expressions(model, "v")
        rule.condition(value)
        rule.message_for(value)
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
            name: (_annotation(name, all_), next(iter(all_.values()))) for name, all_ in declared.items()
        }
        bases: Any = (cls, *(part for part in parts if part is not CommonSettings))
        model: Any = create_model(
            cls.__name__, __base__=bases, __module__=cls.__module__, __doc__=cls.__doc__, **fields
        )
        return cast(type[M], model)

    return decorate


def _annotation(name: str, declared: Mapping[type[CommonSettings], FieldInfo]) -> Any:
    """Return the type of a field of several components. Maps of models become one map of a model with all fields."""
    annotations = [field.annotation for field in declared.values()]
    if all(annotation == annotations[0] for annotation in annotations):
        return annotations[0]
    if not all(get_origin(annotation) is dict for annotation in annotations):
        *_, first, last = declared
        raise author_error(
            f"{last.__name__} and {first.__name__} both declare '{name}', and only maps can be shared; rename it",
            location_of_field(last, name),
        )
    key = get_args(annotations[0])[0]
    bases = tuple(get_args(annotation)[1] for annotation in annotations)
    item: Any = create_model(name.removesuffix("s").capitalize(), __base__=bases)
    return dict[key, item]  # type: ignore[valid-type]
