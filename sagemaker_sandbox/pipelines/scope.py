"""What a step's expressions read while an execution runs."""

import json
from collections.abc import Mapping
from typing import Any

from sagemaker_sandbox.pipelines import paths
from sagemaker_sandbox.pipelines.definition import Placed
from sagemaker_sandbox.pipelines.execution import Execution, now
from sagemaker_sandbox.pipelines.nodes import Node
from sagemaker_sandbox.pipelines.outside import Outside, StepError


class StepScope:
    """The scope of one step, or with no node that of the pipeline itself. `job` is the name that its job will have."""

    def __init__(
        self,
        execution: Execution,
        steps: Mapping[str, Placed],
        outside: Outside,
        node: Node | None = None,
        job: str | None = None,
    ) -> None:
        self._execution, self._steps, self._outside, self._node, self._job = execution, steps, outside, node, job

    def get(self, path: str) -> Any:
        """The value at a path; raises LookupError."""
        root, name, *rest = paths.parts(path)
        found = self._root(str(root), str(name))
        return paths.walk(_opened(found) if root == "ForEach" and rest else found, rest)

    def _root(self, root: str, name: str) -> Any:
        execution = self._execution
        if root == "Steps":
            return self._properties(name)
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

    def _properties(self, name: str) -> Any:
        local = self._node.local(name) if self._node is not None else name
        return self._execution.records[local].properties

    def property_file(self, path: str) -> str:
        """The S3 address of a step's property file; raises LookupError."""
        _, name, _, file_name = (str(part) for part in paths.parts(path))
        files = {file.property_file_name: file for file in self._steps[name].step.property_files}
        file = files[file_name]
        where = ["ProcessingOutputConfig", "Outputs", file.output_name, "S3Output", "S3Uri"]
        return f"{paths.walk(self._properties(name), [*where])}/{file.file_path}".replace("//", "/").replace(
            ":/", "://"
        )

    def read_json(self, uri: str) -> Any:
        """The document at an S3 address; raises StepError, always so for the pipeline itself."""
        if self._node is None:  # its settings are resolved with the Region's lock held, which S3 may wait for
            raise StepError(f"ClientError: Std:JsonGet cannot read {uri} for a pipeline's own settings.")
        return self._outside.read_json(uri)


def _opened(item: Any) -> Any:
    """An item that is a JSON object in a string is entered by its members."""
    if isinstance(item, str) and item.lstrip().startswith("{"):
        try:
            return json.loads(item)
        except ValueError:
            return item
    return item
