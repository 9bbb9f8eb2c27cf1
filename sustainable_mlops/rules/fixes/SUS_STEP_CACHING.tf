resource "aws_sagemaker_pipeline" "this" {
  # …

  pipeline_definition = jsonencode({
    Version = "2020-12-01"
    Steps = [{
      Name        = "Train"
      Type        = "Training"
      CacheConfig = { Enabled = true, ExpireAfter = "P30D" }
      Arguments = {
        StoppingCondition = { MaxRuntimeInSeconds = 3600 }
      }
    }]
  })
}
