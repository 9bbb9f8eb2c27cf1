resource "aws_cloudwatch_metric_alarm" "failures" {
  alarm_name          = "delay-failures"
  namespace           = "AWS/SageMaker"
  metric_name         = "InvocationFailures"
  statistic           = "Sum"
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 1
  period              = 300
  evaluation_periods  = 1
  alarm_actions       = [aws_sns_topic.alerts.arn]

  dimensions = {
    EndpointName = aws_sagemaker_endpoint.async.name
  }
}
