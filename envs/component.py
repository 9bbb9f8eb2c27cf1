"""Components of an environment. Each covers one concern: its settings, its resources and its platform fields.

Neither this file nor the file of a component imports cdktn before resources are added, so that settings load quickly.
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, get_args

from envs.common import CommonSettings
from envs.log_groups import ManagedLogGroup
from envs.names import EnvironmentName
from modules.iam_statements import StatementsByPhase
from sustainable_mlops.authoring.author_errors import locate_definition, make_author_error

if TYPE_CHECKING:
    from envs.root import EnvironmentRoot
    from sustainable_mlops.authoring.resources import Outputs

S = TypeVar("S", bound=CommonSettings)


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

    def list_iam_statements(self, env: "EnvironmentRoot") -> Iterator[StatementsByPhase]:  # noqa: ARG002
        """Yield the IAM statements of each module call. The environment adds the roles later."""
        yield from ()

    def list_readable_bucket_arns(self) -> Iterator[str]:
        """Yield the ARNs of buckets of other accounts that jobs or endpoints read."""
        yield from ()

    def add(self, env: "EnvironmentRoot") -> None:  # noqa: ARG002
        """Add the resources to the root module. `env[Storage]` is a component that was added before."""
        raise make_author_error(f"{type(self).__name__} has no add(env)", locate_definition(type(self)))

    def list_platform_fields(self) -> Mapping[str, Any]:
        """Return fields of the `platform` parameter, which launchers read. Called after `add`."""
        return {}

    def list_large_fields(self) -> Mapping[str, Any]:
        """Return fields of the output `platform` that are too large for the parameter. Called after `add`."""
        return {}

    def list_outputs(self) -> "Outputs":
        """Return outputs of the root module. Called after `add`."""
        return {}
