resource "aws_scheduler_schedule" "this" {
  name                = "score"
  schedule_expression = "cron(0 4 * * ? *)"

  flexible_time_window {
    mode                      = "FLEXIBLE"
    maximum_window_in_minutes = 60
  }

  target {
    arn      = aws_sagemaker_pipeline.this.arn
    role_arn = aws_iam_role.this.arn

    sagemaker_pipeline_parameters {
      pipeline_parameter {
        name  = "Reason"
        value = "daily"
      }
    }
  }
}
