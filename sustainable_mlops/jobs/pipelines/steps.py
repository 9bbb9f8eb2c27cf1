"""Steps of a pipeline: a request as a launcher sends it, cached, retried, and read by the steps after it.

The SageMaker SDK assembles the definition. Its own steps take their requests from classes that upload code and call IAM
while a definition is made; here the request is made first, by what also launches the job by hand.
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

#: An expression of the SDK, or what stands for itself.
Value = Any

#: Results are used again for so long: less than the outputs of steps are kept (`recreatable` of the module `storage`).
CACHE = CacheConfig(enable_caching=True, expire_after="P30D")

#: Faults of the service go away within a minute.
_FAULTS = StepRetryPolicy(list(StepExceptionTypeEnum), interval_seconds=5, backoff_rate=2.0, max_attempts=5)
#: A machine may be had in an hour that cannot be had now, and a quota is free when another job has ended.
_CAPACITY = SageMakerJobStepRetryPolicy(
    [SageMakerJobExceptionTypeEnum.CAPACITY_ERROR, SageMakerJobExceptionTypeEnum.RESOURCE_LIMIT],
    interval_seconds=300,
    backoff_rate=1.5,
    expire_after_mins=240,
)
#: SageMaker's own failure; one more is no accident.
_INTERNAL = SageMakerJobStepRetryPolicy(
    [SageMakerJobExceptionTypeEnum.INTERNAL_ERROR], interval_seconds=30, backoff_rate=2.0, max_attempts=2
)


class RequestStep(ConfigurableRetryStep):  # type: ignore[misc] # the SDK has no types
    """A step that sends a request."""

    def __init__(
        self,
        name: str,
        kind: StepTypeEnum,
        answers: Sequence[str],
        request: Mapping[str, Any],
        retries: Sequence[RetryPolicy],
    ) -> None:
        super().__init__(name, kind, retry_policies=list(retries))
        self._request = dict(request)
        self._properties = Properties(step_name=name, step=self, shape_names=list(answers))

    @property
    def arguments(self) -> dict[str, Any]:
        """The request."""
        return self._request

    @property
    def properties(self) -> Properties:
        """What SageMaker answers of it, to be read by other steps."""
        return self._properties


class JobStep(RequestStep):
    """A step that runs a job, unless the same has been run."""

    def __init__(
        self, name: str, kind: StepTypeEnum, noun: str, request: Mapping[str, Any], *, answers: Sequence[str] = ()
    ) -> None:
        # A tuning job retries its training jobs by itself.
        retries = [_FAULTS, _CAPACITY, *([] if kind is StepTypeEnum.TUNING else [_INTERNAL])]
        super().__init__(name, kind, [f"Describe{noun}Response", *answers], request, retries)
        self.files: list[PropertyFile] = []

    def to_request(self) -> dict[str, Any]:
        """The step in the definition."""
        request: dict[str, Any] = super().to_request() | CACHE.config
        if self.files:
            request["PropertyFiles"] = [file.expr for file in self.files]
        return request


class Processing(JobStep):
    """A processing job."""

    def __init__(self, name: str, request: Mapping[str, Any]) -> None:
        super().__init__(name, StepTypeEnum.PROCESSING, "ProcessingJob", request)

    def output(self, name: str) -> Properties:
        """The address of an output, of the run that made it."""
        return self.properties.ProcessingOutputConfig.Outputs[name].S3Output.S3Uri

    def planned(self, name: str) -> Value:
        """The address that an output has if this execution makes it, and does not find it made."""
        outputs = self.arguments["ProcessingOutputConfig"]["Outputs"]
        return next(one["S3Output"]["S3Uri"] for one in outputs if one["OutputName"] == name)

    def value(self, output: str, file: str, path: str) -> JsonGet:
        """Return a reference to a value in a JSON output file; `path` names its members, such as a.b.c.

        Conditions and the arguments of all types of steps take it, those of RegisterModel too (pull request 2506 of the
        SageMaker SDK, "support JsonGet for all step types"). Where the request has a text, `text` makes it one.
        """
        name = file.removesuffix(".json")
        if name not in [known.name for known in self.files]:
            self.files.append(PropertyFile(name=name, output_name=output, path=file))
        return JsonGet(step_name=self.name, property_file=name, json_path=path)


class TrainingStep(JobStep):
    """A training job; `serving` says how its model is served."""

    def __init__(self, name: str, request: Mapping[str, Any], serving: ServingSpec | None) -> None:
        super().__init__(name, StepTypeEnum.TRAINING, "TrainingJob", request)
        self.serving = serving

    @property
    def model(self) -> Value:
        """The address of model.tar.gz."""
        return self.properties.ModelArtifacts.S3ModelArtifacts

    @property
    def job(self) -> Value:
        """The name of the job that made the model."""
        return self.properties.TrainingJobName

    @property
    def machines(self) -> list[Value]:
        """Instance type, how many of them, the seconds that each worked and those that are billed."""
        told, resources = self.properties, self.properties.ResourceConfig
        seconds = [told.TrainingTimeInSeconds, told.BillableTimeInSeconds]
        return [resources.InstanceType, resources.InstanceCount, *seconds]


class TuningStep(JobStep):
    """A hyperparameter tuning job, whose best model is the step's; `serving` says how it is served."""

    def __init__(self, name: str, request: Mapping[str, Any], serving: ServingSpec | None) -> None:
        self.serving = serving
        answers = ["ListTrainingJobsForHyperParameterTuningJobResponse"]
        super().__init__(name, StepTypeEnum.TUNING, "HyperParameterTuningJob", request, answers=answers)

    @property
    def model(self) -> Value:
        """The address of the best model.tar.gz."""
        models = self.arguments["TrainingJobDefinition"]["OutputDataConfig"]["S3OutputPath"]
        return join_values(models, "/", self.job, "/output/model.tar.gz")

    @property
    def job(self) -> Value:
        """The name of the job that made the best model."""
        return self.properties.BestTrainingJob.TrainingJobName

    @property
    def machines(self) -> list[Value]:
        """As of a training: as many machines as may work at once, for as long as the search went on: the most."""
        definition, config = self.arguments["TrainingJobDefinition"], self.arguments["HyperParameterTuningJobConfig"]
        resources = definition["ResourceConfig"]
        count = resources["InstanceCount"] * config["ResourceLimits"]["MaxParallelTrainingJobs"]
        seconds = self.properties.ConsumedResources.RuntimeInSeconds
        return [resources["InstanceType"], str(count), seconds, seconds]


class RegistrationStep(RequestStep):
    """A model package."""

    def __init__(self, name: str, request: Mapping[str, Any]) -> None:
        super().__init__(name, StepTypeEnum.REGISTER_MODEL, ["DescribeModelPackageOutput"], request, [_FAULTS])


def join_values(*values: Value) -> Value:
    """Values one after the other, as text."""
    parts: list[Value] = []
    for value in values:
        parts += value.values if isinstance(value, Join) and not value.on else [value]
    return "".join(parts) if all(isinstance(part, str) for part in parts) else Join(on="", values=parts)
