# Generated from module.py by smlops synth. Change the source, then run `smlops synth`.

resource "aws_sns_topic" "approvals" {
  for_each = nonsensitive(var.approval_topic == null) ? {} : { approvals = var.approval_topic }

  name              = "${var.name_prefix}-model-approvals"
  kms_master_key_id = each.value.kms_key_arn
  tags              = var.tags
}

# Has no Allow statement: roles publish by their own IAM policies. EventBridge assumes the role publisher.
resource "aws_sns_topic_policy" "approvals" {
  for_each = aws_sns_topic.approvals

  arn = each.value.arn

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "DenyPlainHttp"
        Effect    = "Deny"
        Principal = "*"
        Action    = "sns:Publish"
        Resource  = "arn:${var.partition}:sns:${var.region}:${var.account_id}:${var.name_prefix}-model-approvals"
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
  })
}

resource "aws_sns_topic_subscription" "approvals" {
  for_each = nonsensitive(var.approval_topic == null) ? {} : var.approval_topic.subscribers

  topic_arn = aws_sns_topic.approvals["approvals"].arn
  protocol  = each.value.protocol
  endpoint  = each.value.endpoint
}
