"""What each type of step calls."""

from dataclasses import dataclass


@dataclass(frozen=True)
class JobType:
    """A step that runs a job: CreateX, DescribeX and StopX with `noun` for X."""

    noun: str
    #: The member of a step's metadata that holds the job's ARN.
    metadata: str
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
    "Processing": JobType("ProcessingJob", "ProcessingJob"),
    "Training": JobType("TrainingJob", "TrainingJob"),
    "Tuning": JobType("HyperParameterTuningJob", "TuningJob", has_experiment=False),
    "Transform": JobType("TransformJob", "TransformJob"),
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
