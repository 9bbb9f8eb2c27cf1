# Generated from module.py by smlops synth. Change the source, then run `smlops synth`.

output "alarm_names" {
  description = "Health alarm of each endpoint. It notifies the topic, except during a deployment."
  value       = { for key, alarm in aws_cloudwatch_composite_alarm.health : key => alarm.alarm_name }
}

output "alarm_topic_arn" {
  description = "Topic of alarms, which require action."
  value       = aws_sns_topic.alarms.arn
}

output "dashboard_name" {
  description = "Name of the dashboard; null without endpoints."
  value       = one([for dashboard in aws_cloudwatch_dashboard.this : dashboard.dashboard_name])
}

output "event_topic_arn" {
  description = "Topic of events. Most of them require no action."
  value       = aws_sns_topic.events.arn
}

output "log_group_names" {
  description = "Log groups, by name."
  value       = { for key, group in aws_cloudwatch_log_group.this : key => group.name }
}
