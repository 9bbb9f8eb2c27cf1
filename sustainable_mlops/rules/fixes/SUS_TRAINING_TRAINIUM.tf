resource "aws_sagemaker_pipeline" "this" {
  # …

  pipeline_definition = jsonencode({
    Version = "2020-12-01"
    Steps = [{
      Name = "Train"
      Type = "Training"
      Arguments = {
        AlgorithmSpecification = {
          TrainingImage     = "763104351884.dkr.ecr.eu-north-1.amazonaws.com/pytorch-training-neuronx:2.8.0-neuronx-py311-sdk2.26.0-ubuntu22.04"
          TrainingInputMode = "File"
        }
        ResourceConfig    = { InstanceType = "ml.trn1.2xlarge", InstanceCount = 1, VolumeSizeInGB = 30 }
        StoppingCondition = { MaxRuntimeInSeconds = 3600 }
      }
    }]
  })
}
