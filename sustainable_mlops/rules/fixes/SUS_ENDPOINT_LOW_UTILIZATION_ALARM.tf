resource "aws_cloudwatch_metric_alarm" "low_utilization" {
  alarm_name          = "delay-low-utilization"
  namespace           = "/aws/sagemaker/Endpoints"
  metric_name         = "CPUUtilization"
  statistic           = "Average"
  comparison_operator = "LessThanThreshold"
  threshold           = 20
  period              = 3600
  evaluation_periods  = 24
  alarm_actions       = [aws_sns_topic.alerts.arn]

  dimensions = {
    EndpointName = aws_sagemaker_endpoint.this.name
    VariantName  = "main"
  }
}
