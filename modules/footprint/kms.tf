# Generated from module.py by smlops synth. Change the source, then run `smlops synth`.

locals {
  own_key = nonsensitive(var.existing_kms_key == null) ? toset(["own"]) : toset([])
}

# AWS services cannot publish to a topic with the key that AWS manages for SNS. Source: Cost Management user
# guide, "Creating an Amazon SNS topic for budget notifications" and "… for anomaly notifications".
resource "aws_kms_key" "this" {
  for_each = local.own_key

  description             = "Notifications on costs of ${var.name_prefix}"
  enable_key_rotation     = true
  deletion_window_in_days = 7
  tags                    = var.tags

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "Account"
        Effect    = "Allow"
        Principal = { AWS = "arn:${var.partition}:iam::${var.account_id}:root" }
        Action    = "kms:*"
        Resource  = "*"
      },
      {
        Sid       = "Budgets"
        Effect    = "Allow"
        Principal = { Service = "budgets.amazonaws.com" }
        Action    = ["kms:Decrypt", "kms:GenerateDataKey*"]
        Resource  = "*"
        Condition = {
          StringEquals = { "aws:SourceAccount" = var.account_id }
          ArnLike      = { "aws:SourceArn" = "arn:${var.partition}:budgets::${var.account_id}:*" }
        }
      },
      {
        Sid       = "CostAnomalies"
        Effect    = "Allow"
        Principal = { Service = "costalerts.amazonaws.com" }
        Action    = ["kms:Decrypt", "kms:GenerateDataKey*"]
        Resource  = "*"
        Condition = { StringEquals = { "aws:SourceAccount" = var.account_id } }
      },
    ]
  })
}

resource "aws_kms_alias" "this" {
  for_each = aws_kms_key.this

  name          = "alias/${var.name_prefix}-costs"
  target_key_id = each.value.key_id
}
