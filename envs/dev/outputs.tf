# Generated from settings.yaml, ../catalogue and ../components by smlops synth: change that, then run it again.

output "pipeline_failure_topics" {
  description = "Topic to subscribe to for failed runs, by pipeline."

  value = {
    flight_delay = module.pipeline_flight_delay.failure_topic_arn
  }
}

output "platform" {
  description = "What launchers need: names and ARNs, as the SSM parameter holds them, and the feature groups."
  value       = merge(local.platform, { feature_groups = module.feature_store.feature_groups })
}

output "platform_parameter" {
  description = "SSM parameter that holds `platform` as JSON."
  value       = aws_ssm_parameter.platform.name
}

output "serverless_endpoints" {
  description = "Name of the endpoint to invoke, by model."
  value       = { for name, endpoint in module.serverless_endpoint : name => endpoint.endpoint_name }
}

output "topics" {
  description = "Topics to subscribe to: alarms, which call for somebody, and events."

  value = {
    alarms = module.observability.alarm_topic_arn
    events = module.observability.event_topic_arn
  }
}
