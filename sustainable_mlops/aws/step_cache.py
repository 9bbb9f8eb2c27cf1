"""Arguments of a pipeline step in its cache key: SageMaker compares values, not the content of addresses.

Source: "Default cache key attributes by pipeline step type" in the SageMaker AI developer guide. Steps of other types
are not cached.
"""

#: Arguments in the cache key, by type of step.
CACHE_KEY_ARGUMENTS = {
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

#: Fields in the cache key of a tuning step's training job definition.
CACHE_KEY_FIELDS_OF_TRAINING_DEFINITION = (
    "AlgorithmSpecification",
    "HyperParameterRanges",
    "InputDataConfig",
    "StaticHyperParameters",
    "TuningObjective",
)
