"""One instance of a variant: the containers of its model, in series, each a model server of this machine."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from sagemaker_sandbox.hosting.containers import InstanceContext, InstanceShape, SingleModelContainer, StartError
from sagemaker_sandbox.hosting.invocation import Invocation, InvocationResponse, MissingTargetError
from sagemaker_sandbox.hosting.multi_model import MultiModelContainer
from sagemaker_sandbox.parts.region import AccountRegion
from sagemaker_sandbox.parts.resources import Fields
from sagemaker_sandbox.parts.role_environment import build_role_environment
from sagemaker_sandbox.runtime.container_invocation import (
    ContainerRequest,
    ContainerResponse,
    InvocationTimeoutError,
    InvocationTimings,
    ModelError,
)
from sagemaker_sandbox.runtime.model_data import ModelDataCache

__all__ = ["HostingInstance", "InstanceShape", "StartError"]

_Serving = SingleModelContainer | MultiModelContainer

#: What SageMaker calls the container of a model that has one, and that of many models.
_ONLY, _MANY = "primary", "model"


class HostingInstance:
    """One instance of a variant.

    `containers` are as `sagemaker.served` has them. Instances that are given the same `data` share what was fetched.
    """

    def __init__(
        self,
        region: AccountRegion,
        name: str,
        containers: Sequence[Fields],
        folder: Path,
        shape: InstanceShape,
        data: ModelDataCache | None = None,
        *,
        variant: str = "",
    ) -> None:
        self.name = name
        self._region = region
        self._role: str | None = containers[0].get("ExecutionRoleArn")
        self._folder = folder
        self._data = data or ModelDataCache(region.client("s3"), folder / ".data")
        self._own_data = data is None
        self._direct = containers[0].get("InferenceExecutionConfig", {}).get("Mode") == "Direct"
        home = InstanceContext(variant or name.rpartition("-")[0], self._data, lambda: region.clock.now().timestamp())
        self._containers = list(self._served(containers, shape, home))

    def _served(self, containers: Sequence[Fields], shape: InstanceShape, home: InstanceContext) -> Iterator[_Serving]:
        for number, fields in enumerate(containers, start=1):
            several = len(containers) > 1
            many = fields.get("Mode") == "MultiModel"
            name = fields.get("ContainerHostname") or f"container-{number}" if several else _MANY if many else _ONLY
            folder = self._folder / name if several else self._folder / "container"
            yield (MultiModelContainer if many else SingleModelContainer)(number, name, fields, folder, shape, home)

    @property
    def pids(self) -> list[int]:
        """Processes of its workers."""
        return [pid for container in self._containers for pid in container.pids]

    @property
    def loaded_models(self) -> int:
        """How many models its multi-model containers have loaded."""
        return sum(one.loaded_models for one in self._containers if isinstance(one, MultiModelContainer))

    @property
    def logs(self) -> Mapping[str, Path]:
        """Where what its containers print is: the container's name, empty where it is the only one, to a folder."""
        several = len(self._containers) > 1
        return {container.name if several else "": container.logs for container in self._containers}

    def start(self) -> None:
        """Fetch and unpack data, load, be healthy. Raises StartError."""
        for container in self._containers:
            if self._role:
                container.environment = {**build_role_environment(self._region, self._role), **container.environment}
            container.start()
        if self._own_data:
            self._data.close()

    def reshape(self, shape: InstanceShape) -> None:
        """Have other capacity while it serves; back once what must be warm is. Raises StartError."""
        for container in self._containers:
            container.reshape(shape)

    def invoke(self, asked: Invocation) -> InvocationResponse:
        """One request. Raises ThrottledError, ModelError, NotThereError, and NotReadyError of a model being loaded."""
        containers = self._asked(asked)
        question, took = asked.build_container_request(), InvocationTimings()
        for container in containers[:-1]:
            # What the request accepts is the last one's to give: before it, each gives what it does by itself. Assumed.
            said, took = _ask(container, replace(question.with_accept("*/*"), streams=False), took)
            question = question.with_input_from(said)
        said, took = _ask(containers[-1], question, took)
        return InvocationResponse.from_container(said, took)

    def _asked(self, asked: Invocation) -> Sequence[_Serving]:
        """The containers that are to answer. Raises NotThereError."""
        if asked.target_model and not any(isinstance(one, MultiModelContainer) for one in self._containers):
            raise MissingTargetError(
                "Endpoint {endpoint} is not a multi-model endpoint and does not support target model header.",
                "TARGET_MODEL_HEADER_NOT_SUPPORTED",
            )
        if not self._direct:
            if asked.target_container:
                raise MissingTargetError(
                    "Endpoint {endpoint} does not support target container hostname header: its containers are not "
                    "invoked directly."
                )
            return self._containers
        found = [one for one in self._containers if one.name == asked.target_container]
        if not found:
            raise MissingTargetError(
                f"Endpoint {{endpoint}} has no container with hostname {asked.target_container}."
                if asked.target_container
                else "The request to endpoint {endpoint}, whose containers are invoked directly, is missing a target "
                "container hostname header."
            )
        return found

    def close(self) -> None:
        """End its workers; requests under way fail."""
        for container in self._containers:
            container.close()
        if self._own_data:
            self._data.close()


def _ask(
    container: _Serving, asked: ContainerRequest, before: InvocationTimings
) -> tuple[ContainerResponse, InvocationTimings]:
    """What a container says, and how long it took with those before it. Raises its error by its name."""
    try:
        said = container.invoke(asked)
    except InvocationTimeoutError as error:
        raise _of(container, InvocationTimeoutError(container.name), error.timings, before) from None
    except ModelError as error:
        raise _of(container, error, error.timings, before) from None
    return said, _sum(container, said.timings, before)


def _of(container: _Serving, error: ModelError, took: InvocationTimings, before: InvocationTimings) -> ModelError:
    error.container = container.name
    error.timings = _sum(container, took, before)
    return error


def _sum(container: _Serving, took: InvocationTimings, before: InvocationTimings) -> InvocationTimings:
    return replace(took, model=before.model + took.model, containers={**before.containers, container.name: took.model})
