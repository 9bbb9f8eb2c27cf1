# Generated from module.py by smlops synth: change that, then run it again.

locals {
  name = "${var.name_prefix}-${var.name}"

  # Composed: a reference to the resource would be unknown in each plan that changes it.
  arn = "arn:${var.partition}:sagemaker:${var.region}:${var.account_id}:pipeline/${local.name}"

  # Normalized text, so that white space and the order of keys cause no change in a plan.
  definition = jsonencode(merge(
    jsondecode(var.definition),
    {
      Parameters = [
        for parameter in lookup(jsondecode(var.definition), "Parameters", []) : merge(
          parameter,
          {
            for name, value in var.parameters :
            "DefaultValue" => jsondecode(parameter.Type == "String" ? jsonencode(value) : value) if name == parameter.Name
          },
        )
      ]
    },
  ))
}

# Inline, because with a definition in S3 the provider plans an update each time, which then fails.
resource "aws_sagemaker_pipeline" "this" {
  pipeline_name         = local.name
  pipeline_display_name = local.name
  pipeline_description  = var.description
  pipeline_definition   = local.definition
  role_arn              = var.role_arn
  tags                  = var.tags

  parallelism_configuration {
    max_parallel_execution_steps = var.max_parallel_steps
  }

  lifecycle {
    precondition {
      condition     = length(local.definition) <= 1048576
      error_message = "definition: SageMaker allows 1048576 characters, and this has ${length(local.definition)} with its parameters; split the pipeline, or move long values to S3"
    }
  }
}

# For the review of a plan: one value that is unknown until apply, such as the ARN of a new role, makes the
# whole text above unknown.
resource "terraform_data" "definition" {
  input = {
    definition = var.definition
    parameters = var.parameters
  }
}

locals {
  # Empty without a trigger.
  starters = toset((nonsensitive(var.data_arrival == null) ? nonsensitive(var.schedule == null) : false) ? [] : ["starter"])
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
data "aws_iam_policy_document" "not_started" {
  for_each = aws_sqs_queue.not_started

  statement {
    sid       = "KeepFailedStarts"
    actions   = ["sqs:SendMessage"]
    resources = ["arn:${var.partition}:sqs:${var.region}:${var.account_id}:${local.name}-not-started"]

    principals {
      type        = "Service"
      identifiers = ["events.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [var.account_id]
    }

    condition {
      test     = "ArnEquals"
      variable = "aws:SourceArn"

      values = [
        "arn:${var.partition}:events:${var.region}:${var.account_id}:rule/${local.name}-data-arrived",
      ]
    }
  }
}

resource "aws_sqs_queue_policy" "not_started" {
  for_each = aws_sqs_queue.not_started

  queue_url = each.value.url
  policy    = data.aws_iam_policy_document.not_started[each.key].json
}

# Only for the rule and schedule of this pipeline. Scheduler passes the ARN of the group, not of the schedule.
data "aws_iam_policy_document" "starter_trust" {
  for_each = nonsensitive(var.existing_starter_role == null) ? local.starters : toset([])

  statement {
    sid     = "StartThisPipeline"
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["events.amazonaws.com", "scheduler.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [var.account_id]
    }

    condition {
      test     = "ArnEquals"
      variable = "aws:SourceArn"

      values = [
        "arn:${var.partition}:events:${var.region}:${var.account_id}:rule/${local.name}-data-arrived",
        "arn:${var.partition}:scheduler:${var.region}:${var.account_id}:schedule-group/${local.name}",
      ]
    }
  }
}

resource "aws_iam_role" "starter" {
  for_each = nonsensitive(var.existing_starter_role == null) ? local.starters : toset([])

  name_prefix          = "${substr("${local.name}-starter", 0, 37)}-"
  description          = "Starts the pipeline ${local.name}"
  path                 = var.role_path
  permissions_boundary = var.permissions_boundary_arn
  assume_role_policy   = data.aws_iam_policy_document.starter_trust[each.key].json
  tags                 = var.tags
}

data "aws_iam_policy_document" "starter" {
  for_each = nonsensitive(var.existing_starter_role == null) ? local.starters : toset([])

  statement {
    sid       = "Start"
    actions   = ["sagemaker:StartPipelineExecution"]
    resources = [local.arn]
  }

  statement {
    sid       = "KeepFailedStarts"
    actions   = ["sqs:SendMessage"]
    resources = ["arn:${var.partition}:sqs:${var.region}:${var.account_id}:${local.name}-not-started"]
  }
}

resource "aws_iam_role_policy" "starter" {
  for_each = aws_iam_role.starter

  name   = "start"
  role   = each.value.name
  policy = data.aws_iam_policy_document.starter[each.key].json
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

resource "aws_sns_topic" "failed" {
  for_each = nonsensitive(var.failure_topic == null) ? {} : { failed = var.failure_topic }

  name              = "${local.name}-failed"
  kms_master_key_id = each.value.kms_key_arn
  tags              = var.tags
}

# Has no Allow statement: roles publish by their own IAM policies. EventBridge assumes the role publisher.
data "aws_iam_policy_document" "failed" {
  for_each = nonsensitive(var.failure_topic == null) ? {} : { failed = var.failure_topic }

  statement {
    sid       = "DenyPlainHttp"
    effect    = "Deny"
    actions   = ["sns:Publish"]
    resources = ["arn:${var.partition}:sns:${var.region}:${var.account_id}:${local.name}-failed"]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
}

resource "aws_sns_topic_policy" "failed" {
  for_each = aws_sns_topic.failed

  arn    = each.value.arn
  policy = data.aws_iam_policy_document.failed[each.key].json
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
      currentPipelineExecutionStatus = ["Failed"]
    }
  })
}

locals {
  missing_publishers = {
    for key, item in nonsensitive(var.failure_topic == null) ? {} : { failed = var.failure_topic } : key => item
    if nonsensitive(item.existing_role == null)
  }
}

# EventBridge may assume the role only for these rules.
data "aws_iam_policy_document" "publisher_trust" {
  for_each = local.missing_publishers

  statement {
    sid     = "PublishEvents"
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["events.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [var.account_id]
    }

    condition {
      test     = "ArnEquals"
      variable = "aws:SourceArn"
      values   = ["arn:${var.partition}:events:${var.region}:${var.account_id}:rule/${local.name}-failed"]
    }
  }
}

resource "aws_iam_role" "publisher" {
  for_each = local.missing_publishers

  name_prefix          = "${substr("${local.name}-failed-publisher", 0, 37)}-"
  description          = "Publishes events to ${local.name}-failed"
  path                 = var.role_path
  permissions_boundary = var.permissions_boundary_arn
  assume_role_policy   = data.aws_iam_policy_document.publisher_trust[each.key].json
  tags                 = var.tags
}

data "aws_iam_policy_document" "publisher" {
  for_each = local.missing_publishers

  statement {
    sid       = "Publish"
    actions   = ["sns:Publish"]
    resources = ["arn:${var.partition}:sns:${var.region}:${var.account_id}:${local.name}-failed"]
  }

  statement {
    sid       = "PublishEncrypted"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = [each.value.kms_key_arn]

    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["sns.${var.region}.${var.partition == "aws-cn" ? "amazonaws.com.cn" : "amazonaws.com"}"]
    }
  }
}

resource "aws_iam_role_policy" "publisher" {
  for_each = aws_iam_role.publisher

  name   = "publish"
  role   = each.value.name
  policy = data.aws_iam_policy_document.publisher[each.key].json
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
}
