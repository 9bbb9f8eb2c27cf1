# Generated from module.py by smlops synth. Change the source, then run `smlops synth`.

locals {
  missing_publishers = {
    for key, item in local.publishers : key => item if nonsensitive(item.existing_role == null)
  }
}

# EventBridge may assume the role only for these rules.
resource "aws_iam_role" "publisher" {
  for_each = local.missing_publishers

  name_prefix          = "${substr("${var.name_prefix}-events-publisher", 0, 37)}-"
  description          = "Publishes events to ${var.name_prefix}-events"
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
          ArnLike = {
            "aws:SourceArn" = concat(
              [
                "arn:${var.partition}:events:${var.region}:${var.account_id}:rule/${var.name_prefix}.*",
                "arn:${var.partition}:events:${var.region}:${var.account_id}:rule/${var.name_prefix}-*",
              ],
              [
                for endpoint in var.endpoints :
                "arn:${var.partition}:events:${var.region}:${var.account_id}:rule/${endpoint.name}"
                if !can(regex("^${var.name_prefix}-", endpoint.name))
              ],
            )
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
        Sid    = "Publish"
        Effect = "Allow"
        Action = "sns:Publish"
        Resource = [
          "arn:${var.partition}:sns:${var.region}:${var.account_id}:${var.name_prefix}-alarms",
          "arn:${var.partition}:sns:${var.region}:${var.account_id}:${var.name_prefix}-events",
        ]
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

resource "aws_iam_role" "stopper" {
  for_each = toset(length(local.idle_stops) > 0 ? ["idle"] : [])

  name_prefix          = "${substr("${var.name_prefix}-idle-stopper", 0, 37)}-"
  description          = "Deletes idle endpoints, or reports them, in ${var.name_prefix}"
  path                 = var.role_path
  permissions_boundary = var.permissions_boundary_arn
  tags                 = var.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect    = "Allow"
        Principal = { Service = "ssm.amazonaws.com" }
        Action    = "sts:AssumeRole"
        Condition = {
          StringEquals = { "aws:SourceAccount" = var.account_id }
          ArnLike = {
            "aws:SourceArn" = "arn:${var.partition}:ssm:${var.region}:${var.account_id}:automation-execution/*"
          }
        }
      },
    ]
  })
}

# Composite alarms are visible only with permission for all alarms.
resource "terraform_data" "stopper_policy" {
  for_each = toset(length(local.idle_stops) > 0 ? ["idle"] : [])

  # A plan shows these statements, even if an ARN in them is unknown until apply.
  input = {
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "ReadAlarms"
        Effect   = "Allow"
        Action   = "cloudwatch:DescribeAlarms"
        Resource = "*"
      },
      {
        Sid    = "ReadEndpoints"
        Effect = "Allow"
        Action = "sagemaker:DescribeEndpoint"
        Resource = [
          for key, stop in local.idle_stops :
          "arn:${var.partition}:sagemaker:${var.region}:${var.account_id}:endpoint/${lower(var.endpoints[key].name)}"
          if stop != "off"
        ]
      },
      {
        Sid      = "PublishReports"
        Effect   = "Allow"
        Action   = "sns:Publish"
        Resource = "arn:${var.partition}:sns:${var.region}:${var.account_id}:${var.name_prefix}-alarms"
      },
      {
        Sid      = "EncryptReports"
        Effect   = "Allow"
        Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource = var.kms_key_arn
        Condition = {
          StringEquals = {
            "kms:ViaService" = "sns.${var.region}.${var.partition == "aws-cn" ? "amazonaws.com.cn" : "amazonaws.com"}"
          }
        }
      },
    ]
  }
}

resource "aws_iam_role_policy" "stopper" {
  for_each = toset(length(local.idle_stops) > 0 ? ["idle"] : [])

  name   = "stopper"
  role   = aws_iam_role.stopper[each.key].name
  policy = jsonencode(terraform_data.stopper_policy[each.key].input)
}

# Only with idle_stop delete. With report, the role can delete nothing.
resource "aws_iam_role_policy" "deleter" {
  for_each = toset(length([for key, stop in local.idle_stops : stop if stop == "delete"]) > 0 ? ["idle"] : [])

  name = "deleter"
  role = aws_iam_role.stopper[each.key].name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "DeleteIdle"
        Effect = "Allow"
        Action = "sagemaker:DeleteEndpoint"
        Resource = [
          for key, stop in local.idle_stops :
          "arn:${var.partition}:sagemaker:${var.region}:${var.account_id}:endpoint/${lower(var.endpoints[key].name)}"
          if stop == "delete"
        ]
      },
      {
        Sid       = "DeregisterScaling"
        Effect    = "Allow"
        Action    = "application-autoscaling:DeregisterScalableTarget"
        Resource  = "arn:${var.partition}:application-autoscaling:${var.region}:${var.account_id}:scalable-target/*"
        Condition = { StringEquals = { "application-autoscaling:service-namespace" = "sagemaker" } }
      },
    ]
  })
}

resource "aws_iam_role" "starter" {
  for_each = toset(length(local.idle_stops) > 0 ? ["idle"] : [])

  name_prefix          = "${substr("${var.name_prefix}-idle-starter", 0, 37)}-"
  description          = "Starts the runbook that deletes idle endpoints, or reports them, in ${var.name_prefix}"
  path                 = var.role_path
  permissions_boundary = var.permissions_boundary_arn
  tags                 = var.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect    = "Allow"
        Principal = { Service = "events.amazonaws.com" }
        Action    = "sts:AssumeRole"
        Condition = {
          StringEquals = { "aws:SourceAccount" = var.account_id }
          ArnLike = {
            "aws:SourceArn" = "arn:${var.partition}:events:${var.region}:${var.account_id}:rule/*.idle"
          }
        }
      },
    ]
  })
}

resource "terraform_data" "starter_policy" {
  for_each = toset(length(local.idle_stops) > 0 ? ["idle"] : [])

  # A plan shows these statements, even if an ARN in them is unknown until apply.
  input = {
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "Start"
        Effect = "Allow"
        Action = "ssm:StartAutomationExecution"
        Resource = [
          "arn:${var.partition}:ssm:${var.region}:${var.account_id}:automation-definition/${var.name_prefix}-stop-idle-endpoint:$DEFAULT",
          "arn:${var.partition}:ssm:${var.region}:${var.account_id}:document/${var.name_prefix}-stop-idle-endpoint",
        ]
      },
      {
        Sid       = "HandOnRole"
        Effect    = "Allow"
        Action    = "iam:PassRole"
        Resource  = aws_iam_role.stopper[each.key].arn
        Condition = { StringEquals = { "iam:PassedToService" = "ssm.amazonaws.com" } }
      },
    ]
  }
}

resource "aws_iam_role_policy" "starter" {
  for_each = toset(length(local.idle_stops) > 0 ? ["idle"] : [])

  name   = "starter"
  role   = aws_iam_role.starter[each.key].name
  policy = jsonencode(terraform_data.starter_policy[each.key].input)
}
