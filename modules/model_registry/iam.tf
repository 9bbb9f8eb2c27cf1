# Generated from module.py by smlops synth. Change the source, then run `smlops synth`.

locals {
  missing_publishers = {
    for key, item in nonsensitive(var.approval_topic == null) ? {} : { approvals = var.approval_topic } :
    key => item if nonsensitive(item.existing_role == null)
  }
}

# EventBridge may assume the role only for these rules.
resource "aws_iam_role" "publisher" {
  for_each = local.missing_publishers

  name_prefix          = "${substr("${var.name_prefix}-model-approvals-publisher", 0, 37)}-"
  description          = "Publishes events to ${var.name_prefix}-model-approvals"
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
            "aws:SourceArn" = "arn:${var.partition}:events:${var.region}:${var.account_id}:rule/${var.name_prefix}-*-approval"
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
        Resource = "arn:${var.partition}:sns:${var.region}:${var.account_id}:${var.name_prefix}-model-approvals"
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

# EventBridge may assume the role only for these rules.
resource "aws_iam_role" "delivery" {
  for_each = {
    for key, item in nonsensitive(var.delivery == null) ? {} : { delivery = var.delivery } : key => item
    if nonsensitive(item.existing_role == null)
  }

  name_prefix          = "${substr("${var.name_prefix}-model-delivery", 0, 37)}-"
  description          = "Invokes the API destination ${var.name_prefix}-model-delivery"
  path                 = var.role_path
  permissions_boundary = var.permissions_boundary_arn
  tags                 = var.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "StartDelivery"
        Effect    = "Allow"
        Principal = { Service = "events.amazonaws.com" }
        Action    = "sts:AssumeRole"
        Condition = {
          StringEquals = { "aws:SourceAccount" = var.account_id }
          ArnLike = {
            "aws:SourceArn" = "arn:${var.partition}:events:${var.region}:${var.account_id}:rule/${var.name_prefix}-*-delivery"
          }
        }
      },
    ]
  })
}

# The second ARN has the ID that AWS adds to the name; both name only this destination.
resource "aws_iam_role_policy" "delivery" {
  for_each = aws_iam_role.delivery

  name = "invoke"
  role = each.value.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "Invoke"
        Effect = "Allow"
        Action = "events:InvokeApiDestination"
        Resource = [
          "arn:${var.partition}:events:${var.region}:${var.account_id}:api-destination/${var.name_prefix}-model-delivery",
          "arn:${var.partition}:events:${var.region}:${var.account_id}:api-destination/${var.name_prefix}-model-delivery/*",
        ]
      },
    ]
  })
}
