# Generated from module.py by smlops synth. Change the source, then run `smlops synth`.

# An endpoint without requests publishes no data, so missing data is no failure. The health alarms below report
# failures, these alarms report waste.
resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = { for key, alarm in local.variant_alarms : key => alarm if alarm.math == null }

  alarm_name          = each.value.name
  alarm_description   = each.value.description
  comparison_operator = each.value.below ? "LessThanThreshold" : "GreaterThanThreshold"
  threshold           = each.value.threshold
  evaluation_periods  = each.value.periods
  datapoints_to_alarm = each.value.bad
  treat_missing_data  = "notBreaching"
  tags                = var.tags
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = each.value.statistic
  extended_statistic  = each.value.percentile
  period              = each.value.period
  alarm_actions       = each.value.waste ? [aws_sns_topic.alarms.arn] : []

  # CloudWatch does not delete an alarm that a composite alarm refers to.
  lifecycle {
    create_before_destroy = true
  }
}

# Waste that no single metric shows: running instances compared with requests.
resource "aws_cloudwatch_metric_alarm" "math" {
  for_each = { for key, alarm in local.variant_alarms : key => alarm if alarm.math != null }

  alarm_name          = each.value.name
  alarm_description   = each.value.description
  comparison_operator = each.value.below ? "LessThanThreshold" : "GreaterThanThreshold"
  threshold           = each.value.threshold
  evaluation_periods  = each.value.periods
  datapoints_to_alarm = each.value.bad
  treat_missing_data  = "notBreaching"
  tags                = var.tags
  alarm_actions       = [aws_sns_topic.alarms.arn]

  metric_query {
    id          = "result"
    expression  = each.value.math
    label       = each.value.description
    return_data = true
  }

  dynamic "metric_query" {
    for_each = each.value.metrics
    iterator = source

    content {
      id = source.key

      metric {
        namespace   = source.value[0]
        metric_name = source.value[1]
        stat        = source.value[2]
        dimensions  = each.value.dimensions
        period      = each.value.period
      }
    }
  }

  # CloudWatch does not delete an alarm that a composite alarm refers to.
  lifecycle {
    create_before_destroy = true
  }
}

# EventBridge counts the events of a rule. After one event, the alarm is in ALARM for deployment_minutes.
resource "aws_cloudwatch_metric_alarm" "deploying" {
  for_each = aws_cloudwatch_event_rule.deployment

  alarm_name          = "${each.value.name}/deploying"
  alarm_description   = "Suppresses the health alarm during a deployment."
  namespace           = "AWS/Events"
  metric_name         = "TriggeredRules"
  statistic           = "Sum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  period              = 60
  evaluation_periods  = var.endpoints[each.key].deployment_minutes
  datapoints_to_alarm = 1
  treat_missing_data  = "notBreaching"
  tags                = var.tags

  dimensions = {
    RuleName = each.value.name
  }
}

# One notification for each endpoint. A deployment has its own rollback alarms, so this alarm is suppressed
# meanwhile. It reports problems that remain afterward.
resource "aws_cloudwatch_composite_alarm" "health" {
  for_each = var.endpoints

  alarm_name        = "${each.value.name}/health"
  alarm_description = "The endpoint ${each.value.name} is unhealthy."
  alarm_actions     = [aws_sns_topic.alarms.arn]
  ok_actions        = [aws_sns_topic.alarms.arn]
  tags              = var.tags

  alarm_rule = join(" OR ", [
    for key, alarm in local.variant_alarms : "ALARM(\"${aws_cloudwatch_metric_alarm.this[key].alarm_name}\")"
    if alarm.endpoint == each.key ? !alarm.waste : false
  ])

  actions_suppressor {
    alarm            = aws_cloudwatch_metric_alarm.deploying[each.key].alarm_name
    wait_period      = 180
    extension_period = 60
  }
}

# A deployed endpoint is about to receive requests.
resource "aws_cloudwatch_metric_alarm" "deployed" {
  for_each = local.idle_stops

  alarm_name          = "${var.endpoints[each.key].name}/deployed"
  alarm_description   = "A deployment took place within ${var.waste_hours} hours."
  namespace           = "AWS/Events"
  metric_name         = "TriggeredRules"
  statistic           = "Sum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  period              = 3600
  evaluation_periods  = var.waste_hours
  datapoints_to_alarm = 1
  treat_missing_data  = "notBreaching"
  tags                = var.tags

  dimensions = {
    RuleName = aws_cloudwatch_event_rule.deployment[each.key].name
  }
}

# All variants ran, and none received a request. The alarm has no action: EventBridge receives its change.
resource "aws_cloudwatch_composite_alarm" "idle" {
  for_each = local.idle_stops

  alarm_name        = "${var.endpoints[each.key].name}/idle-stop"
  alarm_description = "The endpoint had no requests and no deployments for ${var.waste_hours} hours."
  tags              = var.tags

  # An endpoint is not idle until the alarm of deployments has data.
  alarm_rule = join(" AND ", concat(
    [
      for key, variant in local.variants :
      "ALARM(\"${aws_cloudwatch_metric_alarm.math["${key}/idle"].alarm_name}\")" if variant.endpoint == each.key
    ],
    ["OK(\"${aws_cloudwatch_metric_alarm.deployed[each.key].alarm_name}\")"],
  ))

  # An endpoint that is already idle changes the alarm once, so the target and its roles must exist before.
  depends_on = [aws_cloudwatch_event_target.idle, aws_iam_role_policy.starter, aws_iam_role_policy.stopper, aws_iam_role_policy.deleter]
}

# A message in the queue is an event that EventBridge could not deliver. It contains the reason.
resource "aws_cloudwatch_metric_alarm" "dead_letters" {
  for_each = toset(concat(
    [for item in aws_sqs_queue.undelivered : "${var.name_prefix}-events-undelivered"],
    [for item in aws_sqs_queue.idle : "${var.name_prefix}-idle-undelivered"],
    var.dead_letter_queues,
  ))

  alarm_name          = "${each.key}/not-empty"
  alarm_description   = "EventBridge could not deliver an event; read the queue ${each.key}."
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateNumberOfMessagesVisible"
  statistic           = "Maximum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  period              = 300
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  tags                = var.tags

  dimensions = {
    QueueName = each.key
  }
}
