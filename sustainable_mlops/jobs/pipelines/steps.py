"""Steps of a pipeline: a launcher's request, with cache and retries, and with results that later steps can read.

The SageMaker SDK assembles the definition. Its own steps take their requests from classes that upload code and call IAM
while they build a definition. Here the same code as in a launch builds the request first.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sustainable_mlops.jobs.pipelines.sdk import (
    CacheConfig,
    ConfigurableRetryStep,
    Join,
    JsonGet,
    Properties,
    PropertyFile,
    RetryPolicy,
    SageMakerJobExceptionTypeEnum,
    SageMakerJobStepRetryPolicy,
    StepExceptionTypeEnum,
    StepRetryPolicy,
    StepTypeEnum,
)
from sustainable_mlops.jobs.specs.training import ServingSpec

#: An expression of the SDK, or a literal value.
Value = Any

#: Expiry of cached results: shorter than the lifetime of step outputs (`recreatable` of the module `storage`).
CACHE = CacheConfig(enable_caching=True, expire_after="P30D")

#: Retry policy for faults of the service, which disappear within a minute.
_FAULTS = StepRetryPolicy(list(StepExceptionTypeEnum), interval_seconds=5, backoff_rate=2.0, max_attempts=5)
#: Retry policy for missing capacity, which may return within an hour, and for quotas that other jobs use up.
_CAPACITY = SageMakerJobStepRetryPolicy(
    [SageMakerJobExceptionTypeEnum.CAPACITY_ERROR, SageMakerJobExceptionTypeEnum.RESOURCE_LIMIT],
    interval_seconds=300,
    backoff_rate=1.5,
    expire_after_mins=240,
)
#: Retry policy for SageMaker's internal failure. A second failure is not a coincidence.
_INTERNAL = SageMakerJobStepRetryPolicy(
    [SageMakerJobExceptionTypeEnum.INTERNAL_ERROR], interval_seconds=30, backoff_rate=2.0, max_attempts=2
)


class RequestStep(ConfigurableRetryStep):  # type: ignore[misc] # the SDK has no types
    """A step that sends a request."""

    def __init__(
        self,
        name: str,
        kind: StepTypeEnum,
        shapes: Sequence[str],
        request: Mapping[str, Any],
        retries: Sequence[RetryPolicy],
    ) -> None:
        super().__init__(name, kind, retry_policies=list(retries))
        self._request = dict(request)
        self._properties = Properties(step_name=name, step=self, shape_names=list(shapes))

    @property
    def arguments(self) -> dict[str, Any]:
        """The request."""
        return self._request

    @property
    def properties(self) -> Properties:
        """Fields of SageMaker's response, for other steps."""
        return self._properties


class JobStep(RequestStep):
    """A step that runs a job, unless its result is cached."""

    def __init__(
        self, name: str, kind: StepTypeEnum, noun: str, request: Mapping[str, Any], *, shapes: Sequence[str] = ()
    ) -> None:
        # A tuning job retries its training jobs by itself.
        retries = [_FAULTS, _CAPACITY, *([] if kind is StepTypeEnum.TUNING else [_INTERNAL])]
        super().__init__(name, kind, [f"Describe{noun}Response", *shapes], request, retries)
        self.files: list[PropertyFile] = []

    def to_request(self) -> dict[str, Any]:
        """Return the step as in the definition."""
        request: dict[str, Any] = super().to_request() | CACHE.config
        if self.files:
            request["PropertyFiles"] = [file.expr for file in self.files]
        return request


