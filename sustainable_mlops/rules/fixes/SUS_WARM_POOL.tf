resource "aws_sagemaker_pipeline" "this" {
  # …

  pipeline_definition = jsonencode({
    Version = "2020-12-01"
    Steps = [{
      Name = "Train"
      Type = "Training"
      Arguments = {
        ResourceConfig    = { InstanceType = "ml.m5.xlarge", InstanceCount = 1, VolumeSizeInGB = 30, KeepAlivePeriodInSeconds = 0 }
        StoppingCondition = { MaxRuntimeInSeconds = 3600 }
      }
    }]
  })
}
