resource "aws_cloudwatch_metric_alarm" "drift" {
  alarm_name          = "delay-drift"
  alarm_description   = "The data or the predictions of ${aws_sagemaker_endpoint.this.name} have drifted."
  namespace           = "delay/drift"
  metric_name         = "DriftingColumns"
  statistic           = "Maximum"
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 1
  period              = 300
  evaluation_periods  = 1
  treat_missing_data  = "ignore"
  alarm_actions       = [aws_sns_topic.alerts.arn]

  dimensions = {
    Workload = "delay"
  }
}
