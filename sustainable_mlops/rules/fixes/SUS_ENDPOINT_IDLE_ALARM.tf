resource "aws_cloudwatch_metric_alarm" "idle" {
  alarm_name          = "delay-idle"
  namespace           = "AWS/SageMaker"
  metric_name         = "Invocations"
  statistic           = "Sum"
  comparison_operator = "LessThanThreshold"
  threshold           = 1
  period              = 3600
  evaluation_periods  = 8
  treat_missing_data  = "breaching" # without requests there is no data
  alarm_actions       = [aws_sns_topic.alerts.arn]

  dimensions = {
    EndpointName = aws_sagemaker_endpoint.this.name
    VariantName  = "main"
  }
}
