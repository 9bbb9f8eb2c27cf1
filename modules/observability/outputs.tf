# Generated from module.py by smlops synth: change that, then run it again.

output "alarm_names" {
  description = "The alarm of each endpoint's health: it tells the topic, but not during a deployment."
  value       = { for key, alarm in aws_cloudwatch_composite_alarm.health : key => alarm.alarm_name }
}

output "alarm_topic_arn" {
  description = "Topic of alarms: whoever subscribes should act."
  value       = aws_sns_topic.alarms.arn
}

output "dashboard_name" {
  description = "Dashboard; null without endpoints."
  value       = one([for made in aws_cloudwatch_dashboard.this : made.dashboard_name])
}

output "event_topic_arn" {
  description = "Topic of events, of which most need nobody to act."
  value       = aws_sns_topic.events.arn
}

output "log_group_names" {
  description = "Log groups, by name."
  value       = { for key, made in aws_cloudwatch_log_group.this : key => made.name }
}
