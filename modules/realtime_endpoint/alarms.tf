# Generated from module.py by smlops synth. Change the source, then run `smlops synth`.

# Created before the endpoint, which names them from its first apply. Adding them later would replace the
# endpoint.
resource "aws_cloudwatch_metric_alarm" "errors" {
  for_each = toset(keys(local.weights))

  alarm_name          = "${local.name}-${each.key}-errors"
  alarm_description   = "More than ${var.deployment.error_percent} % of the responses of ${each.key} are errors."
  namespace           = "AWS/SageMaker"
  period              = 60
  evaluation_periods  = 3
  datapoints_to_alarm = 2
  metric_name         = "Invocation5XXErrors"
  statistic           = "Average"
  threshold           = var.deployment.error_percent / 100
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_actions
  tags                = var.tags

  dimensions = {
    EndpointName = local.name
    VariantName  = each.key
  }
}

resource "aws_cloudwatch_metric_alarm" "latency" {
  for_each = toset(keys(local.weights))

  alarm_name          = "${local.name}-${each.key}-latency"
  alarm_description   = "One of ten responses of ${each.key} takes more than ${var.latency_slo_ms} ms."
  namespace           = "AWS/SageMaker"
  period              = 60
  evaluation_periods  = 3
  datapoints_to_alarm = 2
  metric_name         = "ModelLatency"
  extended_statistic  = "p90"
  # In microseconds.
  threshold           = var.latency_slo_ms * 1000
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_actions
  tags                = var.tags

  dimensions = {
    EndpointName = local.name
    VariantName  = each.key
  }
}

# Requires all 15 minutes, so that a late metric removes no instance.
resource "aws_cloudwatch_metric_alarm" "idle" {
  for_each = aws_appautoscaling_policy.idle

  alarm_name          = "${aws_sagemaker_endpoint.this.name}-${each.key}-has-no-requests"
  alarm_description   = "No request of ${each.key} in 15 minutes: removes an instance."
  comparison_operator = "LessThanThreshold"
  threshold           = 1
  evaluation_periods  = 15
  datapoints_to_alarm = 15
  alarm_actions       = [each.value.arn]
  tags                = var.tags

  metric_query {
    id = "requests"

    metric {
      namespace   = "AWS/SageMaker"
      metric_name = "Invocations"
      period      = 60
      stat        = "Sum"

      dimensions = {
        EndpointName = aws_sagemaker_endpoint.this.name
        VariantName  = each.key
      }
    }
  }

  metric_query {
    id          = "requests_or_none"
    expression  = "FILL(requests, 0)"
    return_data = true
  }
}
