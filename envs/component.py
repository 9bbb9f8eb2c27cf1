"""What an environment is made of, one component a concern: the settings it needs, what it adds, what it publishes.

Nothing here or in a component's file imports cdktn until resources are added, so that settings are read at once.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, cast, get_args

from pydantic import BaseModel, create_model
from pydantic.fields import FieldInfo

from envs.common import Common
from envs.names import Name
from modules.needs import Needs
from sustainable_mlops.authoring import ModuleInputs
from sustainable_mlops.authoring.expressions.scopes import inputs
from sustainable_mlops.authoring.rules import Rule, rules_of
from sustainable_mlops.errors import UserError

if TYPE_CHECKING:
    from envs.root import Environment
    from sustainable_mlops.authoring.resources import Outputs

S = TypeVar("S", bound=Common)
M = TypeVar("M", bound=ModuleInputs)


class Component(Generic[S]):
    """Base of every component: `class Storage(Component[StorageSettings])`, with handles for those that come later."""

    #: The model of the settings that it reads, taken from `Component[…]`; settings.yaml has the fields of all.
    settings_model: ClassVar[type[Common]] = Common

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        for base in getattr(cls, "__orig_bases__", ()):
            for argument in get_args(base):
                if isinstance(argument, type):
                    cls.settings_model = argument

    def __init__(self, settings: S) -> None:
        self.settings = settings

    def problems(self) -> Iterator[str]:
        """What of valid settings cannot be, each in one line that begins with the field."""
        yield from ()

    def names(self) -> Iterator[Name]:
        """Every name of what it adds that has to be unique in the account and Region."""
        yield from ()

    def needs(self, env: "Environment") -> Needs:  # noqa: ARG002
        """What it needs of the phases' roles, said before these are made and so before it is added itself."""
        return {}

    def add(self, env: "Environment") -> None:
        """Add it to the root module; `env[Storage]` is the component that was added before."""
        raise NotImplementedError

    def publishes(self) -> Mapping[str, Any]:
        """What launchers need to know of it, once it is added: fields of the `platform` parameter."""
        return {}

    def outputs(self) -> "Outputs":
        """Its outputs of the root module, once it is added."""
        return {}


def given(settings: ModuleInputs, of: type[BaseModel] | None = None) -> dict[str, Any]:
    """Only what settings.yaml says (of the fields of `of`): the modules' own defaults stay theirs."""
    return settings.model_dump(exclude_unset=True, include=None if of is None else set(of.model_fields))


def options(of: type[ModuleInputs], but: Iterable[str]) -> Callable[[type[M]], type[M]]:
    """Make a model of a module's inputs `of`, but those that the environment gives, with the rules on the others."""

    def decorate(cls: type[M]) -> type[M]:
        fields: dict[str, Any] = {
            name: (field.annotation, field) for name, field in of.model_fields.items() if name not in set(but)
        }
        made = create_model(cls.__name__, __base__=cls, __module__=cls.__module__, __doc__=cls.__doc__, **fields)
        made.rules = tuple(rule for rule in rules_of(of) if _is_on(rule, made))
        return made

    return decorate


def _is_on(rule: Rule, model: type[BaseModel]) -> bool:
    """Whether a rule compares only what the model has; Terraform holds the others."""
    try:
        value = inputs(model, "v")
        rule.condition(value)
        rule.told(value)
    except UserError:
        return False
    return rule.field in model.model_fields


def composed(components: Sequence[type[Component[Any]]]) -> Callable[[type[M]], type[M]]:
    """Make a model with the fields of the components' settings too.

    Where several declare a map under one name, such as `models`, what is in it has the fields of all.
    """

    def decorate(cls: type[M]) -> type[M]:
        parts = list(dict.fromkeys(component.settings_model for component in components))
        declared: dict[str, list[FieldInfo]] = {}
        for part in parts:
            for name, field in part.model_fields.items():
                if name not in Common.model_fields:
                    declared.setdefault(name, []).append(field)
        fields: dict[str, Any] = {name: (_annotation(name, all_), all_[0]) for name, all_ in declared.items()}
        bases: Any = (cls, *(part for part in parts if part is not Common))
        made: Any = create_model(cls.__name__, __base__=bases, __module__=cls.__module__, __doc__=cls.__doc__, **fields)
        return cast(type[M], made)

    return decorate


def _annotation(name: str, declared: Sequence[FieldInfo]) -> Any:
    """The type of a field that components declare; of maps of models, a map of what has all fields."""
    if len(declared) == 1:
        return declared[0].annotation
    key = get_args(declared[0].annotation)[0]
    bases = tuple(get_args(field.annotation)[1] for field in declared)
    item: Any = create_model(name.removesuffix("s").capitalize(), __base__=bases)
    return dict[key, item]  # type: ignore[valid-type]
