# Generated from module.py by smlops synth. Change the source, then run `smlops synth`.

resource "aws_sns_topic" "failed" {
  for_each = nonsensitive(var.failure_topic == null) ? {} : { failed = var.failure_topic }

  name              = "${local.name}-failed"
  kms_master_key_id = each.value.kms_key_arn
  tags              = var.tags
}

# Has no Allow statement: roles publish by their own IAM policies. EventBridge assumes the role publisher.
resource "aws_sns_topic_policy" "failed" {
  for_each = aws_sns_topic.failed

  arn = each.value.arn

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "DenyPlainHttp"
        Effect    = "Deny"
        Principal = "*"
        Action    = "sns:Publish"
        Resource  = "arn:${var.partition}:sns:${var.region}:${var.account_id}:${local.name}-failed"
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
  })
}

resource "aws_sns_topic_subscription" "failed" {
  for_each = nonsensitive(var.failure_topic == null) ? {} : var.failure_topic.subscribers

  topic_arn = aws_sns_topic.failed["failed"].arn
  protocol  = each.value.protocol
  endpoint  = each.value.endpoint
}
