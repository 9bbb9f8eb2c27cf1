"""What an environment is made of, one component a concern: the settings it needs, what it adds, what it publishes.

Nothing here or in a component's file imports cdktn until resources are added, so that settings are read at once.
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
    """Base of every component: `class Storage(Component[StorageSettings])`, with handles for those that come later."""

    #: The model of the settings that it reads, taken from `Component[…]`; settings.yaml has the fields of all.
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
        """What of valid settings cannot be, each in one line that begins with the field."""
        yield from ()

    def list_names(self) -> Iterator[EnvironmentName]:
        """Every name of what it adds that has to be unique in the account and Region."""
        yield from ()

    def list_log_groups(self) -> Iterator[ManagedLogGroup]:
        """Yield the log groups that it adds, so that the environment can adopt existing ones."""
        yield from ()

    def iam_statements(self, env: "Environment") -> StatementsByPhase:  # noqa: ARG002
        """What it needs of the phases' roles, said before these are made and so before it is added itself."""
        return {}

    def add(self, env: "Environment") -> None:  # noqa: ARG002
        """Add it to the root module; `env[Storage]` is the component that was added before."""
        raise author_error(f"{type(self).__name__} has no add(env)", location_of(type(self)))

    def platform_fields(self) -> Mapping[str, Any]:
        """What launchers need to know of it, once it is added: fields of the `platform` parameter."""
        return {}

    def large_fields(self) -> Mapping[str, Any]:
        """Return fields of the output `platform` that are too large for the parameter, once it is added."""
        return {}

    def outputs(self) -> "Outputs":
        """Its outputs of the root module, once it is added."""
        return {}


def explicit_settings(settings: ModuleInputs, fields_of: type[BaseModel] | None = None) -> dict[str, Any]:
    """Only what settings.yaml says (of the fields of `of`): the modules' own defaults stay theirs."""
    return settings.model_dump(exclude_unset=True, include=None if fields_of is None else set(fields_of.model_fields))


def module_options(inputs_model: type[ModuleInputs], excluded: Iterable[str]) -> Callable[[type[M]], type[M]]:
    """Make a model of a module's inputs `of`, but those that the environment gives, with the rules on the others.

    Raises UserError on one that the module does not have.
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
    """Whether a rule compares only what the model has; Terraform holds the others."""
    try:
        value = input_expressions(model, "v")
        rule.condition(value)
        rule.message_for(value)
    except UserError:
        return False
    return rule.field in model.model_fields


def compose_settings(components: Sequence[type[Component[Any]]]) -> Callable[[type[M]], type[M]]:
    """Make a model with the fields of the components' settings too.

    Where several declare a map under one name, such as `models`, what is in it has the fields of all. Raises UserError
    where several declare anything else under one name.
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
    """The type of a field that components declare; of maps of models, a map of what has all fields."""
    annotations = [field.annotation for field in declared.values()]
    if all(annotation == annotations[0] for annotation in annotations):
        return annotations[0]
    if not all(get_origin(annotation) is dict for annotation in annotations):
        *_, first, last = declared
        raise author_error(
            f"{last.__name__} declares '{name}', as {first.__name__} does, and only maps are shared; name it otherwise",
            location_of_field(last, name),
        )
    key = get_args(annotations[0])[0]
    bases = tuple(get_args(annotation)[1] for annotation in annotations)
    item: Any = create_model(name.removesuffix("s").capitalize(), __base__=bases)
    return dict[key, item]  # type: ignore[valid-type]
