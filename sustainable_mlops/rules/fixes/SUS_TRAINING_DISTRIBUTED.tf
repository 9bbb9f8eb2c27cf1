resource "aws_sagemaker_pipeline" "this" {
  # …

  pipeline_definition = jsonencode({
    Version = "2020-12-01"
    Steps = [{
      Name = "Train"
      Type = "Training"
      Arguments = {
        AlgorithmSpecification = {
          TrainingImage     = "763104351884.dkr.ecr.eu-north-1.amazonaws.com/pytorch-training:2.8.0-cpu-py312"
          TrainingInputMode = "File"
        }
        HyperParameters                       = { sagemaker_program = "train.py", sagemaker_torch_distributed_enabled = "true" }
        EnableInterContainerTrafficEncryption = true # only for several instances, and data that needs it
        ResourceConfig                        = { InstanceType = "ml.m5.xlarge", InstanceCount = 2, VolumeSizeInGB = 30 }
        StoppingCondition                     = { MaxRuntimeInSeconds = 3600 }
      }
    }]
  })
}
