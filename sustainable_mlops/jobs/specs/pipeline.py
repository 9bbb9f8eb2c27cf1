"""The file of a pipeline, `pipeline.yaml`: the jobs of a workload as the steps of one pipeline."""

from typing import Annotated, Literal

from pydantic import Discriminator, Field, StringConstraints, Tag

from sustainable_mlops.base.settings import Settings
from sustainable_mlops.jobs.platform import InlinePlatform
from sustainable_mlops.jobs.specs.common import InstanceType, Name, ParameterName, Scalar, Text, tag_platform

StepKey = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
#: Name of a pipeline parameter, with the pattern of SageMaker's PipelineParameterName.
Parameter = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9\-_]{1,256}$")]


class MetricGate(Settings):
    """The metric that a new model is compared by with the model that was approved last."""

    metric: Text = Field(description="Key of the metric in a model package's CustomerMetadataProperties.")
    goal: Literal["maximize", "minimize"] = Field(
        description="maximize if a greater value is better, minimize if a smaller one is."
    )
    parameter: Parameter = Field(
        description="Parameter of the definition that receives the approved model's value at each start."
    )


class PipelineSpec(Settings):
    """A pipeline of a workload."""

    name: Name = Field(description="Letters, digits, single hyphens. The workload, and the end of the pipeline's name.")
    platform: Annotated[
        Annotated[ParameterName, Tag("<parameter>")] | Annotated[InlinePlatform, Tag("<inline>")],
        Discriminator(tag_platform),
    ] = Field(description="SSM parameter that an environment publishes, or the same document written here.")
    definition: Text = Field("pipeline.json", description="The definition, beside this file; its builder writes it.")
    builder: Text = Field("pipeline.py", description="Script that writes the definition, beside this file.")
    steps: dict[StepKey, Text] = Field(min_length=1, description="Job file of each step, beside this file.")
    instance_types: list[InstanceType] = Field(
        min_length=1, description="Instance types an execution may choose; a step's default is its job file's type."
    )
    raw: str = Field(
        pattern=r"^[^/\s][^\s]*/$",
        description="Prefix in the data bucket, ending with a slash. Each data set has a folder below it.",
    )
    gate: MetricGate | None = Field(
        None, description="Comparison with the model that was approved last; no comparison if absent."
    )
    parameters: dict[Parameter, Scalar] = Field(
        {}, description="Parameters of each start, replacing the definition's defaults; --set has priority."
    )
