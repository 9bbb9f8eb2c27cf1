# Generated from the module's page by smlops synth. Change the source, then run `smlops synth`.

output "health" {
  description = "Health alarm of each endpoint."
  value       = module.observability.alarm_names
}

output "alarm_names" {
  description = "Health alarm of each endpoint. It notifies the topic, except during a deployment."
  value       = module.observability.alarm_names
}

output "alarm_topic_arn" {
  description = "Topic of alarms, which require action."
  value       = module.observability.alarm_topic_arn
}

output "dashboard_name" {
  description = "Name of the dashboard; null without endpoints."
  value       = module.observability.dashboard_name
}

output "event_topic_arn" {
  description = "Topic of events. Most of them require no action."
  value       = module.observability.event_topic_arn
}

output "log_group_names" {
  description = "Log groups, by name."
  value       = module.observability.log_group_names
}
