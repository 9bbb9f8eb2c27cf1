"""Step Functions: moto runs state machines only with a setting, in the default account, and lacks SageMaker's tasks.

The setting is on here. Tasks call the sandbox in the account of the state machine's role.
"""

import sys
import uuid
from typing import Any

from moto import stepfunctions
from moto.core.exceptions import AWSError
from moto.stepfunctions import responses, urls
from moto.stepfunctions.parser import api
from moto.stepfunctions.parser import models as parser_models
from moto.stepfunctions.parser.api import ExecutionStatus
from moto.stepfunctions.parser.asl.component.state.exec.state_task import state_task_factory
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import state_task_service_factory
from moto.stepfunctions.parser.asl.utils import boto_client
from moto.stepfunctions.parser.backend.execution import Execution

from sagemaker_sandbox.services.stepfunctions.clients import create_client
from sagemaker_sandbox.services.stepfunctions.sagemaker_task import SageMakerTask


def apply() -> None:
    """Run state machines, and replace the clients of their tasks."""
    backends: Any = parser_models.stepfunctions_parser_backends
    stepfunctions.stepfunctions_backends = backends  # the sandbox saves and lists these
    parser_models.StepFunctionsParserBackend._url_module = urls  # moto expects it beside the class
    responses.get_backend = lambda account, region: backends[account][region]
    find_service = state_task_service_factory.state_task_service_for
    state_task_factory.state_task_service_for = lambda service_name: (
        SageMakerTask() if service_name == "sagemaker" else find_service(service_name)
    )
    create_moto_client: Any = boto_client.boto_client_for
    for name, module in list(sys.modules.items()):  # each module imported the function by its name
        if name.startswith("moto.stepfunctions.") and getattr(module, "boto_client_for", None) is create_moto_client:
            module.boto_client_for = create_client  # type: ignore[attr-defined]  # the condition has tested it
    for error in vars(api).values():
        if isinstance(error, type) and issubclass(error, AWSError) and isinstance(vars(error).get("code"), str):
            # moto sends errors of the interpreter without a code.
            error.TYPE = vars(error)["code"]  # type: ignore[attr-defined]
    _set_execution_names()
    _make_executions_storable()


def _set_execution_names() -> None:
    """Give an execution a name if the request has none. moto names each of them `None`, and refuses the second one."""
    start_execution = parser_models.StepFunctionsParserBackend.start_execution

    def start_named_execution(
        self: Any, state_machine_arn: str, name: str | None = None, *more: Any, **rest: Any
    ) -> Any:
        return start_execution(self, state_machine_arn, name or str(uuid.uuid4()), *more, **rest)

    parser_models.StepFunctionsParserBackend.start_execution = start_named_execution


def _make_executions_storable() -> None:
    """Leave the thread of an execution out of the saved state. An execution that ran is ABORTED after a restart."""
    get_history = Execution.to_history_output

    def get_state(self: Any) -> dict[str, Any]:
        state = dict(vars(self)) | {"exec_worker": None, "_cloud_watch_logging_session": None}
        if self.exec_status == ExecutionStatus.RUNNING:
            state["exec_status"] = ExecutionStatus.ABORTED
        return state | {"saved_history": self.to_history_output()}

    def to_history_output(self: Any) -> Any:
        return self.saved_history if self.exec_worker is None else get_history(self)

    Execution.__getstate__ = get_state
    Execution.to_history_output = to_history_output
