"""Steps of SageMaker pipelines whose jobs or models can run in a VPC.

Source: SageMaker API reference, CreateProcessingJob, CreateTrainingJob, CreateHyperParameterTuningJob and CreateModel.
"""

#: Types of steps that run processing jobs, and types whose arguments have a `VpcConfig`.
PROCESSING_STEPS, VPC_STEPS = ("ClarifyCheck", "Processing", "QualityCheck"), ("Model", "Training")
#: Arguments of steps that are objects with a `VpcConfig`.
OBJECTS_IN_VPC = ("NetworkConfig", "TrainingJobDefinition")
