# Generated from module.py by smlops synth. Change the source, then run `smlops synth`.

# Only for the rules and the schedule of this pipeline. Scheduler passes the ARN of the group, not of the
# schedule.
resource "aws_iam_role" "starter" {
  for_each = nonsensitive(var.existing_starter_role == null) ? local.starters : toset([])

  name_prefix          = "${substr("${local.name}-starter", 0, 37)}-"
  description          = "Starts the pipeline ${local.name}"
  path                 = var.role_path
  permissions_boundary = var.permissions_boundary_arn
  tags                 = var.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "StartThisPipeline"
        Effect    = "Allow"
        Principal = { Service = ["events.amazonaws.com", "scheduler.amazonaws.com"] }
        Action    = "sts:AssumeRole"
        Condition = {
          StringEquals = { "aws:SourceAccount" = var.account_id }
          ArnEquals = {
            "aws:SourceArn" = concat(
              local.trigger_rule_arns,
              [
                "arn:${var.partition}:scheduler:${var.region}:${var.account_id}:schedule-group/${local.name}",
              ],
            )
          }
        }
      },
    ]
  })
}

resource "aws_iam_role_policy" "starter" {
  for_each = aws_iam_role.starter

  name = "start"
  role = each.value.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "Start"
        Effect   = "Allow"
        Action   = "sagemaker:StartPipelineExecution"
        Resource = local.arn
      },
      {
        Sid      = "KeepFailedStarts"
        Effect   = "Allow"
        Action   = "sqs:SendMessage"
        Resource = "arn:${var.partition}:sqs:${var.region}:${var.account_id}:${local.name}-not-started"
      },
    ]
  })
}

locals {
  missing_publishers = {
    for key, item in nonsensitive(var.failure_topic == null) ? {} : { failed = var.failure_topic } : key => item
    if nonsensitive(item.existing_role == null)
  }
}

# EventBridge may assume the role only for these rules.
resource "aws_iam_role" "publisher" {
  for_each = local.missing_publishers

  name_prefix          = "${substr("${local.name}-failed-publisher", 0, 37)}-"
  description          = "Publishes events to ${local.name}-failed"
  path                 = var.role_path
  permissions_boundary = var.permissions_boundary_arn
  tags                 = var.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "PublishEvents"
        Effect    = "Allow"
        Principal = { Service = "events.amazonaws.com" }
        Action    = "sts:AssumeRole"
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

resource "terraform_data" "publisher_policy" {
  for_each = local.missing_publishers

  # A plan shows these statements, even if an ARN in them is unknown until apply.
  input = {
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "Publish"
        Effect   = "Allow"
        Action   = "sns:Publish"
        Resource = "arn:${var.partition}:sns:${var.region}:${var.account_id}:${local.name}-failed"
      },
      {
        Sid      = "PublishEncrypted"
        Effect   = "Allow"
        Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource = each.value.kms_key_arn
        Condition = {
          StringEquals = {
            "kms:ViaService" = "sns.${var.region}.${var.partition == "aws-cn" ? "amazonaws.com.cn" : "amazonaws.com"}"
          }
        }
      },
    ]
  }
}

resource "aws_iam_role_policy" "publisher" {
  for_each = aws_iam_role.publisher

  name   = "publish"
  role   = each.value.name
  policy = jsonencode(terraform_data.publisher_policy[each.key].input)
}
