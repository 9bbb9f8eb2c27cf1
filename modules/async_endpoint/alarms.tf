# Generated from module.py by smlops synth. Change the source, then run `smlops synth`.

# Created before the endpoint, which names it from its first apply. Adding it later would replace the endpoint.
resource "aws_cloudwatch_metric_alarm" "failures" {
  alarm_name          = "${local.name}-failures"
  alarm_description   = "Requests of ${local.name} fail."
  namespace           = "AWS/SageMaker"
  period              = 60
  evaluation_periods  = 5
  datapoints_to_alarm = 2
  metric_name         = "InvocationFailures"
  statistic           = "Sum"
  threshold           = var.rollback_failures
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_actions
  tags                = var.tags

  dimensions = {
    EndpointName = local.name
    VariantName  = var.variant_name
  }
}

resource "aws_cloudwatch_metric_alarm" "wake" {
  alarm_name          = "${aws_sagemaker_endpoint.this.name}-has-backlog-without-capacity"
  alarm_description   = "Requests wait and no instance runs: starts an instance."
  namespace           = "AWS/SageMaker"
  metric_name         = "HasBacklogWithoutCapacity"
  statistic           = "Average"
  period              = 60
  evaluation_periods  = 2
  datapoints_to_alarm = 2
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 1
  treat_missing_data  = "missing"
  alarm_actions       = [aws_appautoscaling_policy.wake.arn]
  tags                = var.tags

  dimensions = {
    EndpointName = aws_sagemaker_endpoint.this.name
  }
}

# ApproximateBacklogSize counts waiting and running requests. A minute without a datapoint counts as busy, so
# that a late metric removes no instance.
resource "aws_cloudwatch_metric_alarm" "rest" {
  alarm_name          = "${aws_sagemaker_endpoint.this.name}-has-no-backlog"
  alarm_description   = "No request waits or runs: removes the instances."
  namespace           = "AWS/SageMaker"
  metric_name         = "ApproximateBacklogSize"
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 15
  datapoints_to_alarm = 15
  comparison_operator = "LessThanThreshold"
  threshold           = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_appautoscaling_policy.rest.arn]
  tags                = var.tags

  dimensions = {
    EndpointName = aws_sagemaker_endpoint.this.name
  }
}
