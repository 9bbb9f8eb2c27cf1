resource "aws_sagemaker_pipeline" "this" {
  pipeline_name         = "train"
  pipeline_display_name = "train"
  role_arn              = aws_iam_role.this.arn

  pipeline_definition = jsonencode({
    Version = "2020-12-01"
    Steps = [
      {
        Name        = "Train"
        Type        = "Training"
        CacheConfig = { Enabled = true, ExpireAfter = "P30D" }
        Arguments = {
          StoppingCondition = { MaxRuntimeInSeconds = 3600 }
        }
      },
    ]
  })
}
