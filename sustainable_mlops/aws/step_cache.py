"""What SageMaker compares of a pipeline's step before it uses an earlier result again: values, not what lies there.

Source: "Default cache key attributes by pipeline step type" in the SageMaker AI developer guide. Steps of other types
are not cached.
"""

#: Type of step to the arguments that count.
MEMBERS = {
    "Processing": ("AppSpecification", "Environment", "ProcessingInputs"),
    "Training": (
        "AlgorithmSpecification",
        "CheckpointConfig",
        "DebugHookConfig",
        "DebugRuleConfigurations",
        "Environment",
        "HyperParameters",
        "InputDataConfig",
    ),
    "Tuning": ("HyperParameterTuningJobConfig", "TrainingJobDefinition", "TrainingJobDefinitions"),
    "Transform": ("DataProcessing", "Environment", "ModelName", "TransformInput"),
}

#: Of a tuning step's definition of training jobs, what counts.
OF_TRAINING_DEFINITION = (
    "AlgorithmSpecification",
    "HyperParameterRanges",
    "InputDataConfig",
    "StaticHyperParameters",
    "TuningObjective",
)
