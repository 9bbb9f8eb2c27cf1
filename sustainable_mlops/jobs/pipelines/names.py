"""Names of steps and jobs in definitions, in metadata of executions, and among the job kinds."""

#: Type of a step to its job kind.
KIND_OF_STEP = {"Processing": "processing", "Training": "training", "Tuning": "tuning", "Transform": "transform"}
#: Field of a step's metadata with the ARN of its job, to the job kind.
KIND_OF_METADATA = {
    "ProcessingJob": "processing",
    "TrainingJob": "training",
    "TuningJob": "tuning",
    "TransformJob": "transform",
}
#: Alias of the version that `run` and schedules start, and alias of the version before it.
LIVE, PREVIOUS = "live", "previous"


def make_step_name(key: str) -> str:
    """Return the name of the step whose job file has the key."""
    return "".join(word.capitalize() for word in key.split("_"))
