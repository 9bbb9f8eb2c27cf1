resource "aws_cloudwatch_metric_alarm" "drift" {
  alarm_name          = "delay-drift"
  alarm_description   = "The data or the predictions have drifted."
  namespace           = "aws/sagemaker/Endpoints/data-metrics"
  metric_name         = "feature_baseline_drift_hour"
  statistic           = "Maximum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0.2
  period              = 86400
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alerts.arn]

  dimensions = {
    Endpoint = aws_sagemaker_endpoint.this.name
  }
}
