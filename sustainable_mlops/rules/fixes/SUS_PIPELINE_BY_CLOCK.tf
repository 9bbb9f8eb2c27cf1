resource "aws_sagemaker_pipeline" "this" {
  # …

  pipeline_definition = jsonencode({
    Version = "2020-12-01"
    Steps = [{
      Name = "Score"
      Type = "Transform"
      Arguments = {
        TransformResources = { InstanceType = "ml.m5.large", InstanceCount = 1 }
      }
    }]
  })
}

resource "aws_cloudwatch_event_rule" "this" {
  name = "score-on-data"
  event_pattern = jsonencode({
    source      = ["aws.s3"]
    detail-type = ["Object Created"]
    detail      = { bucket = { name = ["raw-123456789012"] } }
  })
}

resource "aws_cloudwatch_event_target" "this" {
  rule     = aws_cloudwatch_event_rule.this.name
  arn      = aws_sagemaker_pipeline.this.arn
  role_arn = aws_iam_role.this.arn

  sagemaker_pipeline_target {
    pipeline_parameter_list {
      name  = "Reason"
      value = "data"
    }
  }
}
