resource "aws_sagemaker_pipeline" "this" {
  # …

  pipeline_definition = jsonencode({
    Version = "2020-12-01"
    Steps = [{
      Name = "Prepare"
      Type = "Processing"
      Arguments = {
        # no VolumeKmsKeyId: the instance encrypts its local disk itself
        ProcessingResources = {
          ClusterConfig = { InstanceType = "ml.g5.xlarge", InstanceCount = 1, VolumeSizeInGB = 30 }
        }
        StoppingCondition = { MaxRuntimeInSeconds = 3600 }
      }
    }]
  })
}
