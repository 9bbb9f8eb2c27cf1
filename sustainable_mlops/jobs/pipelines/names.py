"""How what is one thing is called in a definition, in metadata of executions, and among the kinds of jobs."""

#: Type of step to the kind of job that it runs.
KIND_OF_STEP = {"Processing": "processing", "Training": "training", "Tuning": "tuning", "Transform": "transform"}
#: Member of a step's metadata that holds the ARN of its job, to the kind of job.
KIND_OF_METADATA = {
    "ProcessingJob": "processing",
    "TrainingJob": "training",
    "TuningJob": "tuning",
    "TransformJob": "transform",
}
#: The alias of the version that `run` and schedules start, and that of the one before it.
LIVE, PREVIOUS = "live", "previous"


def make_step_name(key: str) -> str:
    """The name of the step whose job file has the key."""
    return "".join(word.capitalize() for word in key.split("_"))
