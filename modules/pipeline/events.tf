# Generated from module.py by smlops synth. Change the source, then run `smlops synth`.

locals {
  # Rules that may start the pipeline.
  trigger_rule_arns = concat(
    [
      "arn:${var.partition}:events:${var.region}:${var.account_id}:rule/${local.name}-data-arrived",
    ],
    nonsensitive(var.drift == null) ? [] : ["arn:${var.partition}:events:${var.region}:${var.account_id}:rule/${local.name}-drift"],
  )
}

# Keeps failed starts, which would be lost otherwise.
resource "aws_sqs_queue" "not_started" {
  for_each = local.starters

  name                      = "${local.name}-not-started"
  message_retention_seconds = 1209600
  sqs_managed_sse_enabled   = true
  tags                      = var.tags
}

# EventBridge sends with its own service principal, Scheduler with the role starter.
resource "aws_sqs_queue_policy" "not_started" {
  for_each = aws_sqs_queue.not_started

  queue_url = each.value.url

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "KeepFailedStarts"
        Effect    = "Allow"
        Principal = { Service = "events.amazonaws.com" }
        Action    = "sqs:SendMessage"
        Resource  = "arn:${var.partition}:sqs:${var.region}:${var.account_id}:${local.name}-not-started"
        Condition = {
          StringEquals = { "aws:SourceAccount" = var.account_id }
          ArnEquals    = { "aws:SourceArn" = local.trigger_rule_arns }
        }
      },
    ]
  })
}

locals {
  starter_role_arn = one(concat(
    [for role in aws_iam_role.starter : role.arn],
    [for existing in var.existing_starter_role[*] : existing.arn],
  ))
}

# A wildcard requires both the prefix and the suffix; separate patterns would require only one of them.
resource "aws_cloudwatch_event_rule" "data_arrived" {
  for_each = nonsensitive(var.data_arrival == null) ? {} : { data-arrived = var.data_arrival }

  name        = "${local.name}-data-arrived"
  description = "Data has arrived for the pipeline ${local.name}."
  tags        = var.tags

  event_pattern = jsonencode({
    source      = ["aws.s3"]
    detail-type = ["Object Created"]
    detail = {
      bucket = { name = [each.value.bucket] }
      object = {
        key = [
          for suffix in length(each.value.key_suffixes) == 0 ? [""] : each.value.key_suffixes :
          { wildcard = "${each.value.key_prefix}*${suffix}" }
        ]
      }
    }
  })
}

resource "aws_cloudwatch_event_target" "data_arrived" {
  for_each = aws_cloudwatch_event_rule.data_arrived

  rule      = each.value.name
  target_id = "pipeline"
  arn       = aws_sagemaker_pipeline.this.arn
  role_arn  = local.starter_role_arn

  sagemaker_pipeline_target {
    pipeline_parameter_list {
      name  = var.data_arrival.key_parameter
      value = "$.detail.object.key"
    }
  }

  dead_letter_config {
    arn = aws_sqs_queue.not_started["starter"].arn
  }

  retry_policy {
    maximum_event_age_in_seconds = var.start_retries.max_age_seconds
    maximum_retry_attempts       = var.start_retries.max_attempts
  }
}

resource "aws_cloudwatch_event_rule" "drift" {
  for_each = aws_cloudwatch_metric_alarm.drift

  name        = "${local.name}-drift"
  description = "Drift starts the pipeline ${local.name}."
  tags        = var.tags

  event_pattern = jsonencode({
    source      = ["aws.cloudwatch"]
    detail-type = ["CloudWatch Alarm State Change"]
    resources = [
      "arn:${var.partition}:cloudwatch:${var.region}:${var.account_id}:alarm:${local.name}-drift",
    ]
    detail = { state = { value = ["ALARM"] } }
  })
}

resource "aws_cloudwatch_event_target" "drift" {
  for_each = aws_cloudwatch_event_rule.drift

  rule      = each.value.name
  target_id = "pipeline"
  arn       = aws_sagemaker_pipeline.this.arn
  role_arn  = local.starter_role_arn

  sagemaker_pipeline_target {
    dynamic "pipeline_parameter_list" {
      for_each = concat(
        [
          for name, value in var.drift.parameters : {
            name  = name
            value = value
          }
        ],
        [
          {
            name  = var.drift.reason_parameter
            value = "$.detail.state.reason"
          },
        ],
      )
      iterator = parameter

      content {
        name  = parameter.value.name
        value = parameter.value.value
      }
    }
  }

  dead_letter_config {
    arn = aws_sqs_queue.not_started["starter"].arn
  }

  retry_policy {
    maximum_event_age_in_seconds = var.start_retries.max_age_seconds
    maximum_retry_attempts       = var.start_retries.max_attempts
  }
}

