# Generated from module.py by smlops synth. Change the source, then run `smlops synth`.

# Without new data the alarm keeps its state: the same drift starts the pipeline once, not at each check.
resource "aws_cloudwatch_metric_alarm" "drift" {
  for_each = nonsensitive(var.drift == null) ? {} : { drift = var.drift }

  alarm_name          = "${local.name}-drift"
  alarm_description   = "Inputs or predictions differ from the training data; starts the pipeline ${local.name}."
  namespace           = coalesce(each.value.namespace, "${var.name_prefix}/drift")
  metric_name         = each.value.metric_name
  statistic           = "Maximum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = each.value.threshold
  treat_missing_data  = "ignore"
  tags                = var.tags

  dimensions = {
    Workload = each.value.workload
  }
}
