resource "aws_sns_topic" "alarms" {
  name = "delay-alarms"
}

resource "aws_sns_topic_subscription" "ml_team" {
  topic_arn = aws_sns_topic.alarms.arn
  protocol  = "email"
  endpoint  = "ml-team@example.com" # receives a message to confirm
}

resource "aws_cloudwatch_metric_alarm" "errors" {
  alarm_name          = "delay-errors"
  namespace           = "AWS/SageMaker"
  metric_name         = "Invocation5XXErrors"
  statistic           = "Sum"
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 1
  period              = 300
  evaluation_periods  = 1
  alarm_actions       = [aws_sns_topic.alarms.arn]

  dimensions = {
    EndpointName = aws_sagemaker_endpoint.this.name
    VariantName  = "main"
  }
}
