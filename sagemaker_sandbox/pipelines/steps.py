"""Types of step and the SageMaker operations that they call."""

from dataclasses import dataclass


@dataclass(frozen=True)
class JobType:
    """A type of step that runs a job: it calls CreateX, DescribeX and StopX, with `noun` for X."""

    noun: str
    #: Member of a step's metadata that holds the job's ARN.
    metadata: str
    #: True if CreateX has an ExperimentConfig.
    has_experiment: bool = True

    @property
    def create(self) -> str:
        """Operation that starts the job."""
        return f"Create{self.noun}"

    @property
    def name(self) -> str:
        """Member of its requests that holds the job's name."""
        return f"{self.noun}Name"


JOBS = {
    "Processing": JobType("ProcessingJob", "ProcessingJob"),
    "Training": JobType("TrainingJob", "TrainingJob"),
    "Tuning": JobType("HyperParameterTuningJob", "TuningJob", has_experiment=False),
    "Transform": JobType("TransformJob", "TransformJob"),
}

#: SageMaker operation by type of step. The arguments of the step are the request.
OPERATIONS = {kind: job.create for kind, job in JOBS.items()} | {
    "Model": "CreateModel",
    "RegisterModel": "CreateModelPackage",
}

RETRYABLE = frozenset(OPERATIONS)

#: Types of AWS that the sandbox does not emulate.
NOT_EMULATED = frozenset(
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

#: Types that the body of a ForEach step cannot hold. Source: `for_each_step.py` of the SageMaker SDK.
NOT_IN_FOR_EACH = frozenset({"Condition", "Fail", "ForEach"})

TYPES = RETRYABLE | {"Condition", "Fail", "Callback", "Lambda", "ForEach"}
