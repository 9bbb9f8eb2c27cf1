# Generated from module.py by smlops synth. Change the source, then run `smlops synth`.

locals {
  kms_key_arn = var.existing_kms_key == null ? one([for key in aws_kms_key.this : key.arn]) : var.existing_kms_key.arn
}

resource "aws_sns_topic" "costs" {
  name              = "${var.name_prefix}-costs"
  kms_master_key_id = local.kms_key_arn
  tags              = var.tags
}

# Budgets and Cost Anomaly Detection have no role, so the policy allows them for this account only.
resource "aws_sns_topic_policy" "costs" {
  arn = aws_sns_topic.costs.arn

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "Budgets"
        Effect    = "Allow"
        Principal = { Service = "budgets.amazonaws.com" }
        Action    = "sns:Publish"
        Resource  = "arn:${var.partition}:sns:${var.region}:${var.account_id}:${var.name_prefix}-costs"
        Condition = {
          StringEquals = { "aws:SourceAccount" = var.account_id }
          ArnLike      = { "aws:SourceArn" = "arn:${var.partition}:budgets::${var.account_id}:*" }
        }
      },
      {
        Sid       = "CostAnomalies"
        Effect    = "Allow"
        Principal = { Service = "costalerts.amazonaws.com" }
        Action    = "sns:Publish"
        Resource  = "arn:${var.partition}:sns:${var.region}:${var.account_id}:${var.name_prefix}-costs"
        Condition = { StringEquals = { "aws:SourceAccount" = var.account_id } }
      },
      {
        Sid       = "DenyPlainHttp"
        Effect    = "Deny"
        Principal = "*"
        Action    = "sns:Publish"
        Resource  = "arn:${var.partition}:sns:${var.region}:${var.account_id}:${var.name_prefix}-costs"
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
  })
}

resource "aws_sns_topic_subscription" "costs" {
  for_each = var.subscribers

  topic_arn = aws_sns_topic.costs.arn
  protocol  = each.value.protocol
  endpoint  = each.value.endpoint
}
