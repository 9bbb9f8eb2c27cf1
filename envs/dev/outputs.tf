# Generated from settings.yaml, ../catalogue and ../components by smlops synth. Change the source, then run `smlops synth`.

output "pipeline_failure_topics" {
  description = "Topics of failed executions, by pipeline."

  value = {
    flight_delay = module.pipeline_flight_delay.failure_topic_arn
  }
}

output "platform" {
  description = "Names and ARNs for launchers, as in the SSM parameter, and the feature groups."
  value       = merge(local.platform, { feature_groups = module.feature_store.feature_groups })
}

output "platform_parameter" {
  description = "SSM parameter with `platform` as JSON."
  value       = aws_ssm_parameter.platform.name
}

output "serverless_endpoints" {
  description = "Name of the endpoint to invoke, by model."
  value       = { for name, endpoint in module.serverless_endpoint : name => endpoint.endpoint_name }
}

output "topics" {
  description = "Topics to subscribe to: alarms, which require action, and events."

  value = {
    alarms = module.observability.alarm_topic_arn
    events = module.observability.event_topic_arn
  }
}
