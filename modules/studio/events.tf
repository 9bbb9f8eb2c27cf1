# Generated from module.py by smlops synth. Change the source, then run `smlops synth`.

# A separate group, because a trust policy can name a group of schedules and not a single schedule.
resource "aws_scheduler_schedule_group" "tracking_server" {
  for_each = aws_sagemaker_mlflow_tracking_server.this

  name = each.value.tracking_server_name
  tags = var.tags
}

# Universal targets, because Scheduler has no target of its own for tracking servers.
resource "aws_scheduler_schedule" "tracking_server" {
  # checkov:skip=CKV_AWS_297:It contains a name, no secret; a separate key would only add KMS calls

  for_each = merge([
    for one in var.tracking_server[*] : merge(
      { stop = one.off_hours.begin },
      nonsensitive(one.off_hours.end == null) ? {} : { start = one.off_hours.end },
    )
  ]...)

  name                         = each.key
  group_name                   = aws_scheduler_schedule_group.tracking_server["tracking_server"].name
  schedule_expression          = each.value
  schedule_expression_timezone = var.tracking_server.off_hours.timezone

  flexible_time_window {
    mode                      = "FLEXIBLE"
    maximum_window_in_minutes = 15
  }

  target {
    arn      = "arn:${var.partition}:scheduler:::aws-sdk:sagemaker:${each.key}MlflowTrackingServer"
    role_arn = aws_iam_role.tracking_server["tracking_server"].arn

    input = jsonencode({
      TrackingServerName = aws_sagemaker_mlflow_tracking_server.this["tracking_server"].tracking_server_name
    })

    retry_policy {
      maximum_event_age_in_seconds = 3600
      maximum_retry_attempts       = 10
    }
  }

  depends_on = [aws_iam_role_policy.tracking_server]
}
