# Generated from module.py by scripts/synth.py: change that, then run it again.

resource "aws_sagemaker_model_package_group" "this" {
  for_each = var.model_package_groups

  model_package_group_name        = "${var.name_prefix}-${replace(each.key, "_", "-")}"
  model_package_group_description = each.value.description
  tags                            = var.tags

  # The provider would replace the group to change its description.
  lifecycle {
    ignore_changes = [model_package_group_description]
  }
}

# Terraform refuses to destroy or replace these, and with them any plan that deletes or replaces the data.
# prevent_destroy takes no variable, hence a guard for each piece of data and not an argument of it.
resource "terraform_data" "deletion_protection" {
  for_each = var.deletion_protection ? { for key, group in aws_sagemaker_model_package_group.this : key => group.arn } : {}

  triggers_replace = each.value

  lifecycle {
    prevent_destroy = true
  }
}

locals {
  shared_groups = {
    for key, group in var.model_package_groups : key => group if length(group.reader_account_ids) > 0
  }
}

data "aws_iam_policy_document" "readers" {
  for_each = local.shared_groups

  statement {
    sid     = "FindGroup"
    actions = ["sagemaker:DescribeModelPackageGroup"]

    resources = [
      "arn:${var.partition}:sagemaker:${var.region}:${var.account_id}:model-package-group/${var.name_prefix}-${replace(each.key, "_", "-")}",
    ]

    principals {
      type        = "AWS"
      identifiers = [for account in each.value.reader_account_ids : "arn:${var.partition}:iam::${account}:root"]
    }
  }

  statement {
    sid = "ReadAndDeployPackages"

    actions = [
      "sagemaker:CreateModel", "sagemaker:DescribeModelPackage", "sagemaker:ListModelPackages",
    ]

    resources = [
      "arn:${var.partition}:sagemaker:${var.region}:${var.account_id}:model-package/${var.name_prefix}-${replace(each.key, "_", "-")}/*",
    ]

    principals {
      type        = "AWS"
      identifiers = [for account in each.value.reader_account_ids : "arn:${var.partition}:iam::${account}:root"]
    }
  }
}

resource "aws_sagemaker_model_package_group_policy" "readers" {
  for_each = local.shared_groups

  model_package_group_name = aws_sagemaker_model_package_group.this[each.key].model_package_group_name
  resource_policy          = data.aws_iam_policy_document.readers[each.key].json
}

# So that a promotion starts when a person approves a model, and nothing has to poll.
resource "aws_cloudwatch_event_rule" "approval" {
  for_each = aws_sagemaker_model_package_group.this

  name        = "${var.name_prefix}-${replace(each.key, "_", "-")}-approval"
  description = "A model package of ${each.value.model_package_group_name} was approved or rejected."
  tags        = var.tags

  event_pattern = jsonencode({
    source      = ["aws.sagemaker"]
    detail-type = ["SageMaker Model Package State Change"]
    detail = {
      ModelPackageGroupName = [each.value.model_package_group_name]
      ModelApprovalStatus   = ["Approved", "Rejected"]
    }
  })
}

resource "aws_sns_topic" "approvals" {
  for_each = var.approval_topic == null ? {} : { approvals = var.approval_topic }

  name              = "${var.name_prefix}-model-approvals"
  kms_master_key_id = each.value.kms_key_arn
  tags              = var.tags
}

# No condition: EventBridge sends none of the context that one could test when it publishes to a topic.
data "aws_iam_policy_document" "approvals" {
  for_each = var.approval_topic == null ? {} : { approvals = var.approval_topic }

  statement {
    sid     = "PublishApprovals"
    actions = ["sns:Publish"]

    resources = [
      "arn:${var.partition}:sns:${var.region}:${var.account_id}:${var.name_prefix}-model-approvals",
    ]

    principals {
      type        = "Service"
      identifiers = ["events.amazonaws.com"]
    }
  }
}

resource "aws_sns_topic_policy" "approvals" {
  for_each = aws_sns_topic.approvals

  arn    = each.value.arn
  policy = data.aws_iam_policy_document.approvals[each.key].json
}

resource "aws_cloudwatch_event_target" "approvals" {
  for_each = {
    for key, rule in aws_cloudwatch_event_rule.approval : key => rule.name if var.approval_topic != null
  }

  rule      = each.value
  target_id = "topic"
  arn       = aws_sns_topic.approvals["approvals"].arn
}
