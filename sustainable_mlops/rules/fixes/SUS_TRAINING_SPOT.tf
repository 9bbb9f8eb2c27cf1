resource "aws_sagemaker_pipeline" "this" {
  # …

  pipeline_definition = jsonencode({
    Version = "2020-12-01"
    Steps = [{
      Name = "Train"
      Type = "Training"
      Arguments = {
        ResourceConfig            = { InstanceType = "ml.m5.xlarge", InstanceCount = 1, VolumeSizeInGB = 30 }
        EnableManagedSpotTraining = true
        CheckpointConfig          = { S3Uri = "s3://checkpoints-123456789012/delay/" }
        StoppingCondition         = { MaxRuntimeInSeconds = 3600, MaxWaitTimeInSeconds = 7200 }
      }
    }]
  })
}
