# Generated from the module's page by smlops synth. Change the source, then run `smlops synth`.

output "endpoint_arn" {
  description = "ARN of the endpoint."
  value       = module.realtime_endpoint.endpoint_arn
}

output "endpoint_name" {
  description = "Name of the endpoint to invoke."
  value       = module.realtime_endpoint.endpoint_name
}

output "log_group_name" {
  description = "Log group of the endpoint's containers."
  value       = module.realtime_endpoint.log_group_name
}

output "role_statements" {
  description = "IAM statements that these resources need in the `inference` role: a map of lists by phase, with sid, actions, resources and condition. Add it to the list `role_statements` of `access`."
  value       = module.realtime_endpoint.role_statements
}

output "rollback_alarm_names" {
  description = "Names of the alarms that roll a deployment back. Each notifies alarm_actions."
  value       = module.realtime_endpoint.rollback_alarm_names
}

output "variant_names" {
  description = "Names of the variants that serve requests, for metrics and autoscaling."
  value       = module.realtime_endpoint.variant_names
}
