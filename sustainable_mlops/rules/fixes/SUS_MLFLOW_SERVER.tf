resource "aws_sagemaker_mlflow_tracking_server" "this" {
  tracking_server_name = "experiments"
  artifact_store_uri   = "s3://${aws_s3_bucket.this.bucket}/mlflow"
  role_arn             = aws_iam_role.this.arn
  tracking_server_size = "Small"
}

resource "aws_scheduler_schedule" "stop" {
  name                         = "stop-experiments"
  schedule_expression          = "cron(0 20 ? * MON-FRI *)"
  schedule_expression_timezone = "Europe/Stockholm"

  flexible_time_window {
    mode                      = "FLEXIBLE"
    maximum_window_in_minutes = 15
  }

  target {
    arn      = "arn:aws:scheduler:::aws-sdk:sagemaker:stopMlflowTrackingServer"
    role_arn = aws_iam_role.this.arn

    input = jsonencode({
      TrackingServerName = aws_sagemaker_mlflow_tracking_server.this.tracking_server_name
    })
  }
}
