"""Instances of a variant. Each runs the containers of its model in series, as model servers of this computer."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from sagemaker_sandbox.endpoints.hosting.containers import (
    InstanceContext,
    InstanceShape,
    SingleModelContainer,
    StartError,
)
from sagemaker_sandbox.endpoints.hosting.invocation import Invocation, InvocationResponse, MissingTargetError
from sagemaker_sandbox.endpoints.hosting.multi_model import MultiModelContainer
from sagemaker_sandbox.jobs.runtime.container_invocation import (
    ContainerRequest,
    ContainerResponse,
    InvocationTimeoutError,
    InvocationTimings,
    ModelError,
)
from sagemaker_sandbox.jobs.runtime.model_data import ModelDataCache
from sagemaker_sandbox.resources.region import AccountRegion
from sagemaker_sandbox.resources.resources import Fields
from sagemaker_sandbox.resources.role_environment import build_role_environment, create_role_client

__all__ = ["HostingInstance", "InstanceShape", "StartError"]

_ServingContainer = SingleModelContainer | MultiModelContainer

#: Names that SageMaker gives to the only container of a model, and to a multi-model container.
_SINGLE_NAME, _MULTI_MODEL_NAME = "primary", "model"


class HostingInstance:
    """One instance of a variant.

    `containers` have the format of `sagemaker.served`. Instances that receive the same `data` share the downloaded
    files.
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
        self._network: Fields | None = containers[0].get("VpcConfig")
        self._is_isolated = bool(containers[0].get("EnableNetworkIsolation"))
        self._folder = folder
        self._data = data or ModelDataCache(
            create_role_client(region, "s3", self._role, self._network), folder / ".data"
        )
        self._own_data = data is None
        self._direct = containers[0].get("InferenceExecutionConfig", {}).get("Mode") == "Direct"
        context = InstanceContext(
            variant or name.rpartition("-")[0], self._data, lambda: region.clock.now().timestamp()
        )
        self._containers = list(self._create_containers(containers, shape, context))

    def _create_containers(
        self, containers: Sequence[Fields], shape: InstanceShape, context: InstanceContext
    ) -> Iterator[_ServingContainer]:
        for number, fields in enumerate(containers, start=1):
            has_several = len(containers) > 1
            is_multi_model = fields.get("Mode") == "MultiModel"
            name = (
                fields.get("ContainerHostname") or f"container-{number}"
                if has_several
                else _MULTI_MODEL_NAME
                if is_multi_model
                else _SINGLE_NAME
            )
            folder = self._folder / name if has_several else self._folder / "container"
            yield (MultiModelContainer if is_multi_model else SingleModelContainer)(
                number, name, fields, folder, shape, context
            )

    @property
    def pids(self) -> list[int]:
        """Process IDs of the workers."""
        return [pid for container in self._containers for pid in container.pids]

    @property
    def loaded_models(self) -> int:
        """Number of models that the multi-model containers have loaded."""
        return sum(
            container.loaded_models for container in self._containers if isinstance(container, MultiModelContainer)
        )

    @property
    def logs(self) -> Mapping[str, Path]:
        """Log folder of each container by name. The name of an only container is empty."""
        has_several = len(self._containers) > 1
        return {container.name if has_several else "": container.logs for container in self._containers}

    def start(self) -> None:
        """Download data, load the models and become healthy. Raises StartError."""
        for container in self._containers:
            if self._role and not self._is_isolated:
                variables = build_role_environment(self._region, self._role, self._network)
                container.environment = {**variables, **container.environment}
            container.start()
        if self._own_data:
            self._data.close()

    def reshape(self, shape: InstanceShape) -> None:
        """Apply another capacity while the instance serves. Raises StartError.

        The call returns when the workers that must be warm are warm.
        """
        for container in self._containers:
            container.reshape(shape)

    def invoke(self, invocation: Invocation) -> InvocationResponse:
        """Send one request through the containers and return the response.

        Raises ThrottledError, ModelError, MissingTargetError, and NotReadyError while a model is being loaded.
        """
        containers = self._select_containers(invocation)
        request, timings = invocation.build_container_request(), InvocationTimings()
        for container in containers[:-1]:
            # Only the last container receives the Accept header; the others choose their own output type. Assumed.
            response, timings = _invoke_container(
                container, replace(request.with_accept("*/*"), is_streaming=False), timings
            )
            request = request.with_input_from(response)
        response, timings = _invoke_container(containers[-1], request, timings)
        return InvocationResponse.from_container(response, timings)

    def _select_containers(self, invocation: Invocation) -> Sequence[_ServingContainer]:
        """Return the containers that answer the request. Raises MissingTargetError."""
        if invocation.target_model and not any(
            isinstance(container, MultiModelContainer) for container in self._containers
        ):
            raise MissingTargetError(
                "Endpoint {endpoint} is not a multi-model endpoint and does not support target model header.",
                "TARGET_MODEL_HEADER_NOT_SUPPORTED",
            )
        if not self._direct:
            if invocation.target_container:
                raise MissingTargetError(
                    "Endpoint {endpoint} does not support target container hostname header: its containers are not "
                    "invoked directly."
                )
            return self._containers
        selected = [container for container in self._containers if container.name == invocation.target_container]
        if not selected:
            raise MissingTargetError(
                f"Endpoint {{endpoint}} has no container with hostname {invocation.target_container}."
                if invocation.target_container
                else "The request to endpoint {endpoint}, whose containers are invoked directly, is missing a target "
                "container hostname header."
            )
        return selected

    def close(self) -> None:
        """End the workers. Active requests fail."""
        for container in self._containers:
            container.close()
        if self._own_data:
            self._data.close()


def _invoke_container(
    container: _ServingContainer, request: ContainerRequest, earlier: InvocationTimings
) -> tuple[ContainerResponse, InvocationTimings]:
    """Invoke a container and return its response and the timings so far.

    Errors carry the container name.
    """
    try:
        response = container.invoke(request)
    except InvocationTimeoutError as error:
        raise _add_container(container, InvocationTimeoutError(container.name), error.timings, earlier) from None
    except ModelError as error:
        raise _add_container(container, error, error.timings, earlier) from None
    return response, _add_timings(container, response.timings, earlier)


def _add_container(
    container: _ServingContainer, error: ModelError, timings: InvocationTimings, earlier: InvocationTimings
) -> ModelError:
    error.container = container.name
    error.timings = _add_timings(container, timings, earlier)
    return error


def _add_timings(
    container: _ServingContainer, timings: InvocationTimings, earlier: InvocationTimings
) -> InvocationTimings:
    return replace(
        timings, model=earlier.model + timings.model, containers={**earlier.containers, container.name: timings.model}
    )
