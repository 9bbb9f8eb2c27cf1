# Generated from module.py by smlops synth: change that, then run it again.

output "approval_rules" {
  description = "EventBridge rules by key of the group: attach a target to start a promotion."
  value       = { for key, rule in aws_cloudwatch_event_rule.approval : key => rule.name }
}

output "approval_topic_arn" {
  description = "Topic told of approvals and rejections; null where none is."
  value       = one([for topic in aws_sns_topic.approvals : topic.arn])
}

output "model_package_groups" {
  description = "Model package groups by key: name and arn."

  value = {
    for key, group in aws_sagemaker_model_package_group.this : key => {
      name = group.model_package_group_name
      arn  = group.arn
    }
  }
}

output "role_statements" {
  description = "What the resources here need of their roles, by phase: statements with sid, actions, resources and condition, as `role_statements` of `access` takes them."

  value = {
    pipeline = [
      {
        sid = "Register"
        actions = [
          "sagemaker:AddTags",
          "sagemaker:CreateModelPackage",
          "sagemaker:DescribeModelPackage",
          "sagemaker:DescribeModelPackageGroup",
          "sagemaker:ListModelPackages",
        ]
        resources = flatten([
          for name in [
            for key, group in var.model_package_groups : "${var.name_prefix}-${replace(key, "_", "-")}"
            ] : [
            "arn:${var.partition}:sagemaker:${var.region}:${var.account_id}:model-package-group/${name}",
            "arn:${var.partition}:sagemaker:${var.region}:${var.account_id}:model-package/${name}/*",
          ]
        ])
        condition = []
      },
    ]
  }
}
