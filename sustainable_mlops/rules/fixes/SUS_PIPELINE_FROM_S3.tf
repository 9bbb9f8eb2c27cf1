resource "aws_sagemaker_pipeline" "this" {
  pipeline_name         = "train"
  pipeline_display_name = "train"
  role_arn              = aws_iam_role.this.arn

  # or file("${path.module}/train.json")
  pipeline_definition = jsonencode({
    Version = "2020-12-01"
    Steps = [
      {
        Name = "Train"
        Type = "Training"
        Arguments = {
          StoppingCondition = { MaxRuntimeInSeconds = 3600 }
        }
      },
    ]
  })
}
