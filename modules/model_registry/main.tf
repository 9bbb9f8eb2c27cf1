# Generated from module.py by smlops synth. Change the source, then run `smlops synth`.

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

# Terraform refuses to destroy or replace these guards, and so any plan that deletes or replaces the data.
# prevent_destroy takes no variable, so it is not an argument of the data itself.
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

resource "aws_sagemaker_model_package_group_policy" "readers" {
  for_each = local.shared_groups

  model_package_group_name = aws_sagemaker_model_package_group.this[each.key].model_package_group_name

  resource_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "FindGroup"
        Effect = "Allow"
        Principal = {
          AWS = [for account in each.value.reader_account_ids : "arn:${var.partition}:iam::${account}:root"]
        }
        Action   = "sagemaker:DescribeModelPackageGroup"
        Resource = "arn:${var.partition}:sagemaker:${var.region}:${var.account_id}:model-package-group/${var.name_prefix}-${replace(each.key, "_", "-")}"
      },
      {
        Sid    = "ReadAndDeployPackages"
        Effect = "Allow"
        Principal = {
          AWS = [for account in each.value.reader_account_ids : "arn:${var.partition}:iam::${account}:root"]
        }
        Action = [
          "sagemaker:CreateModel", "sagemaker:DescribeModelPackage", "sagemaker:ListModelPackages",
        ]
        Resource = "arn:${var.partition}:sagemaker:${var.region}:${var.account_id}:model-package/${var.name_prefix}-${replace(each.key, "_", "-")}/*"
      },
    ]
  })
}

data "aws_caller_identity" "location" {
  for_each = toset(var.verify_location ? ["caller"] : [])
}

data "aws_region" "location" {
  for_each = toset(var.verify_location ? ["caller"] : [])
}

check "location" {
  assert {
    condition     = alltrue([for identity in data.aws_caller_identity.location : identity.account_id == var.account_id]) ? alltrue([for region in data.aws_region.location : region.id == var.region]) : false
    error_message = "the provider works in another account or Region than ${var.account_id} and ${var.region}; correct account_id and region, or pass another provider."
  }
}
