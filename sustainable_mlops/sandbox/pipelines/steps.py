"""What each type of step calls, and which of its arguments decide whether an earlier result can be used again."""

from dataclasses import dataclass

#: Of a tuning step's definition of training jobs, what counts. Source of this and of `JobType.cache_members`:
#: "Default cache key attributes by pipeline step type" in the SageMaker AI developer guide.
TRAINING_DEFINITION_MEMBERS = (
    "AlgorithmSpecification",
    "HyperParameterRanges",
    "InputDataConfig",
    "StaticHyperParameters",
    "TuningObjective",
)


@dataclass(frozen=True)
class JobType:
    """A step that runs a job: CreateX, DescribeX and StopX with `noun` for X."""

    noun: str
    #: The member of a step's metadata that holds the job's ARN.
    metadata: str
    #: The arguments that make the cache's key.
    cache_members: tuple[str, ...]
    #: Whether CreateX takes the experiment of the execution.
    has_experiment: bool = True

    @property
    def create(self) -> str:
        """The operation that starts the job."""
        return f"Create{self.noun}"

    @property
    def name(self) -> str:
        """The member of its requests that holds the job's name."""
        return f"{self.noun}Name"


JOBS = {
    "Processing": JobType("ProcessingJob", "ProcessingJob", ("AppSpecification", "Environment", "ProcessingInputs")),
    "Training": JobType(
        "TrainingJob",
        "TrainingJob",
        (
            "AlgorithmSpecification",
            "CheckpointConfig",
            "DebugHookConfig",
            "DebugRuleConfigurations",
            "Environment",
            "HyperParameters",
            "InputDataConfig",
        ),
    ),
    "Tuning": JobType(
        "HyperParameterTuningJob",
        "TuningJob",
        ("HyperParameterTuningJobConfig", "TrainingJobDefinition", "TrainingJobDefinitions"),
        has_experiment=False,
    ),
    "Transform": JobType(
        "TransformJob", "TransformJob", ("DataProcessing", "Environment", "ModelName", "TransformInput")
    ),
}

#: Types of step to the SageMaker operation whose request their arguments are.
OPERATIONS = {kind: job.create for kind, job in JOBS.items()} | {
    "Model": "CreateModel",
    "RegisterModel": "CreateModelPackage",
}

RETRYABLE = frozenset(OPERATIONS)

#: Types that exist on AWS and are not run here.
NOT_RUN = frozenset(
    {
        "AutoML",
        "Cleanup",
        "ClarifyCheck",
        "EMR",
        "EMRServerless",
        "Endpoint",
        "EndpointConfig",
        "InferenceComponent",
        "Job",
        "Lineage",
        "QualityCheck",
    }
)

#: What a ForEach step's body cannot hold. Source: `for_each_step.py` of the SageMaker SDK.
NOT_IN_FOR_EACH = frozenset({"Condition", "Fail", "ForEach"})

TYPES = RETRYABLE | {"Condition", "Fail", "Callback", "Lambda", "ForEach"}
