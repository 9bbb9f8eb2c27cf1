"""What endpoints on instances have in common, whatever their callers wait for."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, ClassVar

from envs.component import S
from envs.components.model_endpoints import ModelEndpoints
from envs.names import cut, joined
from modules.endpoints import hardware
from modules.needs import Needs, combined
from sustainable_mlops.authoring import ModuleInputs, called

if TYPE_CHECKING:
    from envs.root import Environment


class OnInstances(ModelEndpoints[S]):
    """Endpoints of one kind."""

    #: What tells their names from those of a model's other endpoints.
    ending: ClassVar[str]
    #: The inputs of their module, and what it needs of its role.
    inputs: ClassVar[type[ModuleInputs]]
    statements: ClassVar[Callable[[Any], Needs]]

    def name(self, key: str) -> str:
        return cut("endpoint", joined(self.settings.name_prefix, key, self.ending))

    def problems(self) -> Iterator[str]:
        region = self.settings.region
        for key, said in self.asked().items():
            kind: str = getattr(said, "instance_type")  # noqa: B009  every module on instances has it
            if hardware.is_lacking(kind, region):
                yield (
                    f"models.{key}.{self.module}.instance_type: {region} has no {kind}; use another type, or another "
                    "Region"
                )

    def wired(self, env: "Environment") -> dict[str, Any]:
        return super().wired(env) | self.settings.located

    def needs(self, env: "Environment") -> Needs:
        return combined(
            *(
                type(self).statements(
                    called(self.inputs, **self.wired(env), **self.said(env, said), name=self.name(key))
                )
                for key, said in self.asked().items()
            )
        )
