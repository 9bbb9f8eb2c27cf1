# Generated from the module's page by smlops synth. Change the source, then run `smlops synth`.

output "arn" {
  description = "ARN of the pipeline."
  value       = module.pipeline.arn
}

output "dead_letter_queue_names" {
  description = "Dead-letter queues of failed starts and of the failure topic, for `dead_letter_queues` of `observability`."
  value       = module.pipeline.dead_letter_queue_names
}

output "dead_letter_queue_url" {
  description = "Dead-letter queue of failed starts; null without a trigger."
  value       = module.pipeline.dead_letter_queue_url
}

output "drift_alarm_arn" {
  description = "Alarm on drift; null without one."
  value       = module.pipeline.drift_alarm_arn
}

output "failure_topic_arn" {
  description = "Topic of failed executions; null without one."
  value       = module.pipeline.failure_topic_arn
}

output "name" {
  description = "Name of the pipeline."
  value       = module.pipeline.name
}

output "role_statements" {
  description = "IAM statements that these resources need in the `pipeline` role: a map of lists by phase, with sid, actions, resources and condition. Add it to the list `role_statements` of `access`."
  value       = module.pipeline.role_statements
}

output "rule_names" {
  description = "EventBridge rules by event; null without a rule."
  value       = module.pipeline.rule_names
}

output "schedule_name" {
  description = "Schedule, in the group of the same name; null without one."
  value       = module.pipeline.schedule_name
}

output "starter_role_arn" {
  description = "Role that starts the pipeline; null without a trigger."
  value       = module.pipeline.starter_role_arn
}
