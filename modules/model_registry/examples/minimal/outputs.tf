# Generated from the module's page by smlops synth. Change the source, then run `smlops synth`.

output "approval_rules" {
  description = "EventBridge rules by key of the group: attach a target to start your delivery."
  value       = module.model_registry.approval_rules
}

output "approval_topic_arn" {
  description = "Topic of approvals and rejections; null without one."
  value       = module.model_registry.approval_topic_arn
}

output "dead_letter_queue_names" {
  description = "Dead-letter queues of the approval topic and of the delivery pipeline, for `dead_letter_queues` of `observability`."
  value       = module.model_registry.dead_letter_queue_names
}

output "delivery_dead_letter_queue_url" {
  description = "Dead-letter queue of approvals that did not start the delivery pipeline; null without `delivery`."
  value       = module.model_registry.delivery_dead_letter_queue_url
}

output "model_package_groups" {
  description = "Model package groups by key: name and arn."
  value       = module.model_registry.model_package_groups
}

output "role_statements" {
  description = "IAM statements that these resources need in the `pipeline` role: a map of lists by phase, with sid, actions, resources and condition. Add it to the list `role_statements` of `access`."
  value       = module.model_registry.role_statements
}
