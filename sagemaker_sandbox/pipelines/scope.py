"""Values that a step's expressions read while an execution runs."""

import json
from collections.abc import Mapping
from typing import Any

from sagemaker_sandbox.pipelines import paths
from sagemaker_sandbox.pipelines.definition import PlacedStep
from sagemaker_sandbox.pipelines.execution import PipelineExecution, now
from sagemaker_sandbox.pipelines.nodes import Node
from sagemaker_sandbox.pipelines.services import ExecutionServices, StepError


class StepScope:
    """The scope of one step or, without a node, of the pipeline itself. `job` is the name of the step's job."""

    def __init__(
        self,
        execution: PipelineExecution,
        steps: Mapping[str, PlacedStep],
        services: ExecutionServices,
        node: Node | None = None,
        job: str | None = None,
    ) -> None:
        self._execution, self._steps, self._services, self._node, self._job = execution, steps, services, node, job

    def get(self, path: str) -> Any:
        """Return the value at a path. Raises LookupError."""
        root, name, *rest = paths.parse_path(path)
        value = self._find_root(str(root), str(name))
        return paths.walk(_parse_item(value) if root == "ForEach" and rest else value, rest)

    def _find_root(self, root: str, name: str) -> Any:
        execution = self._execution
        if root == "Steps":
            return self._list_properties(name)
        if root == "ForEach" and self._node is not None:
            return self._node.item
        return {
            "Parameters": execution.parameters,
            "PipelineExperimentConfig": execution.experiment or {},
            "MlflowConfig": execution.mlflow,
            "Execution": {
                "StartDateTime": execution.created.isoformat(),
                "CurrentDateTime": now().isoformat(),
                "PipelineName": execution.pipeline_name,
                "PipelineArn": execution.pipeline_arn,
                "PipelineExecutionId": execution.id,
                "PipelineExecutionArn": execution.arn,
                "TrainingJobName": self._job,
                "ProcessingJobName": self._job,
            },
        }[root][name]

    def _list_properties(self, name: str) -> Any:
        local = self._node.find_local_name(name) if self._node is not None else name
        return self._execution.records[local].properties

    def find_property_file(self, path: str) -> str:
        """Return the S3 address of a step's property file. Raises LookupError."""
        _, name, _, file_name = (str(part) for part in paths.parse_path(path))
        files = {file.property_file_name: file for file in self._steps[name].step.property_files}
        file = files[file_name]
        location = ["ProcessingOutputConfig", "Outputs", file.output_name, "S3Output", "S3Uri"]
        return f"{paths.walk(self._list_properties(name), [*location])}/{file.file_path}".replace("//", "/").replace(
            ":/", "://"
        )

    def read_json(self, uri: str) -> Any:
        """Return the document at an S3 address. Raises StepError, and always for the pipeline itself."""
        if self._node is None:  # the caller holds the Region's lock, which S3 may need
            raise StepError(f"ClientError: Std:JsonGet cannot read {uri} for a pipeline's own settings.")
        return self._services.read_json(uri)


def _parse_item(item: Any) -> Any:
    """Return the object of an item that is a JSON text, or the item itself."""
    if isinstance(item, str) and item.lstrip().startswith("{"):
        try:
            return json.loads(item)
        except ValueError:
            return item
    return item
