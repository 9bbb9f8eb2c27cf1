# Generated from module.py by scripts/synth.py: change that, then run it again.

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
