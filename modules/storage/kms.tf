# Generated from module.py by smlops synth. Change the source, then run `smlops synth`.

locals {
  dns_suffix = var.partition == "aws-cn" ? "amazonaws.com.cn" : "amazonaws.com"
  own_key    = nonsensitive(var.existing_kms_key == null) ? toset(["own"]) : toset([])
}

# Roles of this account use the key by their own policies, because the first statement delegates to IAM.
# CloudWatch alarms have no role, so the key policy allows them. EventBridge publishes with a role.
resource "aws_kms_key" "this" {
  for_each = local.own_key

  description             = "Data, models and logs of ${var.name_prefix}"
  enable_key_rotation     = true
  deletion_window_in_days = var.deletion_protection ? 30 : 7
  tags                    = var.tags

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [
        {
          Sid       = "Account"
          Effect    = "Allow"
          Principal = { AWS = "arn:${var.partition}:iam::${var.account_id}:root" }
          Action    = "kms:*"
          Resource  = "*"
        },
        {
          Sid       = "LogGroups"
          Effect    = "Allow"
          Principal = { Service = "logs.${var.region}.${local.dns_suffix}" }
          Action = [
            "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*",
          ]
          Resource = "*"
          Condition = {
            ArnLike = {
              "kms:EncryptionContext:aws:logs:arn" = "arn:${var.partition}:logs:${var.region}:${var.account_id}:log-group:*"
            }
          }
        },
        {
          Sid       = "Topics"
          Effect    = "Allow"
          Principal = { Service = "cloudwatch.amazonaws.com" }
          Action    = ["kms:Decrypt", "kms:GenerateDataKey*"]
          Resource  = "*"
          Condition = {
            StringEquals = { "aws:SourceAccount" = var.account_id }
            ArnLike = {
              "aws:SourceArn"                          = "arn:${var.partition}:cloudwatch:${var.region}:${var.account_id}:alarm:*"
              "kms:EncryptionContext:aws:sns:topicArn" = "arn:${var.partition}:sns:${var.region}:${var.account_id}:${var.name_prefix}-*"
            }
          }
        },
      ],
      [
        for sid in length(var.reader_account_ids) > 0 ? ["DecryptModels"] : [] : {
          Sid       = sid
          Effect    = "Allow"
          Principal = { AWS = local.readers }
          Action    = "kms:Decrypt"
          Resource  = "*"
          Condition = { StringEquals = { "kms:ViaService" = "s3.${var.region}.${local.dns_suffix}" } }
        }
      ],
    )
  })
}

resource "aws_kms_alias" "this" {
  for_each = aws_kms_key.this

  name          = "alias/${var.name_prefix}"
  target_key_id = each.value.key_id
}