# A separate group, because a trust policy can name a group of schedules and not a single schedule.
resource "aws_scheduler_schedule_group" "this" {
  for_each = nonsensitive(var.schedule == null) ? {} : { schedule = var.schedule }

  name = local.name
  tags = var.tags
}

# The universal target, because the pipeline target has no alias and starts the latest version.
resource "aws_scheduler_schedule" "this" {
  # checkov:skip=CKV_AWS_297:It contains a name and parameters, no secret; a separate key would only add KMS calls

  for_each = nonsensitive(var.schedule == null) ? {} : { schedule = var.schedule }

  name                         = local.name
  group_name                   = aws_scheduler_schedule_group.this[each.key].name
  description                  = "Starts the pipeline ${local.name}."
  schedule_expression          = each.value.expression
  schedule_expression_timezone = each.value.timezone

  flexible_time_window {
    mode                      = "FLEXIBLE"
    maximum_window_in_minutes = each.value.flexible_window_minutes
  }

  # Scheduler replaces its placeholder by the time; jsonencode escapes the placeholder. Each firing has one token,
  # so a retry does not start a second execution.
  target {
    arn      = "arn:${var.partition}:scheduler:::aws-sdk:sagemaker:startPipelineExecution"
    role_arn = local.starter_role_arn

    input = replace(replace(jsonencode(merge(
      {
        PipelineName = aws_sagemaker_pipeline.this.pipeline_name
        PipelineParameters = [
          for name, value in each.value.parameters : {
            Name  = name
            Value = value
          }
        ]
        ClientRequestToken = "${local.name}-by-the-clock-at-<aws.scheduler.scheduled-time>"
      },
      nonsensitive(each.value.alias == null) ? {} : { PipelineVersionAlias = each.value.alias },
    )), "\\u003c", "<"), "\\u003e", ">")

    dead_letter_config {
      arn = aws_sqs_queue.not_started["starter"].arn
    }

    retry_policy {
      maximum_event_age_in_seconds = var.start_retries.max_age_seconds
      maximum_retry_attempts       = var.start_retries.max_attempts
    }
  }
}

resource "aws_cloudwatch_event_rule" "failed" {
  for_each = nonsensitive(var.failure_topic == null) ? {} : { failed = var.failure_topic }

  name        = "${local.name}-failed"
  description = "An execution of the pipeline ${local.name} failed."
  tags        = var.tags

  event_pattern = jsonencode({
    source      = ["aws.sagemaker"]
    detail-type = ["SageMaker Model Building Pipeline Execution Status Change"]
    detail = {
      pipelineArn                    = [local.arn]
      currentPipelineExecutionStatus = ["Failed", "CompletedWithFailures"]
    }
  })
}

# Keeps events that no topic got, such as for a missing permission on its key.
resource "aws_sqs_queue" "undelivered" {
  for_each = nonsensitive(var.failure_topic == null) ? {} : { failed = var.failure_topic }

  name                      = "${local.name}-failed-undelivered"
  message_retention_seconds = 1209600
  sqs_managed_sse_enabled   = true
  tags                      = var.tags
}

resource "aws_sqs_queue_policy" "undelivered" {
  for_each = aws_sqs_queue.undelivered

  queue_url = each.value.url

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "KeepEvents"
        Effect    = "Allow"
        Principal = { Service = "events.amazonaws.com" }
        Action    = "sqs:SendMessage"
        Resource  = "arn:${var.partition}:sqs:${var.region}:${var.account_id}:${local.name}-failed-undelivered"
        Condition = {
          StringEquals = { "aws:SourceAccount" = var.account_id }
          ArnEquals = {
            "aws:SourceArn" = "arn:${var.partition}:events:${var.region}:${var.account_id}:rule/${local.name}-failed"
          }
        }
      },
    ]
  })
}

locals {
  publisher_role_arn = one(concat(
    [for key, item in aws_iam_role_policy.publisher : aws_iam_role.publisher[key].arn],
    [
      for key, item in nonsensitive(var.failure_topic == null) ? {} : { failed = var.failure_topic } :
      item.existing_role.arn if !nonsensitive(item.existing_role == null)
    ],
  ))
}

resource "aws_cloudwatch_event_target" "failed" {
  for_each = aws_cloudwatch_event_rule.failed

  rule      = each.value.name
  target_id = "topic"
  arn       = aws_sns_topic.failed[each.key].arn
  role_arn  = local.publisher_role_arn

  dead_letter_config {
    arn = one([for queue in aws_sqs_queue.undelivered : queue.arn])
  }
}
