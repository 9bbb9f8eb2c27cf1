# Generated from the module's page by smlops synth. Change the source, then run `smlops synth`.

output "answers_s3_uri" {
  description = "S3 prefix of responses."
  value       = module.async_endpoint.answers_s3_uri
}

output "endpoint_arn" {
  description = "ARN of the endpoint."
  value       = module.async_endpoint.endpoint_arn
}

output "endpoint_name" {
  description = "Name of the endpoint to invoke."
  value       = module.async_endpoint.endpoint_name
}

output "failures_s3_uri" {
  description = "S3 prefix of the reasons of failed requests."
  value       = module.async_endpoint.failures_s3_uri
}

output "log_group_name" {
  description = "Log group of the endpoint's containers."
  value       = module.async_endpoint.log_group_name
}

output "requests_s3_uri" {
  description = "S3 prefix of requests. The role can read no other prefix."
  value       = module.async_endpoint.requests_s3_uri
}

output "role_statements" {
  description = "IAM statements that these resources need in the `inference` role: a map of lists by phase, with sid, actions, resources and condition. Add it to the list `role_statements` of `access`."
  value       = module.async_endpoint.role_statements
}

output "topic_arns" {
  description = "Topics to subscribe to, by result: error, success."
  value       = module.async_endpoint.topic_arns
}

output "variant_name" {
  description = "Name of the only variant, for metrics and autoscaling."
  value       = module.async_endpoint.variant_name
}
