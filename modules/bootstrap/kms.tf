# Generated from module.py by smlops synth. Change the source, then run `smlops synth`.

locals {
  own_key = nonsensitive(var.existing_kms_key == null) ? toset(["own"]) : toset([])
}

# Roles of this account use the key by their own policies, because the statement delegates to IAM.
resource "aws_kms_key" "state" {
  for_each = local.own_key

  description             = "Terraform state of ${var.name_prefix}"
  enable_key_rotation     = true
  deletion_window_in_days = var.deletion_protection ? 30 : 7
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
    ]
  })
}

resource "aws_kms_alias" "state" {
  for_each = aws_kms_key.state

  name          = "alias/${var.name_prefix}-state"
  target_key_id = each.value.key_id
}
