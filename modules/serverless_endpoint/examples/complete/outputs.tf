# Generated from the module's page by smlops synth. Change the source, then run `smlops synth`.

output "endpoint_name" {
  description = "Name of the endpoint to invoke."
  value       = module.serverless_endpoint.endpoint_name
}

output "endpoint_arn" {
  description = "ARN of the endpoint."
  value       = module.serverless_endpoint.endpoint_arn
}

output "log_group_name" {
  description = "Log group of the endpoint's containers."
  value       = module.serverless_endpoint.log_group_name
}

output "role_statements" {
  description = "IAM statements that these resources need in the `inference` role: a map of lists by phase, with sid, actions, resources and condition. Add it to the list `role_statements` of `access`."
  value       = module.serverless_endpoint.role_statements
}

output "variant_name" {
  description = "Name of the only variant, for metrics and autoscaling."
  value       = module.serverless_endpoint.variant_name
}
