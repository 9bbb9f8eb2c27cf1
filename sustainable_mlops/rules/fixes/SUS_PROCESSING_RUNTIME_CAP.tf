resource "aws_sagemaker_pipeline" "this" {
  # …

  pipeline_definition = jsonencode({
    Version = "2020-12-01"
    Steps = [{
      Name        = "Prepare"
      Type        = "Processing"
      CacheConfig = { Enabled = true, ExpireAfter = "P30D" }
      Arguments = {
        ProcessingResources = {
          ClusterConfig = { InstanceType = "ml.m5.large", InstanceCount = 2, VolumeSizeInGB = 30 }
        }
        ProcessingInputs = [{
          InputName = "raw"
          S3Input = {
            S3Uri                  = "s3://${aws_s3_bucket.this.bucket}/raw/"
            LocalPath              = "/opt/ml/processing/input"
            S3DataType             = "S3Prefix"
            S3InputMode            = "File"
            S3DataDistributionType = "ShardedByS3Key" # each instance reads its share
          }
        }]
        StoppingCondition = { MaxRuntimeInSeconds = 3600 }
      }
    }]
  })
}
