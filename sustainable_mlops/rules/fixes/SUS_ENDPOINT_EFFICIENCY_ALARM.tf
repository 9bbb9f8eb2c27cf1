resource "aws_cloudwatch_metric_alarm" "efficiency" {
  alarm_name          = "delay-instance-seconds-per-request"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 60
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alerts.arn]

  metric_query {
    id          = "ratio"
    expression  = "IF(FILL(requests, 0) > 0, 60 * minutes / requests, 0)"
    label       = "instance seconds per request"
    return_data = true
  }

  metric_query {
    id = "minutes"

    metric {
      namespace   = "/aws/sagemaker/Endpoints"
      metric_name = "CPUUtilization" # one value per instance and minute
      stat        = "SampleCount"
      period      = 86400
      dimensions  = { EndpointName = aws_sagemaker_endpoint.this.name, VariantName = "main" }
    }
  }

  metric_query {
    id = "requests"

    metric {
      namespace   = "AWS/SageMaker"
      metric_name = "Invocations"
      stat        = "Sum"
      period      = 86400
      dimensions  = { EndpointName = aws_sagemaker_endpoint.this.name, VariantName = "main" }
    }
  }
}