class ProcessingStep(JobStep):
    """A step with a processing job."""

    def __init__(self, name: str, request: Mapping[str, Any]) -> None:
        super().__init__(name, StepTypeEnum.PROCESSING, "ProcessingJob", request)

    def get_output(self, name: str) -> Properties:
        """Return the address of an output, of the run that wrote it."""
        return self.properties.ProcessingOutputConfig.Outputs[name].S3Output.S3Uri

    def get_planned_output(self, name: str) -> Value:
        """Return the address of an output if this execution writes it, instead of reusing a cached result."""
        outputs = self.arguments["ProcessingOutputConfig"]["Outputs"]
        return next(output["S3Output"]["S3Uri"] for output in outputs if output["OutputName"] == name)

    def get_value(self, output: str, file: str, path: str) -> JsonGet:
        """Return a reference to a value in a JSON output file; `path` names its members, such as a.b.c.

        Conditions and the arguments of all step types accept it, including RegisterModel (pull request 2506 of the
        SageMaker SDK, "support JsonGet for all step types"). `join_values` converts it to a string if a request
        needs one.
        """
        name = file.removesuffix(".json")
        if name not in [file_property.name for file_property in self.files]:
            self.files.append(PropertyFile(name=name, output_name=output, path=file))
        return JsonGet(step_name=self.name, property_file=name, json_path=path)


class TrainingStep(JobStep):
    """A step with a training job; `serving` describes how its model is served."""

    def __init__(
        self, name: str, request: Mapping[str, Any], serving: ServingSpec | None, source_digest: str | None
    ) -> None:
        super().__init__(name, StepTypeEnum.TRAINING, "TrainingJob", request)
        self.serving, self.source_digest = serving, source_digest

    @property
    def model(self) -> Value:
        """Address of model.tar.gz."""
        return self.properties.ModelArtifacts.S3ModelArtifacts

    def get_metric(self, name: str) -> Value:
        """Return a reference to the last value of a metric of the job file."""
        return self.properties.FinalMetricDataList[name].Value

    @property
    def job(self) -> Value:
        """Name of the job that trained the model."""
        return self.properties.TrainingJobName

    @property
    def instances(self) -> list[Value]:
        """Instance type, instance count, seconds that each instance ran, and billed seconds."""
        properties, resources = self.properties, self.properties.ResourceConfig
        seconds = [properties.TrainingTimeInSeconds, properties.BillableTimeInSeconds]
        return [resources.InstanceType, resources.InstanceCount, *seconds]


class TuningStep(JobStep):
    """A step with a tuning job, whose best model is the step's model; `serving` describes how it is served."""

    def __init__(
        self, name: str, request: Mapping[str, Any], serving: ServingSpec | None, source_digest: str | None
    ) -> None:
        self.serving, self.source_digest = serving, source_digest
        shapes = ["ListTrainingJobsForHyperParameterTuningJobResponse"]
        super().__init__(name, StepTypeEnum.TUNING, "HyperParameterTuningJob", request, shapes=shapes)

    @property
    def model(self) -> Value:
        """Address of the best model.tar.gz."""
        models = self.arguments["TrainingJobDefinition"]["OutputDataConfig"]["S3OutputPath"]
        return join_values(models, "/", self.job, "/output/model.tar.gz")

    @property
    def job(self) -> Value:
        """Name of the job that trained the best model."""
        return self.properties.BestTrainingJob.TrainingJobName

    @property
    def instances(self) -> list[Value]:
        """Upper bound of the instances: all parallel jobs, for the duration of the tuning job."""
        definition, config = self.arguments["TrainingJobDefinition"], self.arguments["HyperParameterTuningJobConfig"]
        resources = definition["ResourceConfig"]
        count = resources["InstanceCount"] * config["ResourceLimits"]["MaxParallelTrainingJobs"]
        seconds = self.properties.ConsumedResources.RuntimeInSeconds
        return [resources["InstanceType"], str(count), seconds, seconds]


class RegistrationStep(RequestStep):
    """A step that registers a model package."""

    def __init__(self, name: str, request: Mapping[str, Any]) -> None:
        super().__init__(name, StepTypeEnum.REGISTER_MODEL, ["DescribeModelPackageOutput"], request, [_FAULTS])


def join_values(*values: Value) -> Value:
    """Return the values joined as a string."""
    parts: list[Value] = []
    for value in values:
        parts += value.values if isinstance(value, Join) and not value.on else [value]
    return "".join(parts) if all(isinstance(part, str) for part in parts) else Join(on="", values=parts)
